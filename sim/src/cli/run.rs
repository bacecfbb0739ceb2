//! `sim --seed N`: one seed, from its beginning to its end.

use std::path::{Path, PathBuf};

use crate::driver::swarm::{Recorded, record_from, record_hang_from};
use crate::driver::{Start, swarm};
use crate::output::{print, say, tell};
use crate::plan::Plan;
use crate::planted;
use crate::trace::{Ending, Header, Sink};
use clap::Args;
use serde_json::{Value, json};

use super::choices::{Choices, run_again};
use super::watchdog::{Patience, Stuck, event_that_hangs, watched};
use super::{HELD, VIOLATED};
use super::{bugs, drawn, failure, summary};

/// What to run.
#[derive(Args, Debug)]
pub(super) struct RunArguments {
    /// The seed that decides everything, decimal or with 0x; without one, one is drawn and printed
    #[arg(long, value_name = "N", value_parser = seed)]
    seed: Option<u64>,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    patience: Patience,
    /// Writes every event to this file, one JSON line each
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Prints a JSON line instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|error| format!("a seed is a number of 64 bits, decimal or with 0x: {error}"))
}

/// Runs the seed, and says how it ended.
pub(super) fn run(arguments: &RunArguments) -> Result<u8, String> {
    let RunArguments { seed, choices, patience, trace, json } = arguments;
    drop(bugs::switch_on(choices.bug.as_deref())?);
    let seed = seed.unwrap_or_else(drawn::seed);
    let world = choices.world()?;
    let plan = Plan::draw(seed, &choices.overrides()).fit(&world);
    let run = Run { plan, bug: choices.bug.clone(), start: Start::of(world) };
    let again = run_again(seed, choices);
    if !json {
        print(summary::of_plan(&run.plan, run.start.world()))?;
        if arguments.seed.is_none() {
            print(failure::next(&[format!("{again} is this run again, as its seed was drawn")]))?;
        }
    }
    let path = trace.clone().unwrap_or_else(|| run.usual_trace());
    let (mut line, ending, written) = match watched(patience, run.once(trace.clone())) {
        Ok(Done { text, json: line, ending, written }) => {
            if !json {
                print(text)?;
            }
            let written = match (&ending, written) {
                (Ending::Completed, written) => written.unwrap_or(Ok(())),
                (_, Some(written)) => written,
                (_, None) => run.record(&path),
            };
            (line, ending, written)
        }
        Err(stuck) => {
            tell(format_args!("no event has ended for {:?}: finding out which it is", patience.hang_after));
            let (ending, written) = run.record_hang(stuck, &path);
            (json!({}), ending, written)
        }
    };
    let is_broken = ending != Ending::Completed;
    if *json {
        let is_recorded = written.is_ok() && (is_broken || trace.is_some());
        line["seed"] = json!(seed.to_string());
        line["recorder"] = json!(Header::new(None).recorder());
        line["again"] = json!(again);
        line["failure"] = failure::as_json(&ending);
        line["trace"] = json!(is_recorded.then(|| path.display().to_string()));
        line["next"] = json!(is_broken.then(|| failure::next_of_run(&ending, &path, &written, &again)));
        say(line)?;
    } else if is_broken {
        print(failure::of_run(&ending, &path, &written, &again))?;
    }
    if is_broken { Ok(VIOLATED) } else { written.map(|()| HELD) }
}

/// The run of a plan, and the planted bug that is on meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// What it begins with.
    pub(super) start: Start,
    pub(super) plan: Plan,
    pub(super) bug: Option<String>,
}

/// How it ended.
struct Done {
    /// What happened, in words.
    text: String,
    /// And as JSON.
    json: Value,
    ending: Ending,
    /// Whether its trace was written, if one was asked for.
    written: Option<Result<(), String>>,
}

impl Run {
    /// The name of the trace that a failure leaves.
    pub(super) fn usual_trace(&self) -> PathBuf {
        PathBuf::from(format!("violation-{}.jsonl", self.plan.seed))
    }

    /// Runs it once, and writes the trace if there is to be one. If the trace cannot be written, the run still goes to
    /// its end: what it breaks has to be told.
    fn once(&self, trace: Option<PathBuf>) -> impl FnOnce() -> Done + Send + 'static {
        let run = self.clone();
        move || {
            let written = trace.map(|path| run.recorded(&path));
            let (recorded, written) = match written {
                Some(Ok(recorded)) => (Some(recorded), Some(Ok(()))),
                Some(Err(error)) => (None, Some(Err(error))),
                None => (None, None),
            };
            let _switched = planted::switch_on(run.bug.as_deref());
            let (ended, ending) =
                recorded.unwrap_or_else(|| swarm::run_to_end_in(run.start.world(), &run.plan, |_| {}));
            Done { text: summary::of_end(&ended), json: summary::as_json(&ended), ending, written }
        }
    }

    /// Runs it again, which ends the same way, and writes its trace.
    ///
    /// # Errors
    /// The trace cannot be written.
    pub(super) fn record(&self, path: &Path) -> Result<(), String> {
        self.recorded(path).map(drop)
    }

    fn recorded(&self, path: &Path) -> Result<(swarm::Ended, Ending), String> {
        let failed = |error| format!("{}: {error}", path.display());
        let _switched = planted::switch_on(self.bug.as_deref());
        let out = Sink::create(path).map_err(failed)?;
        let Recorded { ended, ending, out } =
            record_from(&self.start, &self.plan, self.bug.as_deref(), out).map_err(failed)?;
        out.finish().map_err(failed)?;
        Ok((ended, ending))
    }

    /// Finds out which event hangs, and writes the trace up to there.
    pub(super) fn record_hang(&self, Stuck(step): Stuck, path: &Path) -> (Ending, Result<(), String>) {
        let event = event_that_hangs(self.start.world(), &self.plan, self.bug.as_deref(), step);
        let write = || {
            let _switched = planted::switch_on(self.bug.as_deref());
            record_hang_from(&self.start, &self.plan, self.bug.as_deref(), step, event.clone(), Sink::create(path)?)?
                .finish()
        };
        let written = write().map_err(|error| format!("{}: {error}", path.display()));
        (Ending::Hang(event.map(Box::new)), written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_decimal_or_hexadecimal() {
        assert_eq!(seed("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(seed("0xBeeF"), Ok(0xbeef));
        for wrong in ["", "0x", "-1", "1e3", "18446744073709551616"] {
            assert!(seed(wrong).is_err(), "{wrong:?}");
        }
    }
}
