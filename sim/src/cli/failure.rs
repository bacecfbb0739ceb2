//! A failure in words: the property that broke, what it means, where it comes from, and what to type next.

use std::path::Path;

use crate::trace::{Ending, Property};
use serde_json::{Value, json};

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

/// What broke, as JSON; null where nothing did.
pub(super) fn as_json(ending: &Ending) -> Value {
    let Some(property) = Property::broken_by(ending) else { return Value::Null };
    let mut failure = json!({ "property": property, "meaning": property.meaning(), "source": property.source() });
    add_ending(&mut failure, ending);
    failure
}

/// Adds how a run ended that broke something, under the name of that kind of ending.
pub(super) fn add_ending(object: &mut Value, ending: &Ending) {
    match ending {
        Ending::Violation(violation) => object["violation"] = json!(violation),
        Ending::Panic(message) => object["panic"] = json!(message),
        Ending::Hang(_) | Ending::Completed => object["hang"] = json!(ending.clone().to_string()),
    }
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

/// What to type after a run of a seed broke something.
pub(super) fn next_of_run(ending: &Ending, trace: &Path, written: &Result<(), String>, again: &str) -> Vec<String> {
    let next = Next::of(trace);
    match (written, ending) {
        (Ok(()), Ending::Hang(_)) => next.hung(),
        (Ok(()), _) => next.recorded(),
        (Err(_), _) => vec![format!("{again} --trace FILE")],
    }
}

/// What a run of a seed broke, where its trace is or why there is none, and what to type next.
pub(super) fn of_run(ending: &Ending, trace: &Path, written: &Result<(), String>, again: &str) -> String {
    let mut out = Text::default();
    match written {
        Ok(()) => out.line("trace", trace.display()),
        Err(error) => out.line("trace", format_args!("none: {error}")),
    }
    of_ending(ending) + &out.into_string() + &next(&next_of_run(ending, trace, written, again))
}
