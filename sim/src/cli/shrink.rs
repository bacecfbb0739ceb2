//! `sim shrink FILE -o OUT`: a short trace that fails in the same way.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::explain::fails_sooner_in;
use crate::explain::{CannotShrink, Look, Watch, shrink_in};
use crate::output::{is_stream, print};
use crate::trace::Trace;
use crate::world::World;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::again::Next;
use super::{HELD, engines, failure, jobs, say_beside, say_written, time};

/// What to shrink, and for how long.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim shrink violation-7.jsonl -o short.jsonl
  sim shrink run.jsonl.zst -o short.jsonl --seconds 10

The output file always holds the best trace so far, so that Ctrl-C loses nothing.

Where only all of a recording shows that a cluster does not converge, a shorter run of the same plan is looked for, and
the step is named at which to look.

Exit status: 0 OUT holds a trace that fails as FILE does, 2 FILE is damaged or breaks nothing")]
pub(super) struct ShrinkArguments {
    /// The trace of a run that broke something
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to put the short trace; compressed if it ends in .zst
    #[arg(short, long = "out", alias = "output", value_name = "OUT")]
    output: PathBuf,
    /// Ends with the best so far after this long: seconds, or with s, m or h
    #[arg(long, alias = "time", value_name = "T", value_parser = time::length)]
    seconds: Option<Duration>,
    /// How many at once, instead of one for each core
    #[arg(long, alias = "threads", value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Prints a JSON line instead of text
    #[arg(long)]
    json: bool,
}

/// Shrinks the trace, and says what is left.
pub(super) fn run(arguments: &ShrinkArguments) -> Result<u8, String> {
    let long = Trace::open(&arguments.file).map_err(|error| error.to_string())?;
    let world = engines::world_of(&long.header)?;
    let mut progress = Progress::new(arguments, &world, long.events.len());
    let threads = jobs::capped(arguments.jobs).unwrap_or(0);
    let name = arguments.file.display();
    let short = shortest(&world, &long, threads, &mut progress).map_err(|error| format!("{name}: {error}"))?;
    progress.bar.finish_and_clear();
    if let Some(error) = progress.unwritten {
        return Err(format!("{}: {error}", arguments.output.display()));
    }
    let output = &arguments.output;
    if is_stream(output) {
        short.save_in(&world, output).map_err(|error| format!("{}: {error}", output.display()))?;
    }
    let (left, of) = (short.events.len(), long.events.len());
    let next = Next::of(output).shrunk(&short.header);
    if arguments.json {
        let line = json!({
            "file": arguments.file.display().to_string(),
            "out": output.display().to_string(),
            "events": left,
            "of": of,
            "failure": failure::as_json(&short.ending),
            "look": progress.look.map(|look| look.to_string()),
            "next": next,
        });
        say_beside(output, line)?;
        return Ok(HELD);
    }
    say_beside(output, format_args!("{left} events of {of} are left: {}", short.ending.clone()))?;
    if let Some(look) = &progress.look {
        say_beside(output, format_args!("it is a shorter run of the same plan, all of which is needed: {look}"))?;
    }
    say_written(output)?;
    if !is_stream(output) {
        print(failure::meaning(&short.ending) + &failure::next(&next))?;
    }
    Ok(HELD)
}

/// The trace, shrunk. If all of it is needed, the trace of a shorter run of the same plan, which may shrink in turn.
fn shortest(world: &World, long: &Trace, threads: usize, progress: &mut Progress) -> Result<Trace, CannotShrink> {
    let look = match shrink_in(world, long, threads, progress) {
        Err(CannotShrink::OnlyAsRecorded(look)) => look,
        other => return other,
    };
    progress.bar.set_message("looks for a shorter run of the same plan");
    let Some(sooner) = fails_sooner_in(world, long) else { return Err(CannotShrink::OnlyAsRecorded(look)) };
    match shrink_in(world, &sooner, threads, progress) {
        Err(CannotShrink::OnlyAsRecorded(look)) => {
            progress.improved(&sooner);
            progress.look = Some(look);
            Ok(sooner)
        }
        other => other,
    }
}

/// Shows how far it is, on a terminal, and writes the best so far.
struct Progress {
    world: World,
    bar: ProgressBar,
    output: PathBuf,
    until: Option<Instant>,
    best: usize,
    unwritten: Option<std::io::Error>,
    /// Where to look, if nothing could be taken out of a recording.
    look: Option<Look>,
}

impl Progress {
    fn new(arguments: &ShrinkArguments, world: &World, events: usize) -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        bar.set_style(ProgressStyle::with_template("{spinner} {elapsed} {msg}").expect("the template is right"));
        let until = arguments.seconds.and_then(|length| Instant::now().checked_add(length));
        Self {
            world: world.clone(),
            bar,
            output: arguments.output.clone(),
            until,
            best: events,
            unwritten: None,
            look: None,
        }
    }
}

impl Watch for Progress {
    fn improved(&mut self, best: &Trace) {
        self.best = best.events.len();
        if !is_stream(&self.output) {
            self.unwritten = best.save_in(&self.world, &self.output).err();
        }
    }

    fn tried(&mut self, pass: &'static str, candidates: u64) {
        self.bar.set_message(format!("{} events are left, {candidates} candidates tried, now {pass}", self.best));
        self.bar.tick();
    }

    fn enough(&self) -> bool {
        self.unwritten.is_some() || self.until.is_some_and(|until| Instant::now() >= until)
    }
}
