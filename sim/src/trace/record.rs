//! Recording the run of a seed.

use std::io::{self, Write};

use super::format::{Ending, Header};
use super::writer::Writer;
use crate::driver::swarm::{Ended, Swarm};
use crate::plan::Plan;

/// A run that was recorded.
#[derive(Debug)]
pub struct Recorded<W> {
    /// The run, as [`swarm::run`](crate::driver::swarm::run) has it. Where an assertion failed, as that left it.
    pub ended: Ended,
    /// How it ended.
    pub ending: Ending,
    /// What the trace was written to.
    pub out: W,
}

/// Runs a plan as [`swarm::run`](crate::driver::swarm::run) does, and writes its trace. A panic ends the run and the trace.
/// `bug` is the planted bug that is switched on, for whoever replays it.
///
/// # Errors
/// Those of `out`.
pub fn record<W: Write>(plan: &Plan, bug: Option<&str>, out: W) -> io::Result<Recorded<W>> {
    let bug = bug.map(str::to_owned);
    let header = Header { bug, plan: serde_json::to_value(plan)?, ..Header::new(Some(plan.seed)) };
    let mut writer = Writer::new(out, &header)?;
    let mut swarm = Swarm::new(plan);
    let ending = loop {
        let mut written = Ok(());
        let ended = swarm.go_on(&mut |event| written = writer.event(event));
        written?;
        match ended {
            None => writer.digest(swarm.world())?,
            Some(ending) => break ending,
        }
    };
    let out = writer.end(swarm.world(), &ending)?;
    Ok(Recorded { ended: swarm.end(&ending), ending, out })
}
