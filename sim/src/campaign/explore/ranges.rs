//! A set of numbers that are mostly neighbours, such as the seeds that are done.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Numbers as ranges that neither meet nor overlap.
///
/// In JSON it is a list of pairs: the first number of a range, and the one after its last.
///
/// ```
/// use sim::campaign::explore::Ranges;
/// let done = Ranges::from_iter([0, 2, 1, 7]);
/// assert_eq!(done.iter().collect::<Vec<_>>(), [0..3, 7..8]);
/// assert_eq!((done.count(), done.contains(2), done.contains(3)), (4, true, false));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds a number. Returns whether it is new.
    pub fn insert(&mut self, number: u64) -> bool {
        let before = self.0.range(..=number).next_back().map(|(start, end)| (*start, *end));
        if before.is_some_and(|(_, end)| end > number) {
            return false;
        }
        let start = before.filter(|(_, end)| *end == number).map_or(number, |(start, _)| start);
        let next = number.saturating_add(1);
        let end = self.0.remove(&next).unwrap_or(next);
        self.0.insert(start, end);
        true
    }

    /// Whether it has this number.
    pub fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, end)| *end > number)
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// The ranges, the lowest first.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> {
        self.0.iter().map(|(start, end)| *start..*end)
    }

    /// The numbers from 0 to `count` that are not in it, the lowest first.
    pub fn missing(&self, count: u64) -> impl Iterator<Item = u64> + use<> {
        let mut gaps = Vec::new();
        let mut next = 0;
        for Range { start, end } in self.iter() {
            gaps.push(next..start.min(count));
            next = end;
        }
        gaps.push(next..count);
        gaps.into_iter().flatten()
    }
}

impl FromIterator<u64> for Ranges {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut ranges = Self::default();
        for number in numbers {
            ranges.insert(number);
        }
        ranges
    }
}

impl Serialize for Ranges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(u64, u64)>::deserialize(deserializer)?;
        let ends = pairs.windows(2).all(|two| two[0].1 < two[1].0);
        if !ends || pairs.iter().any(|(start, end)| start >= end) {
            return Err(serde::de::Error::custom("ranges are not empty, rise, and do not meet"));
        }
        Ok(Self(pairs.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_set_of_what_was_inserted_and_comes_back_from_json(numbers in prop::collection::vec(0..40u64, 0..60)) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(ranges.insert(number), set.insert(number));
            }
            prop_assert_eq!(ranges.iter().flatten().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(ranges.count(), set.len() as u64);
            let missing: Vec<u64> = (0..30).filter(|number| !set.contains(number)).collect();
            prop_assert_eq!(ranges.missing(30).collect::<Vec<_>>(), missing);
            prop_assert!((0..40).all(|number| ranges.contains(number) == set.contains(&number)));
            let json = serde_json::to_string(&ranges).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ranges>(&json).unwrap(), ranges);
        }
    }

    #[test]
    fn what_is_no_set_of_ranges_is_refused() {
        for wrong in ["[[3,3]]", "[[0,2],[2,4]]", "[[5,6],[0,1]]", "[[1]]"] {
            assert!(serde_json::from_str::<Ranges>(wrong).is_err(), "{wrong}");
        }
    }
}
