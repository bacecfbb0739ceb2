//! `sim fuzz`: first inputs for the fuzz targets, and traces of what they found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use arbitrary::{Arbitrary, Unstructured};
use sim::driver::bytes;
use sim::harness::{node, step};
use sim::trace::Trace;
use sim::world::{Event, EventKind};

/// What the simulator is told in this folder has to go well.
fn sim(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder).output();
    let output = output.expect("the simulator starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(Event::kind).collect()
}

/// Three nodes that elect a leader and commit something. 30 is a round, 3 a campaign, 2 a proposal.
fn input() -> Vec<u8> {
    let rounds = [30; 8];
    [&[2, 0, 0, 0, 0, 30, 3, 0], &rounds[..], &[2, 0, 9], &rounds[..]].concat()
}

/// A folder with the trace of that input.
fn folder_with_a_trace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("crash"), input()).expect("it can be written");
    sim(folder.path(), &["fuzz", "trace", "crash", "-o", "run.jsonl"]);
    folder
}

/// The files below a folder, by their names in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path()).expect("a file"));
        }
    }
    found
}

#[test]
fn what_a_crash_left_becomes_a_trace_that_replays() {
    let folder = folder_with_a_trace();
    let trace = Trace::open(&folder.path().join("run.jsonl")).expect("a whole trace");
    let ended = bytes::run(&input());
    assert_eq!(trace.events, ended.events);
    assert_eq!(ended.world.statistics().executed, 3, "something happens in it");
    sim(folder.path(), &["replay", "run.jsonl"]);
}

#[test]
fn the_input_for_world_that_is_made_of_a_trace_leads_to_its_events() {
    let folder = folder_with_a_trace();
    sim(folder.path(), &["fuzz", "seeds", "-o", "seeds", "run.jsonl"]);
    let made = fs::read(folder.path().join("seeds/world/run-1")).expect("an input for world");
    assert_eq!(kinds(&bytes::run(&made).events), kinds(&bytes::run(&input()).events));
}

#[test]
fn a_compressed_trace_gives_the_same_inputs() {
    let folder = folder_with_a_trace();
    let trace = Trace::open(&folder.path().join("run.jsonl")).expect("a whole trace");
    trace.save(&folder.path().join("run.jsonl.zst")).expect("it can be written");
    sim(folder.path(), &["fuzz", "seeds", "-o", "seeds", "run.jsonl"]);
    sim(folder.path(), &["fuzz", "seeds", "-o", "others", "run.jsonl.zst"]);
    assert_eq!(files(&folder.path().join("seeds")), files(&folder.path().join("others")));
}

#[test]
fn inputs_that_are_made_again_are_the_same_and_take_the_place_of_those_before() {
    let folder = folder_with_a_trace();
    let seeds = folder.path().join("seeds");
    sim(folder.path(), &["fuzz", "seeds", "-o", "seeds", "run.jsonl"]);
    fs::write(seeds.join("world/mine"), "somebody's own").expect("it can be written");
    let first = files(&seeds);
    sim(folder.path(), &["fuzz", "seeds", "-o", "seeds", "--runs", "2", "run.jsonl"]);
    assert!(files(&seeds).keys().any(|name| name.contains("/run-2-")), "another run holds more");
    sim(folder.path(), &["fuzz", "seeds", "-o", "seeds", "run.jsonl"]);
    assert_eq!(files(&seeds), first);

    sim(folder.path(), &["fuzz", "seeds", "-o", "seeds", "--at-most", "1", "run.jsonl"]);
    let targets = ["codec", "disk", "node", "step", "trace", "world"];
    let left: BTreeSet<String> =
        files(&seeds).into_keys().filter_map(|name| Some(name.split_once('/')?.0.into())).collect();
    assert_eq!(left.into_iter().collect::<Vec<_>>(), targets);
    assert_eq!(files(&seeds).len(), targets.len() + 2, "one for each, the list of them, and somebody's own");
}

/// What fuzzing found once: see `fuzz/README.md`.
#[test]
fn what_was_found_by_fuzzing_is_found_no_more() {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/found");
    let mut tried = 0;
    for (name, bytes) in files(&found) {
        let mut rest = Unstructured::new(&bytes);
        match name.split('/').next() {
            Some("step") => step::run(&step::Input::arbitrary(&mut rest).expect("any bytes are an input")),
            Some("node") => node::run(&node::Input::arbitrary(&mut rest).expect("any bytes are an input")),
            Some("world") => assert_eq!(bytes::run(&bytes).violation, None, "{name}"),
            other => panic!("nobody knows how to try {other:?}"),
        }
        tried += 1;
    }
    assert!(tried > 0, "nothing was ever found");
}

/// They were made when bytes meant what they mean now.
#[test]
fn the_inputs_for_world_in_the_repository_lead_to_nearly_every_kind_of_event() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/world");
    let mut reached = BTreeSet::new();
    for (name, bytes) in files(&folder) {
        let ended = bytes::run(&bytes);
        assert_eq!(ended.violation, None, "{name}");
        reached.extend(kinds(&ended.events));
    }
    let missing: Vec<_> = EventKind::ALL.into_iter().filter(|kind| !reached.contains(kind)).collect();
    assert!(missing.len() <= 9, "no input leads to {missing:?}: make them anew, as fuzz/README.md says");
}
