//! `sim properties`: everything that a run can break.

use crate::output::say;
use crate::trace::Property;
use clap::Args;
use serde_json::json;

use super::HELD;
use super::recorded;

/// Lists the properties that runs are checked for: what each means, and where it comes from.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim properties
  sim properties --json | jq -r .property
  sim properties --markdown             the table in the README

\"paper\" is Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (extended version, 2014), \"thesis\" is
Ongaro, Consensus: Bridging Theory and Practice (2014), raft.tla and etcdraft.tla are the TLA+ specifications of
ongardie/raft.tla and of etcd-io/raft. A planted bug counts for the property that alone caught it, from each starting point
of the recorded hunt.")]
pub(super) struct PropertiesArguments {
    /// Prints a JSON line for each
    #[arg(long)]
    json: bool,
    /// Prints a table in Markdown, with the names in the TLA+ specifications and the planted bugs
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

pub(super) fn run(arguments: &PropertiesArguments) -> Result<u8, String> {
    let lines = Property::all().map(|property| match (arguments.json, arguments.markdown) {
        (true, _) => as_json(property),
        (false, true) => as_row(property),
        (false, false) => as_text(property),
    });
    let head = if arguments.markdown { HEAD } else { "" };
    say(head.to_owned() + &lines.collect::<Vec<_>>().join("\n"))?;
    Ok(HELD)
}

fn as_text(property: Property) -> String {
    format!("{property}\n    {}\n    {}", property.meaning(), property.source())
}

fn as_json(property: Property) -> String {
    json!({
        "property": property.name(),
        "meaning": property.meaning(),
        "source": property.source(),
        "tla": property.in_tla(),
        "bugs": alone(property),
    })
    .to_string()
}

const HEAD: &str = "\
| property | what it says | source | name in TLA+ | planted bugs that it alone caught |
|---|---|---|---|---|
";

fn as_row(property: Property) -> String {
    let bugs = alone(property).iter().map(|bug| format!("`{bug}`")).collect::<Vec<_>>().join(", ");
    let bugs = if bugs.is_empty() { "none".to_owned() } else { bugs };
    let (meaning, source) = (property.meaning(), property.source());
    format!("| `{property}` | {meaning} | {source} | {} | {bugs} |", property.in_tla().unwrap_or("none"))
}

/// The planted bugs that this property caught from each starting point of the recorded hunt, and no other.
fn alone(property: Property) -> Vec<&'static str> {
    let recorded = recorded::catches().filter(|catch| catch.by == [property.name()]).map(|catch| catch.bug);
    recorded.chain(for_any_code(property)).collect()
}

/// The stand-in for any code that panics or does not come back, which is not a planted bug of the node: `sim --bug`
/// switches it on.
const fn for_any_code(property: Property) -> Option<&'static str> {
    match property {
        Property::NoPanic => Some("assertion"),
        Property::EventsEnd => Some("endless-loop"),
        Property::Holds(_) | Property::RunsRepeat => None,
    }
}
