//! Exhaustive searches on every core, and those that the README tells of.

mod configurations;
#[cfg(feature = "planted-bugs")]
mod ladder;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

pub use self::configurations::{Size, configurations};
#[cfg(feature = "planted-bugs")]
pub use self::ladder::{Shown, ladder, shown};
use crate::driver::exhaust::{Bounds, Ended, Expanded, Explored, Reached, Spread, Watch, search};
use crate::planted::{self, UnknownBug};

/// States are gone on from side by side.
struct Cores<'a> {
    pool: ThreadPool,
    bug: Option<&'a str>,
}

impl Spread for Cores<'_> {
    fn spread(&self, from: Vec<Reached>, expand: &(dyn Fn(Reached) -> Expanded + Sync)) -> Vec<Expanded> {
        /// Enough that handing them out costs nothing, and few enough that no core waits long for the last.
        const AT_ONCE: usize = 32;
        let chunk = |states: Vec<Reached>| {
            let _switched = planted::switch_on(self.bug).expect("it is there: the search is switched on as well");
            states.into_iter().map(expand).collect::<Vec<_>>()
        };
        self.pool.install(|| from.into_par_iter().chunks(AT_ONCE).flat_map_iter(chunk).collect())
    }
}

/// Tries every order of events within the bounds, on so many threads, `None` for one on each core, and perhaps with a planted bug.
/// What comes out does not depend on their number.
///
/// ```
/// use sim::campaign::exhaust::exhaust;
/// use sim::driver::exhaust::{Act, Bounds, Ended, Unwatched};
///
/// let bounds = Bounds { nodes: 2, ..Bounds::default() }.with(Act::Propose, 0);
/// let explored = exhaust(&bounds, Some(1), None, &mut Unwatched)?;
/// assert_eq!(explored.ended, Ended::Whole);
/// # Ok::<(), sim::planted::UnknownBug>(())
/// ```
///
/// # Errors
/// There is no such bug in this build.
///
/// # Panics
/// If the operating system refuses to start a thread.
pub fn exhaust(
    bounds: &Bounds,
    jobs: Option<usize>,
    bug: Option<&str>,
    watch: &mut impl Watch,
) -> Result<Explored, UnknownBug> {
    let _switched = planted::switch_on(bug)?;
    let pool = ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).build().expect("threads can start");
    let mut explored = search(bounds, &Cores { pool, bug }, watch);
    if let Ended::Broken(trace) = &mut explored.ended {
        trace.header.bug = bug.map(str::to_owned);
        trace.header.note = Some(format!("exhaustive search: {bounds}"));
    }
    Ok(explored)
}
