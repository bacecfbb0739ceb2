//! A failure in words: what broke, what that means, where that comes from, and what to type next.

use std::path::Path;

use sim::trace::{Ending, Property};

use super::again::Next;
use super::summary::Text;

/// What broke: the property, the nodes and their states; and what it means.
pub(super) fn of_ending(ending: &Ending) -> String {
    let mut out = Text::default();
    match ending {
        Ending::Completed => {}
        Ending::Violation(violation) => {
            let nodes = violation.nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            out.line("VIOLATED", format_args!("{} at step {}", violation.invariant, violation.step));
            out.line("nodes", nodes);
            out.line("states", &violation.detail);
        }
        Ending::Panic(message) => out.line("PANIC", message),
        Ending::Hang(_) => out.line("HANG", ending.clone()),
    }
    out.into_string() + &meaning(ending)
}

/// What the property that broke means, and where it comes from.
pub(super) fn meaning(ending: &Ending) -> String {
    Property::broken_by(ending).map(of_property).unwrap_or_default()
}

/// What a property means, and where it comes from.
pub(super) fn of_property(property: Property) -> String {
    let mut out = Text::default();
    out.line("meaning", property.meaning());
    out.line("source", property.source());
    out.into_string()
}

/// Commands, a line each.
pub(super) fn next(commands: &[String]) -> String {
    let mut out = Text::default();
    for (number, command) in commands.iter().enumerate() {
        out.line(if number == 0 { "next" } else { "" }, command);
    }
    out.into_string()
}

/// What a run of a seed broke, where its trace is or why there is none, and what to type next.
pub(super) fn of_run(ending: &Ending, trace: &Path, written: &Result<(), String>, again: &str) -> String {
    let mut out = Text::default();
    let commands = match written {
        Ok(()) => {
            out.line("trace", trace.display());
            let next = Next::of(trace);
            if matches!(ending, Ending::Hang(_)) { next.hung() } else { next.recorded() }
        }
        Err(error) => {
            out.line("trace", format_args!("none: {error}"));
            vec![format!("{again} --trace FILE")]
        }
    };
    of_ending(ending) + &out.into_string() + &next(&commands)
}
