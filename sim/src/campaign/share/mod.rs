//! A unit of work for whatever engine starts processes: a share of a range of seeds, what became of it so far as a file that another
//! program can read, and many of those as one.

mod groups;
mod merged;
mod summary;

pub use groups::{Found, Group, SHRUNK, Shape, grouped};
pub use merged::{Merged, Total};
pub use summary::{FORMAT, NotASummary, Summary, VERSION};

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::explore::Shard;

/// Which seeds are run, and how: what the shares of one whole have in common. Only results of equal work can be added up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Work {
    /// The revision of the code.
    pub revision: String,
    /// The first seed of the whole range.
    #[serde(with = "crate::number::any")]
    pub from: u64,
    /// The seed after its last.
    #[serde(with = "crate::number::any")]
    pub to: u64,
    /// How many shares it is cut into: each takes every so many-th seed.
    pub shares: u64,
    /// What was decided instead of the seeds, as it is typed.
    pub options: String,
    /// The digest of the state from which runs go on; `None` where they begin with nothing.
    #[serde(default, with = "start", skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
}

impl Work {
    /// The seeds of all shares together.
    pub const fn seeds(&self) -> Range<u64> {
        self.from..self.to
    }

    /// One of the shares, counted from 1.
    pub const fn share(&self, number: u64) -> Option<Shard> {
        match number.checked_sub(1) {
            Some(position) => Shard::at(position, self.shares),
            None => None,
        }
    }

    /// In what this differs from other work, each in words: what it is here, and what it is there.
    ///
    /// ```
    /// use sim::campaign::share::Work;
    /// let work = Work { revision: "a".to_owned(), from: 0, to: 9, shares: 3, options: String::new(), start: None };
    /// let other = Work { to: 8, options: "--nodes 3".to_owned(), ..work.clone() };
    /// assert_eq!(work.differences(&other), ["seeds 0..9, not 0..8", "no options, not --nodes 3"]);
    /// ```
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let said = |work: &Self| {
            let options = if work.options.is_empty() { "no options" } else { &work.options };
            let start = work.start.map_or_else(|| "nothing".to_owned(), |digest| format!("{digest:016x}"));
            [
                ("revision ", work.revision.clone()),
                ("seeds ", format!("{}..{}", work.from, work.to)),
                ("", format!("{} shares", work.shares)),
                ("", options.to_owned()),
                ("runs that begin with ", start),
            ]
        };
        let both = said(self).into_iter().zip(said(other));
        both.filter(|(mine, theirs)| mine != theirs)
            .map(|((name, mine), (_, theirs))| format!("{name}{mine}, not {theirs}"))
            .collect()
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { revision, from, to, shares, options, start } = self;
        let options = if options.is_empty() { String::new() } else { format!(", {options}") };
        let start = start.map_or_else(String::new, |digest| format!(", after {digest:016x}"));
        write!(f, "seeds {from}..{to} in {shares} shares, revision {revision}{options}{start}")
    }
}

/// The digest of a start, where there is one.
mod start {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::number::hexadecimal;

    #[derive(Deserialize)]
    struct Digest(#[serde(with = "hexadecimal")] u64);

    pub(super) fn serialize<S: Serializer>(digest: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => hexadecimal::serialize(digest, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Digest>::deserialize(deserializer)?.map(|Digest(digest)| digest))
    }
}
