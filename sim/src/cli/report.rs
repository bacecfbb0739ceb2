//! `sim report FILE -o run.html`: a run as a page for the browser, or as a timeline.

use std::path::{Path, PathBuf};

use crate::explain::{Question, Report, why_in};
use crate::output;
use crate::trace::{Ending, Reader, Trace};
use crate::world::World;
use clap::Args;

use super::HELD;
use super::again::Next;
use super::why::Progress;
use super::{engines, failure};

/// Which trace, and where to.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim report short.jsonl -o run.html
  sim report violation-7.jsonl.zst -o run.html
  sim report short.jsonl -o run.html --why         with the curve of sim why along the run
  sim report short.jsonl --perfetto run.json

The page stands alone: it needs no network. #step=N at the end of its address leads to a step. The file of --perfetto is for
ui.perfetto.dev, and for whatever else reads Chrome's traces: nodes are tracks, messages are flows.")]
pub(super) struct ReportArguments {
    /// The trace
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The page
    #[arg(short, long = "out", alias = "output", value_name = "HTML", required_unless_present = "perfetto")]
    output: Option<PathBuf>,
    /// The same run as a Chrome trace, for ui.perfetto.dev
    #[arg(long, value_name = "JSON")]
    perfetto: Option<PathBuf>,
    /// Shows along the run how likely its failure was after each step, as sim why does
    #[arg(long)]
    why: bool,
    /// Shows event by event what happens in the liveness phase in which the cluster does not converge
    #[arg(long, alias = "calm")]
    liveness: bool,
}

/// Writes the page, and the timeline.
pub(super) fn run(arguments: &ReportArguments) -> Result<u8, String> {
    let reader = Reader::open(&arguments.file).map_err(|error| error.to_string())?;
    let header = reader.header().clone();
    let world = engines::world_of(&header)?;
    let report = Report::of(&world, reader, arguments.liveness).map_err(|error| error.to_string())?;
    let report = if arguments.why { with_curve(report, &world, &arguments.file)? } else { report };
    let page = arguments.output.as_deref().map(|path| (path, report.page()));
    let timeline = arguments.perfetto.as_deref().map(|path| (path, report.timeline()));
    let mut is_stream = false;
    for (path, text) in page.into_iter().chain(timeline) {
        is_stream |= output::is_stream(path);
        write(path, &text)?;
    }
    if report.ending != Ending::Completed && !is_stream {
        output::print(
            failure::of_ending(&report.ending)
                + &failure::next(&Next::after("report", &arguments.file).seen(&header, &report.ending)),
        )?;
    }
    Ok(HELD)
}

/// The report with the share of continuations that fail, over the steps.
fn with_curve(report: Report, world: &World, file: &Path) -> Result<Report, String> {
    let trace = Trace::open(file).map_err(|error| error.to_string())?;
    let progress = Progress::new(None);
    let answer = why_in(world, &trace, &Question::default(), &progress);
    progress.bar.finish_and_clear();
    let answer = answer.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(report.with_curve(answer.for_page()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    output::write(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    super::say_written(path)
}
