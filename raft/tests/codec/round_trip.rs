//! What is written is read back.

use proptest::collection::vec;
use proptest::prelude::*;
use raft::{Body, ConfState, Entry, EntryKind, HardState, Message, NodeId, Snapshot, Term};

use crate::arbitrary::{conf_change, conf_state, entry, hard_state, message, snapshot};

proptest! {
    #[test]
    fn messages_read_back_as_written(message in message()) {
        prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn encoding_into_a_buffer_appends_the_same_bytes(message in message(), before in vec(any::<u8>(), 0..20)) {
        let mut out = before.clone();
        message.encode_into(&mut out);
        prop_assert_eq!(out, [before, message.encode()].concat());
    }

    #[test]
    fn states_read_back_as_written(hard in hard_state(), conf in conf_state(), snapshot in snapshot()) {
        prop_assert_eq!(HardState::decode(&hard.encode()), Ok(hard));
        prop_assert_eq!(ConfState::decode(&conf.encode()), Ok(conf));
        prop_assert_eq!(Snapshot::decode(&snapshot.encode()), Ok(snapshot));
    }

    #[test]
    fn entries_read_back_as_written_and_are_as_long_as_they_say(entry in entry()) {
        let bytes = entry.encode();
        prop_assert_eq!(bytes.len() as u64, entry.encoded_size());
        prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
    }

    #[test]
    fn membership_changes_read_back_as_written(change in conf_change()) {
        let (kind, data) = change.encode();
        let entry = Entry { kind, data, ..Entry::default() };
        prop_assert_eq!(entry.conf_change(), Ok(Some(change)));
    }

    #[test]
    fn unknown_fields_are_skipped(message in message(), unknown in vec(unknown_field(), 0..4), at_end in any::<bool>()) {
        let (unknown, known) = (unknown.concat(), message.encode());
        let bytes = if at_end { [known, unknown].concat() } else { [unknown, known].concat() };
        prop_assert_eq!(Message::decode(&bytes), Ok(message));
    }
}

/// Fields that raftpb's `Message` does not have, in each way that a field can be written; 13 and 14 are those of local
/// messages.
fn unknown_field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![13 << 3, 0x96, 0x01]),
        Just(vec![14 << 3 | 2, 2, 0xff, 0xff]),
        Just(vec![15 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8]),
        Just(vec![15 << 3 | 5, 1, 2, 3, 4]),
        Just(vec![0x83, 0x01, 0x08, 0x05, 0x83, 0x01, 0x84, 0x01, 0x12, 0x01, 0xff, 0x84, 0x01]),
    ]
}

#[test]
fn the_data_of_an_entry_that_changes_nothing_is_not_looked_at() {
    for kind in [EntryKind::Normal, EntryKind::RefusedConfChange] {
        let entry = Entry { kind, data: "no change".into(), ..Entry::default() };
        assert_eq!(entry.conf_change(), Ok(None));
    }
}

#[test]
fn an_empty_change_leaves_the_joint_configuration() {
    let entry = Entry { kind: EntryKind::ConfChangeV2, ..Entry::default() };
    assert_eq!(entry.conf_change(), Ok(Some(raft::ConfChange::V2(Default::default()))));
}

#[test]
fn a_written_term_of_zero_is_no_term() {
    let [from, to] = [1, 2].map(|number| NodeId::new(number).unwrap());
    for body in
        [Body::Propose { entries: Vec::new() }, Body::ReadIndex { context: Default::default() }, Body::TimeoutNow]
    {
        let message = Message { from, to, term: Some(Term::ZERO), body };
        assert_eq!(Message::decode(&message.encode()), Ok(Message { term: None, ..message }));
    }
}

#[test]
fn the_entry_in_the_place_of_a_refused_change_counts_its_type_and_is_a_normal_one_to_its_readers() {
    let refused = Entry { term: Term(1), kind: EntryKind::RefusedConfChange, ..Entry::default() };
    let normal = Entry { kind: EntryKind::Normal, ..refused.clone() };
    assert_eq!(refused.encode(), [0x08, 0, 0x10, 1, 0x18, 0]);
    assert_eq!((refused.encoded_size(), normal.encoded_size()), (6, 4));
    assert_eq!(Entry::decode(&refused.encode()), Ok(normal));
}
