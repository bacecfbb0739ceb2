//! The hunt for planted bugs: is each one caught, by a property that is named for it, and how soon?
//!
//! With a bug switched on, seeds are run one after another, as the swarm draws them from the seed alone, until a run
//! breaks a property that is [named for the bug](named_for). Breaking another property does not count, nor does a seed
//! that fails without the bug as well. The search is repeated from several starting points, so that the result does not
//! depend on one lucky seed. Then the traces of what was caught are shrunk.
//!
//! The result depends neither on the number of threads nor on their speed.

mod property;
mod search;
mod shorten;
mod table;

use raft::planted::Bug;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

pub use self::property::{differs_between_runs, named_for, no_seed_meets, takes_long};
pub use self::search::{Catch, Other, Search};
pub use self::table::table;
pub use crate::trace::Property;
use crate::trace::Trace;

/// How to hunt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hunt {
    /// How many seeds are run at most, from each starting point.
    pub seeds: u64,
    /// How many starting points there are.
    pub starts: u64,
    /// How many events each seed has before its faults end; `None` for as many as the plan says.
    pub events: Option<u64>,
    /// How many threads run; `None` for one on each core.
    pub jobs: Option<usize>,
    /// Whether the traces are shrunk.
    pub shrinks: bool,
}

impl Hunt {
    /// How many seeds apart the starting points are.
    pub const APART: u64 = 1_000_000;
}

impl Default for Hunt {
    fn default() -> Self {
        Self { seeds: 200_000, starts: 5, events: None, jobs: None, shrinks: true }
    }
}

/// How the hunt for a bug went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hunted {
    /// The bug.
    pub bug: Bug,
    /// The search from each starting point.
    pub searches: Vec<Search>,
    /// The shortest trace of those that were shrunk.
    pub shortest: Option<Trace>,
}

impl Hunted {
    /// Whether it was caught from every starting point.
    pub fn is_caught(&self) -> bool {
        self.searches.iter().all(|search| search.caught.is_some())
    }
}

/// Follows a hunt while it goes on. Calls come from several threads and in no particular order.
pub trait Watch: Sync {
    /// A seed was run.
    fn ran(&self, bug: Bug);
    /// The search for a bug from one starting point is over.
    fn searched(&self, bug: Bug, search: &Search);
    /// A trace of the bug is being shrunk.
    fn shrinks(&self, bug: Bug);
    /// That is over.
    fn shrunk(&self, bug: Bug);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn ran(&self, _: Bug) {}
    fn searched(&self, _: Bug, _: &Search) {}
    fn shrinks(&self, _: Bug) {}
    fn shrunk(&self, _: Bug) {}
}

/// Hunts for these bugs. The results come in their order.
///
/// # Panics
/// If the operating system refuses to start a thread.
///
/// ```
/// use raft::planted::Bug;
/// use sim::campaign::hunt::{Hunt, Unwatched, hunt};
/// let once = Hunt { seeds: 50, starts: 1, shrinks: false, ..Hunt::default() };
/// let hunted = hunt(&[Bug::AckBeforeDurable], &once, &Unwatched);
/// assert!(hunted[0].is_caught());
/// ```
pub fn hunt(bugs: &[Bug], hunt: &Hunt, watch: &impl Watch) -> Vec<Hunted> {
    let pool = ThreadPoolBuilder::new().num_threads(hunt.jobs.unwrap_or(0)).build().expect("threads can start");
    let search = |bug: Bug, start: u64| {
        let search = Search::run(bug, start * Hunt::APART, hunt, watch);
        watch.searched(bug, &search);
        search
    };
    let searched = pool.install(|| {
        let each =
            bugs.par_iter().map(|bug| (0..hunt.starts).into_par_iter().map(|start| search(*bug, start)).collect());
        each.collect::<Vec<Vec<Search>>>()
    });
    let hunted = bugs.iter().zip(searched).map(|(&bug, searches)| {
        let shortest = hunt.shrinks.then(|| shortest(bug, &searches, hunt, watch)).flatten();
        Hunted { bug, searches, shortest }
    });
    hunted.collect()
}

/// The shortest of the traces to which the soonest failures shrink. A trace is one run, so it cannot show that two runs
/// of a seed differ.
fn shortest(bug: Bug, searches: &[Search], hunt: &Hunt, watch: &impl Watch) -> Option<Trace> {
    const SOONEST: usize = 2;
    let mut caught: Vec<&Catch> = searches.iter().filter_map(|search| search.caught.as_ref()).collect();
    caught.retain(|catch| catch.property != Property::RunsRepeat);
    caught.sort_by_key(|catch| catch.events);
    let soonest = caught.into_iter().take(SOONEST);
    let traces = soonest.map(|catch| {
        watch.shrinks(bug);
        let short = shorten::shorten(bug, catch, hunt);
        watch.shrunk(bug);
        short
    });
    traces.min_by_key(|trace| trace.events.len())
}
