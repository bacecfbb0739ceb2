//! From a long trace to a short one that fails in the same way.
//!
//! Every change that is tried is a *candidate*: events taken out, or made simpler. A candidate is run; it is kept if it
//! fails [in the same way](Failure) and has no more events, and then the events that did not fit fall away as well. The
//! passes take out, coarse pieces first, whole nodes, faults and what clients ask for, stretches of time, messages, and
//! single events (delta debugging: Zeller and Hildebrandt, 2002); then they bring values, terms, times and the number
//! of nodes down, and have membership changes made before the run or at once; and all of that again until nothing
//! changes. Then a scenario is [made](super::from_trace) of what is left. Its events lead to the same failure in a more
//! usual way, and everything begins again with them, as long as that leads to fewer events.
//! Where it stays long all the same, the failure is looked for [afresh](short_runs) in short runs.
//!
//! Taking out an event changes what is sent after it, and so the numbers of all later messages. That is why a candidate
//! does not speak of messages by number: see [`step`].
//!
//! If a cluster does not converge, every event is needed to show that it had the chance. So the long liveness phase at
//! the end of such a recording is first replaced by an [`Event::ExpectLiveness`]: see [`stall`]. If none shows the
//! same, nothing can be taken out, and the result is the step to [look](Look) at.
//!
//! If a planted bug is on, only candidates that break nothing without it are kept.
//!
//! Candidates run on every core. If several are good, the first one in the order of the list is kept, not the first one
//! in time, so that the result does not depend on the number of threads.

mod baseline;
mod cut;
mod groups;
mod look;
mod lower;
mod members;
mod renumber;
mod search;
mod short_runs;
mod simpler;
mod stall;
mod step;

pub use look::Look;

use self::search::Search;
use super::retelling::retell;
use crate::planted::{self, UnknownBug};
#[cfg(doc)]
use crate::trace::Failure;
use crate::trace::{Ending, Header, Trace};
use crate::world::{Event, World};

/// Follows a shrinking while it goes on, and may end it.
pub trait Watch: Send {
    /// There is a shorter trace, the best so far.
    fn improved(&mut self, best: &Trace);
    /// `candidates` have been tried so far in this pass.
    fn tried(&mut self, pass: &'static str, candidates: u64);
    /// Whether to end with the best so far. Asked between candidates.
    fn enough(&self) -> bool;
}

/// Watches nothing, and ends nothing early.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn improved(&mut self, _: &Trace) {}
    fn tried(&mut self, _: &'static str, _: u64) {}
    fn enough(&self) -> bool {
        false
    }
}

/// Why there is nothing to shrink.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotShrink {
    /// The events lead to no failure.
    #[error("the events of this trace break nothing")]
    NothingBreaks,
    /// The cluster does not converge, and only the whole recording shows it.
    #[error(
        "the cluster would converge if faults ended now, and all of the recording is needed to show that it did not: {0}"
    )]
    OnlyAsRecorded(Look),
    /// The run hangs, and a thread that tried parts of it would hang as well.
    #[error(
        "the run hangs, and a thread that hangs cannot be taken back: `sim replay` in a debugger shows where it loops"
    )]
    Hangs,
    /// The planted bug that the trace needs is not in this build.
    #[error("needs the planted bug {0}: use a build with the feature planted-bugs that knows it")]
    NeedsBug(UnknownBug),
    /// There are no threads to run on.
    #[error("no threads: {0}")]
    Threads(String),
}

/// Finds a short trace that fails in the same way, on this number of threads; 0 stands for one on each core.
///
/// # Errors
/// The trace does not fail, or cannot be run by this build.
pub fn shrink(trace: &Trace, threads: usize, watch: &mut dyn Watch) -> Result<Trace, CannotShrink> {
    shrink_in(&World::new(), trace, threads, watch)
}

/// The same, in copies of this world: with what a user brings.
///
/// # Errors
/// As [`shrink`].
pub fn shrink_in(world: &World, trace: &Trace, threads: usize, watch: &mut dyn Watch) -> Result<Trace, CannotShrink> {
    if matches!(trace.ending, Ending::Hang(_)) {
        return Err(CannotShrink::Hangs);
    }
    let bug = trace.header.bug.clone();
    drop(planted::switch_on(bug.as_deref()).map_err(CannotShrink::NeedsBug)?);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).start_handler(move |_| {
        let switched = planted::switch_on(bug.as_deref()).expect("the build has the bug, it was just switched on");
        // It stays on for as long as the thread lives.
        std::mem::forget(switched);
    });
    let pool = pool.build().map_err(|error| CannotShrink::Threads(error.to_string()))?;
    pool.install(|| {
        let header = header(trace);
        if !stall::is_recorded(trace) {
            return shrink_events(world, header, &trace.events, watch);
        }
        match stall::shown_by_expectation(world, &trace.events) {
            Some(short) => shrink_events(world, header, &short, watch),
            None => Err(CannotShrink::OnlyAsRecorded(Look::at(world, &trace.events))),
        }
    })
}

fn shrink_events(
    world: &World,
    header: Header,
    events: &[Event],
    watch: &mut dyn Watch,
) -> Result<Trace, CannotShrink> {
    let mut search = Search::new(world, header, events, watch).ok_or(CannotShrink::NothingBreaks)?;
    descend(&mut search);
    while !search.is_over() && descends_further_retold(&mut search) {}
    if search.best.steps.len() > short_runs::ENOUGH {
        begins_afresh(&mut search);
    }
    Ok(search.trace())
}

/// Begins again with short runs that fail in the same way, and keeps the shortest result.
fn begins_afresh(search: &mut Search<'_>) {
    for other in short_runs::find(search) {
        let Some(before) = search.replace(other) else { continue };
        descend(search);
        while !search.is_over() && descends_further_retold(search) {}
        if search.best.steps.len() >= before.steps.len() {
            search.best = before;
        }
    }
    // What was announced last may have been something else.
    search.announce();
}

/// Begins again with the run of a scenario made of the best trace, which leads to the same failure in another way.
/// Returns whether that made the trace any better.
fn descends_further_retold(search: &mut Search<'_>) -> bool {
    search.begin("retelling");
    let other = retell(search.best.start(), &search.trace()).and_then(|events| search.best.same_failure(&events));
    let Some(other) = other else { return false };
    let before = std::mem::replace(&mut search.best, other);
    descend(search);
    let is_better = search.best.steps.len() < before.steps.len();
    if !is_better {
        search.best = before;
        // The last announcement may have been about that other run.
        search.announce();
    }
    is_better
}

/// Tries everything, until nothing makes the trace any better.
fn descend(search: &mut Search<'_>) {
    // Single events of a long trace are too many to try: they wait until coarse pieces have made it short.
    let mut finest = (search.best.steps.len() / 64).max(1);
    while !search.is_over() {
        let before = search.best.steps.len();
        cut::pieces(search, finest);
        let simplified = before < 2000 && simpler::values(search);
        let after = search.best.steps.len();
        if finest > 1 && after * 10 > before * 9 {
            finest = (finest / 4).max(1);
        } else if finest == 1 && after == before && !simplified && !takes_out_several(search) {
            return;
        }
    }
}

/// Tries what costs the most.
fn takes_out_several(search: &mut Search<'_>) -> bool {
    cut::windows(search) || cut::pairs(search) || cut::triples(search)
}

/// The plan no longer tells how the run came about.
fn header(trace: &Trace) -> Header {
    let Header { seed, bug, engine, note, .. } = trace.header.clone();
    let note = note.unwrap_or_else(|| format!("shrunk from {} events", trace.events.len()));
    Header { bug, engine, note: Some(note), ..Header::new(seed) }
}

/// A failure of these events, for the search.
fn trace_of(header: &Header, events: Vec<Event>, ending: Ending) -> Trace {
    Trace { header: header.clone(), events, ending }
}
