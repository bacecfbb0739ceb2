//! What was asked of the node under a number of its own, and what has come of it.

use std::collections::BTreeSet;

use bytes::Bytes;
use raft::{Body, Message, Ready};

/// The prefix of a number. Data of others begins with it only if they got it from us.
const MARK: [u8; 4] = *b"\xf5ask";

/// Numbers proposals and reads, and checks that each takes effect at most once, and not at all if it was taken back or
/// dropped. Proposals take effect in the order in which they joined the loop's queue.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    given: u32,
    /// Numbers up to this one belong to a node that has ended. Its log may hold any of them.
    ended: u32,
    /// Numbers that came in with messages: others may do what they like with them.
    heard: BTreeSet<u32>,
    /// Numbers that must not take effect.
    void: BTreeSet<u32>,
    /// Numbers that took effect: they were appended or sent on, or the index of the read was told.
    effective: BTreeSet<u32>,
    applied: BTreeSet<u32>,
    /// The proposals that joined the loop's queue, in order.
    pub(super) entered: Vec<u32>,
    /// How many of them are up to the last one that was appended, or sent on.
    appended: usize,
    sent_on: usize,
}

impl Ledger {
    /// The next number.
    pub(super) fn number(&mut self) -> u32 {
        self.given += 1;
        self.given
    }

    /// Data that begins with the number that it belongs to.
    pub(super) fn mark(number: u32, data: &[u8]) -> Bytes {
        [&MARK, &number.to_be_bytes()[..], data].concat().into()
    }

    /// A proposal has joined the loop's queue.
    pub(super) fn enter(&mut self, number: u32) {
        assert!(!self.entered.contains(&number), "number {number} joins the queue twice");
        self.entered.push(number);
    }

    /// The node has ended, and another begins with its storage.
    pub(super) fn of_next_node(self) -> Self {
        Self { given: self.given, ended: self.given, heard: self.heard, ..Self::default() }
    }

    /// This number must not take effect any more.
    pub(super) fn void(&mut self, number: u32) {
        assert!(
            !self.effective.contains(&number),
            "number {number} took effect, and its caller is told that it did not"
        );
        self.void.insert(number);
    }

    /// Takes note of the numbers in a message: what comes of them is not the node's doing.
    pub(super) fn hear(&mut self, message: &Message) {
        let bytes = message.encode();
        let marks = bytes.windows(MARK.len() + 4).filter_map(number_of);
        self.heard.extend(marks);
    }

    /// Looks at what the node did.
    pub(super) fn look(&mut self, ready: &Ready) {
        for number in ready.entries.iter().filter_map(|entry| self.own(&entry.data)).collect::<Vec<_>>() {
            self.appended = self.place_after(self.appended, number);
            self.take_effect(number);
        }
        let sent_on = ready.messages.iter().filter_map(|message| {
            let Body::Propose { entries } = &message.body else { return None };
            entries.first().and_then(|entry| self.own(&entry.data))
        });
        for number in sent_on.collect::<Vec<_>>() {
            self.sent_on = self.place_after(self.sent_on, number);
            self.take_effect(number);
        }
        for number in ready.read_states.iter().filter_map(|read| self.own(&read.context)).collect::<Vec<_>>() {
            self.take_effect(number);
        }
        for number in ready.committed_entries.iter().filter_map(|entry| self.own(&entry.data)).collect::<Vec<_>>() {
            assert!(self.applied.insert(number), "number {number} is applied twice");
        }
    }

    /// Where in the queue's order a proposal is, after the first `taken`.
    fn place_after(&self, taken: usize, number: u32) -> usize {
        let ahead = self.entered[taken..].iter().position(|entered| *entered == number);
        taken + 1 + ahead.unwrap_or_else(|| panic!("number {number} takes effect too late, or never joined the queue"))
    }

    fn take_effect(&mut self, number: u32) {
        assert!(!self.void.contains(&number), "number {number} takes effect although it was taken back or dropped");
        assert!(self.effective.insert(number), "number {number} takes effect twice");
    }

    /// The number in this data, if only the node itself can have brought it here.
    fn own(&self, data: &[u8]) -> Option<u32> {
        number_of(data).filter(|number| (self.ended + 1..=self.given).contains(number) && !self.heard.contains(number))
    }
}

fn number_of(data: &[u8]) -> Option<u32> {
    let (number, _) = data.strip_prefix(&MARK)?.split_first_chunk()?;
    Some(u32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use raft::{Entry, NodeId, ReadState};

    use super::*;

    fn entry(number: u32) -> Entry {
        Entry { data: Ledger::mark(number, b"x"), ..Entry::default() }
    }

    fn ready(fill: impl FnOnce(&mut Ready)) -> Ready {
        let mut ready = Ready::default();
        fill(&mut ready);
        ready
    }

    fn appends(numbers: &[u32]) -> Ready {
        ready(|ready| ready.entries = numbers.iter().copied().map(entry).collect())
    }

    fn sends_on(number: u32) -> Ready {
        ready(|ready| ready.messages = vec![proposal(number)])
    }

    fn proposal(number: u32) -> Message {
        let id = NodeId::new(1).expect("not zero");
        Message { from: id, to: id, term: None, body: Body::Propose { entries: vec![entry(number)] } }
    }

    fn reads(number: u32) -> Ready {
        let read = ReadState { context: Ledger::mark(number, b""), index: raft::Index(1) };
        ready(|ready| ready.read_states = vec![read])
    }

    fn after(readys: &[Ready]) -> Ledger {
        let mut ledger = Ledger { given: 9, entered: (1..=8).collect(), ..Ledger::default() };
        readys.iter().for_each(|ready| ledger.look(ready));
        ledger
    }

    #[test]
    fn what_takes_effect_once_and_in_order_is_fine() {
        after(&[appends(&[1, 3]), sends_on(4), reads(5), appends(&[6]), appends(&[10])]);
    }

    #[test]
    #[should_panic(expected = "number 3 takes effect too late, or never joined the queue")]
    fn a_proposal_that_is_appended_twice_is_noticed() {
        after(&[appends(&[1, 3]), appends(&[3])]);
    }

    #[test]
    #[should_panic(expected = "number 1 takes effect too late, or never joined the queue")]
    fn proposals_that_overtake_one_another_are_noticed() {
        after(&[appends(&[2, 1])]);
    }

    #[test]
    #[should_panic(expected = "number 9 takes effect too late, or never joined the queue")]
    fn a_proposal_that_never_joined_the_queue_is_noticed() {
        after(&[appends(&[9])]);
    }

    #[test]
    #[should_panic(expected = "number 3 joins the queue twice")]
    fn a_proposal_that_joins_the_queue_twice_is_noticed() {
        after(&[]).enter(3);
    }

    #[test]
    #[should_panic(expected = "number 3 takes effect twice")]
    fn a_proposal_that_is_appended_and_sent_on_is_noticed() {
        after(&[appends(&[3]), sends_on(3)]);
    }

    #[test]
    #[should_panic(expected = "number 3 takes effect twice")]
    fn a_read_that_is_answered_twice_is_noticed() {
        after(&[reads(3), reads(3)]);
    }

    #[test]
    #[should_panic(expected = "number 3 is applied twice")]
    fn a_proposal_that_is_applied_twice_is_noticed() {
        let applies = ready(|ready| ready.committed_entries = vec![entry(3)]);
        after(&[applies.clone(), applies]);
    }

    #[test]
    #[should_panic(expected = "number 3 takes effect although it was taken back or dropped")]
    fn a_proposal_that_was_taken_back_and_takes_effect_is_noticed() {
        let mut ledger = after(&[]);
        ledger.void(3);
        ledger.look(&appends(&[3]));
    }

    #[test]
    #[should_panic(expected = "number 3 took effect, and its caller is told that it did not")]
    fn a_proposal_that_took_effect_and_is_said_to_be_dropped_is_noticed() {
        after(&[appends(&[3])]).void(3);
    }

    #[test]
    fn what_others_have_heard_and_what_an_earlier_node_did_may_come_again() {
        let mut ledger = after(&[]);
        ledger.hear(&proposal(3));
        (0..2).for_each(|_| ledger.look(&appends(&[3])));
        let mut ledger = ledger.of_next_node();
        (0..2).for_each(|_| ledger.look(&appends(&[4])));
    }
}
