//! A run as one page for a browser: a space-time diagram, and each node's state at every step. And the same run as a timeline
//! for programs that show those.

mod curve;
mod data;
mod node;
mod operations;
mod page;
mod timeline;

use std::io::BufRead;

pub use self::curve::Curve;
use self::data::Data;
use super::describe;
use super::past::{Causes, Influence};
use crate::driver::{Stop, apply, liveness};
use crate::planted;
use crate::trace::{End, Ending, Line, ReadError, Reader, Trouble};
use crate::world::{Event, World};

/// No browser shows more events.
const MOST_EVENTS: u64 = 1_000_000;

/// The page of a run: [`Report::page`] and [`Report::ending`].
///
/// # Errors
/// As [`Report::of`].
pub fn report<R: BufRead>(reader: Reader<R>, shows_liveness: bool) -> Result<(String, Ending), ReadError> {
    report_in(&World::new(), reader, shows_liveness)
}

/// The same, in a copy of this world: with what a user brings.
///
/// # Errors
/// As [`Report::of`].
pub fn report_in<R: BufRead>(
    world: &World,
    reader: Reader<R>,
    shows_liveness: bool,
) -> Result<(String, Ending), ReadError> {
    let report = Report::of(world, reader, shows_liveness)?;
    Ok((report.page(), report.ending))
}

/// A run, as it is shown elsewhere than in a terminal.
pub struct Report {
    data: Data,
    /// How it ends, as it is shown.
    pub ending: Ending,
    recorded: Ending,
    /// Which events can have influenced the failure, if it fails.
    past: Option<Vec<Influence>>,
    curve: Option<Curve>,
}

impl Report {
    /// A run in a copy of this world, up to where it breaks. An event that does not fit is one that says so. A liveness phase is one
    /// event unless `shows_liveness` is set; then it is shown event by event, and the run ends with it.
    ///
    /// ```
    /// use sim::explain::Report;
    /// use sim::trace::{Header, Reader, Trace};
    /// use sim::world::World;
    /// let trace = Trace::record(Header::new(Some(1)), &[]).write(Vec::new()).unwrap();
    /// let report = Report::of(&World::new(), Reader::new(&trace[..], "here").unwrap(), false).unwrap();
    /// assert!(report.page().starts_with("<!doctype html>") && report.timeline().contains("traceEvents"));
    /// ```
    ///
    /// # Errors
    /// The trace cannot be read, or needs a planted bug that this build does not have.
    pub fn of<R: BufRead>(world: &World, mut reader: Reader<R>, shows_liveness: bool) -> Result<Self, ReadError> {
        reader.fits(world)?;
        let bug = reader.header().bug.clone();
        let _switched = planted::switch_on(bug.as_deref())
            .map_err(|unknown| reader.trouble(Trouble::NeedsBug(unknown.to_string())))?;
        let (data, causes) = (Data::new(reader.header()), Causes::default());
        let mut run = Run { data, causes, world: world.clone(), ended: None };
        let mut recorded = Ending::Completed;
        while let Some(line) = reader.next_line()? {
            match line {
                Line::Event(_) if run.world.step() >= MOST_EVENTS => {
                    return Err(reader.trouble(Trouble::TooManyEvents(MOST_EVENTS)));
                }
                Line::Event(event) => run.event(event, shows_liveness),
                Line::Digest { .. } => {}
                Line::End(End { ending, .. }) => recorded = ending,
            }
        }
        let Run { mut data, causes, ended, .. } = run;
        data.close();
        let past = ended.as_ref().filter(|ended| **ended != Ending::Completed).map(|ended| causes.past(ended));
        let hangs = matches!(recorded, Ending::Hang(_)).then(|| recorded.clone());
        Ok(Self { data, ending: ended.or(hangs).unwrap_or_default(), recorded, past, curve: None })
    }

    /// Lets the page show how certain the failure was at which step.
    #[must_use]
    pub fn with_curve(self, curve: Curve) -> Self {
        Self { curve: Some(curve), ..self }
    }

    /// One page for a browser.
    pub fn page(&self) -> String {
        let Self { data, ending, recorded, past, curve } = self;
        page::page(data.page(ending, recorded, past.as_deref().map(digits), curve.as_ref()))
    }

    /// The run in the JSON form of Chrome's traces, as <https://ui.perfetto.dev> opens it: nodes are tracks, messages are flows.
    pub fn timeline(&self) -> String {
        timeline::timeline(&self.data, &self.ending).to_string()
    }
}

/// A digit for each event: 1 if it can have influenced the failure.
fn digits(past: &[Influence]) -> String {
    past.iter().map(|influence| if *influence == Influence::Possible { '1' } else { '0' }).collect()
}

/// The run that is shown, while it happens again.
struct Run {
    data: Data,
    causes: Causes,
    world: World,
    /// How it ended, once it has. What the recording holds beyond that is not shown.
    ended: Option<Ending>,
}

impl Run {
    fn event(&mut self, event: Event, shows_liveness: bool) {
        let phase = shows_liveness.then(|| liveness::events_of(&event, &self.world)).flatten();
        let is_last = phase.is_some();
        for event in phase.unwrap_or_else(|| vec![event]) {
            if self.ended.is_none() {
                self.ended = self.happen(&event);
            }
        }
        if is_last {
            self.ended.get_or_insert_default();
        }
    }

    /// Lets the event happen. Returns what it broke, if it did.
    fn happen(&mut self, event: &Event) -> Option<Ending> {
        let Self { data, causes, world, .. } = self;
        let text = describe::event(event, world);
        data.before(event, world);
        causes.before(event, world);
        match apply(world, event) {
            Ok(outcome) => {
                causes.after(&outcome);
                data.happened(event, text, &outcome, world);
            }
            Err(Stop::Inapplicable(reason)) => data.left_out(event, &reason),
            Err(Stop::Broken(broken)) => {
                let text = match event {
                    Event::ExpectLiveness { .. } => {
                        format!("{text} (report --liveness shows event by event what happens)")
                    }
                    _ => text,
                };
                data.broke(event, text, world);
                return Some(broken);
            }
        }
        None
    }
}
