//! `sim fuzz`: between recorded runs and the inputs of the fuzz targets.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sim::driver::{bytes, swarm};
use sim::harness::seeds::{LONGEST, Seeds, of_run};
use sim::plan::{Overrides, Plan};
use sim::trace::{Ending, Header, Shown, Trace};
use sim::world::Event;

use super::{HELD, VIOLATED};

/// Makes inputs for the fuzz targets.
#[derive(Args, Debug)]
pub(super) struct FuzzArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Seeds(SeedsArguments),
    Trace(TraceArguments),
}

/// Makes a trace of an input of the target `world`, such as the one that a crash left.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  sim fuzz trace fuzz/artifacts/world/crash-0123 -o found.jsonl")]
struct TraceArguments {
    /// The input
    file: PathBuf,
    /// Where the trace goes
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Makes first inputs for all targets, of traces, of scenarios, and of short runs.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  sim fuzz seeds --runs 3 -o fuzz/seeds traces/* scenarios/*/*.txt")]
struct SeedsArguments {
    /// Traces and scenarios (.txt), of which inputs are made
    files: Vec<PathBuf>,
    /// Also of so many short runs, of the seeds 1 and up
    #[arg(long, value_name = "N", default_value_t = 0)]
    runs: u64,
    /// The directory, in which each target has one
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(arguments: &FuzzArguments) -> Result<u8, String> {
    match &arguments.command {
        Command::Seeds(arguments) => seeds(arguments),
        Command::Trace(arguments) => trace(arguments),
    }
}

fn trace(arguments: &TraceArguments) -> Result<u8, String> {
    std::panic::set_hook(Box::new(|_| {}));
    let trace = bytes::trace(&read(&arguments.file)?);
    trace.save(&arguments.out).map_err(|error| format!("{}: {error}", arguments.out.display()))?;
    println!("{} events, then {}", trace.events.len(), Shown(trace.ending.clone()));
    Ok(if trace.ending == Ending::Completed { HELD } else { VIOLATED })
}

fn seeds(arguments: &SeedsArguments) -> Result<u8, String> {
    for file in &arguments.files {
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let seeds = if file.extension().is_some_and(|extension| extension == "txt") {
            Seeds::from([("scenario", vec![read(file)?])])
        } else {
            of_trace(&String::from_utf8_lossy(&read(file)?))
        };
        write(&arguments.out, &name, &seeds)?;
    }
    for seed in 1..=arguments.runs {
        write(&arguments.out, &format!("run-{seed}"), &of_seed(seed))?;
    }
    Ok(HELD)
}

/// A short run of this seed. Few nodes, so that much happens to each.
fn of_seed(seed: u64) -> Seeds {
    let overrides = Overrides { steps: Some(1000), nodes: Some(3), no_settle: true, ..Overrides::default() };
    let mut events = Vec::new();
    swarm::run(&Plan::draw(seed, &overrides), |event| events.push(event.clone()));
    let mut seeds = of_run(&events);
    events.truncate(20);
    let trace = Trace::record(Header::new(Some(seed)), &events);
    seeds.insert("trace", vec![trace.write(Vec::new()).expect("memory takes everything")]);
    seeds
}

/// Of a trace, damaged or not, the lines that are events; and its beginning as it is.
fn of_trace(text: &str) -> Seeds {
    let events: Vec<Event> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut seeds = of_run(&events);
    let mut beginning = text
        .lines()
        .map(|line| format!("{line}\n"))
        .fold(String::new(), |all, line| if all.len() + line.len() <= LONGEST { all + &line } else { all });
    if let Some(end) = text.lines().last().filter(|last| !beginning.ends_with(&format!("{last}\n"))) {
        beginning += end;
    }
    seeds.insert("trace", vec![beginning.into_bytes()]);
    seeds
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(out: &Path, name: &str, seeds: &Seeds) -> Result<(), String> {
    for (target, inputs) in seeds {
        let directory = out.join(target);
        fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        for (number, input) in (1..).zip(inputs) {
            let file = directory.join(format!("{name}-{number}"));
            fs::write(&file, input).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    Ok(())
}
