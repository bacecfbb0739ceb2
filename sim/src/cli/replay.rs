//! `sim replay FILE`: a recorded run again, compared step by step.

use std::path::{Path, PathBuf};

use crate::driver::{Divergence, Replayed, replay_in};
use crate::output::{print, say};
use crate::trace::{Ending, Header, Reader, Trace};
use clap::Args;
use serde_json::{Value, json};

use super::again::Next;
use super::watchdog::{Patience, watched};
use super::{DIVERGED, HELD, VIOLATED};
use super::{engines, failure};

/// Which trace.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim replay violation-7.jsonl      ends as the recording did
  sim replay run.jsonl.zst          a compressed trace
  sim replay run.jsonl --json | jq .outcome
                                    as-recorded, gone or diverged

Exit status: 0 it ended well as recorded, or what was recorded to break is gone, 1 the recorded violation happened again at
the same step, 2 the file is damaged or of another version, 3 it went otherwise than recorded")]
pub(super) struct ReplayArguments {
    /// The trace, as --trace wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    patience: Patience,
    /// Prints a JSON line instead of text
    #[arg(long)]
    json: bool,
}

/// Replays the trace, and says how it ended.
pub(super) fn run(arguments: &ReplayArguments) -> Result<u8, String> {
    // Opened once: it may be a pipe.
    let reader = Reader::open(&arguments.file).map_err(|error| error.to_string())?;
    let header = reader.header().clone();
    let world = engines::world_of(&header)?;
    let outcome = match watched(&arguments.patience, move || replay_in(&world, reader)) {
        Ok(replayed) => Outcome::of(replayed.map_err(|error| error.to_string())?),
        Err(stuck) => Outcome::of_hang(stuck.0, &arguments.file)?,
    };
    if let Outcome::AsRecorded { ending: Ending::Completed, step: 0 } = outcome {
        return Err(format!("{}: holds no event: nothing was checked", arguments.file.display()));
    }
    if arguments.json {
        say(outcome.as_json(&header, &arguments.file))?;
    } else {
        print(outcome.as_text(&header, &arguments.file))?;
    }
    Ok(outcome.code())
}

/// How a replay ended, compared with the recording.
enum Outcome {
    /// As the recording did, after `step` events.
    AsRecorded { ending: Ending, step: u64 },
    /// Without a failure, although one was recorded.
    Gone { recorded: Ending, step: u64 },
    /// The events no longer fit.
    Diverged(Box<Divergence>),
    /// With an event that never ends, although another end was recorded.
    Hangs { recorded: Ending, step: u64 },
}

impl Outcome {
    fn of(replayed: Replayed) -> Self {
        match replayed {
            Replayed::Completed { steps } => Self::AsRecorded { ending: Ending::Completed, step: steps },
            Replayed::Broken { ending, step } => Self::AsRecorded { ending, step },
            Replayed::Gone { recorded, steps } => Self::Gone { recorded, step: steps },
            Replayed::Diverged(divergence) => Self::Diverged(divergence),
        }
    }

    /// The outcome of a replay that stands still after `step` events.
    fn of_hang(step: u64, path: &Path) -> Result<Self, String> {
        let Trace { ending, events, .. } = Trace::open(path).map_err(|error| error.to_string())?;
        let is_as_recorded = matches!(ending, Ending::Hang(_)) && step == events.len() as u64;
        Ok(match is_as_recorded {
            true => Self::AsRecorded { ending, step },
            false => Self::Hangs { recorded: ending, step },
        })
    }

    const fn code(&self) -> u8 {
        match self {
            Self::AsRecorded { ending: Ending::Completed, .. } | Self::Gone { .. } => HELD,
            Self::AsRecorded { .. } => VIOLATED,
            Self::Diverged(_) | Self::Hangs { .. } => DIVERGED,
        }
    }

    fn as_text(&self, header: &Header, path: &Path) -> String {
        match self {
            Self::AsRecorded { ending: Ending::Completed, step } => {
                format!("{step} events replayed as recorded, nothing broken\n")
            }
            Self::AsRecorded { ending, step } => {
                let said = match ending {
                    Ending::Violation(violation) => format!("{violation}\nas recorded\n"),
                    _ => format!("at step {step}: {}, as recorded\n", ending.clone()),
                };
                said + &failure::meaning(ending) + &failure::next(&Next::after("replay", path).seen(header, ending))
            }
            Self::Gone { recorded, step } => format!(
                "{step} events replayed as recorded, nothing broken: what was recorded to break is gone\n\
                 recorded was {}\n{}\n",
                recorded.clone(),
                by_whom(header)
            ),
            Self::Diverged(divergence) => format!("{divergence}\n{}{}\n", by_whom(header), rest(divergence)),
            Self::Hangs { recorded, step } => format!(
                "diverged at step {step}: the event never ends; recorded was an end with {}\n{}\n",
                recorded.clone(),
                by_whom(header)
            ),
        }
    }

    fn as_json(&self, header: &Header, path: &Path) -> Value {
        let (outcome, step, recorded, now) = match self {
            Self::AsRecorded { ending, step } => ("as-recorded", *step, ending, Some(ending)),
            Self::Gone { recorded, step } => ("gone", *step, recorded, None),
            Self::Diverged(divergence) => ("diverged", divergence.step, &divergence.recorded, Some(&divergence.now)),
            Self::Hangs { recorded, step } => ("diverged", *step, recorded, None),
        };
        let mut line = json!({
            "file": path.display().to_string(),
            "outcome": outcome,
            "step": step,
            "recorded": failure::as_json(recorded),
            "failure": now.map_or(Value::Null, failure::as_json),
            "recorder": header.recorder(),
            "replayer": Header::new(None).recorder(),
        });
        match self {
            Self::AsRecorded { ending, .. } if *ending != Ending::Completed => {
                line["next"] = json!(Next::after("replay", path).seen(header, ending));
            }
            Self::Diverged(divergence) => line["difference"] = json!(divergence.to_string()),
            Self::Hangs { .. } => line["difference"] = json!("the event never ends"),
            Self::AsRecorded { .. } | Self::Gone { .. } => {}
        }
        line
    }
}

/// What a trace that no longer fits still says about the failure that it recorded.
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

/// Which versions of the code recorded and replayed the trace.
fn by_whom(header: &Header) -> String {
    let (recorder, now) = (header.recorder(), Header::new(None).recorder());
    match recorder == now {
        true => format!("recorded and replayed by version {now}"),
        false => format!("recorded by version {recorder}, replayed by version {now}"),
    }
}
