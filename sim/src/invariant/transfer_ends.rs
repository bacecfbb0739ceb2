//! A leader gives up handing leadership over after an election timeout: until then it takes no proposals. It tells its
//! successor to campaign once the successor holds the leader's whole log.
//!
//! ```text
//! n led t and handed over to m at each of k ticks of its clock, and was not asked to meanwhile
//!   ⇒  k ≤ 2 · election timeout  ∧  n's log ended at the last of them where it did at the first
//! n leads and hands over to m                           ⇒  m votes in n's configuration, if n does itself
//! n leads t and tells m, in no later term, to campaign  ⇒  m durably holds an entry of t, or did on a disk that it lost
//! n tells m to campaign                                 ⇒  n was asked to hand over to m since it started
//!                                                       ∧  n counts m up to where its log ended when it was asked, in t
//! ```
//!
//! The leader gives up after one election timeout, but another request may begin a new one. Twice that leaves no doubt.
//! It gives up at once if its successor loses the vote, unless it no longer has a vote itself: etcd's leader that is
//! removed or demoted to a learner does not look at its followers after a change, and waits for the timeout.
//!
//! Source: thesis, section 3.10. It is a part of [`Invariant::Liveness`] that need not wait for the faults to end: a leader
//! that waits for ever, for a successor that is down or never got the message, stops the cluster although it is well.

use std::collections::{BTreeMap, BTreeSet};

use raft::{Body, EntryId, Index, Message, NodeId, Term};

use super::cluster::Cluster;
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::words;
use crate::shared::Shared;

/// The transfers that are under way.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Transfers {
    under_way: BTreeMap<NodeId, Transfer>,
    /// The nodes to which each node was asked to hand over.
    asked: BTreeMap<NodeId, BTreeSet<NodeId>>,
    /// The first request to a leader that may still be under way, by leader and target.
    requests: BTreeMap<(NodeId, NodeId), Request>,
    /// The requests that are over. What they led to may have to wait for the next Ready as long as one is outstanding.
    over: BTreeMap<(NodeId, NodeId), Request>,
    /// The nodes that a node tells to campaign in the Ready that is being handed out, with its term.
    told: Vec<(Term, NodeId)>,
}

/// A leader was asked to hand over.
#[derive(Clone, Copy, Hash, Debug)]
struct Request {
    term: Term,
    /// Where its log ended, at least.
    last: Index,
}

#[derive(Clone, Copy, Hash, Debug)]
struct Transfer {
    term: Term,
    target: NodeId,
    /// Where the log ended when it was first seen.
    last: EntryId,
    ticks: u32,
}

impl Transfers {
    /// A node starts.
    pub fn started(&mut self, id: NodeId) {
        self.under_way.remove(&id);
        self.asked.remove(&id);
        self.requests.retain(|(asked, _), _| *asked != id);
        self.over.retain(|(asked, _), _| *asked != id);
    }

    /// A node is asked to hand over.
    pub fn asked(&mut self, cluster: &Cluster, id: NodeId, target: NodeId) {
        self.under_way.remove(&id);
        self.asked.entry(id).or_default().insert(target);
        let Some(node) = cluster.get(id) else { return };
        let Some(term) = node.leads() else { return };
        let request = Request { term, last: node.view.last.index };
        let known = self.requests.entry((id, target)).or_insert(request);
        if known.term != term {
            *known = request;
        }
    }

    /// The configuration of a leader changed: it may count a member from the beginning. A transfer that was requested
    /// may go on.
    pub fn configured(&mut self, id: NodeId) {
        let all = self.requests.iter_mut().chain(&mut self.over);
        let its_own = all.filter(|((asked, _), _)| *asked == id);
        its_own.for_each(|(_, request)| request.last = Index::ZERO);
    }

    /// The requests to this node until now are over.
    fn end_requests(&mut self, id: NodeId) {
        for (link, request) in self.requests.extract_if(.., |(asked, _), _| *asked == id) {
            let over = self.over.entry(link).or_insert(request);
            let last = if over.term == request.term { over.last.min(request.last) } else { request.last };
            *over = Request { last, ..request };
        }
    }

    /// A node hands out messages.
    pub fn hands_out(all: &mut Shared<Self>, messages: &[Message]) {
        let mut told = messages.iter().filter(|message| message.body == Body::TimeoutNow).peekable();
        if all.told.is_empty() && told.peek().is_none() {
            return;
        }
        all.told = told.filter_map(|message| Some((message.term?, message.to))).collect();
    }

    /// A node has handed out a Ready. `matched` is the index up to which it counts a member in a term. What a leader
    /// counted last, before it was deposed, is not known.
    pub fn judge(
        all: &mut Shared<Self>,
        id: NodeId,
        leads: Option<Term>,
        matched: impl Fn(Term, NodeId) -> Index,
    ) -> Check {
        let told = if all.told.is_empty() { Vec::new() } else { std::mem::take(&mut all.told) };
        for (term, target) in told.into_iter().filter(|(term, _)| leads == Some(*term)) {
            let asked = [&all.requests, &all.over].into_iter().filter_map(|requests| requests.get(&(id, target)));
            let last = asked.filter(|request| request.term == term).map(|request| request.last).min();
            let (Some(last), counted) = (last, matched(term, target)) else { continue };
            if counted < last {
                let detail = format!(
                    "node {id} leads term {term} and tells node {target} to campaign, which it counts up to {counted}; \
                     expected it to wait until that holds up to {last}, where its log ended when it was asked to"
                );
                return Err(Violation::new(Invariant::Liveness, &[id, target], detail));
            }
        }
        if all.over.keys().any(|(asked, _)| *asked == id) {
            all.over.retain(|(asked, _), _| *asked != id);
        }
        Ok(())
    }

    /// The clock of a node ticked.
    pub fn ticked(all: &mut Shared<Self>, cluster: &Cluster, id: NodeId, transferee: Option<NodeId>) -> Check {
        let Some(target) = transferee else {
            if all.under_way.contains_key(&id) || all.requests.keys().any(|(asked, _)| *asked == id) {
                all.under_way.remove(&id);
                all.end_requests(id);
            }
            return Ok(());
        };
        let Some(node) = cluster.get(id) else { return Ok(()) };
        let (term, limit) = (
            node.view.hard_state.term,
            node.config.as_ref().map_or(u32::MAX, |config| config.election_tick.saturating_mul(2)),
        );
        let configuration = &node.configuration;
        if quorum::votes(configuration, id) && !quorum::votes(configuration, target) {
            let detail = format!(
                "node {id} hands over to node {target}; expected it to do so only to a voter of its members {}",
                words::members(configuration)
            );
            return Err(Violation::new(Invariant::Liveness, &[id, target], detail));
        }
        let last = node.view.last;
        let transfer = all.under_way.entry(id).or_insert(Transfer { term, target, last, ticks: 0 });
        if (transfer.term, transfer.target) != (term, target) {
            *transfer = Transfer { term, target, last, ticks: 0 };
        }
        transfer.ticks += 1;
        if transfer.last != last {
            let began = transfer.last;
            let detail = format!(
                "node {id} hands over to node {target}, and its log ends at {last}; expected it to take nothing meanwhile, \
                     since it ended at {began} when that began"
            );
            return Err(Violation::new(Invariant::Liveness, &[id, target], detail));
        }
        if transfer.ticks <= limit {
            return Ok(());
        }
        let detail = format!(
            "node {id} leads term {term} and has been handing over to node {target} for {} ticks; expected it to give up \
             after {limit}",
            transfer.ticks
        );
        Err(Violation::new(Invariant::Liveness, &[id, target], detail))
    }

    /// A message leaves its sender.
    pub fn sent(&self, cluster: &Cluster, message: &Message) -> Check {
        let (Body::TimeoutNow, Some(term)) = (&message.body, message.term) else { return Ok(()) };
        let (from, to) = (message.from, message.to);
        if self.asked.get(&from).is_none_or(|targets| !targets.contains(&to)) {
            let detail = format!(
                "node {from} tells node {to} to campaign; expected it to do so only where it was asked to hand over"
            );
            return Err(Violation::new(Invariant::Liveness, &[from, to], detail));
        }
        is_caught_up(cluster, from, to, term)
    }
}

/// A node that is told to campaign holds an entry of the term. In a later term than the sender's, it may hold anything.
fn is_caught_up(cluster: &Cluster, from: NodeId, to: NodeId, term: Term) -> Check {
    let leads = cluster.get(from).is_some_and(|node| node.leads() == Some(term));
    let Some(target) = cluster.get(to).filter(|target| leads && target.view.hard_state.term <= term) else {
        return Ok(());
    };
    let last = target.durable.log.last();
    if last.term == term || target.has_lost_term(term) {
        return Ok(());
    }
    let detail = format!(
        "node {from} leads term {term} and tells node {to} to campaign, whose log ends at {last}; expected it to wait until that \
         holds an entry of term {term}"
    );
    Err(Violation::new(Invariant::Liveness, &[from, to], detail))
}

#[cfg(test)]
mod tests {
    use raft::{ConfState, Config, HardState, Role, SoftState};

    use super::super::input::{ProgressState, ProgressView};
    use super::super::testing::{Bench, breaks, configuration, entries, entry, message, node};
    use super::*;

    /// Node 1 tells node 2 to campaign, which it counts up to `matched`.
    fn tells(bench: &mut Bench, matched: u64) -> Check {
        let progress = ProgressView {
            matched: Index(matched),
            next: Index(matched + 1),
            state: ProgressState::Probe,
            inflight_messages: 0,
            inflight_bytes: 0,
            inflights_full: false,
        };
        bench.checkers.hands_out(node(1), &[message(1, 2, 1, Body::TimeoutNow)]);
        bench.checkers.progress(node(1), node(2), &progress).unwrap();
        bench.tracked(1, &[1, 2, 3])
    }

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
        bench.checkers.transfer_requested(node(1), node(2));
        breaks(Invariant::Liveness, bench.checkers.sent(&told));
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.checkers.sent(&told).unwrap();
    }

    #[test]
    fn a_successor_that_lacks_what_is_not_committed_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.checkers.transfer_requested(node(1), node(2));
        breaks(Invariant::Liveness, tells(&mut bench, 3));
        tells(&mut bench, 4).unwrap();
        let deposed = bench.view(1, |view| {
            view.hard_state = HardState { term: Term(2), vote: None, ..view.hard_state };
            view.soft_state = SoftState { role: Role::Follower, leader: None };
        });
        bench.checkers.observed(node(1), &deposed).unwrap();
        tells(&mut bench, 3).unwrap();
    }

    /// In seed 36004852 a Ready was outstanding for so long that the next one still held what a transfer had led to that was
    /// over meanwhile, and the log had grown when the same was asked for again.
    #[test]
    fn a_successor_that_held_the_whole_log_when_it_was_asked_for_may_be_told_after_the_transfer_is_over() {
        for (asks_again, tells_twice) in [(false, false), (true, false), (true, true)] {
            let mut bench = Bench::led();
            bench.append(2, &entries(1, 1..=4)).unwrap();
            bench.checkers.transfer_requested(node(1), node(2));
            bench.checkers.ticked(node(1), Some(node(2))).unwrap();
            bench.checkers.ticked(node(1), None).unwrap();
            bench.append(1, &[entry(1, 5)]).unwrap();
            if asks_again {
                bench.checkers.transfer_requested(node(1), node(2));
            }
            tells(&mut bench, 4).unwrap();
            if tells_twice {
                breaks(Invariant::Liveness, tells(&mut bench, 4));
            }
        }
    }

    /// In seed 76001316 of 2,000 steps the membership changed during a transfer, and when the same was asked for again the log had
    /// grown, while the order to campaign still waited for the next Ready.
    #[test]
    fn a_transfer_goes_on_when_the_membership_changes() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.checkers.transfer_requested(node(1), node(2));
        bench.checkers.configuration_applied(node(1), Index(3), &configuration(&[1, 2, 3])).unwrap();
        bench.checkers.hands_out(node(1), &[]);
        bench.tracked(1, &[1, 2, 3]).unwrap();
        bench.append(1, &[entry(1, 5)]).unwrap();
        bench.checkers.transfer_requested(node(1), node(2));
        tells(&mut bench, 4).unwrap();
    }

    #[test]
    fn a_successor_that_nobody_asked_for_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.append(3, &entries(1, 1..=4)).unwrap();
        bench.checkers.transfer_requested(node(1), node(2));
        bench.checkers.sent(&message(1, 2, 1, Body::TimeoutNow)).unwrap();
        breaks(Invariant::Liveness, bench.checkers.sent(&message(1, 3, 1, Body::TimeoutNow)));
    }

    #[test]
    fn a_successor_that_does_not_vote_is_found() {
        let mut bench = Bench::led();
        let learns = ConfState { learners: [node(3)].into(), ..configuration(&[1, 2]) };
        bench.checkers.configuration_applied(node(1), Index(3), &learns).unwrap();
        bench.checkers.ticked(node(1), Some(node(2))).unwrap();
        breaks(Invariant::Liveness, bench.checkers.ticked(node(1), Some(node(3))));
    }

    #[test]
    fn a_leader_that_does_not_vote_may_wait_for_a_successor_that_does_not_either_but_not_for_ever() {
        for others in [[].into(), [node(1)].into()] {
            let mut bench = Bench::led();
            let changed = ConfState { learners: others, ..configuration(&[3]) };
            bench.checkers.configuration_applied(node(1), Index(3), &changed).unwrap();
            for _ in 0..2 * Config::new(node(1)).election_tick {
                bench.checkers.ticked(node(1), Some(node(2))).unwrap();
            }
            breaks(Invariant::Liveness, bench.checkers.ticked(node(1), Some(node(2))));
        }
    }

    #[test]
    fn a_transfer_to_somebody_else_has_its_own_time() {
        let mut bench = Bench::led();
        for target in [2, 3, 2, 3] {
            for _ in 0..2 * Config::new(node(1)).election_tick {
                bench.checkers.ticked(node(1), Some(node(target))).unwrap();
            }
        }
        bench.checkers.transfer_requested(node(1), node(3));
        bench.checkers.ticked(node(1), Some(node(3))).unwrap();
        bench.checkers.ticked(node(1), None).unwrap();
        bench.checkers.ticked(node(1), Some(node(3))).unwrap();
    }
}
