//! A unit: the least that a campaign does, and one line of the record.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Who does a unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// The events of old failures run again. The first unit of each round.
    Corpus,
    /// Seeds run with a planted bug that has to be caught, or else the round counts for nothing.
    Canary,
    /// Seeds are run.
    Explore,
    /// Planted bugs are looked for.
    Bugs,
    /// Every crash point of a run is tried.
    Sweep,
    /// Every order of events within bounds is tried.
    Exhaust,
    /// The fuzz targets run.
    Fuzz,
}

impl Driver {
    /// All of them, in the order of a round.
    pub const ALL: [Self; 7] =
        [Self::Corpus, Self::Canary, Self::Explore, Self::Bugs, Self::Sweep, Self::Exhaust, Self::Fuzz];

    /// Its name, as it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Corpus => "corpus",
            Self::Canary => "canary",
            Self::Explore => "explore",
            Self::Bugs => "bugs",
            Self::Sweep => "sweep",
            Self::Exhaust => "exhaust",
            Self::Fuzz => "fuzz",
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a driver did, and what came of it.
///
/// Situations, properties and bugs stand by their names: a record outlives the revision that wrote a line of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// The revision of the code that ran.
    pub revision: String,
    /// The round, counted from 1.
    pub round: u64,
    /// Who did it.
    pub driver: Driver,
    /// What was run, in words.
    pub what: String,
    /// What it came to, in words.
    pub result: String,
    /// How many seeds were run.
    pub seeds: u64,
    /// How many events happened.
    pub events: u64,
    /// What failed. What a planted bug breaks is no failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failed>,
    /// The situations that no unit of this revision had met before, and how long they took within this unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub met: BTreeMap<String, Took>,
    /// The planted bug that was looked for. The seeds and events of the unit are those up to its catch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<Hunted>,
    /// Whether a search was whole, so that it need not be done again at this revision.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
}

impl Unit {
    /// A unit in which nothing happened yet.
    pub fn new(revision: &str, round: u64, driver: Driver, what: impl Into<String>) -> Self {
        let (revision, what, result) = (revision.to_owned(), what.into(), String::new());
        let (failures, met) = (Vec::new(), BTreeMap::new());
        Self { revision, round, driver, what, result, seeds: 0, events: 0, failures, met, bug: None, whole: false }
    }
}

/// How long something took: not in time, which differs between machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Took {
    /// So many seeds, that in which it happened included.
    pub seeds: u64,
    /// So many events in all of them.
    pub events: u64,
}

/// A planted bug that was looked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hunted {
    /// Its name.
    pub name: String,
    /// The property that caught it, if it was caught.
    pub caught: Option<String>,
}

/// Something that failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// The property that broke.
    pub property: String,
    /// How, in words.
    pub said: String,
    /// After how many events.
    pub events: u64,
    /// The seed, where there was one.
    #[serde(default, with = "crate::number::perhaps", skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Where its trace is: a file in the folder of the record, or of the corpus. `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}
