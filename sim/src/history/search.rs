//! The full search: is there any order of the operations that explains what the clients were told?
//!
//! From each point of a partial order, every operation may come next that no other one has to precede in real time. What
//! keeps the search short:
//!
//! - Two partial orders of the same operations that lead to the same value have the same future, so only one of them is
//!   followed (Lowe 2017). Neither is one that leads to the same value as another and used up more of the operations
//!   that need not have happened: the other may still do all that it can.
//! - Values that nobody was told of are the same value, and one that was there before is left open until somebody was told.
//! - Of operations that do the same, the one that has to happen earlier comes first: the other can take its place later.
//! - Operations that change nothing come as early as they can, since putting them off helps nobody.

use std::collections::BTreeMap;

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
    let values = Values::that_matter(records);
    let mut calls: Vec<Call> = records.iter().filter_map(|record| Call::new(record, &values)).collect();
    calls.sort_by_key(|call| call.invoked);
    let start = match initial {
        Initial::Value(value) => values.number(value),
        Initial::Any => OPEN,
    };
    Search { required: required(&calls), calls, seen: Seen::default(), budget }.run(start)
}

/// The value before the first operation, while nobody knows it: it is the first that an operation has to find there.
const OPEN: u32 = u32::MAX;

/// Values by number: those that some operation compares with, and one number for all others.
struct Values<'a>(Vec<&'a Bytes>);

impl<'a> Values<'a> {
    fn that_matter(records: &'a [Record]) -> Self {
        let mut values: Vec<&Bytes> = records.iter().filter_map(compared_with).collect();
        values.sort_unstable();
        values.dedup();
        Self(values)
    }

    fn number(&self, value: &Bytes) -> u32 {
        self.0.binary_search(&value).map_or(self.any_other(), |position| position as u32)
    }

    fn any_other(&self) -> u32 {
        u32::try_from(self.0.len()).expect("an operation has one such value at most")
    }
}

/// The value that decides whether an operation can have happened as it was answered.
fn compared_with(record: &Record) -> Option<&Bytes> {
    match (&record.operation, &record.fate) {
        (Operation::Read { .. }, Fate::Answered { answer: Answer::Read(value), .. }) => Some(value),
        (Operation::CompareAndSet { expected, .. }, _) => Some(expected),
        (Operation::Read { .. } | Operation::Write { .. } | Operation::Request { .. } | Operation::Query { .. }, _) => {
            None
        }
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
#[derive(Clone, Copy, PartialEq, Eq)]
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
    fn new(record: &Record, values: &Values<'_>) -> Option<Self> {
        let (until, answer) = match &record.fate {
            Fate::Answered { step, answer } => (*step, Some(answer)),
            Fate::Unknown { until } => (until.unwrap_or(u64::MAX), None),
        };
        let action = match (&record.operation, answer) {
            // What a user's application is asked is about no key of the store: see `search_with`.
            (Operation::Read { .. }, None) | (Operation::Request { .. } | Operation::Query { .. }, _) => return None,
            (Operation::Read { .. }, Some(Answer::Read(value))) => Action::Read(values.number(value)),
            (Operation::Write { value, .. }, None | Some(Answer::Written)) => Action::Write(values.number(value)),
            (Operation::CompareAndSet { expected, value, .. }, None | Some(Answer::CompareAndSet(true))) => {
                Action::Set(values.number(expected), values.number(value))
            }
            (Operation::CompareAndSet { expected, .. }, Some(Answer::CompareAndSet(false))) => {
                Action::Differs(values.number(expected))
            }
            (Operation::Read { .. }, Some(Answer::Written | Answer::CompareAndSet(_) | Answer::Reply(_)))
            | (Operation::Write { .. }, Some(Answer::Read(_) | Answer::CompareAndSet(_) | Answer::Reply(_)))
            | (Operation::CompareAndSet { .. }, Some(Answer::Read(_) | Answer::Written | Answer::Reply(_))) => {
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
    seen: Seen,
    budget: u64,
}

/// The partial orders that were followed: for what each contains that must happen, and the value it leads to, what it
/// contains besides.
#[derive(Default)]
struct Seen {
    besides: BTreeMap<Partial, Vec<Set>>,
    followed: u64,
}

impl Seen {
    /// Whether a partial order is to be followed: none was that leads to the same and contains no more.
    fn is_new(&mut self, (done, value): Partial, required: Set) -> bool {
        let others = self.besides.entry((done & required, value)).or_default();
        let besides = done & !required;
        if others.iter().any(|other| other & !besides == 0) {
            return false;
        }
        others.retain(|other| besides & !other != 0);
        others.push(besides);
        self.followed += 1;
        true
    }
}

impl Search {
    fn run(mut self, start: u32) -> Verdict {
        let mut open: Vec<Partial> = vec![(0, start)];
        while let Some(partial) = open.pop() {
            let partial = self.with_what_changes_nothing(partial);
            if partial.0 & self.required == self.required {
                return Verdict::Linearizable;
            }
            if !self.seen.is_new(partial, self.required) {
                continue;
            }
            if self.seen.followed > self.budget {
                return Verdict::Undecided;
            }
            let done = partial.0;
            // The earliest answer is tried first: it is most often the right one, and a stack gives back the last.
            let mut next = self.one_of_each(done);
            next.sort_by_key(|position| std::cmp::Reverse(self.calls[*position].until));
            let happened = |position: usize| self.happen(position, partial);
            open.extend(next.into_iter().filter_map(|position| Some((done | 1 << position, happened(position)?))));
        }
        Verdict::Impossible
    }

    /// What can come next, without those in whose place another one may come that does the same.
    fn one_of_each(&self, done: Set) -> Vec<usize> {
        let next: Vec<usize> = self.next(done).collect();
        let before_all = self.earliest_end(done, |_| true);
        let yields = |later: usize, earlier: usize| {
            let (other, call) = (&self.calls[earlier], &self.calls[later]);
            let is_as_needed = other.required || !call.required;
            let shuts_out_nothing = other.invoked <= call.invoked.max(before_all);
            let is_first = (other.until, earlier) < (call.until, later);
            other.action == call.action && is_as_needed && shuts_out_nothing && is_first
        };
        let stays = |later: &usize| !next.iter().any(|earlier| yields(*later, *earlier));
        next.iter().copied().filter(stays).collect()
    }

    /// The value after an operation, if it can happen next.
    fn happen(&self, position: usize, (done, value): Partial) -> Option<u32> {
        let action = self.calls[position].action;
        if value != OPEN {
            return action.happen(value);
        }
        // Nothing that was done so far wrote, so that every difference was one from the value that is open.
        let may_be = |found: u32| {
            self.calls_of(done).all(|call| !matches!(call.action, Action::Differs(other) if other == found))
        };
        match action {
            Action::Write(written) => Some(written),
            Action::Read(read) => may_be(read).then_some(read),
            Action::Set(from, to) => may_be(from).then_some(to),
            Action::Differs(_) => Some(OPEN),
        }
    }

    fn calls_of(&self, done: Set) -> impl Iterator<Item = &Call> {
        self.calls.iter().enumerate().filter(move |(position, _)| done & (1 << position) != 0).map(|(_, call)| call)
    }

    /// Adds what can come next, leaves the value as it is, and shuts out nothing that may come as well. Where the value is
    /// open, all that can come next says something of it.
    fn with_what_changes_nothing(&self, (mut done, value): Partial) -> Partial {
        if value == OPEN {
            return (done, value);
        }
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
