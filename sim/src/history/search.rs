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
    match search_order(initial, records, budget) {
        Ok(_) => Verdict::Linearizable,
        Err(verdict) => verdict,
    }
}

/// The same, with the order that it found: positions of records. What nobody was told of is in it where the answers need it.
///
/// # Errors
/// There is none, or none was found.
pub fn search_order(initial: &Initial, records: &[Record], budget: u64) -> Result<Vec<usize>, Verdict> {
    if records.len() > Record::SEARCHABLE {
        return Err(Verdict::Undecided);
    }
    let values = Values::that_matter(records);
    let numbered = records.iter().enumerate();
    let mut calls: Vec<Call> = numbered.filter_map(|(position, record)| Call::new(position, record, &values)).collect();
    calls.sort_by_key(|call| call.invoked);
    let start = match initial {
        Initial::Value(value) => values.number(value),
        Initial::Any => OPEN,
    };
    Search { required: required(&calls), calls, seen: Seen::default(), trail: Vec::new(), budget }.run(start)
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
    /// The position of its record.
    record: usize,
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
    fn new(position: usize, record: &Record, values: &Values<'_>) -> Option<Self> {
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
        Some(Self { record: position, invoked: record.invoked, until, required: answer.is_some(), action })
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
    /// How each partial order that was followed came about.
    trail: Vec<Way>,
    budget: u64,
}

/// How a partial order came about.
#[derive(Clone, Copy)]
struct Way {
    /// The one that it goes on from, by its position in the trail; none for the first.
    from: Option<usize>,
    /// The operation that comes next, if one does, …
    next: Option<usize>,
    /// … and all operations that are in it then, with those that change nothing.
    done: Set,
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
    fn run(mut self, start: u32) -> Result<Vec<usize>, Verdict> {
        let mut open: Vec<(Partial, Option<usize>, Option<usize>)> = vec![((0, start), None, None)];
        while let Some((partial, from, next)) = open.pop() {
            let partial = self.with_what_changes_nothing(partial);
            let done = partial.0;
            let way = Way { from, next, done };
            if done & self.required == self.required {
                return Ok(self.order(way));
            }
            if !self.seen.is_new(partial, self.required) {
                continue;
            }
            if self.seen.followed > self.budget {
                return Err(Verdict::Undecided);
            }
            let here = Some(self.trail.len());
            self.trail.push(way);
            // The earliest answer is tried first: it is most often the right one, and a stack gives back the last.
            let mut next = self.one_of_each(done);
            next.sort_by_key(|position| std::cmp::Reverse(self.calls[*position].until));
            let happened = |position: usize| Some((done | 1 << position, self.happen(position, partial)?));
            open.extend(next.into_iter().filter_map(|position| Some((happened(position)?, here, Some(position)))));
        }
        Err(Verdict::Impossible)
    }

    /// The records of the operations in the order that led here. What changes nothing follows what comes before it, by invocation.
    fn order(&self, last: Way) -> Vec<usize> {
        let mut ways: Vec<Way> =
            std::iter::successors(Some(last), |way| way.from.map(|from| self.trail[from])).collect();
        ways.reverse();
        let mut done = 0;
        let mut order = Vec::new();
        for way in ways {
            order.extend(way.next);
            let idle = way.done & !done & !way.next.map_or(0, |position| 1 << position);
            order.extend((0..self.calls.len()).filter(|position| idle & (1 << position) != 0));
            done = way.done;
        }
        order.into_iter().map(|position| self.calls[position].record).collect()
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
