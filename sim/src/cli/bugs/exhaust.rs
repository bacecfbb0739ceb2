//! The hunt by exhaustive search: within which bounds each bug shows.

use std::path::Path;

use crate::campaign::exhaust::{Shown, shown};
use crate::driver::exhaust::Unwatched;
use crate::output::say;
use crate::planted;
use raft::planted::Bug;
use serde_json::json;

use super::super::{HELD, VIOLATED, jobs};
use super::BugsArguments;

/// So many bugs at least show like this, of all of them.
const LEAST: usize = 25;

pub(super) fn run(arguments: &BugsArguments, bugs: &[Bug]) -> Result<u8, String> {
    let jobs = jobs::capped(arguments.jobs);
    let width = bugs.iter().map(|bug| bug.name().len()).max().unwrap_or(0);
    let mut found = 0;
    for bug in bugs {
        let shown = shown(*bug, arguments.states, jobs, &mut Unwatched);
        found += usize::from(shown.is_some());
        match arguments.json {
            true => say(as_json(*bug, shown.as_ref()))?,
            false => say(format_args!("{:width$}  {}", bug.name(), as_text(shown.as_ref())))?,
        }
        if let Some(shown) = shown.filter(|_| !arguments.names.is_empty()) {
            leave(*bug, &shown, arguments.out.as_deref())?;
        }
    }
    if !arguments.json {
        say(format_args!("{found} of {} bugs are found by exhaustive search", bugs.len()))?;
    }
    let enough = if arguments.names.is_empty() { found >= LEAST } else { found == bugs.len() };
    Ok(if enough { HELD } else { VIOLATED })
}

fn as_text(shown: Option<&Shown>) -> String {
    match shown {
        None => "-".to_owned(),
        Some(Shown { bounds, property, moves, states, trace }) => {
            format!("{property} by {moves} moves, {} events, after {states} states: {bounds}", trace.events.len())
        }
    }
}

fn as_json(bug: Bug, shown: Option<&Shown>) -> serde_json::Value {
    json!({
        "bug": bug.name(),
        "found": shown.is_some(),
        "property": shown.map(|shown| shown.property),
        "bounds": shown.map(|shown| shown.bounds.to_string()),
        "moves": shown.map(|shown| shown.moves),
        "events": shown.map(|shown| shown.trace.events.len()),
        "states": shown.map(|shown| shown.states),
    })
}

fn leave(bug: Bug, shown: &Shown, folder: Option<&Path>) -> Result<(), String> {
    let path = folder.unwrap_or(Path::new("")).join(format!("{}.jsonl", bug.name()));
    let _switched = planted::switched_on(Some(bug));
    shown.trace.save(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    say(path.display())
}
