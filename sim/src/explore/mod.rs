//! Many seeds, on every core. Each seed is a run of its own, so the result does not depend on how many there are at once.

mod seeds;

use std::ops::Range;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::driver::swarm::{self, Ended};
use crate::invariant::Violation;
use crate::plan::{Overrides, Plan};
use crate::situation::Situations;
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
    /// What was violated, if anything was.
    pub violation: Option<Violation>,
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
    /// The seeds that violated a property, in order.
    pub failures: Vec<(u64, Violation)>,
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
    let Ended { world, violation, .. } = swarm::run(&plan, |_| {});
    SeedEnd { seed, violation, digest: world.digest(), statistics: world.statistics().clone() }
}

impl Explored {
    fn with(mut self, end: SeedEnd) -> Self {
        self.seeds += 1;
        self.digest = xxhash_rust::xxh3::xxh3_64_with_seed(&end.digest.to_le_bytes(), self.digest);
        self.statistics.add(&end.statistics);
        self.reached.add_reached(&end.statistics.situations);
        self.failures.extend(end.violation.map(|violation| (end.seed, violation)));
        self
    }
}
