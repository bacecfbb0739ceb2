//! `sim fuzz`: between recorded runs and the inputs of the fuzz targets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::driver::{bytes, swarm};
use crate::harness::seeds::{LONGEST, Seed, Seeds, choose, of_run};
use crate::input;
use crate::output::{self, say, tell};
use crate::plan::{Overrides, Plan};
use crate::trace::{Ending, Header, Source, Trace};
use crate::world::Event;
use clap::{Args, Subcommand};

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

/// Makes a trace of an input of the target `world`, such as the input that a crash left.
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

/// Makes first inputs for all targets from traces, scenarios and short runs: for each target a few that together cover
/// what all of them hold. Inputs that an earlier call made are replaced.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  sim fuzz seeds --runs 3 -o fuzz/seeds traces/*.jsonl* scenarios/*/*.txt")]
struct SeedsArguments {
    /// Traces and scenarios (.txt) from which inputs are made
    files: Vec<PathBuf>,
    /// Also makes inputs from this many short runs, of the seeds 1 and up
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=10_000))]
    runs: u64,
    /// The directory in which each target has a directory of its own
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// The most inputs for a target
    #[arg(long, value_name = "N", default_value_t = 24)]
    at_most: usize,
}

pub(super) fn run(arguments: &FuzzArguments) -> Result<u8, String> {
    match &arguments.command {
        Command::Seeds(arguments) => seeds(arguments),
        Command::Trace(arguments) => trace(arguments),
    }
}

fn trace(arguments: &TraceArguments) -> Result<u8, String> {
    let trace = bytes::trace(&read(&arguments.file)?);
    let saved = trace.save(&arguments.out).map_err(|error| format!("{}: {error}", arguments.out.display()));
    say(format_args!("{} events, then {}", trace.events.len(), trace.ending.clone()))?;
    if trace.events.is_empty() {
        return Err(format!("{}: makes no event: nothing was checked", arguments.file.display()));
    }
    match (saved, trace.ending == Ending::Completed) {
        (saved, true) => saved.map(|()| HELD),
        (Ok(()), false) => Ok(VIOLATED),
        (Err(error), false) => {
            tell(error);
            Ok(VIOLATED)
        }
    }
}

fn seeds(arguments: &SeedsArguments) -> Result<u8, String> {
    if arguments.files.is_empty() && arguments.runs == 0 {
        return Err("of nothing no inputs are made: name traces or scenarios, or --runs".to_owned());
    }
    let mut made = Made::new();
    for file in &arguments.files {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = name.split('.').next().unwrap_or_default();
        add(&mut made, name, if name_ends(file, "txt") { of_scenario(read(file)?) } else { of_trace(&text(file)?) });
    }
    for seed in 1..=arguments.runs {
        add(&mut made, &format!("run-{seed}"), of_seed(seed));
    }
    let chosen = made.iter().flat_map(|(target, seeds)| {
        let chosen = choose(seeds.iter().map(|(_, seed)| seed), arguments.at_most);
        chosen
            .into_iter()
            .map(move |position| (format!("{target}/{}", seeds[position].0), &seeds[position].1.bytes[..]))
    });
    write(&arguments.out, &chosen.collect::<Vec<_>>())?;
    Ok(HELD)
}

/// For each target, inputs and their names.
type Made = BTreeMap<&'static str, Vec<(String, Seed)>>;

fn add(made: &mut Made, name: &str, seeds: Seeds) {
    for (target, seeds) in seeds {
        let named = (1..).zip(seeds).map(|(number, seed)| (format!("{name}-{number}"), seed));
        made.entry(target).or_default().extend(named);
    }
}

fn name_ends(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|its| its == extension)
}

/// A scenario holds its commands, each with its options.
fn of_scenario(bytes: Vec<u8>) -> Seeds {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let holds = lines.filter(|words| words.first().is_some_and(|first| !first.starts_with('#'))).flat_map(|words| {
        let options = words[1..].iter().filter_map(|word| Some(word.split_once('=')?.0));
        options.chain([""]).map(|option| format!("{} {option}", words[0])).collect::<Vec<_>>()
    });
    let holds = holds.collect();
    if bytes.len() > LONGEST { Seeds::new() } else { Seeds::from([("scenario", vec![Seed { bytes, holds }])]) }
}

/// A short run of this seed. Few nodes, so that much happens to each.
fn of_seed(seed: u64) -> Seeds {
    let overrides = Overrides { steps: Some(1000), nodes: Some(3), no_settle: true, ..Overrides::default() };
    let mut events = Vec::new();
    swarm::run(&Plan::draw(seed, &overrides), |event| events.push(event.clone()));
    let mut seeds = of_run(&events);
    events.truncate(20);
    let trace = Trace::record(Header::new(Some(seed)), &events);
    let written = trace.write(Vec::new()).expect("memory takes everything");
    seeds.insert("trace", vec![Seed { bytes: written, holds: kinds(&events) }]);
    seeds
}

/// The lines of a trace, damaged or not, that are events; and its beginning as it is.
fn of_trace(text: &str) -> Seeds {
    let events: Vec<Event> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let mut seeds = of_run(&events);
    let mut beginning = text
        .lines()
        .map(|line| format!("{line}\n"))
        .fold(String::new(), |all, line| if all.len() + line.len() <= LONGEST { all + &line } else { all });
    let holds = kinds(&beginning.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<_>>());
    if let Some(end) = text.lines().last().filter(|last| !beginning.ends_with(&format!("{last}\n"))) {
        beginning += end;
    }
    seeds.insert("trace", vec![Seed { bytes: beginning.into_bytes(), holds }]);
    seeds
}

fn kinds(events: &[Event]) -> BTreeSet<String> {
    events.iter().map(|event| format!("{:?}", event.kind())).collect()
}

/// The longest trace from which inputs are made, decompressed: 256 MiB.
const LONGEST_TRACE: u64 = 1 << 28;

/// A file's text, decompressed where it is a compressed trace.
fn text(file: &Path) -> Result<String, String> {
    let read = Source::open(file).and_then(|source| input::at_most(source, LONGEST_TRACE));
    let bytes = read.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    input::bytes(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The list of the inputs that a call made, beside the directories of the targets.
const LIST: &str = "made";

/// Replaces the files of the list by these, and writes the new list.
fn write(out: &Path, files: &[(String, &[u8])]) -> Result<(), String> {
    let list = out.join(LIST);
    let before = input::text(&list).unwrap_or_default();
    let stale = before.lines().filter(|line| files.iter().all(|(name, _)| name != line));
    for name in stale.filter(|name| name.split('/').all(|part| !part.is_empty() && part != "..")) {
        // It may be gone already.
        let _ = fs::remove_file(out.join(name));
    }
    let error = |file: &Path, error: std::io::Error| format!("{}: {error}", file.display());
    for (name, bytes) in files {
        let file = out.join(name);
        let directory = file.parent().unwrap_or(out);
        fs::create_dir_all(directory).map_err(|failed| error(directory, failed))?;
        output::write(&file, bytes).map_err(|failed| error(&file, failed))?;
    }
    let names: String = files.iter().map(|(name, _)| format!("{name}\n")).collect();
    output::write(&list, names.as_bytes()).map_err(|failed| error(&list, failed))
}
