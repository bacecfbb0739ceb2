//! One event, with everything that can go wrong: also an assertion of the code itself that fails.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::format::Ending;
use crate::world::{Event, Halt, Misfit, Outcome, World};

/// Why a run does not go on with an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The event does not fit; nothing has changed.
    Misfit(Misfit),
    /// The run ends here: never [`Ending::Completed`].
    Broken(Ending),
}

/// Does what the event says. A panic is caught and becomes an ending; the world is then as the panic left it, and not to
/// be used further.
///
/// # Errors
/// The event does not fit, or broke something.
pub fn apply(world: &mut World, event: &Event) -> Result<Outcome, Stop> {
    match catch_unwind(AssertUnwindSafe(|| world.apply(event))) {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(Halt::Misfit(misfit))) => Err(Stop::Misfit(misfit)),
        Ok(Err(Halt::Violation(violation))) => Err(Stop::Broken(Ending::Violation(violation))),
        Err(panic) => Err(Stop::Broken(Ending::Panic(message(&*panic)))),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without text".to_string())
}
