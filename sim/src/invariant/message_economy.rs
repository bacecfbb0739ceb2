//! Messages are sent for a reason: an exchange that brings nothing new ends, however fast the network is.
//!
//! ```text
//! n answers m      ⇒  n has had more messages from m than it has answered, if it is known what arrives            (1)
//! l leads t and sends m appends or snapshots that bring nothing new, n of them since there was news
//!                  ⇒  n ≤ the heartbeats that m has answered since, and what it may have lost, + 8             (2)
//! l leads t and sends m heartbeats that ask for nothing, n of them  ⇒  l's clock ticked n times in t               (3)
//! ```
//!
//! An append brings something new if it goes further than what was sent to m, or tells it of a later commit. News is that l's
//! log grew, or its commit index, its configuration changed, or it was asked to hand over or told how a snapshot ended; that m
//! acknowledged more than ever in t; and that it refused an append that begins earlier than any since then, which is how a
//! leader feels its way back. What lies beyond what m acknowledges may have been lost, and may be sent again, once for each
//! acknowledgement. The eight are for what was on its way.
//!
//! Every exchange is made of questions and of answers. Answers are bounded by questions (1), and questions by ticks, reads
//! and news. So between two ticks of anybody the messages are bounded by what is new.
//!
//! Source: thesis, section 10.2.1; a leader that answers each refusal of a follower that lost its disk with the same append
//! does so for ever.

use std::hash::{Hash, Hasher};

use raft::{Body, Index, Message, NodeId, Term};

use super::cluster::{Cluster, Node};
use super::violation::{Check, Invariant, Violation};
use crate::few::Few;
use crate::shared::Shared;
use crate::slots::{pair, slot};

/// What every node got and answered, and what leaders sent without news.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct MessageEconomy {
    /// What node n, at position n - 1, exchanged with each other node, at positions of the same kind.
    exchanged: Vec<Exchanged>,
    /// The leader that node n is, at position n - 1.
    leaders: Vec<Option<Leader>>,
}

/// What a node got from another, and answered.
#[derive(Clone, Copy, Debug, Default)]
struct Exchanged {
    received: u64,
    answered: u64,
}

/// How many more it may answer, and whether it is known what arrives.
impl Hash for Exchanged {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { received, answered } = self;
        (*received > 0, received.wrapping_sub(*answered)).hash(state);
    }
}

/// What a node sent in a term that it leads.
#[derive(Clone, Debug)]
struct Leader {
    term: Term,
    last: Index,
    commit: Index,
    ticks: u64,
    members: Few<NodeId, Member>,
}

/// How many more heartbeats a member may be sent counts, not how many ticks there were.
impl Hash for Leader {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { term, last, commit, ticks, members } = self;
        (term, last, commit, members.len()).hash(state);
        for (id, Member { acknowledged, refused, sent_through, told, in_vain, reasons, heartbeats }) in members.iter() {
            (id, acknowledged, refused, sent_through, told).hash(state);
            (in_vain, reasons, ticks.wrapping_sub(*heartbeats)).hash(state);
        }
    }
}

#[derive(Clone, Copy, Hash, Debug)]
struct Member {
    acknowledged: Index,
    /// The earliest refusal since more was acknowledged.
    refused: Index,
    sent_through: Index,
    told: Index,
    in_vain: u64,
    /// For how many appends that bring nothing new there has been a reason since the leader's last Ready.
    reasons: u64,
    heartbeats: u64,
}

impl Member {
    const UNKNOWN: Self = Self {
        acknowledged: Index::ZERO,
        refused: Index::MAX,
        sent_through: Index::ZERO,
        told: Index::ZERO,
        in_vain: 0,
        reasons: 0,
        heartbeats: 0,
    };

    /// The leader starts over with this member. What it sent before may still have to be handed out.
    fn start_over(&mut self) {
        *self = Self { heartbeats: self.heartbeats, reasons: u64::MAX / 2, ..Self::UNKNOWN };
    }

    /// A Ready was handed out. Appends for which there was a reason, but which were not sent, make up for earlier ones
    /// without a reason.
    fn makes_up(&mut self) {
        self.in_vain = self.in_vain.saturating_sub(std::mem::take(&mut self.reasons));
    }

    /// The member acknowledged the leader's log, which ends at `last`, up to `index`.
    fn accepted(&mut self, index: Index, last: Index) {
        if index > self.acknowledged {
            (self.acknowledged, self.refused, self.in_vain) = (index, Index::MAX, 0);
        }
        // The leader tells it the commit index and, while it probes for what was lost, sends again all that it sent
        // beyond.
        if index == self.acknowledged {
            self.reasons += 2 + last.since(index);
        }
    }

    fn refused(&mut self, index: Index) {
        if index < self.refused {
            (self.refused, self.in_vain) = (index, 0);
        }
    }

    fn is_sent(&mut self, last: Index, commit: Index) {
        if last <= self.sent_through && commit <= self.told {
            match self.reasons.checked_sub(1) {
                Some(fewer) => self.reasons = fewer,
                None => self.in_vain += 1,
            }
        }
        self.sent_through = self.sent_through.max(last);
        self.told = self.told.max(commit);
    }
}

impl MessageEconomy {
    /// How many appends may be on their way because of what was new before.
    const SLACK: u64 = 8;

    fn exchanged(&mut self, node: NodeId, with: NodeId) -> &mut Exchanged {
        slot(&mut self.exchanged, pair(node.get() - 1, with.get() - 1))
    }

    fn known(&self, id: NodeId, term: Term) -> Option<&Leader> {
        let leader = self.leaders.get(usize::try_from(id.get() - 1).ok()?)?;
        leader.as_ref().filter(|leader| leader.term == term)
    }

    fn leader(&mut self, id: NodeId, node: &Node) -> Option<&mut Leader> {
        let term = node.leads()?;
        let leader = slot(&mut self.leaders, id.get() - 1);
        if leader.as_ref().is_none_or(|leader| leader.term != term) {
            let (last, commit) = (Index::ZERO, Index::ZERO);
            *leader = Some(Leader { term, last, commit, ticks: 0, members: Few::default() });
        }
        leader.as_mut()
    }

    /// A message leaves its sender.
    pub fn sent(all: &mut Shared<Self>, message: &Message) -> Check {
        let (from, to) = (message.from, message.to);
        if !message.body.is_response() || from == to {
            return Ok(());
        }
        let exchanged = all.exchanged(from, to);
        // A host with a loop of its own need not tell the checkers what arrives.
        if exchanged.received == 0 {
            return Ok(());
        }
        exchanged.answered += 1;
        let Exchanged { received, answered } = *exchanged;
        if answered <= received {
            return Ok(());
        }
        let detail = format!(
            "node {from} has sent node {to} {answered} answers; expected at most {received}, one for each message from it"
        );
        Err(Violation::new(Invariant::MessageEconomy, &[from, to], detail))
    }

    /// A message arrives, and the receiver takes it next.
    pub fn received(&mut self, cluster: &Cluster, message: &Message) {
        let (from, to) = (message.from, message.to);
        self.exchanged(to, from).received += 1;
        let Some(node) = cluster.get(to).filter(|node| node.leads() == message.term) else { return };
        let end = node.view.last.index;
        let Some(leader) = self.leader(to, node) else { return };
        let known = leader.members.get_or(from, || Member::UNKNOWN);
        match &message.body {
            Body::AppendAccepted { index } if *index <= end => known.accepted(*index, end),
            Body::AppendRejected { index, .. } => known.refused(*index),
            Body::HeartbeatResponse { .. } => known.reasons += 1,
            // Nothing else answers what a leader sends of its own accord.
            Body::AppendAccepted { .. }
            | Body::Propose { .. }
            | Body::Append { .. }
            | Body::Heartbeat { .. }
            | Body::RequestPreVote { .. }
            | Body::PreVoteResponse { .. }
            | Body::RequestVote { .. }
            | Body::VoteResponse { .. }
            | Body::InstallSnapshot { .. }
            | Body::TransferLeader
            | Body::TimeoutNow
            | Body::ReadIndex { .. }
            | Body::ReadIndexResponse { .. } => {}
        }
    }

    /// The clock of a node ticked.
    pub fn ticked(all: &mut Shared<Self>, id: NodeId, node: &Node) {
        if node.leads().is_some()
            && let Some(leader) = all.leader(id, node)
        {
            leader.ticks += 1;
        }
    }

    /// A leader is asked for something about a member, and may therefore send it an append, or more.
    pub fn has_reason(&mut self, id: NodeId, peer: NodeId) {
        let leader = slot(&mut self.leaders, id.get() - 1).as_mut();
        if let Some(member) = leader.and_then(|leader| leader.members.get_mut(peer)) {
            member.in_vain = 0;
        }
    }

    /// The configuration of a leader changed.
    pub fn configured(&mut self, id: NodeId) {
        if let Some(leader) = slot(&mut self.leaders, id.get() - 1) {
            leader.members.values_mut().for_each(Member::start_over);
        }
    }

    /// A node hands out messages.
    pub fn hands_out(all: &mut Shared<Self>, id: NodeId, node: &Node, messages: &[Message]) {
        if node.leads().is_none() {
            return;
        }
        let Some(leader) = all.leader(id, node) else { return };
        let (last, commit) = (node.view.last.index, node.view.hard_state.commit);
        if (last, commit) != (leader.last, leader.commit) {
            (leader.last, leader.commit) = (last, commit);
            leader.members.values_mut().for_each(|member| member.in_vain = 0);
        }
        let term = leader.term;
        for message in messages.iter().filter(|message| message.term == Some(term)) {
            let member = leader.members.get_or(message.to, || Member::UNKNOWN);
            match &message.body {
                Body::Append { previous, entries, commit } => {
                    member.is_sent(previous.index.plus(entries.len() as u64), *commit);
                }
                Body::InstallSnapshot { snapshot } => member.is_sent(snapshot.id.index, snapshot.id.index),
                Body::Heartbeat { context, .. } => member.heartbeats += u64::from(context.is_empty()),
                // Nothing else is sent of a leader's own accord.
                Body::Propose { .. }
                | Body::AppendAccepted { .. }
                | Body::AppendRejected { .. }
                | Body::HeartbeatResponse { .. }
                | Body::RequestPreVote { .. }
                | Body::PreVoteResponse { .. }
                | Body::RequestVote { .. }
                | Body::VoteResponse { .. }
                | Body::TransferLeader
                | Body::TimeoutNow
                | Body::ReadIndex { .. }
                | Body::ReadIndexResponse { .. } => {}
            }
        }
        leader.members.values_mut().for_each(Member::makes_up);
    }

    /// A leader has handed out a Ready, and all of its messages are known.
    pub fn judge(&self, id: NodeId, node: &Node) -> Check {
        let Some(leader) = node.leads().and_then(|term| self.known(id, term)) else { return Ok(()) };
        let (term, ticks) = (leader.term, leader.ticks);
        for (peer, member) in leader.members.iter() {
            let Member { in_vain, heartbeats, acknowledged, .. } = *member;
            let what = if in_vain > Self::SLACK {
                format!(
                    "{in_vain} appends more than it answered heartbeats; expected at most {} more, since nothing is new since \
                     it acknowledged {acknowledged}",
                    Self::SLACK
                )
            } else if heartbeats > ticks {
                format!("{heartbeats} heartbeats in {ticks} ticks; expected one a tick at most")
            } else {
                continue;
            };
            let detail = format!("node {id} leads term {term} and has sent node {peer} {what}");
            return Err(Violation::new(Invariant::MessageEconomy, &[id, peer], detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use raft::EntryId;

    use super::super::testing::{Bench, breaks, entries, entry, message, node};
    use super::*;

    /// Node 1, which leads term 1, hands out an append to node 2 that ends at entry 4.
    fn appends(bench: &mut Bench) -> Check {
        let previous = EntryId::new(Term(1), Index(2));
        let append = Body::Append { previous, entries: entries(1, 3..=4), commit: Index::ZERO };
        bench.checkers.hands_out(node(1), &[message(1, 2, 1, append)]);
        bench.tracked(1, &[1, 2, 3])
    }

    fn refuses(bench: &mut Bench, index: u64) {
        let refusal = Body::AppendRejected { index: Index(index), hint: EntryId::ZERO };
        bench.checkers.received(&message(2, 1, 1, refusal));
    }

    /// Node 2 refuses the same append again and again, and gets it again and again.
    fn repeats(bench: &mut Bench, rounds: u64) -> Check {
        (0..rounds).try_for_each(|_| {
            refuses(bench, 2);
            appends(bench)
        })
    }

    #[test]
    fn an_append_that_is_repeated_for_as_long_as_it_is_refused_is_found() {
        let mut bench = Bench::led();
        repeats(&mut bench, 9).unwrap();
        breaks(Invariant::MessageEconomy, repeats(&mut bench, 1));
    }

    #[test]
    fn a_leader_that_feels_its_way_back_is_not_taken_for_one_that_repeats_itself() {
        let mut bench = Bench::led();
        for index in (0..40).rev() {
            refuses(&mut bench, index);
            appends(&mut bench).unwrap();
        }
    }

    #[test]
    fn one_append_for_each_heartbeat_that_is_answered_is_all_right() {
        let mut bench = Bench::led();
        for _ in 0..40 {
            bench.checkers.received(&message(2, 1, 1, Body::HeartbeatResponse { context: Bytes::new() }));
            appends(&mut bench).unwrap();
        }
    }

    #[test]
    fn what_is_new_begins_the_count_anew() {
        let news: [fn(&mut Bench); 4] = [
            |bench| bench.append(1, &[entry(1, 5)]).unwrap(),
            |bench| bench.checkers.received(&message(2, 1, 1, Body::AppendAccepted { index: Index(3) })),
            |bench| bench.checkers.transfer_requested(node(1), node(2)),
            |bench| bench.checkers.snapshot_reported(node(1), node(2)),
        ];
        for news in news {
            let mut bench = Bench::led();
            repeats(&mut bench, 9).unwrap();
            news(&mut bench);
            repeats(&mut bench, 8).unwrap();
        }
    }

    #[test]
    fn a_heartbeat_for_which_no_clock_ticked_is_found() {
        let mut bench = Bench::led();
        let heartbeat = || message(1, 2, 1, Body::Heartbeat { commit: Index(0), context: Bytes::new() });
        let mut beats = |ticks| {
            (0..ticks).for_each(|_| bench.checkers.ticked(node(1), None).unwrap());
            bench.checkers.hands_out(node(1), &[heartbeat()]);
            bench.tracked(1, &[1, 2, 3])
        };
        beats(1).unwrap();
        breaks(Invariant::MessageEconomy, beats(0));
    }

    #[test]
    fn a_second_answer_to_one_message_is_found() {
        let mut bench = Bench::led();
        bench.checkers.received(&message(1, 2, 1, Body::Heartbeat { commit: Index(0), context: Bytes::new() }));
        let answer = message(2, 1, 1, Body::HeartbeatResponse { context: Bytes::new() });
        bench.checkers.sent(&answer).unwrap();
        breaks(Invariant::MessageEconomy, bench.checkers.sent(&answer));
    }
}
