//! `sim bugs`: the proof that the checks catch what they claim.

#[cfg(feature = "planted-bugs")]
mod exhaust;
#[cfg(feature = "planted-bugs")]
mod hunt;

use std::path::PathBuf;

use crate::planted::{self, Switched};
use clap::Args;

/// Switches on one bug after another that real implementations had or could have, and runs seeds until it is caught.
#[derive(Args, Debug)]
#[cfg_attr(not(feature = "planted-bugs"), allow(dead_code))]
#[command(after_help = "Examples (in a build with --features planted-bugs):
  sim bugs                              all of them: a table
  sim bugs commit-prior-term            one, and leave its trace in commit-prior-term.jsonl
  sim bugs --list                       what each of them does
  sim bugs --exhaust                    by which bounds of an exhaustive search each shows
  sim bugs --quick                      only those that are caught within some dozens of seeds, once each

There is no --seconds: whether a bug is caught must not depend on time, so --seeds bounds the search.

Exit status: 0 all are caught, 1 one is not, or not by a property that is named for it, 2 bad usage")]
pub(super) struct BugsArguments {
    /// Only these; each leaves its trace in a file of its name
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Lists the bugs
    #[arg(long)]
    list: bool,
    /// How many seeds are run at most, from each starting point [default: 200000, with --quick 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: Option<u64>,
    /// From how many starting points [default: 5, with --quick 1]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1000))]
    starts: Option<u64>,
    /// How many events happen in each run before its faults end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    events: Option<u64>,
    /// How many at once, instead of one for each core
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Only the bugs that are caught quickly, from one starting point, and without shrinking
    #[arg(long)]
    quick: bool,
    /// The folder for the traces of bugs that are named, instead of this one
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Does not shrink the traces
    #[arg(long)]
    no_shrink: bool,
    /// Searches exhaustively, within ever wider bounds, instead of running seeds
    #[arg(long, conflicts_with_all = ["seeds", "starts", "events", "no_shrink"])]
    exhaust: bool,
    /// How many states each search may meet, with --exhaust
    #[arg(long, value_name = "N", default_value_t = 200_000, hide_default_value = true)]
    states: u64,
    /// Prints a JSON line for each bug instead of a table
    #[arg(long)]
    json: bool,
}

/// Switches a bug on for a run, if one is named.
pub(super) fn switch_on(name: Option<&str>) -> Result<Switched, String> {
    planted::switch_on(name).map_err(|unknown| cannot(&unknown.0))
}

#[cfg(feature = "planted-bugs")]
fn cannot(name: &str) -> String {
    planted::named(name).err().unwrap_or_else(|| NONE_TO_SWITCH_ON.to_owned())
}

#[cfg(not(feature = "planted-bugs"))]
fn cannot(_: &str) -> String {
    NONE_TO_SWITCH_ON.to_owned()
}

const NONE_TO_SWITCH_ON: &str = "this build contains no planted bugs: build it with --features planted-bugs";

/// Hunts, and says what was caught.
#[cfg(feature = "planted-bugs")]
pub(super) fn run(arguments: &BugsArguments) -> Result<u8, String> {
    hunt::run(arguments)
}

/// This build has no bugs to hunt.
#[cfg(not(feature = "planted-bugs"))]
pub(super) fn run(_: &BugsArguments) -> Result<u8, String> {
    Err("this build contains no planted bugs: `cargo run --release -p sim --features planted-bugs -- bugs`".to_owned())
}
