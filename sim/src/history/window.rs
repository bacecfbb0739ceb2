//! Samples for the full search: for each key the operations of a window of time, which slides on by half its length after
//! each search.
//!
//! A window begins at some step, with a value that nobody knows. What was answered until then is not in it. What was under
//! way then may have taken effect before or after the last operation that is not in it, and in the first case the window
//! must not count it: reads of that kind are left out, and writes may be there or not. So whatever the window leaves out,
//! operations that are linearizable stay so.
//!
//! A write without an answer may take effect at any later time, however the window slides, until its client has had an
//! answer to a later one: commands of a client that come out of order have no effect.

use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use super::instants::Instants;
use super::operation::{Answer, Fate, Record};
use super::search::{Initial, Verdict, search};
use crate::invariant::{Check, Invariant, Violation};
use crate::slots::slot;

/// The operations on each key that are to be searched next, and what became of the searches before.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    keys: Vec<Window>,
    /// For each client, whether some command of it in a window is unknown and can still take effect.
    unbounded: Vec<bool>,
    searched: Searched,
}

/// How many searches there were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Searched {
    /// Searches that found an order.
    pub linearizable: u64,
    /// Searches that were given up.
    pub undecided: u64,
}

#[derive(Clone, Debug, Default)]
struct Window {
    /// The step at which it begins; `None` for the beginning of time, when the key was empty.
    start: Option<u64>,
    /// Answered operations in the order of their answers, and between them unknown ones.
    records: Vec<Record>,
    answered: usize,
    /// The key is not searched any more: it has too many unknown operations, or others than those that are known.
    given_up: bool,
}

impl Windows {
    /// How many operations of a key are answered before it is searched.
    pub const LENGTH: usize = 32;
    /// How many partial orders a search may visit.
    const BUDGET: u64 = 250;

    /// How many searches there were.
    pub const fn searched(&self) -> Searched {
        self.searched
    }

    /// Takes in an operation when its client was answered or gave it up. Whether the key should be searched now.
    #[must_use]
    pub fn push(&mut self, record: Record) -> bool {
        let Some(key) = record.operation.key() else { return false };
        match (record.operation.is_read(), &record.fate) {
            (true, Fate::Unknown { .. }) => return false,
            (true, Fate::Answered { .. }) => {}
            (false, fate) => self.bound(record.client, fate),
        }
        slot(&mut self.keys, key).push(record)
    }

    /// An answer to a command ends the time in which earlier unknown ones of the client can take effect.
    fn bound(&mut self, client: u64, fate: &Fate) {
        let unbounded = slot(&mut self.unbounded, client);
        match fate {
            Fate::Unknown { .. } => *unbounded = true,
            Fate::Answered { .. } if !*unbounded => {}
            Fate::Answered { step, .. } => {
                *unbounded = false;
                let records = self.keys.iter_mut().flat_map(|window| &mut window.records);
                for record in records.filter(|record| record.client == client) {
                    if let Fate::Unknown { until: until @ None } = &mut record.fate {
                        *until = Some(*step);
                    }
                }
            }
        }
    }

    /// Searches the window of this key, together with the operations on it that are `under_way`, and lets it slide.
    ///
    /// # Errors
    /// There is no order that explains all answers.
    pub fn search(&mut self, key: u64, under_way: impl Iterator<Item = Record>) -> Check {
        let window = slot(&mut self.keys, key);
        let mut records = window.records.clone();
        records.extend(under_way);
        match search(&window.initial(), &records, Self::BUDGET) {
            Verdict::Linearizable => self.searched.linearizable += 1,
            Verdict::Undecided => self.searched.undecided += 1,
            Verdict::Impossible => return Err(violation(key, &records)),
        }
        window.slide();
        Ok(())
    }

    /// Stops searching this key: it is written by others than those whose operations are known.
    pub fn give_up(&mut self, key: u64) {
        slot(&mut self.keys, key).give_up();
    }

    /// The keys that have something to be searched.
    pub fn keys(&self) -> impl Iterator<Item = u64> + use<> {
        let keys = self.keys.iter().enumerate().filter(|(_, window)| window.answered > 0 && !window.given_up);
        keys.map(|(key, _)| key as u64).collect::<Vec<_>>().into_iter()
    }
}

/// How many searches there were is left out.
impl Windows {
    /// The steps that are remembered.
    pub(crate) fn steps(&self) -> impl Iterator<Item = u64> {
        let of_record = |record: &Record| [Some(record.invoked), record.until()];
        let of_window = move |window: &Window| {
            let records: Vec<_> = window.records.iter().flat_map(of_record).collect();
            records.into_iter().chain([window.start])
        };
        self.keys.iter().flat_map(of_window).flatten()
    }

    /// Feeds a hash with all that a search can find, given the order of the steps.
    pub(crate) fn hash_state(&self, instants: &Instants, state: &mut impl Hasher) {
        let Self { keys, unbounded, searched: _ } = self;
        (keys.len(), unbounded).hash(state);
        for Window { start, records, answered, given_up } in keys {
            (start.map(|start| instants.rank(start)), records.len(), answered, given_up).hash(state);
            records.iter().for_each(|record| record.hash_state(instants, state));
        }
    }
}

impl Window {
    fn push(&mut self, record: Record) -> bool {
        if self.given_up {
            return false;
        }
        if let Some(record) = record.begun_in(self.start) {
            self.answered += usize::from(matches!(record.fate, Fate::Answered { .. }));
            self.records.push(record);
        }
        if self.records.len() > Record::SEARCHABLE {
            self.give_up();
        }
        self.answered >= Windows::LENGTH
    }

    fn give_up(&mut self) {
        *self = Self { given_up: true, ..Self::default() };
    }

    fn initial(&self) -> Initial {
        if self.start.is_none() { Initial::empty() } else { Initial::Any }
    }

    /// Forgets the older half.
    fn slide(&mut self) {
        let steps = self.records.iter().filter_map(|record| match &record.fate {
            Fate::Answered { step, .. } => Some(*step),
            Fate::Unknown { .. } => None,
        });
        let half = (Windows::LENGTH - 1) / 2;
        let Some(start) = steps.clone().nth(half).or(steps.last()) else { return };
        self.start = Some(start);
        self.records = std::mem::take(&mut self.records)
            .into_iter()
            .filter(|record| record.until().is_none_or(|until| until > start))
            .filter_map(|record| record.begun_in(self.start))
            .collect();
        self.answered = self.records.iter().filter(|record| matches!(record.fate, Fate::Answered { .. })).count();
    }
}

fn violation(key: u64, records: &[Record]) -> Violation {
    let mut detail = format!("no order of the operations on k{key} explains their answers; expected one");
    for record in records {
        write!(detail, "; {record}").expect("text takes everything");
    }
    Violation::new(Invariant::Linearizability, &[], detail)
}

impl Record {
    /// The last step at which it can have taken effect.
    pub(super) const fn until(&self) -> Option<u64> {
        match self.fate {
            Fate::Answered { step, .. } => Some(step),
            Fate::Unknown { until } => until,
        }
    }

    /// Feeds a hash with what it says, given the order of the steps.
    pub(super) fn hash_state(&self, instants: &Instants, state: &mut impl Hasher) {
        let Self { client, sequence, operation, invoked, fate } = self;
        (client, sequence, operation, instants.rank(*invoked)).hash(state);
        match fate {
            Fate::Answered { step, answer } => (0, instants.rank(*step), answer).hash(state),
            Fate::Unknown { until } => (1, until.map(|until| instants.rank(until))).hash(state),
        }
    }

    /// The operation as a window with this start sees it, if it does.
    pub(super) fn begun_in(self, start: Option<u64>) -> Option<Self> {
        if start.is_none_or(|start| self.invoked > start) {
            return Some(self);
        }
        let until = self.until();
        let changed_nothing = matches!(self.fate, Fate::Answered { answer: Answer::CompareAndSet(false), .. });
        let may_change = !self.operation.is_read() && !changed_nothing;
        may_change.then_some(Self { fate: Fate::Unknown { until }, ..self })
    }
}

#[cfg(test)]
mod tests;
