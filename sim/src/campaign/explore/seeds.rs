//! Ranges of seeds, and the shares of them that several machines take.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// One of several equal shares of a range: every seed belongs to exactly one of them.
///
/// ```
/// use sim::campaign::explore::Shard;
/// let second: Shard = "2/3".parse()?;
/// assert_eq!(second.of(0..8).collect::<Vec<_>>(), [1, 4, 7]);
/// # Ok::<(), sim::campaign::explore::ShardError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shard {
    /// Counted from 0.
    position: u64,
    count: u64,
}

/// A text that is not of the form `I/N`, with `I` from 1 to `N`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a shard is I/N with I from 1 to N, not {0:?}")]
pub struct ShardError(String);

impl Shard {
    /// The share at this position, counted from 0, of so many. `None` where there are not so many.
    pub const fn at(position: u64, count: u64) -> Option<Self> {
        if position < count { Some(Self { position, count }) } else { None }
    }

    /// Which share it is, counted from 1 as `I/N` counts.
    pub const fn number(self) -> u64 {
        self.position + 1
    }

    /// Of how many shares it is one.
    pub const fn shares(self) -> u64 {
        self.count
    }

    /// The seeds of the range that belong to this share.
    pub fn of(self, seeds: Range<u64>) -> impl Iterator<Item = u64> {
        (0..self.count(&seeds)).map(move |number| self.seed(seeds.start, number))
    }

    /// The seed of this number, counted from 0, in the share of a range that begins with `first`.
    pub(super) const fn seed(self, first: u64, number: u64) -> u64 {
        first + self.position + number * self.count
    }

    /// Which number a seed has in the share of the range that begins with `first`, if it belongs to it.
    pub fn number_of(self, first: u64, seed: u64) -> Option<u64> {
        let beyond = seed.checked_sub(first)?.checked_sub(self.position)?;
        beyond.is_multiple_of(self.count).then(|| beyond / self.count)
    }

    /// How many seeds of the range belong to this share.
    ///
    /// ```
    /// use sim::campaign::explore::Shard;
    /// let third: Shard = "3/3".parse()?;
    /// assert_eq!((third.count(&(0..8)), third.count(&(0..2)), third.count(&(0..u64::MAX))), (2, 0, u64::MAX / 3));
    /// # Ok::<(), sim::campaign::explore::ShardError>(())
    /// ```
    pub fn count(self, seeds: &Range<u64>) -> u64 {
        let all = seeds.end.saturating_sub(seeds.start);
        all.saturating_sub(self.position).div_ceil(self.count)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.position + 1, self.count)
    }
}

impl Default for Shard {
    /// The whole range.
    fn default() -> Self {
        Self { position: 0, count: 1 }
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let wrong = || ShardError(text.to_owned());
        let (number, count) = text.split_once('/').ok_or_else(wrong)?;
        let (number, count): (u64, u64) = (number.parse().map_err(|_| wrong())?, count.parse().map_err(|_| wrong())?);
        number.checked_sub(1).and_then(|position| Self::at(position, count)).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_belongs_to_exactly_one_shard() {
        for count in 1..=5 {
            let shards = (1..=count).map(|number| format!("{number}/{count}").parse::<Shard>().unwrap());
            let counts: Vec<u64> = shards.clone().map(|shard| shard.count(&(10..31))).collect();
            assert_eq!(counts, shards.clone().map(|shard| shard.of(10..31).count() as u64).collect::<Vec<_>>());
            let mut seeds: Vec<u64> = shards.flat_map(|shard| shard.of(10..31)).collect();
            seeds.sort_unstable();
            assert_eq!(seeds, (10..31).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_seed_has_the_number_at_which_it_is_found_in_its_share() {
        let shard: Shard = "2/3".parse().unwrap();
        for (number, seed) in (0..).zip(shard.of(10..40)) {
            assert_eq!(shard.number_of(10, seed), Some(number));
        }
        assert_eq!([9, 10, 12].map(|seed| shard.number_of(10, seed)), [None; 3]);
        assert_eq!((shard.number(), shard.shares()), (2, 3));
    }

    #[test]
    fn a_shard_that_makes_no_sense_is_refused_with_its_text() {
        for wrong in ["", "1", "0/3", "4/3", "a/b", "1/0", "-1/2"] {
            assert_eq!(wrong.parse::<Shard>(), Err(ShardError(wrong.to_owned())));
        }
    }
}
