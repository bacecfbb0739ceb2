//! A seed that failed.

use serde::{Deserialize, Serialize};

use crate::trace::{Ending, Property};

/// A seed that failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// The seed.
    #[serde(with = "crate::number::any")]
    pub seed: u64,
    /// After how many events, the one that broke something included.
    pub events: u64,
    /// How it ended; [`Ending::Completed`] only where two runs differ.
    pub ending: Ending,
    /// The first step after which a second run differed.
    #[serde(default, rename = "differs_from_step", skip_serializing_if = "Option::is_none")]
    pub differs: Option<u64>,
}

impl Failure {
    /// The property that it broke.
    pub fn property(&self) -> Property {
        match self.differs {
            Some(_) => Property::RunsRepeat,
            None => Property::broken_by(&self.ending).unwrap_or(Property::RunsRepeat),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.differs {
            Some(step) => write!(f, "two runs differ from step {step} on"),
            None => write!(f, "{}", self.ending.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::{Invariant, Violation};

    #[test]
    fn where_two_runs_differ_that_is_what_is_broken() {
        let failure = Failure { seed: 1, events: 9, ending: Ending::Completed, differs: Some(8) };
        assert_eq!(failure.property(), Property::RunsRepeat);
        assert_eq!(failure.to_string(), "two runs differ from step 8 on");
    }

    #[test]
    fn each_kind_of_failure_comes_back_from_json() {
        let violation = Violation::new(Invariant::VoteOnce, &[], "node 1 voted for 2 and 3").at(30);
        let endings = [
            (Ending::Completed, Some(8)),
            (Ending::Violation(violation), None),
            (Ending::Panic("an assertion (src/raft.rs:7)".to_owned()), None),
            (Ending::Hang(None), None),
        ];
        for (ending, differs) in endings {
            let failure = Failure { seed: u64::MAX, events: 9, ending, differs };
            let json = serde_json::to_string(&failure).unwrap();
            assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure, "{json}");
        }
    }
}
