//! Whatever the bytes are, decoding gives a value or an error that says what is wrong.

use proptest::collection::vec;
use proptest::prelude::*;
use raft::{ConfState, DecodeError, Entry, EntryKind, HardState, Message, Snapshot};

use crate::arbitrary::message;

fn decode_everything(bytes: &[u8]) {
    let _ = Message::decode(bytes);
    let _ = HardState::decode(bytes);
    let _ = ConfState::decode(bytes);
    let _ = Snapshot::decode(bytes);
    let _ = Entry::decode(bytes);
    for kind in [EntryKind::ConfChange, EntryKind::ConfChangeV2] {
        let _ = Entry { kind, data: bytes.to_vec().into(), ..Entry::default() }.conf_change();
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..200)) {
        decode_everything(&bytes);
    }

    #[test]
    fn no_damage_to_a_message_makes_the_decoder_panic(
        message in message(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        kept in any::<prop::sample::Index>(),
    ) {
        let mut bytes = message.encode();
        for (position, value) in damage {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        decode_everything(&bytes);
        decode_everything(&bytes[..kept.index(bytes.len())]);
    }

    #[test]
    fn a_message_cut_off_within_its_last_field_is_an_error(data in vec(any::<u8>(), 1..50), cut in 1..50usize) {
        let bytes = Entry { data: data.into(), ..Entry::default() }.encode();
        let kept = bytes.len() - cut.min(bytes.len() - 5);
        prop_assert_eq!(Entry::decode(&bytes[..kept]), Err(DecodeError::Truncated));
    }
}

/// From node 1 to node 2.
fn message_of_kind(kind: u8) -> [u8; 6] {
    [0x08, kind, 0x10, 2, 0x18, 1]
}

#[test]
fn messages_that_never_leave_their_node_are_refused() {
    for kind in [0, 1, 10, 11, 12, 19, 20, 21, 22, 23] {
        let error = DecodeError::LocalMessage(u64::from(kind));
        assert_eq!(Message::decode(&message_of_kind(kind)), Err(error));
    }
    let unknown = DecodeError::UnknownValue { what: "MessageType", value: 24 };
    assert_eq!(Message::decode(&message_of_kind(24)), Err(unknown));
}

#[test]
fn messages_without_what_they_need_are_refused() {
    assert_eq!(Message::decode(&[0x08, 14, 0x18, 1]), Err(DecodeError::ZeroNode("to")));
    assert_eq!(Message::decode(&[0x08, 14, 0x10, 1]), Err(DecodeError::ZeroNode("from")));
    assert_eq!(Message::decode(&message_of_kind(7)), Err(DecodeError::Missing("snapshot")));
    let missing = DecodeError::Missing("the entry with a read's context");
    assert_eq!(Message::decode(&message_of_kind(15)), Err(missing));
    assert_eq!(Message::decode(&message_of_kind(16)), Err(missing));
}

#[test]
fn malformed_fields_are_refused() {
    let too_long: &[u8] = &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
    let longest: &[u8] = &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let cases: &[(&[u8], DecodeError)] = &[
        (&[0x10], DecodeError::Truncated),
        (&[0x10, 0x80], DecodeError::Truncated),
        (&[0x22, 2, 0], DecodeError::Truncated),
        (&[0x22, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], DecodeError::Truncated),
        (too_long, DecodeError::VarintTooLong),
        (&[0x00, 1], DecodeError::InvalidTag(0)),
        (&[0x7c], DecodeError::InvalidTag(4)),
        (&[0x7e], DecodeError::InvalidTag(6)),
        (&[0x7b, 0x08], DecodeError::Truncated),
        (&[0x79, 1, 2, 3], DecodeError::Truncated),
        (&[0x12, 0], DecodeError::WrongWireType(2)),
        (&[0x20, 0], DecodeError::WrongWireType(4)),
        (&[0x21, 1, 2, 3, 4, 5, 6, 7, 8], DecodeError::WrongWireType(4)),
        (&[0x08, 3], DecodeError::UnknownValue { what: "EntryType", value: 3 }),
    ];
    for (bytes, error) in cases {
        assert_eq!(Entry::decode(bytes), Err(*error), "{bytes:x?}");
    }
    assert_eq!(Entry::decode(longest).map(|entry| entry.term.0), Ok(u64::MAX));
}

#[test]
fn deeply_nested_groups_do_not_exhaust_the_stack() {
    let bytes = vec![0x7b; 1 << 20];
    assert_eq!(Entry::decode(&bytes), Err(DecodeError::Truncated));
}

#[test]
fn a_membership_change_that_says_nothing_known_is_refused() {
    let decode = |kind, data: &'static [u8]| Entry { kind, data: data.into(), ..Entry::default() }.conf_change();
    let change_type = DecodeError::UnknownValue { what: "ConfChangeType", value: 4 };
    let transition = DecodeError::UnknownValue { what: "ConfChangeTransition", value: 3 };
    assert_eq!(decode(EntryKind::ConfChange, &[0x10, 4]), Err(change_type));
    assert_eq!(decode(EntryKind::ConfChangeV2, &[0x12, 2, 0x08, 4]), Err(change_type));
    assert_eq!(decode(EntryKind::ConfChangeV2, &[0x08, 3]), Err(transition));
}

#[test]
fn a_membership_that_names_no_node_is_refused() {
    assert_eq!(ConfState::decode(&[0x08, 0]), Err(DecodeError::ZeroNode("voters")));
    assert_eq!(ConfState::decode(&[0x22, 2, 1, 0]), Err(DecodeError::ZeroNode("learners_next")));
}
