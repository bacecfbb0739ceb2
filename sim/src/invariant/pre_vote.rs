//! With pre-vote, a node that asks for votes was first told by a quorum that it would get them.
//!
//! ```text
//! n asks for votes by itself, with pre-vote on  ⇒  { v : v's yes came to n while n was pre-candidate } decided for
//!                                                  n's configuration when n became candidate
//! ```
//!
//! Source: thesis, section 9.6. A part of [`Invariant::ElectionSafety`], since a candidate is elected by the same rule.
//! A node that counts grants from another time, or real votes, raises the term without a quorum and deposes leaders
//! that work. A leader's request to campaign at once overrules pre-votes.
//!
//! A grant that answers an earlier request counts, as it does for etcd's nodes, if its term is not past.

use std::collections::BTreeSet;

use raft::{Body, Message, NodeId, Role, Term};

use super::cluster::Cluster;
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::words;
use crate::few::Few;
use crate::shared::Shared;

/// What each node was told by others. What it tells itself need not be sent.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct PreVotes {
    told: Few<NodeId, Told>,
}

#[derive(Clone, Hash, Debug, Default)]
struct Told {
    /// The nodes that granted it a pre-vote since it became pre-candidate.
    yes: BTreeSet<NodeId>,
    /// The terms in which it became candidate with the grants of a quorum. A host may send the requests of one of them
    /// when the node already campaigns in a later one. Terms before the last one with a request are forgotten.
    won: BTreeSet<Term>,
}

impl PreVotes {
    /// The role or the term of a node has changed.
    pub fn takes_part(all: &mut Shared<Self>, cluster: &Cluster, id: NodeId) {
        let Some(node) = cluster.get(id) else { return };
        let is_known = all.told.contains(id);
        let said_yes = |voter| all.told.get(id).is_some_and(|told| told.yes.contains(&voter));
        match node.view.soft_state.role {
            Role::PreCandidate => all.of(id).yes.clear(),
            Role::Candidate if quorum::decides(&node.configuration, |voter| voter == id || said_yes(voter)) => {
                all.of(id).won.insert(node.view.hard_state.term);
            }
            Role::Follower | Role::Candidate | Role::Leader => {
                if !is_known {
                    all.of(id);
                }
            }
        }
    }

    fn of(&mut self, id: NodeId) -> &mut Told {
        self.told.get_or_default(id)
    }

    /// A message arrives.
    pub fn received(all: &mut Shared<Self>, cluster: &Cluster, message: &Message) {
        if message.body == (Body::PreVoteResponse { granted: true })
            && cluster.get(message.to).is_some_and(|node| node.view.soft_state.role == Role::PreCandidate)
        {
            all.of(message.to).yes.insert(message.from);
        }
    }

    /// A message leaves.
    pub fn sent(all: &mut Shared<Self>, cluster: &Cluster, message: &Message) -> Check {
        let (Body::RequestVote { transfer: false, .. }, Some(term)) = (&message.body, message.term) else {
            return Ok(());
        };
        let id = message.from;
        let asks_first = cluster.get(id).and_then(|node| node.config.as_ref()).is_some_and(|config| config.pre_vote);
        let Some(told) = all.told.get(id).filter(|_| asks_first) else { return Ok(()) };
        if told.won.contains(&term) {
            if told.won.first() != Some(&term) {
                all.of(id).won.retain(|won| *won >= term);
            }
            return Ok(());
        }
        let yes = words::nodes(&told.yes);
        let members = cluster.get(id).map_or(String::new(), |node| words::members(&node.configuration));
        let detail = format!(
            "node {id} asks for votes in term {term} with the pre-votes of {yes}; expected those of a quorum of its members \
             {members}, itself among them"
        );
        Err(Violation::new(Invariant::ElectionSafety, &[id], detail))
    }
}

#[cfg(test)]
mod tests {
    use raft::{ConfState, Config, EntryId, HardState, Index, SoftState};

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

    fn becomes(checkers: &mut Checkers, role: Role, term: u64) {
        let hard_state = HardState { term: Term(term), vote: Some(node(1)), commit: Index::ZERO };
        let view = View { hard_state, soft_state: SoftState { role, leader: None }, ..View::default() };
        checkers.campaign_requested(node(1));
        checkers.observed(node(1), &view).unwrap();
    }

    fn is_told_yes(checkers: &mut Checkers, voter: u64, term: u64) {
        checkers.received(&message(voter, 1, term, Body::PreVoteResponse { granted: true }));
    }

    fn asks(checkers: &mut Checkers, term: u64, transfer: bool) -> Check {
        checkers.sent(&message(1, 2, term, Body::RequestVote { last: EntryId::ZERO, transfer }))
    }

    #[test]
    fn a_candidate_that_a_quorum_encouraged_is_fine() {
        let mut checkers = checkers();
        becomes(&mut checkers, Role::PreCandidate, 0);
        is_told_yes(&mut checkers, 2, 1);
        becomes(&mut checkers, Role::Candidate, 1);
        asks(&mut checkers, 1, false).unwrap();
    }

    #[test]
    fn requests_of_one_campaign_may_leave_in_the_next() {
        let mut checkers = checkers();
        for term in [1, 2] {
            becomes(&mut checkers, Role::PreCandidate, term - 1);
            is_told_yes(&mut checkers, 2, term);
            becomes(&mut checkers, Role::Candidate, term);
        }
        asks(&mut checkers, 1, false).unwrap();
        asks(&mut checkers, 2, false).unwrap();
        breaks(Invariant::ElectionSafety, asks(&mut checkers, 1, false));
    }

    #[test]
    fn a_candidate_that_counts_what_it_was_told_before_is_found() {
        let mut checkers = checkers();
        becomes(&mut checkers, Role::PreCandidate, 0);
        is_told_yes(&mut checkers, 2, 1);
        becomes(&mut checkers, Role::Candidate, 1);
        becomes(&mut checkers, Role::PreCandidate, 1);
        becomes(&mut checkers, Role::Candidate, 2);
        breaks(Invariant::ElectionSafety, asks(&mut checkers, 2, false));
    }

    #[test]
    fn a_candidate_that_asks_nobody_first_is_found_unless_the_leader_told_it_to() {
        let mut checkers = checkers();
        becomes(&mut checkers, Role::Candidate, 1);
        asks(&mut checkers, 1, true).unwrap();
        breaks(Invariant::ElectionSafety, asks(&mut checkers, 1, false));
    }
}
