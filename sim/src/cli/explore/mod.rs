//! `sim explore`: many seeds, on every core.

mod environment;
pub(super) mod folder;
mod from;
mod latest;
mod progress;
mod share;
mod tla;
mod told;
mod traces;
mod watcher;

use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::campaign::explore::{Exploration, Explored, explore_in};
use crate::campaign::share::Summary;
use crate::output::say;
use clap::Args;

use self::folder::Opened;
use self::from::From;
use self::share::ShardChoice;
use self::watcher::{Watched, Watcher};
use super::choices::{Choices, run_again};
use super::interrupt::INTERRUPTED;
use super::run::seed;
use super::watchdog::Patience;
use super::{HELD, VIOLATED, again, drawn, jobs, time};

/// Runs many seeds on every core and reports those that violate a property.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim explore                                     seeds from a drawn one on, until one fails or ^C
  sim explore --seeds 0..1000                     a thousand seeds
  sim explore --seeds 0..1000000 --seconds 10m    as many of a million as ten minutes allow
  sim explore --seeds 0..90000 --shard 2/9 -o s2  the second of nine shares, and its result as a folder
  sim explore --seeds 0..90000 --shard env -o s2  the share that Kubernetes, Slurm or another engine has set
  sim explore --from raft.txt --seeds 0..1000     each goes on from where a scenario, or a trace, has come to
  sim explore --seeds 0..1000 --out night         a folder for the summary and the traces; once more: goes on with it
  sim explore --seeds 0..50 --tla files           a file of each seed for etcd's trace validation
  sim explore --seeds 0..1000 --json > found.jsonl  one JSON line for each failure, and one for the summary

A failure is told when it is found. Of each property that is broken the three shortest traces are kept; the summary says
with which to begin. ^C begins no further seed and prints the summary; a second one ends at once.

--shard env takes the share from what engines set. Two variables of this program's own say it where they do not, and count before
all others: SIM_SHARD_INDEX, from 0 on, and SIM_SHARD_COUNT.
  engine            which share                            of how many
  Kubernetes        JOB_COMPLETION_INDEX                   SIM_SHARD_COUNT
  Slurm             SLURM_ARRAY_TASK_ID, _MIN, _STEP       SLURM_ARRAY_TASK_COUNT, or _MAX
  AWS Batch         AWS_BATCH_JOB_ARRAY_INDEX              AWS_BATCH_JOB_ARRAY_SIZE
  GNU parallel      PARALLEL_SEQ, from 1 on                SIM_SHARD_COUNT
  Buildkite         BUILDKITE_PARALLEL_JOB                 BUILDKITE_PARALLEL_JOB_COUNT
  GitHub's matrix   SIM_SHARD_INDEX: strategy.job-index    SIM_SHARD_COUNT: strategy.job-total

--out writes summary.json when a failure is found whose trace is kept, each second, and at the end, all at once; what a next start needs
is written after each seed. So whoever kills the program loses only the seeds under way, and a machine that stops the last second, which
are run again. `sim merge` makes one report of many such folders.

Exit status: 0 all checks held, 1 a property was violated or, with --all-situations, a situation was never reached,
2 bad usage, a folder or file that cannot be written, or nothing was checked; 130 with --out, it was asked to end before all seeds of
--seeds were run")]
pub(super) struct ExploreArguments {
    /// The seeds, the second bound excluded. Without them: from a drawn seed on, until one fails or ^C
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Option<Range<u64>>,
    /// How many at once, instead of one for each core
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Begins no further seed after this long: seconds, or with s, m or h
    #[arg(long = "seconds", alias = "time", value_name = "T", value_parser = time::some)]
    time: Option<Duration>,
    /// Runs only the I-th of N equal shares, or the one that the environment names
    #[arg(long, value_name = "I/N|env", requires = "seeds")]
    shard: Option<ShardChoice>,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    patience: Patience,
    /// The folder for the summary and the traces of failures; what is done there is not done again. Without it, traces go to this one
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Prints JSON lines instead of text
    #[arg(long)]
    json: bool,
    /// Prints how often each named situation happened, and in how many seeds
    #[arg(long)]
    situations: bool,
    /// Fails if some named situation never happened
    #[arg(long)]
    all_situations: bool,
    /// Writes a file of each seed to this folder, for etcd's trace validation: sim/tla.md says how that reads it. The seeds are drawn
    /// within what its specification can speak about, and a file ends before what is beyond
    #[arg(long, value_name = "DIR", requires = "seeds", conflicts_with_all = ["out", "shard", "from", "situations", "all_situations", "determinism", "engine", "time"])]
    tla: Option<PathBuf>,
    /// Runs each seed twice and compares the runs step by step
    #[arg(long)]
    determinism: bool,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("a range of seeds is A..B with A below B, not {text:?}");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let range = seed(from)?..seed(to)?;
    if range.is_empty() { Err(wrong()) } else { Ok(range) }
}

impl ExploreArguments {
    /// What is to be run, from this seed on if nobody chose the seeds.
    fn exploration(&self, first: Option<u64>) -> Result<Exploration, String> {
        let seeds = self.seeds.clone().unwrap_or_else(|| first.unwrap_or_else(drawn::seed)..u64::MAX);
        let exploration = Exploration {
            shard: self.shard.map(ShardChoice::shard).transpose()?.unwrap_or_default(),
            jobs: jobs::capped(self.jobs),
            overrides: self.choices.overrides(),
            bug: self.choices.bug.clone(),
            twice: self.determinism,
            ..Exploration::of(seeds)
        };
        if exploration.count() == 0 {
            let (Range { start, end }, shard) = (&exploration.seeds, exploration.shard);
            return Err(format!("no seed of {start}..{end} belongs to the shard {shard}: nothing would be checked"));
        }
        Ok(exploration)
    }

    /// The command that makes the run of a seed again.
    fn again(&self, seed: u64) -> String {
        if self.from.is_nothing() {
            return run_again(seed, &self.choices);
        }
        let (program, from, typed) = (again::program(), self.from.as_typed(), self.choices.as_typed());
        format!("{program} explore --seeds {seed}..{}{from}{typed}", seed.saturating_add(1))
    }

    /// Whether seeds follow until one fails.
    fn is_open(&self) -> bool {
        self.seeds.is_none()
    }
}

/// Runs the seeds, and says which of them failed.
pub(super) fn run(arguments: &ExploreArguments) -> Result<u8, String> {
    if let Some(folder) = &arguments.tla {
        return tla::run(arguments, folder);
    }
    drop(super::bugs::switch_on(arguments.choices.bug.as_deref())?);
    let start = arguments.from.start(arguments.choices.world()?, arguments.choices.bug.as_deref())?;
    let opened = arguments.out.as_deref().map(Opened::at).transpose()?;
    let mut exploration = arguments.exploration(opened.as_ref().and_then(Opened::first_of_open))?;
    let work = arguments.work(&exploration, &start);
    let folder = opened.map(|opened| opened.go_on(work, exploration.shard)).transpose()?;
    if let Some(folder) = &folder {
        exploration.done = folder.summary.done.clone();
    }
    let began = Instant::now();
    let mut watcher = Watcher::new(arguments, &exploration, &start, folder);
    watcher.tell_start(&exploration)?;
    let mut here = explore_in(start.world(), &exploration, &mut watcher).map_err(|error| error.to_string())?;
    let took = began.elapsed();
    let Watched { traces, kept, is_interrupted } = watcher.finish(&mut here)?;
    let (summary, unwritten) = kept.unzip();
    let is_complete = summary.as_ref().is_none_or(Summary::is_complete);
    let explored = summary.map_or_else(|| here.clone(), |summary| summary.explored);
    if explored.seeds == 0 && explored.broken.is_empty() {
        return Err("no seed came to its end: nothing was checked".to_owned());
    }
    let (world, explored) = (start.world(), &explored);
    let exploration = &exploration;
    let summary = told::Summary { arguments, world, exploration, here: &here, explored, traces: &traces, took };
    say(if arguments.json { summary.as_json() } else { summary.as_text() })?;
    unwritten.flatten().map_or(Ok(()), Err)?;
    // Whoever started the share has to know that it is not at its end.
    if is_interrupted && !is_complete && !arguments.is_open() {
        return Ok(INTERRUPTED);
    }
    let missed = arguments.all_situations && never_reached(explored);
    Ok(if explored.broken.is_empty() && !missed { HELD } else { VIOLATED })
}

fn never_reached(explored: &Explored) -> bool {
    explored.statistics.situations.never().next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_has_two_bounds_and_is_not_empty() {
        assert_eq!(seeds("0..10"), Ok(0..10));
        assert_eq!(seeds("0x10..32"), Ok(16..32));
        for wrong in ["", "5", "5..", "..5", "5..5", "6..5", "a..b"] {
            assert!(seeds(wrong).is_err(), "{wrong:?}");
        }
    }
}
