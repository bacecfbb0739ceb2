//! What never goes back: term, commit and applied index of a running node, and what a leader knows its followers hold.
//!
//! ```text
//! n runs before and after                     ⇒  term, commit and applied do not fall
//! always                                          applied ≤ commit
//! n leads t and counts m before and after     ⇒  matched does not fall, unless n's configuration changed
//! ```
//!
//! Source: Raft paper, figure 2 (`currentTerm`, `commitIndex`, `lastApplied` and `matchIndex` "increase monotonically");
//! `MonotonicTermInv`, `MonotonicCommitIndexInv` and `MonotonicMatchIndexProp` of the TLA+ specifications of etcd and CCF.
//!
//! Over a restart, [`recovery`](super::recovery) checks the term; commit and applied may start lower, and what is then
//! committed and applied again is compared with what was.

use raft::{Index, NodeId, Term};

use super::input::View;
use super::violation::{Check, Invariant, Violation};
use crate::few::Few;
use crate::shared::Shared;

/// The view of a node has changed.
pub(super) fn changed(id: NodeId, before: &View, now: &View) -> Check {
    let (old, new) = (before.hard_state, now.hard_state);
    let fell = |what: &str, from: u64, to: u64| {
        Err(Violation::new(
            Invariant::Monotonic,
            &[id],
            format!("node {id}: {what} fell from {from} to {to}; expected it never to fall"),
        ))
    };
    if new.term < old.term {
        return fell("its term", old.term.0, new.term.0);
    }
    if new.commit < old.commit {
        return fell("its commit index", old.commit.0, new.commit.0);
    }
    if now.applied < before.applied {
        return fell("its applied index", before.applied.0, now.applied.0);
    }
    if now.applied > new.commit {
        let detail = format!(
            "node {id} counts up to {} as applied; expected no more than up to {}, which it knows to be committed",
            now.applied, new.commit
        );
        return Err(Violation::new(Invariant::Monotonic, &[id], detail));
    }
    Ok(())
}

/// What each leader last counted its followers to hold.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Matched {
    known: Few<(NodeId, NodeId), (Term, Index)>,
}

impl Matched {
    /// The leader of `term` counts `peer` up to `matched`.
    pub fn counts(all: &mut Shared<Self>, leader: NodeId, term: Term, peer: NodeId, matched: Index) -> Check {
        let known = all.known.get((leader, peer)).copied();
        if let Some((_, from)) = known.filter(|(of, from)| *of == term && matched < *from) {
            let detail = format!(
                "node {leader} leads term {term} and counts node {peer} up to {matched}; expected {from} or more, which it \
                 acknowledged before"
            );
            return Err(Violation::new(Invariant::Monotonic, &[leader, peer], detail));
        }
        if known != Some((term, matched)) {
            all.known.insert((leader, peer), (term, matched));
        }
        Ok(())
    }

    /// The index up to which the leader of `term` last counted `peer`.
    pub fn of(&self, leader: NodeId, term: Term, peer: NodeId) -> Index {
        let known = self.known.get((leader, peer)).filter(|(of, _)| *of == term);
        known.map_or(Index::ZERO, |(_, matched)| *matched)
    }

    /// The leader crashed, or its configuration changed: a change can remove a member and add it again in one step, and
    /// then it starts over.
    pub fn forget(&mut self, leader: NodeId) {
        self.known.retain(|(id, _), _| id != leader);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, breaks, entries, node};
    use super::*;

    fn committed() -> Bench {
        let mut bench = Bench::new(1);
        bench.elect(1, 5, &[]).unwrap();
        bench.append(1, &entries(5, 2..=4)).unwrap();
        bench.commit(1, 4).unwrap();
        bench
    }

    #[test]
    fn what_rises_is_fine() {
        let before = View { applied: Index(1), ..committed().view(1, |_| ()) };
        let now = View { applied: Index(2), ..before };
        changed(node(1), &before, &now).unwrap();
    }

    #[test]
    fn a_term_a_commit_or_an_applied_index_that_falls_is_found() {
        for fall in [
            (|view| view.hard_state.term = Term(4)) as fn(&mut View),
            |view| view.hard_state.commit = Index(3),
            |view| view.applied = Index(0),
        ] {
            let mut bench = committed();
            let mut view = bench.view(1, |view| view.applied = Index(1));
            bench.checkers.applied(node(1), &entries(5, 1..=1)[0]).unwrap();
            bench.checkers.observed(node(1), &view).unwrap();
            fall(&mut view);
            breaks(Invariant::Monotonic, bench.checkers.observed(node(1), &view));
        }
    }

    #[test]
    fn applying_more_than_is_committed_is_found() {
        let mut bench = committed();
        let view = bench.view(1, |view| view.applied = Index(9));
        breaks(Invariant::Monotonic, bench.checkers.observed(node(1), &view));
    }

    #[test]
    fn a_match_that_falls_within_a_leadership_is_found() {
        let mut matched = Shared::<Matched>::default();
        Matched::counts(&mut matched, node(1), Term(1), node(2), Index(7)).unwrap();
        Matched::counts(&mut matched, node(1), Term(2), node(2), Index(3)).unwrap();
        Matched::counts(&mut matched, node(1), Term(2), node(2), Index(4)).unwrap();
        breaks(Invariant::Monotonic, Matched::counts(&mut matched, node(1), Term(2), node(2), Index(3)));
    }

    #[test]
    fn a_member_that_comes_back_starts_over() {
        let mut matched = Shared::<Matched>::default();
        Matched::counts(&mut matched, node(1), Term(1), node(2), Index(7)).unwrap();
        Matched::counts(&mut matched, node(3), Term(1), node(2), Index(7)).unwrap();
        matched.forget(node(1));
        Matched::counts(&mut matched, node(1), Term(1), node(2), Index(0)).unwrap();
        breaks(Invariant::Monotonic, Matched::counts(&mut matched, node(3), Term(1), node(2), Index(0)));
    }
}
