//! Many seeds, on every core. Each seed is a run of its own, so the result does not depend on how many there are at once.
//!
//! Seeds are drawn as threads become free, and their results are folded together as they end, so the memory needed does
//! not depend on the number of seeds.

mod explored;
mod failure;
mod ranges;
mod seeds;
mod workers;

use std::io;
use std::ops::Range;
use std::time::Duration;

use crate::driver::swarm::{self, Ended, Swarm};
use crate::plan::{Overrides, Plan};
use crate::planted::{self, UnknownBug};
use crate::trace::Ending;
use crate::world::{Statistics, World};

pub use explored::{Broken, Explored};
pub use failure::Failure;
pub use ranges::Ranges;
pub use seeds::{Shard, ShardError};
pub use workers::{AtWork, Workers};

/// Which seeds to run, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exploration {
    /// The seeds.
    pub seeds: Range<u64>,
    /// The part of them that is run here.
    pub shard: Shard,
    /// The seeds of that part that are left out since they were run before, each by its number in [`Shard::of`].
    pub done: Ranges,
    /// How many run at once; `None` for as many as there are cores.
    pub jobs: Option<usize>,
    /// What the caller decides instead of the seeds.
    pub overrides: Overrides,
    /// The planted bug that is on.
    pub bug: Option<String>,
    /// Whether each seed is run twice, and the two runs compared event by event.
    pub twice: bool,
}

/// How one seed ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeedEnd {
    /// The seed.
    pub seed: u64,
    /// How many events there were, the one that broke something included.
    pub events: u64,
    /// Whether all properties held, or which was violated, or which assertion of the code under test failed.
    pub ending: Ending,
    /// The first step after which a second run differed.
    pub differs: Option<u64>,
    /// The digest of the whole run.
    pub digest: u64,
    /// What happened, counted.
    pub statistics: Statistics,
}

/// Follows an exploration while it goes on, and may end it.
pub trait Watch {
    /// Whether no further seed is to begin. Asked before each but the first.
    fn enough(&mut self) -> bool {
        false
    }

    /// A seed has come to its end. Seeds end in no particular order.
    fn ended(&mut self, end: &SeedEnd) {
        let _ = end;
    }

    /// Looks at the seeds that are at work; called again and again. Returns whether to give up all of them because they
    /// will never end.
    fn gives_up(&mut self, at_work: &mut dyn Iterator<Item = SeedAtWork<'_>>) -> bool {
        let _ = at_work;
        false
    }
}

/// A seed that is at work.
#[derive(Clone, Copy, Debug)]
pub struct SeedAtWork<'a> {
    /// The seed.
    pub seed: u64,
    /// How far it is. A thread has the same pulse for as long as it lives.
    pub pulse: &'a crate::pulse::Pulse,
    /// The number of the thread.
    pub worker: usize,
}

impl<'a> SeedAtWork<'a> {
    fn of(AtWork { worker, job: seed, pulse }: AtWork<'a, u64>) -> Self {
        Self { seed: *seed, pulse, worker }
    }
}

/// Watches nothing, and ends nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// Why there is nothing to explore.
#[derive(Debug, thiserror::Error)]
pub enum CannotExplore {
    /// The planted bug is not in this build.
    #[error("there is no planted bug {0} in this build")]
    NeedsBug(UnknownBug),
    /// The operating system refuses to start threads.
    #[error("no threads: {0}")]
    Threads(#[from] io::Error),
}

/// Runs the seeds.
///
/// # Errors
/// The seeds cannot be run here. A seed that fails is no error.
///
/// ```
/// use sim::campaign::explore::{Exploration, Unwatched, explore};
/// use sim::plan::Overrides;
/// let overrides = Overrides { steps: Some(300), ..Overrides::default() };
/// let explored = explore(&Exploration { overrides, ..Exploration::of(0..4) }, &mut Unwatched)?;
/// assert_eq!((explored.seeds, explored.failures()), (4, 0));
/// # Ok::<(), sim::campaign::explore::CannotExplore>(())
/// ```
pub fn explore(exploration: &Exploration, watch: &mut impl Watch) -> Result<Explored, CannotExplore> {
    explore_in(&World::new(), exploration, watch)
}

/// The same, each seed in a copy of this world: with what a user brings.
///
/// # Errors
/// As [`explore`].
pub fn explore_in(world: &World, exploration: &Exploration, watch: &mut impl Watch) -> Result<Explored, CannotExplore> {
    drop(planted::switch_on(exploration.bug.as_deref()).map_err(CannotExplore::NeedsBug)?);
    let mut seeds = exploration.share().peekable();
    let mut explored = Explored::default();
    let mut workers = exploration.workers(world)?;
    let mut is_first = true;
    loop {
        while workers.has_free()
            // The first seed begins in any case: a result of no seeds says nothing.
            && (is_first || !watch.enough())
            && let Some(seed) = seeds.next()
        {
            is_first = false;
            workers.give(seed);
        }
        if let Some(end) = workers.wait(LOOK) {
            watch.ended(&end);
            explored.add(&end);
        }
        let mut at_work = workers.at_work().peekable();
        if at_work.peek().is_none() && (watch.enough() || seeds.peek().is_none()) {
            break;
        }
        if watch.gives_up(&mut at_work.map(SeedAtWork::of)) {
            break;
        }
    }
    Ok(explored)
}

/// The time between two looks at the seeds that are at work.
const LOOK: Duration = Duration::from_millis(100);

impl Exploration {
    /// These seeds, with nothing else decided.
    pub fn of(seeds: Range<u64>) -> Self {
        let (shard, done, overrides) = (Shard::default(), Ranges::default(), Overrides::default());
        Self { seeds, shard, done, jobs: None, overrides, bug: None, twice: false }
    }

    /// The seeds that are run here.
    pub fn share(&self) -> impl Iterator<Item = u64> {
        let Self { seeds: Range { start, .. }, shard, .. } = *self;
        self.done.missing(self.shard.count(&self.seeds)).map(move |number| shard.seed(start, number))
    }

    /// How many seeds are run here.
    pub fn count(&self) -> u64 {
        self.shard.count(&self.seeds).saturating_sub(self.done.count())
    }

    fn workers(&self, world: &World) -> io::Result<Workers<u64, SeedEnd>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let Self { overrides, bug, twice, .. } = self.clone();
        let world = world.clone();
        Workers::new(self.jobs.unwrap_or(cores).max(1), move |seed| {
            let _switched = planted::switch_on(bug.as_deref()).expect("the build has the bug, it was just looked up");
            if twice { run_twice_in(&world, seed, &overrides) } else { run_seed_in(&world, seed, &overrides) }
        })
    }
}

/// Runs one seed to its end.
pub fn run_seed(seed: u64, overrides: &Overrides) -> SeedEnd {
    run_seed_in(&World::new(), seed, overrides)
}

/// The same, in a copy of this world: with what a user brings.
pub fn run_seed_in(world: &World, seed: u64, overrides: &Overrides) -> SeedEnd {
    let plan = Plan::draw(seed, overrides).fit(world);
    let (Ended { world, .. }, ending) = swarm::run_to_end_in(world, &plan, |_| {});
    SeedEnd::of(seed, &world, ending, None)
}

/// Runs one seed twice at once, and finds the first step after which the two worlds differ.
pub(crate) fn run_twice_in(world: &World, seed: u64, overrides: &Overrides) -> SeedEnd {
    let plan = Plan::draw(seed, overrides).fit(world);
    let (mut one, mut other) = (Swarm::new_in(world, &plan), Swarm::new_in(world, &plan));
    loop {
        let step = one.world().step();
        let ends = [&mut one, &mut other].map(|swarm| swarm.go_on(&mut |_| {}));
        let differs = one.world().digest() != other.world().digest() || ends[0] != ends[1];
        let [end, _] = ends;
        if differs || end.is_some() {
            return SeedEnd::of(seed, one.world(), end.unwrap_or_default(), differs.then_some(step));
        }
    }
}

impl SeedEnd {
    fn of(seed: u64, world: &World, ending: Ending, differs: Option<u64>) -> Self {
        let events = world.step() + u64::from(ending != Ending::Completed);
        Self { seed, events, ending, differs, digest: world.digest(), statistics: world.statistics().clone() }
    }

    /// How the seed failed, if it did.
    pub fn failure(&self) -> Option<Failure> {
        let &Self { seed, events, ref ending, differs, .. } = self;
        let failed = differs.is_some() || *ending != Ending::Completed;
        failed.then(|| Failure { seed, events, ending: ending.clone(), differs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends after this many seeds, and keeps those that it heard of.
    struct Few(u64, Vec<u64>);

    impl Watch for Few {
        fn enough(&mut self) -> bool {
            self.1.len() as u64 >= self.0
        }

        fn ended(&mut self, end: &SeedEnd) {
            self.1.push(end.seed);
        }
    }

    fn of(seeds: Range<u64>) -> Exploration {
        let overrides = Overrides { steps: Some(50), no_settle: true, ..Overrides::default() };
        Exploration { overrides, ..Exploration::of(seeds) }
    }

    #[test]
    fn of_very_many_seeds_only_those_that_are_run_cost_anything() {
        let mut few = Few(5, Vec::new());
        let explored = explore(&of(0..u64::MAX), &mut few).expect("threads start");
        assert!((5..10).contains(&explored.seeds), "{}", explored.seeds);
        assert_eq!(explored.seeds, few.1.len() as u64);
    }

    #[test]
    fn the_result_is_the_same_however_many_run_at_once_and_run_twice() {
        let with =
            |jobs| explore(&Exploration { jobs: Some(jobs), ..of(0..40) }, &mut Unwatched).expect("threads start");
        assert_eq!(with(1), with(5));
        let twice = explore(&Exploration { twice: true, ..of(0..40) }, &mut Unwatched).expect("threads start");
        assert_eq!(twice, with(1));
    }

    #[test]
    fn seeds_that_are_done_are_left_out_and_the_rest_adds_up_to_the_whole() {
        let whole = explore(&of(0..20), &mut Unwatched).expect("threads start");
        let done = Ranges::from_iter(3..9);
        let mut sum = explore(&of(3..9), &mut Unwatched).expect("threads start");
        let exploration = Exploration { done, ..of(0..20) };
        assert_eq!(exploration.count(), 14);
        sum.merge(&explore(&exploration, &mut Unwatched).expect("threads start"));
        assert_eq!(sum, whole);
    }

    #[test]
    fn a_bug_that_is_not_in_the_build_is_refused() {
        let exploration = Exploration { bug: Some("no-such-bug".to_owned()), ..of(0..1) };
        assert!(matches!(explore(&exploration, &mut Unwatched), Err(CannotExplore::NeedsBug(_))));
    }
}
