//! What an exploration prints: a line for each failure, and the summary. In JSON a seed is text: many readers do not hold
//! numbers of 64 bits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::campaign::explore::{Broken, Exploration, Explored, Failure};
use crate::campaign::rarer_than;
use crate::invariant::Violation;
use crate::output::{say, tell};
use crate::trace::{Ending, Property};
use crate::world::World;
use serde_json::{Value, json};

use super::super::again::Next;
use super::super::summary::Text;
use super::super::{failure, situations, summary};
use super::ExploreArguments;
use super::traces::Traces;

/// Says where seeds begin if nobody chose them.
pub(super) fn of_start(first: u64) -> String {
    format!("seeds from {first} on, a drawn one, until one fails or ^C")
}

/// Prints a line that is not JSON.
pub(super) fn say_beside_json(json: bool, line: String) -> Result<(), String> {
    if json {
        tell(line);
        return Ok(());
    }
    say(line)
}

/// A failure in a line, and where its trace will be if it is kept.
pub(super) fn failure(failure: &Failure, trace: Option<&Path>) -> String {
    let (seed, trace) = (failure.seed, trace.map(|path| format!("; {}", path.display())).unwrap_or_default());
    match &failure.ending {
        Ending::Violation(Violation { invariant, step, detail, .. }) if failure.differs.is_none() => {
            format!("seed {seed}: {invariant} at step {step}: {detail}{trace}")
        }
        _ => format!("seed {seed}: {failure}{trace}"),
    }
}

/// A failure as a line of JSON. Its seed is text: many readers of JSON do not hold all of its bits.
pub(super) fn failure_as_json(failure: &Failure, trace: Option<&Path>) -> String {
    let &Failure { seed, events, ref ending, differs } = failure;
    let trace = trace.map(|path| path.display().to_string());
    let mut line =
        json!({ "seed": seed.to_string(), "property": failure.property(), "events": events, "trace": trace });
    match differs {
        Some(step) => line["differs_from_step"] = json!(step),
        None => failure::add_ending(&mut line, ending),
    }
    line.to_string()
}

/// The results of an exploration.
pub(super) struct Summary<'a> {
    pub(super) arguments: &'a ExploreArguments,
    pub(super) world: &'a World,
    pub(super) exploration: &'a Exploration,
    /// What became of the seeds of this start.
    pub(super) here: &'a Explored,
    /// And of those of earlier starts as well.
    pub(super) explored: &'a Explored,
    pub(super) traces: &'a Traces,
    pub(super) took: Duration,
}

impl Summary<'_> {
    pub(super) fn as_text(&self) -> String {
        let Self { arguments, explored, .. } = self;
        let all = if arguments.situations { situations::all_as_text(explored) } else { String::new() };
        let never = situations::never_as_text(explored);
        let statistics = summary::of_statistics(&explored.statistics);
        let broken: String = self.broken().map(|(property, broken)| self.of_broken(property, broken)).collect();
        let seeds = self.of_engine() + &self.of_seeds();
        format!("{all}{statistics}{never}{seeds}{broken}{}", self.of_start()).trim_end().to_owned()
    }

    /// Whose nodes ran, where they were not the project's own.
    fn of_engine(&self) -> String {
        self.world.engine().map_or_else(String::new, |engine| summary::of_engine(engine) + "\n")
    }

    fn of_seeds(&self) -> String {
        let Self { exploration, here, explored, took, .. } = self;
        let rate = here.seeds as f64 / took.as_secs_f64().max(0.001);
        let events = here.statistics.total() as f64 / took.as_secs_f64().max(0.001);
        let before = match explored.seeds - here.seeds {
            0 => String::new(),
            before => format!(", {before} of them before"),
        };
        let of_events = format!(
            "{} events; a command took effect in {} of {} seeds\n",
            explored.statistics.total(),
            explored.executed,
            explored.seeds
        );
        let seeds = format!(
            "{} seeds{}{before}, {} failures; {rate:.0} seeds and {events:.0} events a second; digest {:016x}\n",
            explored.seeds,
            if exploration.twice { " run twice" } else { "" },
            explored.failures(),
            explored.digest
        );
        of_events + &self.of_what_was_not_found() + &seeds
    }

    fn of_what_was_not_found(&self) -> String {
        let one_in = rarer_than(self.explored.seeds).filter(|_| self.explored.failures() == 0);
        one_in.map_or_else(String::new, |one_in| {
            format!("no failure: with 95 % confidence fewer than one seed in {one_in} fails\n")
        })
    }

    /// The properties that were broken, the one with the shortest trace first.
    fn broken(&self) -> impl Iterator<Item = (Property, &Broken)> {
        let mut broken: Vec<_> = self.explored.broken.iter().map(|(property, broken)| (*property, broken)).collect();
        broken.sort_by_key(|(_, broken)| broken.shortest.first().map(|failure| failure.events));
        broken.into_iter()
    }

    fn of_broken(&self, property: Property, broken: &Broken) -> String {
        let mut out = Text::default();
        out.line("", "");
        let seeds = match property {
            // These seeds never end, so they are not among the seeds that did.
            Property::EventsEnd => format!("{} seeds", broken.seeds),
            _ => format!("{} of {} seeds", broken.seeds, self.explored.seeds),
        };
        out.line("BROKEN", format_args!("{property}, by {seeds}"));
        let mut text = out.into_string().trim_start().to_owned();
        text.insert(0, '\n');
        text += &failure::of_property(property);
        let mut out = Text::default();
        for (number, failure) in broken.shortest.iter().enumerate() {
            let trace = match self.traces.of(failure.seed) {
                Some(Ok(path)) => path.display().to_string(),
                Some(Err(error)) => format!("no trace: {error}"),
                None => "no trace".to_owned(),
            };
            let name = if number == 0 { "shortest" } else { "" };
            out.line(name, format_args!("seed {}, {} events: {trace}", failure.seed, failure.events));
        }
        text + &out.into_string()
    }

    /// The trace with which to begin: the shortest of all. Hangs are left out, because they cannot be shrunk.
    fn start(&self) -> Option<(&Failure, PathBuf)> {
        let failures = self.broken().flat_map(|(_, broken)| &broken.shortest);
        let written = failures.filter_map(|failure| Some((failure, self.traces.of(failure.seed)?.ok()?)));
        written.min_by_key(|(failure, _)| (matches!(failure.ending, Ending::Hang(_)), failure.events))
    }

    fn next(&self, failure: &Failure, trace: &Path) -> Vec<String> {
        let next = Next::of(trace);
        match (failure.differs, &failure.ending) {
            (Some(_), _) => vec![self.twice_again(failure.seed)],
            (None, Ending::Hang(_)) => next.hung(),
            (None, _) => next.recorded(),
        }
    }

    /// How to record the shortest failure, where there is no trace of any.
    fn record(&self) -> Vec<String> {
        let shortest = self.broken().find_map(|(_, broken)| broken.shortest.first());
        let record = |failure: &Failure| format!("{} --trace FILE", self.arguments.again(failure.seed));
        shortest.map(record).into_iter().collect()
    }

    fn twice_again(&self, seed: u64) -> String {
        let (program, typed) = (super::super::again::program(), self.arguments.choices.as_typed());
        let from = self.arguments.from.as_typed();
        format!("{program} explore --determinism --seeds {seed}..{}{from}{typed}", seed.saturating_add(1))
    }

    fn of_start(&self) -> String {
        let Some((failure, trace)) = self.start() else { return failure::next(&self.record()) };
        let mut out = Text::default();
        out.line("begin with", trace.display());
        format!("\n{}{}", out.into_string(), failure::next(&self.next(failure, &trace)))
    }

    pub(super) fn as_json(&self) -> String {
        let Self { arguments, exploration, explored, .. } = self;
        let start = self.start();
        let next = start.as_ref().map(|(failure, trace)| self.next(failure, trace)).unwrap_or_else(|| self.record());
        json!({
            "from": exploration.seeds.start.to_string(),
            "seeds": explored.seeds,
            "before": explored.seeds - self.here.seeds,
            "executed": explored.executed,
            "run_twice": arguments.determinism,
            "failures": explored.failures(),
            "events": explored.statistics.total(),
            "digest": format!("{:016x}", explored.digest),
            "fewer_than_one_in": rarer_than(explored.seeds).filter(|_| explored.failures() == 0),
            "broken": self.broken().map(|(property, broken)| self.broken_as_json(property, broken)).collect::<Vec<_>>(),
            "begin_with": start.map(|(_, trace)| trace.display().to_string()),
            "next": next,
            "situations": situations::as_json(explored),
        })
        .to_string()
    }

    fn broken_as_json(&self, property: Property, broken: &Broken) -> Value {
        let shortest = broken.shortest.iter().map(|failure| {
            let trace = self.traces.of(failure.seed).and_then(Result::ok).map(|path| path.display().to_string());
            json!({ "seed": failure.seed.to_string(), "events": failure.events, "trace": trace })
        });
        json!({
            "property": property,
            "meaning": property.meaning(),
            "source": property.source(),
            "seeds": broken.seeds,
            "shortest": shortest.collect::<Vec<_>>(),
        })
    }
}
