//! A run as one page for a browser: a space-time diagram, and each node's state at every step.
//!
//! The page needs no network and no server: the style, the program and the data are in it. The data says what changed at
//! each step, not how everything stood; the page adds it up again.

mod data;
mod node;

use std::io::BufRead;

use self::data::Data;
use super::describe;
use crate::driver::{Stop, apply, liveness};
use crate::number::narrowed;
use crate::planted;
use crate::trace::{End, Ending, Line, ReadError, Reader, Trouble};
use crate::world::{Event, World};

/// No browser shows more events.
const MOST_EVENTS: u64 = 1_000_000;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const RUN: &str = include_str!("run.js");
const DIAGRAM: &str = include_str!("diagram.js");
const PANEL: &str = include_str!("panel.js");

/// The page of a run, up to where it breaks. An event that does not fit is a line that says so. A liveness phase is one
/// event unless `shows_liveness` is set; then it is shown event by event, and the page ends with it. Returns how the
/// run ends, as the page shows it.
///
/// # Errors
/// The trace cannot be read, or needs a planted bug that this build does not have.
pub fn report<R: BufRead>(reader: Reader<R>, shows_liveness: bool) -> Result<(String, Ending), ReadError> {
    report_in(&World::new(), reader, shows_liveness)
}

/// The same, in a copy of this world: with what a user brings.
///
/// # Errors
/// As [`report`].
pub fn report_in<R: BufRead>(
    world: &World,
    mut reader: Reader<R>,
    shows_liveness: bool,
) -> Result<(String, Ending), ReadError> {
    reader.fits(world)?;
    let bug = reader.header().bug.clone();
    let _switched =
        planted::switch_on(bug.as_deref()).map_err(|unknown| reader.trouble(Trouble::NeedsBug(unknown.to_string())))?;
    let mut run = Run { data: Data::new(reader.header()), world: world.clone(), ended: None };
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
    let Run { data, ended, .. } = run;
    let hangs = matches!(recorded, Ending::Hang(_)).then(|| recorded.clone());
    let ended = ended.or(hangs).unwrap_or_default();
    Ok((page(data.finish(&ended, &recorded)), ended))
}

/// The run that is shown, while it happens again.
struct Run {
    data: Data,
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
        let Self { data, world, .. } = self;
        let text = describe::event(event, world);
        data.before(event, world);
        match apply(world, event) {
            Ok(outcome) => data.happened(event, text, &outcome, world),
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

fn page(data: serde_json::Value) -> String {
    // A browser holds no more digits of a number than other readers of JSON.
    let data = narrowed(data);
    // Text of the run must not end the script in which it stands.
    let data = data.to_string().replace('<', "\\u003c");
    let pieces = [("/*STYLE*/", STYLE), ("/*RUN*/", RUN), ("/*DIAGRAM*/", DIAGRAM), ("/*PANEL*/", PANEL)];
    let page = pieces.iter().fold(PAGE.to_string(), |page, (place, piece)| page.replacen(place, piece, 1));
    page.replacen("/*DATA*/null", &data, 1)
}
