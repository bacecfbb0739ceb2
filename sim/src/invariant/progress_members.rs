//! A leader keeps track of all of its members and of no other node.
//!
//! ```text
//! n leads  ⇒  { m : n has a progress of m } = voters ∪ outgoing voters ∪ learners of n's configuration
//! ```
//!
//! Source: thesis, sections 4.1 and 4.2.1 (who joins is brought up to date, learners too); `progress` of etcd's package
//! `tracker`, whose keys are its configuration's. A member without progress is sent nothing, and one that has left would
//! go on counting for whatever looks at progress alone. A part of [`Invariant::ConfigurationAgreement`].
//!
//! A member that waits to become a learner is a voter of the outgoing half.

use raft::{ConfState, NodeId};

use super::cluster::Node;
use super::violation::{Check, Invariant, Violation};
use super::words;

/// The nodes of which a leader keeps a progress, as it shows them one after another; each must come once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracked {
    count: usize,
    /// The first of them that is no member.
    stranger: Option<NodeId>,
}

impl Tracked {
    pub(super) fn add(&mut self, node: &Node, peer: NodeId) {
        self.count += 1;
        if self.stranger.is_none() && !node.configuration.contains(peer) {
            self.stranger = Some(peer);
        }
    }

    pub(super) fn are_the_members(self, id: NodeId, node: &Node) -> Check {
        let Self { count, stranger } = self;
        let Some(term) = node.leads() else { return Ok(()) };
        let configuration = &*node.configuration;
        if stranger.is_none() && count == members(configuration) {
            return Ok(());
        }
        let stranger = stranger.map_or(String::new(), |peer| format!(", node {peer} among them"));
        let detail = format!(
            "node {id} leads term {term} and keeps track of {count} nodes{stranger}; expected its members {}, each once",
            words::members(configuration)
        );
        Err(Violation::new(Invariant::ConfigurationAgreement, &[id], detail))
    }
}

/// How many members there are. Only voters can be in two places, in both halves.
fn members(configuration: &ConfState) -> usize {
    let ConfState { voters, voters_outgoing, learners, .. } = configuration;
    voters.len() + learners.len() + voters_outgoing.iter().filter(|voter| !voters.contains(voter)).count()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, breaks, configuration, node};
    use super::*;

    fn tracks(bench: &mut Bench, peers: &[u64]) -> Check {
        bench.tracked(1, peers)
    }

    #[test]
    fn a_member_that_is_forgotten_and_a_stranger_that_is_kept_are_found() {
        let mut bench = Bench::led();
        tracks(&mut bench, &[1, 2, 3]).unwrap();
        breaks(Invariant::ConfigurationAgreement, tracks(&mut bench, &[1, 2]));
        breaks(Invariant::ConfigurationAgreement, tracks(&mut bench, &[1, 2, 3, 4]));
        breaks(Invariant::ConfigurationAgreement, tracks(&mut bench, &[1, 2, 4]));
    }

    #[test]
    fn learners_and_both_halves_are_members() {
        let ids = |ids: &[u64]| ids.iter().map(|&id| node(id)).collect();
        let joint = ConfState {
            voters_outgoing: ids(&[1, 2, 4]),
            learners: ids(&[5]),
            learners_next: ids(&[4]),
            ..configuration(&[1, 2, 3])
        };
        let mut bench = Bench::with(&[1, 2, 3, 4, 5], &joint);
        bench.elect(1, 1, &[2]).unwrap();
        tracks(&mut bench, &[1, 2, 3, 4, 5]).unwrap();
        for missing in 1..=5 {
            let others: Vec<u64> = (1..=5).filter(|&id| id != missing).collect();
            breaks(Invariant::ConfigurationAgreement, tracks(&mut bench, &others));
        }
    }

    #[test]
    fn a_node_that_does_not_lead_keeps_no_progress_that_could_be_wrong() {
        let mut bench = Bench::new(3);
        tracks(&mut bench, &[]).unwrap();
    }
}
