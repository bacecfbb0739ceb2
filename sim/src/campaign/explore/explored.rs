//! The results of many runs, added up as the runs end, and the results of several explorations, added to each other. Neither depends
//! on the order.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use super::{Failure, SeedEnd};
use crate::number::hexadecimal;
use crate::situation::Situations;
use crate::trace::Property;
use crate::world::Statistics;

/// How all the runs of an exploration ended.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Explored {
    /// How many seeds were run to their end.
    pub seeds: u64,
    /// In how many of them a command of a client took effect: a short run may not come so far.
    pub executed: u64,
    /// The sum, without its overflow, of a hash of each seed with the digest of its run. So the digests of two explorations of other
    /// seeds add up to that of both.
    #[serde(with = "hexadecimal")]
    pub digest: u64,
    /// What happened in all of them together.
    pub statistics: Statistics,
    /// In how many runs each situation happened.
    pub reached: Situations,
    /// What was broken.
    #[serde(serialize_with = "write_broken", deserialize_with = "read_broken")]
    pub broken: BTreeMap<Property, Broken>,
}

/// The runs that broke a property.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
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
        self.keep_shortest();
    }

    /// Counts those of other seeds.
    pub fn merge(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.shortest.extend_from_slice(&other.shortest);
        self.keep_shortest();
    }

    fn keep_shortest(&mut self) {
        self.shortest.sort_by_key(|failure| (failure.events, failure.seed));
        self.shortest.truncate(Self::KEPT);
    }
}

impl Explored {
    /// How many seeds failed.
    pub fn failures(&self) -> u64 {
        self.broken.values().map(|broken| broken.seeds).sum()
    }

    /// Counts a run that came to its end.
    pub fn add(&mut self, end: &SeedEnd) {
        self.seeds += 1;
        self.executed += u64::from(end.statistics.executed > 0);
        self.digest = self.digest.wrapping_add(hash(end.seed, end.digest));
        self.statistics.add(&end.statistics);
        self.reached.add_reached(&end.statistics.situations);
        if let Some(failure) = end.failure() {
            self.add_failure(failure);
        }
    }

    /// Counts a run that failed without coming to its end.
    pub fn add_failure(&mut self, failure: Failure) {
        self.broken.entry(failure.property()).or_default().add(failure);
    }

    /// Adds what became of other seeds.
    pub fn merge(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.executed += other.executed;
        self.digest = self.digest.wrapping_add(other.digest);
        self.statistics.add(&other.statistics);
        self.reached.add(&other.reached);
        for (property, broken) in &other.broken {
            self.broken.entry(*property).or_default().merge(broken);
        }
    }
}

/// What a run adds to the digest of an exploration. The seed is a part of it: two seeds that change places are not the same.
fn hash(seed: u64, digest: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..].copy_from_slice(&digest.to_le_bytes());
    xxh3_64(&bytes)
}

/// What is broken, with the name of the property for whoever reads the file.
#[derive(Serialize)]
struct Named<'a> {
    property: Property,
    #[serde(flatten)]
    broken: &'a Broken,
}

fn write_broken<S: Serializer>(broken: &BTreeMap<Property, Broken>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(broken.iter().map(|(property, broken)| Named { property: *property, broken }))
}

fn read_broken<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Property, Broken>, D::Error> {
    let all = Vec::<Broken>::deserialize(deserializer)?;
    let named = all.into_iter().map(|broken| {
        let failure = broken.shortest.first().ok_or("a property that is broken has a failure")?;
        Ok((failure.property(), broken))
    });
    named.collect::<Result<_, &str>>().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Ending;

    fn end(seed: u64, ending: Ending) -> SeedEnd {
        SeedEnd { seed, events: 100 - seed, ending, differs: None, digest: seed, statistics: Statistics::default() }
    }

    fn added(seeds: &[u64]) -> Explored {
        let mut explored = Explored::default();
        seeds.iter().for_each(|seed| explored.add(&end(*seed, Ending::Completed)));
        explored
    }

    #[test]
    fn the_result_is_the_same_whatever_order_seeds_end_in_and_however_they_are_cut() {
        let whole = added(&[0, 1, 2, 3]);
        assert_eq!(added(&[3, 1, 0, 2]), whole);
        let (mut one, mut other) = (added(&[0, 3]), added(&[1, 2]));
        one.merge(&added(&[1, 2]));
        other.merge(&added(&[0, 3]));
        assert_eq!((&one, &other), (&whole, &whole));
    }

    #[test]
    fn the_digest_tells_which_seed_had_which_end() {
        let swapped = |seed: u64| SeedEnd { digest: 1 - seed, ..end(seed, Ending::Completed) };
        let mut explored = Explored::default();
        [0, 1].into_iter().for_each(|seed| explored.add(&swapped(seed)));
        assert_ne!(explored.digest, added(&[0, 1]).digest);
        assert_ne!(added(&[0, 1]).digest, added(&[0, 2]).digest);
    }

    #[test]
    fn a_result_comes_back_from_json() {
        let mut explored = added(&[1, 2]);
        explored.add(&end(3, Ending::Panic("an assertion".to_owned())));
        explored.reached.note(crate::situation::Situation::SplitVote);
        let json = serde_json::to_string(&explored).unwrap();
        assert_eq!(serde_json::from_str::<Explored>(&json).unwrap(), explored, "{json}");
    }

    #[test]
    fn seeds_in_which_a_command_took_effect_are_counted() {
        let mut explored = Explored::default();
        for executed in [0, 2, 1] {
            let mut end = end(executed, Ending::Completed);
            end.statistics.executed = executed;
            explored.add(&end);
        }
        assert_eq!((explored.seeds, explored.executed), (3, 2));
    }

    #[test]
    fn failures_are_counted_by_property_and_only_the_shortest_are_kept() {
        let mut explored = Explored::default();
        let panic = Ending::Panic("an assertion".to_owned());
        for seed in 10..20 {
            let ending = if seed == 12 { Ending::Completed } else { panic.clone() };
            explored.add(&end(seed, ending));
        }
        let broken = &explored.broken[&Property::NoPanic];
        let shortest: Vec<u64> = broken.shortest.iter().map(|failure| failure.seed).collect();
        assert_eq!((explored.seeds, explored.failures(), broken.seeds), (10, 9, 9));
        assert_eq!(shortest, [19, 18, 17]);
    }
}
