//! A leader gives up handing leadership over after an election timeout: until then it takes no proposals. It tells its
//! successor to campaign once that one holds its whole log.
//!
//! ```text
//! n led t and handed over to m at each of k ticks of its clock, and was not asked to meanwhile
//!   ⇒  k ≤ 2 · election timeout  ∧  n's log ended at the last of them where it did at the first
//! n leads t and tells m, in no later term, to campaign  ⇒  m durably holds an entry of t
//! ```
//!
//! The leader gives up after one election timeout; whatever it is asked may begin another. Twice that leaves no doubt.
//!
//! Source: thesis, section 3.10. It is a part of [`Invariant::Liveness`] that need not wait for the faults to end: a leader
//! that waits for ever, for a successor that is down or never got the message, stops the cluster although it is well.

use std::collections::BTreeMap;

use raft::{Body, EntryId, Message, NodeId, Term};

use super::cluster::Cluster;
use super::violation::{Check, Invariant, Violation};

/// The transfers that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfers {
    under_way: BTreeMap<NodeId, Transfer>,
}

#[derive(Clone, Copy, Debug)]
struct Transfer {
    term: Term,
    target: NodeId,
    /// Where the log ended when it was first seen.
    last: EntryId,
    ticks: u32,
}

impl Transfers {
    /// A node is asked to hand over, to anybody.
    pub fn asked(&mut self, id: NodeId) {
        self.under_way.remove(&id);
    }

    /// The clock of a node ticked.
    pub fn ticked(&mut self, cluster: &Cluster, id: NodeId, transferee: Option<NodeId>) -> Check {
        let Some(target) = transferee else {
            self.under_way.remove(&id);
            return Ok(());
        };
        let Some(node) = cluster.get(id) else { return Ok(()) };
        let (term, limit) = (
            node.view.hard_state.term,
            node.config.as_ref().map_or(u32::MAX, |config| config.election_tick.saturating_mul(2)),
        );
        let last = node.view.last;
        let transfer = self.under_way.entry(id).or_insert(Transfer { term, target, last, ticks: 0 });
        if (transfer.term, transfer.target) != (term, target) {
            *transfer = Transfer { term, target, last, ticks: 0 };
        }
        transfer.ticks += 1;
        if transfer.last != last {
            let began = transfer.last;
            let detail =
                format!("node {id} hands over to node {target} since its log ended at {began}, and it ends at {last}");
            return Err(Violation::new(Invariant::Liveness, &[id, target], detail));
        }
        if transfer.ticks <= limit {
            return Ok(());
        }
        let detail = format!(
            "node {id} leads term {term} and has been handing over to node {target} for {} ticks",
            transfer.ticks
        );
        Err(Violation::new(Invariant::Liveness, &[id, target], detail))
    }
}

/// A message leaves its sender. In a later term than the sender's the receiver may hold anything.
pub(super) fn sent(cluster: &Cluster, message: &Message) -> Check {
    let (Body::TimeoutNow, Some(term)) = (&message.body, message.term) else { return Ok(()) };
    let leads = cluster.get(message.from).is_some_and(|node| node.leads() == Some(term));
    let Some(target) = cluster.get(message.to).filter(|target| leads && target.view.hard_state.term <= term) else {
        return Ok(());
    };
    let last = target.durable.log.last();
    if last.term == term {
        return Ok(());
    }
    let (from, to) = (message.from, message.to);
    let detail = format!("node {from} leads term {term} and tells node {to} to campaign, whose log ends at {last}");
    Err(Violation::new(Invariant::Liveness, &[from, to], detail))
}

#[cfg(test)]
mod tests {
    use raft::Config;

    use super::super::testing::{Bench, breaks, entries, entry, message, node};
    use super::*;

    #[test]
    fn a_transfer_that_is_never_given_up_is_found() {
        let mut bench = Bench::led();
        for _ in 0..2 * Config::new(node(1)).election_tick {
            bench.checkers.ticked(node(1), Some(node(2))).unwrap();
        }
        breaks(Invariant::Liveness, bench.checkers.ticked(node(1), Some(node(2))));
    }

    #[test]
    fn a_proposal_that_is_taken_meanwhile_is_found() {
        let mut bench = Bench::led();
        bench.checkers.ticked(node(1), Some(node(2))).unwrap();
        bench.append(1, &[entry(1, 5)]).unwrap();
        breaks(Invariant::Liveness, bench.checkers.ticked(node(1), Some(node(2))));
    }

    #[test]
    fn a_successor_that_lags_is_found() {
        let mut bench = Bench::led();
        let told = message(1, 2, 1, Body::TimeoutNow);
        breaks(Invariant::Liveness, bench.checkers.sent(&told));
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.checkers.sent(&told).unwrap();
    }

    #[test]
    fn a_transfer_to_somebody_else_has_its_own_time() {
        let mut bench = Bench::led();
        for target in [2, 3, 2, 3] {
            for _ in 0..2 * Config::new(node(1)).election_tick {
                bench.checkers.ticked(node(1), Some(node(target))).unwrap();
            }
        }
        bench.checkers.transfer_requested(node(1));
        bench.checkers.ticked(node(1), Some(node(3))).unwrap();
        bench.checkers.ticked(node(1), None).unwrap();
        bench.checkers.ticked(node(1), Some(node(3))).unwrap();
    }
}
