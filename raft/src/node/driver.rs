//! The future in which a node's run loop runs.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::shared::Shared;
use crate::storage::Storage;

/// How many inputs are taken before other tasks get the executor's thread.
const BATCH: usize = 64;

/// Runs a node's loop: to be spawned on any executor, or polled beside other futures. It is done when the node is
/// stopped or its last handle dropped.
///
/// Dropping it stops the node, so that an executor that shuts down leaves nobody waiting.
#[must_use = "a node does nothing unless its driver is polled"]
pub struct Driver<S: Storage, A = ()>(Arc<Shared<S, A>>);

impl<S: Storage, A> Driver<S, A> {
    pub(super) const fn new(shared: Arc<Shared<S, A>>) -> Self {
        Self(shared)
    }
}

impl<S: Storage, A> Future for Driver<S, A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.drive(BATCH, context)
    }
}

impl<S: Storage, A> Drop for Driver<S, A> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
