//! The full search: is there any order of the operations that explains what the clients were told?
//!
//! From each point of a partial order, every operation may come next that no other one has to precede in real time. Two
//! partial orders of the same operations that lead to the same value have the same future, so each such pair is visited
//! once: that is what keeps the search short (Lowe 2017). Operations that change nothing come as early as they can, since
//! putting them off helps nobody.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::operation::{Answer, Fate, Operation, Record};

/// What the key held before the first operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Initial {
    /// This value.
    Value(Bytes),
    /// Nobody knows.
    Any,
}

impl Initial {
    /// A key that was never written.
    pub const fn empty() -> Self {
        Self::Value(Bytes::new())
    }
}

/// What a search found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Some order explains all answers.
    Linearizable,
    /// No order does.
    Impossible,
    /// The budget was spent, or there are more than [`Record::SEARCHABLE`] operations.
    Undecided,
}

impl Record {
    /// The largest number of operations that [`search`] takes.
    pub const SEARCHABLE: usize = 128;
}

/// Looks for an order of these operations, all on one key, that explains all answers. The budget is the number of partial
/// orders that it visits at most.
pub fn search(initial: &Initial, records: &[Record], budget: u64) -> Verdict {
    if records.len() > Record::SEARCHABLE {
        return Verdict::Undecided;
    }
    let mut values = Values::default();
    let mut calls: Vec<Call> = records.iter().filter_map(|record| Call::new(record, &mut values)).collect();
    calls.sort_by_key(|call| call.invoked);
    let starts = match initial {
        Initial::Value(value) => vec![values.number(value)],
        // Any value that is mentioned, or one that is not.
        Initial::Any => (0..=values.count()).collect(),
    };
    Search { required: required(&calls), calls, seen: BTreeSet::new(), budget }.run(starts)
}

/// Values by number.
#[derive(Default)]
struct Values<'a>(BTreeMap<&'a Bytes, u32>);

impl<'a> Values<'a> {
    fn number(&mut self, value: &'a Bytes) -> u32 {
        let next = self.count();
        *self.0.entry(value).or_insert(next)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).expect("an operation has two values at most")
    }
}

/// An operation as the search needs it.
struct Call {
    invoked: u64,
    /// The last step at which it can take effect.
    until: u64,
    /// Whether it must be in the order.
    required: bool,
    action: Action,
}

/// What an operation does to the value.
#[derive(Clone, Copy)]
enum Action {
    Write(u32),
    Read(u32),
    /// From, to.
    Set(u32, u32),
    /// The value was not this one.
    Differs(u32),
}

impl Call {
    /// Nothing for an operation that nobody knows the answer of and that changes nothing.
    fn new<'a>(record: &'a Record, values: &mut Values<'a>) -> Option<Self> {
        let (until, answer) = match &record.fate {
            Fate::Answered { step, answer } => (*step, Some(answer)),
            Fate::Unknown { until } => (until.unwrap_or(u64::MAX), None),
        };
        let action = match (&record.operation, answer) {
            (Operation::Read { .. }, None) => return None,
            (Operation::Read { .. }, Some(Answer::Read(value))) => Action::Read(values.number(value)),
            (Operation::Write { value, .. }, None | Some(Answer::Written)) => Action::Write(values.number(value)),
            (Operation::CompareAndSet { expected, value, .. }, None | Some(Answer::CompareAndSet(true))) => {
                Action::Set(values.number(expected), values.number(value))
            }
            (Operation::CompareAndSet { expected, .. }, Some(Answer::CompareAndSet(false))) => {
                Action::Differs(values.number(expected))
            }
            (Operation::Read { .. }, Some(Answer::Written | Answer::CompareAndSet(_)))
            | (Operation::Write { .. }, Some(Answer::Read(_) | Answer::CompareAndSet(_)))
            | (Operation::CompareAndSet { .. }, Some(Answer::Read(_) | Answer::Written)) => {
                panic!("the answer is none to the question: {record}")
            }
        };
        Some(Self { invoked: record.invoked, until, required: answer.is_some(), action })
    }
}

impl Action {
    /// Whether it leaves any value as it is, where it can happen. A write of the same value does so only now.
    const fn is_idle(self) -> bool {
        match self {
            Self::Write(_) => false,
            Self::Read(_) | Self::Differs(_) => true,
            Self::Set(from, to) => from == to,
        }
    }

    /// The value afterwards, if this can happen to the value before.
    fn happen(self, value: u32) -> Option<u32> {
        match self {
            Self::Write(written) => Some(written),
            Self::Read(read) => (value == read).then_some(value),
            Self::Set(from, to) => (value == from).then_some(to),
            Self::Differs(other) => (value != other).then_some(value),
        }
    }
}

/// A set of operations, by their positions.
type Set = u128;

fn required(calls: &[Call]) -> Set {
    calls.iter().enumerate().filter(|(_, call)| call.required).fold(0, |set, (position, _)| set | 1 << position)
}

/// The operations that are in a partial order, and the value that it leads to.
type Partial = (Set, u32);

struct Search {
    /// By invocation.
    calls: Vec<Call>,
    required: Set,
    seen: BTreeSet<Partial>,
    budget: u64,
}

impl Search {
    fn run(mut self, starts: Vec<u32>) -> Verdict {
        let mut open: Vec<Partial> = starts.into_iter().map(|start| (0, start)).collect();
        while let Some(partial) = open.pop() {
            let partial = self.with_what_changes_nothing(partial);
            if partial.0 & self.required == self.required {
                return Verdict::Linearizable;
            }
            if !self.seen.insert(partial) {
                continue;
            }
            if self.seen.len() as u64 > self.budget {
                return Verdict::Undecided;
            }
            let (done, value) = partial;
            // The earliest answer is tried first: it is most often the right one, and a stack gives back the last.
            let mut next: Vec<usize> = self.next(done).collect();
            next.sort_by_key(|position| std::cmp::Reverse(self.calls[*position].until));
            let happened = |position: usize| self.calls[position].action.happen(value);
            open.extend(next.into_iter().filter_map(|position| Some((done | 1 << position, happened(position)?))));
        }
        Verdict::Impossible
    }

    /// Adds what can come next, leaves the value as it is, and shuts out nothing that may come as well.
    fn with_what_changes_nothing(&self, (mut done, value): Partial) -> Partial {
        loop {
            let before_all = self.earliest_end(done, |_| true);
            let idle = |call: &Call| call.required && call.action.is_idle() && call.action.happen(value).is_some();
            let fits = |position: &usize| self.calls[*position].invoked <= before_all && idle(&self.calls[*position]);
            let found = self.next(done).filter(fits).fold(0, |set, position| set | 1 << position);
            if found == 0 {
                return (done, value);
            }
            done |= found;
        }
    }

    /// The operations that can come next: those that were invoked before any other that must come was answered, and can
    /// still take effect after all that were invoked so far.
    fn next(&self, done: Set) -> impl Iterator<Item = usize> + use<'_> {
        let end = self.earliest_end(done, |call| call.required);
        let last = if done == 0 { 0 } else { self.calls[done.ilog2() as usize].invoked };
        let in_time = self.open(done).take_while(move |(_, call)| call.invoked <= end);
        in_time.filter(move |(_, call)| call.until >= last).map(|(position, _)| position)
    }

    /// The earliest last step of those operations that are not in the order. What is invoked after it cannot end before it.
    fn earliest_end(&self, done: Set, of: impl Fn(&Call) -> bool) -> u64 {
        let mut earliest = u64::MAX;
        for (_, call) in self.open(done) {
            if call.invoked > earliest {
                break;
            }
            if of(call) {
                earliest = earliest.min(call.until);
            }
        }
        earliest
    }

    /// The operations that are not in the order, by invocation.
    fn open(&self, done: Set) -> impl Iterator<Item = (usize, &Call)> {
        let all_before = done.trailing_ones() as usize;
        self.calls.iter().enumerate().skip(all_before).filter(move |(position, _)| done & (1 << position) == 0)
    }
}

#[cfg(test)]
mod tests;
