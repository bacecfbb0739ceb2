//! What the checkers are told: plain views of a node, made of the raft crate's plain types only.

use raft::{BasicStatus, ConfState, Entry, EntryId, HardState, Index, Progress, ProgressState, SoftState};

/// A node as it shows itself from outside after a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// Term, vote and commit, whether durable or not.
    pub hard_state: HardState,
    /// Role and known leader.
    pub soft_state: SoftState,
    /// The last index that the node counts as applied.
    pub applied: Index,
    /// The last entry of its log, whether durable or not.
    pub last: EntryId,
}

impl From<&BasicStatus> for View {
    fn from(status: &BasicStatus) -> Self {
        Self {
            hard_state: status.hard_state,
            soft_state: status.soft_state,
            applied: status.applied,
            last: status.last,
        }
    }
}

/// What a starting node read back from its disk.
#[derive(Clone, Copy, Debug)]
pub struct Recovered<'a> {
    /// The stored term, vote and commit.
    pub hard_state: HardState,
    /// The position before the first stored entry: where the log was compacted, or the snapshot it was replaced by.
    /// [`EntryId::ZERO`] where nothing was ever forgotten.
    pub compacted: EntryId,
    /// The stored entries, from the one after `compacted` on.
    pub entries: &'a [Entry],
    /// The newest stored snapshot.
    pub snapshot: EntryId,
    /// Up to where the application's restored state goes; not below `compacted`.
    pub applied: Index,
    /// The configuration that the node starts with, once bootstrapped.
    pub configuration: &'a ConfState,
}

/// What a leader knows of a follower.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProgressView {
    /// The last entry that the follower acknowledged.
    pub matched: Index,
    /// The next entry to send.
    pub next: Index,
    /// Appends in flight.
    pub inflight_messages: usize,
    /// Their payload bytes.
    pub inflight_bytes: u64,
    /// Whether the leader takes the window for full.
    pub inflights_full: bool,
}

impl From<&Progress> for ProgressView {
    fn from(progress: &Progress) -> Self {
        let (inflight_messages, inflight_bytes) = match progress.state() {
            ProgressState::Replicate { inflights, .. } => (inflights.count(), inflights.bytes()),
            ProgressState::Probe { .. } | ProgressState::Snapshot { .. } => (0, 0),
        };
        Self {
            matched: progress.matched(),
            next: progress.next(),
            inflight_messages,
            inflight_bytes,
            inflights_full: progress.inflights_full(),
        }
    }
}
