//! `sim tla FILE`: a run as a file for etcd's trace validation.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{HELD, engines, run_of_file, say_beside};
use crate::explain::tla::{Limit, Told, tell, tell_and_go_on};
use crate::output;
use crate::planted;
use crate::trace::{Ending, Header, Trace};

/// Writes a run as a file for etcd's trace validation, which says whether etcd's TLA+ specification of Raft allows it.
///
/// What the specification cannot speak about, pre-vote for example, is refused, with the event and the reason. The events before
/// it can be written. Where a trace ends with what it broke, up to 200 lines more tell of what follows once faults end: what a node
/// has done wrong shows in what it does next.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim tla run.jsonl -o run.ndjson               a trace
  sim tla scenarios/elections/a-majority-elects-a-leader.txt -o run.ndjson
                                                a scenario
  sim tla run.jsonl -o run.ndjson --until 250   the first 250 events of it
  sim explore --tla DIR --seeds 0..50           files of seeds, all within what the specification can speak about

sim/tla.md says how to fetch TLC and the specification, and how to validate a file.

Exit status: 0 the file is written, 2 FILE cannot be read or run, or leads beyond the specification")]
pub(super) struct TlaArguments {
    /// A trace, or a scenario
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file for the validation; without, it goes to standard output
    #[arg(short, long, value_name = "NDJSON")]
    out: Option<PathBuf>,
    /// Tells of this many events only, not of all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    until: Option<u64>,
}

/// How many lines more tell of what follows where a run ends with what it broke.
const MORE: usize = 200;

/// Writes the file.
pub(super) fn run(arguments: &TlaArguments) -> Result<u8, String> {
    let TlaArguments { file, out, until } = arguments;
    let said = |text: String| format!("{}: {text}", file.display());
    let trace = run_of_file::whole(file)?;
    let told = told(&trace, *until).map_err(said)?;
    if let Some(limit) = &told.limit {
        return Err(said(refusal(limit, told.events)));
    }
    match out {
        None => output::print(told.text())?,
        Some(path) => {
            write(path, &told)?;
            let lines = told.lines.len();
            say_beside(path, format_args!("{}: {lines} lines, of {} events", path.display(), told.events))?;
        }
    }
    Ok(HELD)
}

/// What a trace amounts to, with the planted bug that it was recorded with.
fn told(trace: &Trace, until: Option<u64>) -> Result<Told, String> {
    let Header { engine, bug, .. } = &trace.header;
    if let Some(engine) = engine {
        engines::world_of(&trace.header)?;
        return Err(Limit::Engine(engine.clone()).to_string());
    }
    let _switched = planted::switch_on(bug.as_deref())
        .map_err(|unknown| format!("it needs the planted bug {unknown}: build with --features planted-bugs"))?;
    let count = until.and_then(|until| usize::try_from(until).ok()).unwrap_or(usize::MAX);
    let events = &trace.events[..trace.events.len().min(count)];
    let is_broken = trace.ending != Ending::Completed && count >= trace.events.len();
    Ok(if is_broken { tell_and_go_on(events, MORE) } else { tell(events, usize::MAX) })
}

fn refusal(limit: &Limit, events: u64) -> String {
    let before = match events {
        0 => "nothing comes before it".to_owned(),
        _ => format!("--until {events} tells of what comes before it"),
    };
    format!("event {}: {limit}; {before}", events + 1)
}

/// Writes what was told to a file.
pub(super) fn write(path: &Path, told: &Told) -> Result<(), String> {
    output::write(path, told.text().as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
}
