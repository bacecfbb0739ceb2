//! Why a call to a running node comes to nothing.

use crate::error::{BootstrapError, ConfigError, ProposeError};
use crate::types::EntryId;

/// The node was stopped, or its driver was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("raft: stopped")]
pub struct Stopped;

/// Why a running node did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError<E> {
    /// The node is [stopped](Stopped).
    #[error("raft: stopped")]
    Stopped,
    /// It was taken up and refused.
    #[error(transparent)]
    Refused(E),
}

/// Why a proposal that was [waited for](super::Node::propose_until_applied) is not known to be applied.
#[derive(Clone, Copy, Hash, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// It was not appended. Nothing comes of it.
    #[error(transparent)]
    NotProposed(#[from] ProposeError),
    /// Another leader's entry was committed in its place. Nothing comes of it.
    #[error("entry {by} was committed in its place, it is not applied and never will be: propose again")]
    Overwritten {
        /// What was committed there.
        by: EntryId,
    },
    /// A membership change that the leader refused: another was not applied yet, or the membership does not allow it.
    /// Nothing comes of it.
    #[error("the leader refused the membership change, as another is not applied yet: propose again later")]
    ChangeRefused,
    /// This node lost its leadership, and a snapshot of the next leader covers the entry's place in the log.
    #[error("a snapshot covers it, and it may be applied or not: read the state before you propose again")]
    Unknown,
    /// The node was stopped, or its driver was dropped.
    #[error("raft: stopped; it may be applied or not: read the state before you propose again")]
    Stopped,
}

impl ApplyError {
    /// Whether the proposal may be applied all the same, now or later. Where it is not, it can be proposed again without
    /// being applied twice.
    ///
    /// ```
    /// use raft::{ApplyError, ProposeError};
    /// assert!(!ApplyError::NotProposed(ProposeError::NoLeader).may_be_applied());
    /// assert!(ApplyError::Unknown.may_be_applied());
    /// ```
    pub const fn may_be_applied(&self) -> bool {
        match self {
            Self::NotProposed(_) | Self::Overwritten { .. } | Self::ChangeRefused => false,
            Self::Unknown | Self::Stopped => true,
        }
    }
}

impl From<Stopped> for ApplyError {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

/// Why an input does not join a queue of a [`RunLoop`](super::RunLoop).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnqueueError {
    /// The node is [stopped](Stopped).
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
#[non_exhaustive]
pub enum StartError {
    /// The options or the storage.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The list of its first peers.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}
