//! State-machine safety: no two nodes commit or apply different entries at the same index.
//!
//! ```text
//! n committed i, m committed i             ⇒  n.log[i] = m.log[i]
//! n committed i, and its log changes       ⇒  n.log[i] stays
//! n, not leading, knows i as committed     ⇒  a leader committed i
//! n applies e at i, m applies f at i       ⇒  e = f;  each node applies in order, without a gap, once
//! n's and m's applications are both at i   ⇒  their states are equal
//! n counts i as applied                    ⇒  n's application has applied i
//! ```
//!
//! Source: Raft paper, figure 3, "State Machine Safety", and section 5.4.3; `CommittedLog` and
//! `QuorumLogInv`/`LogInv` in `etcdraft.tla`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use raft::{Entry, EntryId, Index, NodeId, Role, Snapshot, Term};

use super::cluster::{Cluster, Node};
use super::log_matching::LogMatching;
use super::log_shape::LogShape;
use super::violation::{Check, Invariant, Violation};
use super::words;
use crate::shared::Shared;
use crate::slots::slot;

/// The one sequence of committed entries, and the newest states that applying it led to.
#[derive(Clone, Debug, Default)]
pub(super) struct StateMachineSafety {
    committed: LogShape,
    /// The state's hash after an index, at the position of the index modulo the number of positions, as far as there were any.
    states: Arc<Vec<(Index, u64)>>,
}

/// Positions that hold nothing are left out.
impl Hash for StateMachineSafety {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { committed, states } = self;
        committed.hash(state);
        states.iter().filter(|(index, _)| *index > Index::ZERO).for_each(|known| known.hash(state));
        Index::ZERO.hash(state);
    }
}

impl StateMachineSafety {
    /// For how many indexes states are remembered. A node that lags further is compared once it has caught up.
    const STATES: usize = 256;

    /// The newest entry that any leader committed.
    pub fn newest(&self) -> EntryId {
        self.committed.last()
    }

    /// The term of the committed entry at `index`, where it is remembered.
    pub fn term(&self, index: Index) -> Option<Term> {
        self.committed.term(index)
    }

    /// A node starts with a log of which `compacted` is forgotten.
    pub fn started(&mut self, id: NodeId, compacted: EntryId) -> Check {
        if self.committed == LogShape::default() {
            self.committed = LogShape::starting_after(compacted);
        }
        self.covers(id, compacted)
    }

    /// The commit index of a node has risen, and its log up to there is known.
    pub fn commits(all: &mut Shared<Self>, id: NodeId, node: &Node) -> Check {
        let (checked, commit) = (node.checked, node.view.hard_state.commit);
        let known = all.committed.last().index;
        if let Some((index, ours, theirs)) = node.log.first_difference(&all.committed, checked, commit) {
            return Err(broken(id, format!("committed {ours}/{index}; expected {theirs}/{index}, which is committed")));
        }
        if commit > node.log.last().index {
            return Err(broken(
                id,
                format!(
                    "committed up to {commit}; expected no more than its log holds, which ends at {}",
                    node.log.last()
                ),
            ));
        }
        if commit <= known {
            return Ok(());
        }
        if node.view.soft_state.role != Role::Leader && commit > node.bootstrapped {
            return Err(broken(
                id,
                format!(
                    "takes what is up to {commit} for committed; expected no more than up to {known}, which leaders have committed"
                ),
            ));
        }
        let mut index = known.next();
        while let Some(term) = node.log.term(index).filter(|_| index <= commit) {
            all.committed.push(term);
            index = index.next();
        }
        Ok(())
    }

    /// A node applies an entry.
    pub fn applies(&self, id: NodeId, node: &Node, matching: &LogMatching, entry: &Entry) -> Check {
        let (index, applied) = (entry.index, node.applied);
        if index != applied.next() {
            return Err(broken(
                id,
                format!("applied {} right after {applied}; expected the entry at {}", entry.id(), applied.next()),
            ));
        }
        if index > node.view.hard_state.commit || index > self.committed.last().index {
            let commit = node.view.hard_state.commit;
            return Err(broken(
                id,
                format!("applied {}; expected no more than up to {commit}, which is committed", entry.id()),
            ));
        }
        if let Some(term) = self.committed.term(index).filter(|&term| term != entry.term) {
            return Err(broken(id, format!("applied {}; expected {term}/{index}, which is committed", entry.id())));
        }
        match matching.content(entry.term, index).filter(|known| !known.is_of(entry)) {
            Some(known) => {
                let found = words::content(entry.kind, &entry.data);
                Err(broken(id, format!("applied {} as {found}; expected {known}, as it was created", entry.id())))
            }
            None => Ok(()),
        }
    }

    /// A snapshot, taken or received, stands for entries that are committed.
    pub fn snapshot(&self, id: NodeId, snapshot: &Snapshot) -> Check {
        self.covers(id, snapshot.id)
    }

    /// A node's application is in this state after `index`.
    pub fn state(all: &mut Shared<Self>, id: NodeId, index: Index, hash: u64) -> Check {
        let place = index.0 as usize % Self::STATES;
        match all.states.get(place).copied().unwrap_or_default() {
            (known, expected) if known == index && expected != hash && index > Index::ZERO => {
                Err(broken(id, format!("is in another state than others were after {index}; expected the same")))
            }
            (known, _) if known > index => Ok(()),
            known if known == (index, hash) => Ok(()),
            _ => {
                *slot(Arc::make_mut(&mut all.states), place as u64) = (index, hash);
                Ok(())
            }
        }
    }

    /// Forgets what lies before `floor`.
    pub fn forget(&mut self, floor: Index) {
        self.committed.compact(floor);
    }

    fn covers(&self, id: NodeId, last: EntryId) -> Check {
        let newest = self.committed.last();
        if last.index == Index::ZERO {
            return Ok(());
        }
        if last.index > newest.index {
            return Err(broken(
                id,
                format!("has a snapshot up to {last}; expected no more than up to {newest}, which is committed"),
            ));
        }
        match self.committed.term(last.index).filter(|&term| term != last.term) {
            Some(term) => Err(broken(
                id,
                format!("has a snapshot up to {last}; expected {term}/{}, which is committed", last.index),
            )),
            None => Ok(()),
        }
    }
}

/// A node is about to write entries.
pub(super) fn writes(id: NodeId, node: &Node, entries: &[Entry]) -> Check {
    match entries.first().filter(|first| first.index <= node.checked) {
        Some(first) => Err(broken(
            id,
            format!(
                "rewrote its log from {} on; expected it to keep what it knows to be committed, up to {}",
                first.id(),
                node.checked
            ),
        )),
        None => Ok(()),
    }
}

/// Checks that the application of a node has applied what the node counts as applied.
pub(super) fn counts_as_applied(cluster: &Cluster, id: NodeId) -> Check {
    match cluster.get(id).filter(|node| node.view.applied > node.applied) {
        Some(node) => {
            let detail = format!(
                "counts up to {} as applied; expected no more than its application has applied, up to {}",
                node.view.applied, node.applied
            );
            Err(broken(id, detail))
        }
        None => Ok(()),
    }
}

fn broken(id: NodeId, what: String) -> Violation {
    Violation::new(Invariant::StateMachineSafety, &[id], format!("node {id} {what}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use raft::{HardState, SoftState};

    use super::super::testing::{Bench, breaks, entries, entry, node};
    use super::*;

    fn committed() -> Bench {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &entries(1, 2..=4)).unwrap();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.commit(1, 3).unwrap();
        bench
    }

    #[test]
    fn followers_that_commit_what_the_leader_committed_are_fine() {
        let mut bench = committed();
        bench.commit(2, 3).unwrap();
        for index in 1..=3 {
            bench.checkers.applied(node(2), &entry(1, index)).unwrap();
        }
        bench.checkers.state(node(2), Index(3), 77).unwrap();
        bench.checkers.state(node(1), Index(3), 77).unwrap();
    }

    #[test]
    fn a_follower_that_commits_beyond_every_leader_is_found() {
        breaks(Invariant::StateMachineSafety, committed().commit(2, 4));
    }

    #[test]
    fn a_follower_that_commits_its_divergent_tail_is_found() {
        let mut bench = Bench::new(3);
        bench.elect(3, 1, &[1]).unwrap();
        bench.append(3, &entries(1, 2..=3)).unwrap();
        bench.elect(1, 2, &[2]).unwrap();
        bench.append(1, &entries(2, 2..=3)).unwrap();
        bench.append(2, &entries(2, 1..=3)).unwrap();
        bench.commit(1, 3).unwrap();
        let heartbeat = bench.view(3, |view| {
            view.hard_state = HardState { term: Term(2), vote: None, commit: Index(3) };
            view.soft_state = SoftState::default();
        });
        breaks(Invariant::StateMachineSafety, bench.checkers.observed(node(3), &heartbeat));
    }

    #[test]
    fn a_commit_beyond_the_end_of_the_log_is_found() {
        let mut bench = committed();
        breaks(Invariant::StateMachineSafety, bench.commit(3, 2));
    }

    #[test]
    fn a_committed_entry_that_is_rewritten_is_found() {
        let mut bench = committed();
        bench.commit(2, 3).unwrap();
        bench.elect(3, 2, &[]).unwrap_err();
        breaks(Invariant::StateMachineSafety, bench.append(2, &[entry(2, 3)]));
    }

    #[test]
    fn applying_twice_or_with_a_gap_is_found() {
        let mut bench = committed();
        bench.checkers.applied(node(1), &entry(1, 1)).unwrap();
        breaks(Invariant::StateMachineSafety, bench.checkers.applied(node(1), &entry(1, 1)));
        breaks(Invariant::StateMachineSafety, bench.checkers.applied(node(1), &entry(1, 3)));
    }

    #[test]
    fn applying_what_is_not_committed_is_found() {
        let mut bench = committed();
        (1..=3).for_each(|index| bench.checkers.applied(node(1), &entry(1, index)).unwrap());
        breaks(Invariant::StateMachineSafety, bench.checkers.applied(node(1), &entry(1, 4)));
    }

    #[test]
    fn applying_another_content_is_found() {
        let mut bench = committed();
        let other = Entry { data: Bytes::from_static(b"other"), ..entry(1, 1) };
        breaks(Invariant::StateMachineSafety, bench.checkers.applied(node(1), &other));
        let other = Entry { term: Term(0), ..entry(1, 1) };
        breaks(Invariant::StateMachineSafety, bench.checkers.applied(node(1), &other));
    }

    #[test]
    fn counting_as_applied_what_was_not_handed_out_is_found() {
        let mut bench = committed();
        bench.checkers.applied(node(1), &entry(1, 1)).unwrap();
        let view = bench.view(1, |view| view.applied = Index(1));
        bench.checkers.observed(node(1), &view).unwrap();
        let view = bench.view(1, |view| view.applied = Index(3));
        breaks(Invariant::StateMachineSafety, bench.checkers.observed(node(1), &view));
    }

    #[test]
    fn applications_in_different_states_are_found() {
        let mut bench = committed();
        bench.checkers.state(node(1), Index(3), 77).unwrap();
        breaks(Invariant::StateMachineSafety, bench.checkers.state(node(2), Index(3), 78));
    }

    #[test]
    fn a_snapshot_of_what_is_not_committed_is_found() {
        let mut bench = committed();
        bench.checkers.snapshot_taken(node(1), &bench.snapshot(3)).unwrap();
        breaks(Invariant::StateMachineSafety, bench.checkers.snapshot_taken(node(1), &bench.snapshot(4)));
        let mut other = bench.snapshot(3);
        other.id.term = Term(0);
        breaks(Invariant::StateMachineSafety, bench.checkers.snapshot_taken(node(1), &other));
    }
}
