//! Letting one event happen, with everything that can go wrong, a failed assertion of the code under test included.
//!
//! All events happen here, whether they are chosen, replayed, tried or told by a script. What an event claims that the
//! world cannot see from its own state is checked here first: that the cluster recovers once faults end, which takes a
//! [driver](super::liveness) to find out.

use super::liveness;
use crate::panics::caught;
use crate::planted;
use crate::pulse;
use crate::trace::Ending;
use crate::world::{Event, Halt, Inapplicable, Outcome, World};

/// Why a run does not go on with an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The event does not fit; nothing has changed.
    Inapplicable(Inapplicable),
    /// The run ends here: never [`Ending::Completed`].
    Broken(Ending),
}

/// Does what the event says. A panic is caught and becomes an ending; the world is then as the panic left it, and not to
/// be used further.
///
/// # Errors
/// The event does not fit, or broke something.
pub fn apply(world: &mut World, event: &Event) -> Result<Outcome, Stop> {
    pulse::begins(event, world.step());
    let applied = caught(|| {
        planted::strike(world.step());
        if let Event::ExpectLiveness { core } = event {
            liveness::check(world, core.as_ref())?;
        }
        world.apply(event)
    });
    pulse::ended(world.step());
    match applied {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(Halt::Inapplicable(reason))) => Err(Stop::Inapplicable(reason)),
        Ok(Err(Halt::Violation(violation))) => Err(Stop::Broken(Ending::Violation(violation))),
        Err(panic) => Err(Stop::Broken(Ending::Panic(panic))),
    }
}
