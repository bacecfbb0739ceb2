//! Leader completeness: an entry that is committed in a term is in the logs of the leaders of all later terms.
//!
//! ```text
//! e committed in t, n leads in t' > t  ⇒  e ∈ n.log                                      (1)
//! n drops e from its log               ⇒  a different entry takes the place of e         (2)
//! n leads in t                         ⇒  n's log ends with an entry of t                 (3)
//! ```
//!
//! Source: Raft paper, figure 3, "Leader Completeness", and section 5.4.3; `LeaderCompleteness` in `raft.tla` and
//! `etcdraft.tla`. (2) is step 3 of AppendEntries (paper, figure 2): an append that arrives late must not cut off what
//! came after it. The node may have acknowledged what is cut off, and it may be committed for that reason.
//!
//! (3) is section 8 of the paper: without an entry of its own a leader cannot tell what is committed.
//!
//! By Log Matching the newest entry that was committed in a term stands for all before it, so that one look is enough.
//! It is looked at both when a leader is elected and when a leader commits, since a leader of an earlier term may count
//! its last acknowledgements after a later one was elected.

use std::collections::BTreeMap;

use raft::{Entry, EntryId, NodeId, Term};

use super::cluster::{Cluster, Node};
use super::violation::{Check, Invariant, Violation};

/// The newest entry that was committed in each of the newest terms.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct LeaderCompleteness {
    committed: BTreeMap<Term, EntryId>,
}

impl LeaderCompleteness {
    /// How many terms are remembered: far more than a candidate can lag behind and still find voters.
    const TERMS: usize = 256;

    /// A node became leader.
    pub fn elected(&self, cluster: &Cluster, id: NodeId) -> Check {
        let Some(node) = cluster.get(id) else { return Ok(()) };
        match self.committed.range(..node.view.hard_state.term).next_back() {
            Some((&term, &entry)) => holds(cluster, id, term, entry),
            None => Ok(()),
        }
    }

    /// The leader of `term` committed up to `entry`.
    pub fn committed(&mut self, cluster: &Cluster, term: Term, entry: EntryId) -> Check {
        self.committed.insert(term, entry);
        if self.committed.len() > Self::TERMS {
            self.committed.pop_first();
        }
        for (id, node) in cluster.iter() {
            if node.leads().is_some_and(|later| later > term) {
                holds(cluster, id, term, entry)?;
            }
        }
        Ok(())
    }
}

/// A node has handed out what is new of its log.
pub(super) fn begins_with_own_entry(id: NodeId, node: &Node) -> Check {
    match node.leads() {
        Some(term) if node.log.last().term != term => {
            let detail = format!(
                "node {id} leads term {term}, and its log ends at {}; expected it to begin with an entry of its own term",
                node.log.last()
            );
            Err(Violation::new(Invariant::LeaderCompleteness, &[id], detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// A node is about to write entries, which may replace those that it holds.
pub(super) fn writes(id: NodeId, node: &Node, entries: &[Entry]) -> Check {
    match entries.first() {
        Some(first) if node.log.term(first.index) == Some(first.term) => {
            let last = node.log.last();
            let detail = format!(
                "node {id} cut its log, which ends at {last}, at {}, which it held already; expected a cut only where an \
                     entry differs",
                first.id()
            );
            Err(Violation::new(Invariant::LeaderCompleteness, &[id], detail))
        }
        Some(_) | None => Ok(()),
    }
}

fn holds(cluster: &Cluster, leader: NodeId, term: Term, entry: EntryId) -> Check {
    let Some(node) = cluster.get(leader).filter(|node| !node.log.holds(entry)) else { return Ok(()) };
    let leads = node.view.hard_state.term;
    let there = match node.log.term(entry.index) {
        Some(other) => format!("{}", EntryId::new(other, entry.index)),
        None => format!("a log that ends at {}", node.log.last()),
    };
    let detail = format!(
        "node {leader} leads term {leads} and has {there}; expected it to hold {entry}, which was committed in term {term}"
    );
    Err(Violation::new(Invariant::LeaderCompleteness, &[leader], detail))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_leader_that_begins_without_an_entry_of_its_own_is_found() {
        let mut bench = Bench::new(3);
        bench.campaign(1, 1).unwrap();
        bench.vote(2, 1, 1).unwrap();
        bench.lead(1).unwrap();
        let view = bench.view(1, |_| ());
        breaks(Invariant::LeaderCompleteness, bench.checkers.handed_out(node(1), None, &[], &view));
    }

    use super::super::testing::{Bench, breaks, entries, node};
    use super::*;

    fn committed() -> Bench {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &entries(1, 2..=3)).unwrap();
        bench.append(2, &entries(1, 1..=3)).unwrap();
        bench.commit(1, 3).unwrap();
        bench
    }

    #[test]
    fn a_leader_that_holds_what_was_committed_is_fine() {
        committed().elect(2, 2, &[3]).unwrap();
    }

    #[test]
    fn cutting_off_entries_without_a_conflict_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        breaks(Invariant::LeaderCompleteness, bench.append(2, &entries(1, 2..=2)));
    }

    #[test]
    fn a_leader_without_a_committed_entry_is_found() {
        let mut bench = committed();
        // The vote itself is wrong too and would be found first: give it where nobody compares.
        bench.checkers.persisted(node(1), Some(bench.hard_state(2, 3)), None, &[]).unwrap();
        bench.campaign(3, 2).unwrap();
        breaks(Invariant::LeaderCompleteness, bench.lead(3));
    }

    #[test]
    fn a_commit_that_a_later_leader_does_not_hold_is_found() {
        let mut bench = committed();
        bench.elect(2, 2, &[3]).unwrap();
        bench.append(1, &entries(1, 4..=4)).unwrap();
        let mut completeness = bench.checkers.completeness.clone();
        let entry = EntryId::new(Term(1), raft::Index(4));
        breaks(Invariant::LeaderCompleteness, completeness.committed(&bench.checkers.cluster, Term(1), entry));
    }

    #[test]
    fn a_stale_leader_is_not_measured_by_later_terms() {
        let mut bench = Bench::new(5);
        bench.campaign(5, 1).unwrap();
        bench.vote(3, 1, 5).unwrap();
        bench.vote(4, 1, 5).unwrap();
        bench.elect(1, 2, &[2, 3]).unwrap();
        bench.append(2, &entries(2, 1..=1)).unwrap();
        bench.append(3, &entries(2, 1..=1)).unwrap();
        bench.commit(1, 1).unwrap();
        bench.lead(5).unwrap();
    }
}
