//! Every crash point of a run: after each of its events each node crashes, with everything that its disk may keep.
//!
//! A [driver](crate::driver::sweep) tries the crashes of one state. The states of a run are tried on every core; what that comes
//! to does not depend on how many there are.

use rayon::prelude::*;

use crate::driver::sweep::{CrashPoint, Tried, try_all};
use crate::driver::{Stop, apply};
use crate::planted::{self, UnknownBug};
use crate::trace::{Ending, Failure, Header, Trace};
use crate::world::World;

/// How to sweep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sweep {
    /// After how many events of a run at most nodes crash, spread over all of it; `None` for each.
    pub most: Option<u64>,
    /// How many states are tried at once; `None` for one on each core.
    pub jobs: Option<usize>,
}

/// What the crash points of a run came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// How many events the run has.
    pub events: u64,
    /// After how many of them nodes crashed.
    pub tried: u64,
    /// How many crashes were tried.
    pub points: u64,
    /// To how many states they led that differ, of those after the same event.
    pub states: u64,
    /// How many of those cannot be asked to converge, since a quorum is gone for good.
    pub unjudged: u64,
    /// What the run itself broke, without any crash of ours; what comes after that was not tried.
    pub broke: Option<Ending>,
    /// What broke after a crash, each way to fail once, with the shortest trace of it.
    pub failures: Vec<Found>,
}

impl Swept {
    /// Whether anything broke.
    pub const fn is_broken(&self) -> bool {
        self.broke.is_some() || !self.failures.is_empty()
    }
}

/// A way to fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The shortest run that shows it: it ends as that does.
    pub trace: Trace,
    /// How many states failed in this way.
    pub times: u64,
}

/// Somebody who follows a sweep, from several threads, and may end it.
pub trait Watch: Sync {
    /// The crashes after one event were tried.
    fn tried(&self, tried: &Tried);

    /// Whether no further event is to be looked at.
    fn enough(&self) -> bool {
        false
    }
}

/// Why there is nothing to sweep.
#[derive(Debug, thiserror::Error)]
pub enum CannotSweep {
    /// The planted bug is not in this build.
    #[error("there is no planted bug {0} in this build")]
    NeedsBug(UnknownBug),
    /// The operating system refuses to start threads.
    #[error("no threads: {0}")]
    Threads(String),
}

/// The crashes after one event, which is known by the count of those up to it.
type AfterEvent = (usize, Tried);

/// Tries every crash of every node after each event of a run, up to where the run itself breaks something.
///
/// # Errors
/// The run needs a planted bug that this build does not have, or no thread can be started.
///
/// ```
/// use sim::campaign::sweep::{Sweep, Unwatched, sweep};
/// let trace = sim::script::record("add-nodes 1 voters=(1) index=2\ncampaign 1\nstabilize\n")?;
/// let swept = sweep(&trace, &Sweep::default(), &Unwatched)?;
/// assert_eq!((swept.tried, swept.failures.len()), (trace.events.len() as u64, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sweep(trace: &Trace, sweep: &Sweep, watch: &impl Watch) -> Result<Swept, CannotSweep> {
    sweep_in(&World::new(), trace, sweep, watch)
}

/// The same, in copies of this world: with what a user brings.
///
/// # Errors
/// As [`sweep`].
pub fn sweep_in(world: &World, trace: &Trace, sweep: &Sweep, watch: &impl Watch) -> Result<Swept, CannotSweep> {
    let bug = trace.header.bug.clone();
    // The trace may be one that was recorded without the bug.
    let switched = planted::switch_on(bug.as_deref()).map_err(CannotSweep::NeedsBug)?;
    let trace = &Trace::record_in(world, trace.header.clone(), &trace.events);
    drop(switched);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(sweep.jobs.unwrap_or(0)).start_handler(move |_| {
        let switched = planted::switch_on(bug.as_deref()).expect("the build has the bug, it was just switched on");
        // It stays on for as long as the thread lives.
        std::mem::forget(switched);
    });
    let threads = threads.build().map_err(|error| CannotSweep::Threads(error.to_string()))?;
    Ok(threads.install(|| {
        let states = States { trace, world: world.clone(), happened: 0 };
        let chosen = states.filter(|(happened, _)| is_chosen(*happened, trace.events.len(), sweep.most));
        let tried = chosen.take_while(|_| !watch.enough()).par_bridge().map(|(happened, world)| {
            let tried = try_all(&world);
            watch.tried(&tried);
            (happened, tried)
        });
        let mut tried: Vec<AfterEvent> = tried.collect();
        tried.sort_by_key(|(happened, _)| *happened);
        summed_up(world, trace, tried)
    }))
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn tried(&self, _: &Tried) {}
}

/// The states of a run, each with the count of the events up to it.
struct States<'a> {
    trace: &'a Trace,
    world: World,
    happened: usize,
}

impl Iterator for States<'_> {
    type Item = (usize, World);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let event = self.trace.events.get(self.happened)?;
            self.happened += 1;
            match apply(&mut self.world, event) {
                Ok(_) => return Some((self.happened, self.world.clone())),
                Err(Stop::Inapplicable(_)) => {}
                Err(Stop::Broken(_)) => {
                    self.happened = self.trace.events.len();
                    return None;
                }
            }
        }
    }
}

/// Whether nodes crash after so many events of a run, where at most so many states are to be tried: always the same, and
/// evenly spread.
fn is_chosen(happened: usize, events: usize, most: Option<u64>) -> bool {
    let (happened, events) = (happened as u128, events as u128);
    most.is_none_or(|most| {
        let before = |count: u128| count * u128::from(most) / events.max(1);
        u128::from(most) >= events || before(happened) > before(happened - 1)
    })
}

fn summed_up(world: &World, trace: &Trace, all: Vec<AfterEvent>) -> Swept {
    let broke = Some(trace.ending.clone()).filter(|ending| *ending != Ending::Completed);
    let mut swept = Swept { events: trace.events.len() as u64, broke, ..Swept::default() };
    let mut ways: Vec<(Option<Failure>, usize, CrashPoint, u64)> = Vec::new();
    for (happened, tried) in all {
        swept.tried += 1;
        swept.points += tried.points;
        swept.states += tried.states;
        swept.unjudged += tried.unjudged;
        for (point, ending) in tried.failures {
            let way = Failure::of(&ending);
            match ways.iter_mut().find(|(known, ..)| *known == way) {
                Some((.., times)) => *times += 1,
                None => ways.push((way, happened, point, 1)),
            }
        }
    }
    let found = |(_, happened, point, times)| Found { trace: recorded(world, trace, happened, point), times };
    swept.failures = ways.into_iter().map(found).collect();
    swept
}

/// The run up to a crash, and what comes of that.
fn recorded(world: &World, trace: &Trace, happened: usize, point: CrashPoint) -> Trace {
    let header = Header { bug: trace.header.bug.clone(), ..Header::of_world(world, None) };
    let events = [&trace.events[..happened], &point.events()].concat();
    let recorded = Trace::record_in(world, header, &events);
    debug_assert_ne!(recorded.ending, Ending::Completed, "the same events lead to the same");
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::record;

    fn of(script: &str) -> Trace {
        record(script).unwrap()
    }

    const REPLICATED: &str = "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\nstabilize log-level=none\nclient 1 write 1 k1=a\n\
                              stabilize log-level=none\n";

    #[test]
    fn the_result_is_the_same_however_many_run_at_once() {
        let with = |jobs| sweep(&of(REPLICATED), &Sweep { jobs: Some(jobs), most: None }, &Unwatched).unwrap();
        let one = with(1);
        assert_eq!(one, with(3));
        // Where only one of three nodes has started, nobody can be asked to converge.
        assert_eq!((one.failures.len(), one.tried, one.unjudged), (0, one.events, 1));
    }

    #[test]
    fn a_bound_spreads_what_is_tried_over_the_run() {
        for (most, expected) in [(Some(4), 4), (Some(0), 0), (Some(1000), 10), (None, 10)] {
            let chosen: Vec<usize> = (1..=10).filter(|happened| is_chosen(*happened, 10, most)).collect();
            assert_eq!(chosen.len(), expected, "{most:?}: {chosen:?}");
        }
        assert_eq!((1..=10).filter(|happened| is_chosen(*happened, 10, Some(3))).collect::<Vec<_>>(), [4, 7, 10]);
    }
}
