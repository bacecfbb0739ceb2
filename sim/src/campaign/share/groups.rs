//! Failures that are likely to have one cause: those of one property whose traces shrink to the same kinds of requests, orders and faults.

use std::collections::{BTreeMap, BTreeSet};

use crate::campaign::explore::Failure;
use crate::explain::{Class, Watch, shrink_in};
use crate::trace::{self, Property, Trace};
use crate::world::{Event, EventKind, World};

/// What a trace shrinks to, without what differs from run to run: which kinds of requests, orders and faults are left. How often, in
/// which order, and what hosts and messages do in between, is no part of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shape {
    /// The kinds.
    pub kinds: BTreeSet<EventKind>,
}

/// How many candidates are tried for a shape: a number, so that every machine comes to the same one.
const CANDIDATES: u64 = 6000;

impl Shape {
    /// Shrinks the trace on so many threads, 0 for one on each core; how many events are left, and their shape. `None` where it cannot be
    /// shrunk.
    ///
    /// ```
    /// use sim::campaign::share::Shape;
    /// use sim::trace::{Ending, Header, Trace};
    /// use sim::world::World;
    /// let harmless = Trace { header: Header::new(None), events: Vec::new(), ending: Ending::Completed };
    /// assert_eq!(Shape::of(&World::new(), &harmless, 1), None);
    /// ```
    pub fn of(world: &World, trace: &Trace, threads: usize) -> Option<(usize, Self)> {
        let short = shrink_in(world, trace, threads, &mut Patience { tried: 0 }).ok()?;
        let kinds = short.events.iter().map(Event::kind).filter(|kind| is_a_cause(*kind)).collect();
        Some((short.events.len(), Self { kinds }))
    }
}

/// Whether somebody decides that such an event happens; others follow from it, or are always there.
const fn is_a_cause(kind: EventKind) -> bool {
    matches!(Class::of(kind), Class::Requests | Class::Faults | Class::Others)
}

/// Limits the number of candidates.
struct Patience {
    tried: u64,
}

impl Watch for Patience {
    fn improved(&mut self, _: &Trace) {}

    fn tried(&mut self, _: &'static str, candidates: u64) {
        self.tried = candidates;
    }

    fn enough(&self) -> bool {
        self.tried >= CANDIDATES
    }
}

/// A failure, where its trace is, and what that shrinks to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found<T> {
    /// The failure.
    pub failure: Failure,
    /// Where its trace is, or whatever else is known of it.
    pub trace: T,
    /// What the trace shrinks to, if it was shrunk.
    pub shape: Option<Shape>,
    /// To how many events.
    pub shrunk_to: Option<usize>,
}

/// Failures that are likely to have one cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group<T> {
    /// The property that they broke.
    pub property: Property,
    /// What they shrink to. `None` for those that were not shrunk: they have the same words, apart from numbers.
    pub shape: Option<Shape>,
    /// The failures, the shortest first.
    pub found: Vec<Found<T>>,
}

/// The most traces that are shrunk of those that fail in the same words.
pub const SHRUNK: usize = 12;

/// Groups failures. `shrink` says what the trace of a failure shrinks to; it is asked for the shortest few of those that fail in the same
/// words. The order of the failures does not matter.
pub fn grouped<T>(
    mut failures: Vec<(Failure, T)>,
    mut shrink: impl FnMut(&Failure, &T) -> Option<(usize, Shape)>,
) -> Vec<Group<T>> {
    failures.sort_by_key(|(failure, _)| (failure.events, failure.seed));
    let mut words: Vec<(Property, Option<trace::Failure>, usize)> = Vec::new();
    let mut groups: BTreeMap<(Property, Option<Shape>, usize), Vec<Found<T>>> = BTreeMap::new();
    for (failure, trace) in failures {
        let (property, said) = (failure.property(), trace::Failure::of(&failure.ending));
        let known = words.iter().position(|(of, other, _)| (*of, other) == (property, &said));
        let place = known.unwrap_or_else(|| {
            words.push((property, said, 0));
            words.len() - 1
        });
        let asked = &mut words[place].2;
        *asked += 1;
        let shape = if *asked <= SHRUNK { shrink(&failure, &trace) } else { None };
        let (shrunk_to, shape) = shape.unzip();
        // Those that were shrunk are told apart by what they shrink to, and not by words.
        let by_words = if shape.is_some() { 0 } else { place };
        let group = groups.entry((property, shape.clone(), by_words)).or_default();
        group.push(Found { failure, trace, shape, shrunk_to });
    }
    let groups = groups.into_iter().map(|((property, shape, _), found)| Group { property, shape, found });
    let mut groups: Vec<Group<T>> = groups.collect();
    groups.sort_by_key(|group| (group.property, group.found.first().map(|one| (one.failure.events, one.failure.seed))));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::{Invariant, Violation};
    use crate::trace::Ending;

    fn failure(seed: u64, invariant: Invariant, detail: &str) -> (Failure, ()) {
        let ending = Ending::Violation(Violation::new(invariant, &[], detail).at(9));
        (Failure { seed, events: 1000 - seed, ending, differs: None }, ())
    }

    /// As if a trace shrank to as many kinds as the seed has hundreds.
    fn hundreds(failure: &Failure, (): &()) -> Option<(usize, Shape)> {
        let kinds = EventKind::ALL.into_iter().take((failure.seed / 100) as usize);
        Some((9, Shape { kinds: kinds.collect() }))
    }

    fn seeds<T>(groups: &[Group<T>]) -> Vec<Vec<u64>> {
        groups.iter().map(|group| group.found.iter().map(|one| one.failure.seed).collect()).collect()
    }

    #[test]
    fn failures_of_one_property_and_one_shape_are_a_group_with_the_shortest_first() {
        let all = vec![
            failure(101, Invariant::VoteOnce, "node 1 voted twice"),
            failure(201, Invariant::VoteOnce, "node 2 voted twice"),
            failure(102, Invariant::VoteOnce, "otherwise said"),
            failure(103, Invariant::LogMatching, "logs differ"),
        ];
        let other_order: Vec<_> = all.iter().rev().cloned().collect();
        let groups = grouped(all, hundreds);
        assert_eq!(seeds(&groups), [vec![201], vec![102, 101], vec![103]]);
        assert_eq!(grouped(other_order, hundreds), groups);
    }

    #[test]
    fn only_the_shortest_few_in_the_same_words_are_shrunk() {
        let all = (101..115).map(|seed| failure(seed, Invariant::VoteOnce, &format!("node {seed} voted twice")));
        let mut asked = Vec::new();
        let groups = grouped(all.collect(), |failure, found| {
            asked.push(failure.seed);
            hundreds(failure, found)
        });
        assert_eq!(asked, (103..115).rev().collect::<Vec<_>>());
        assert_eq!(seeds(&groups), [asked, vec![102, 101]]);
        assert_eq!(groups.iter().map(|group| group.shape.is_some()).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn without_shrinking_failures_are_grouped_by_their_words() {
        let all = vec![
            failure(1, Invariant::VoteOnce, "node 1 voted twice"),
            failure(2, Invariant::VoteOnce, "node 2 voted twice"),
            failure(3, Invariant::VoteOnce, "otherwise said"),
        ];
        assert_eq!(seeds(&grouped(all, |_, ()| None)), [vec![3], vec![2, 1]]);
    }
}
