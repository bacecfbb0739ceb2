//! `sim exhaust`: every order of events within bounds.

mod bounds;
mod progress;
mod table;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::campaign::exhaust::exhaust;
use crate::driver::exhaust::{Ended, Explored};
use crate::output::say;
use crate::trace::Trace;
use clap::Args;
use serde_json::json;

use self::bounds::BoundsArguments;
use self::progress::Bar;
use super::again::Next;
use super::summary::Text;
use super::{HELD, VIOLATED, failure, jobs};

/// Tries every order of events within bounds, breadth first, and says that nothing breaks, or by which shortest run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim exhaust                                   three nodes, one campaign, one proposal
  sim exhaust --campaigns 2 --pre-vote          two campaigns, with pre-vote
  sim exhaust --nodes 2 --campaigns 1 --crashes 1 --host-steps
                                                a crash between any two steps of a host
  sim exhaust --campaigns 1 --changes 1 --joint a membership change through a joint configuration
  sim exhaust --campaigns 0 --ticks 8 --reads 1 --leases
                                                clocks instead of campaigns that come from nowhere, lease reads
  sim exhaust --markdown                        the table in the README
  sim exhaust --record > sim/recorded/exhaust.txt
                                                makes that anew: about an hour

A move is what somebody outside a node decides, with what the node's host then does for it: a message arrives, a node
campaigns, a client proposes, a node crashes. A bound says how often each happens in a run as a whole; the rest may
happen in any order. How long a search takes doubles or triples with each event more.

Exit status: 0 nothing breaks within the bounds, or as far as the memory reached: see the text, 1 a property was violated,
and the trace of a shortest run is left, 2 bad usage")]
pub(super) struct ExhaustArguments {
    #[command(flatten)]
    bounds: BoundsArguments,
    /// How many threads, instead of one on each core; the result does not depend on it
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Where the trace of what breaks is put
    #[arg(short, long, value_name = "FILE", default_value = "exhaust.jsonl")]
    out: PathBuf,
    /// Switches a planted bug on, in a build that has them
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// Prints a JSON line instead of text
    #[arg(long)]
    json: bool,
    /// Prints the recorded searches as a table in Markdown
    #[arg(long, conflicts_with_all = ["json", "record"])]
    markdown: bool,
    /// Does the searches of the table, and prints what is recorded of them
    #[arg(long, conflicts_with = "json")]
    record: bool,
}

/// Searches, and says what came of it.
pub(super) fn run(arguments: &ExhaustArguments) -> Result<u8, String> {
    if arguments.markdown {
        say(table::markdown())?;
        return Ok(HELD);
    }
    if arguments.record {
        return table::record(jobs::capped(arguments.jobs));
    }
    let bounds = arguments.bounds.bounds()?;
    // Names a bug that there is not before anything is done.
    drop(super::bugs::switch_on(arguments.bug.as_deref())?);
    let began = Instant::now();
    let mut bar = Bar::new();
    let explored = exhaust(&bounds, jobs::capped(arguments.jobs), arguments.bug.as_deref(), &mut bar)
        .map_err(|unknown| unknown.to_string())?;
    bar.finish();
    let seconds = began.elapsed().as_secs_f64();
    let trace = match &explored.ended {
        Ended::Broken(trace) => Some(left(trace, arguments)?),
        Ended::Whole | Ended::Memory { .. } | Ended::Interrupted { .. } => None,
    };
    let text = match arguments.json {
        true => as_json(&bounds.to_string(), &explored, seconds, trace),
        false => as_text(&bounds.to_string(), &explored, seconds, trace),
    };
    say(text.trim_end())?;
    Ok(if trace.is_some() { VIOLATED } else { HELD })
}

/// Leaves the trace of what broke.
fn left<'a>(trace: &Trace, arguments: &'a ExhaustArguments) -> Result<&'a Path, String> {
    let _switched = super::bugs::switch_on(arguments.bug.as_deref())?;
    trace.save(&arguments.out).map_err(|error| format!("{}: {error}", arguments.out.display()))?;
    Ok(&arguments.out)
}

/// Why it ended, as far as that is no failure.
fn ended(explored: &Explored) -> String {
    match &explored.ended {
        Ended::Whole => "nothing found, in all states within the bounds".to_owned(),
        Ended::Memory { complete } => {
            format!("nothing found, in all states up to {complete} moves and some further ones: the memory is used up")
        }
        Ended::Interrupted { complete } => {
            format!("nothing found, in all states up to {complete} moves and some further ones: interrupted")
        }
        Ended::Broken(trace) => {
            format!("a run of {} moves breaks something: {} events", explored.depth, trace.events.len())
        }
    }
}

fn as_text(bounds: &str, explored: &Explored, seconds: f64, trace: Option<&Path>) -> String {
    let Explored { states, transitions, depth, widest, ended: how } = explored;
    let mut out = Text::default();
    out.line("bounds", bounds);
    out.line("states", format_args!("{states}, {:.0} a second", *states as f64 / seconds.max(0.001)));
    out.line("tried", format_args!("{transitions} transitions"));
    out.line("depth", format_args!("{depth} moves"));
    out.line("widest", format_args!("{widest} states of one depth"));
    out.line("time", format_args!("{seconds:.1} s"));
    out.line("result", ended(explored));
    let mut text = out.into_string();
    if let (Ended::Broken(broken), Some(path)) = (how, trace) {
        let mut out = Text::default();
        out.line("trace", path.display());
        text += &failure::of_ending(&broken.ending);
        text += &out.into_string();
        text += &failure::next(&Next::of(path).recorded());
    }
    text
}

fn as_json(bounds: &str, explored: &Explored, seconds: f64, trace: Option<&Path>) -> String {
    let Explored { states, transitions, depth, widest, ended: how } = explored;
    let (failure, events) = match how {
        Ended::Broken(trace) => (failure::as_json(&trace.ending), Some(trace.events.len())),
        Ended::Whole | Ended::Memory { .. } | Ended::Interrupted { .. } => (serde_json::Value::Null, None),
    };
    json!({
        "bounds": bounds,
        "states": states,
        "transitions": transitions,
        "depth": depth,
        "widest": widest,
        "seconds": seconds,
        "whole": *how == Ended::Whole,
        "result": ended(explored),
        "failure": failure,
        "events": events,
        "trace": trace.map(|path| path.display().to_string()),
    })
    .to_string()
}
