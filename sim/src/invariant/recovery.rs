//! What was durable survives a restart, nothing comes back that was never written, and a log forgets only what a durable
//! snapshot covers.
//!
//! ```text
//! n restarts                ⇒  n and its disk still know term, vote, log and snapshot      (1)
//! n restarts                ⇒  each entry of its log says what it said when it was created (2)
//! n's log forgets up to i   ⇒  n's disk holds a snapshot that covers i                     (3)
//! ```
//!
//! For a disk that is lost, (1) is about the one that took its place. (2) is about more than what was durable: a write that a crash
//! tore may come back whole or not at all, and not as something else. That the entries also belong together is checked by
//! [`log_matching`](super::log_matching).
//!
//! Source: Raft paper, figure 2 and section 5.6; thesis, section 3.8 and, for snapshots, 5.1; the contract of
//! [`raft::Ready`]. A part of [`Invariant::DurableBeforeSend`]: a promise that does not survive was not durable.

use raft::{Entry, EntryId, HardState, Index, NodeId};

use super::cluster::{Cluster, Node};
use super::input::Recovered;
use super::log_matching::LogMatching;
use super::violation::{Check, Invariant, Violation};
use super::words;

/// A node is about to start again with what its disk gave back.
pub(super) fn recovers(cluster: &Cluster, id: NodeId, recovered: &Recovered<'_>) -> Check {
    let Some(node) = cluster.get(id) else { return Ok(()) };
    let (kept, back) = (node.durable.hard_state, recovered.hard_state);
    let forgot_vote = back.term == kept.term && kept.vote.is_some() && back.vote != kept.vote;
    if back.term < kept.term || forgot_vote {
        return Err(lost(
            id,
            format!(
                "{} came back from the disk; expected {}, which was durable",
                words::hard_state(back),
                words::hard_state(kept)
            ),
        ));
    }
    if recovered.snapshot.index < node.durable.snapshot.index {
        let (kept, back) = (node.durable.snapshot, recovered.snapshot);
        return Err(lost(
            id,
            format!(
                "a snapshot up to {back} came back from the disk; expected the one up to {kept}, which was durable"
            ),
        ));
    }
    if recovered.compacted.index > recovered.snapshot.index.max(recovered.applied) {
        let (from, snapshot) = (recovered.compacted, recovered.snapshot);
        return Err(lost(
            id,
            format!(
                "the log that came back from the disk begins after {from}; expected it to begin within the snapshot, which ends at \
             {snapshot}"
            ),
        ));
    }
    recovers_log(id, node, recovered)
}

fn recovers_log(id: NodeId, node: &Node, recovered: &Recovered<'_>) -> Check {
    // Writes that were under way may have replaced what is above, and may or may not have reached the disk.
    let replaced = node.rewrites.iter().min().map_or(Index::MAX, |lowest| lowest.previous());
    let index = node.durable.log.last().index.min(replaced);
    let Some(term) = node.durable.log.term(index).filter(|_| index > recovered.compacted.index) else { return Ok(()) };
    let offset = index.since(recovered.compacted.index.next()) as usize;
    match recovered.entries.get(offset) {
        Some(entry) if entry.id() == EntryId::new(term, index) => Ok(()),
        Some(other) => {
            Err(lost(id, format!("{} came back from the disk; expected {term}/{index}, which was durable", other.id())))
        }
        None => {
            let last = recovered.entries.last().map_or(recovered.compacted, |entry| entry.id());
            Err(lost(
                id,
                format!(
                    "the log that came back from the disk ends at {last}; expected {term}/{index} in it, which was durable"
                ),
            ))
        }
    }
}

/// A node is about to start again with entries that its disk gave back. Each that was ever written had been created before.
pub(super) fn gives_back_what_was_written(id: NodeId, matching: &LogMatching, entries: &[Entry]) -> Check {
    for entry in entries.iter().filter(|entry| matching.remembers(entry.index)) {
        let created = matching.content(entry.term, entry.index);
        if created.is_some_and(|content| content.is_of(entry)) {
            continue;
        }
        let found = words::content(entry.kind, &entry.data);
        let expected = match created {
            Some(content) => format!("{content}, as it was written"),
            None => "nothing that was never written".to_owned(),
        };
        return Err(lost(id, format!("{} came back from the disk as {found}; expected {expected}", entry.id())));
    }
    Ok(())
}

/// A node shows its first view after a start. [`vote_once`](super::vote_once) checks its term and vote.
pub(super) fn begins(id: NodeId, back: HardState, shown: HardState) -> Check {
    if shown.commit < back.commit {
        return Err(lost(
            id,
            format!(
                "begins with {}; expected {}, which came back from its disk",
                words::hard_state(shown),
                words::hard_state(back)
            ),
        ));
    }
    Ok(())
}

/// A node's log is about to forget its entries up to `through`.
pub(super) fn compacts(cluster: &Cluster, id: NodeId, through: Index) -> Check {
    match cluster.get(id).filter(|node| node.durable.snapshot.index < through) {
        Some(node) => {
            let snapshot = node.durable.snapshot;
            Err(lost(
                id,
                format!(
                    "the log forgot up to {through}; expected no further than the durable snapshot, which ends at {snapshot}"
                ),
            ))
        }
        None => Ok(()),
    }
}

fn lost(id: NodeId, what: String) -> Violation {
    Violation::new(Invariant::DurableBeforeSend, &[id], format!("node {id}: {what}"))
}

#[cfg(test)]
mod tests {
    use raft::{Entry, Term};

    use super::super::testing::{Bench, breaks, entries, entry, node};
    use super::*;

    fn restart(bench: &mut Bench, back: &[Entry], hard_state: HardState) -> Check {
        bench.checkers.crashed(node(2));
        bench.start(2, EntryId::ZERO, back, hard_state)
    }

    #[test]
    fn a_restart_with_what_was_durable_or_more_is_fine() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=2)).unwrap();
        bench.append_unsynced(2, &entries(1, 3..=4)).unwrap();
        let hard_state = bench.hard_state(1, 1);
        restart(&mut bench, &entries(1, 1..=3), hard_state).unwrap();
        restart(&mut bench, &entries(1, 1..=3), hard_state).unwrap();
    }

    #[test]
    fn a_term_or_a_vote_that_is_lost_in_a_restart_is_found() {
        for back in [HardState::default(), HardState { term: Term(1), ..HardState::default() }] {
            let mut bench = Bench::led();
            breaks(Invariant::DurableBeforeSend, restart(&mut bench, &[], back));
        }
    }

    #[test]
    fn a_node_that_ignores_what_came_back_from_its_disk_is_found() {
        let back = HardState { term: Term(3), vote: Some(node(1)), commit: Index(2) };
        begins(node(1), back, back).unwrap();
        breaks(Invariant::DurableBeforeSend, begins(node(1), back, HardState { commit: Index(1), ..back }));
    }

    #[test]
    fn an_entry_that_is_lost_in_a_restart_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=2)).unwrap();
        let hard_state = bench.hard_state(1, 1);
        breaks(Invariant::DurableBeforeSend, restart(&mut bench, &entries(1, 1..=1), hard_state));
    }

    #[test]
    fn a_torn_entry_that_comes_back_as_something_else_is_found() {
        let never_created = [entry(1, 5), entry(2, 3)];
        let torn = Entry { data: "1/".into(), ..entry(1, 3) };
        for torn in never_created.into_iter().chain([torn]) {
            let mut bench = Bench::led();
            bench.append(2, &entries(1, 1..=2)).unwrap();
            bench.append_unsynced(2, &entries(1, 3..=3)).unwrap();
            let hard_state = bench.hard_state(1, 1);
            let log = [entries(1, 1..=2), vec![torn]].concat();
            breaks(Invariant::DurableBeforeSend, restart(&mut bench, &log, hard_state));
        }
    }

    #[test]
    fn what_was_durable_comes_back_as_it_was_written() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=2)).unwrap();
        let hard_state = bench.hard_state(1, 1);
        let other = Entry { data: "other".into(), ..entry(1, 2) };
        breaks(Invariant::DurableBeforeSend, restart(&mut bench, &[entry(1, 1), other], hard_state));
    }

    #[test]
    fn a_tail_that_was_being_replaced_may_come_back_old_or_new() {
        for new in [false, true] {
            let mut bench = Bench::led();
            bench.elect(2, 2, &[3]).unwrap();
            bench.append_unsynced(1, &[entry(2, 1)]).unwrap();
            bench.checkers.crashed(node(1));
            let back = if new { entries(2, 1..=1) } else { entries(1, 1..=4) };
            let hard_state = bench.hard_state(1, 1);
            bench.start(1, EntryId::ZERO, &back, hard_state).unwrap();
        }
    }

    #[test]
    fn a_log_that_forgets_before_the_snapshot_is_durable_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.commit(1, 3).unwrap();
        let snapshot = bench.snapshot(3);
        bench.checkers.snapshot_taken(node(1), &snapshot).unwrap();
        breaks(Invariant::DurableBeforeSend, bench.checkers.compacted(node(1), Index(3)));
        bench.checkers.snapshot_persisted(node(1), snapshot.id);
        bench.checkers.compacted(node(1), Index(3)).unwrap();
        bench.checkers.crashed(node(1));
        let hard_state = bench.hard_state(1, 1);
        breaks(Invariant::DurableBeforeSend, bench.start(1, EntryId::ZERO, &entries(1, 1..=4), hard_state));
    }
}
