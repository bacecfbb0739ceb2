//! Why a call to a running node comes to nothing.

use crate::error::{BootstrapError, ConfigError};

/// The node was stopped, or whoever ran it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("raft: stopped")]
pub struct Stopped;

/// Why a running node did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError<E> {
    /// See [`Stopped`].
    #[error("raft: stopped")]
    Stopped,
    /// It was taken up and refused.
    #[error(transparent)]
    Refused(E),
}

/// Why an input does not join a queue of a [`RunLoop`](super::RunLoop).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnqueueError {
    /// See [`Stopped`].
    #[error("raft: stopped")]
    Stopped,
    /// The queue is at its bound; there is room again when the loop has taken something from it.
    #[error("the queue is full")]
    Full,
}

impl<E> From<Stopped> for NodeError<E> {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<Stopped> for EnqueueError {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

/// Why a node could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The options or the storage.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The list of its first peers.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}
