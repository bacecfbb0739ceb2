//! Bytes as the writer makes them that etcd uses up to version 3.6. It writes each number that its schema does not make
//! optional, also where it is zero, and some messages whole although they are empty.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use raft::{
    Body, Change, ChangeKind, ConfChange, ConfState, Entry, EntryId, EntryKind, HardState, Message, NodeId, Snapshot,
    Transition,
};

use crate::arbitrary::{conf_change, conf_state, entry, hard_state, message, snapshot};

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// What the writer may do either way, as versions and callers differ.
#[derive(Clone, Copy, Debug)]
struct Habits {
    /// Bytes that are empty and not nil are written.
    empty_bytes: bool,
    /// The snapshot of a message is written in messages of every kind.
    empty_snapshot: bool,
}

impl Habits {
    fn optional(self, field: u64, value: &[u8]) -> Vec<u8> {
        if value.is_empty() && !self.empty_bytes { Vec::new() } else { bytes(field, value) }
    }

    fn entry(self, entry: &Entry) -> Vec<u8> {
        let kind = match entry.kind {
            EntryKind::Normal | EntryKind::RefusedConfChange => 0,
            EntryKind::ConfChange => 1,
            EntryKind::ConfChangeV2 => 2,
        };
        let numbers = [number(1, kind), number(2, entry.term.0), number(3, entry.index.0)].concat();
        [numbers, self.optional(4, &entry.data)].concat()
    }

    fn snapshot(self, snapshot: &Snapshot) -> Vec<Vec<u8>> {
        vec![self.optional(1, &snapshot.data), bytes(2, &metadata(snapshot).concat())]
    }

    fn message(self, message: &Message) -> Vec<u8> {
        let flat = Flat::of(message);
        let mut out = [
            number(1, flat.kind),
            number(2, message.to.get()),
            number(3, message.from.get()),
            number(4, message.term.map_or(0, |term| term.0)),
            number(5, flat.log_term),
            number(6, flat.index),
        ]
        .concat();
        flat.entries.iter().for_each(|entry| out.extend(bytes(7, &self.entry(entry))));
        out.extend(number(8, flat.commit));
        let empty = self.empty_snapshot.then(Snapshot::default);
        let snapshot = flat.snapshot.or(empty);
        snapshot.iter().for_each(|snapshot| out.extend(bytes(9, &self.snapshot(snapshot).concat())));
        out.extend([number(10, u64::from(flat.reject)), number(11, flat.reject_hint)].concat());
        out.extend(self.optional(12, &flat.context));
        // The vote, which only messages to a storage thread have.
        out.extend(number(13, 0));
        out
    }

    fn conf_change(self, change: &ConfChange) -> Vec<u8> {
        match change {
            ConfChange::V1(change) => {
                let step = change.change;
                let numbers = [number(1, 0), number(2, kind(&step)), number(3, node(&step))].concat();
                [numbers, self.optional(4, &change.context)].concat()
            }
            ConfChange::V2(change) => {
                let transition = match change.transition {
                    Transition::Auto => 0,
                    Transition::Implicit => 1,
                    Transition::Explicit => 2,
                };
                let mut out = number(1, transition);
                for step in &change.changes {
                    out.extend(bytes(2, &[number(1, kind(step)), number(2, node(step))].concat()));
                }
                out.extend(self.optional(3, &change.context));
                out
            }
        }
    }
}

fn kind(step: &Change) -> u64 {
    match step.kind {
        ChangeKind::AddVoter => 0,
        ChangeKind::Remove => 1,
        ChangeKind::Update => 2,
        ChangeKind::AddLearner => 3,
    }
}

fn node(step: &Change) -> u64 {
    step.node.map_or(0, NodeId::get)
}

fn conf_state_fields(conf_state: &ConfState) -> Vec<Vec<u8>> {
    let lists = [&conf_state.voters, &conf_state.learners, &conf_state.voters_outgoing, &conf_state.learners_next];
    let mut fields = Vec::new();
    for (field, nodes) in (1..).zip(lists) {
        fields.extend(nodes.iter().map(|node| number(field, node.get())));
    }
    fields.push(number(5, u64::from(conf_state.auto_leave)));
    fields
}

fn metadata(snapshot: &Snapshot) -> Vec<Vec<u8>> {
    let conf_state = bytes(1, &conf_state_fields(&snapshot.conf_state).concat());
    vec![conf_state, number(2, snapshot.id.index.0), number(3, snapshot.id.term.0)]
}

fn hard_state_bytes(hard_state: &HardState) -> Vec<u8> {
    let vote = hard_state.vote.map_or(0, NodeId::get);
    [number(1, hard_state.term.0), number(2, vote), number(3, hard_state.commit.0)].concat()
}

/// The one flat message of the schema.
#[derive(Default)]
struct Flat {
    kind: u64,
    log_term: u64,
    index: u64,
    entries: Vec<Entry>,
    commit: u64,
    snapshot: Option<Snapshot>,
    reject: bool,
    reject_hint: u64,
    context: Bytes,
}

impl Flat {
    fn of(message: &Message) -> Self {
        let at = |kind, id: &EntryId| Self { kind, log_term: id.term.0, index: id.index.0, ..Self::default() };
        let reads = |context: &Bytes| vec![Entry { data: context.clone(), ..Entry::default() }];
        match &message.body {
            Body::Propose { entries } => Self { kind: 2, entries: entries.clone(), ..Self::default() },
            Body::Append { previous, entries, commit } => {
                Self { entries: entries.clone(), commit: commit.0, ..at(3, previous) }
            }
            Body::AppendAccepted { index } => Self { kind: 4, index: index.0, ..Self::default() },
            Body::AppendRejected { index, hint } => Self {
                kind: 4,
                index: index.0,
                log_term: hint.term.0,
                reject: true,
                reject_hint: hint.index.0,
                ..Self::default()
            },
            Body::RequestVote { last, transfer } => {
                Self { context: if *transfer { "CampaignTransfer" } else { "" }.into(), ..at(5, last) }
            }
            Body::VoteResponse { granted } => Self { kind: 6, reject: !granted, ..Self::default() },
            Body::InstallSnapshot { snapshot } => {
                Self { kind: 7, snapshot: Some((**snapshot).clone()), ..Self::default() }
            }
            Body::Heartbeat { commit, context } => {
                Self { kind: 8, commit: commit.0, context: context.clone(), ..Self::default() }
            }
            Body::HeartbeatResponse { context } => Self { kind: 9, context: context.clone(), ..Self::default() },
            Body::TransferLeader => Self { kind: 13, ..Self::default() },
            Body::TimeoutNow => Self { kind: 14, ..Self::default() },
            Body::ReadIndex { context } => Self { kind: 15, entries: reads(context), ..Self::default() },
            Body::ReadIndexResponse { index, context } => {
                Self { kind: 16, index: index.0, entries: reads(context), ..Self::default() }
            }
            Body::RequestPreVote { last } => at(17, last),
            Body::PreVoteResponse { granted } => Self { kind: 18, reject: !granted, ..Self::default() },
        }
    }
}

fn habits() -> impl Strategy<Value = Habits> {
    any::<(bool, bool)>().prop_map(|(empty_bytes, empty_snapshot)| Habits { empty_bytes, empty_snapshot })
}

/// The fields in two pieces, each in its order.
fn torn(fields: &[Vec<u8>], first: &[bool]) -> [Vec<u8>; 2] {
    let piece = |wanted: bool| {
        let chosen = fields.iter().zip(first.iter().cycle()).filter(|(_, first)| **first == wanted);
        chosen.flat_map(|(field, _)| field.clone()).collect()
    };
    [piece(true), piece(false)]
}

/// The snapshot with the membership, the metadata and itself in two pieces each, as fields with these numbers.
fn torn_snapshot(field: u64, snapshot: &Snapshot, first: &[bool]) -> Vec<u8> {
    let fields = |number: u64, pieces: [Vec<u8>; 2]| pieces.map(|piece| bytes(number, &piece)).to_vec();
    let conf_state = fields(1, torn(&conf_state_fields(&snapshot.conf_state), first));
    let numbers = [number(2, snapshot.id.index.0), number(3, snapshot.id.term.0)];
    let metadata = fields(2, torn(&[conf_state, numbers.to_vec()].concat(), &first[1..]));
    let whole = [vec![bytes(1, &snapshot.data)], metadata].concat();
    fields(field, torn(&whole, &first[2..])).concat()
}

proptest! {
    #[test]
    fn messages_mean_what_they_mean_in_this_writing(message in message(), habits in habits()) {
        let read = Message::decode(&habits.message(&message));
        prop_assert_eq!(&read, &Message::decode(&message.encode()));
        prop_assert_eq!(read, Ok(message));
    }

    #[test]
    fn entries_and_states_mean_what_they_mean_in_this_writing(
        entry in entry(),
        hard_state in hard_state(),
        conf_state in conf_state(),
        snapshot in snapshot(),
        habits in habits(),
    ) {
        prop_assert_eq!(Entry::decode(&habits.entry(&entry)), Ok(entry));
        prop_assert_eq!(HardState::decode(&hard_state_bytes(&hard_state)), Ok(hard_state));
        prop_assert_eq!(ConfState::decode(&conf_state_fields(&conf_state).concat()), Ok(conf_state));
        prop_assert_eq!(Snapshot::decode(&habits.snapshot(&snapshot).concat()), Ok(snapshot));
    }

    #[test]
    fn membership_changes_mean_what_they_mean_in_this_writing(change in conf_change(), habits in habits()) {
        let (kind, _) = change.encode();
        let entry = Entry { kind, data: habits.conf_change(&change).into(), ..Entry::default() };
        prop_assert_eq!(entry.conf_change(), Ok(Some(change)));
    }

    #[test]
    fn what_comes_in_two_pieces_is_put_together(snapshot in snapshot(), first in vec(any::<bool>(), 3..12)) {
        let [from, to] = [1, 2].map(|number| NodeId::new(number).unwrap());
        let head = [number(1, 7), number(2, 2), number(3, 1), number(4, 5)].concat();
        let read = Message::decode(&[head, torn_snapshot(9, &snapshot, &first)].concat());
        let body = Body::InstallSnapshot { snapshot: Box::new(snapshot) };
        prop_assert_eq!(read, Ok(Message { from, to, term: Some(raft::Term(5)), body }));
    }

    #[test]
    fn of_a_number_that_comes_twice_the_last_counts(one in hard_state(), other in hard_state(), before in entry(), after in entry()) {
        let twice = [hard_state_bytes(&one), hard_state_bytes(&other)].concat();
        prop_assert_eq!(HardState::decode(&twice), Ok(other));
        let habits = Habits { empty_bytes: true, empty_snapshot: false };
        prop_assert_eq!(Entry::decode(&[habits.entry(&before), habits.entry(&after)].concat()), Ok(after));
    }
}

#[test]
fn a_message_without_a_term_means_the_same_with_the_term_written_as_zero() {
    let [from, to] = [1, 2].map(|number| NodeId::new(number).unwrap());
    let habits = Habits { empty_bytes: false, empty_snapshot: true };
    for body in [
        Body::TimeoutNow,
        Body::Propose { entries: vec![Entry::default()] },
        Body::AppendAccepted { index: Default::default() },
    ] {
        let message = Message { from, to, term: None, body };
        assert_eq!(Message::decode(&habits.message(&message)), Ok(message));
    }
}

#[test]
fn an_entry_that_says_that_it_is_normal_is_normal() {
    let written = Entry::decode(&[0x08, 0, 0x10, 1, 0x18, 2, 0x22, 1, b'x']).unwrap();
    assert_eq!(written, Entry::decode(&[0x10, 1, 0x18, 2, 0x22, 1, b'x']).unwrap());
    assert_eq!((written.kind, &written.data[..]), (EntryKind::Normal, &b"x"[..]));
}

#[test]
fn the_number_of_an_enumeration_has_32_bits() {
    let long = |value: u64| [number(1, value), number(2, 1)].concat();
    assert_eq!(Entry::decode(&long(1 << 32 | 2)).map(|entry| entry.kind), Ok(EntryKind::ConfChangeV2));
    assert!(Entry::decode(&long(u64::MAX)).is_err(), "minus one is no type");
}
