//! The searches of the README: done, and shown as they were recorded.

use std::time::Instant;

use crate::campaign::exhaust::{configurations, exhaust};
use crate::driver::exhaust::{Ended, Explored};
use crate::output::say;

use super::progress::Bar;
use crate::cli::{HELD, VIOLATED};

/// What `sim exhaust --record` printed.
const RECORDED: &str = include_str!("../../../recorded/exhaust.txt");

const HEAD: &str = "\
| bounds | states | transitions | depth | seconds | result |
|---|---:|---:|---:|---:|---|
";

/// The recorded searches, a row each.
pub(super) fn markdown() -> String {
    HEAD.to_owned() + &RECORDED.lines().map(as_row).collect::<Vec<_>>().join("\n")
}

/// Columns stand between bars already.
fn as_row(line: &str) -> String {
    format!("| {line} |")
}

/// Does all searches of the table, and prints a line of each.
pub(super) fn record(jobs: Option<usize>) -> Result<u8, String> {
    let mut all_held = true;
    for (_, bounds) in configurations() {
        let began = Instant::now();
        let mut bar = Bar::new();
        let explored = exhaust(&bounds, jobs, None, &mut bar).map_err(|unknown| unknown.to_string())?;
        bar.finish();
        all_held &= explored.ended == Ended::Whole;
        say(line(&bounds.to_string(), &explored, began.elapsed().as_secs()))?;
    }
    Ok(if all_held { HELD } else { VIOLATED })
}

fn line(bounds: &str, explored: &Explored, seconds: u64) -> String {
    let Explored { states, transitions, depth, ended, .. } = explored;
    let result = match ended {
        Ended::Whole => "nothing found",
        Ended::Memory { .. } | Ended::Interrupted { .. } => "not whole",
        Ended::Broken(_) => "broken",
    };
    format!("{bounds} | {states} | {transitions} | {depth} | {} | {result}", seconds.max(1))
}
