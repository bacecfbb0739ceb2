//! Operators that change the membership.

use std::collections::BTreeSet;

use raft::{Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, Configuration, NodeId, Transition, VoteResult};

use super::event_queue::EventQueue;
use super::intent::Intent;
use super::{any_node, leader};
use crate::plan::{Plan, Time};
use crate::random::{Concern, Stream};
use crate::world::World;

/// The operators.
#[derive(Clone, Debug)]
pub(super) struct Members {
    mean: Option<Time>,
    /// Whether the membership changes for no reason.
    is_restless: bool,
    stream: Stream,
    /// Every node that can exist in this run.
    nodes: Vec<NodeId>,
    /// How many voters the operators would like to have.
    wanted: usize,
}

impl Members {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            mean: plan.faults.membership.or(plan.faults.node_loss),
            is_restless: plan.faults.membership.is_some(),
            stream: Stream::new(plan.seed, Concern::Members),
            nodes: plan.cluster.ids().collect(),
            wanted: usize::try_from(plan.cluster.nodes).expect("nodes are few"),
        }
    }

    pub(super) fn begin(&mut self, queue: &mut EventQueue) {
        if let Some(mean) = self.mean {
            queue.after(self.stream.between(1, 2 * mean), Intent::ChangeMembers);
        }
    }

    /// The next change, and at which node it is proposed.
    pub(super) fn change(
        &mut self,
        world: &World,
        lost: &BTreeSet<NodeId>,
        queue: &mut EventQueue,
    ) -> Option<(NodeId, ConfChange)> {
        self.begin(queue);
        let leader = leader(world)?;
        let configuration = world.replica(leader)?.node()?.configuration();
        if configuration.conf_state().auto_leave {
            // It has to be left by itself, with no operator's help.
            return None;
        }
        let change = match configuration.members().find(|member| lost.contains(member)) {
            Some(member) => self.replace(member, lost, configuration),
            None if self.is_restless => self.choose(lost, configuration)?,
            None => return None,
        };
        if !lost.is_empty() && !leaves_a_quorum(configuration, &change, lost) {
            return None;
        }
        let node = if self.stream.chance(150) { any_node(world, &mut self.stream)? } else { leader };
        Some((node, change))
    }

    /// Replaces a node that is lost by one that is not a member, or leaves a joint configuration first.
    fn replace(&mut self, member: NodeId, lost: &BTreeSet<NodeId>, configuration: &Configuration) -> ConfChange {
        if configuration.is_joint() {
            return ConfChangeV2::leave_joint().into();
        }
        let mut changes = vec![Change::new(ChangeKind::Remove, member)];
        let is_free = |node: &&NodeId| !lost.contains(node) && !configuration.contains(**node);
        let free: Vec<NodeId> = self.nodes.iter().filter(is_free).copied().collect();
        if !free.is_empty() {
            changes.push(Change::new(ChangeKind::AddVoter, *self.stream.pick(&free)));
        }
        let transition = *self.stream.pick(&[Transition::Auto, Transition::Implicit, Transition::Explicit]);
        ConfChangeV2 { transition, changes, context: bytes::Bytes::new() }.into()
    }

    fn choose(&mut self, lost: &BTreeSet<NodeId>, configuration: &Configuration) -> Option<ConfChange> {
        if configuration.is_joint() && self.stream.chance(700) {
            return Some(ConfChangeV2::leave_joint().into());
        }
        let nodes: Vec<NodeId> = self.nodes.iter().filter(|node| !lost.contains(node)).copied().collect();
        let mut change = || Self::one_change(&mut self.stream, &nodes, self.wanted, configuration);
        let first = change()?;
        if self.stream.chance(400) {
            return Some(ConfChangeV1 { change: first, context: bytes::Bytes::new() }.into());
        }
        let mut changes = vec![first];
        for _ in 0..self.stream.below(3) {
            let next = Self::one_change(&mut self.stream, &nodes, self.wanted, configuration)?;
            if changes.iter().all(|earlier| earlier.node != next.node) {
                changes.push(next);
            }
        }
        let transition = *self.stream.pick(&[Transition::Auto, Transition::Implicit, Transition::Explicit]);
        let change = ConfChangeV2 { transition, changes, context: bytes::Bytes::new() };
        leaves_a_voter(configuration, &change).then(|| change.into())
    }

    fn one_change(
        stream: &mut Stream,
        nodes: &[NodeId],
        wanted: usize,
        configuration: &Configuration,
    ) -> Option<Change> {
        let state = configuration.conf_state();
        let grow = stream.chance(if state.voters.len() < wanted { 700 } else { 350 });
        let (voters, others): (Vec<NodeId>, Vec<NodeId>) = nodes.iter().partition(|node| state.voters.contains(node));
        let choices = if grow && !others.is_empty() { &others } else { &voters };
        let node = *stream.pick(choices);
        let is_learner = state.learners.contains(&node);
        let kind = match (state.voters.contains(&node), stream.below(10)) {
            (true, 0..4) => ChangeKind::AddLearner,
            (true, _) => ChangeKind::Remove,
            (false, 0) if is_learner => ChangeKind::Remove,
            (false, 1..5) if !is_learner => ChangeKind::AddLearner,
            (false, _) => ChangeKind::AddVoter,
        };
        let last_voter = state.voters.len() == 1 && state.voters.contains(&node);
        (!last_voter).then(|| Change::new(kind, node))
    }

    /// The nodes of a change that have not started yet.
    pub(super) fn to_start(&self, change: &ConfChange, world: &World) -> Vec<NodeId> {
        let changes = change.as_v2().changes;
        changes.iter().filter_map(|change| change.node).filter(|node| world.replica(*node).is_none()).collect()
    }
}

/// A configuration without voters is refused everywhere; there is nothing to learn from trying often.
fn leaves_a_voter(configuration: &Configuration, change: &ConfChangeV2) -> bool {
    let touched: Vec<NodeId> = change.changes.iter().filter_map(|change| change.node).collect();
    let adds = change.changes.iter().any(|change| change.kind == ChangeKind::AddVoter);
    adds || configuration.conf_state().voters.iter().any(|voter| !touched.contains(voter))
}

/// Whether the voters after the change have a quorum without those that are lost or whose disks are damaged.
fn leaves_a_quorum(configuration: &Configuration, change: &ConfChange, lost: &BTreeSet<NodeId>) -> bool {
    let Ok(changed) = configuration.apply(&change.as_v2()) else { return true };
    let voters = changed.configuration.voters();
    voters.vote_result(|voter| Some(!lost.contains(&voter))) == VoteResult::Won
}
