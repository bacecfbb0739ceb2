//! Many shares as one.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Summary, Work};
use crate::campaign::explore::Explored;

/// Shares of one whole, or of several. Merging is a union: it does not matter in which order shares come, in which groups, and
/// whether one comes twice. Of two states of one share that with more seeds counts.
///
/// ```
/// use sim::campaign::share::{Merged, Summary, Work};
/// let work = Work { revision: "a".to_owned(), from: 0, to: 9, shares: 3, options: String::new(), start: None };
/// let share = |text: &str| text.parse().map(|shard| Summary::new(work.clone(), shard));
/// let merged = Merged::from_iter([share("1/3")?, share("3/3")?]);
/// assert_eq!(merged.total(&work).missing().collect::<Vec<_>>(), [2..3]);
/// # Ok::<(), sim::campaign::explore::ShardError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Merged(BTreeMap<Work, BTreeMap<u64, Summary>>);

impl Merged {
    /// Adds a share. Returns whether it counts, which it does unless a state of the same share with more seeds is there.
    pub fn add(&mut self, summary: Summary) -> bool {
        let shares = self.0.entry(summary.work.clone()).or_default();
        match shares.get(&summary.share) {
            Some(found) if rank(found) >= rank(&summary) => false,
            Some(_) | None => {
                shares.insert(summary.share, summary);
                true
            }
        }
    }

    /// Adds all of these.
    pub fn merge(&mut self, other: Self) {
        for summary in other.0.into_values().flat_map(BTreeMap::into_values) {
            self.add(summary);
        }
    }

    /// The work of which there is the most: the most shares, then the most seeds that are done.
    pub fn main(&self) -> Option<&Work> {
        let size = |shares: &BTreeMap<u64, Summary>| {
            let done: u64 = shares.values().map(|summary| summary.done.count()).sum();
            (shares.len(), done)
        };
        // Of equals the first counts.
        self.0.iter().rev().max_by_key(|(_, shares)| size(shares)).map(|(work, _)| work)
    }

    /// All shares of other work than this.
    pub fn others<'a>(&'a self, work: &'a Work) -> impl Iterator<Item = &'a Summary> {
        self.0.iter().filter(move |(other, _)| *other != work).flat_map(|(_, shares)| shares.values())
    }

    /// All shares of this work, added up.
    pub fn total<'a>(&'a self, work: &'a Work) -> Total<'a> {
        let shares: Vec<&Summary> = self.0.get(work).into_iter().flat_map(BTreeMap::values).collect();
        let mut explored = Explored::default();
        shares.iter().for_each(|summary| explored.merge(&summary.explored));
        Total { work, shares, explored }
    }
}

impl FromIterator<Summary> for Merged {
    fn from_iter<I: IntoIterator<Item = Summary>>(summaries: I) -> Self {
        let mut merged = Self::default();
        for summary in summaries {
            merged.add(summary);
        }
        merged
    }
}

/// Which of two states of a share counts. States of one share that have as many seeds are equal, unless runs do not repeat; then the
/// rest makes sure that it does not matter which comes first.
fn rank(summary: &Summary) -> (u64, u64, String) {
    (summary.done.count(), summary.explored.digest, summary.as_json())
}

/// Shares of one work, added up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Total<'a> {
    /// The work.
    pub work: &'a Work,
    /// The shares that are there, by their number.
    pub shares: Vec<&'a Summary>,
    /// What became of all of them.
    pub explored: Explored,
}

impl Total<'_> {
    /// The numbers of the shares that are not there, as ranges.
    pub fn missing(&self) -> impl Iterator<Item = Range<u64>> {
        let ends = self.shares.iter().map(|summary| summary.share).chain([self.work.shares.saturating_add(1)]);
        let mut next = 1;
        ends.filter_map(move |number| {
            let gap = next..number;
            next = number.saturating_add(1);
            (!gap.is_empty()).then_some(gap)
        })
    }

    /// The shares of which some seeds were not run.
    pub fn unfinished(&self) -> impl Iterator<Item = &Summary> {
        self.shares.iter().copied().filter(|summary| !summary.is_complete())
    }

    /// Whether every seed of the range was run.
    pub fn is_complete(&self) -> bool {
        self.missing().next().is_none() && self.unfinished().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::campaign::explore::SeedEnd;
    use crate::trace::Ending;
    use crate::world::Statistics;

    fn work(revision: &str, shares: u64) -> Work {
        Work { revision: revision.to_owned(), from: 5, to: 65, shares, options: String::new(), start: None }
    }

    fn end(seed: u64) -> SeedEnd {
        let ending = if seed.is_multiple_of(7) { Ending::Panic("an assertion".to_owned()) } else { Ending::Completed };
        let mut statistics = Statistics::default();
        statistics.elections = seed;
        SeedEnd { seed, events: 100 - seed, ending, differs: None, digest: seed * seed, statistics }
    }

    /// A share of which so many seeds are done.
    fn share(work: Work, number: u64, done: usize) -> Summary {
        let shard = work.share(number).expect("there is one");
        let mut summary = Summary::new(work, shard);
        shard.of(summary.work.seeds()).take(done).for_each(|seed| summary.add(&end(seed)));
        summary
    }

    fn and(one: &Merged, other: &Merged) -> Merged {
        let mut both = one.clone();
        both.merge(other.clone());
        both
    }

    fn any_shares() -> impl Strategy<Value = Merged> {
        let one = (prop::sample::select(vec!["a", "b"]), 1..=4u64, 0..20usize);
        prop::collection::vec(one, 0..6).prop_map(|all| {
            Merged::from_iter(all.into_iter().map(|(revision, number, done)| share(work(revision, 4), number, done)))
        })
    }

    proptest! {
        #[test]
        fn merging_is_associative_and_free_of_order_and_of_repetition(one in any_shares(), two in any_shares(), three in any_shares()) {
            prop_assert_eq!(and(&and(&one, &two), &three), and(&one, &and(&two, &three)));
            prop_assert_eq!(and(&one, &two), and(&two, &one));
            prop_assert_eq!(and(&one, &one), one);
        }

        #[test]
        fn however_a_range_is_cut_its_shares_add_up_to_the_whole(shares in 1..9u64, order in any::<prop::sample::Index>()) {
            let whole = share(work("a", 1), 1, 60);
            let cut = work("a", shares);
            let first = order.index(shares as usize) as u64;
            let numbers = (0..shares).map(|number| (number + first) % shares + 1);
            let all = Merged::from_iter(numbers.map(|number| share(cut.clone(), number, 60)));
            let total = all.total(&cut);
            prop_assert!(total.is_complete());
            prop_assert_eq!(&total.explored, &whole.explored);
        }
    }

    #[test]
    fn what_is_missing_unfinished_or_other_work_is_named() {
        let main = work("a", 5);
        let all = Merged::from_iter([
            share(main.clone(), 1, 12),
            share(main.clone(), 3, 4),
            share(main.clone(), 3, 9),
            share(work("b", 4), 2, 15),
            share(work("a", 2), 2, 15),
        ]);
        assert_eq!(all.main(), Some(&main));
        let total = all.total(&main);
        assert_eq!(total.missing().collect::<Vec<_>>(), [2..3, 4..6]);
        assert_eq!(total.unfinished().map(|one| (one.share, one.done.count())).collect::<Vec<_>>(), [(3, 9)]);
        assert_eq!((total.explored.seeds, total.is_complete()), (21, false));
        assert_eq!(
            all.others(&main).map(|one| (&*one.work.revision, one.share)).collect::<Vec<_>>(),
            [("a", 2), ("b", 2)]
        );
    }

    #[test]
    fn a_state_with_fewer_seeds_does_not_count_beside_one_with_more() {
        let mut all = Merged::default();
        assert!(all.add(share(work("a", 4), 1, 9)));
        assert!(!all.add(share(work("a", 4), 1, 9)) && !all.add(share(work("a", 4), 1, 4)));
        assert!(all.add(share(work("a", 4), 1, 10)));
    }
}
