//! How a node shows itself to its host, to the checks, and to whoever chooses events or prints a state.

use std::fmt::Debug;

use raft::{Config, Configuration, Index, MemStorage, Message, NodeId, Progress, ProgressState, Term};

use crate::invariant::{self, ProgressView, View};

/// A node as it shows itself. Nothing changes by looking.
pub trait Node: Debug {
    /// The options it runs with.
    fn config(&self) -> &Config;

    /// The part that costs next to nothing.
    fn status(&self) -> Status;

    /// The membership in force on this node.
    fn configuration(&self) -> &Configuration;

    /// What is written of its log, durable or not.
    fn storage(&self) -> &MemStorage;

    /// The term of an entry of the log, stored or not yet; `None` where the log does not reach, or is compacted.
    fn entry_term(&self, index: Index) -> Option<Term>;

    /// How many reads it holds on to, as a leader.
    fn waiting_reads(&self) -> usize;

    /// The payload bytes that it counts as uncommitted, as a leader; zero in any other role, and `None` if it does not tell.
    fn uncommitted_size(&self) -> Option<u64> {
        None
    }

    /// Whether there is a Ready to take.
    fn has_ready(&self) -> bool;

    /// The messages that it has made and no Ready has handed out.
    fn pending_messages(&self) -> Box<dyn Iterator<Item = &Message> + '_>;

    /// What it knows, as a leader, of this member.
    fn follower(&self, id: NodeId) -> Option<Follower>;

    /// Shows what it knows, as a leader, of each member, itself included, by identity. Nothing in any other role.
    fn each_follower(&self, look: &mut dyn FnMut(NodeId, Follower));

    /// Its identity.
    fn id(&self) -> NodeId {
        self.config().id
    }
}

impl dyn Node + '_ {
    /// What it knows, as a leader, of each member, by identity.
    pub fn followers(&self) -> impl Iterator<Item = (NodeId, Follower)> + use<> {
        let mut followers = Vec::new();
        self.each_follower(&mut |id, follower| followers.push((id, follower)));
        followers.into_iter()
    }
}

/// The part of a node's state that costs next to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// Term, vote, commit, role, leader, and how far its log goes and is applied.
    pub view: View,
    /// To whom it hands leadership over, if it leads and does.
    pub lead_transferee: Option<NodeId>,
    /// The first index of its log.
    pub first_index: Index,
}

/// What a leader knows of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Follower {
    /// The last entry that it acknowledged.
    pub matched: Index,
    /// The next entry to send.
    pub next: Index,
    /// How it is treated.
    pub state: FollowerState,
    /// Whether it was heard from since this was last cleared.
    pub recent_active: bool,
    /// Whether it is known to lack what it acknowledged.
    pub lacks_acknowledged: bool,
    /// Whether it needs a snapshot that the storage does not have.
    pub lacks_snapshot: bool,
}

/// How a leader treats a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FollowerState {
    /// It looks for the point where the logs agree.
    Probe {
        /// Whether an append is out.
        paused: bool,
    },
    /// It sends entries ahead.
    Replicate {
        /// Appends in flight.
        messages: usize,
        /// Their payload bytes; zero where that is not counted.
        bytes: u64,
        /// Whether no more may be sent.
        is_full: bool,
        /// Whether appends without entries are held back as well.
        paused: bool,
    },
    /// It waits for a snapshot to be taken.
    Snapshot {
        /// The last entry that the snapshot covers.
        pending: Index,
    },
}

impl Follower {
    /// The last entry that the snapshot on its way covers, if one is.
    pub const fn pending_snapshot(&self) -> Option<Index> {
        match self.state {
            FollowerState::Snapshot { pending } => Some(pending),
            FollowerState::Probe { .. } | FollowerState::Replicate { .. } => None,
        }
    }

    /// What checks are told of it.
    pub const fn view(&self) -> ProgressView {
        let (state, messages, bytes, full) = match self.state {
            FollowerState::Probe { .. } => (invariant::ProgressState::Probe, 0, 0, false),
            FollowerState::Replicate { messages, bytes, is_full, .. } => {
                (invariant::ProgressState::Replicate, messages, bytes, is_full)
            }
            FollowerState::Snapshot { .. } => (invariant::ProgressState::Snapshot, 0, 0, false),
        };
        ProgressView {
            matched: self.matched,
            next: self.next,
            state,
            inflight_messages: messages,
            inflight_bytes: bytes,
            inflights_full: full,
        }
    }
}

impl From<&Progress> for Follower {
    fn from(progress: &Progress) -> Self {
        let state = match progress.state() {
            ProgressState::Probe { paused, .. } => FollowerState::Probe { paused: *paused },
            ProgressState::Replicate { inflights, paused, .. } => FollowerState::Replicate {
                messages: inflights.count(),
                bytes: inflights.bytes(),
                is_full: progress.inflights_full(),
                paused: *paused,
            },
            ProgressState::Snapshot { pending, .. } => FollowerState::Snapshot { pending: *pending },
        };
        Self {
            matched: progress.matched(),
            next: progress.next(),
            state,
            recent_active: progress.recent_active(),
            lacks_acknowledged: progress.lacks_acknowledged(),
            lacks_snapshot: progress.lacks_snapshot(),
        }
    }
}
