//! `sim report FILE -o run.html`: a run as a page for the browser.

use std::path::PathBuf;

use crate::explain::report_in;
use crate::output;
use crate::trace::{Ending, Reader};
use clap::Args;

use super::HELD;
use super::again::Next;
use super::{engines, failure};

/// Which trace, and where to.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim report short.jsonl -o run.html
  sim report violation-7.jsonl.zst -o run.html

The page stands alone: it needs no network. #step=N at the end of its address leads to a step.")]
pub(super) struct ReportArguments {
    /// The trace
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The page
    #[arg(short, long = "out", alias = "output", value_name = "HTML")]
    output: PathBuf,
    /// Shows event by event what happens in the liveness phase in which the cluster does not converge
    #[arg(long, alias = "calm")]
    liveness: bool,
}

/// Writes the page.
pub(super) fn run(arguments: &ReportArguments) -> Result<u8, String> {
    let reader = Reader::open(&arguments.file).map_err(|error| error.to_string())?;
    let header = reader.header().clone();
    let world = engines::world_of(&header)?;
    let (page, ending) = report_in(&world, reader, arguments.liveness).map_err(|error| error.to_string())?;
    let path = &arguments.output;
    output::write(path, page.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    super::say_written(path)?;
    if ending != Ending::Completed && !output::is_stream(path) {
        output::print(
            failure::of_ending(&ending) + &failure::next(&Next::after("report", &arguments.file).seen(&header)),
        )?;
    }
    Ok(HELD)
}
