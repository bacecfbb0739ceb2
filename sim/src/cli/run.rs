//! `sim --seed N`: one seed, from its beginning to its end.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sim::driver::swarm::{self, Ended};
use sim::output::print;
use sim::plan::{Overrides, Plan};
use sim::trace::{Ending, Recorded, Sink, record};

use super::{HELD, VIOLATED};
use super::{bugs, summary};

/// What to run.
#[derive(Args, Debug)]
pub(super) struct RunArguments {
    /// The seed that decides everything, decimal or with 0x
    #[arg(long, value_name = "N", value_parser = seed)]
    seed: u64,
    /// How many events happen
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// How many nodes the cluster begins with, 1 to 7, instead of as many as the seed says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=Plan::MOST_NODES))]
    nodes: Option<u64>,
    /// How nodes write to their storage, instead of as the seed says
    #[arg(long, value_name = "HOW")]
    writes: Option<Writes>,
    /// Nothing goes wrong: no crashes, partitions, losses or changes
    #[arg(long)]
    no_faults: bool,
    /// Ends the run with its last step. Else faults end then, and the cluster has to come to rest: a leader, writes,
    /// reads, agreement
    #[arg(long)]
    no_settle: bool,
    /// Writes every event to this file, one JSON line each
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Switches on a bug that real implementations had, to see it caught: `sim bugs --list` names them, in a build with
    /// --features planted-bugs
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
}

/// How nodes write to their storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Writes {
    /// One Ready at a time
    Sync,
    /// With an append thread and an apply thread
    Async,
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|error| format!("a seed is a number of 64 bits, decimal or with 0x: {error}"))
}

impl RunArguments {
    fn plan(&self) -> Plan {
        let overrides = Overrides {
            steps: self.steps,
            nodes: self.nodes,
            async_storage_writes: self.writes.map(|writes| writes == Writes::Async),
            no_faults: self.no_faults,
            no_settle: self.no_settle,
        };
        Plan::draw(self.seed, &overrides)
    }
}

/// Runs the seed, and says how it ended.
pub(super) fn run(arguments: &RunArguments) -> Result<u8, String> {
    let (plan, bug) = (arguments.plan(), arguments.bug.as_deref());
    let _switched = bugs::switch_on(bug)?;
    print(summary::of_plan(&plan))?;
    let (ended, ending) = match &arguments.trace {
        Some(path) => recorded(&plan, bug, path)?,
        None => swarm::run_to_end(&plan, |_| {}),
    };
    print(summary::of_end(&ended))?;
    let failed = match &ending {
        Ending::Completed => return Ok(HELD),
        Ending::Violation(_) | Ending::Panic(_) => ending,
    };
    let path = match &arguments.trace {
        Some(path) => path.clone(),
        None => leave_trace(&plan, bug)?,
    };
    print(summary::of_failure(&failed, &path))?;
    Ok(VIOLATED)
}

/// Runs the seed and writes its trace; `bug` is the planted one that is on.
fn recorded(plan: &Plan, bug: Option<&str>, path: &Path) -> Result<(Ended, Ending), String> {
    let failed = |error| format!("{}: {error}", path.display());
    let Recorded { ended, ending, out } = record(plan, bug, Sink::create(path).map_err(failed)?).map_err(failed)?;
    out.finish().map_err(failed)?;
    Ok((ended, ending))
}

/// A failure always leaves a trace: where none was written, the run is done again, which ends the same way.
pub(super) fn leave_trace(plan: &Plan, bug: Option<&str>) -> Result<PathBuf, String> {
    let path = PathBuf::from(format!("violation-{}.jsonl", plan.seed));
    recorded(plan, bug, &path)?;
    Ok(path)
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
