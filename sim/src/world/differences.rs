//! How two application states that should be equal differ. The check compares hashes; this is for the report.

use raft::{Entry, NodeId};

use super::{Replica, World};
use crate::invariant::{Invariant, Violation};

impl World {
    /// Adds the key that differs to the violation, if the violation is about the states of applications and there is
    /// another node to compare with.
    pub(super) fn with_difference(&self, mut violation: Violation) -> Violation {
        let difference = match (violation.invariant, violation.nodes.first()) {
            (Invariant::StateMachineSafety, Some(node)) => self.difference(*node),
            _ => None,
        };
        if let Some(difference) = difference {
            // In brackets, as lists are: two failures that differ only in what is in brackets count as the same.
            violation.detail = format!("{} ({difference})", violation.detail);
        }
        violation
    }

    /// How a node's state differs from that of the first comparable node that has a different one.
    fn difference(&self, node: NodeId) -> Option<String> {
        let own = self.replica(node)?;
        self.native_replicas()
            .filter(|other| other.id() != node)
            .find_map(|other| own.state_machine()?.difference(other.state_machine()?, other.id(), log(own), log(other)))
    }
}

/// The entries that a node's storage holds.
fn log(replica: &Replica) -> impl Iterator<Item = &Entry> {
    replica.node().into_iter().flat_map(|node| node.storage().stored())
}
