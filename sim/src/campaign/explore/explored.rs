//! The results of many runs, folded together as the runs end.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Failure, SeedEnd};
use crate::situation::Situations;
use crate::trace::Property;
use crate::world::Statistics;

/// How all the runs of an exploration ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Explored {
    /// How many seeds were run to their end.
    pub seeds: u64,
    /// In how many of them a command of a client took effect: a short run may not come so far.
    pub executed: u64,
    /// The digests of all runs, hashed in the order of the seeds.
    pub digest: u64,
    /// What happened in all of them together.
    pub statistics: Statistics,
    /// In how many runs each situation happened.
    pub reached: Situations,
    /// What was broken.
    pub broken: BTreeMap<Property, Broken>,
}

/// The runs that broke a property.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Broken {
    /// How many.
    pub seeds: u64,
    /// The shortest of them, the shortest first. Of equally short ones, the one with the lowest seed comes first.
    pub shortest: Vec<Failure>,
}

impl Broken {
    /// The most failures that are kept of a property.
    pub const KEPT: usize = 3;

    /// Counts one more failure.
    pub fn add(&mut self, failure: Failure) {
        self.seeds += 1;
        self.shortest.push(failure);
        self.shortest.sort_by_key(|failure| (failure.events, failure.seed));
        self.shortest.truncate(Self::KEPT);
    }
}

impl Explored {
    /// How many seeds failed.
    pub fn failures(&self) -> u64 {
        self.broken.values().map(|broken| broken.seeds).sum()
    }

    /// Counts a run that failed without coming to its end.
    pub fn add_failure(&mut self, failure: Failure) {
        self.broken.entry(failure.property()).or_default().add(failure);
    }
}

/// Folds ends together in any order. Only the digest depends on the order, so digests wait for their turn.
#[derive(Default)]
pub(super) struct Fold {
    explored: Explored,
    /// The position of the next digest, and the digests that came before their turn.
    next: u64,
    waiting: BTreeMap<u64, u64>,
}

impl Fold {
    /// Adds the run of the seed at this position.
    pub(super) fn add(&mut self, position: u64, end: SeedEnd) {
        self.explored.seeds += 1;
        self.explored.executed += u64::from(end.statistics.executed > 0);
        self.explored.statistics.add(&end.statistics);
        self.explored.reached.add_reached(&end.statistics.situations);
        self.waiting.insert(position, end.digest);
        while let Some(digest) = self.waiting.remove(&self.next) {
            self.explored.hash(digest);
            self.next += 1;
        }
        if let Some(failure) = end.failure() {
            self.explored.add_failure(failure);
        }
    }

    /// The whole result. A position that never came is passed over.
    pub(super) fn finish(mut self) -> Explored {
        self.waiting.into_values().for_each(|digest| self.explored.hash(digest));
        self.explored
    }
}

impl Explored {
    fn hash(&mut self, digest: u64) {
        self.digest = xxh3_64_with_seed(&digest.to_le_bytes(), self.digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Ending;

    fn end(seed: u64, ending: Ending) -> SeedEnd {
        SeedEnd { seed, events: 100 - seed, ending, differs: None, digest: seed, statistics: Statistics::default() }
    }

    fn folded(positions: &[u64]) -> Explored {
        let mut fold = Fold::default();
        positions.iter().for_each(|position| fold.add(*position, end(*position, Ending::Completed)));
        assert!(fold.waiting.len() < positions.len());
        fold.finish()
    }

    #[test]
    fn the_digest_is_that_of_the_order_of_the_seeds_whatever_order_they_end_in() {
        let in_order =
            [0, 1, 2, 3].into_iter().fold(0, |digest: u64, seed: u64| xxh3_64_with_seed(&seed.to_le_bytes(), digest));
        assert_eq!(folded(&[0, 1, 2, 3]).digest, in_order);
        assert_eq!(folded(&[3, 1, 0, 2]), folded(&[0, 1, 2, 3]));
        assert_eq!(folded(&[0, 3, 2]).digest, folded(&[0, 2, 3]).digest, "one that never ends is passed over");
        assert_ne!(folded(&[0, 3, 2]).digest, in_order);
    }

    #[test]
    fn seeds_in_which_a_command_took_effect_are_counted() {
        let mut fold = Fold::default();
        for executed in [0, 2, 1] {
            let mut end = end(executed, Ending::Completed);
            end.statistics.executed = executed;
            fold.add(executed, end);
        }
        let explored = fold.finish();
        assert_eq!((explored.seeds, explored.executed), (3, 2));
    }

    #[test]
    fn failures_are_counted_by_property_and_only_the_shortest_are_kept() {
        let mut fold = Fold::default();
        let panic = Ending::Panic("an assertion".to_owned());
        for (position, seed) in (10..20).enumerate() {
            let ending = if seed == 12 { Ending::Completed } else { panic.clone() };
            fold.add(position as u64, end(seed, ending));
        }
        let explored = fold.finish();
        let broken = &explored.broken[&Property::NoPanic];
        let shortest: Vec<u64> = broken.shortest.iter().map(|failure| failure.seed).collect();
        assert_eq!((explored.seeds, explored.failures(), broken.seeds), (10, 9, 9));
        assert_eq!(shortest, [19, 18, 17]);
    }
}
