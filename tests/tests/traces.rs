//! Every trace of the corpus in `traces/` runs as it was recorded.
//!
//! A trace of a planted bug fails as recorded where that bug is in the build (feature `planted-bugs`). Where it is not,
//! the same events must break nothing: neither what the bug broke, nor anything else.

use std::path::{Path, PathBuf};

#[cfg(feature = "planted-bugs")]
use sim::campaign::hunt::differs_between_runs;
use sim::driver::{Replayed, replay};
use sim::trace::{Ending, Reader, Trace};

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces");
    let files =
        std::fs::read_dir(folder).expect("the corpus is there").map(|entry| entry.expect("it can be read").path());
    let mut traces: Vec<PathBuf> =
        files.filter(|path| path.extension().is_none_or(|extension| extension != "md")).collect();
    traces.sort();
    traces
}

fn open(path: &Path) -> Trace {
    Trace::open(path).unwrap_or_else(|error| panic!("{error}"))
}

/// What takes more than sixty events to happen at all.
const LONGER: [&str; 7] = [
    "async-append-aba",
    "change-after-snapshot",
    "hard-state-before-snapshot",
    "rejection-storm",
    "snapshot-keeps-conflict-tail",
    "snapshot-save-error-swallowed",
    "wal-resurrects-tail",
];

#[test]
fn the_corpus_holds_features_and_failures() {
    let (bugs, features): (Vec<Trace>, Vec<Trace>) =
        corpus().iter().map(|path| open(path)).partition(|trace| trace.header.bug.is_some());
    assert!(bugs.len() >= 60 && features.len() >= 15, "{} bugs, {} features", bugs.len(), features.len());
    for Trace { header, events, ending } in bugs {
        let bug = header.bug.unwrap_or_default();
        assert_ne!(ending, Ending::Completed, "{bug} breaks something");
        let most = if LONGER.contains(&&*bug) { 140 } else { 60 };
        assert!(events.len() < most, "the trace of {bug} is shrunk: {} events", events.len());
    }
}

#[cfg(feature = "planted-bugs")]
#[test]
fn each_planted_bug_has_a_trace() {
    let shown: Vec<String> = corpus().iter().filter_map(|path| open(path).header.bug).collect();
    // A trace is one run, and some bugs show only in that two differ.
    for bug in raft::planted::Bug::ALL.into_iter().filter(|bug| !differs_between_runs(*bug)) {
        assert!(shown.contains(&bug.name()), "{}", bug.name());
    }
}

#[test]
fn every_trace_runs_as_it_was_recorded() {
    for path in corpus() {
        let trace = open(&path);
        if trace.header.bug.is_some() && !cfg!(feature = "planted-bugs") {
            continue;
        }
        let reader = Reader::open(&path).unwrap_or_else(|error| panic!("{error}"));
        match (replay(reader).unwrap_or_else(|error| panic!("{error}")), trace.ending) {
            (Replayed::Completed { steps }, Ending::Completed) => assert_eq!(steps, trace.events.len() as u64),
            (Replayed::Broken { .. }, Ending::Violation(_) | Ending::Panic(_)) => {}
            (other, _) => panic!("{}: {other:?}; traces/README.md says how to record it anew", path.display()),
        }
    }
}

#[test]
fn without_its_bug_no_trace_breaks_anything() {
    for path in corpus() {
        let trace = open(&path);
        if trace.header.bug.is_some() {
            let ending = Trace::record(trace.header, &trace.events).ending;
            assert_eq!(ending, Ending::Completed, "{}", path.display());
        }
    }
}
