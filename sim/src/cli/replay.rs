//! `sim replay FILE`: a recorded run again, compared step by step.

use std::path::{Path, PathBuf};

use clap::Args;
use sim::driver::{Divergence, Replayed, replay};
use sim::output::{print, say};
use sim::trace::{Ending, Header, ReadError, Reader, Trace};

use super::again::Next;
use super::failure;
use super::watchdog::{Patience, watched};
use super::{DIVERGED, HELD, VIOLATED};

/// Which trace.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim replay violation-7.jsonl      ends as the recording did
  sim replay run.jsonl.zst          a compressed trace

Exit status: 0 it ended well as recorded, or what was recorded to break is gone, 1 the recorded violation happened again at
the same step, 2 the file is damaged or of another version, 3 it went otherwise than recorded")]
pub(super) struct ReplayArguments {
    /// The trace, as --trace wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    patience: Patience,
}

/// Replays the trace, and says how it ended.
pub(super) fn run(arguments: &ReplayArguments) -> Result<u8, String> {
    // Opened once: it may be a pipe.
    let reader = Reader::open(&arguments.file).map_err(|error| error.to_string())?;
    let header = reader.header().clone();
    match watched(&arguments.patience, move || replay(reader)) {
        Ok(replayed) => told(replayed, &header, &arguments.file),
        Err(stuck) => hangs(stuck.0, &header, &arguments.file),
    }
}

fn told(replayed: Result<Replayed, ReadError>, header: &Header, path: &Path) -> Result<u8, String> {
    Ok(match replayed.map_err(|error| error.to_string())? {
        Replayed::Completed { steps: 0 } => {
            return Err(format!("{}: holds no event: nothing was checked", path.display()));
        }
        Replayed::Completed { steps } => {
            say(format_args!("{steps} events replayed as recorded, nothing broken"))?;
            HELD
        }
        Replayed::Broken { ending, step } => {
            match &ending {
                Ending::Violation(violation) => say(format_args!("{violation}\nas recorded"))?,
                _ => say(format_args!("at step {step}: {}, as recorded", ending.clone()))?,
            }
            print(failure::meaning(&ending) + &failure::next(&Next::after("replay", path).seen(header)))?;
            VIOLATED
        }
        Replayed::Gone { recorded, steps } => {
            say(format_args!(
                "{steps} events replayed as recorded, nothing broken: what was recorded to break is gone\n\
                 recorded was {}\n{}",
                recorded,
                by_whom(header)
            ))?;
            HELD
        }
        Replayed::Diverged(divergence) => {
            say(format_args!("{divergence}\n{}{}", by_whom(header), rest(&divergence)))?;
            DIVERGED
        }
    })
}

/// What a trace that no longer fits still says about what it was recorded to break.
fn rest(Divergence { recorded, now, .. }: &Divergence) -> String {
    let recorded = match recorded {
        Ending::Completed => return String::new(),
        broken => broken.clone(),
    };
    let now = match now {
        Ending::Completed => "nothing is broken by the events that still fit, which proves little".to_owned(),
        broken => format!("the events that still fit end with {}", broken.clone()),
    };
    format!("\nrecorded was {recorded}\n{now}")
}

/// The replay stands still after so many events.
fn hangs(step: u64, header: &Header, path: &Path) -> Result<u8, String> {
    let recorded = Trace::open(path).map_err(|error| error.to_string())?;
    let is_as_recorded = matches!(recorded.ending, Ending::Hang(_)) && step == recorded.events.len() as u64;
    if !is_as_recorded {
        let recorded = recorded.ending;
        say(format_args!(
            "diverged at step {step}: the event never ends; recorded was an end with {recorded}\n{}",
            by_whom(header)
        ))?;
        return Ok(DIVERGED);
    }
    say(format_args!("at step {step}: {}, as recorded", recorded.ending.clone()))?;
    print(failure::meaning(&recorded.ending) + &failure::next(&Next::after("replay", path).seen(header)))?;
    Ok(VIOLATED)
}

/// Whose code went one way, and whose the other.
fn by_whom(header: &Header) -> String {
    let (recorder, now) = (header.recorder(), Header::new(None).recorder());
    match recorder == now {
        true => format!("recorded and replayed by version {now}"),
        false => format!("recorded by version {recorder}, replayed by version {now}"),
    }
}
