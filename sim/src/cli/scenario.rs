//! `sim scenario PATH…`: what happens in a scenario, or whether it is still what its snapshot says; and
//! `sim scenario --from-trace FILE`: a trace as a scenario.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::explain;
use crate::input;
use crate::output::{self, say, tell};
use crate::planted;
use crate::script::{self, Played};
use crate::trace::{Ending, Trace};
use clap::Args;
use serde_json::{Value, json};

use super::again::Next;
use super::{HELD, USAGE, VIOLATED, failure};

/// Runs scenarios and prints what happens, or compares with their snapshots; or makes a scenario of a trace.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim scenario scenarios/elections                    print what happens
  sim scenario --check scenarios                      compare with the snapshots
  sim scenario --check scenarios --json | jq -r 'select(.outcome != \"as-expected\").file'
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
    /// Prints a JSON line for each scenario
    #[arg(long, conflicts_with_all = ["from_trace", "trace"])]
    json: bool,
}

/// What became of a scenario.
#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    /// It came to its end and, if snapshots are compared, printed what its snapshot says.
    AsExpected,
    /// It did not come to its end.
    Failed(String),
    /// Its transcript differs from the snapshot in this line; `None` stands for the end.
    Differs { line: usize, expected: Option<String>, actual: Option<String> },
    /// Its snapshot cannot be read.
    NoSnapshot(String),
    /// It needs a planted bug that this build does not have.
    Skipped(String),
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
    let mut outcomes = Vec::new();
    for path in &files {
        let text = input::text(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let played = script::play(&text);
        if played.failure.is_none() && played.transcript.is_empty() {
            return Err(format!("{}: holds no command: nothing was checked", path.display()));
        }
        let outcome = Outcome::of(path, &played, arguments.check);
        match arguments.json {
            true => say(outcome.as_json(path, &played, arguments.check))?,
            false => outcome.say(path, &played, arguments.check, files.len() > 1)?,
        }
        outcomes.push(outcome);
    }
    let well = outcomes.iter().filter(|outcome| **outcome == Outcome::AsExpected).count();
    let skipped = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Skipped(_))).count();
    if arguments.check && !arguments.json {
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        say(format_args!("{well} of {} scenarios as their snapshots say{skipped}", files.len()))?;
    }
    let is_good = skipped == 0 || (arguments.check && well > 0);
    Ok(match (files.len() - well - skipped, is_good) {
        (0, true) => HELD,
        // Nothing was checked, or not everything that was asked for.
        (0, false) => USAGE,
        (_, _) => VIOLATED,
    })
}

impl Outcome {
    fn of(path: &Path, played: &Played, check: bool) -> Self {
        let failure = || played.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        match (&played.needs_bug, &played.failure) {
            (Some(_), _) => Self::Skipped(failure()),
            (None, Some(_)) => Self::Failed(failure()),
            (None, None) if check => Self::beside_snapshot(path, &played.transcript),
            (None, None) => Self::AsExpected,
        }
    }

    fn beside_snapshot(path: &Path, transcript: &str) -> Self {
        let snapshot = script::snapshot_beside(path);
        let expected = match script::snapshot_contents(&snapshot) {
            Ok(expected) => expected,
            Err(error) => return Self::NoSnapshot(format!("{}: {error}", snapshot.display())),
        };
        let (mut expected, mut actual) = (expected.trim_end().lines(), transcript.trim_end().lines());
        for line in 1.. {
            let (expected, actual) = (expected.next(), actual.next());
            if expected != actual {
                return Self::Differs { line, expected: expected.map(Into::into), actual: actual.map(Into::into) };
            }
            if expected.is_none() {
                break;
            }
        }
        Self::AsExpected
    }

    fn say(&self, path: &Path, played: &Played, check: bool, several: bool) -> Result<(), String> {
        let is_printed = !check && !matches!(self, Self::Skipped(_));
        if is_printed && several {
            say(format_args!("=== {}\n", path.display()))?;
        }
        if is_printed {
            say(&played.transcript)?;
        }
        let path = path.display();
        match self {
            Self::AsExpected => {}
            Self::Failed(failure) => tell(format_args!("{path}: {failure}")),
            Self::Skipped(failure) if failure.is_empty() => {}
            Self::Skipped(failure) => tell(format_args!("{path}: skipped, {failure}")),
            Self::NoSnapshot(error) => say(error)?,
            Self::Differs { line, expected, actual } => {
                let end = "(the transcript ends here)";
                let (expected, actual) = (expected.as_deref().unwrap_or(end), actual.as_deref().unwrap_or(end));
                say(format_args!("{path}: line {line} of the transcript differs from the snapshot"))?;
                say(format_args!("  expected  {expected}\n  actual    {actual}\n"))?;
            }
        }
        Ok(())
    }

    fn as_json(&self, path: &Path, played: &Played, check: bool) -> Value {
        let mut line = json!({ "file": path.display().to_string() });
        if !check {
            line["transcript"] = json!(played.transcript);
        }
        let outcome = match self {
            Self::AsExpected => "as-expected",
            Self::Failed(_) => "failed",
            Self::Differs { .. } => "differs",
            Self::NoSnapshot(_) => "no-snapshot",
            Self::Skipped(_) => "skipped",
        };
        line["outcome"] = json!(outcome);
        match self {
            Self::AsExpected => {}
            Self::Failed(why) | Self::NoSnapshot(why) | Self::Skipped(why) => line["why"] = json!(why),
            Self::Differs { line: number, expected, actual } => {
                line["line"] = json!(number);
                line["expected"] = json!(expected);
                line["actual"] = json!(actual);
            }
        }
        line
    }
}

fn from_trace(path: &Path, output: Option<&Path>) -> Result<u8, String> {
    let trace = Trace::open(path).map_err(|error| error.to_string())?;
    if let Some(engine) = &trace.header.engine {
        return Err(format!(
            "{}: a scenario is about the project's own nodes, not about those of {engine}",
            path.display()
        ));
    }
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
    // What is broken is told even if its trace cannot be written.
    let saved = if is_broken { saved } else { Ok(saved?) };
    super::say_beside(output, format_args!("{} events: {}", trace.events.len(), trace.ending.clone()))?;
    match &saved {
        Ok(()) => super::say_written(output)?,
        Err(error) => tell(error),
    }
    if !is_broken {
        return Ok(HELD);
    }
    let next = saved.map(|()| Next::of(output).shrunk(&trace.header)).unwrap_or_default();
    super::tell_or_print(output, failure::meaning(&trace.ending) + &failure::next(&next))?;
    Ok(VIOLATED)
}
