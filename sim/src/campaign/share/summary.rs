//! What became of a share so far: the contents of `summary.json`.

use serde::{Deserialize, Serialize};

use super::Work;
use crate::campaign::explore::{Explored, Failure, Ranges, SeedEnd, Shard};

/// What a summary calls its format.
pub const FORMAT: &str = "raft-sim-share";

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// A share of a range of seeds, which of its seeds are done, and what became of those.
///
/// ```
/// use sim::campaign::explore::run_seed;
/// use sim::campaign::share::{Summary, Work};
/// use sim::plan::Overrides;
/// let work = Work { revision: "a".to_owned(), from: 0, to: 9, shares: 3, options: String::new(), start: None };
/// let mut summary = Summary::new(work, "2/3".parse()?);
/// let overrides = Overrides { steps: Some(300), ..Overrides::default() };
/// summary.add(&run_seed(4, &overrides));
/// assert_eq!((summary.done.count(), summary.count()), (1, 3));
/// assert_eq!(Summary::read(&summary.as_json())?, summary);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Of which work it is a share.
    #[serde(flatten)]
    pub work: Work,
    /// Which share it is, counted from 1.
    pub share: u64,
    /// The seeds that are done, each by its number in the share, counted from 0: number k of share i of n is the seed
    /// `from + (i - 1) + k * n`. Seeds that hang are among them.
    pub done: Ranges,
    /// What became of them.
    #[serde(flatten)]
    pub explored: Explored,
}

/// The file, with what only its readers need.
#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    version: u32,
    project: &'static str,
    #[serde(flatten)]
    summary: &'a Summary,
    /// How many seeds the share has.
    count: u64,
    complete: bool,
    events: u64,
    failures: u64,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// Why a text is no summary.
#[derive(Debug, thiserror::Error)]
pub enum NotASummary {
    /// It is something else, or damaged.
    #[error("it is not the summary of a share: {0}")]
    Damaged(#[from] serde_json::Error),
    /// It is of another format.
    #[error("it is not the summary of a share: its format is {0:?}, not {FORMAT:?}")]
    Format(String),
    /// It is of another version.
    #[error("it is of version {0} of the format, and this program reads version {VERSION}")]
    Version(u32),
    /// Its parts contradict each other.
    #[error("it contradicts itself: {0}")]
    Contradicts(&'static str),
}

impl Summary {
    /// A share of which nothing is done.
    pub fn new(work: Work, shard: Shard) -> Self {
        Self { work, share: shard.number(), done: Ranges::default(), explored: Explored::default() }
    }

    /// The share.
    pub fn shard(&self) -> Shard {
        self.work.share(self.share).unwrap_or_default()
    }

    /// How many seeds the share has.
    pub fn count(&self) -> u64 {
        self.shard().count(&self.work.seeds())
    }

    /// Whether all of them are done.
    pub fn is_complete(&self) -> bool {
        self.done.count() == self.count()
    }

    /// Counts a seed that came to its end. One that is of another share, or that was counted before, is passed over.
    pub fn add(&mut self, end: &SeedEnd) {
        if self.is_new(end.seed) {
            self.explored.add(end);
        }
    }

    /// Counts a seed that failed without coming to its end: it hangs. It is done, since it would hang again.
    pub fn add_failure(&mut self, failure: &Failure) {
        if self.is_new(failure.seed) {
            self.explored.add_failure(failure.clone());
        }
    }

    fn is_new(&mut self, seed: u64) -> bool {
        let number = self.shard().number_of(self.work.from, seed).filter(|_| self.work.seeds().contains(&seed));
        number.is_some_and(|number| self.done.insert(number))
    }

    /// The text of the file.
    pub fn as_json(&self) -> String {
        serde_json::to_string_pretty(&self.written()).expect("a summary always has a JSON form") + "\n"
    }

    /// The same in one line.
    pub fn as_line(&self) -> String {
        serde_json::to_string(&self.written()).expect("a summary always has a JSON form")
    }

    fn written(&self) -> Written<'_> {
        Written {
            format: FORMAT,
            version: VERSION,
            project: env!("CARGO_PKG_VERSION"),
            summary: self,
            count: self.count(),
            complete: self.is_complete(),
            events: self.explored.statistics.total(),
            failures: self.explored.failures(),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// It is no summary, or one of another version.
    pub fn read(text: &str) -> Result<Self, NotASummary> {
        let Head { format, version } = serde_json::from_str(text)?;
        match (&*format, version) {
            (FORMAT, VERSION) => {}
            (FORMAT, _) => return Err(NotASummary::Version(version)),
            _ => return Err(NotASummary::Format(format)),
        }
        let summary: Self = serde_json::from_str(text)?;
        summary.is_sound()?;
        Ok(summary)
    }

    fn is_sound(&self) -> Result<(), NotASummary> {
        if self.work.share(self.share).is_none() {
            return Err(NotASummary::Contradicts("there is no such share"));
        }
        if self.done.iter().last().is_some_and(|last| last.end > self.count()) {
            return Err(NotASummary::Contradicts("seeds are done that the share does not have"));
        }
        let hung = self.explored.broken.get(&crate::trace::Property::EventsEnd).map_or(0, |broken| broken.seeds);
        if self.explored.seeds.checked_add(hung) != Some(self.done.count()) {
            return Err(NotASummary::Contradicts("it counts other seeds than those that are done"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Ending;
    use crate::world::Statistics;

    fn work() -> Work {
        Work {
            revision: "abc".to_owned(),
            from: 10,
            to: 31,
            shares: 3,
            options: "--nodes 3".to_owned(),
            start: Some(7),
        }
    }

    fn end(seed: u64) -> SeedEnd {
        let statistics = Statistics::default();
        SeedEnd { seed, events: 9, ending: Ending::Completed, differs: None, digest: seed, statistics }
    }

    fn summary(seeds: &[u64]) -> Summary {
        let mut summary = Summary::new(work(), "2/3".parse().unwrap());
        seeds.iter().for_each(|seed| summary.add(&end(*seed)));
        summary
    }

    #[test]
    fn only_seeds_of_the_share_count_and_each_once() {
        let mut counted = summary(&[11, 14, 11, 12, 8, 32, 29]);
        assert_eq!(counted, summary(&[29, 14, 11]));
        assert_eq!((counted.explored.seeds, counted.done.iter().collect::<Vec<_>>()), (3, vec![0..2, 6..7]));
        assert!(!counted.is_complete());
        (11..31).for_each(|seed| counted.add(&end(seed)));
        assert!(counted.is_complete());
    }

    #[test]
    fn a_seed_that_hangs_is_done_and_does_not_count_as_one_that_ended() {
        let mut summary = summary(&[11]);
        let hang = Failure { seed: 14, events: 3, ending: Ending::Hang(None), differs: None };
        summary.add_failure(&hang);
        assert_eq!((summary.done.count(), summary.explored.seeds, summary.explored.failures()), (2, 1, 1));
        assert_eq!(Summary::read(&summary.as_json()).unwrap(), summary);
    }

    #[test]
    fn a_text_that_is_no_summary_is_refused_with_the_reason() {
        let good = summary(&[11, 14]).as_json();
        assert_eq!(Summary::read(&good).unwrap(), summary(&[11, 14]));
        let cases = [
            (String::new(), "it is not the summary of a share: EOF"),
            ("{}".to_owned(), "it is not the summary of a share: missing field"),
            (good.replace(FORMAT, "other"), "its format is \"other\", not \"raft-sim-share\""),
            (good.replace("\"version\": 1", "\"version\": 2"), "of version 2 of the format"),
            (good.replace("\"share\": 2", "\"share\": 4"), "there is no such share"),
            (good.replace("\"to\": \"31\"", "\"to\": \"12\""), "seeds are done that the share does not have"),
            (good.replace("\"seeds\": 2", "\"seeds\": 3"), "it counts other seeds than those that are done"),
        ];
        for (text, said) in cases {
            assert_ne!(text, good, "{said}");
            let error = Summary::read(&text).expect_err(said).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
