//! Facts that must hold.

use std::collections::BTreeSet;

use raft::{EntryId, Index, NodeId};

use super::super::command::{Expectation, Expected, LogIds};
use super::{Done, Environment, Reply, Trouble};
use crate::world::consensus::Node;
use crate::world::{Event, Excuse, Replica};

impl Environment {
    pub(super) fn expect(&mut self, expectation: &Expectation) -> Done {
        match expectation {
            Expectation::Leader(leader) => self.expect_leader(*leader)?,
            Expectation::Excuse(excuse) => {
                let name = |excuse: Option<Excuse>| excuse.map_or("none", Excuse::name);
                same("the excuse", name(self.world.excuse()), name(*excuse))?;
            }
            Expectation::Converged(expected) => self.expect_converged(*expected)?,
            Expectation::Of(nodes, facts) => {
                for node in nodes {
                    facts.iter().try_for_each(|fact| self.expect_of(*node, fact))?;
                }
            }
        }
        Ok(Reply::default())
    }

    /// Where the cluster has to have converged, the world judges it, and counts that it has.
    fn expect_converged(&mut self, expected: bool) -> Done<()> {
        let unsettled = self.world.unsettled();
        let found = unsettled.map_or_else(|| "true".to_owned(), |why| format!("false ({})", why.reason));
        if expected != (found == "true") {
            return same("converged", &found, &expected.to_string());
        }
        if expected {
            let written = self.world.leader().map(|leader| leader.view().hard_state.commit);
            let reads = self.world.statistics().reads;
            self.apply(&Event::ExpectSettled { written, reads })?;
        }
        Ok(())
    }

    pub(super) fn expect_liveness(&mut self, core: &[NodeId]) -> Done {
        let core = (!core.is_empty()).then(|| sorted(core));
        self.apply(&Event::ExpectLiveness { core })?;
        Ok(Reply::default())
    }

    fn expect_leader(&self, expected: Option<NodeId>) -> Done<()> {
        let leader = self.world.leader().map(Replica::id);
        same("the leader", &name(leader), &name(expected))
    }

    fn expect_of(&self, node: NodeId, fact: &Expected) -> Done<()> {
        let replica = self.replica(node)?;
        if let Expected::Up(up) = fact {
            return same(&format!("node {}: up", node.get()), &replica.is_up().to_string(), &up.to_string());
        }
        let (what, found, expected) = compared(replica, self.raft_node(node)?, fact);
        same(&format!("node {}: {what}", node.get()), &found, &expected)
    }
}

fn same(what: &str, found: &str, expected: &str) -> Done<()> {
    if found == expected { Ok(()) } else { Err(Trouble::Unmet(format!("{what} is {found}, expected {expected}"))) }
}

/// What a fact is about, how it is, and how it should be.
fn compared(replica: &Replica, raft: &dyn Node, fact: &Expected) -> (String, String, String) {
    let status = raft.status().view;
    let membership = raft.configuration().conf_state();
    let (what, found, expected) = match fact {
        Expected::Up(up) => ("up", true.to_string(), up.to_string()),
        Expected::Term(term) => ("term", status.hard_state.term.to_string(), term.to_string()),
        Expected::Vote(vote) => ("vote", name(status.hard_state.vote), name(*vote)),
        Expected::Role(role) => ("role", status.soft_state.role.to_string(), role.to_string()),
        Expected::Leader(leader) => ("leader", name(status.soft_state.leader), name(*leader)),
        Expected::Commit(index) => ("commit", status.hard_state.commit.to_string(), index.to_string()),
        Expected::Applied(index) => ("applied", applied(replica).to_string(), index.to_string()),
        Expected::Last(last) => ("last", status.last.to_string(), last.to_string()),
        Expected::Log(LogIds(log)) => ("log", list(&log_of(raft)), list(log)),
        Expected::Voters(nodes) => ("voters", names(&membership.voters), names(&sorted(nodes))),
        Expected::Outgoing(nodes) => ("outgoing", names(&membership.voters_outgoing), names(&sorted(nodes))),
        Expected::Learners(nodes) => ("learners", names(&membership.learners), names(&sorted(nodes))),
        Expected::Value(key, value) => {
            let found = replica.state_machine().and_then(|machine| machine.value(key.0));
            let found = found.map_or_else(String::new, |value| value.escape_ascii().to_string());
            return (format!("k{}", key.0), found, value.clone());
        }
    };
    (what.to_owned(), found, expected)
}

fn applied(replica: &Replica) -> Index {
    replica.state_machine().map(|machine| machine.applied().index).unwrap_or_default()
}

/// The log as the node knows it, stored or not yet.
fn log_of(raft: &dyn Node) -> Vec<EntryId> {
    let status = raft.status();
    let indexes = (status.first_index.0..=status.view.last.index.0).map(Index);
    indexes.filter_map(|index| raft.entry_term(index).map(|term| EntryId::new(term, index))).collect()
}

fn name(node: Option<NodeId>) -> String {
    node.map_or_else(|| "none".to_owned(), |node| node.get().to_string())
}

fn names(nodes: &BTreeSet<NodeId>) -> String {
    list(&nodes.iter().map(|node| node.get()).collect::<Vec<_>>())
}

fn sorted(nodes: &[NodeId]) -> BTreeSet<NodeId> {
    nodes.iter().copied().collect()
}

fn list(items: &[impl ToString]) -> String {
    format!("({})", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}
