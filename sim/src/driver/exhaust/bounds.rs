//! Within what a search stays, and where it begins.

use std::fmt;

use raft::{ConfState, Index, NodeId, Term};

use super::act::{Act, Counts};
use crate::world::{Boot, Event, NodeOptions, World};

/// The bounds of a search, and the options of the nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// How many nodes there are, from 1 to 7.
    pub nodes: u64,
    /// How many of them, the last ones, are no members at first, and know of no cluster.
    pub outsiders: u64,
    /// How many of the members, the last ones that are no outsiders, are learners at first.
    pub learners: u64,
    /// How often what happens at most.
    pub most: Counts,
    /// No node gets beyond this term. The cluster begins in term 0.
    pub terms: u64,
    /// How many moves there are in a run at most.
    pub depth: u32,
    /// Whether each step of a host is a move.
    pub host_steps: bool,
    /// Whether membership changes go through a joint configuration, which is left by itself.
    pub joint: bool,
    /// Whether proposals and reads are those of clients, each of which has one, so that their histories are checked.
    pub clients: bool,
    /// What the nodes are started with, and started again, as they [accept](NodeOptions::as_accepted) it.
    pub options: NodeOptions,
    /// How many bytes of memory the search may take, about.
    pub memory: u64,
}

impl Default for Bounds {
    /// Three nodes, a campaign and a proposal in any number of moves.
    fn default() -> Self {
        Self {
            nodes: 3,
            outsiders: 0,
            learners: 0,
            most: Counts::default().with(Act::Campaign, 1).with(Act::Propose, 1),
            terms: 20,
            depth: u32::MAX,
            host_steps: false,
            joint: false,
            clients: false,
            options: NodeOptions { election_tick: 3, ..NodeOptions::default() },
            memory: 4 << 30,
        }
    }
}

impl Bounds {
    /// How many nodes there can be.
    pub const MOST_NODES: u64 = 7;

    /// The index of the snapshot from which all members begin.
    const FIRST: Index = Index(1);

    /// The same bounds, but this so often at most.
    #[must_use]
    pub fn with(self, act: Act, count: u8) -> Self {
        Self { most: self.most.with(act, count), ..self }
    }

    /// The nodes, by identity.
    pub(super) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.nodes).filter_map(NodeId::new)
    }

    /// The events before the first move: all nodes start.
    pub(super) fn starts(&self) -> impl Iterator<Item = Event> + '_ {
        let members = self.nodes - self.outsiders;
        let ids = |from: u64, to: u64| (from..=to).filter_map(NodeId::new).collect();
        let conf_state = ConfState {
            voters: ids(1, members - self.learners),
            learners: ids(members - self.learners + 1, members),
            ..ConfState::default()
        };
        let options = self.options.clone().as_accepted();
        let joins = Boot::Snapshot { index: Self::FIRST, conf_state };
        self.ids().map(move |node| {
            let boot = if node.get() <= members { joins.clone() } else { Boot::Empty };
            Event::Start { node, boot, options: options.clone(), seed: None }
        })
    }

    /// Whether all nodes begin alike.
    pub(super) const fn is_symmetric(&self) -> bool {
        self.outsiders == 0 && self.learners == 0
    }

    /// Whether some node is beyond the last term.
    pub(super) fn is_beyond(&self, world: &World) -> bool {
        world.replicas().any(|replica| replica.view().hard_state.term > Term(self.terms))
    }
}

/// In words, such as `3 nodes, 1 campaign, 1 proposal, pre-vote`.
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = Self::default();
        let some = |count: u64, one: &str, several: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {several}")),
        };
        let option = |holds: bool, name: &str| holds.then(|| name.to_owned());
        let options = &self.options;
        let parts = [
            some(self.nodes, "node", "nodes"),
            some(self.outsiders, "outsider", "outsiders"),
            some(self.learners, "learner", "learners"),
            Some(self.most.to_string()).filter(|text| !text.is_empty()),
            option(self.terms != usual.terms, &format!("terms to {}", self.terms)),
            option(self.depth != usual.depth, &format!("{} moves", self.depth)),
            option(options.pre_vote, "pre-vote"),
            option(options.check_quorum, "check-quorum"),
            option(options.read_only_option == raft::ReadOnlyOption::LeaseBased, "leases"),
            option(options.async_storage_writes, "asynchronous writes"),
            option(self.joint, "joint consensus"),
            option(self.clients, "clients"),
            option(self.host_steps, "host steps"),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_said_in_words() {
        let bounds = Bounds { depth: 9, terms: 2, host_steps: true, ..Bounds::default() }.with(Act::Crash, 2);
        let text = "3 nodes, 1 campaign, 1 proposal, 2 crashes, terms to 2, 9 moves, host steps";
        assert_eq!(bounds.to_string(), text);
    }

    #[test]
    fn outsiders_come_last_and_learners_before_them() {
        let bounds = Bounds { nodes: 4, outsiders: 1, learners: 1, ..Bounds::default() };
        let boots: Vec<Event> = bounds.starts().collect();
        let Event::Start { boot: Boot::Snapshot { conf_state, .. }, .. } = &boots[0] else { panic!("a member begins") };
        assert_eq!((conf_state.voters.len(), conf_state.learners.iter().map(|id| id.get()).collect()), (2, vec![3]));
        assert!(matches!(&boots[3], Event::Start { boot: Boot::Empty, .. }));
    }
}
