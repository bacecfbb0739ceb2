//! Clusters with links that stay cut, over many seeds and on every core: a row of a table for each topology, size and choice of
//! options.
//!
//! A [driver](crate::driver::availability) runs one seed. What a row says does not depend on how many run at once.

use std::ops::Range;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};

use crate::driver::availability::{Seen, Topology, WRITES, run};
use crate::trace::Ending;
use crate::world::{Event, NodeOptions};

/// Which of the options that guard a leader are on, at all nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guards {
    /// Neither pre-vote nor check-quorum.
    None,
    /// Pre-vote alone.
    PreVote,
    /// Check-quorum alone.
    CheckQuorum,
    /// Both.
    Both,
}

impl Guards {
    /// Each choice.
    pub const ALL: [Self; 4] = [Self::None, Self::PreVote, Self::CheckQuorum, Self::Both];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::PreVote => "pre-vote",
            Self::CheckQuorum => "check-quorum",
            Self::Both => "both",
        }
    }

    /// The options of a node: the usual ones, with these.
    pub fn options(self) -> NodeOptions {
        let pre_vote = matches!(self, Self::PreVote | Self::Both);
        let check_quorum = matches!(self, Self::CheckQuorum | Self::Both);
        NodeOptions { pre_vote, check_quorum, ..NodeOptions::default() }
    }
}

/// What is run with each seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Which links are cut.
    pub topology: Topology,
    /// How many nodes there are.
    pub nodes: u64,
    /// The options of the nodes.
    pub options: Guards,
}

impl Case {
    /// Every topology, in each size in which it is one of its own, with each choice of options.
    pub fn all() -> impl Iterator<Item = Self> {
        let sized = |topology: Topology| topology.sizes().iter().map(move |nodes| (topology, *nodes));
        let guarded = |(topology, nodes)| Guards::ALL.map(|options| Self { topology, nodes, options });
        Topology::ALL.into_iter().flat_map(sized).flat_map(guarded)
    }

    /// Runs one seed, and tells every event.
    ///
    /// # Errors
    /// How it ended, if something broke.
    pub fn run(&self, seed: u64, record: impl FnMut(&Event)) -> Result<Seen, Ending> {
        run(seed, self.topology, self.nodes, &self.options.options(), record)
    }
}

/// What all seeds of a case came to. Times are in ticks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// What was run.
    #[serde(flatten)]
    pub case: Case,
    /// With how many seeds.
    pub seeds: u64,
    /// With how many of them nothing was committed while the links were cut.
    pub never: u64,
    /// After how many ticks something was, with the other half of the seeds later or never; none if half never saw it.
    pub commit_median: Option<u64>,
    /// The longest that it took where it came about.
    pub commit_most: Option<u64>,
    /// By how much the highest term rose, with half of the seeds more.
    pub terms_median: u64,
    /// The most by which it rose.
    pub terms_most: u64,
    /// How many of [`WRITES`] writes were answered, with half of the seeds more.
    pub written_median: u64,
    /// How many writes were answered, of all seeds together.
    pub written: u64,
    /// Of how many.
    pub writes: u64,
}

impl Row {
    fn of(case: Case, seen: &[Seen]) -> Self {
        let mut commits: Vec<u64> = seen.iter().map(|seen| seen.next_commit.unwrap_or(u64::MAX)).collect();
        let mut terms: Vec<u64> = seen.iter().map(|seen| seen.terms).collect();
        let mut written: Vec<u64> = seen.iter().map(|seen| seen.written).collect();
        commits.sort_unstable();
        terms.sort_unstable();
        written.sort_unstable();
        let came = |ticks: &u64| *ticks != u64::MAX;
        Self {
            case,
            seeds: seen.len() as u64,
            never: seen.iter().filter(|seen| seen.next_commit.is_none()).count() as u64,
            commit_median: commits.get(commits.len() / 2).copied().filter(came),
            commit_most: commits.iter().copied().rfind(came),
            terms_median: terms.get(terms.len() / 2).copied().unwrap_or(0),
            terms_most: terms.last().copied().unwrap_or(0),
            written_median: written.get(written.len() / 2).copied().unwrap_or(0),
            written: written.iter().sum(),
            writes: seen.len() as u64 * WRITES,
        }
    }

    /// Of a thousand writes, how many were answered, rounded down.
    pub const fn written_per_mille(&self) -> u64 {
        match self.writes {
            0 => 0,
            writes => self.written * 1000 / writes,
        }
    }
}

/// Somebody who follows the runs, from several threads, and may end them.
pub trait Watch: Sync {
    /// A seed has come to its end.
    fn ran(&self);

    /// Whether no further seed is to be run.
    fn enough(&self) -> bool {
        false
    }
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn ran(&self) {}
}

/// Why there is no row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoRow {
    /// Something broke with this seed, the first one in order.
    Broken(u64, Ending),
    /// Whoever watches has had enough.
    Interrupted,
}

/// Threads that run seeds.
#[derive(Debug)]
pub struct Cores(ThreadPool);

impl Cores {
    /// So many of them, or one on each core.
    ///
    /// # Errors
    /// The operating system refuses to start threads.
    pub fn new(jobs: Option<usize>) -> Result<Self, ThreadPoolBuildError> {
        Ok(Self(ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).build()?))
    }

    /// Runs the seeds of a case.
    ///
    /// ```
    /// use sim::campaign::availability::{Case, Cores, Guards, Unwatched};
    /// use sim::driver::availability::Topology;
    /// let case = Case { topology: Topology::MuteFollower, nodes: 3, options: Guards::Both };
    /// let row = Cores::new(Some(2)).unwrap().row(case, 0..2, &Unwatched).expect("nothing breaks");
    /// assert_eq!((row.seeds, row.never, row.writes), (2, 0, 120));
    /// ```
    ///
    /// # Errors
    /// Something broke, or whoever watches has had enough.
    pub fn row(&self, case: Case, seeds: Range<u64>, watch: &impl Watch) -> Result<Row, NoRow> {
        let ran = |seed| {
            if watch.enough() {
                return Err(NoRow::Interrupted);
            }
            let seen = case.run(seed, |_| {}).map_err(|ending| NoRow::Broken(seed, ending));
            watch.ran();
            seen
        };
        let all: Vec<Result<Seen, NoRow>> = self.0.install(|| seeds.into_par_iter().map(ran).collect());
        let seen: Vec<Seen> = all.into_iter().collect::<Result<_, _>>()?;
        Ok(Row::of(case, &seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: Case = Case { topology: Topology::Chained, nodes: 3, options: Guards::None };

    fn seen(next_commit: Option<u64>, terms: u64, written: u64) -> Seen {
        Seen { next_commit, terms, written }
    }

    #[test]
    fn a_row_has_what_half_of_the_seeds_saw_and_what_none_exceeded() {
        let row = Row::of(CHAIN, &[seen(Some(9), 1, 60), seen(None, 40, 0), seen(Some(4), 2, 30)]);
        assert_eq!((row.never, row.commit_median, row.commit_most), (1, Some(9), Some(9)));
        assert_eq!((row.terms_median, row.terms_most), (2, 40));
        assert_eq!((row.written_median, row.written, row.written_per_mille()), (30, 90, 500));
        let never = Row::of(CHAIN, &[seen(None, 0, 0), seen(Some(1), 0, 1)]);
        assert_eq!((never.commit_median, never.commit_most), (None, Some(1)));
    }

    #[test]
    fn a_row_is_the_same_however_many_seeds_run_at_once() {
        let with = |jobs| Cores::new(Some(jobs)).unwrap().row(CHAIN, 0..4, &Unwatched).unwrap();
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn who_has_had_enough_gets_no_row() {
        struct Enough;
        impl Watch for Enough {
            fn ran(&self) {}

            fn enough(&self) -> bool {
                true
            }
        }
        assert_eq!(Cores::new(Some(1)).unwrap().row(CHAIN, 0..4, &Enough), Err(NoRow::Interrupted));
    }
}
