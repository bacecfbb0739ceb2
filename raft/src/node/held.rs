//! A Ready that cannot be lost.

use std::fmt;
use std::ops::Deref;

use super::Node;
use super::error::{NodeError, Stopped};
use crate::error::AdvanceError;
use crate::ready::Ready;
use crate::storage::Storage;
use crate::types::EntryId;

/// The next Ready of a node, for the task that does its work; made by [`Node::next_ready`]. Dropped before it is
/// [advanced](Self::advance), by an early return, a cancellation or a panic, it goes back to the node, which hands the
/// same one out again.
#[must_use = "its work has to be done"]
pub struct HeldReady<S: Storage, A = ()> {
    node: Node<S, A>,
    /// `None` once it is advanced.
    ready: Option<Ready>,
}

impl<S: Storage, A> HeldReady<S, A> {
    pub(super) const fn new(node: Node<S, A>, ready: Ready) -> Self {
        Self { node, ready: Some(ready) }
    }

    /// As [`Node::answer`].
    pub fn answer(&self, entry: EntryId, answer: A) {
        self.node.answer(entry, answer);
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

impl<S: Storage, A> Deref for HeldReady<S, A> {
    type Target = Ready;

    fn deref(&self) -> &Ready {
        self.ready.as_ref().expect("only advancing takes it out, which ends this value")
    }
}

impl<S: Storage, A> fmt::Debug for HeldReady<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeldReady").field(&self.ready).finish()
    }
}

impl<S: Storage, A> Drop for HeldReady<S, A> {
    fn drop(&mut self) {
        if let Some(ready) = self.ready.take() {
            self.node.shared().enqueue(|run_loop| run_loop.return_ready(ready));
        }
    }
}

impl<S: Storage, A> Node<S, A> {
    /// Like [`ready`](Self::ready), but the Ready comes in a wrapper that gives it back when it is dropped without
    /// having been advanced, so the node is never left mute. When it comes again, skip the parts that were done
    /// already: writing to storage twice changes nothing, and entries that are applied already are known by their
    /// index.
    ///
    /// # Errors
    /// Stopped.
    pub async fn next_ready(&self) -> Result<HeldReady<S, A>, Stopped> {
        Ok(HeldReady::new(self.clone(), self.ready().await?))
    }
}
