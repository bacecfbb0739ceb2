//! What a node is about to hear: the parts of a message from the network that matter once it has been taken.

use raft::{Body, EntryId, Index, Message, NodeId, Purpose, Term};

use crate::world::consensus::{Follower, FollowerState, Node};

/// A message, and what its receiver knows of its sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) from: NodeId,
    pub(super) term: Option<Term>,
    purpose: Purpose,
    pub(super) said: Said,
}

/// What the message says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said {
    Propose,
    Append(Append),
    Accepted { index: Index, was: Option<Tracked> },
    Rejected { was: Option<Tracked> },
    Heartbeat,
    HeartbeatResponse,
    RequestPreVote,
    PreVote,
    RequestVote { last: EntryId, transfer: bool },
    Vote { granted: bool },
    Snapshot(Snapshot),
    TransferLeader,
    TimeoutNow,
    ReadIndex,
    ReadAnswer,
}

/// An append.
#[derive(Clone, Copy, Debug)]
pub(super) struct Append {
    pub(super) previous: EntryId,
    /// The term of its first entry, and its last entry.
    pub(super) entries: Option<(Term, EntryId)>,
    pub(super) commit: Index,
}

/// A snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot {
    pub(super) id: EntryId,
    pub(super) joint: bool,
    /// Whether its sender, as a leader, probes the receiver.
    pub(super) probed: bool,
}

/// What a leader knows of a follower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tracked {
    pub(super) matched: Index,
    pub(super) next: Index,
    pub(super) stage: Stage,
}

/// How a leader treats a follower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Probe,
    Replicate,
    Snapshot,
}

impl From<Follower> for Tracked {
    fn from(follower: Follower) -> Self {
        let stage = match follower.state {
            FollowerState::Probe { .. } => Stage::Probe,
            FollowerState::Replicate { .. } => Stage::Replicate,
            FollowerState::Snapshot { .. } => Stage::Snapshot,
        };
        Self { matched: follower.matched, next: follower.next, stage }
    }
}

/// What this node, if it leads, knows of another one.
pub(super) fn tracked(node: &dyn Node, of: NodeId) -> Option<Tracked> {
    node.follower(of).map(Tracked::from)
}

impl Heard {
    /// A message that is about to arrive. `sender` and `receiver` are its two ends, where they are up.
    pub(super) fn new(message: &Message, sender: Option<&dyn Node>, receiver: Option<&dyn Node>) -> Self {
        let was = || receiver.and_then(|node| tracked(node, message.from));
        let said = match &message.body {
            Body::Propose { .. } => Said::Propose,
            Body::Append { previous, entries, commit } => {
                let entries = entries.first().zip(entries.last()).map(|(first, last)| (first.term, last.id()));
                Said::Append(Append { previous: *previous, entries, commit: *commit })
            }
            Body::AppendAccepted { index } => Said::Accepted { index: *index, was: was() },
            Body::AppendRejected { .. } => Said::Rejected { was: was() },
            Body::Heartbeat { .. } => Said::Heartbeat,
            Body::HeartbeatResponse { .. } => Said::HeartbeatResponse,
            Body::RequestPreVote { .. } => Said::RequestPreVote,
            Body::PreVoteResponse { .. } => Said::PreVote,
            Body::RequestVote { last, transfer } => Said::RequestVote { last: *last, transfer: *transfer },
            Body::VoteResponse { granted } => Said::Vote { granted: *granted },
            Body::InstallSnapshot { snapshot } => Said::Snapshot(Snapshot {
                id: snapshot.id,
                joint: !snapshot.conf_state.voters_outgoing.is_empty(),
                probed: sender
                    .and_then(|leader| tracked(leader, message.to))
                    .is_some_and(|tracked| tracked.stage == Stage::Probe),
            }),
            Body::TransferLeader => Said::TransferLeader,
            Body::TimeoutNow => Said::TimeoutNow,
            Body::ReadIndex { .. } => Said::ReadIndex,
            Body::ReadIndexResponse { .. } => Said::ReadAnswer,
        };
        Self { from: message.from, term: message.term, purpose: message.body.purpose(), said }
    }

    /// Whether a leader sends it to keep its followers up to date.
    pub(super) const fn is_from_leader(&self) -> bool {
        matches!(self.purpose, Purpose::Replication)
    }
}
