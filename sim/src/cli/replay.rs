//! `sim replay FILE`: a recorded run again, compared step by step.

use std::path::PathBuf;

use clap::Args;
use sim::output::say;
use sim::trace::{Ending, Reader, Replayed, replay};

use super::{DIVERGED, HELD, VIOLATED};

/// Which trace.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim replay violation-7.jsonl      ends as the recording did
  sim replay run.jsonl.zst          a compressed trace

Exit status: 0 it ended well as recorded, 1 the recorded violation happened again at the same step,
2 the file is damaged or of another version, 3 it went otherwise than recorded")]
pub(super) struct ReplayArguments {
    /// The trace, as --trace wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Replays the trace, and says how it ended.
pub(super) fn run(arguments: &ReplayArguments) -> Result<u8, String> {
    let reader = Reader::open(&arguments.file).map_err(|error| error.to_string())?;
    let recorded_by = reader.header().project.clone();
    Ok(match replay(reader).map_err(|error| error.to_string())? {
        Replayed::Completed { steps } => {
            say(format_args!("{steps} events replayed as recorded, nothing broken"))?;
            HELD
        }
        Replayed::Broken { ending: Ending::Violation(violation), .. } => {
            say(format_args!("{violation}\nas recorded"))?;
            VIOLATED
        }
        Replayed::Broken { ending, step } => {
            say(format_args!("at step {step}: {}, as recorded", sim::trace::Shown(ending)))?;
            VIOLATED
        }
        Replayed::Diverged(divergence) => {
            let now = env!("CARGO_PKG_VERSION");
            say(format_args!("{divergence}\nrecorded by version {recorded_by}, replayed by version {now}"))?;
            DIVERGED
        }
    })
}
