//! `sim properties`: everything that a run can break.

use clap::Args;
use serde_json::json;
use sim::output::say;
use sim::trace::Property;

use super::HELD;

/// Lists the properties that runs are checked for: what each means, and where it comes from.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim properties
  sim properties --json | jq -r .property

\"paper\" is Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (extended version, 2014), \"thesis\" is
Ongaro, Consensus: Bridging Theory and Practice (2014).")]
pub(super) struct PropertiesArguments {
    /// Prints a JSON line for each
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &PropertiesArguments) -> Result<u8, String> {
    let line = |property: Property| {
        let (name, meaning, source) = (property.name(), property.meaning(), property.source());
        match arguments.json {
            true => json!({ "property": name, "meaning": meaning, "source": source }).to_string(),
            false => format!("{name}\n    {meaning}\n    {source}"),
        }
    };
    say(Property::all().map(line).collect::<Vec<_>>().join("\n"))?;
    Ok(HELD)
}
