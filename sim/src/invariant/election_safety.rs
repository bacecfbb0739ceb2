//! Election safety: at most one leader can be elected in a term.
//!
//! ```text
//! ∀ t:  |{ n : n leads in t }| ≤ 1, and it is elected once                                   (1)
//! n becomes leader in t  ⇒  { v : v gave its vote in t to n } decides for n's configuration    (2)
//! n campaigns or becomes leader  ⇒  n votes in n's configuration                            (3)
//! m is an append, a heartbeat or a snapshot of term t  ⇒  m's sender leads or led in t         (4)
//! ```
//!
//! Source: Raft paper, figure 3, "Election Safety", and section 5.2; thesis, section 4.2.2 for learners;
//! `OnePrimaryPerTerm`/`ElectionSafety` of the TLA+ specifications (`raft.tla`, `etcdraft.tla`: `MoreThanOneLeaderInv`).
//!
//! (2) is what makes (1) true, and breaks long before two leaders happen to meet: a vote counts when the voter's disk
//! would still know of it after any crash. A node that forgets that it led in t and is elected in t again is as bad as
//! two leaders: it creates other entries of the same identities. (3) reports [`Invariant::LeaderIsVoter`].

use std::collections::{BTreeMap, BTreeSet};

use raft::{Message, NodeId, Purpose, Role, Term};

use super::cluster::Cluster;
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::vote_once::VoteOnce;
use super::words;

/// Who led in each of the newest terms.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct ElectionSafety {
    leaders: BTreeMap<Term, NodeId>,
}

impl ElectionSafety {
    /// How many terms are remembered: far more than a candidate can lag behind and still find voters.
    const TERMS: usize = 256;

    /// The node that leads or led in this term, if one is known.
    pub fn leader(&self, term: Term) -> Option<NodeId> {
        self.leaders.get(&term).copied()
    }

    /// A node became leader in the term that it shows.
    pub fn elected(&mut self, cluster: &Cluster, votes: &VoteOnce, id: NodeId) -> Check {
        let Some(node) = cluster.get(id) else { return Ok(()) };
        let term = node.view.hard_state.term;
        if let Some(&other) = self.leaders.get(&term) {
            let before = if other == id {
                "for the second time; expected a term to have one election".to_owned()
            } else {
                format!("which node {other} leads; expected one leader at most")
            };
            let nodes = if other == id { vec![id] } else { vec![id, other] };
            let detail = format!("node {id} became leader of term {term}, {before}");
            return Err(Violation::new(Invariant::ElectionSafety, &nodes, detail));
        }
        self.leaders.insert(term, id);
        if self.leaders.len() > Self::TERMS {
            self.leaders.pop_first();
        }
        if quorum::decides(&node.configuration, |voter| votes.may_have_voted(voter, term, id)) {
            return Ok(());
        }
        let voters: BTreeSet<_> = node.configuration.voters.union(&node.configuration.voters_outgoing).collect();
        let given = voters.into_iter().filter(|voter| votes.may_have_voted(**voter, term, id));
        let detail = format!(
            "node {id} became leader of term {term} with the durable votes of {}; expected those of a quorum of its members {}",
            words::nodes(given),
            words::members(&node.configuration)
        );
        Err(Violation::new(Invariant::ElectionSafety, &[id], detail))
    }

    /// A message leaves; only leaders send some of them.
    pub fn sent(&self, message: &Message) -> Check {
        let leads = message.body.purpose() == Purpose::Replication;
        let Some(term) = message.term.filter(|_| leads) else { return Ok(()) };
        match self.leader(term) {
            Some(leader) if leader != message.from => {
                let from = message.from;
                let detail = format!(
                    "node {from} speaks as leader of term {term}, which node {leader} leads; expected one leader at most"
                );
                Err(Violation::new(Invariant::ElectionSafety, &[from, leader], detail))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A node campaigns or leads, and did not before.
pub(super) fn takes_part_as_voter(cluster: &Cluster, id: NodeId) -> Check {
    let Some(node) = cluster.get(id) else { return Ok(()) };
    let role = node.view.soft_state.role;
    if role == Role::Follower || quorum::votes(&node.configuration, id) {
        return Ok(());
    }
    let term = node.view.hard_state.term;
    let detail = format!(
        "node {id} became {} in term {term}; expected only voters to, and its members are {}",
        words::role(role),
        words::members(&node.configuration)
    );
    Err(Violation::new(Invariant::LeaderIsVoter, &[id], detail))
}

#[cfg(test)]
mod tests {
    use raft::{Body, EntryId};

    use super::super::testing::{Bench, breaks, configuration, message, node};
    use super::*;

    #[test]
    fn leaders_of_different_terms_are_fine() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.elect(2, 2, &[3]).unwrap();
    }

    #[test]
    fn a_second_leader_of_a_term_is_found() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.campaign(3, 1).unwrap();
        breaks(Invariant::ElectionSafety, bench.lead(3));
    }

    #[test]
    fn a_second_election_of_the_same_node_in_a_term_is_found() {
        let mut bench = Bench::new(3);
        bench.campaign_unsynced(1, 1).unwrap();
        bench.vote(2, 1, 1).unwrap();
        bench.vote(3, 1, 1).unwrap();
        bench.lead(1).unwrap();
        bench.checkers.crashed(node(1));
        bench.start(1, EntryId::ZERO, &[], raft::HardState::default()).unwrap();
        bench.campaign(1, 1).unwrap();
        breaks(Invariant::ElectionSafety, bench.lead(1));
    }

    #[test]
    fn a_leader_without_a_quorum_of_votes_is_found() {
        let mut bench = Bench::new(4);
        bench.campaign(1, 1).unwrap();
        bench.vote(2, 1, 1).unwrap();
        breaks(Invariant::ElectionSafety, bench.lead(1));
    }

    #[test]
    fn an_own_vote_that_is_not_durable_does_not_count() {
        let mut bench = Bench::new(1);
        bench.campaign_unsynced(1, 1).unwrap();
        breaks(Invariant::ElectionSafety, bench.lead(1));
    }

    #[test]
    fn a_vote_of_an_earlier_term_does_not_count() {
        let mut bench = Bench::new(3);
        bench.campaign(1, 1).unwrap();
        bench.vote(2, 1, 1).unwrap();
        bench.campaign(1, 2).unwrap();
        breaks(Invariant::ElectionSafety, bench.lead(1));
    }

    #[test]
    fn a_quorum_of_the_union_of_a_joint_configuration_is_no_quorum() {
        let mut joint = configuration(&[1, 2, 3]);
        joint.voters_outgoing = [1, 4, 5].into_iter().map(node).collect();
        let mut bench = Bench::with(&[1, 2, 3, 4, 5], &joint);
        breaks(Invariant::ElectionSafety, bench.elect(1, 1, &[2, 3]));
        let mut bench = Bench::with(&[1, 2, 3, 4, 5], &joint);
        bench.elect(1, 1, &[2, 4]).unwrap();
    }

    #[test]
    fn a_learner_that_campaigns_is_found() {
        let mut bench = Bench::with(&[1, 2, 3, 4], &configuration(&[1, 2, 3]));
        breaks(Invariant::LeaderIsVoter, bench.campaign(4, 1));
    }

    #[test]
    fn an_append_of_somebody_elses_term_is_found() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        let append = |from| {
            message(from, 3, 1, Body::Append { previous: EntryId::ZERO, entries: vec![], commit: raft::Index::ZERO })
        };
        bench.checkers.sent(&append(1)).unwrap();
        breaks(Invariant::ElectionSafety, bench.checkers.sent(&append(2)));
    }
}
