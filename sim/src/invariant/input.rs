//! What the checkers are told: plain views of a node, made of the raft crate's plain types only.

use raft::node::Limits;
use raft::{BasicStatus, ConfState, Entry, EntryId, HardState, Index, NodeId, Progress, SoftState};

/// A node as seen from outside after a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
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

/// The loop that runs a node, as seen from outside, and what its host has counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LoopView {
    /// How much may wait.
    pub limits: Limits,
    /// The leader that the node knows.
    pub leader: Option<NodeId>,
    /// Whether proposals are taken.
    pub accepts_proposals: bool,
    /// Proposals that wait.
    pub proposals: usize,
    /// Messages, requests, reports and storage responses that wait.
    pub messages: usize,
    /// Ticks that wait.
    pub pending_ticks: u32,
    /// Ticks that the loop counts as missed.
    pub missed_ticks: u64,
    /// Ticks that the loop has taken, as the host counts.
    pub taken_ticks: u64,
    /// Ticks of the clock, as the host counts.
    pub clock: u64,
    /// Storage responses so far, as the host counts. There is room for them whatever the limit.
    pub responses: u64,
    /// Whether a Ready is out that the loop has not taken back, with synchronous storage writes.
    pub ready_out: bool,
    /// The arms that have something to take, a bit each.
    pub available: u8,
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
    /// The index up to which the application's restored state goes; not below `compacted`.
    pub applied: Index,
    /// The configuration that the node starts with, once bootstrapped.
    pub configuration: &'a ConfState,
}

/// How a leader treats a follower.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ProgressState {
    /// It looks for the point where the logs agree.
    #[default]
    Probe,
    /// It sends appends ahead.
    Replicate,
    /// It waits for a snapshot to be taken.
    Snapshot,
}

/// What a leader knows of a follower.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ProgressView {
    /// The last entry that the follower acknowledged.
    pub matched: Index,
    /// The next entry to send.
    pub next: Index,
    /// How the follower is treated.
    pub state: ProgressState,
    /// Appends in flight.
    pub inflight_messages: usize,
    /// Their payload bytes.
    pub inflight_bytes: u64,
    /// Whether the leader takes the window for full.
    pub inflights_full: bool,
}

impl From<&Progress> for ProgressView {
    fn from(progress: &Progress) -> Self {
        let (state, inflight_messages, inflight_bytes) = match progress.state() {
            raft::ProgressState::Replicate { inflights, .. } => {
                (ProgressState::Replicate, inflights.count(), inflights.bytes())
            }
            raft::ProgressState::Probe { .. } => (ProgressState::Probe, 0, 0),
            raft::ProgressState::Snapshot { .. } => (ProgressState::Snapshot, 0, 0),
        };
        Self {
            matched: progress.matched(),
            next: progress.next(),
            state,
            inflight_messages,
            inflight_bytes,
            inflights_full: progress.inflights_full(),
        }
    }
}
