//! The first unit of a round: what failed once, and the corpus, run again without planted bugs.

use std::path::{Path, PathBuf};

use crate::campaign::record::{Driver, Old, in_order};
use crate::planted;
use crate::trace::{Ending, Header, Trace};

use super::super::engines;
use super::super::run_of_file::is_trace;
use super::super::watchdog::{Stuck, watched};
use super::CampaignArguments;
use super::drivers::{At, Done};
use super::folder::files;

/// Where the corpus is, unless somebody says otherwise.
const CORPUS: &str = "traces";

/// The traces that are run with the old failures.
///
/// # Errors
/// There is no such file or folder.
pub(super) fn corpus(arguments: &CampaignArguments) -> Result<Vec<PathBuf>, String> {
    let usual = || Some(PathBuf::from(CORPUS)).filter(|usual| usual.is_dir()).into_iter().collect();
    let paths = if arguments.corpus.is_empty() { usual() } else { arguments.corpus.clone() };
    let traces = paths.into_iter().map(|path| {
        if !path.is_dir() {
            return std::fs::metadata(&path)
                .map(|_| vec![path.clone()])
                .map_err(|error| format!("{}: {error}", path.display()));
        }
        Ok(files(&path)?.into_iter().filter(|file| is_trace(file)).collect())
    });
    Ok(traces.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Runs all of them, those that failed last time first.
pub(super) fn again(at: &At<'_>) -> Result<Done, String> {
    let mut all = at.folder.failures()?;
    all.extend(corpus(at.arguments)?.into_iter().map(|path| {
        let name = path.display().to_string();
        Old { known: at.folder.known(&name, &path, false), name, path }
    }));
    in_order(&mut all);
    let mut done = Done::of(at.unit(Driver::Corpus, format!("{} old traces", all.len())));
    let mut skipped = 0;
    for Old { name, path, .. } in all {
        at.watch.now(name.clone());
        match run(&path, at.arguments) {
            Ok((ending, events)) => {
                done.unit.events += events;
                done.hangs |= matches!(ending, Ending::Hang(_));
                if ending != Ending::Completed {
                    done.fails(&ending, events, None, Ok(name));
                }
            }
            Err(error) => {
                skipped += 1;
                at.watch.tell(format_args!("passed over: {error}"));
            }
        }
    }
    done.unit.result = format!("{} events, {} fail", done.unit.events, done.unit.failures.len());
    if skipped > 0 {
        done.unit.result += &format!(", {skipped} passed over");
    }
    Ok(done)
}

/// How the events of a trace end now, without the planted bug that it may be of, and after how many. What no longer fits is passed over.
fn run(path: &Path, arguments: &CampaignArguments) -> Result<(Ending, u64), String> {
    let trace = Trace::open(path).map_err(|error| error.to_string())?;
    let world = engines::world_of(&trace.header).map_err(|error| format!("{}: {error}", path.display()))?;
    let bug = arguments.bug.clone();
    let again = move || {
        let _switched = planted::switch_on(bug.as_deref());
        Trace::record_in(&world, Header { bug, ..trace.header }, &trace.events)
    };
    match watched(&arguments.patience, again) {
        Ok(run) => Ok((run.ending, run.events.len() as u64)),
        Err(Stuck(step)) => Ok((Ending::Hang(None), step)),
    }
}
