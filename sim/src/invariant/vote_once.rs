//! A vote once per term, for a candidate that is at least as up to date.
//!
//! ```text
//! v gave its vote in t to c, and in t to d  ⇒  c = d, whatever restarts lie between,          (1)
//!                                               unless v lost its disk between the two
//! v's disk gives back a term and a vote       ⇒  v begins with them                              (2)
//! v votes in t for c  ⇒  last(c's log when it campaigned in t) ≥ last(v's log), by term and index  (3)
//! ```
//!
//! (3) is the restriction on which leader completeness rests, and reports [`Invariant::LeaderCompleteness`].
//!
//! Source: Raft paper, figure 2, "RequestVote RPC", and sections 5.2 and 5.4.1; `votedFor` in `raft.tla`.
//!
//! A vote is given when it is durable or when it is sent, whichever is first. That a vote is durable before it is sent
//! is checked by [`durability`](super::durability).
//!
//! A disk that is lost takes its node's votes with it. The node may give another in the same term, to itself for instance when it
//! campaigns in a term that all others have left. What that leads to is judged by [`election_safety`](super::election_safety).

use std::collections::VecDeque;

use raft::{EntryId, HardState, NodeId, Term};

use super::cluster::Cluster;
use super::input::View;
use super::violation::{Check, Invariant, Violation};
use super::words;
use crate::few::Few;
use crate::shared::Shared;

/// The newest votes of each node, in the order of their terms.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct VoteOnce {
    votes: Few<NodeId, VecDeque<Vote>>,
}

#[derive(Clone, Copy, Hash, Debug)]
struct Vote {
    term: Term,
    candidate: NodeId,
    /// The disk that held it is lost.
    is_lost: bool,
}

impl VoteOnce {
    /// How many votes of each node are remembered.
    const VOTES: usize = 32;

    /// A vote was given.
    pub fn given(all: &mut Shared<Self>, voter: NodeId, term: Term, candidate: NodeId) -> Check {
        let votes = all.votes.get(voter);
        let place = votes.map_or(0, |votes| votes.partition_point(|vote| vote.term < term));
        let mut in_term = votes.into_iter().flat_map(|votes| votes.range(place..)).take_while(|vote| vote.term == term);
        if in_term.clone().any(|vote| vote.candidate == candidate) {
            return Ok(());
        }
        if let Some(Vote { candidate: other, .. }) = in_term.find(|vote| !vote.is_lost) {
            let detail = format!(
                "node {voter} votes for node {candidate} in term {term}; expected no other vote than that for node {other}, \
                 which it gave before"
            );
            return Err(Violation::new(Invariant::VoteOnce, &[voter, *other, candidate], detail));
        }
        let votes = all.votes.get_or_default(voter);
        votes.insert(place, Vote { term, candidate, is_lost: false });
        if votes.len() > Self::VOTES {
            votes.pop_front();
        }
        Ok(())
    }

    /// A node lost its disk, and with it what it knows of its votes.
    pub fn lost(&mut self, voter: NodeId) {
        self.votes.get_or_default(voter).iter_mut().for_each(|vote| vote.is_lost = true);
    }

    /// Whether the voter gave its vote in this term to the candidate, or may have given it so long ago that it is no
    /// longer remembered.
    pub fn may_have_voted(&self, voter: NodeId, term: Term, candidate: NodeId) -> bool {
        let Some(votes) = self.votes.get(voter) else { return false };
        let forgotten = votes.len() == Self::VOTES && votes.front().is_some_and(|oldest| term < oldest.term);
        forgotten || votes.iter().rev().any(|vote| (vote.term, vote.candidate) == (term, candidate))
    }
}

/// A node shows another term or vote than before.
pub(super) fn changed(cluster: &Cluster, id: NodeId, before: &View, now: &View) -> Check {
    let (old, new) = (before.hard_state, now.hard_state);
    if (old.term, old.vote) == (new.term, new.vote) {
        return Ok(());
    }
    if let (true, Some(first)) = (old.term == new.term, old.vote)
        && new.vote != Some(first)
    {
        let detail = format!(
            "node {id} shows {} in term {}; expected the vote for node {first}, which it showed before",
            words::vote(new.vote),
            new.term
        );
        return Err(Violation::new(Invariant::VoteOnce, &[id, first], detail));
    }
    match new.vote {
        Some(candidate) if candidate != id => up_to_date(cluster, id, candidate, now),
        Some(_) | None => Ok(()),
    }
}

/// A node shows its first view after a start. A node that forgot its vote would vote again.
pub(super) fn begins(id: NodeId, back: HardState, shown: HardState) -> Check {
    let forgot_vote = shown.term == back.term && back.vote.is_some() && shown.vote != back.vote;
    if shown.term < back.term || forgot_vote {
        let detail = format!(
            "node {id} begins with {}; expected the term and the vote of {}, which came back from its disk",
            words::hard_state(shown),
            words::hard_state(back)
        );
        return Err(Violation::new(Invariant::VoteOnce, &[id], detail));
    }
    Ok(())
}

fn up_to_date(cluster: &Cluster, voter: NodeId, candidate: NodeId, view: &View) -> Check {
    let term = view.hard_state.term;
    let campaign = cluster.get(candidate).and_then(|node| node.campaign);
    let Some(campaign) = campaign.filter(|campaign| campaign.view.hard_state.term == term) else { return Ok(()) };
    let rank = |id: EntryId| (id.term, id.index);
    // An entry of the candidate's own term came after the vote.
    if view.last.term >= term || rank(view.last) <= rank(campaign.view.last) {
        return Ok(());
    }
    let detail = format!(
        "node {voter}, whose log ends at {}, voted in term {term} for node {candidate}, whose log ends at {}; expected a vote \
         only for a log that is as up to date",
        view.last, campaign.view.last
    );
    Err(Violation::new(Invariant::LeaderCompleteness, &[voter, candidate], detail))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, breaks, entries, node};
    use super::*;

    #[test]
    fn the_same_vote_again_is_fine() {
        let mut bench = Bench::new(3);
        bench.campaign(1, 1).unwrap();
        bench.vote(2, 1, 1).unwrap();
        bench.vote(2, 1, 1).unwrap();
    }

    /// In seed 87036512 a node lost its disk, was told nothing by the leader, which took it for further than it was, and campaigned in
    /// a term in which it had voted for another.
    #[test]
    fn another_vote_in_a_term_is_no_fault_of_a_node_that_lost_its_disk_and_a_third_is() {
        let mut votes = Shared::<VoteOnce>::default();
        VoteOnce::given(&mut votes, node(2), Term(1), node(1)).unwrap();
        votes.lost(node(2));
        VoteOnce::given(&mut votes, node(2), Term(1), node(2)).unwrap();
        assert!([1, 2].iter().all(|id| votes.may_have_voted(node(2), Term(1), node(*id))));
        breaks(Invariant::VoteOnce, VoteOnce::given(&mut votes, node(2), Term(1), node(3)));
    }

    #[test]
    fn a_second_vote_in_a_term_is_found() {
        let mut bench = Bench::new(3);
        bench.campaign(1, 1).unwrap();
        bench.campaign(3, 1).unwrap();
        bench.vote(2, 1, 1).unwrap();
        breaks(Invariant::VoteOnce, bench.vote(2, 1, 3));
    }

    #[test]
    fn a_second_vote_is_found_across_a_restart() {
        let mut votes = Shared::<VoteOnce>::default();
        VoteOnce::given(&mut votes, node(2), Term(4), node(1)).unwrap();
        VoteOnce::given(&mut votes, node(2), Term(5), node(3)).unwrap();
        breaks(Invariant::VoteOnce, VoteOnce::given(&mut votes, node(2), Term(4), node(3)));
    }

    #[test]
    fn a_node_that_forgets_the_term_or_the_vote_on_its_disk_is_found() {
        let back = HardState { term: Term(3), vote: Some(node(1)), ..HardState::default() };
        begins(node(1), back, back).unwrap();
        begins(node(1), back, HardState { term: Term(4), vote: None, ..back }).unwrap();
        for shown in [HardState { term: Term(2), ..back }, HardState { vote: None, ..back }] {
            breaks(Invariant::VoteOnce, begins(node(1), back, shown));
        }
    }

    #[test]
    fn what_is_remembered_of_votes_is_bounded_and_the_forgotten_is_believed() {
        let mut votes = Shared::<VoteOnce>::default();
        for term in 1..=1000 {
            VoteOnce::given(&mut votes, node(1), Term(term), node(2)).unwrap();
        }
        assert_eq!(votes.votes.get(node(1)).unwrap().len(), VoteOnce::VOTES);
        assert!(votes.may_have_voted(node(1), Term(5), node(3)));
        assert!(!votes.may_have_voted(node(1), Term(1000), node(3)));
    }

    #[test]
    fn a_vote_for_a_candidate_that_lags_is_found() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(2, &entries(1, 1..=1)).unwrap();
        bench.campaign(3, 2).unwrap();
        breaks(Invariant::LeaderCompleteness, bench.vote(2, 2, 3));
    }

    #[test]
    fn a_vote_for_a_candidate_of_a_later_term_with_a_shorter_log_is_fine() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &entries(1, 2..=5)).unwrap();
        bench.elect(2, 2, &[3]).unwrap();
        bench.campaign(2, 3).unwrap();
        bench.vote(1, 3, 2).unwrap();
    }
}
