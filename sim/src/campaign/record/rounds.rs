//! What a round consists of: how many units of each driver, and which seeds each of them has.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use super::Driver;

/// The most units of a round.
pub const MOST_UNITS: u64 = 1000;

/// The most seeds of a unit.
pub const MOST_SEEDS: u64 = 100_000;

/// The last round there can be.
pub const LAST: u64 = 1_000_000_000;

/// The seeds of a unit, the first `count` of those that no other unit of any round has.
///
/// ```
/// use sim::campaign::record::seeds;
/// assert_eq!(seeds(7, 2, 50), 700_200_000..700_200_050);
/// ```
///
/// # Panics
/// If there is no such round or unit, or `count` is more than [`MOST_SEEDS`].
pub fn seeds(round: u64, unit: u64, count: u64) -> Range<u64> {
    assert!(round <= LAST && unit < MOST_UNITS && count <= MOST_SEEDS, "round {round}, unit {unit}, {count} seeds");
    let first = (round * MOST_UNITS + unit) * MOST_SEEDS;
    first..first + count
}

/// How many units of a driver a round has: `DRIVER=N`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weight {
    /// The driver: none of the first two, which each round has once.
    pub driver: Driver,
    /// How many, from 0 to 100.
    pub units: u64,
}

/// A text that is no weight.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a weight is DRIVER=N with N from 0 to 100, and a driver is explore, bugs, sweep, exhaust or fuzz")]
pub struct WeightError(());

impl FromStr for Weight {
    type Err = WeightError;

    fn from_str(text: &str) -> Result<Self, WeightError> {
        let (name, units) = text.split_once('=').ok_or(WeightError(()))?;
        let mut drivers = Driver::ALL.into_iter().skip(2);
        let driver = drivers.find(|driver| driver.name() == name).ok_or(WeightError(()))?;
        let units = units.parse().ok().filter(|units| *units <= 100).ok_or(WeightError(()))?;
        Ok(Self { driver, units })
    }
}

/// How many units of each driver a round has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weights(BTreeMap<Driver, u64>);

impl Default for Weights {
    fn default() -> Self {
        let usual =
            [(Driver::Explore, 4), (Driver::Bugs, 2), (Driver::Sweep, 1), (Driver::Exhaust, 1), (Driver::Fuzz, 1)];
        Self(usual.into())
    }
}

impl Weights {
    /// Changes one of them.
    pub fn set(&mut self, Weight { driver, units }: Weight) {
        self.0.insert(driver, units);
    }

    /// The units of a round after the first two. Drivers take turns, so that a round that is cut short has some of each.
    ///
    /// ```
    /// use sim::campaign::record::{Driver, Weights};
    /// let mut weights = Weights::default();
    /// for text in ["explore=2", "bugs=0", "exhaust=0", "fuzz=0"] {
    ///     weights.set(text.parse()?);
    /// }
    /// assert_eq!(weights.units(), [Driver::Explore, Driver::Sweep, Driver::Explore]);
    /// # Ok::<(), sim::campaign::record::WeightError>(())
    /// ```
    pub fn units(&self) -> Vec<Driver> {
        let turns = self.0.values().copied().max().unwrap_or(0);
        let turn = |turn| self.0.iter().filter(move |(_, units)| **units > turn).map(|(driver, _)| *driver);
        (0..turns).flat_map(turn).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_units_have_a_seed_in_common() {
        let mut last = 0;
        for (round, unit) in (1..4).flat_map(|round| (0..MOST_UNITS).map(move |unit| (round, unit))) {
            let seeds = seeds(round, unit, MOST_SEEDS);
            assert!(seeds.start >= last, "{round} {unit}");
            last = seeds.end;
        }
        assert!(!seeds(LAST, MOST_UNITS - 1, MOST_SEEDS).is_empty());
    }

    #[test]
    fn what_is_no_weight_is_refused() {
        for wrong in ["", "explore", "explore=", "explore=101", "explore=-1", "canary=2", "corpus=0", "other=1"] {
            assert!(wrong.parse::<Weight>().is_err(), "{wrong}");
        }
        assert_eq!("fuzz=0".parse(), Ok(Weight { driver: Driver::Fuzz, units: 0 }));
    }
}
