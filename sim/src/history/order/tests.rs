//! The fast checker accepts what one copy of the data does, and trips on each fault.

use proptest::prelude::*;

use super::*;
use crate::history::testing::{Happening, KEY, OneCopy};

const CLIENT: u64 = 7;

fn node() -> NodeId {
    NodeId::new(1).unwrap()
}

fn effect(sequence: u64, index: u64) -> TookEffect {
    TookEffect { sequence, index: Index(index), succeeded: true }
}

/// The writes `1` and `2` of the client, at 3 and 5.
fn two_writes() -> AppliedOrder {
    let mut order = AppliedOrder::default();
    for (sequence, index, value) in [(1, 3, "a"), (2, 5, "b")] {
        let command = Command { client: CLIENT, sequence, key: KEY, expected: None, value: value.into() };
        order.applied(Index(index), Some(&command));
    }
    order
}

fn trips(check: Check) {
    assert_eq!(check.expect_err("the fault is not found").invariant, Invariant::Linearizability);
}

#[test]
fn reads_see_what_was_there_at_their_position() {
    for (position, value) in [(2, ""), (3, "a"), (4, "a"), (5, "b"), (9, "b")] {
        two_writes().read(node(), Some(Index(2)), Index(position), KEY, &value.into()).unwrap();
        trips(two_writes().read(node(), Some(Index(2)), Index(position), KEY, &"c".into()));
    }
}

#[test]
fn a_stale_read_is_found_unless_it_is_excused() {
    trips(two_writes().read(node(), Some(Index(5)), Index(4), KEY, &"a".into()));
    two_writes().read(node(), None, Index(4), KEY, &"a".into()).unwrap();
    // Nothing excuses a value that never was there.
    trips(two_writes().read(node(), None, Index(4), KEY, &"b".into()));
}

#[test]
fn a_read_that_goes_back_behind_another_is_found() {
    let mut order = two_writes();
    let floor = order.acknowledged();
    order.read(node(), Some(floor), Index(5), KEY, &"b".into()).unwrap();
    let floor = order.acknowledged();
    trips(order.read(node(), Some(floor), Index(3), KEY, &"a".into()));
}

#[test]
fn an_acknowledged_write_that_is_not_in_the_applied_order_is_found() {
    trips(two_writes().acknowledge(node(), CLIENT, Index(0), &effect(3, 6)));
    trips(two_writes().acknowledge(node(), CLIENT + 1, Index(0), &effect(1, 3)));
}

#[test]
fn a_write_that_takes_effect_twice_is_found() {
    two_writes().acknowledge(node(), CLIENT, Index(3), &effect(2, 5)).unwrap();
    trips(two_writes().acknowledge(node(), CLIENT, Index(3), &effect(2, 6)));
}

#[test]
fn writes_that_change_places_are_found() {
    trips(two_writes().acknowledge(node(), CLIENT, Index(5), &effect(2, 5)));
    trips(two_writes().acknowledge(node(), CLIENT, Index(9), &effect(2, 5)));
}

#[test]
fn a_compare_and_set_that_came_out_otherwise_is_found() {
    let mut order = two_writes();
    let command = Command { client: 1, sequence: 1, key: KEY, expected: Some("a".into()), value: "c".into() };
    order.applied(Index(6), Some(&command));
    let failed = TookEffect { succeeded: false, ..effect(1, 6) };
    trips(order.acknowledge(node(), 1, Index(5), &effect(1, 6)));
    order.acknowledge(node(), 1, Index(5), &failed).unwrap();
    order.read(node(), Some(Index(6)), Index(6), KEY, &"b".into()).unwrap();
}

#[test]
fn a_repeated_command_changes_nothing() {
    let mut order = two_writes();
    let again = Command { client: CLIENT, sequence: 1, key: KEY, expected: None, value: "a".into() };
    order.applied(Index(6), Some(&again));
    order.read(node(), Some(Index(6)), Index(6), KEY, &"b".into()).unwrap();
    order.acknowledge(node(), CLIENT, Index(3), &effect(2, 5)).unwrap();
}

#[test]
fn a_read_that_lags_by_very_much_is_judged_by_its_position() {
    let mut order = AppliedOrder::default();
    for sequence in 1..100 {
        let command = Command { client: CLIENT, sequence, key: KEY, expected: None, value: "v".into() };
        order.applied(Index(sequence), Some(&command));
    }
    assert_eq!(order.keys[0].0.len(), Versions::KEPT);
    order.read(node(), Some(Index(1)), Index(50), KEY, &"whatever".into()).unwrap();
    trips(order.read(node(), Some(Index(51)), Index(50), KEY, &"whatever".into()));
}

proptest! {
    #[test]
    fn what_one_copy_does_is_accepted(choices in prop::collection::vec(any::<(u8, u8)>(), 0..500)) {
        let mut order = AppliedOrder::default();
        let mut floors = [Index::ZERO; 4];
        for happening in OneCopy::run(&choices) {
            match happening {
                Happening::Invoked(record) => floors[record.client as usize] = order.acknowledged(),
                Happening::Applied { index, command } => order.applied(index, Some(&command)),
                Happening::GivenUp(_) => {}
                Happening::Answered { record, at: Ok(effect) } => {
                    order.acknowledge(node(), record.client, floors[record.client as usize], &effect).unwrap();
                }
                Happening::Answered { record, at: Err(position) } => {
                    let crate::history::Fate::Answered { answer: Answer::Read(value), .. } = &record.fate else {
                        panic!("{record} is a read")
                    };
                    let floor = floors[record.client as usize];
                    order.read(node(), Some(floor), position, KEY, value).unwrap();
                }
            }
        }
    }
}
