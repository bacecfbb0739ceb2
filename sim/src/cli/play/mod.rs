//! `sim play [FILE]`: a session in the scenario language, at a terminal or from a pipe.

mod editor;
mod pipe;
mod save;
mod terminal;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use crate::input;
use crate::script::ScriptError;
use crate::session::{Problem, Session};
use crate::trace::Trace;
use clap::Args;

use super::{failure, run_of_file};

/// Lets you type commands of the scenario language, and shows after each what it led to.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim play                                      begin with nothing: add-nodes 3 voters=(1,2,3) index=1
  sim play scenarios/elections/a-majority-elects-a-leader.txt
                                                go on from a scenario
  sim play violation-7.jsonl                    a failure, where it happened: undo goes back, event by event
  sim play violation-7.jsonl --at 900           the same, after 900 of its events; redo goes on along them
  sim play < commands.txt                       commands from a pipe, each printed with what it led to

help, in a session, lists its commands: events numbers what can happen next, undo and redo go back and forth, run N lets N
events happen, check asks whether all holds, save FILE writes a scenario. Tab completes, on a terminal.
Colours are used on a terminal, unless NO_COLOR is set.

Exit status: 0 all went well; from a pipe, 1 a property was violated or an expectation not met, 2 a command makes no
sense or a file cannot be read or written")]
pub(super) struct PlayArguments {
    /// A scenario or a trace to go on from
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Goes on after so many of its events
    #[arg(long, value_name = "STEP", requires = "file")]
    at: Option<u64>,
}

/// Runs a session to its end.
///
/// # Errors
/// The file cannot be read or run, or nothing can be read or printed any more.
pub(super) fn run(arguments: &PlayArguments) -> Result<u8, String> {
    let session = match &arguments.file {
        None => Session::new(),
        Some(file) => after(file, arguments.at)?,
    };
    if !io::stdin().is_terminal() {
        return pipe::run(session);
    }
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    terminal::run(if colours { session.in_colours() } else { session })
}

/// A session that goes on from a file.
fn after(file: &Path, at: Option<u64>) -> Result<Session, String> {
    let name = file.display().to_string();
    let said = |error: String| format!("{name}: {error}");
    if run_of_file::is_trace(file) {
        let trace = Trace::open(file).map_err(|error| error.to_string())?;
        if let Some(engine) = &trace.header.engine {
            return Err(said(format!("a session is about the project's own nodes, not about those of {engine}")));
        }
        return Session::after_trace(&name, &trace, at).map_err(said);
    }
    let text = input::text(file).map_err(|error| said(error.to_string()))?;
    Session::after_scenario(&name, &text, at).map_err(said)
}

/// A problem in words.
fn said(problem: &Problem, with_line: bool) -> String {
    match problem {
        Problem::Misunderstood(error) | Problem::Unmet(error) => format!("{}\n", of_error(error, with_line)),
        Problem::Broken(ending) => failure::of_ending(ending),
    }
}

/// What to do about what broke, where it did not only break on a copy.
fn way_back(session: &Session, problem: &Problem) -> &'static str {
    match problem {
        Problem::Broken(_) if session.broken().is_some() => "undo takes it back\n",
        Problem::Broken(_) | Problem::Misunderstood(_) | Problem::Unmet(_) => "",
    }
}

fn of_error(error: &ScriptError, with_line: bool) -> String {
    let text = error.to_string();
    let plain = text.strip_prefix(&format!("line {}: ", error.line)).unwrap_or(&text);
    if with_line { text } else { plain.to_owned() }
}
