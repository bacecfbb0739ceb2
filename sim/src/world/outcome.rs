//! What an event led to.

use std::borrow::Cow;
use std::ops::Range;

use raft::{BootstrapError, ChangeError, ConfigError, DecodeError, Index, NodeId, ProposeError, StepError};

use super::World;
use super::consensus::CannotStart;
use super::event::MessageId;
use crate::history::{Answer, Operation};
use crate::invariant::Violation;
use crate::wal::{DiskError, RecoveryError};

/// What an event led to, as far as the driver has to know it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// The node that the event touched. Its [`to_do`](super::Replica::to_do) may have changed, nobody else's has.
    pub node: Option<NodeId>,
    /// The messages that are newly in flight.
    pub sent: Range<u64>,
    /// What the node did not accept, or what became of a message.
    pub refused: Option<Refusal>,
    /// The operations of clients that were answered.
    pub completed: Vec<Completion>,
}

/// A client's operation that a node answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// Whose it is.
    pub client: u64,
    /// The client's number for it.
    pub sequence: u64,
    /// Who answered.
    pub node: NodeId,
    /// What was asked.
    pub operation: Operation,
    /// What the client is told.
    pub answer: Answer,
}

impl Outcome {
    /// The messages that are newly in flight, in order.
    pub fn newly_in_flight(&self) -> impl Iterator<Item = MessageId> + use<> {
        self.sent.clone().map(MessageId)
    }
}

/// What the node, the network or the disk answered instead of doing what an event says. The event happened all the
/// same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The node did not accept a message.
    #[error("{}", in_words_of_etcd(.0))]
    Step(StepError),
    /// The node did not accept a proposal.
    #[error("{PROPOSAL_DROPPED}")]
    Propose(ProposeError),
    /// The message was lost: its link is cut, or its receiver is down.
    #[error("the message is lost")]
    Lost,
    /// The node's engine has nothing of this kind.
    #[error("{0}")]
    Unsupported(Cow<'static, str>),
    /// The queue of the node's loop is full.
    #[error("the queue is full")]
    Full,
    /// A committed membership change that the configuration does not allow; it was skipped.
    #[error("membership change: {0}")]
    Change(ChangeError),
    /// A committed membership change that does not decode, which only a forged message can bring; it was skipped.
    #[error("membership change: {0}")]
    Undecodable(DecodeError),
    /// The disk failed; the node has stopped.
    #[error("node stopped: {0}")]
    Disk(DiskError),
    /// What is on the disk cannot be trusted; the node stays down.
    #[error("node stays down: {0}")]
    Recovery(RecoveryError),
}

/// What etcd says of a proposal that it drops, whatever the reason. Transcripts are compared with etcd's.
const PROPOSAL_DROPPED: &str = "raft proposal dropped";

fn in_words_of_etcd(error: &StepError) -> String {
    match error {
        StepError::Propose(_) => PROPOSAL_DROPPED.to_owned(),
        _ => error.to_string(),
    }
}

/// Why [`World::apply`](super::World::apply) stopped.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Halt {
    /// A property does not hold.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The event does not fit the state. Nothing has changed: replay calls this a divergence, other drivers skip it.
    #[error(transparent)]
    Inapplicable(#[from] Inapplicable),
}

/// Why an event does not fit the state of the world.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Inapplicable {
    /// The identity is beyond [`World::MAX_NODES`](super::World::MAX_NODES).
    #[error("node {} is beyond the largest identity, {}", .0.get(), World::MAX_NODES)]
    NodeOutOfRange(NodeId),
    /// A snapshot to start from is beyond [`World::MOST_FIRST_INDEX`](super::World::MOST_FIRST_INDEX).
    #[error("node {} cannot start at index {}: {} is the largest", .0, .1, World::MOST_FIRST_INDEX)]
    BootIndex(NodeId, Index),
    /// A [foreign](super::Boot::Foreign) log that makes no sense, or by which the node is a voter.
    #[error("node {0} cannot start from this foreign log")]
    ForeignLog(NodeId),
    /// The node has the log of another cluster, and clients do not ask such a node.
    #[error("node {0} has the log of another cluster, and is asked nothing")]
    Foreign(NodeId),
    /// There are [`World::MOST_IN_FLIGHT`](super::World::MOST_IN_FLIGHT) messages.
    #[error("{} messages are in flight: there is no room for more", World::MOST_IN_FLIGHT)]
    TooManyInFlight,
    /// There is no such node.
    #[error("node {0} never started")]
    NoSuchNode(NodeId),
    /// It cannot start for the first time again.
    #[error("node {0} exists already")]
    NodeExists(NodeId),
    /// The node is down.
    #[error("node {0} is down")]
    NodeDown(NodeId),
    /// The node is up.
    #[error("node {0} is up")]
    NodeUp(NodeId),
    /// The options make no sense, or not with what is stored.
    #[error("node {0} cannot start: {1}")]
    Config(NodeId, ConfigError),
    /// The node cannot be bootstrapped from this.
    #[error("node {0} cannot start: {1}")]
    Boot(NodeId, BootstrapError),
    /// Another engine does not start the node.
    #[error("node {0} cannot start: {1}")]
    Engine(NodeId, CannotStart),
    /// The message is not in flight.
    #[error("message {} is not in flight", .0.0)]
    NoSuchMessage(MessageId),
    /// The message never leaves its node.
    #[error("message {} is local to its node", .0.0)]
    LocalMessage(MessageId),
    /// The node has nothing of this kind to do now.
    #[error("node {0} {1}")]
    NotNow(NodeId, &'static str),
    /// The client is beyond [`Command::CLIENTS`](crate::history::Command::CLIENTS).
    #[error("client {0} is beyond the largest number")]
    NoSuchClient(u64),
    /// The key is beyond [`Command::KEYS`](crate::history::Command::KEYS).
    #[error("key {0} is beyond the largest number")]
    NoSuchKey(u64),
    /// The client waits for nothing.
    #[error("client {0} has nothing under way")]
    NothingUnderWay(u64),
    /// The nodes for which faults are over are no quorum, or the membership is changing.
    #[error("there is no lasting quorum for which faults are over")]
    NoQuorum,
    /// The log cannot be compacted so far: it begins later already, no snapshot covers it, the node was not told that it is
    /// applied, or another compaction is under way.
    #[error("node {0} cannot compact up to {1}")]
    Compact(NodeId, Index),
}
