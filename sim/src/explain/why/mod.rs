//! When a failure became certain.
//!
//! A failing run is a list of events, and worlds are values. So from many places of it many runs can go on at random: the share of
//! them that fails in the same way, over the steps, tells where the harm was done. Where the share jumps from one event to the
//! next, that event did it. Antithesis and FoundationDB show such a curve of their runs.
//!
//! Most properties break early, before any client notices. So continuations of the whole run are also looked at with nothing but the
//! clients' histories checked: do they lead to an answer that is wrong?

mod continuations;
mod curve;
mod harm;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

pub use self::curve::{Jump, Point};
pub use self::harm::Harm;
use super::past::{Influence, causal_past_in};
use super::report::Curve;
use crate::driver::{Stop, apply};
use crate::plan::{CannotGoOn, Plan};
use crate::planted::{self, UnknownBug};
use crate::trace::{Ending, Property, Trace};
use crate::world::World;

/// How much to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// How many runs go on from each place.
    pub continuations: u64,
    /// How many events each of them goes on for, before faults end in it if the failure is that the cluster does not converge.
    pub events: u64,
    /// How many run at once; `None` for one on each core.
    pub jobs: Option<usize>,
}

impl Default for Question {
    fn default() -> Self {
        Self { continuations: 64, events: 1000, jobs: None }
    }
}

/// What is known of a failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// How the run ends.
    pub ending: Ending,
    /// How many events it has.
    pub events: u64,
    /// The share of continuations that fail in the same way, over the steps.
    pub curve: Vec<Point>,
    /// The events at which it jumps, the highest jump first.
    pub jumps: Vec<Jump>,
    /// Which events can have influenced the failure.
    pub past: Vec<Influence>,
    /// What it leads to, if a client is told something wrong in a continuation. None as well where that is how the run fails.
    pub harm: Option<Harm>,
    /// How many continuations were looked at for that.
    pub looked: u64,
}

impl Why {
    /// The curve as the [page](crate::explain::Report::with_curve) of the run shows it.
    pub fn for_page(&self) -> Curve {
        let thousandths = |point: &Point| u32::try_from(point.per_mille()).unwrap_or(1000);
        let points = self.curve.iter().map(|point| (point.step.saturating_sub(1), thousandths(point)));
        let jumps = self.jumps.iter().map(|jump| (jump.before.step, jump.event.clone()));
        Curve { points: points.collect(), jumps: jumps.collect() }
    }
}

/// Follows the search for an answer, and may end it. Calls come from several threads.
pub trait Watch: Sync {
    /// One more of so many runs has come to its end.
    fn ran(&self, of: u64) {
        let _ = of;
    }

    /// Whether to end with what is known so far. Asked between rounds.
    fn enough(&self) -> bool {
        false
    }
}

/// Watches nothing, and ends nothing early.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CannotSayWhy {
    /// The events lead to no failure.
    #[error("the events of this trace break nothing")]
    NothingBreaks,
    /// The run hangs.
    #[error("the run hangs: what goes on from it would hang as well")]
    Hangs,
    /// No run can go on at random.
    #[error(transparent)]
    CannotGoOn(#[from] CannotGoOn),
    /// The planted bug that the trace names is not in this build.
    #[error("the trace was recorded with the planted bug {0}, which is in builds with the feature planted-bugs")]
    NeedsBug(UnknownBug),
    /// The operating system refuses to start threads.
    #[error("no threads: {0}")]
    Threads(#[from] ThreadPoolBuildError),
}

/// Asks when the failure of this trace became certain.
///
/// # Errors
/// There is no answer, for the reason given.
///
/// ```
/// use sim::explain::{CannotSayWhy, Question, Unasked, why};
/// let trace = sim::script::record("add-nodes 1 voters=(1) index=2\ncampaign 1\n").unwrap();
/// assert!(matches!(why(&trace, &Question::default(), &Unasked), Err(CannotSayWhy::NothingBreaks)));
/// ```
pub fn why(trace: &Trace, question: &Question, watch: &impl Watch) -> Result<Why, CannotSayWhy> {
    why_in(&World::new(), trace, question, watch)
}

/// The same, in copies of this world: with what a user brings.
///
/// # Errors
/// As [`why`].
pub fn why_in(world: &World, trace: &Trace, question: &Question, watch: &impl Watch) -> Result<Why, CannotSayWhy> {
    let _switched = planted::switch_on(trace.header.bug.as_deref()).map_err(CannotSayWhy::NeedsBug)?;
    let (events, ending) = failing(world, trace)?;
    let property = Property::broken_by(&ending).ok_or(CannotSayWhy::NothingBreaks)?;
    let pool = ThreadPoolBuilder::new().num_threads(question.jobs.unwrap_or(0)).build()?;
    let run = Run { start: world, events: &trace.events[..events], bug: trace.header.bug.as_deref(), property, pool };
    Plan::can_go_on(&run.world_at(events - 1))?;
    let curve = curve::curve(&run, question, watch);
    let (harm, looked) = harm::look_for(&run, question, watch);
    let past = causal_past_in(world, run.events, &ending);
    let jumps = curve::jumps(&run, &curve);
    Ok(Why { ending, events: events as u64, jumps, curve, past, harm, looked })
}

/// A run that fails.
struct Run<'a> {
    start: &'a World,
    /// The last one breaks the property.
    events: &'a [crate::world::Event],
    bug: Option<&'a str>,
    property: Property,
    /// Where continuations run. The run itself is run again in the thread that asks, in which its bug is on.
    pool: ThreadPool,
}

impl Run<'_> {
    /// The world after so many events.
    fn world_at(&self, events: usize) -> World {
        let mut world = self.start.clone();
        self.events[..events].iter().for_each(|event| drop(apply(&mut world, event)));
        world
    }
}

/// How many events lead to the failure, the one that breaks something included, and how it ends.
fn failing(start: &World, trace: &Trace) -> Result<(usize, Ending), CannotSayWhy> {
    if matches!(trace.ending, Ending::Hang(_)) {
        return Err(CannotSayWhy::Hangs);
    }
    let mut world = start.clone();
    for (before, event) in trace.events.iter().enumerate() {
        if let Err(Stop::Broken(ending)) = apply(&mut world, event) {
            return Ok((before + 1, ending));
        }
    }
    Err(CannotSayWhy::NothingBreaks)
}
