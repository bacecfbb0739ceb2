//! `sim conform PATH…`: do nodes behave as etcd's do?

use std::path::{Path, PathBuf};

use crate::output::say;
use crate::script::{self, Mismatch, Verdict};
use clap::Args;
use serde_json::json;

use super::{HELD, VIOLATED};

/// How many files' differences are printed unless all are asked for.
const SHOWN: usize = 10;

/// Runs transcripts of etcd's interaction tests and compares.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim conform ../raft/testdata             how many are identical, and how the first others differ
  sim conform --all ../raft/testdata       every difference
  sim conform --json ../raft/testdata | jq -r 'select(.identical | not).file'")]
pub(super) struct ConformArguments {
    /// Transcripts, or folders with transcripts (*.txt) in them, such as the testdata of etcd-io/raft
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Prints every difference, not only the first one in each of the first ten files
    #[arg(long)]
    all: bool,
    /// Prints a JSON line for each transcript
    #[arg(long)]
    json: bool,
}

/// Runs every transcript, says what differs and how many are identical.
///
/// # Errors
/// There is no transcript, or the result cannot be printed.
pub(super) fn run(arguments: &ConformArguments) -> Result<u8, String> {
    let files = super::files_in(&arguments.paths, "transcript")?;
    let mut different = 0;
    for path in &files {
        let verdict = script::check_file(path);
        match (arguments.json, arguments.all) {
            (true, _) => say(as_json(path, &verdict))?,
            (false, true) => print_differences(path, &verdict, usize::MAX)?,
            (false, false) if different < SHOWN => print_differences(path, &verdict, 1)?,
            (false, false) => {}
        }
        different += usize::from(!matches!(verdict, Verdict::Identical));
    }
    let code = if different == 0 { HELD } else { VIOLATED };
    if arguments.json {
        return Ok(code);
    }
    if different > SHOWN && !arguments.all {
        say(format_args!("{} more files differ; --all prints them\n", different - SHOWN))?;
    }
    say(format_args!("{} of {} transcripts identical", files.len() - different, files.len()))?;
    Ok(code)
}

fn as_json(path: &Path, verdict: &Verdict) -> String {
    let differences: Vec<String> = match verdict {
        Verdict::Identical => Vec::new(),
        Verdict::Unusable(why) => vec![why.clone()],
        Verdict::Different(mismatches) => {
            let at = |mismatch: &Mismatch| format!("line {}: {mismatch}", mismatch.difference.line);
            mismatches.iter().map(at).collect()
        }
    };
    json!({ "file": path, "identical": differences.is_empty(), "differences": differences }).to_string()
}

/// Prints at most this many of a file's differences.
fn print_differences(path: &Path, verdict: &Verdict, at_most: usize) -> Result<(), String> {
    let path = path.display();
    match verdict {
        Verdict::Identical => Ok(()),
        Verdict::Unusable(why) => say(format_args!("{path}: {why}\n")),
        Verdict::Different(mismatches) => mismatches
            .iter()
            .take(at_most)
            .try_for_each(|mismatch| say(format_args!("{path}:{}: {mismatch}", mismatch.difference.line))),
    }
}
