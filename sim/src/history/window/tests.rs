//! Windows of long histories: what one copy of the data does is accepted however they slide, and faults are found.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::history::Operation;
use crate::history::testing::{Happening, KEY, OneCopy, answered, unknown};

fn sequential(step: u64, operation: Operation, answer: Answer) -> Record {
    Record { client: 1, sequence: step, operation, invoked: 2 * step, fate: answered(2 * step + 1, answer) }
}

fn write(step: u64) -> Record {
    let value = Bytes::from(step.to_string());
    sequential(step, Operation::Write { key: KEY, value }, Answer::Written)
}

fn read(step: u64, of: u64) -> Record {
    sequential(step, Operation::Read { key: KEY }, Answer::Read(of.to_string().into()))
}

/// Hands the record over, and searches when it is time, or at the end.
fn push(windows: &mut Windows, record: Record, at_end: bool) -> Check {
    if windows.push(record) || at_end { windows.search(KEY, std::iter::empty()) } else { Ok(()) }
}

#[test]
fn a_stale_read_is_found_wherever_it_is() {
    for position in 2..149 {
        let mut windows = Windows::default();
        let check = (1..300).try_for_each(|step| {
            let record = match step {
                step if step == 2 * position => read(step, step - 3),
                step if step % 2 == 0 => read(step, step - 1),
                step => write(step),
            };
            push(&mut windows, record, step == 299)
        });
        assert_eq!(check.expect_err("the fault is not found").invariant, Invariant::Linearizability, "at {position}");
    }
}

#[test]
fn memory_does_not_grow_with_the_history() {
    let mut windows = Windows::default();
    for step in 1..10_000 {
        push(&mut windows, if step % 2 == 0 { read(step, step - 1) } else { write(step) }, false).unwrap();
        assert!(windows.keys[0].records.len() <= Windows::LENGTH);
    }
    let Searched { linearizable, undecided } = windows.searched();
    assert_eq!((linearizable, undecided), (623, 0));
}

#[test]
fn a_key_with_too_many_unknown_writes_is_given_up() {
    let mut windows = Windows::default();
    for step in 1..1000 {
        push(&mut windows, Record { fate: unknown(None), ..write(step) }, false).unwrap();
    }
    assert!(windows.keys[0].given_up && windows.keys[0].records.is_empty());
    assert_eq!(windows.keys().count(), 0);
}

#[test]
fn a_key_that_others_write_too_is_not_searched() {
    let mut windows = Windows::default();
    windows.give_up(KEY);
    for step in 1..100 {
        push(&mut windows, read(step, 0), false).unwrap();
    }
    assert_eq!(windows.searched(), Searched::default());
}

#[test]
fn unknown_writes_are_forgotten_once_their_client_shows_that_they_are_past() {
    let mut windows = Windows::default();
    for step in 1..1000 {
        let fate = if step % 3 == 0 { answered(2 * step + 1, Answer::Written) } else { unknown(None) };
        push(&mut windows, Record { fate, ..write(step) }, false).unwrap();
    }
    assert!(!windows.keys[0].given_up);
}

proptest! {
    #[test]
    fn what_one_copy_does_is_accepted(choices in prop::collection::vec(any::<(u8, u8)>(), 0..2000)) {
        let mut windows = Windows::default();
        let mut under_way: [Option<Record>; 4] = Default::default();
        for happening in OneCopy::run(&choices) {
            match happening {
                Happening::Applied { .. } => {}
                Happening::Invoked(record) => {
                    let client = record.client as usize;
                    under_way[client] = Some(record);
                }
                Happening::Answered { record, .. } | Happening::GivenUp(record) => {
                    under_way[record.client as usize] = None;
                    if windows.push(record) {
                        windows.search(KEY, under_way.iter().flatten().cloned()).unwrap();
                    }
                }
            }
        }
        // Among so many histories are some for which the search gives up, as it may; none may be called wrong.
        windows.search(KEY, under_way.into_iter().flatten()).unwrap();
    }
}
