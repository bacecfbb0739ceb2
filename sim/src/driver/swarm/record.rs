//! Recording the run of a seed.

use std::io::{self, Write};

use super::{Ended, Swarm};
use crate::driver::Start;
use crate::plan::Plan;
use crate::trace::{Ending, Header, Writer};
use crate::world::{Event, World};

/// A run that was recorded.
#[derive(Debug)]
pub struct Recorded<W> {
    /// The run, as [`run`](super::run) has it. Where an assertion failed, as that left it.
    pub ended: Ended,
    /// How it ended.
    pub ending: Ending,
    /// What the trace was written to.
    pub out: W,
}

/// Runs a plan as [`run`](super::run) does, and writes its trace. A panic ends the run and the trace.
/// `bug` is the planted bug that is switched on, for whoever replays it.
///
/// # Errors
/// Those of `out`.
pub fn record<W: Write>(plan: &Plan, bug: Option<&str>, out: W) -> io::Result<Recorded<W>> {
    record_from(&Start::of(World::new()), plan, bug, out)
}

/// The same, from this start: with what a user brings, or after what has happened.
///
/// # Errors
/// Those of `out`.
pub fn record_from<W: Write>(start: &Start, plan: &Plan, bug: Option<&str>, out: W) -> io::Result<Recorded<W>> {
    let mut writer = Writer::new(out, &header(start.world(), plan, bug)?)?;
    start.write(&mut writer)?;
    let mut swarm = Swarm::new_in(start.world(), plan);
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

/// Writes the trace of a run that hangs: after `steps` events, the event `hangs` begins and never ends. That event is
/// not run.
///
/// # Errors
/// Those of `out`.
pub fn record_hang<W: Write>(
    plan: &Plan,
    bug: Option<&str>,
    steps: u64,
    hangs: Option<Event>,
    out: W,
) -> io::Result<W> {
    record_hang_from(&Start::of(World::new()), plan, bug, steps, hangs, out)
}

/// The same, from this start: with what a user brings, or after what has happened.
///
/// # Errors
/// Those of `out`.
pub fn record_hang_from<W: Write>(
    start: &Start,
    plan: &Plan,
    bug: Option<&str>,
    steps: u64,
    hangs: Option<Event>,
    out: W,
) -> io::Result<W> {
    let mut writer = Writer::new(out, &header(start.world(), plan, bug)?)?;
    start.write(&mut writer)?;
    let mut swarm = Swarm::new_in(start.world(), plan);
    while swarm.world().step() < steps {
        let mut written = Ok(());
        let ended = swarm.go_on(&mut |event| written = writer.event(event));
        written?;
        if let Some(ending) = ended {
            return writer.end(swarm.world(), &ending);
        }
        writer.digest(swarm.world())?;
    }
    writer.end(swarm.world(), &Ending::Hang(hangs.map(Box::new)))
}

fn header(world: &World, plan: &Plan, bug: Option<&str>) -> io::Result<Header> {
    let bug = bug.map(str::to_owned);
    Ok(Header { bug, plan: serde_json::to_value(plan)?, ..Header::of_world(world, Some(plan.seed)) })
}
