//! Linearizable reads: a read sees every write that was committed when it was asked for.
//!
//! ```text
//! r asked for when leaders had committed up to c, and answered with index i  ⇒  i ≥ c
//! ```
//!
//! Source: Raft paper, section 8; thesis, sections 6.4 (reads through the leader) and 6.4.1 (leases). The application
//! answers a read once it has applied up to the read's index; what the clients may then see is judged by their history,
//! this by the index alone.
//!
//! `c` is what any leader committed, acknowledged to a client or not, and that is not too much: whoever confirms a read
//! after it was asked for is in no later term than the leader, so whatever was committed by then was committed in its
//! term, or lies before the entry of its own term that it has to commit first.
//!
//! A lease read relies on more: on clocks of bounded drift, and on no node that forgets having heard from a leader
//! within the lease (a quick restart, `forget_leader`) or that is told to overrule it (a transfer). Where the plan breaks
//! that, the world excuses the read.
//!
//! One more excuse is etcd's own, where `immediate_singleton_reads` asks for it: the leader of a configuration with a
//! single voter answers at once. It may be stale where it has not committed in its term (its commit index is not synced
//! with every step, and after a crash it may answer with less than it had acknowledged), and where that voter is somebody
//! else (a leader that a change removed or demoted leads on, and does not hear that the voter has elected itself).

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use raft::{EntryId, NodeId, ReadState};

use super::violation::{Check, Invariant, Violation};

/// What was committed when each open read was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct LinearizableRead {
    open: BTreeMap<Bytes, EntryId>,
    order: VecDeque<Bytes>,
}

impl LinearizableRead {
    /// How many reads may be open; the oldest is forgotten, and never judged.
    const OPEN: usize = 1024;

    /// A client asks, and leaders have committed up to `committed`.
    pub fn requested(&mut self, context: &Bytes, committed: EntryId) {
        self.open.insert(context.clone(), committed);
        self.order.push_back(context.clone());
        while self.order.len() > Self::OPEN {
            self.order.pop_front().map(|oldest| self.open.remove(&oldest));
        }
    }

    /// Whatever the answer, it is not judged.
    pub fn excuse(&mut self, context: &Bytes) {
        self.open.remove(context);
    }

    /// A node answers.
    pub fn ready(&mut self, id: NodeId, read: &ReadState, excused: bool) -> Check {
        match self.open.remove(&read.context).filter(|committed| committed.index > read.index && !excused) {
            Some(committed) => {
                let index = read.index;
                let detail =
                    format!("node {id} answers a read with index {index}; {committed} was committed before it");
                Err(Violation::new(Invariant::LinearizableRead, &[id], detail))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use raft::{Index, Term};

    use super::super::testing::{breaks, node};
    use super::*;

    const COMMITTED: EntryId = EntryId::new(Term(2), Index(7));

    fn answer(index: u64, excused: bool) -> Check {
        let mut reads = LinearizableRead::default();
        let context = Bytes::from_static(b"r");
        reads.requested(&context, COMMITTED);
        reads.ready(node(1), &ReadState { index: Index(index), context }, excused)
    }

    #[test]
    fn a_read_that_sees_what_was_committed_is_fine() {
        answer(7, false).unwrap();
        answer(8, false).unwrap();
    }

    #[test]
    fn a_stale_read_is_found_unless_excused() {
        breaks(Invariant::LinearizableRead, answer(6, false));
        answer(6, true).unwrap();
    }

    #[test]
    fn reads_that_are_never_answered_do_not_pile_up() {
        let mut reads = LinearizableRead::default();
        for context in 0..5000_u64 {
            reads.requested(&Bytes::from(context.to_le_bytes().to_vec()), COMMITTED);
        }
        assert_eq!((reads.open.len(), reads.order.len()), (LinearizableRead::OPEN, LinearizableRead::OPEN));
    }

    #[test]
    fn reads_that_are_answered_do_not_pile_up_either() {
        let mut reads = LinearizableRead::default();
        for context in 0..5000_u64 {
            let context = Bytes::from(context.to_le_bytes().to_vec());
            reads.requested(&context, COMMITTED);
            reads.ready(node(1), &ReadState { index: Index(9), context }, false).unwrap();
        }
        assert!(reads.open.is_empty() && reads.order.len() <= LinearizableRead::OPEN);
    }
}
