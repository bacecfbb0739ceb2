//! A run as one page for a browser: a space-time diagram, and each node's state at every step.
//!
//! The page needs no network and no server: the style, the program and the data are in it. The data says what changed at
//! each step, not how everything stood; the page adds it up again.

mod data;
mod node;

use std::io::BufRead;

use self::data::Data;
use super::describe;
use super::format::Ending;
use super::reader::{Line, ReadError, Reader, Trouble};
use super::run::{Stop, apply};
use crate::calm;
use crate::planted;
use crate::world::{Event, World};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const RUN: &str = include_str!("run.js");
const DIAGRAM: &str = include_str!("diagram.js");
const PANEL: &str = include_str!("panel.js");

/// The page of a run. Events that do not fit are left out. A calm is one event, or shown event by event; the page ends with
/// it then.
///
/// # Errors
/// The trace cannot be read, or needs a planted bug that this build does not have.
pub fn report<R: BufRead>(mut reader: Reader<R>, shows_calm: bool) -> Result<String, ReadError> {
    let bug = reader.header().bug.clone();
    let _switched =
        planted::switch_on(bug.as_deref()).map_err(|unknown| reader.trouble(Trouble::NeedsBug(unknown.to_string())))?;
    let mut data = Data::new(reader.header());
    let mut world = World::new();
    let mut ending = Ending::Completed;
    while let Some(line) = reader.next_line()? {
        let Line::Event(event) = line else { continue };
        let Some(calm) = calm::events_of(&event, &world).filter(|_| shows_calm) else {
            happen(&event, &mut world, &mut data, &mut ending);
            continue;
        };
        calm.iter().for_each(|event| happen(event, &mut world, &mut data, &mut ending));
        break;
    }
    Ok(page(&data.finish(&ending)))
}

fn happen(event: &Event, world: &mut World, data: &mut Data, ending: &mut Ending) {
    let text = describe::event(event, world);
    data.before(event, world);
    match apply(world, event) {
        Ok(outcome) => data.happened(event, text, &outcome, world),
        Err(Stop::Misfit(_)) => {}
        Err(Stop::Broken(broken)) => {
            data.broke(event, text, world);
            *ending = broken;
        }
    }
}

fn page(data: &serde_json::Value) -> String {
    // Text of the run must not end the script in which it stands.
    let data = data.to_string().replace('<', "\\u003c");
    let pieces = [("/*STYLE*/", STYLE), ("/*RUN*/", RUN), ("/*DIAGRAM*/", DIAGRAM), ("/*PANEL*/", PANEL)];
    let page = pieces.iter().fold(PAGE.to_string(), |page, (place, piece)| page.replacen(place, piece, 1));
    page.replacen("/*DATA*/null", &data, 1)
}
