//! `sim why FILE`: when a failure became certain, and what it leads to.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::explain::{Influence, Jump, Point, Question, WatchWhy, Why, why_in};
use crate::output::{print, say};
use crate::trace::Trace;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::interrupt::Interrupt;
use super::{HELD, engines, failure, jobs, time};

/// Says when the failure of a trace became certain: from many places of it runs go on at random, and the share that fails in the
/// same way is a curve over the steps. Also says which events can have influenced the failure, and what it leads to for clients.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim why short.jsonl                              a trace that was shrunk is told soonest
  sim why violation-7.jsonl --seconds 30           with as many continuations as that allows, at most 64 from each place
  sim why short.jsonl --continuations 200          a smoother curve; the same number gives the same answer

Exit status: 0 there is an answer, 2 FILE is damaged or breaks nothing, or no run can go on from it")]
pub(super) struct WhyArguments {
    /// The trace of a run that broke something
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many runs go on from each place
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    continuations: u64,
    /// How many events each of them goes on for
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// How many at once, instead of one for each core
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Ends after this long with what is known by then: seconds, or with s, m or h
    #[arg(long, value_name = "T", value_parser = time::some)]
    seconds: Option<Duration>,
    /// Prints a JSON line instead of text
    #[arg(long)]
    json: bool,
}

/// Asks, and prints the answer.
///
/// # Errors
/// The file cannot be read, or there is no answer.
pub(super) fn run(arguments: &WhyArguments) -> Result<u8, String> {
    let name = arguments.file.display();
    let trace = Trace::open(&arguments.file).map_err(|error| error.to_string())?;
    let world = engines::world_of(&trace.header)?;
    let question = Question {
        continuations: arguments.continuations,
        events: arguments.events,
        jobs: jobs::capped(arguments.jobs),
    };
    let progress = Progress::new(arguments.seconds);
    let answer = why_in(&world, &trace, &question, &progress).map_err(|error| format!("{name}: {error}"))?;
    progress.bar.finish_and_clear();
    match arguments.json {
        true => say(as_json(&answer))?,
        false => print(as_text(&answer))?,
    }
    Ok(HELD)
}

fn as_text(answer: &Why) -> String {
    let mut text = failure::of_ending(&answer.ending);
    text += "\nHow many of the runs that go on at random fail in the same way:\n";
    answer.curve.iter().for_each(|point| text += &line(*point));
    text += &of_jumps(&answer.jumps, &answer.curve);
    let possible = answer.past.iter().filter(|influence| **influence == Influence::Possible).count();
    text += &format!(
        "\n{possible} of {} events can have influenced it, by messages, storage and restarts\n",
        answer.events
    );
    text += &of_harm(answer);
    text
}

/// A step, its share, and a bar.
fn line(point: Point) -> String {
    const WIDTH: u64 = 40;
    let filled = point.per_mille() * WIDTH / 1000;
    let bar: String = (0..WIDTH).map(|place| if place < filled { '█' } else { '·' }).collect();
    format!("  {:>8}  {bar} {:>4} of {}\n", point.step, point.failing, point.of)
}

fn of_jumps(jumps: &[Jump], curve: &[Point]) -> String {
    const TOLD: usize = 5;
    let told = jumps.iter().take(TOLD).map(|Jump { before, after, event }| {
        format!("  with event {}, {event}: from {} to {}\n", before.step, share(*before), share(*after))
    });
    let told: String = told.collect();
    let before_last = curve.len().checked_sub(2).and_then(|place| curve.get(place));
    match (told.is_empty(), before_last) {
        (false, _) => format!("\nIt became likely\n{told}"),
        (true, Some(point)) => {
            format!("\nNo event made it much more likely: before the last one, {} of the runs failed\n", share(*point))
        }
        (true, None) => String::new(),
    }
}

fn share(point: Point) -> String {
    format!("{}.{} %", point.per_mille() / 10, point.per_mille() % 10)
}

fn of_harm(answer: &Why) -> String {
    let looked = answer.looked;
    let Some(harm) = &answer.harm else {
        return match looked {
            0 => String::new(),
            _ => format!("\nIn {looked} runs that go on beyond it no client was told anything wrong\n"),
        };
    };
    format!(
        "\nThis is what it leads to, in {} of {looked} runs that go on beyond it, here after {} events:\n  {}\n",
        harm.times, harm.events, harm.violation.detail
    )
}

fn as_json(answer: &Why) -> String {
    let Why { ending, events, curve, jumps, past, harm, looked } = answer;
    let point = |point: &Point| json!({ "step": point.step, "failing": point.failing, "of": point.of });
    let jump = |Jump { before, after, event }: &Jump| json!({ "event": event, "before": point(before), "after": point(after) });
    let possible: Vec<usize> =
        past.iter().enumerate().filter(|(_, influence)| **influence == Influence::Possible).map(|(at, _)| at).collect();
    let harm = harm
        .as_ref()
        .map(|harm| json!({ "times": harm.times, "events": harm.events, "detail": harm.violation.detail }));
    json!({
        "failure": failure::as_json(ending),
        "events": events,
        "curve": curve.iter().map(point).collect::<Vec<Value>>(),
        "jumps": jumps.iter().map(jump).collect::<Vec<Value>>(),
        "causal_past": possible,
        "leads_to": harm,
        "looked_for_harm_in": looked,
    })
    .to_string()
}

/// A spinner on a terminal, and the end of the search by time or by ^C.
pub(super) struct Progress {
    pub(super) bar: ProgressBar,
    interrupt: Interrupt,
    ends: Option<Instant>,
}

impl Progress {
    pub(super) fn new(seconds: Option<Duration>) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {pos} runs, {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, interrupt: Interrupt::listen(), ends: seconds.and_then(|time| Instant::now().checked_add(time)) }
    }
}

impl WatchWhy for Progress {
    fn ran(&self, _: u64) {
        self.bar.inc(1);
    }

    fn enough(&self) -> bool {
        self.interrupt.is_asked() || self.ends.is_some_and(|ends| Instant::now() >= ends)
    }
}
