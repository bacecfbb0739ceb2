//! `sim availability`: what becomes of clusters in which some links stay cut.

mod progress;
mod table;

use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use self::progress::Bar;
use super::again::Next;
use super::{HELD, USAGE, VIOLATED, failure, jobs};
use crate::campaign::availability::{Case, Cores, Guards, NoRow};
use crate::driver::availability::Topology;
use crate::output::{print, say};
use crate::plan::Plan;
use crate::trace::{Ending, Header, Trace};

/// Cuts links of a cluster for good, and says when it commits again, how many terms that takes, and how much is written.
///
/// Each cluster elects a leader and commits a write. Then its links are cut as the topology says, for 600 ticks, and clients ask
/// for 60 writes, one in each election timeout, of the leader of the highest term. Clocks are those of the seeds' plans. A row
/// is what all seeds came to: half of them were no worse than the median.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim availability                              all topologies, sizes and options: minutes
  sim availability --topology chained --nodes 3 --seeds 10
                                                four rows, in a second
  sim availability --topology quorum-loss --options pre-vote --trace run.jsonl --seeds 1
                                                and every event of the first seed: sim show run.jsonl
  sim availability --json > sim/recorded/availability.jsonl
                                                makes anew what --markdown prints
  sim availability --markdown                   the table in docs/availability.md

Exit status: 0 the rows are whole, 1 a property was violated, and its trace is left, 2 bad usage, or interrupted")]
pub(super) struct AvailabilityArguments {
    /// Which links are cut, if not all topologies in turn; may be given more than once
    #[arg(long, value_name = "NAME")]
    topology: Vec<Topology>,
    /// How many nodes there are, if not each size of a topology in turn; may be given more than once
    #[arg(long, value_name = "N")]
    nodes: Vec<u64>,
    /// The options of the nodes, if not each choice in turn; may be given more than once
    #[arg(long, value_name = "NAME")]
    options: Vec<Guards>,
    /// How many seeds are run for each row, from 0
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: u64,
    /// How many run at once, instead of one on each core; the result does not depend on it
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Writes every event of the first seed of the first row to this file
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Where the trace of what breaks is put
    #[arg(short, long, value_name = "FILE", default_value = "availability.jsonl")]
    out: PathBuf,
    /// Prints a JSON line for each row
    #[arg(long)]
    json: bool,
    /// Prints the table that is recorded, in Markdown
    #[arg(long, conflicts_with_all = ["json", "topology", "nodes", "options", "seeds", "jobs", "trace"])]
    markdown: bool,
}

impl ValueEnum for Topology {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(self.name().into())
    }
}

impl ValueEnum for Guards {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(self.name().into())
    }
}

/// Runs the seeds of each row, and prints it.
pub(super) fn run(arguments: &AvailabilityArguments) -> Result<u8, String> {
    if arguments.markdown {
        print(table::markdown()?)?;
        return Ok(HELD);
    }
    let cases = cases(arguments)?;
    if let (Some(path), Some(case)) = (&arguments.trace, cases.first()) {
        leave(case, 0, path)?;
    }
    let cores = Cores::new(jobs::capped(arguments.jobs)).map_err(|error| format!("no threads: {error}"))?;
    let bar = Bar::new(cases.len() as u64 * arguments.seeds);
    if !arguments.json {
        say(table::HEAD)?;
    }
    let ended = rows(&cases, 0..arguments.seeds, &cores, &bar, arguments);
    bar.finish();
    ended
}

/// A row for each case, as soon as it is whole.
fn rows(
    cases: &[Case],
    seeds: Range<u64>,
    cores: &Cores,
    bar: &Bar,
    arguments: &AvailabilityArguments,
) -> Result<u8, String> {
    for case in cases {
        match cores.row(*case, seeds.clone(), bar) {
            Ok(row) if arguments.json => bar.aside(|| say(table::as_json(&row)))?,
            Ok(row) => bar.aside(|| say(table::as_text(&row)))?,
            Err(NoRow::Interrupted) => return Ok(USAGE),
            Err(NoRow::Broken(seed, ending)) => {
                leave(case, seed, &arguments.out)?;
                bar.aside(|| broke(case, seed, &ending, &arguments.out, arguments.json))?;
                return Ok(VIOLATED);
            }
        }
    }
    Ok(HELD)
}

/// What is to be run.
fn cases(arguments: &AvailabilityArguments) -> Result<Vec<Case>, String> {
    let AvailabilityArguments { topology, nodes, options, .. } = arguments;
    let is_asked = |case: &Case| {
        (topology.is_empty() || topology.contains(&case.topology))
            && (nodes.is_empty() || nodes.contains(&case.nodes))
            && (options.is_empty() || options.contains(&case.options))
    };
    let cases: Vec<Case> = Case::all().filter(is_asked).collect();
    if cases.is_empty() {
        let sizes = |topology: &Topology| format!("{} has {:?}", topology.name(), topology.sizes());
        let sizes: Vec<String> =
            Topology::ALL.iter().filter(|one| topology.is_empty() || topology.contains(one)).map(sizes).collect();
        return Err(format!("no such topology is there with so many nodes: {}", sizes.join(", ")));
    }
    Ok(cases)
}

/// Writes the run of a seed.
fn leave(case: &Case, seed: u64, path: &Path) -> Result<(), String> {
    let mut events = Vec::new();
    let ended = case.run(seed, |event| events.push(event.clone()));
    let Case { topology, nodes, options } = case;
    let plan = Plan::quiet(seed, *nodes, &options.options());
    let note = format!("{}, {nodes} nodes, options: {}", topology.name(), options.name());
    let plan = serde_json::to_value(plan).map_err(|error| error.to_string())?;
    let header = Header { note: Some(note), plan, ..Header::new(Some(seed)) };
    let trace = Trace { header, events, ending: ended.err().unwrap_or(Ending::Completed) };
    trace.save(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn broke(case: &Case, seed: u64, ending: &Ending, path: &Path, json: bool) -> Result<(), String> {
    if json {
        let told = serde_json::json!({
            "topology": case.topology.name(),
            "nodes": case.nodes,
            "options": case.options.name(),
            "seed": seed,
            "failure": failure::as_json(ending),
            "trace": path.display().to_string(),
        });
        return say(told);
    }
    print(failure::of_ending(ending))?;
    print(failure::next(&Next::of(path).shrunk(&Header::new(None))))
}
