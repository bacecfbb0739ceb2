//! `sim merge DIR…`: one report of many shares.

mod json;
mod page;
mod report;
mod shares;
mod text;

use std::path::PathBuf;

use crate::output::{self, print, say};
use clap::Args;

use self::report::Report;
use self::shares::Shares;
use super::{HELD, VIOLATED, jobs};

/// Adds up the results of many shares: what `explore --out` wrote on any number of machines.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim merge shares/*                        folders of explore --out
  sim merge shares                          all that are in this folder
  sim merge shares -o night.html            the same as a page for the browser
  sim merge shares --json                   the same as a JSON line
  sim merge shares --all-situations         fails if a situation was reached in no share
  sim merge shares --complete               fails if a share is missing, or has seeds that were not run

Folders may be given in any order, twice, and while they are being written. Failures are grouped by the property that they break and by
what their traces shrink to: which kinds of requests, orders and faults are left. Of those in the same words the shortest twelve traces are
shrunk, each with a bounded number of candidates. Shares of other seeds, options or of another revision than most are named, and not added up.

Exit status: 0 all checks held, 1 a property was violated, or with --all-situations a situation was never reached, or with --complete
not every seed was run; 2 bad usage, or nothing was checked")]
pub(super) struct MergeArguments {
    /// Folders of explore --out, or folders with such folders in them
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// A page for the browser
    #[arg(short, long, value_name = "HTML")]
    out: Option<PathBuf>,
    /// Prints a JSON line instead of text
    #[arg(long)]
    json: bool,
    /// Prints how often each named situation happened, and in how many seeds
    #[arg(long)]
    situations: bool,
    /// Fails if some named situation happened in no share
    #[arg(long)]
    all_situations: bool,
    /// Fails if a share is missing, or has seeds that were not run
    #[arg(long)]
    complete: bool,
    /// Shrinks no traces, and groups failures by their words
    #[arg(long)]
    no_shrink: bool,
    /// How many candidates at once, instead of one for each core
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
}

/// Reads the folders, and prints the report.
///
/// # Errors
/// A folder cannot be read, or nothing was checked.
pub(super) fn run(arguments: &MergeArguments) -> Result<u8, String> {
    let shares = Shares::read(&arguments.folders)?;
    let work = shares.merged.main().ok_or("there is no share in these folders: nothing was checked")?;
    let total = shares.merged.total(work);
    if total.explored.seeds == 0 && total.explored.broken.is_empty() {
        return Err("no seed came to its end: nothing was checked".to_owned());
    }
    let threads = (!arguments.no_shrink).then(|| jobs::capped(arguments.jobs).unwrap_or(0));
    let report = Report::of(&shares, &total, threads);
    if let Some(path) = &arguments.out {
        let written = output::write(path, report.as_page().as_bytes());
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    match arguments.json {
        true => say(report.as_json())?,
        false => print(report.as_text(arguments.situations))?,
    }
    if let Some(path) = arguments.out.as_ref().filter(|_| !arguments.json) {
        super::say_written(path)?;
    }
    let missed = arguments.all_situations && total.explored.statistics.situations.never().next().is_some();
    let is_open = arguments.complete && !total.is_complete();
    Ok(if report.has_failures() || missed || is_open { VIOLATED } else { HELD })
}
