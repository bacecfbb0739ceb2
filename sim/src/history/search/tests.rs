//! The search against all orders of small histories, and against histories with known faults.

use proptest::prelude::*;

use super::*;
use crate::history::testing::{answered, compare_and_set, read, record, unknown, write};

const ENOUGH: u64 = 100_000;

fn verdict(records: &[Record]) -> Verdict {
    search(&Initial::empty(), records, ENOUGH)
}

#[test]
fn histories_that_one_copy_explains_are_linearizable() {
    let histories = [
        vec![],
        vec![
            record(write("a"), 1, answered(2, Answer::Written)),
            record(read(), 3, answered(4, Answer::Read("a".into()))),
        ],
        // Two writes at the same time, seen in either order.
        vec![
            record(write("a"), 1, answered(9, Answer::Written)),
            record(write("b"), 1, answered(9, Answer::Written)),
            record(read(), 2, answered(3, Answer::Read("b".into()))),
            record(read(), 4, answered(5, Answer::Read("a".into()))),
        ],
        // A write without an answer may take effect much later.
        vec![
            record(write("a"), 1, unknown(None)),
            record(write("b"), 2, answered(3, Answer::Written)),
            record(read(), 4, answered(5, Answer::Read("b".into()))),
            record(read(), 6, answered(7, Answer::Read("a".into()))),
        ],
        vec![
            record(compare_and_set("", "a"), 1, unknown(None)),
            record(compare_and_set("", "b"), 2, answered(3, Answer::CompareAndSet(false))),
            record(compare_and_set("a", "c"), 4, answered(5, Answer::CompareAndSet(true))),
        ],
        // What changes nothing must not shut out a write that can only take effect before it.
        vec![
            record(write("a"), 1, unknown(Some(5))),
            record(compare_and_set("a", "b"), 4, answered(9, Answer::CompareAndSet(true))),
            record(compare_and_set("c", "d"), 6, answered(8, Answer::CompareAndSet(false))),
        ],
    ];
    for history in histories {
        assert_eq!(verdict(&history), Verdict::Linearizable, "{history:?}");
    }
}

#[test]
fn histories_with_a_fault_are_not() {
    let written = |step| answered(step, Answer::Written);
    let reads = |step, value: &'static str| answered(step, Answer::Read(value.into()));
    let histories = [
        ("a lost write", vec![record(write("a"), 1, written(2)), record(read(), 3, reads(4, ""))]),
        (
            "a stale read",
            vec![
                record(write("a"), 1, written(2)),
                record(write("b"), 3, written(4)),
                record(read(), 5, reads(6, "a")),
            ],
        ),
        (
            "reads that go back",
            vec![record(write("a"), 1, written(9)), record(read(), 2, reads(3, "a")), record(read(), 4, reads(5, ""))],
        ),
        (
            "a write that took effect twice",
            vec![
                record(write("a"), 1, written(2)),
                record(write("b"), 3, written(4)),
                record(read(), 5, reads(6, "b")),
                record(read(), 7, reads(8, "a")),
            ],
        ),
        (
            "writes in another order for one than for the other",
            vec![
                record(write("a"), 1, written(9)),
                record(write("b"), 1, written(9)),
                record(read(), 10, reads(11, "a")),
                record(read(), 12, reads(13, "b")),
            ],
        ),
        ("a value out of nowhere", vec![record(read(), 1, reads(2, "a"))]),
        ("a read of the future", vec![record(read(), 1, reads(2, "a")), record(write("a"), 3, written(4))]),
        (
            "two that set the same value",
            vec![
                record(compare_and_set("", "a"), 1, answered(9, Answer::CompareAndSet(true))),
                record(compare_and_set("", "b"), 1, answered(9, Answer::CompareAndSet(true))),
            ],
        ),
        (
            "an unknown write that took effect when it no longer could",
            vec![
                record(write("a"), 1, unknown(Some(4))),
                record(write("b"), 5, written(6)),
                record(read(), 7, reads(8, "a")),
            ],
        ),
    ];
    for (fault, history) in histories {
        assert_eq!(verdict(&history), Verdict::Impossible, "{fault}");
    }
}

#[test]
fn what_was_there_before_may_be_left_open() {
    let history = [
        record(compare_and_set("x", "y"), 1, answered(2, Answer::CompareAndSet(false))),
        record(read(), 3, answered(4, Answer::Read("a".into()))),
    ];
    assert_eq!(search(&Initial::Any, &history, ENOUGH), Verdict::Linearizable);
    assert_eq!(search(&Initial::Value("a".into()), &history, ENOUGH), Verdict::Linearizable);
    assert_eq!(verdict(&history), Verdict::Impossible);
    let twice =
        [("a", 5), ("b", 7)].map(|(value, step)| record(read(), step, answered(step + 1, Answer::Read(value.into()))));
    assert_eq!(search(&Initial::Any, &twice, ENOUGH), Verdict::Impossible);
}

#[test]
fn writes_that_nobody_saw_are_not_told_apart() {
    let unseen = ["c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let written = unseen.map(|value| record(write(value), 1, answered(9, Answer::Written)));
    let lost = unseen.map(|value| record(write(value), 1, unknown(None)));
    let impossible = record(read(), 10, answered(11, Answer::Read("b".into())));
    let history: Vec<Record> = written.into_iter().chain(lost).chain([impossible]).collect();
    assert_eq!(search(&Initial::Any, &history, 50), Verdict::Impossible);
}

#[test]
fn a_search_ends_with_its_budget() {
    let values = ["c", "d", "e", "f", "g", "h", "i", "j"];
    let writes = values.map(|value| record(write(value), 1, answered(9, Answer::Written)));
    let reads = values.map(|value| record(read(), 1, answered(9, Answer::Read(value.into()))));
    let impossible = record(read(), 10, answered(11, Answer::Read("b".into())));
    let history: Vec<Record> = writes.into_iter().chain(reads).chain([impossible]).collect();
    assert_eq!(search(&Initial::empty(), &history, 100), Verdict::Undecided);
    assert_eq!(search(&Initial::empty(), &history, ENOUGH), Verdict::Impossible);
    let too_many = vec![record(read(), 1, answered(2, Answer::Read("".into()))); Record::SEARCHABLE + 1];
    assert_eq!(search(&Initial::empty(), &too_many, 100), Verdict::Undecided);
    assert_eq!(search(&Initial::empty(), &too_many[1..], 100), Verdict::Linearizable);
}

/// A value, of few.
fn value() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "a", "b"])
}

fn any_record() -> impl Strategy<Value = Record> {
    let operation = prop_oneof![
        value().prop_map(|value| (write(value), Answer::Written)),
        value().prop_map(|value| (read(), Answer::Read(value.into()))),
        (value(), value(), any::<bool>())
            .prop_map(|(from, to, succeeded)| (compare_and_set(from, to), Answer::CompareAndSet(succeeded))),
    ];
    (operation, 0..8_u64, 0..5_u64, 0..8_u8).prop_map(|((operation, answer), invoked, length, fate)| {
        let fate = match fate {
            0 => unknown(None),
            1 => unknown(Some(invoked + length)),
            _ => answered(invoked + length, answer),
        };
        record(operation, invoked, fate)
    })
}

/// Whether some order of some of these operations explains all answers: tries them all.
fn some_order_explains(start: Option<&'static str>, records: &[Record]) -> bool {
    fn extend(order: &mut Vec<usize>, explained: &dyn Fn(&[usize]) -> bool, of: usize) -> bool {
        explained(order)
            || (0..of).any(|next| {
                if order.contains(&next) {
                    return false;
                }
                order.push(next);
                let found = extend(order, explained, of);
                order.pop();
                found
            })
    }
    extend(&mut Vec::new(), &|order| explains(start, order, records), records.len())
}

/// Whether this order explains all answers.
fn explains(start: Option<&'static str>, order: &[usize], records: &[Record]) -> bool {
    let all_there =
        (0..records.len()).all(|one| order.contains(&one) || matches!(records[one].fate, Fate::Unknown { .. }));
    let in_real_time = order.iter().enumerate().all(|(position, earlier)| {
        order[position..].iter().all(|later| until(&records[*later]) >= records[*earlier].invoked)
    });
    let starts = start.map_or(vec!["", "a", "b", "something else"], |start| vec![start]);
    all_there && in_real_time && starts.into_iter().any(|start| answers_fit(start, order, records))
}

fn until(record: &Record) -> u64 {
    match record.fate {
        Fate::Answered { step, .. } => step,
        Fate::Unknown { until } => until.unwrap_or(u64::MAX),
    }
}

fn answers_fit(start: &'static str, order: &[usize], records: &[Record]) -> bool {
    let mut held = Bytes::from(start);
    order.iter().all(|position| {
        let Record { operation, fate, .. } = &records[*position];
        let told = match operation {
            Operation::Read { .. } => Answer::Read(held.clone()),
            Operation::Write { value, .. } => {
                held = value.clone();
                Answer::Written
            }
            Operation::CompareAndSet { expected, value, .. } => {
                let succeeded = held == expected;
                held = if succeeded { value.clone() } else { held.clone() };
                Answer::CompareAndSet(succeeded)
            }
            Operation::Request { .. } | Operation::Query { .. } => panic!("{operation} is not for the store"),
        };
        match fate {
            Fate::Unknown { .. } => true,
            Fate::Answered { answer, .. } => told == *answer,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_search_finds_an_order_exactly_where_there_is_one(
        records in prop::collection::vec(any_record(), 0..6),
        start in prop::option::of(value()),
    ) {
        let initial = start.map_or(Initial::Any, |start| Initial::Value(start.into()));
        let expected = if some_order_explains(start, &records) { Verdict::Linearizable } else { Verdict::Impossible };
        prop_assert_eq!(search(&initial, &records, ENOUGH), expected);
        if let Ok(order) = search_order(&initial, &records, ENOUGH) {
            prop_assert!(explains(start, &order, &records), "{:?}", order);
        }
    }
}
