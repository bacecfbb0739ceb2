//! The hunt itself, in a build that has something to hunt.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::campaign::hunt::{Hunt, Hunted, Search, Watch, hunt, no_seed_meets, table, takes_long};
use crate::output::{say, tell};
use crate::planted;
use indicatif::{ProgressBar, ProgressStyle};
use raft::planted::Bug;
use serde_json::json;

use super::super::{HELD, VIOLATED, jobs};
use super::BugsArguments;

pub(super) fn run(arguments: &BugsArguments) -> Result<u8, String> {
    let bugs = chosen(arguments)?;
    if arguments.list {
        say(list(&bugs))?;
        return Ok(HELD);
    }
    if arguments.exhaust {
        return super::exhaust::run(arguments, &bugs);
    }
    let how = how(arguments);
    let progress = Progress::new(bugs.len() as u64 * how.starts);
    let hunted = hunt(&bugs, &how, &progress);
    progress.bar.finish_and_clear();
    let traces =
        if arguments.names.is_empty() { Ok(Vec::new()) } else { leave_traces(&hunted, arguments.out.as_deref()) };
    let text = match arguments.json {
        true => hunted.iter().map(|hunted| as_json(hunted).to_string()).collect::<Vec<_>>(),
        false => {
            let traces = traces.iter().flatten().map(|path| path.display().to_string());
            std::iter::once(table(&hunted, |bug| progress.took(bug))).chain(traces).collect()
        }
    };
    say(text.join("\n"))?;
    match (hunted.iter().all(Hunted::is_caught), traces) {
        (true, traces) => traces.map(|_| HELD),
        (false, Ok(_)) => Ok(VIOLATED),
        (false, Err(error)) => {
            tell(error);
            Ok(VIOLATED)
        }
    }
}

fn chosen(arguments: &BugsArguments) -> Result<Vec<Bug>, String> {
    if !arguments.names.is_empty() {
        return arguments.names.iter().map(|name| planted::named(name)).collect();
    }
    let runs_seeds = !arguments.list && !arguments.exhaust;
    let is_left_out = |bug| (arguments.quick && takes_long(bug)) || (runs_seeds && no_seed_meets(bug));
    Ok(Bug::ALL.into_iter().filter(|bug| !is_left_out(*bug)).collect())
}

fn list(bugs: &[Bug]) -> String {
    let width = bugs.iter().map(|bug| bug.name().len()).max().unwrap_or(0);
    let lines: Vec<String> = bugs.iter().map(|bug| format!("{:width$}  {}", bug.name(), bug.description())).collect();
    lines.join("\n")
}

fn how(arguments: &BugsArguments) -> Hunt {
    let usual = Hunt::default();
    let usual = if arguments.quick { Hunt { seeds: 10_000, starts: 1, shrinks: false, ..usual } } else { usual };
    Hunt {
        seeds: arguments.seeds.unwrap_or(usual.seeds),
        starts: arguments.starts.unwrap_or(usual.starts),
        events: arguments.events,
        jobs: jobs::capped(arguments.jobs),
        shrinks: usual.shrinks && !arguments.no_shrink,
    }
}

fn as_json(hunted: &Hunted) -> serde_json::Value {
    let Hunted { bug, searches, shortest } = hunted;
    json!({
        "bug": bug.name(),
        "caught": hunted.is_caught(),
        "searches": searches,
        "shrinks_to": shortest.as_ref().map(|trace| trace.events.len()),
    })
}

fn leave_traces(hunted: &[Hunted], folder: Option<&Path>) -> Result<Vec<PathBuf>, String> {
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let traces = hunted.iter().filter_map(|hunted| Some((hunted.bug, hunted.shortest.as_ref()?)));
    let save = traces.map(|(bug, trace)| {
        let path = folder.unwrap_or(Path::new("")).join(format!("{}.jsonl", bug.name()));
        let _switched = planted::switched_on(Some(bug));
        trace.save(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    });
    save.collect()
}

/// A bar on a terminal, nothing elsewhere: how many searches are over, and how many seeds were run.
struct Progress {
    bar: ProgressBar,
    seeds: AtomicU64,
    shrinking: Mutex<Shrinking>,
}

/// How long shrinking takes.
#[derive(Default)]
struct Shrinking {
    /// When the trace that is being shrunk was begun with.
    began: Option<Instant>,
    took: Vec<(Bug, Duration)>,
}

impl Progress {
    fn new(searches: u64) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(searches) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} searches, {elapsed}, {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, seeds: AtomicU64::new(0), shrinking: Mutex::default() }
    }

    /// How many seconds the traces of this bug took to shrink, if any was shrunk.
    fn took(&self, bug: Bug) -> Option<u64> {
        let shrinking = self.shrinking.lock().ok()?;
        let of_bug = shrinking.took.iter().filter(|(other, _)| *other == bug).map(|(_, time)| *time);
        of_bug.reduce(|sum, time| sum + time).map(|time| time.as_secs())
    }
}

impl Watch for Progress {
    fn ran(&self, bug: Bug) {
        let seeds = self.seeds.fetch_add(1, Ordering::Relaxed) + 1;
        if seeds.is_multiple_of(16) {
            self.bar.set_message(format!("{seeds} seeds, now {}", bug.name()));
        }
    }

    fn searched(&self, _: Bug, _: &Search) {
        self.bar.inc(1);
    }

    fn shrinks(&self, bug: Bug) {
        self.bar.set_message(format!("shrinking {}", bug.name()));
        if let Ok(mut shrinking) = self.shrinking.lock() {
            shrinking.began = Some(Instant::now());
        }
    }

    fn shrunk(&self, bug: Bug) {
        if let Ok(mut shrinking) = self.shrinking.lock()
            && let Some(began) = shrinking.began.take()
        {
            shrinking.took.push((bug, began.elapsed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_a_line_for_each_bug() {
        let list = list(&Bug::ALL);
        assert_eq!(list.lines().count(), Bug::ALL.len());
        let line =
            "commit-prior-term              A leader commits by counting replicas of an entry of an earlier term.";
        assert_eq!(list.lines().next(), Some(line));
    }
}
