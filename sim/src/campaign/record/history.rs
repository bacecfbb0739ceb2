//! What the lines of a record come to: revision by revision, in the order in which they first ran.

use std::collections::BTreeMap;

use super::old::{Known, note};
use super::{Driver, Failed, Took, Unit};

/// A record, added up.
///
/// Only rounds count whose canary was caught, or in which there was none because the build has no planted bugs. What failed is a failure in
/// any round.
///
/// ```
/// use sim::campaign::record::{Driver, History, Hunted, Unit};
/// let mut history = History::default();
/// let canary = |round, caught: Option<&str>| {
///     let bug = Some(Hunted { name: "a-bug".to_owned(), caught: caught.map(str::to_owned) });
///     Unit { bug, ..Unit::new("abc", round, Driver::Canary, "") }
/// };
/// for unit in [canary(1, Some("vote-once")), canary(2, None)] {
///     let explored = Unit { seeds: 10, ..Unit::new("abc", unit.round, Driver::Explore, "") };
///     history.add(&unit);
///     history.add(&explored);
/// }
/// let revision = history.of("abc").expect("it ran");
/// assert_eq!(revision.ran[&Driver::Explore].seeds, 10);
/// assert_eq!((revision.canaries.caught, revision.canaries.missed), (1, 1));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// The revisions.
    pub revisions: Vec<Revision>,
    /// The traces that failed at any revision, by their names.
    pub traces: BTreeMap<String, Known>,
    round: u64,
    /// Whether the round counts. Not yet, before its canary.
    counts: bool,
    /// What ran in the round before its canary.
    before: Vec<Unit>,
}

/// What ran at a revision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revision {
    /// The revision.
    pub revision: String,
    /// What became of the canaries.
    pub canaries: Canaries,
    /// What each driver did.
    pub ran: BTreeMap<Driver, Ran>,
    /// What failed, each trace once: the short ones first, then the old ones.
    pub failures: Vec<Broken>,
    /// How long each situation took, of those that were met.
    pub met: BTreeMap<String, Took>,
    /// How long each planted bug took, the canaries left out.
    pub bugs: BTreeMap<String, Search>,
    /// The exhaustive searches, by their bounds.
    pub searched: BTreeMap<String, Searched>,
}

/// How many rounds there were, by what became of their canaries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Canaries {
    /// Rounds that count.
    pub caught: u64,
    /// Rounds that count for nothing.
    pub missed: u64,
    /// Rounds without a canary, which count.
    pub none: u64,
    /// Rounds that ended before their canary, which count for nothing.
    pub unfinished: u64,
}

/// What a driver did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Ran {
    /// How many units.
    pub units: u64,
    /// How many seeds.
    pub seeds: u64,
    /// How many events.
    pub events: u64,
}

/// What failed, who found it, and when.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Broken {
    /// The round.
    pub round: u64,
    /// Who found it.
    pub driver: Driver,
    /// What failed.
    #[serde(flatten)]
    pub failed: Failed,
}

/// The search for a planted bug, over many units, up to the first catch.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Search {
    /// What caught it; `None` if nothing did yet.
    pub caught: Option<String>,
    /// How long that took, or how long it was not caught.
    #[serde(flatten)]
    pub took: Took,
    /// How many units looked for it, also after the catch.
    pub units: u64,
}

/// An exhaustive search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Searched {
    /// How many units did it, each with more states than the one before.
    pub units: u64,
    /// Whether all states within the bounds were met.
    pub whole: bool,
}

impl History {
    /// Adds what comes next in the record.
    pub fn add(&mut self, unit: &Unit) {
        note(&mut self.traces, unit);
        if unit.round != self.round {
            (self.round, self.counts) = (unit.round, false);
            self.before.clear();
            self.at(&unit.revision).canaries.unfinished += 1;
        }
        self.at(&unit.revision).add_failures(unit);
        match (unit.driver, self.counts) {
            (Driver::Canary, _) => self.add_canary(unit),
            (_, true) => self.at(&unit.revision).count(unit),
            (_, false) => self.before.push(unit.clone()),
        }
    }

    fn add_canary(&mut self, unit: &Unit) {
        let canaries = &mut self.at(&unit.revision).canaries;
        canaries.unfinished -= 1;
        let is_missed = unit.bug.as_ref().is_some_and(|bug| bug.caught.is_none());
        *match &unit.bug {
            Some(_) if is_missed => &mut canaries.missed,
            Some(_) => &mut canaries.caught,
            None => &mut canaries.none,
        } += 1;
        if is_missed {
            return;
        }
        self.counts = true;
        for before in std::mem::take(&mut self.before) {
            self.at(&before.revision).count(&before);
        }
        self.at(&unit.revision).count(unit);
    }

    fn at(&mut self, revision: &str) -> &mut Revision {
        let place = self.revisions.iter().position(|known| known.revision == revision).unwrap_or_else(|| {
            self.revisions.push(Revision { revision: revision.to_owned(), ..Revision::default() });
            self.revisions.len() - 1
        });
        &mut self.revisions[place]
    }

    /// What ran at this revision, if anything did.
    pub fn of(&self, revision: &str) -> Option<&Revision> {
        self.revisions.iter().find(|known| known.revision == revision)
    }

    /// The number of the round that has not begun.
    pub const fn next_round(&self) -> u64 {
        self.round + 1
    }
}

impl Revision {
    /// Everything that all drivers did.
    pub fn total(&self) -> Ran {
        let add = |sum: Ran, one: &Ran| Ran {
            units: sum.units + one.units,
            seeds: sum.seeds + one.seeds,
            events: sum.events.saturating_add(one.events),
        };
        self.ran.values().fold(Ran::default(), add)
    }

    /// What exploring did.
    pub fn explored(&self) -> Ran {
        self.ran.get(&Driver::Explore).copied().unwrap_or_default()
    }

    /// How many of the planted bugs that were looked for were caught.
    pub fn caught(&self) -> usize {
        self.bugs.values().filter(|search| search.caught.is_some()).count()
    }

    fn add_failures(&mut self, unit: &Unit) {
        for failed in &unit.failures {
            let is_known =
                self.failures.iter().any(|one| one.failed.trace.is_some() && one.failed.trace == failed.trace);
            if !is_known {
                self.failures.push(Broken { round: unit.round, driver: unit.driver, failed: failed.clone() });
            }
        }
        self.failures.sort_by_key(|one| (one.failed.events, one.round));
    }

    fn count(&mut self, unit: &Unit) {
        let explored = self.explored();
        for (situation, took) in &unit.met {
            let whole =
                Took { seeds: explored.seeds + took.seeds, events: explored.events.saturating_add(took.events) };
            self.met.entry(situation.clone()).or_insert(whole);
        }
        let ran = self.ran.entry(unit.driver).or_default();
        ran.units += 1;
        ran.seeds = ran.seeds.saturating_add(unit.seeds);
        ran.events = ran.events.saturating_add(unit.events);
        match (unit.driver, &unit.bug) {
            (Driver::Bugs, Some(bug)) => {
                let search = self.bugs.entry(bug.name.clone()).or_default();
                search.units += 1;
                if search.caught.is_none() {
                    search.took.seeds = search.took.seeds.saturating_add(unit.seeds);
                    search.took.events = search.took.events.saturating_add(unit.events);
                    search.caught.clone_from(&bug.caught);
                }
            }
            (Driver::Exhaust, _) => {
                let searched = self.searched.entry(unit.what.clone()).or_default();
                searched.units += 1;
                searched.whole |= unit.whole;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Hunted;
    use super::*;

    fn unit(round: u64, driver: Driver, seeds: u64) -> Unit {
        Unit { seeds, events: seeds * 100, ..Unit::new("a", round, driver, "3 nodes") }
    }

    fn bug(round: u64, driver: Driver, seeds: u64, caught: bool) -> Unit {
        let caught = caught.then(|| "vote-once".to_owned());
        Unit { bug: Some(Hunted { name: "one".to_owned(), caught }), ..unit(round, driver, seeds) }
    }

    fn meets(round: u64, seeds: u64, at: u64) -> Unit {
        let met = [("a split vote".to_owned(), Took { seeds: at, events: at * 100 })].into();
        Unit { met, ..unit(round, Driver::Explore, seeds) }
    }

    fn history(units: &[Unit]) -> History {
        let mut history = History::default();
        units.iter().for_each(|unit| history.add(unit));
        history
    }

    #[test]
    fn times_are_counted_over_all_units_before() {
        let history = history(&[
            bug(1, Driver::Canary, 1, true),
            unit(1, Driver::Explore, 10),
            meets(1, 10, 3),
            bug(1, Driver::Bugs, 20, false),
            bug(2, Driver::Canary, 1, true),
            meets(2, 10, 1),
            bug(2, Driver::Bugs, 5, true),
            bug(2, Driver::Bugs, 7, true),
        ]);
        let revision = &history.revisions[0];
        assert_eq!(revision.met["a split vote"], Took { seeds: 13, events: 1300 });
        let search = &revision.bugs["one"];
        assert_eq!((search.took.seeds, search.units, search.caught.is_some()), (25, 3, true));
        assert_eq!((history.next_round(), revision.explored().seeds, revision.caught()), (3, 30, 1));
    }

    #[test]
    fn a_round_whose_canary_was_not_caught_or_never_came_counts_for_nothing() {
        let history = history(&[
            unit(1, Driver::Corpus, 4),
            bug(1, Driver::Canary, 9, false),
            meets(1, 10, 3),
            unit(2, Driver::Corpus, 4),
            unit(3, Driver::Corpus, 4),
            unit(3, Driver::Canary, 0),
            unit(3, Driver::Explore, 10),
        ]);
        let revision = &history.revisions[0];
        assert_eq!(revision.canaries, Canaries { caught: 0, missed: 1, none: 1, unfinished: 1 });
        assert_eq!((revision.ran[&Driver::Corpus].units, revision.explored().units), (1, 1));
        assert!(revision.met.is_empty());
    }

    #[test]
    fn a_failure_stays_one_whatever_becomes_of_the_canary_and_however_often_it_is_seen() {
        let failed = |events| Failed {
            property: "vote-once".to_owned(),
            said: String::new(),
            events,
            seed: None,
            trace: Some(format!("failures/{events}.jsonl")),
        };
        let fails = |round, events: &[u64]| Unit {
            failures: events.iter().copied().map(failed).collect(),
            ..unit(round, Driver::Corpus, 0)
        };
        let history = history(&[fails(1, &[9, 5]), bug(1, Driver::Canary, 1, false), fails(2, &[9])]);
        let found: Vec<(u64, u64)> =
            history.revisions[0].failures.iter().map(|one| (one.failed.events, one.round)).collect();
        assert_eq!(found, [(5, 1), (9, 1)]);
        assert!(history.traces["failures/9.jsonl"].fails && !history.traces["failures/5.jsonl"].fails);
    }
}
