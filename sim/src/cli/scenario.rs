//! `sim scenario PATH…`: what happens in a scenario, or whether it is still what its snapshot says.

use std::path::{Path, PathBuf};

use clap::Args;
use sim::script::{self, Played};

use super::{HELD, VIOLATED};

/// Runs scenarios and prints what happens, or compares with their snapshots.
#[derive(Args, Debug)]
pub(super) struct ScenarioArguments {
    /// Scenarios, or folders with scenarios (*.txt) in them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Compares the transcripts with the snapshots beside the scenarios, instead of printing them
    #[arg(long)]
    check: bool,
}

/// Runs every scenario.
///
/// # Errors
/// A file cannot be read.
pub(super) fn run(arguments: &ScenarioArguments) -> Result<u8, String> {
    let files = script::transcripts(&arguments.paths);
    let mut failed = 0;
    for path in &files {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let played = script::play(&text);
        let held = if arguments.check { check(path, &played) } else { print(path, &played, files.len() > 1) };
        failed += usize::from(!held);
    }
    if arguments.check {
        println!("{} of {} scenarios as their snapshots say", files.len() - failed, files.len());
    }
    Ok(if failed == 0 { HELD } else { VIOLATED })
}

fn print(path: &Path, played: &Played, several: bool) -> bool {
    if several {
        println!("=== {}\n", path.display());
    }
    println!("{}", played.transcript);
    !says_failure(path, played)
}

/// Whether the scenario came to its end and printed what its snapshot says.
fn check(path: &Path, played: &Played) -> bool {
    if says_failure(path, played) {
        return false;
    }
    let snapshot = script::snapshot_beside(path);
    match script::snapshot_contents(&snapshot) {
        Err(error) => {
            println!("{}: {error}", snapshot.display());
            false
        }
        Ok(expected) => says_no_difference(path, &expected, &played.transcript),
    }
}

fn says_failure(path: &Path, played: &Played) -> bool {
    if let Some(failure) = &played.failure {
        eprintln!("{}: {failure}", path.display());
    }
    played.failure.is_some()
}

fn says_no_difference(path: &Path, expected: &str, actual: &str) -> bool {
    let (mut expected, mut actual) = (expected.trim_end().lines(), actual.trim_end().lines());
    for number in 1.. {
        match (expected.next(), actual.next()) {
            (None, None) => break,
            (expected, actual) if expected == actual => {}
            (expected, actual) => {
                let end = "(the transcript ends here)";
                println!("{}: line {number} of the transcript differs from the snapshot", path.display());
                println!("  expected  {}\n  actual    {}\n", expected.unwrap_or(end), actual.unwrap_or(end));
                return false;
            }
        }
    }
    true
}
