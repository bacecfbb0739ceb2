//! Many seeds, on every core. Each seed is a run of its own, so the result does not depend on how many there are at once.

mod seeds;

use std::ops::Range;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::driver::swarm::{self, Ended};
use crate::plan::{Overrides, Plan};
use crate::situation::Situations;
use crate::trace::Ending;
use crate::world::Statistics;

pub use seeds::{Shard, ShardError};

/// Which seeds to run, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exploration {
    /// The seeds.
    pub seeds: Range<u64>,
    /// The part of them that is run here.
    pub shard: Shard,
    /// How many at once; `None` for as many as there are cores.
    pub jobs: Option<usize>,
    /// What the caller decides instead of the seeds.
    pub overrides: Overrides,
}

/// How one seed ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeedEnd {
    /// The seed.
    pub seed: u64,
    /// Whether all held, or what was violated, or which assertion of the code under test failed.
    pub ending: Ending,
    /// The digest of the whole run.
    pub digest: u64,
    /// What happened, counted.
    pub statistics: Statistics,
}

/// How all of them ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Explored {
    /// How many seeds were run.
    pub seeds: u64,
    /// The digests of all runs, hashed in the order of the seeds.
    pub digest: u64,
    /// What happened in all of them together.
    pub statistics: Statistics,
    /// In how many runs each situation happened.
    pub reached: Situations,
    /// The seeds that failed, in order, and how: never [`Ending::Completed`].
    pub failures: Vec<(u64, Ending)>,
}

/// Runs the seeds. `done` hears of each as it ends, in no particular order and from several threads; no further seed is
/// begun once `stop` says so.
///
/// # Panics
/// If the operating system refuses to start a thread.
///
/// ```
/// use sim::explore::{Exploration, Shard, explore};
/// use sim::plan::Overrides;
/// let overrides = Overrides { steps: Some(300), ..Overrides::default() };
/// let exploration = Exploration { seeds: 0..4, shard: Shard::default(), jobs: Some(2), overrides };
/// let explored = explore(&exploration, |_| {}, || false);
/// assert_eq!((explored.seeds, explored.failures.len()), (4, 0));
/// ```
pub fn explore(exploration: &Exploration, done: impl Fn(&SeedEnd) + Sync, stop: impl Fn() -> bool + Sync) -> Explored {
    let run = |seed: u64| {
        if stop() {
            return None;
        }
        let end = run_seed(seed, &exploration.overrides);
        done(&end);
        Some(end)
    };
    exploration.each(run).into_iter().flatten().fold(Explored::default(), Explored::with)
}

impl Exploration {
    /// The seeds that are run here.
    pub fn share(&self) -> impl Iterator<Item = u64> {
        self.shard.of(self.seeds.clone())
    }

    /// Does something for each of these seeds, several at once. The results come in the order of the seeds.
    ///
    /// # Panics
    /// If the operating system refuses to start a thread.
    pub fn each<T: Send>(&self, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
        let pool = ThreadPoolBuilder::new().num_threads(self.jobs.unwrap_or(0)).build().expect("threads can start");
        let seeds: Vec<u64> = self.share().collect();
        pool.install(|| seeds.into_par_iter().map(&run).collect())
    }
}

/// Runs one seed to its end.
pub fn run_seed(seed: u64, overrides: &Overrides) -> SeedEnd {
    let plan = Plan::draw(seed, overrides);
    let (Ended { world, .. }, ending) = swarm::run_to_end(&plan, |_| {});
    SeedEnd { seed, ending, digest: world.digest(), statistics: world.statistics().clone() }
}

impl Explored {
    fn with(mut self, end: SeedEnd) -> Self {
        self.seeds += 1;
        self.digest = xxhash_rust::xxh3::xxh3_64_with_seed(&end.digest.to_le_bytes(), self.digest);
        self.statistics.add(&end.statistics);
        self.reached.add_reached(&end.statistics.situations);
        match end.ending {
            Ending::Completed => {}
            Ending::Violation(_) | Ending::Panic(_) => self.failures.push((end.seed, end.ending)),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_code_under_test_is_a_failure_of_its_seed_and_no_other() {
        let end = |seed, ending| SeedEnd { seed, ending, digest: seed, statistics: Statistics::default() };
        let panic = Ending::Panic("an assertion".to_owned());
        let ends = [end(1, Ending::Completed), end(2, panic.clone()), end(3, Ending::Completed)];
        let explored = ends.into_iter().fold(Explored::default(), Explored::with);
        assert_eq!((explored.seeds, explored.failures), (3, vec![(2, panic)]));
    }
}
