//! Where seeds begin, if not with nothing: after the events of a file.

use std::path::PathBuf;

use crate::driver::{Start, Stop};
use crate::plan::Plan;
use crate::planted;
use crate::trace::Ending;
use crate::world::World;
use clap::Args;

use super::super::{again, run_of_file};

/// The place from which runs go on.
#[derive(Args, Clone, Debug)]
pub(super) struct From {
    /// Begins each run with the events of a scenario or a trace: a scenario's up to the command explore-from-here, or all of them
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Begins with only so many events of that file
    #[arg(long, value_name = "STEP", requires = "from")]
    at: Option<u64>,
}

impl From {
    /// The start of the runs, in this world and with this planted bug.
    ///
    /// # Errors
    /// The file cannot be read or run, or no run can go on from there.
    pub(super) fn start(&self, world: World, bug: Option<&str>) -> Result<Start, String> {
        let Some(file) = &self.from else { return Ok(Start::of(world)) };
        let said = |error: String| format!("{}: {error}", file.display());
        let trace = match self.at {
            Some(_) => run_of_file::whole(file)?,
            None => run_of_file::to_place(&world, file)?,
        };
        let (events, ending) = (&trace.events, &trace.ending);
        // The last event of a run that broke something is the one that broke it.
        let most = events.len().saturating_sub(usize::from(*ending != Ending::Completed));
        let steps = match self.at.map(usize::try_from) {
            None => most,
            Some(Ok(at)) if at <= most => at,
            Some(_) => return Err(said(format!("runs can begin after at most {most} of its events"))),
        };
        let _switched =
            planted::switch_on(bug.or(trace.header.bug.as_deref())).map_err(|unknown| said(unknown.to_string()))?;
        let start = Start::after(world, &events[..steps]).map_err(|stop| said(of_stop(&stop)))?;
        Plan::can_go_on(start.world()).map_err(|error| said(error.to_string()))?;
        Ok(start)
    }

    /// The options as they are typed, each with a space before it.
    pub(super) fn as_typed(&self) -> String {
        let from = self.from.as_ref().map(|file| format!(" --from {}", again::quoted(file.display())));
        let at = self.at.map(|at| format!(" --at {at}"));
        from.into_iter().chain(at).collect()
    }

    /// Whether runs begin with nothing.
    pub(super) const fn is_nothing(&self) -> bool {
        self.from.is_none()
    }
}

fn of_stop(stop: &Stop) -> String {
    match stop {
        Stop::Inapplicable(reason) => format!("its events do not fit here: {reason}"),
        Stop::Broken(ending) => format!("it breaks something before runs can begin: {ending}"),
    }
}
