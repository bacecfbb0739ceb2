//! Histories of the keys of a user's application, for the full search.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use super::instants::Instants;
use super::operation::{Fate, Record};
use super::search::Verdict;
use super::search_any::search_with;
use crate::application::Application;
use crate::invariant::{Check, Invariant, Violation};

/// The operations on each key, from the beginning on.
///
/// What a user's application holds after some operations is known only where all of them are: a history does not slide on, as
/// the [windows](super::Windows) of the key-value store do. A key is searched again and again until it has more operations than a
/// search takes; then it is left alone.
#[derive(Clone, Debug, Default)]
pub struct KeyedHistories {
    keys: BTreeMap<u64, History>,
}

#[derive(Clone, Debug, Default)]
struct History {
    records: Vec<Record>,
    /// How many were answered since the last search.
    unsearched: usize,
    given_up: bool,
}

impl KeyedHistories {
    /// How many operations of a key are answered before it is searched.
    pub const LENGTH: usize = 32;
    /// How many partial orders a search may visit.
    const BUDGET: usize = 1000;

    /// Takes in an operation when its client was answered or gave it up. Whether the key should be searched now.
    #[must_use]
    pub fn push(&mut self, key: u64, record: Record) -> bool {
        let history = self.keys.entry(key).or_default();
        if history.given_up || history.records.len() >= Record::SEARCHABLE {
            *history = History { given_up: true, ..History::default() };
            return false;
        }
        history.unsearched += usize::from(matches!(record.fate, Fate::Answered { .. }));
        history.records.push(record);
        history.unsearched >= Self::LENGTH
    }

    /// Searches the history of this key, together with the operations on it that are `under_way`.
    ///
    /// # Errors
    /// There is no order that explains all answers of the model.
    pub fn search(&mut self, key: u64, model: &dyn Application, under_way: impl Iterator<Item = Record>) -> Check {
        let history = self.keys.entry(key).or_default();
        history.unsearched = 0;
        let mut records = history.records.clone();
        records.extend(under_way);
        match search_with(model, &records, Self::BUDGET) {
            Verdict::Linearizable | Verdict::Undecided => Ok(()),
            Verdict::Impossible => Err(violation(key, &records)),
        }
    }

    /// The keys that have something to be searched.
    pub fn keys(&self) -> Vec<u64> {
        self.keys.iter().filter(|(_, history)| history.unsearched > 0).map(|(key, _)| *key).collect()
    }
}

impl KeyedHistories {
    /// The steps that are remembered.
    pub(crate) fn steps(&self) -> impl Iterator<Item = u64> {
        let records = self.keys.values().flat_map(|history| &history.records);
        records.flat_map(|record| [Some(record.invoked), record.until()]).flatten()
    }

    /// Feeds a hash with all that a search can find, given the order of the steps.
    pub(crate) fn hash_state(&self, instants: &Instants, state: &mut impl Hasher) {
        for (key, History { records, unsearched, given_up }) in &self.keys {
            (key, records.len(), unsearched, given_up).hash(state);
            records.iter().for_each(|record| record.hash_state(instants, state));
        }
    }
}

fn violation(key: u64, records: &[Record]) -> Violation {
    let mut detail = format!("no order of the operations on key {key} explains their answers; expected one");
    for record in records {
        write!(detail, "; {record}").expect("text takes everything");
    }
    Violation::new(Invariant::Linearizability, &[], detail)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::application::Request;
    use crate::history::{Answer, Operation};

    /// Holds the last thing that it was told.
    #[derive(Clone, Debug, Default)]
    struct Cell(Bytes);

    impl Application for Cell {
        fn apply(&mut self, request: &Request<'_>) -> Bytes {
            std::mem::replace(&mut self.0, request.data.clone())
        }

        fn query(&self, _: &[u8]) -> Bytes {
            self.0.clone()
        }

        fn snapshot(&self) -> Bytes {
            self.0.clone()
        }

        fn restore(&mut self, snapshot: &[u8]) {
            self.0 = Bytes::copy_from_slice(snapshot);
        }
    }

    fn request(client: u64, what: &'static str, invoked: u64, answered: Option<(u64, &'static str)>) -> Record {
        let fate = match answered {
            None => Fate::Unknown { until: None },
            Some((step, answer)) => Fate::Answered { step, answer: Answer::Reply(answer.into()) },
        };
        Record { client, sequence: 1, operation: Operation::Request { data: what.into() }, invoked, fate }
    }

    fn query(client: u64, invoked: u64, step: u64, answer: &'static str) -> Record {
        let fate = Fate::Answered { step, answer: Answer::Reply(answer.into()) };
        Record { client, sequence: 1, operation: Operation::Query { data: Bytes::new() }, invoked, fate }
    }

    fn verdict(records: &[Record]) -> Verdict {
        search_with(&Cell::default(), records, 1000)
    }

    #[test]
    fn answers_that_some_order_explains_are_fine_and_others_are_found() {
        let [a, b] = [request(1, "a", 1, Some((9, ""))), request(2, "b", 2, Some((8, "a")))];
        assert_eq!(verdict(&[a.clone(), b.clone()]), Verdict::Linearizable);
        assert_eq!(verdict(&[a.clone(), b.clone(), query(3, 10, 11, "b")]), Verdict::Linearizable);
        assert_eq!(verdict(&[a.clone(), b.clone(), query(3, 10, 11, "a")]), Verdict::Impossible);
        let late = request(2, "b", 10, Some((11, "")));
        assert_eq!(verdict(&[a, late]), Verdict::Impossible, "what was answered before comes before");
    }

    #[test]
    fn what_nobody_was_told_of_may_have_happened_or_not() {
        let unknown = request(1, "a", 1, None);
        for answer in ["", "a"] {
            assert_eq!(verdict(&[unknown.clone(), query(2, 5, 6, answer)]), Verdict::Linearizable, "{answer}");
        }
        assert_eq!(verdict(&[unknown, query(2, 5, 6, "a"), query(2, 7, 8, "")]), Verdict::Impossible);
    }

    #[test]
    fn a_key_is_searched_when_it_has_many_answers_and_left_alone_when_it_has_too_many() {
        let mut histories = KeyedHistories::default();
        let due: Vec<usize> = (0..Record::SEARCHABLE + 9)
            .filter(|position| {
                let step = 2 * *position as u64;
                let due = histories.push(7, query(1, step, step + 1, ""));
                if due {
                    histories.search(7, &Cell::default(), std::iter::empty()).expect("nothing was written");
                }
                due
            })
            .collect();
        assert_eq!(due, [31, 63, 95, 127]);
        assert!(histories.keys().is_empty(), "it is left alone");
    }
}
