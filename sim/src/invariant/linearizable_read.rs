//! Linearizable reads: a read sees every write that was committed when it was asked for.
//!
//! ```text
//! r asked for when leaders had committed up to c, and answered with index i  ⇒  i ≥ c                            (1)
//! r asked for at n, and m says that it may be answered                       ⇒  m = n                            (1)
//! r answered by l, which does not go by a lease  ⇒  a quorum has heard from l since r was asked for              (2)
//! ```
//!
//! Source: Raft paper, section 8; thesis, sections 6.4 (reads through the leader) and 6.4.1 (leases). The application
//! answers a read once it has applied up to the read's index; what the clients may then see is judged by their history,
//! this by the index alone.
//!
//! `c` is what any leader committed, acknowledged to a client or not. That does not demand too much: a node that
//! confirms a read after it was asked for is in no later term than the leader, so whatever was committed by then was
//! committed in the leader's term, or lies before the entry of its own term that the leader has to commit first.
//!
//! (2) is how (1) is kept: a leader that nobody has obeyed since may no longer be the leader, even if nobody else has
//! committed anything in this case. Whether a node obeyed is known from its term when the leader's heartbeat arrives.
//! Nothing is judged if the leader's configuration changed meanwhile.
//!
//! A lease read relies on more: on clocks of bounded drift, and on nodes that neither forget that they heard from a
//! leader within the lease (a quick restart, `forget_leader`) nor are told to overrule it (a transfer). If the plan
//! breaks that, the world excuses the read.
//!
//! One more excuse is etcd's own, where `immediate_singleton_reads` asks for it: the leader of a configuration with a
//! single voter answers at once. Such a read may be stale if the leader has not committed in its term (its commit index
//! is not synced with every step, and after a crash it may answer with less than it had acknowledged), and if that
//! voter is another node (a leader that a change removed or demoted leads on, and does not hear that the voter has
//! elected itself).

use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use raft::{Body, EntryId, Message, NodeId, ReadOnlyOption, ReadState};

use super::cluster::{Cluster, Node};
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::words;
use crate::few::Few;
use crate::shared::Shared;

/// What was committed when each open read was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct LinearizableRead {
    open: BTreeMap<Bytes, Open>,
    order: VecDeque<Bytes>,
    /// When each read that nobody has answered was asked for.
    asked: BTreeMap<Bytes, u64>,
    /// When each node last heard each other one as a leader.
    heard: Few<(NodeId, NodeId), u64>,
    /// When each node last started or changed its configuration.
    configured: Few<NodeId, u64>,
    /// Counts all of these.
    now: u64,
}

/// Moments count only against the reads that wait: what came later than each of them. Which open read is forgotten first
/// is left out; that can keep one from being judged, where there are more than a thousand.
impl Hash for LinearizableRead {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { open, order: _, asked, heard, configured, now: _ } = self;
        (open, asked.len()).hash(state);
        for (context, asked) in asked {
            context.hash(state);
            heard.iter().filter(|(_, when)| *when > asked).for_each(|(link, _)| link.hash(state));
            0_u64.hash(state);
            configured.iter().filter(|(_, when)| *when > asked).for_each(|(id, _)| id.hash(state));
            0_u64.hash(state);
        }
    }
}

/// A read that may still be answered.
#[derive(Clone, Copy, Hash, Debug)]
struct Open {
    /// Where it was asked for.
    at: NodeId,
    /// What was committed by then.
    committed: EntryId,
}

impl LinearizableRead {
    /// How many reads may be open; the oldest is forgotten, and never judged.
    const OPEN: usize = 1024;

    /// A client asks this node, and leaders have committed up to `committed`.
    pub fn requested(&mut self, at: NodeId, context: &Bytes, committed: EntryId) {
        self.now += 1;
        self.asked.insert(context.clone(), self.now);
        self.open.insert(context.clone(), Open { at, committed });
        self.order.push_back(context.clone());
        while self.order.len() > Self::OPEN {
            if let Some(oldest) = self.order.pop_front() {
                self.excuse(&oldest);
            }
        }
    }

    /// A message arrives, and the receiver takes it next.
    pub fn received(all: &mut Shared<Self>, cluster: &Cluster, message: &Message) {
        let obeys = |node: &Node| message.term >= Some(node.view.hard_state.term);
        if matches!(message.body, Body::Heartbeat { .. }) && cluster.get(message.to).is_some_and(obeys) {
            all.now += 1;
            let now = all.now;
            all.heard.insert((message.from, message.to), now);
        }
    }

    /// A node starts, or changes its configuration.
    pub fn configured(&mut self, id: NodeId) {
        self.now += 1;
        self.configured.insert(id, self.now);
    }

    /// A node answers a read, to whoever asked it. Only the first answer is judged, and its way back is not.
    pub fn answered(&mut self, cluster: &Cluster, id: NodeId, context: &Bytes) -> Check {
        let Some(asked) = self.asked.remove(context) else { return Ok(()) };
        let Some(node) = cluster.get(id) else { return Ok(()) };
        let by_lease = node.config.as_ref().is_none_or(|config| config.read_only_option == ReadOnlyOption::LeaseBased);
        let since = |when: Option<&u64>| when.is_some_and(|&when| when > asked);
        let obeyed = |voter| voter == id || since(self.heard.get((id, voter)));
        if by_lease || since(self.configured.get(id)) || quorum::decides(&node.configuration, obeyed) {
            return Ok(());
        }
        let detail = format!(
            "node {id} answers a read; expected a quorum of its members {} to hear from it first, after the read was asked \
             for",
            words::members(&node.configuration)
        );
        Err(Violation::new(Invariant::LinearizableRead, &[id], detail))
    }

    /// Whatever the answer to this read, it is not judged.
    pub fn excuse(&mut self, context: &Bytes) {
        self.open.remove(context);
        self.asked.remove(context);
    }

    /// A node answers.
    pub fn ready(&mut self, id: NodeId, read: &ReadState, excused: bool) -> Check {
        let Some(Open { at, committed }) = self.open.remove(&read.context) else { return Ok(()) };
        if at != id {
            let detail =
                format!("node {id} says that a read may be answered; expected node {at} to, which was asked for it");
            return Err(Violation::new(Invariant::LinearizableRead, &[id, at], detail));
        }
        match committed.index > read.index && !excused {
            true => {
                let index = read.index;
                let detail = format!(
                    "node {id} answers a read with index {index}; expected it to see {committed}, which was committed \
                         before it was asked for"
                );
                Err(Violation::new(Invariant::LinearizableRead, &[id], detail))
            }
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use raft::{Index, Term};

    use super::super::testing::{Bench, breaks, configuration, message, node};
    use super::*;

    const COMMITTED: EntryId = EntryId::new(Term(2), Index(7));

    fn answer(index: u64, excused: bool) -> Check {
        let mut reads = LinearizableRead::default();
        let context = Bytes::from_static(b"r");
        reads.requested(node(1), &context, COMMITTED);
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
    fn a_read_that_is_answered_elsewhere_is_found() {
        let mut reads = LinearizableRead::default();
        let context = Bytes::from_static(b"r");
        reads.requested(node(2), &context, COMMITTED);
        breaks(Invariant::LinearizableRead, reads.ready(node(1), &ReadState { index: Index(7), context }, false));
    }

    fn heartbeat(bench: &mut Bench, from: u64, to: u64, term: u64) {
        let body = Body::Heartbeat { commit: Index::ZERO, context: Bytes::new() };
        bench.checkers.received(&message(from, to, term, body));
        // Nobody in a later term obeys, and who is no member is not looked at.
        if to <= 3 && bench.view(to, |_| ()).hard_state.term <= Term(term) {
            let follows = bench.view(to, |view| {
                view.hard_state.term = Term(term);
                view.soft_state.leader = Some(node(from));
            });
            bench.checkers.observed(node(to), &follows).unwrap();
        }
    }

    /// Node 1 leads term 1, and is asked for a read that it then answers.
    fn answered(meanwhile: impl FnOnce(&mut Bench)) -> Check {
        let mut bench = Bench::led();
        let context = Bytes::from_static(b"r");
        heartbeat(&mut bench, 1, 2, 1);
        bench.checkers.read_requested(node(1), &context);
        meanwhile(&mut bench);
        bench.checkers.read_ready(node(1), &ReadState { index: Index(9), context }, false)
    }

    #[test]
    fn a_read_that_a_quorum_has_confirmed_is_fine() {
        answered(|bench| heartbeat(bench, 1, 2, 1)).unwrap();
    }

    #[test]
    fn a_read_that_no_quorum_has_confirmed_since_it_was_asked_for_is_found() {
        breaks(Invariant::LinearizableRead, answered(|_| ()));
        // Somebody who is no voter, and somebody who obeys a later leader.
        breaks(Invariant::LinearizableRead, answered(|bench| heartbeat(bench, 1, 4, 1)));
        let later = |bench: &mut Bench| {
            bench.vote(2, 2, 3).unwrap();
            heartbeat(bench, 1, 2, 1);
        };
        breaks(Invariant::LinearizableRead, answered(later));
    }

    #[test]
    fn a_read_that_is_answered_to_whoever_forwarded_it_is_judged_when_the_answer_leaves() {
        let mut bench = Bench::led();
        let context = Bytes::from_static(b"r");
        bench.checkers.read_requested(node(2), &context);
        let answer = message(1, 2, 1, Body::ReadIndexResponse { index: Index(9), context: context.clone() });
        breaks(Invariant::LinearizableRead, bench.checkers.sent(&answer));
        // What the other node makes of it is not the leader's fault.
        bench.checkers.read_ready(node(2), &ReadState { index: Index(9), context }, false).unwrap();
    }

    #[test]
    fn nothing_is_said_where_the_configuration_changed_meanwhile() {
        let changes = |bench: &mut Bench| {
            bench.checkers.configuration_applied(node(1), Index(4), &configuration(&[1, 2, 3, 4])).unwrap();
        };
        answered(changes).unwrap();
    }

    #[test]
    fn reads_that_are_never_answered_do_not_pile_up() {
        let mut reads = LinearizableRead::default();
        for context in 0..5000_u64 {
            reads.requested(node(1), &Bytes::from(context.to_le_bytes().to_vec()), COMMITTED);
        }
        assert_eq!((reads.open.len(), reads.order.len()), (LinearizableRead::OPEN, LinearizableRead::OPEN));
    }

    #[test]
    fn reads_that_are_answered_do_not_pile_up_either() {
        let mut reads = LinearizableRead::default();
        for context in 0..5000_u64 {
            let context = Bytes::from(context.to_le_bytes().to_vec());
            reads.requested(node(1), &context, COMMITTED);
            reads.ready(node(1), &ReadState { index: Index(9), context }, false).unwrap();
        }
        assert!(reads.open.is_empty() && reads.order.len() <= LinearizableRead::OPEN);
    }
}
