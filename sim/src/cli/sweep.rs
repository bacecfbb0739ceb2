//! `sim sweep FILE…`: every crash point of scenarios and traces.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::campaign::sweep::{Found, Sweep, Swept, Watch, sweep_in};
use crate::driver::sweep::Tried;
use crate::output::{print, say};
use crate::planted;
use crate::trace::{Header, Trace};
use crate::world::World;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::again::Next;
use super::interrupt::Interrupt;
use super::run_of_file::{self, is_trace};
use super::{HELD, USAGE, VIOLATED, engines, failure, jobs, time};

/// Crashes each node after each event of a run, with everything that its disk may keep, and sees whether it comes back.
///
/// After each crash the node restarts, faults end, and the cluster has to converge; every property is checked on the way, and
/// what clients were told has to have an explanation. Of what the disk had not synced it keeps nothing, all, each front of it
/// byte by byte, and each subset of its blocks. Crashes that lead to the same state after the same event are tried once.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim sweep scenarios/restarts                     every crash point of these scenarios
  sim sweep short.jsonl                            of a trace
  sim sweep scenarios --most 20                    after at most 20 events of each
  sim sweep scenarios/membership --bug term-vote-nonatomic --out found
                                                   with a planted bug; what it leads to goes into that folder

Exit status: 0 all nodes came back, 1 something broke, 2 FILE cannot be read or run, or nothing was tried")]
pub(super) struct SweepArguments {
    /// Scenarios (*.txt), folders with scenarios in them, or traces
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// After how many events of each file at most nodes crash, spread over all of it; without, after each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    most: Option<u64>,
    /// A planted bug that is on, in a build with --features planted-bugs: `sim bugs --list` names them
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,
    /// The folder for traces of what broke, a file for each way to fail
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many states are tried at once, instead of one for each core
    #[arg(long, value_name = "J")]
    jobs: Option<u64>,
    /// Ends after this long with what was tried by then: seconds, or with s, m or h
    #[arg(long, value_name = "T", value_parser = time::some)]
    seconds: Option<Duration>,
    /// Prints a JSON line for each file
    #[arg(long)]
    json: bool,
}

/// Sweeps each file.
///
/// # Errors
/// A file cannot be read or run, or a trace cannot be written.
pub(super) fn run(arguments: &SweepArguments) -> Result<u8, String> {
    let files = files(&arguments.files)?;
    let progress = Progress::new(arguments.seconds);
    let how = Sweep { most: arguments.most, jobs: jobs::capped(arguments.jobs) };
    let (mut all, mut broken) = (Swept::default(), 0);
    for file in &files {
        if progress.enough() {
            break;
        }
        progress.bar.set_message(file.display().to_string());
        let Some(trace) = trace_of(file, arguments.bug.as_deref())? else {
            say_unless(arguments.json, format_args!("{}: skipped, it plants a bug of its own", file.display()))?;
            continue;
        };
        let world = engines::world_of(&trace.header)?;
        let swept =
            sweep_in(&world, &trace, &how, &progress).map_err(|error| format!("{}: {error}", file.display()))?;
        broken += usize::from(swept.is_broken());
        let kept = keep(&world, &swept, file, arguments.out.as_deref())?;
        progress.bar.suspend(|| told(&swept, file, &kept, arguments.json))?;
        all.tried += swept.tried;
        all.points += swept.points;
        all.states += swept.states;
        all.unjudged += swept.unjudged;
    }
    progress.bar.finish_and_clear();
    let ended = if progress.enough() { ", when it was told to end" } else { "" };
    say_unless(
        arguments.json,
        format_args!("{} of {} files: {}{ended}", files.len() - broken, files.len(), counts(&all)),
    )?;
    Ok(match (all.points, broken) {
        (0, 0) => USAGE,
        (_, 0) => HELD,
        _ => VIOLATED,
    })
}

/// The files that the arguments stand for.
fn files(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in arguments {
        match is_trace(path) {
            true => files.push(path.clone()),
            false => files.extend(super::files_in(std::slice::from_ref(path), "scenario")?),
        }
    }
    Ok(files)
}

/// The run that a file holds, with this bug if one is asked for; none if it plants a bug of its own besides.
fn trace_of(file: &Path, bug: Option<&str>) -> Result<Option<Trace>, String> {
    let trace = run_of_file::whole(file)?;
    let Some(bug) = bug else { return Ok(Some(trace)) };
    if !is_trace(file) && trace.header.bug.is_some() {
        return Ok(None);
    }
    Ok(Some(Trace { header: Header { bug: Some(bug.to_owned()), ..trace.header }, ..trace }))
}

/// Writes a trace of each way to fail, where a folder is named. Returns their paths.
fn keep(world: &World, swept: &Swept, file: &Path, folder: Option<&Path>) -> Result<Vec<PathBuf>, String> {
    let Some(folder) = folder.filter(|_| !swept.failures.is_empty()) else { return Ok(Vec::new()) };
    let said = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(|error| said(folder, error))?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let written = (1..).zip(&swept.failures).map(|(number, found)| {
        // A trace is run once more to be written.
        let _switched = planted::switch_on(found.trace.header.bug.as_deref()).map_err(|unknown| unknown.to_string())?;
        let path = folder.join(format!("{}-{number}.jsonl", stem.trim_end_matches(".jsonl")));
        found.trace.save_in(world, &path).map_err(|error| said(&path, error))?;
        Ok(path)
    });
    written.collect()
}

fn told(swept: &Swept, file: &Path, kept: &[PathBuf], json: bool) -> Result<(), String> {
    if json {
        return say(as_json(swept, file, kept));
    }
    let name = file.display();
    say(format_args!("{name}: {}", counts(swept)))?;
    if let Some(ending) = &swept.broke {
        say(format_args!("the run itself, without a crash:"))?;
        print(failure::of_ending(ending))?;
    }
    for (number, Found { trace, times }) in swept.failures.iter().enumerate() {
        say(format_args!(
            "in {times} of {} states, after {} events at the soonest:",
            swept.states,
            trace.events.len()
        ))?;
        print(failure::of_ending(&trace.ending))?;
        match kept.get(number) {
            Some(path) => print(failure::next(&Next::of(path).shrunk(&trace.header)))?,
            None => say("its trace is kept with --out DIR")?,
        }
    }
    Ok(())
}

fn counts(swept: &Swept) -> String {
    let Swept { tried, points, states, unjudged, .. } = swept;
    let beside = match unjudged {
        0 => String::new(),
        _ => format!(", of which {unjudged} have no quorum to converge with"),
    };
    format!("{points} crash points after {tried} events, {states} different states{beside}")
}

fn as_json(swept: &Swept, file: &Path, kept: &[PathBuf]) -> String {
    let Swept { events, tried, points, states, unjudged, broke, failures } = swept;
    let failures = failures.iter().enumerate().map(|(number, Found { trace, times })| {
        json!({
            "times": times,
            "events": trace.events.len(),
            "failure": failure::as_json(&trace.ending),
            "trace": kept.get(number).map(|path| path.display().to_string()),
        })
    });
    json!({
        "file": file.display().to_string(),
        "events": events,
        "tried_after": tried,
        "crash_points": points,
        "states": states,
        "without_quorum": unjudged,
        "broke_without_crash": broke.as_ref().map(failure::as_json),
        "failures": failures.collect::<Vec<_>>(),
    })
    .to_string()
}

fn say_unless(json: bool, text: std::fmt::Arguments<'_>) -> Result<(), String> {
    if json { Ok(()) } else { say(text) }
}

/// How far it is, on a terminal.
struct Progress {
    bar: ProgressBar,
    points: AtomicU64,
    until: Option<Instant>,
    interrupt: Interrupt,
}

impl Progress {
    fn new(length: Option<Duration>) -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        let template = "{spinner} {elapsed} {pos} crash points, {per_sec}, now {msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let until = length.and_then(|length| Instant::now().checked_add(length));
        Self { bar, points: AtomicU64::new(0), until, interrupt: Interrupt::listen() }
    }
}

impl Watch for Progress {
    fn tried(&self, tried: &Tried) {
        let points = self.points.fetch_add(tried.points, Ordering::Relaxed) + tried.points;
        self.bar.set_position(points);
    }

    fn enough(&self) -> bool {
        self.interrupt.is_asked() || self.until.is_some_and(|until| Instant::now() >= until)
    }
}
