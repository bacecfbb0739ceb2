//! A mistake of operators: a node with the log of another cluster is added.
//!
//! It comes as a learner, and stays one: a voter that acknowledges what it does not have can make the cluster lose
//! committed entries, and nothing in Raft prevents that. The cluster has to work in its presence, so nobody removes it
//! once faults are over.

use raft::{Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Index, NodeId, Term};

use super::event_queue::EventQueue;
use super::intent::Intent;
use super::leader;
use crate::plan::{Plan, Time, node_id};
use crate::random::{Concern, Stream};
use crate::world::{Boot, World};

/// The operators who make it.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
    mean: Option<Time>,
    stream: Stream,
    node: NodeId,
    /// How many nodes the other cluster has, with the names of those that this one began with.
    voters: u64,
}

impl Foreign {
    /// How many of a thousand times they notice the mistake, and remove the node.
    const FOUND_OUT: u64 = 300;
    /// How many of a thousand such logs end no later than the leader's.
    const ENDS_BEFORE: u64 = 700;
    /// The most terms that the other cluster is ahead.
    const MOST_TERMS_AHEAD: u64 = 64;
    /// The most entries in its log.
    const MOST_ENTRIES: u64 = 128;

    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            mean: plan.faults.foreign,
            stream: Stream::new(!plan.seed, Concern::Foreign),
            node: plan.cluster.foreign(),
            voters: plan.cluster.nodes,
        }
    }

    pub(super) fn begin(&mut self, queue: &mut EventQueue) {
        if let Some(mean) = self.mean {
            queue.after(self.stream.between(1, 2 * mean), Intent::ChangeForeign);
        }
    }

    /// The next change, and at which node it is proposed.
    pub(super) fn change(&mut self, world: &World, queue: &mut EventQueue) -> Option<(NodeId, ConfChange)> {
        self.begin(queue);
        let leader = leader(world)?;
        let configuration = world.replica(leader)?.node()?.configuration();
        let kind = match configuration.contains(self.node) {
            true if self.stream.chance(Self::FOUND_OUT) => ChangeKind::Remove,
            true => return None,
            false => ChangeKind::AddLearner,
        };
        let change = ConfChangeV1 { change: Change::new(kind, self.node), context: bytes::Bytes::new() };
        let change = if self.stream.chance(500) { change.into() } else { ConfChangeV2::from(change).into() };
        Some((leader, change))
    }

    /// The node and what it begins with, if it has not started yet: a log that ends before or beyond that of the cluster, of an
    /// earlier term or a later one.
    pub(super) fn boot(&mut self, world: &World) -> Option<(NodeId, Boot)> {
        if world.replica(self.node).is_some() {
            return None;
        }
        let view = world.leader().map(|leader| *leader.view()).unwrap_or_default();
        let (end, current) = (view.last.index.0.max(1), view.hard_state.term.0.max(1));
        let beyond = end + self.stream.magnitude(1, Self::MOST_ENTRIES);
        let last = if self.stream.chance(Self::ENDS_BEFORE) { self.stream.between(1, end) } else { beyond };
        let entries = self.stream.below(last.min(Self::MOST_ENTRIES));
        let index = Index(last - entries);
        let higher = current + self.stream.magnitude(1, Self::MOST_TERMS_AHEAD);
        let term = Term(if self.stream.chance(500) { self.stream.between(1, current) } else { higher });
        let commit = index.plus(self.stream.between(0, entries));
        let (voters, learners) = ((1..=self.voters).map(node_id).collect(), [self.node].into());
        let conf_state = ConfState { voters, learners, ..ConfState::default() };
        Some((self.node, Boot::Foreign { index, conf_state, term, entries, commit }))
    }
}
