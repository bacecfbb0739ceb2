//! `sim explore`: many seeds, on every core.

use std::io::IsTerminal;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sim::explore::{Exploration, Explored, SeedEnd, Shard, explore};
use sim::invariant::Violation;
use sim::output::say;
use sim::plan::{Overrides, Plan};
use sim::trace::Ending;

use super::run::{leave_trace, seed};
use super::{HELD, VIOLATED, situations, summary};

/// Runs many seeds on every core and reports those that violate a property.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim explore --seeds 0..1000                     a thousand seeds
  sim explore --seeds 0..1000000 --time 10m       as many of a million as ten minutes allow
  sim explore --seeds 0..90000 --shard 2/9        the second of nine shares, for a batch system
  sim explore --seeds 0..1000 --json > found.jsonl  one JSON line for each failure, and one for the summary

Exit status: 0 all checks held, 1 a property was violated or, with --all-situations, a situation was never reached,
2 bad usage")]
pub(super) struct ExploreArguments {
    /// The seeds, the second bound excluded
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Range<u64>,
    /// How many at once, instead of one for each core
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Begins no further seed after this long: seconds, or with s, m or h
    #[arg(long, value_name = "T", value_parser = duration)]
    time: Option<Duration>,
    /// Runs only the I-th of N equal shares
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// How many events happen in each run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// How many nodes each cluster begins with, 1 to 7, instead of as many as the seed says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=Plan::MOST_NODES))]
    nodes: Option<u64>,
    /// Ends each run with its last step. Else faults end then, and the cluster has to come to rest: a leader, writes,
    /// reads, agreement
    #[arg(long)]
    no_settle: bool,
    /// Prints JSON lines instead of text
    #[arg(long)]
    json: bool,
    /// Prints how often each named situation happened, and in how many seeds
    #[arg(long)]
    situations: bool,
    /// Fails if some named situation never happened
    #[arg(long)]
    all_situations: bool,
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

fn duration(text: &str) -> Result<Duration, String> {
    let (digits, seconds) = match text.chars().last() {
        Some('s') => (&text[..text.len() - 1], 1),
        Some('m') => (&text[..text.len() - 1], 60),
        Some('h') => (&text[..text.len() - 1], 3600),
        Some(_) | None => (text, 1),
    };
    let number: u64 =
        digits.parse().map_err(|_| format!("a time is a number of seconds, or like 90s, 10m or 2h, not {text:?}"))?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

impl ExploreArguments {
    fn exploration(&self) -> Exploration {
        Exploration {
            seeds: self.seeds.clone(),
            shard: self.shard.unwrap_or_default(),
            jobs: self.jobs.map(|jobs| usize::try_from(jobs).unwrap_or(usize::MAX)),
            overrides: Overrides {
                steps: self.steps,
                nodes: self.nodes,
                no_settle: self.no_settle,
                ..Overrides::default()
            },
        }
    }
}

/// Runs the seeds, and says which of them failed.
pub(super) fn run(arguments: &ExploreArguments) -> Result<u8, String> {
    let exploration = arguments.exploration();
    if arguments.determinism {
        return super::determinism::run(&exploration);
    }
    let began = Instant::now();
    let late = || arguments.time.is_some_and(|limit| began.elapsed() >= limit);
    let progress = Progress::new(exploration.share().count() as u64);
    let explored = explore(&exploration, |end| progress.count(end), late);
    progress.bar.finish_and_clear();
    for (seed, ending) in &explored.failures {
        let trace = leave_trace(&Plan::draw(*seed, &exploration.overrides), None)?;
        let line = if arguments.json { failure_as_json(*seed, ending, &trace) } else { failure(*seed, ending, &trace) };
        say(line)?;
    }
    if arguments.json {
        say(summary_as_json(&explored))?;
    } else {
        let all = if arguments.situations { situations::all_as_text(&explored) } else { String::new() };
        let never = situations::never_as_text(&explored);
        let statistics = summary::of_statistics(&explored.statistics);
        say(format_args!("{all}{statistics}{never}{}", of_seeds(&explored, began.elapsed())))?;
    }
    let missed = arguments.all_situations && explored.statistics.situations.never().next().is_some();
    Ok(if explored.failures.is_empty() && !missed { HELD } else { VIOLATED })
}

fn failure(seed: u64, ending: &Ending, trace: &Path) -> String {
    let trace = trace.display();
    match ending {
        Ending::Completed => format!("seed {seed}: {trace}"),
        Ending::Violation(Violation { invariant, step, detail, .. }) => {
            format!("seed {seed}: {invariant} at step {step}: {detail}; {trace}")
        }
        Ending::Panic(message) => format!("seed {seed}: a panic: {message}; {trace}"),
    }
}

fn failure_as_json(seed: u64, ending: &Ending, trace: &Path) -> String {
    match ending {
        Ending::Completed => json!({ "seed": seed, "trace": trace }),
        Ending::Violation(violation) => json!({ "seed": seed, "violation": violation, "trace": trace }),
        Ending::Panic(message) => json!({ "seed": seed, "panic": message, "trace": trace }),
    }
    .to_string()
}

fn of_seeds(explored: &Explored, took: Duration) -> String {
    let rate = explored.seeds as f64 / took.as_secs_f64().max(0.001);
    let events = explored.statistics.total() as f64 / took.as_secs_f64().max(0.001);
    format!(
        "{} seeds, {} failures; {rate:.0} seeds and {events:.0} events a second; digest {:016x}",
        explored.seeds,
        explored.failures.len(),
        explored.digest
    )
}

fn summary_as_json(explored: &Explored) -> String {
    let Explored { seeds, digest, statistics, reached: _, failures } = explored;
    json!({
        "seeds": seeds,
        "failures": failures.len(),
        "events": statistics.total(),
        "digest": format!("{digest:016x}"),
        "situations": situations::as_json(explored),
    })
    .to_string()
}

/// A bar on a terminal, nothing elsewhere.
struct Progress {
    bar: ProgressBar,
    failures: AtomicU64,
}

impl Progress {
    fn new(seeds: u64) -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} seeds, {per_sec}, {msg}, {eta} left");
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(seeds) } else { ProgressBar::hidden() };
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message("0 failures");
        Self { bar, failures: AtomicU64::new(0) }
    }

    fn count(&self, end: &SeedEnd) {
        self.bar.inc(1);
        if end.ending != Ending::Completed {
            let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
            self.bar.set_message(format!("{failures} failures"));
        }
    }
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

    #[test]
    fn a_time_is_seconds_minutes_or_hours() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        for wrong in ["", "m", "-1s", "1d"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }
}
