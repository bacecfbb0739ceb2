//! A Ready that cannot be lost.

use std::fmt;
use std::ops::Deref;

use super::Node;
use super::error::{NodeError, Stopped};
use crate::error::AdvanceError;
use crate::ready::Ready;
use crate::storage::Storage;

/// The next Ready of a node, for whoever works it off; made by [`Node::next_ready`]. Dropped before it is
/// [advanced](Self::advance), by an early return, a cancellation or a panic, it goes back to the node, which hands the same
/// one out again.
#[must_use = "its work has to be done"]
pub struct HeldReady<S: Storage> {
    node: Node<S>,
    /// `None` once it is advanced.
    ready: Option<Ready>,
}

impl<S: Storage> HeldReady<S> {
    pub(super) const fn new(node: Node<S>, ready: Ready) -> Self {
        Self { node, ready: Some(ready) }
    }

    /// Tells the node that it is persisted, sent and applied. With asynchronous storage writes it tells that its parts
    /// were passed on, and the node goes on when the responses come.
    ///
    /// # Errors
    /// As [`Node::advance`].
    pub fn advance(mut self) -> Result<(), NodeError<AdvanceError>> {
        let Some(ready) = self.ready.take() else { return Ok(()) };
        match self.node.advance(ready) {
            Err(NodeError::Refused(AdvanceError::AsynchronousStorageWrites)) => Ok(()),
            advanced => advanced,
        }
    }
}

impl<S: Storage> Deref for HeldReady<S> {
    type Target = Ready;

    fn deref(&self) -> &Ready {
        self.ready.as_ref().expect("only advancing takes it out, which ends this value")
    }
}

impl<S: Storage> fmt::Debug for HeldReady<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeldReady").field(&self.ready).finish()
    }
}

impl<S: Storage> Drop for HeldReady<S> {
    fn drop(&mut self) {
        if let Some(ready) = self.ready.take() {
            self.node.shared().enqueue(|run_loop| run_loop.return_ready(ready));
        }
    }
}

impl<S: Storage> Node<S> {
    /// As [`ready`](Self::ready), in a wrapper that gives it back when it is dropped without having been advanced: the
    /// node is never left mute. What of it was done already has to be skipped when it comes again; writing to storage
    /// twice changes nothing, and entries that are applied already are known by their index.
    ///
    /// # Errors
    /// Stopped.
    pub async fn next_ready(&self) -> Result<HeldReady<S>, Stopped> {
        Ok(HeldReady::new(self.clone(), self.ready().await?))
    }
}
