//! How far the answers to clients can be explained: the longest prefix of a history that has an order.
//!
//! What has an order still has one if its end is cut off. So there is a longest prefix, and the answer right after it is the first
//! that no order explains.

use super::operation::{Fate, Record};
use super::search::{Initial, Verdict, search_order};
use super::search_any::search_order_with;
use crate::application::Application;

/// A prefix of the history of one key, with an order that explains it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prefix {
    /// The operations in that order, by their positions in the history.
    pub order: Vec<usize>,
    /// The step of the first answer that is not in it; `None` where all of the history has an order.
    pub refuted_at: Option<u64>,
}

impl Prefix {
    /// How many partial orders a search may visit.
    const BUDGET: u64 = 5_000;
    /// How many operations are looked at: the newest.
    const NEWEST: usize = 96;

    /// The longest prefix of these operations, all on one key of the key-value store from its beginning on. Of a long history the
    /// newest part is looked at. A search that is given up counts as if it had found an order.
    ///
    /// ```
    /// use sim::history::{Answer, Fate, Operation, Prefix, Record};
    /// let record = |operation, invoked, step, answer| {
    ///     let fate = Fate::Answered { step, answer };
    ///     Record { client: 1, sequence: 1, operation, invoked, fate }
    /// };
    /// let write = record(Operation::Write { key: 5, value: "new".into() }, 10, 20, Answer::Written);
    /// let stale = record(Operation::Read { key: 5 }, 30, 40, Answer::Read("".into()));
    /// let longest = Prefix::longest(&[write, stale]);
    /// assert_eq!(longest, Prefix { order: vec![0], refuted_at: Some(40) });
    /// ```
    pub fn longest(history: &[Record]) -> Self {
        let start = start(history);
        let is_over = |record: &Record| record.until().is_some_and(|until| start.is_some_and(|start| until <= start));
        let seen = |(position, record): (usize, &Record)| {
            Some((position, record.clone().begun_in(start).filter(|_| !is_over(record))?))
        };
        let (positions, records): (Vec<usize>, Vec<Record>) = history.iter().enumerate().filter_map(seen).unzip();
        let initial = if start.is_none() { Initial::empty() } else { Initial::Any };
        let Self { order, refuted_at } = longest(&records, |records| search_order(&initial, records, Self::BUDGET));
        Self { order: order.into_iter().map(|position| positions[position]).collect(), refuted_at }
    }

    /// The same for operations of a user's application, which is as this model says before the first of them.
    pub fn longest_with(model: &dyn Application, history: &[Record]) -> Self {
        longest(history, |records| search_order_with(model, records, Self::BUDGET as usize))
    }
}

/// The longest prefix for which this search finds that there is no order for the next.
fn longest(records: &[Record], search: impl Fn(&[Record]) -> Result<Vec<usize>, Verdict>) -> Prefix {
    let mut answers: Vec<u64> = records.iter().filter_map(answered_at).collect();
    answers.sort_unstable();
    answers.dedup();
    let order = |answers: &[u64]| search(&until(records, answers));
    let is_explained = |count: usize| !matches!(order(&answers[..count]), Err(Verdict::Impossible));
    let (mut explained, mut refuted) = (0, answers.len() + 1);
    while explained + 1 < refuted {
        let middle = usize::midpoint(explained, refuted);
        if is_explained(middle) { explained = middle } else { refuted = middle }
    }
    Prefix { order: order(&answers[..explained]).unwrap_or_default(), refuted_at: answers.get(explained).copied() }
}

const fn answered_at(record: &Record) -> Option<u64> {
    match record.fate {
        Fate::Answered { step, .. } => Some(step),
        Fate::Unknown { .. } => None,
    }
}

/// Where the newest part of a long history begins.
fn start(history: &[Record]) -> Option<u64> {
    let mut answers: Vec<u64> = history.iter().filter_map(answered_at).collect();
    answers.sort_unstable();
    let before = answers.len().checked_sub(Prefix::NEWEST)?.checked_sub(1)?;
    answers.get(before).copied()
}

/// The records as they stood after the last of these answers: those with a later answer had none yet.
fn until(records: &[Record], answers: &[u64]) -> Vec<Record> {
    let last = answers.last().copied().unwrap_or_default();
    let then = |record: &Record| match answered_at(record) {
        Some(step) if step > last => Record { fate: Fate::Unknown { until: None }, ..record.clone() },
        _ => record.clone(),
    };
    records.iter().map(then).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::operation::{Answer, Operation};
    use super::*;
    use crate::application::Request;

    fn record(operation: Operation, invoked: u64, fate: Fate) -> Record {
        Record { client: 1, sequence: 1, operation, invoked, fate }
    }

    fn write(value: String, invoked: u64, step: u64) -> Record {
        let operation = Operation::Write { key: 0, value: value.into() };
        record(operation, invoked, Fate::Answered { step, answer: Answer::Written })
    }

    fn read(value: String, invoked: u64, step: u64) -> Record {
        record(Operation::Read { key: 0 }, invoked, Fate::Answered { step, answer: Answer::Read(value.into()) })
    }

    /// Each value is written and then read.
    fn well(length: u64) -> Vec<Record> {
        (0..length)
            .flat_map(|number| {
                let (value, step) = (number.to_string(), 10 * number);
                [write(value.clone(), step, step + 1), read(value, step + 2, step + 3)]
            })
            .collect()
    }

    #[test]
    fn a_history_that_has_an_order_is_its_own_longest_prefix() {
        let prefix = Prefix::longest(&well(20));
        assert_eq!(prefix, Prefix { order: (0..40).collect(), refuted_at: None });
        assert_eq!(Prefix::longest(&[]), Prefix { order: Vec::new(), refuted_at: None });
    }

    #[test]
    fn the_prefix_ends_before_the_first_answer_that_nothing_explains() {
        for length in [6, 300] {
            let mut records = well(length);
            let wrong = records.len() - 5;
            let Fate::Answered { answer, .. } = &mut records[wrong].fate else { panic!("it is answered") };
            assert!(matches!(answer, Answer::Read(_)));
            *answer = Answer::Read("0".into());
            let prefix = Prefix::longest(&records);
            assert_eq!(prefix.refuted_at, answered_at(&records[wrong]));
            assert_eq!(prefix.order.last(), Some(&(wrong - 1)), "{prefix:?}");
        }
    }

    /// Counts what it is asked for.
    #[derive(Clone, Debug, Default)]
    struct Count(u64);

    impl Application for Count {
        fn apply(&mut self, _: &Request<'_>) -> Bytes {
            self.0 += 1;
            self.0.to_string().into()
        }

        fn query(&self, _: &[u8]) -> Bytes {
            self.0.to_string().into()
        }

        fn snapshot(&self) -> Bytes {
            self.0.to_string().into()
        }

        fn restore(&mut self, snapshot: &[u8]) {
            self.0 = String::from_utf8_lossy(snapshot).parse().unwrap_or_default();
        }
    }

    #[test]
    fn a_model_of_a_user_explains_as_much_as_it_answers() {
        let asked = |invoked, step, answer: &'static str| {
            let operation = Operation::Request { data: "one more".into() };
            record(operation, invoked, Fate::Answered { step, answer: Answer::Reply(answer.into()) })
        };
        let history = [asked(1, 9, "2"), asked(2, 8, "1"), asked(10, 11, "2"), asked(12, 13, "4")];
        let prefix = Prefix::longest_with(&Count::default(), &history);
        assert_eq!(prefix, Prefix { order: vec![1, 0], refuted_at: Some(11) });
    }

    #[test]
    fn what_was_not_answered_yet_may_explain_what_was() {
        let late = write("late".to_owned(), 1, 90);
        let prefix = Prefix::longest(&[late, read("late".to_owned(), 2, 3), read(String::new(), 4, 5)]);
        assert_eq!(prefix, Prefix { order: vec![0, 1], refuted_at: Some(5) });
    }
}
