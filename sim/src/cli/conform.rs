//! `sim conform PATH…`: do nodes behave as etcd's do?

use std::path::{Path, PathBuf};

use clap::Args;
use sim::output::say;
use sim::script::{self, Verdict};

use super::{HELD, VIOLATED};

/// How many files' differences are printed unless all are asked for.
const SHOWN: usize = 10;

/// Runs transcripts of etcd's interaction tests and compares.
#[derive(Args, Debug)]
pub(super) struct ConformArguments {
    /// Transcripts, or folders with transcripts (*.txt) in them, such as the testdata of etcd-io/raft
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Prints every difference, not only the first one in each of the first ten files
    #[arg(long)]
    all: bool,
}

/// Runs every transcript, says what differs and how many are identical.
///
/// # Errors
/// There is no transcript, or that cannot be printed.
pub(super) fn run(arguments: &ConformArguments) -> Result<u8, String> {
    let files = super::files_in(&arguments.paths, "transcript")?;
    let mut different = 0;
    for path in &files {
        match script::check_file(path) {
            Verdict::Identical => continue,
            verdict if arguments.all => print_differences(path, &verdict, usize::MAX)?,
            verdict if different < SHOWN => print_differences(path, &verdict, 1)?,
            Verdict::Different(_) | Verdict::Unusable(_) => {}
        }
        different += 1;
    }
    if different > SHOWN && !arguments.all {
        say(format_args!("{} more files differ; --all prints them\n", different - SHOWN))?;
    }
    say(format_args!("{} of {} transcripts identical", files.len() - different, files.len()))?;
    Ok(if different == 0 { HELD } else { VIOLATED })
}

/// Prints at most so many of a file's differences.
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
