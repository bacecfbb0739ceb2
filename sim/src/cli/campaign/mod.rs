//! `sim campaign`: rounds over all drivers, and a record of what they found over many revisions.

mod drivers;
mod folder;
mod fuzz;
mod hunt;
mod old;
mod report;
mod rounds;
mod seeds;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use crate::campaign::record::{Weight, Weights};
use crate::plan::Overrides;
use clap::Args;

use super::watchdog::Patience;
use super::{jobs, time};

/// Runs rounds over all drivers and keeps a record over many revisions: what ran, what failed, and how soon things were met.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim campaign --record night --for 8h           rounds for a night; a second start goes on with the next round
  sim campaign --record night --rounds 1         one round
  sim campaign --record night --for 1h --weight sweep=0 --weight explore=20
                                                 other drivers than usual
  sim campaign --record night --report           what is in the record
  sim campaign --record night --report -o night.html
                                                 the same as a page for the browser

Each round runs old failures first: the traces in DIR/failures, of which the first hundred are kept (those that failed when they last ran,
then the short ones, then the old ones), and those of --corpus, all without planted bugs. Then comes the canary: a planted bug, another one
in each round, that seeds have to catch. Where it is not caught the round counts for nothing, and the campaign ends, since nothing that it
would say could be believed. A build without planted bugs has no canary, and says so. The rest of a round is as many units of each driver as
its weight says [explore=4 bugs=2 sweep=1 exhaust=1 fuzz=1]. The fuzz targets run where cargo-fuzz and fuzz/ci are there.

The record is DIR/record.jsonl, a line for each unit that came to its end. A kill loses the unit under way. No two units of any round have a
seed in common. How long something took is counted in seeds and events.

Exit status: 0 all checks held, 1 a property was violated, or a canary was not caught, 2 bad usage, or the record cannot be written")]
pub(super) struct CampaignArguments {
    /// The folder of the record
    #[arg(long, value_name = "DIR")]
    record: PathBuf,
    /// Ends with the unit that is under way after this long: seconds, or with s, m or h. Without it and --rounds, ^C ends it
    #[arg(long = "for", value_name = "T", value_parser = time::some, conflicts_with = "report")]
    length: Option<Duration>,
    /// Ends after so many rounds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "report")]
    rounds: Option<u64>,
    /// How many seeds a unit of explore or bugs runs
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// How many events happen in the run of a seed before its faults end, instead of as many as the seed says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// How many units of a driver a round has, from 0 to 100
    #[arg(long = "weight", value_name = "DRIVER=N")]
    weights: Vec<Weight>,
    /// Traces, or folders of traces, that are run again with the old failures; without, those in the folder traces, if there is one
    #[arg(long, value_name = "PATH")]
    corpus: Vec<PathBuf>,
    /// The planted bug that is the canary of each round, instead of one that falls quickly
    #[arg(long, value_name = "NAME")]
    canary: Option<String>,
    /// By how many seeds the canary has to be caught
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    canary_seeds: u64,
    /// Switches a planted bug on, to see what a campaign makes of failures; name a folder of its own for that
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    #[command(flatten)]
    patience: Patience,
    /// How many at once, instead of one for each core
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Prints what is in the record, and runs nothing
    #[arg(long)]
    report: bool,
    /// The report as a page for the browser
    #[arg(short, long, value_name = "HTML", requires = "report")]
    out: Option<PathBuf>,
    /// Prints a JSON line for each unit, or for the report
    #[arg(long)]
    json: bool,
}

impl CampaignArguments {
    fn overrides(&self) -> Overrides {
        Overrides { steps: self.steps, ..Overrides::default() }
    }

    fn weights(&self) -> Weights {
        let mut weights = Weights::default();
        self.weights.iter().for_each(|weight| weights.set(*weight));
        weights
    }

    fn jobs(&self) -> Option<usize> {
        jobs::capped(self.jobs)
    }
}

/// Runs rounds, or prints the report.
///
/// # Errors
/// The record cannot be read or written, or the canary is not in this build.
pub(super) fn run(arguments: &CampaignArguments) -> Result<u8, String> {
    match arguments.report {
        true => report::run(arguments),
        false => rounds::run(arguments),
    }
}
