//! What the checkers are told: plain views of a node, made of the raft crate's plain types only.

use raft::{ConfState, Entry, EntryId, HardState, Index, SoftState};

/// A node as it shows itself from outside after a call: its basic status.
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

/// What a starting node read back from its disk.
#[derive(Clone, Copy, Debug)]
pub struct Recovered<'a> {
    /// The stored term, vote and commit.
    pub hard_state: HardState,
    /// The last entry that is no longer in the log: that of the newest snapshot, or the position of the compaction.
    /// [`EntryId::ZERO`] for a node that starts for the first time.
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
}

/// A node's quotas, as its options say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `Config::max_inflight_messages`.
    pub max_inflight_messages: usize,
    /// `Config::max_inflight_bytes`.
    pub max_inflight_bytes: u64,
    /// `Config::max_size_per_message`.
    pub max_size_per_message: u64,
    /// `Config::max_uncommitted_size`.
    pub max_uncommitted_size: u64,
}

impl From<&raft::Config> for Limits {
    fn from(config: &raft::Config) -> Self {
        Self {
            max_inflight_messages: config.max_inflight_messages,
            max_inflight_bytes: config.max_inflight_bytes,
            max_size_per_message: config.max_size_per_message,
            max_uncommitted_size: config.max_uncommitted_size,
        }
    }
}
