//! Old failures: which of them run first, and which are kept where there are too many.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Driver, Unit};

/// How many traces of failures a record keeps.
pub const KEPT: usize = 100;

/// What is known of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// Whether it failed when it last ran.
    pub fails: bool,
    /// How many events it has.
    pub events: u64,
    /// The round that found it.
    pub round: u64,
}

/// A trace that is run again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Old {
    /// Its name in the record.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What is known of it.
    pub known: Known,
}

/// Puts traces in the order in which they run: those that failed when they last ran, then the short ones, then the old ones. Where there are
/// too many, the last are the first to go.
pub fn in_order(traces: &mut [Old]) {
    traces.sort_by(|one, other| {
        let key = |old: &Old| (Reverse(old.known.fails), old.known.events, old.known.round);
        key(one).cmp(&key(other)).then_with(|| one.name.cmp(&other.name))
    });
}

/// Takes note of what a unit says of traces.
pub(super) fn note(known: &mut BTreeMap<String, Known>, unit: &Unit) {
    if unit.driver == Driver::Corpus {
        known.values_mut().for_each(|known| known.fails = false);
    }
    for failed in &unit.failures {
        let Some(name) = &failed.trace else { continue };
        let new = Known { fails: true, events: failed.events, round: unit.round };
        known.entry(name.clone()).or_insert(new).fails = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Failed;
    use super::*;

    fn unit(round: u64, driver: Driver, failures: &[(&str, u64)]) -> Unit {
        let failed = |(trace, events): &(&str, u64)| Failed {
            property: "vote-once".to_owned(),
            said: String::new(),
            events: *events,
            seed: None,
            trace: Some((*trace).to_owned()),
        };
        Unit { failures: failures.iter().map(failed).collect(), ..Unit::new("a", round, driver, "") }
    }

    #[test]
    fn what_fails_comes_first_then_the_short_and_then_the_old() {
        let mut known = BTreeMap::new();
        note(&mut known, &unit(1, Driver::Explore, &[("gone", 5), ("long", 90)]));
        note(&mut known, &unit(2, Driver::Explore, &[("newer", 9), ("older", 9)]));
        note(&mut known, &unit(3, Driver::Corpus, &[("long", 80), ("newer", 9)]));
        note(&mut known, &unit(4, Driver::Sweep, &[("newest", 9)]));
        let mut all: Vec<Old> =
            known.into_iter().map(|(name, known)| Old { name, path: PathBuf::new(), known }).collect();
        in_order(&mut all);
        let names: Vec<&str> = all.iter().map(|old| &*old.name).collect();
        assert_eq!(names, ["newer", "newest", "long", "gone", "older"]);
    }
}
