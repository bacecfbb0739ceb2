//! Leader append-only: a leader never overwrites or deletes entries in its log; it only appends new ones.
//!
//! ```text
//! n leads in t before and after  ⇒  n.log before is a prefix of n.log after
//! ```
//!
//! Source: Raft paper, figure 3, "Leader Append-Only", and section 5.3; `LeaderAppendOnly` in `raft.tla`'s variants.

use raft::{Entry, NodeId, Role, Term};

use super::cluster::Node;
use super::violation::{Check, Invariant, Violation};

/// A node is about to write entries, having led the term `led` when it last did and showing now what `node` says.
pub(super) fn writes(id: NodeId, node: &Node, led: Option<Term>, entries: &[Entry]) -> Check {
    let (Some(first), Some(term)) = (entries.first(), led) else { return Ok(()) };
    let last = node.log.last();
    let leads_still = node.view.soft_state.role == Role::Leader && node.view.hard_state.term == term;
    if !leads_still || first.index > last.index {
        return Ok(());
    }
    let detail = format!(
        "node {id} leads term {term} with a log that ends at {last}, and rewrote it from {} on; expected a leader to write \
             at the end only",
        first.id()
    );
    Err(Violation::new(Invariant::LeaderAppendOnly, &[id], detail))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, breaks, entries, entry};
    use super::*;

    #[test]
    fn a_leader_that_appends_is_fine() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &entries(1, 2..=3)).unwrap();
        bench.append(1, &entries(1, 4..=4)).unwrap();
    }

    #[test]
    fn a_leader_that_rewrites_its_log_is_found() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &entries(1, 2..=3)).unwrap();
        breaks(Invariant::LeaderAppendOnly, bench.append(1, &entries(1, 3..=3)));
    }

    #[test]
    fn a_follower_that_meets_a_conflict_is_fine() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &entries(1, 2..=3)).unwrap();
        bench.elect(2, 2, &[3]).unwrap();
        bench.append(1, &[entry(2, 1)]).unwrap();
    }
}
