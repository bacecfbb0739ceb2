//! A node's log is what it handed out to be written, whatever it shows or sends.
//!
//! ```text
//! n writes entries              ⇒  they follow n's log without a gap, or replace what differs from them    (1)
//! n shows a log, or a term at i ⇒  it is that of the log that n handed out                               (2)
//! l leads and sends an append   ⇒  it is a part of l's log, with no later commit index than l's             (3)
//! ```
//!
//! Source: Raft paper, section 5.3; the contract of [`raft::Ready`]. A part of [`Invariant::LogMatching`]: storage that answers
//! late, or a snapshot, must not leave a node with any other log.

use raft::{Body, Entry, EntryId, Index, Message, NodeId, Term};

use super::cluster::{Cluster, Node};
use super::log_matching::broken;
use super::violation::Check;
use super::words;

/// A node is about to write entries: they follow its log or replace what differs from them.
pub(super) fn writes(id: NodeId, node: &Node, entries: &[Entry]) -> Check {
    let Some(first) = entries.first() else { return Ok(()) };
    let (base, last) = (node.log.base(), node.log.last());
    if first.index <= base.index || first.index > last.index.next() {
        let detail = format!(
            "wrote {} into a log that begins after {base} and ends at {last}; expected an entry within it, or the next one",
            first.id()
        );
        return Err(broken(id, detail));
    }
    if let Some(gap) = entries.windows(2).find(|pair| pair[1].index != pair[0].index.next()) {
        return Err(broken(
            id,
            format!("wrote {} right after {}; expected the entry at {}", gap[1].id(), gap[0].id(), gap[0].index.next()),
        ));
    }
    Ok(())
}

/// The log that a node shows after a Ready is the one that it handed out so far.
pub(super) fn shows_what_it_wrote(id: NodeId, node: &Node) -> Check {
    if node.is_handed_out() {
        return Ok(());
    }
    Err(broken(
        id,
        format!(
            "shows a log that ends at {}; expected {}, where the one that it handed out ends",
            node.view.last,
            node.log.last()
        ),
    ))
}

/// What a node shows at an index is what it handed out to be written there, whatever the storage has written by then.
pub(super) fn shows(id: NodeId, node: &Node, index: Index, term: Option<Term>) -> Check {
    let Some(handed_out) = node.log.term(index).filter(|_| node.is_handed_out()) else { return Ok(()) };
    match term {
        Some(shown) if shown == handed_out => Ok(()),
        Some(shown) => Err(broken(
            id,
            format!("shows {shown}/{index} in its log; expected {handed_out}/{index}, which it handed out"),
        )),
        None => {
            Err(broken(id, format!("shows no entry at {index}; expected {handed_out}/{index}, which it handed out")))
        }
    }
}

/// A node heard of what is stable of its log.
pub(super) fn stays(id: NodeId, before: EntryId, after: EntryId) -> Check {
    if before == after {
        return Ok(());
    }
    Err(broken(
        id,
        format!("has a log that ends at {after} after its storage answered; expected it to end at {before}, as before"),
    ))
}

/// An append leaves: it is part of the leader's log.
pub(super) fn sent(cluster: &Cluster, message: &Message) -> Check {
    let Body::Append { previous, entries, commit } = &message.body else { return Ok(()) };
    let from = message.from;
    let Some(node) = cluster.get(from).filter(|node| node.leads().is_some() && node.leads() == message.term) else {
        return Ok(());
    };
    let last = entries.last().map_or(*previous, Entry::id);
    for id in [*previous, last] {
        if !node.log.holds(id) {
            return Err(broken(
                from,
                format!("sends {id}; expected what its log holds there, {}", words::term(node.log.term(id.index))),
            ));
        }
    }
    if *commit > node.view.hard_state.commit {
        return Err(broken(
            from,
            format!(
                "sends the commit index {commit}; expected {} at most, which it knows itself",
                node.view.hard_state.commit
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use raft::Snapshot;

    use super::super::testing::{Bench, breaks, entries, entry, message, node};
    use super::super::violation::Invariant;
    use super::*;

    #[test]
    fn a_hole_in_a_log_is_found() {
        let mut bench = Bench::led();
        breaks(Invariant::LogMatching, bench.append(2, &entries(1, 2..=3)));
        let mut bench = Bench::led();
        breaks(Invariant::LogMatching, bench.append(2, &[entry(1, 1), entry(1, 3)]));
    }

    #[test]
    fn a_log_that_ends_elsewhere_than_what_was_written_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=3)).unwrap();
        let tail = bench.view(2, |view| view.last = EntryId::new(Term(1), Index(5)));
        breaks(Invariant::LogMatching, bench.checkers.handed_out(node(2), None, &[], &tail));
    }

    #[test]
    fn a_log_that_an_answer_of_the_storage_changes_is_found() {
        let (before, after) = (entry(1, 5).id(), entry(2, 4).id());
        stays(node(1), before, before).unwrap();
        breaks(Invariant::LogMatching, stays(node(1), before, after));
    }

    #[test]
    fn an_entry_that_is_not_the_one_handed_out_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=3)).unwrap();
        bench.checkers.shows(node(2), Index(2), Some(Term(1))).unwrap();
        bench.checkers.shows(node(2), Index(9), None).unwrap();
        breaks(Invariant::LogMatching, bench.checkers.shows(node(2), Index(2), Some(Term(2))));
        breaks(Invariant::LogMatching, bench.checkers.shows(node(2), Index(2), None));
    }

    #[test]
    fn a_conflicting_tail_that_outlives_a_snapshot_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.commit(1, 3).unwrap();
        let snapshot = Snapshot { id: EntryId::new(Term(1), Index(3)), ..bench.snapshot(3) };
        let tail = bench.view(3, |view| view.last = EntryId::new(Term(1), Index(9)));
        breaks(
            Invariant::LogMatching,
            bench.checkers.handed_out(node(3), Some((&snapshot, &snapshot.conf_state)), &[], &tail),
        );
    }

    #[test]
    fn an_append_that_is_not_part_of_the_leaders_log_is_found() {
        let mut bench = Bench::led();
        let append = |previous: EntryId, entries: Vec<Entry>| {
            message(1, 2, 1, Body::Append { previous, entries, commit: Index::ZERO })
        };
        bench.checkers.sent(&append(entry(1, 1).id(), entries(1, 2..=4))).unwrap();
        let previous = EntryId::new(Term(0), Index(3));
        breaks(Invariant::LogMatching, bench.checkers.sent(&append(previous, entries(1, 4..=4))));
        breaks(Invariant::LogMatching, bench.checkers.sent(&append(entry(1, 4).id(), entries(1, 5..=5))));
    }
}
