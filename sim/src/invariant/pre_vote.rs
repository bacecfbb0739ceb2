//! With pre-vote, who asks for votes was first told by a quorum that it could get them.
//!
//! ```text
//! n asks for votes in t, by itself, with pre-vote on  ⇒  when n became candidate of t, { v : v said to n that it
//!                                                         would vote for it in t } decided for n's configuration
//! ```
//!
//! Source: thesis, section 9.6. A part of [`Invariant::ElectionSafety`]: by the same rule, for the term that is asked
//! about, a candidate is elected. A node that counts grants of another term, or of votes proper, raises the term without
//! a quorum and deposes leaders that work. A leader's request to campaign at once overrules pre-votes.

use std::collections::{BTreeMap, BTreeSet};

use raft::{Body, Message, NodeId, Role, Term};

use super::cluster::Cluster;
use super::quorum;
use super::violation::{Check, Invariant, Violation};

/// What each node was last told by others that it would get; what it tells itself need not be sent.
#[derive(Clone, Debug, Default)]
pub(super) struct PreVotes {
    told: BTreeMap<NodeId, Told>,
}

/// The newest term that a node asked about.
#[derive(Clone, Debug, Default)]
struct Told {
    term: Term,
    yes: BTreeSet<NodeId>,
    /// The newest term in which it became candidate after a quorum had said yes.
    won: Option<Term>,
}

impl PreVotes {
    /// A node plays another part, or in another term.
    pub fn takes_part(&mut self, cluster: &Cluster, id: NodeId) {
        let Some(node) = cluster.get(id).filter(|node| node.view.soft_state.role == Role::Candidate) else { return };
        let told = self.told.entry(id).or_default();
        let term = node.view.hard_state.term;
        if told.term < term {
            (told.term, told.yes) = (term, BTreeSet::new());
        }
        if told.term == term && quorum::decides(&node.configuration, |voter| voter == id || told.yes.contains(&voter)) {
            told.won = Some(term);
        }
    }

    /// A message leaves.
    pub fn sent(&mut self, cluster: &Cluster, message: &Message) -> Check {
        match (&message.body, message.term) {
            (Body::PreVoteResponse { granted: true }, Some(term)) => {
                let told = self.told.entry(message.to).or_default();
                if term > told.term {
                    (told.term, told.yes) = (term, BTreeSet::new());
                }
                if term == told.term {
                    told.yes.insert(message.from);
                }
                Ok(())
            }
            (Body::RequestVote { transfer: false, .. }, Some(term)) => self.asks_for_votes(cluster, message.from, term),
            _ => Ok(()),
        }
    }

    fn asks_for_votes(&self, cluster: &Cluster, id: NodeId, term: Term) -> Check {
        let asks_first = cluster.get(id).and_then(|node| node.config.as_ref()).is_some_and(|config| config.pre_vote);
        let told = self.told.get(&id);
        if !asks_first || told.is_some_and(|told| told.won == Some(term)) {
            return Ok(());
        }
        let yes = told.filter(|told| told.term == term).map(|told| told.yes.clone()).unwrap_or_default();
        let yes: Vec<String> = yes.iter().map(NodeId::to_string).collect();
        let detail =
            format!("node {id} asks for votes in term {term} with the pre-votes of [{}], no quorum", yes.join(" "));
        Err(Violation::new(Invariant::ElectionSafety, &[id], detail))
    }
}

#[cfg(test)]
mod tests {
    use raft::{ConfState, Config, EntryId, HardState, Index};

    use super::super::testing::{breaks, configuration, message, node};
    use super::super::{Checkers, Recovered, View};
    use super::*;

    /// Three voters, with pre-vote on.
    fn checkers() -> Checkers {
        let mut checkers = Checkers::new();
        let configuration: ConfState = configuration(&[1, 2, 3]);
        for id in (1..=3).map(node) {
            let (hard_state, applied) = (HardState::default(), Index::ZERO);
            let (compacted, snapshot) = (EntryId::ZERO, EntryId::ZERO);
            let recovered =
                Recovered { hard_state, compacted, entries: &[], snapshot, applied, configuration: &configuration };
            let config = Config { pre_vote: true, ..Config::new(id) };
            checkers.started(id, &config, &recovered, &View::default()).unwrap();
        }
        checkers
    }

    fn grants(checkers: &mut Checkers, voter: u64, term: u64) {
        checkers.sent(&message(voter, 1, term, Body::PreVoteResponse { granted: true })).unwrap();
    }

    fn asks(checkers: &mut Checkers, term: u64, transfer: bool) -> Check {
        let mut view = View::default();
        view.hard_state = HardState { term: Term(term), vote: Some(node(1)), commit: Index::ZERO };
        view.soft_state.role = Role::Candidate;
        checkers.observed(node(1), &view).unwrap();
        checkers.sent(&message(1, 2, term, Body::RequestVote { last: EntryId::ZERO, transfer }))
    }

    #[test]
    fn a_candidate_that_a_quorum_encouraged_is_fine() {
        let mut checkers = checkers();
        grants(&mut checkers, 2, 1);
        asks(&mut checkers, 1, false).unwrap();
    }

    #[test]
    fn a_candidate_that_counts_pre_votes_of_another_term_is_found() {
        let mut checkers = checkers();
        grants(&mut checkers, 2, 1);
        breaks(Invariant::ElectionSafety, asks(&mut checkers, 2, false));
    }

    #[test]
    fn a_candidate_that_asks_nobody_first_is_found_unless_the_leader_told_it_to() {
        breaks(Invariant::ElectionSafety, asks(&mut checkers(), 1, false));
        asks(&mut checkers(), 1, true).unwrap();
    }
}
