//! `sim situations`: what runs should meet, and the scenario that shows each.

use std::path::{Path, PathBuf};

use crate::input;
use crate::output::{say, tell};
use crate::script;
use crate::situation::{Situation, Situations};
use clap::Args;
use serde_json::json;

use super::{HELD, files_in};

/// Lists the named situations, and for each the scenario that shows it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim situations                             what runs are counted for
  sim situations scenarios                   the scenario that shows each, and what none shows
  sim situations --markdown scenarios        the table in the README
  sim explore --seeds 0..1000 --situations   how often seeds meet each

Of several scenarios that come through a situation, the one is named that comes through the fewest others.")]
pub(super) struct SituationsArguments {
    /// Scenarios, or folders with scenarios (*.txt) in them
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Prints a JSON line for each
    #[arg(long)]
    json: bool,
    /// Prints a table in Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// A scenario, and the situations that it came through.
struct Shown {
    path: PathBuf,
    met: Situations,
}

pub(super) fn run(arguments: &SituationsArguments) -> Result<u8, String> {
    let files = if arguments.paths.is_empty() { Vec::new() } else { files_in(&arguments.paths, "scenario")? };
    let mut scenarios = files.into_iter().map(shown).collect::<Result<Vec<Shown>, String>>()?;
    scenarios.sort_by_cached_key(|shown| (count(&shown.met), shown.path.clone()));
    let example = |situation| scenarios.iter().find(|shown| shown.met.times(situation) > 0).map(|shown| &*shown.path);
    let line = |situation: Situation| match (arguments.json, arguments.markdown) {
        (true, _) => json!({ "situation": situation.text(), "scenario": example(situation) }).to_string(),
        (false, true) => format!("| {situation} | {} |", example(situation).map_or("none".to_owned(), link)),
        (false, false) if scenarios.is_empty() => situation.to_string(),
        (false, false) => {
            let path = example(situation).map_or("no scenario".to_owned(), |path| path.display().to_string());
            format!("{situation}\n    {path}")
        }
    };
    let head = if arguments.markdown { "| situation | scenario |\n|---|---|\n" } else { "" };
    say(head.to_owned() + &Situation::ALL.map(line).join("\n"))?;
    if !scenarios.is_empty() {
        let shown = Situation::ALL.iter().filter(|situation| example(**situation).is_some()).count();
        tell(format_args!("scenarios show {shown} of {} situations", Situation::ALL.len()));
    }
    Ok(HELD)
}

/// The situations that this scenario comes through, up to where it ends.
fn shown(path: PathBuf) -> Result<Shown, String> {
    let text = input::text(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let played = script::play(&text);
    match played.failure.filter(|_| played.needs_bug.is_none()) {
        Some(failure) => Err(format!("{}: {failure}", path.display())),
        None => Ok(Shown { path, met: played.situations }),
    }
}

fn count(met: &Situations) -> usize {
    met.iter().filter(|(_, times)| *times > 0).count()
}

/// A link to the scenario, named by what it says.
fn link(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', " ");
    format!("[{name}]({})", path.display())
}
