//! `sim scenario PATH…`: what happens in a scenario, or whether it is still what its snapshot says; and
//! `sim scenario --from-trace FILE`: a trace as a scenario.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::Args;
use sim::explain;
use sim::input;
use sim::output::{self, say, tell};
use sim::planted;
use sim::script::{self, Played};
use sim::trace::{Ending, Trace};

use super::again::Next;
use super::{HELD, USAGE, VIOLATED, failure};

/// Runs scenarios and prints what happens, or compares with their snapshots; or makes a scenario of a trace.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim scenario scenarios/elections                    print what happens
  sim scenario --check scenarios                      compare with the snapshots
  sim scenario --from-trace short.jsonl -o short.txt  make a scenario of a short trace
  sim scenario short.txt --trace short.jsonl          make a trace of a scenario, to look at it in a browser

Exit status: 0 all went well, 1 a property was violated, an expectation not met or a snapshot differs,
2 FILE makes no scenario, a scenario shows a planted bug that is not in this build, or nothing was checked")]
pub(super) struct ScenarioArguments {
    /// Scenarios, or folders with scenarios (*.txt) in them
    #[arg(required_unless_present = "from_trace", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Compares the transcripts with the snapshots beside the scenarios, instead of printing them
    #[arg(long)]
    check: bool,
    /// Makes a scenario of a short trace that ends as the trace does
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "check"])]
    from_trace: Option<PathBuf>,
    /// Makes a trace of a scenario, instead of printing what happens
    #[arg(long, value_name = "OUT", conflicts_with_all = ["check", "from_trace"])]
    trace: Option<PathBuf>,
    /// Where to put that scenario, instead of printing it
    #[arg(short, long = "out", alias = "output", value_name = "OUT", requires = "from_trace")]
    output: Option<PathBuf>,
}

/// What became of a scenario.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    Otherwise,
    /// It needs a planted bug that this build does not have.
    Skipped,
}

/// Runs every scenario, or makes one.
///
/// # Errors
/// A file cannot be read or written, or a trace makes no scenario.
pub(super) fn run(arguments: &ScenarioArguments) -> Result<u8, String> {
    if let Some(trace) = &arguments.from_trace {
        return from_trace(trace, arguments.output.as_deref());
    }
    if let Some(output) = &arguments.trace {
        return to_trace(&arguments.paths, output);
    }
    let files = super::files_in(&arguments.paths, "scenario")?;
    let mut ended = Vec::new();
    for path in &files {
        let text = input::text(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let played = script::play(&text);
        if played.failure.is_none() && played.transcript.is_empty() {
            return Err(format!("{}: holds no command: nothing was checked", path.display()));
        }
        ended.push(match (&played.needs_bug, arguments.check) {
            (Some(_), _) => skip(path, &played),
            (None, true) if check(path, &played)? => Ended::Well,
            (None, false) if print(path, &played, files.len() > 1)? => Ended::Well,
            (None, true | false) => Ended::Otherwise,
        });
    }
    let count = |wanted| ended.iter().filter(|ended| **ended == wanted).count();
    if arguments.check {
        let skipped = count(Ended::Skipped);
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        say(format_args!("{} of {} scenarios as their snapshots say{skipped}", count(Ended::Well), files.len()))?;
    }
    let (otherwise, skipped, well) = (count(Ended::Otherwise), count(Ended::Skipped), count(Ended::Well));
    let is_good = skipped == 0 || (arguments.check && well > 0);
    Ok(match (otherwise, is_good) {
        (0, true) => HELD,
        // Nothing was checked, or not what was asked for.
        (0, false) => USAGE,
        (_, _) => VIOLATED,
    })
}

fn from_trace(path: &Path, output: Option<&Path>) -> Result<u8, String> {
    let trace = Trace::open(path).map_err(|error| error.to_string())?;
    let text = explain::from_trace(&trace).map_err(|error| format!("{}: {error}", path.display()))?;
    match output {
        None => output::print(text)?,
        Some(path) => {
            output::write(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
            super::say_written(path)?;
        }
    }
    Ok(HELD)
}

fn to_trace(paths: &[PathBuf], output: &Path) -> Result<u8, String> {
    let [path] = paths else { return Err("a trace is made of one scenario".to_owned()) };
    let said = |error: &dyn Display| format!("{}: {error}", path.display());
    let text = input::text(path).map_err(|error| said(&error))?;
    let trace = script::record(&text).map_err(|error| said(&error))?;
    let _switched = planted::switch_on(trace.header.bug.as_deref()).map_err(|unknown| said(&unknown))?;
    let saved = trace.save(output).map_err(|error| format!("{}: {error}", output.display()));
    let is_broken = trace.ending != Ending::Completed;
    // What is broken is told also where its trace cannot be written.
    let saved = if is_broken { saved } else { Ok(saved?) };
    super::say_beside(output, format_args!("{} events: {}", trace.events.len(), trace.ending.clone()))?;
    match &saved {
        Ok(()) => super::say_written(output)?,
        Err(error) => tell(error),
    }
    if !is_broken {
        return Ok(HELD);
    }
    let next = saved.map(|()| Next::of(output).shrunk()).unwrap_or_default();
    super::tell_or_print(output, failure::meaning(&trace.ending) + &failure::next(&next))?;
    Ok(VIOLATED)
}

fn skip(path: &Path, played: &Played) -> Ended {
    if let Some(failure) = &played.failure {
        tell(format_args!("{}: skipped, {failure}", path.display()));
    }
    Ended::Skipped
}

fn print(path: &Path, played: &Played, several: bool) -> Result<bool, String> {
    if several {
        say(format_args!("=== {}\n", path.display()))?;
    }
    say(&played.transcript)?;
    Ok(!says_failure(path, played))
}

/// Whether the scenario came to its end and printed what its snapshot says.
fn check(path: &Path, played: &Played) -> Result<bool, String> {
    if says_failure(path, played) {
        return Ok(false);
    }
    let snapshot = script::snapshot_beside(path);
    match script::snapshot_contents(&snapshot) {
        Err(error) => {
            say(format_args!("{}: {error}", snapshot.display()))?;
            Ok(false)
        }
        Ok(expected) => says_no_difference(path, &expected, &played.transcript),
    }
}

fn says_failure(path: &Path, played: &Played) -> bool {
    if let Some(failure) = &played.failure {
        tell(format_args!("{}: {failure}", path.display()));
    }
    played.failure.is_some()
}

fn says_no_difference(path: &Path, expected: &str, actual: &str) -> Result<bool, String> {
    let (mut expected, mut actual) = (expected.trim_end().lines(), actual.trim_end().lines());
    for number in 1.. {
        match (expected.next(), actual.next()) {
            (None, None) => break,
            (expected, actual) if expected == actual => {}
            (expected, actual) => {
                let end = "(the transcript ends here)";
                let (path, expected, actual) = (path.display(), expected.unwrap_or(end), actual.unwrap_or(end));
                say(format_args!("{path}: line {number} of the transcript differs from the snapshot"))?;
                say(format_args!("  expected  {expected}\n  actual    {actual}\n"))?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}
