//! What the specification cannot speak about: each such thing ends a file, with its reason.

use raft::{ConfState, NodeId};

use crate::world::{Boot, Front, NodeOptions, SeldomOn};

/// Something in a run of which the specification knows nothing, or something else.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Limit {
    /// A pre-vote, for which it has no message and no role.
    #[error("node {0} runs with pre-vote, which the specification does not have")]
    PreVote(NodeId),
    /// Asynchronous storage writes.
    #[error("node {0} writes asynchronously, and the specification makes all of a Ready durable at once")]
    AsynchronousWrites(NodeId),
    /// Appends that are joined: what a leader sends is then made when a Ready is taken, and no file of that kind was validated.
    #[error("node {0} joins appends until a Ready is taken, and lines tell of messages as they are made")]
    JoinedAppends(NodeId),
    /// A run loop, whose inputs wait in queues.
    #[error("a loop runs node {0}, and what waits in its queues has no place in the specification")]
    RunLoop(NodeId),
    /// Another engine.
    #[error("the nodes are those of another engine, {0}")]
    Engine(String),
    /// The log of another cluster.
    #[error("node {0} has the log of another cluster")]
    ForeignLog(NodeId),
    /// A cluster that begins with learners or with two configurations.
    #[error("node {0} begins with learners or in a joint configuration, and the specification with voters only")]
    FirstMembers(NodeId),
    /// A log that begins late: the specification has every entry.
    #[error(
        "node {0} begins with an index of {1}, and the specification writes out every entry: 1000 is the most here"
    )]
    LongLog(NodeId, u64),
    /// A message that arrives twice.
    #[error("a message arrives at node {0} a second time, and in a validated run the network doubles nothing")]
    Doubled(NodeId),
    /// A message that nobody sent.
    #[error("a message arrives at node {0} that no node sent")]
    Forged(NodeId),
    /// A snapshot.
    #[error("node {0} sends a snapshot: no line of a trace is the answer that the specification has to one")]
    Snapshot(NodeId),
    /// A term that rose because of a message that is not in the specification.
    #[error("the term of node {0} rises by a message that the specification does not have")]
    TermBySomethingElse(NodeId),
    /// A restart with less, or other, than the last Ready.
    #[error(
        "node {0} comes back with other than its last Ready, and the specification makes all of a Ready durable at once"
    )]
    PartOfReady(NodeId),
    /// A change that is none of its three.
    #[error(
        "node {0} appends a change of the membership that is not one of: one voter more, one learner more, one member less"
    )]
    OtherChange(NodeId),
    /// A change while another is pending by its book.
    #[error("node {0} appends a change of the membership, and for the specification another one is pending")]
    ChangePending(NodeId),
    /// Several changes at once.
    #[error(
        "node {0} applies a change of the membership that is not the last one committed, which is what the specification applies"
    )]
    EarlierChange(NodeId),
    /// A change that names a node that never started.
    #[error("a change of the membership names node {0}, which has not started")]
    NeverStarted(NodeId),
    /// An event that does not fit.
    #[error("an event does not fit: {0}")]
    DoesNotFit(String),
}

impl Limit {
    /// In a few words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PreVote(_) => "pre-vote",
            Self::AsynchronousWrites(_) => "asynchronous writes",
            Self::JoinedAppends(_) => "joined appends",
            Self::RunLoop(_) => "a run loop",
            Self::Engine(_) => "another engine",
            Self::ForeignLog(_) => "a foreign log",
            Self::FirstMembers(_) => "first members that are no voters",
            Self::LongLog(..) => "a log that begins late",
            Self::Doubled(_) => "a message that arrives twice",
            Self::Forged(_) => "a message that nobody sent",
            Self::Snapshot(_) => "a snapshot",
            Self::TermBySomethingElse(_) => "a term by another message",
            Self::PartOfReady(_) => "a part of a Ready",
            Self::OtherChange(_) => "another change of the membership",
            Self::ChangePending(_) => "a change while another is pending",
            Self::EarlierChange(_) => "a change before the last one",
            Self::NeverStarted(_) => "a member that never started",
            Self::DoesNotFit(_) => "an event that does not fit",
        }
    }
}

/// Whether the specification has something for a node with these options.
pub(super) fn options(node: NodeId, options: &NodeOptions) -> Result<(), Limit> {
    match options {
        NodeOptions { pre_vote: true, .. } => Err(Limit::PreVote(node)),
        NodeOptions { async_storage_writes: true, .. } => Err(Limit::AsynchronousWrites(node)),
        NodeOptions { batch_append: SeldomOn(true), .. } => Err(Limit::JoinedAppends(node)),
        NodeOptions { front: Front::Loop(_), .. } => Err(Limit::RunLoop(node)),
        NodeOptions { .. } => Ok(()),
    }
}

/// The same for what a node begins with.
pub(super) fn boot(node: NodeId, boot: &Boot) -> Result<(), Limit> {
    /// The specification writes out each of them.
    const MOST: u64 = 1000;
    match boot {
        Boot::Empty | Boot::Peers(_) => Ok(()),
        Boot::Foreign { .. } => Err(Limit::ForeignLog(node)),
        Boot::Snapshot { index, .. } if index.0 > MOST => Err(Limit::LongLog(node, index.0)),
        Boot::Snapshot { conf_state, .. } if has_voters_only(conf_state) => Ok(()),
        Boot::Snapshot { .. } => Err(Limit::FirstMembers(node)),
    }
}

fn has_voters_only(members: &ConfState) -> bool {
    let ConfState { voters: _, learners, voters_outgoing, learners_next, auto_leave: _ } = members;
    learners.is_empty() && voters_outgoing.is_empty() && learners_next.is_empty()
}
