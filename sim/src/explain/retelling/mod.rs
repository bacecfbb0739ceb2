//! From a short trace to a scenario that a person could have written, and that ends as the trace does.
//!
//! First every event is [said](say) by a command of its own. Then the text is [tidied](tidy): steps of a host become
//! `process-ready` or `stabilize`, options and arguments that do not matter go, what can be left out is left out. Every
//! such change is tried by running the scenario, and stays only where that still ends in the same way: fails in the same
//! way as the trace, or leaves every node as the trace leaves it. Last, the commands are put in groups, with
//! [comments](tell) that say what happens in them.

mod goal;
mod phrase;
mod say;
mod tell;
mod tidy;

use self::goal::Goal;
use self::phrase::Phrase;
pub(crate) use self::say::say;
use self::tidy::Draft;
use crate::driver::{Stop, apply};
use crate::planted::{self, UnknownBug};
use crate::script::environment::Environment;
use crate::trace::{Failure, Trace};
use crate::world::{Event, World};

/// Longer traces make no scenario that anybody would read.
const MOST_EVENTS: usize = 1000;

/// Why a trace makes no scenario.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotTell {
    /// It is too long.
    #[error("{0} events are too many for a scenario, which has room for {MOST_EVENTS}: shrink the trace first")]
    TooLong(
        /// The number of its events.
        usize,
    ),
    /// The language has no words for one of its events, and it does not end in the same way without it.
    #[error("step {step}: the language of scenarios cannot say {event}: {why}")]
    Event {
        /// The event, by the count of those before it.
        step: usize,
        /// What it is called.
        event: String,
        /// What is missing.
        why: &'static str,
    },
    /// The trace no longer runs as it was recorded.
    #[error("the trace does not run as it was recorded: replay says where")]
    Diverged,
    /// It needs a planted bug.
    #[error("needs the planted bug {0}: use a build with the feature planted-bugs that knows it")]
    NeedsBug(UnknownBug),
    /// The commands of a scenario, one for each event, do not lead to the same end.
    #[error("a scenario of these events does not end as they do")]
    Otherwise,
}

/// Makes a scenario of a trace. Played, it fails in the same way as the trace; or, where nothing breaks in that, it leaves
/// every node in the same term, role and state of its log.
///
/// # Errors
/// The trace is too long, does not run as recorded, needs a bug that this build does not have, or holds what scenarios
/// cannot say.
pub fn from_trace(trace: &Trace) -> Result<String, CannotTell> {
    from_trace_in(&World::new(), trace)
}

/// The same, in copies of this world: with what a user brings. The scenario is to be [played](crate::script::play_in) in such
/// a one.
///
/// # Errors
/// As [`from_trace`].
pub fn from_trace_in(world: &World, trace: &Trace) -> Result<String, CannotTell> {
    if trace.events.len() > MOST_EVENTS {
        return Err(CannotTell::TooLong(trace.events.len()));
    }
    let (goal, said) = {
        let _switched = planted::switch_on(trace.header.bug.as_deref()).map_err(CannotTell::NeedsBug)?;
        say_all(world, trace)?
    };
    let bug = trace.header.bug.iter().filter_map(|bug| Phrase::new(["planted-bug", bug]));
    let phrases = bug.chain(said.phrases).collect();
    let mut draft = Draft::new(world, phrases, goal).ok_or_else(|| said.unsaid.unwrap_or(CannotTell::Otherwise))?;
    draft.tidy();
    Ok(tell::tell(world, trace, draft.phrases()))
}

/// The events of a scenario made of the trace, if they fail in the same way. They take no detours, so pieces can be
/// taken out of them that cannot be taken out of the trace. A planted bug has to be switched on.
pub(crate) fn retell(world: &World, trace: &Trace) -> Option<Vec<Event>> {
    let (goal, said) = say_all(world, trace).ok()?;
    let mut draft = Draft::new(world, said.phrases, goal)?;
    draft.tidy();
    let mut environment = Environment::new_in(world).recording();
    let broken = draft.phrases().iter().any(|phrase| environment.run(phrase.command()).is_err());
    broken.then(|| environment.recorded().to_vec())
}

/// The trace, event by event.
struct Said {
    phrases: Vec<Phrase>,
    /// The first event for which there are no words.
    unsaid: Option<CannotTell>,
}

fn say_all(world: &World, trace: &Trace) -> Result<(Goal, Said), CannotTell> {
    let mut world = world.clone();
    let mut said = Said { phrases: Vec::new(), unsaid: None };
    for (step, event) in trace.events.iter().enumerate() {
        match say::say(event, &world) {
            Ok(phrase) => said.phrases.extend(phrase),
            Err(why) if said.unsaid.is_none() => {
                said.unsaid = Some(CannotTell::Event { step, event: format!("{:?}", event.kind()), why });
            }
            Err(_) => {}
        }
        match apply(&mut world, event) {
            Ok(_) => {}
            Err(Stop::Inapplicable(_)) => return Err(CannotTell::Diverged),
            Err(Stop::Broken(ending)) => {
                let failure =
                    Failure::of(&ending).filter(|failure| Failure::of(&trace.ending).as_ref() == Some(failure));
                return Ok((Goal::Fails(failure.ok_or(CannotTell::Diverged)?), said));
            }
        }
    }
    match Failure::of(&trace.ending) {
        None => Ok((Goal::rests(&world), said)),
        Some(_) => Err(CannotTell::Diverged),
    }
}
