//! What a run can break: the invariants, and what else is demanded of the code under test.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Ending;
use crate::invariant::Invariant;

/// A property that a run breaks.
///
/// ```
/// use sim::invariant::Invariant;
/// use sim::trace::{Ending, Property};
/// assert_eq!(Property::broken_by(&Ending::Completed), None);
/// assert_eq!(Property::Holds(Invariant::VoteOnce).name(), "vote-once");
/// assert!(Property::all().all(|property| !property.source().is_empty()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Property {
    /// A property that is checked after every event.
    Holds(Invariant),
    /// No assertion of the code under test fails.
    NoPanic,
    /// Every event ends.
    EventsEnd,
    /// Two runs of a seed are the same.
    RunsRepeat,
}

impl Property {
    /// All of them, the invariants first.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [Self::NoPanic, Self::EventsEnd, Self::RunsRepeat];
        Invariant::ALL.into_iter().map(Self::Holds).chain(others)
    }

    /// What a run with this ending broke, if it broke anything.
    pub fn broken_by(ending: &Ending) -> Option<Self> {
        match ending {
            Ending::Completed => None,
            Ending::Violation(violation) => Some(Self::Holds(violation.invariant)),
            Ending::Panic(_) => Some(Self::NoPanic),
            Ending::Hang(_) => Some(Self::EventsEnd),
        }
    }

    /// Its name, as reports spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds(invariant) => invariant.name(),
            Self::NoPanic => "panic",
            Self::EventsEnd => "hang",
            Self::RunsRepeat => "determinism",
        }
    }

    /// What it says, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Holds(invariant) => invariant.meaning(),
            Self::NoPanic => "nothing in the code under test panics: no assertion of it fails.",
            Self::EventsEnd => "every event ends: the code under test never loops for ever.",
            Self::RunsRepeat => "two runs of a seed are the same, event by event.",
        }
    }

    /// What the TLA+ specifications of Raft call it; see [`Invariant::in_tla`].
    pub const fn in_tla(self) -> Option<&'static str> {
        match self {
            Self::Holds(invariant) => invariant.in_tla(),
            Self::NoPanic | Self::EventsEnd | Self::RunsRepeat => None,
        }
    }

    /// Where it comes from.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Holds(invariant) => invariant.source(),
            Self::NoPanic | Self::EventsEnd => "the code under test itself",
            Self::RunsRepeat => "this simulator: a failure that does not happen again cannot be looked at",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Property {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
