//! `sim explore --from`: runs that begin where a scenario or a trace has come to.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
#[cfg(feature = "planted-bugs")]
use sim::trace::Trace;
use tempfile::TempDir;

/// Runs the simulator in the folder: its exit status, what it prints, and what it says beside that.
fn sim(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder.path()).output();
    let output = output.expect("the simulator starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("an exit status"), text(output.stdout), text(output.stderr))
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder can be made")
}

fn scenario() -> String {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let file = scenarios.join("explore/a-deposed-leader-with-a-tail-of-its-own-meets-a-compacted-log.txt");
    file.to_str().expect("text").to_owned()
}

#[cfg(feature = "planted-bugs")]
/// The steps that the failing runs of this command were at, from their traces, and the last trace.
fn failing(folder: &TempDir, arguments: &[&str]) -> (Vec<u64>, Trace) {
    let usual = ["explore", "--seeds", "0..3", "--steps", "1500", "--bug", "assertion", "--json"];
    let (code, text, said) = sim(folder, &[&usual, arguments].concat());
    assert_eq!(code, 1, "{text}{said}");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let failures: Vec<Value> = lines.filter(|line| line["seed"].is_string()).collect();
    let trace = failures.first().and_then(|failure| failure["trace"].as_str()).expect("a trace");
    let trace = Trace::open(&folder.path().join(trace)).expect("a trace");
    (failures.iter().filter_map(|failure| failure["events"].as_u64()).collect(), trace)
}

#[cfg(feature = "planted-bugs")]
#[test]
fn a_failure_has_the_whole_path_from_the_start_and_replays() {
    let folder = folder();
    let before = sim::script::record(&std::fs::read_to_string(scenario()).expect("a scenario")).expect("it runs");
    let (_, trace) = failing(&folder, &["--from", &scenario()]);
    let place = before.events.iter().zip(&trace.events).take_while(|(one, other)| one == other).count();
    assert!(place > 20 && place < before.events.len(), "the runs part after {place} events");
    let name =
        std::fs::read_dir(folder.path()).expect("a folder").next().expect("a trace").expect("a file").file_name();
    let (code, text, _) = sim(&folder, &["replay", name.to_str().expect("text")]);
    assert_eq!(code, 1, "{text}");
}

#[cfg(feature = "planted-bugs")]
#[test]
fn runs_begin_after_as_many_events_of_a_trace_as_one_says() {
    let folder = folder();
    assert_eq!(sim(&folder, &["--seed", "1", "--steps", "600", "--no-settle", "--trace", "long.jsonl"]).0, 0);
    let long = Trace::open(&folder.path().join("long.jsonl")).expect("a trace");
    let (_, trace) = failing(&folder, &["--from", "long.jsonl", "--at", "300"]);
    assert_eq!(trace.events[..300], long.events[..300]);
    assert_ne!(trace.events[..600], long.events[..600]);
}

#[test]
fn without_a_fault_no_run_fails_and_the_same_seeds_give_the_same_runs() {
    let folder = folder();
    let explore = |jobs| {
        let (code, text, said) = sim(
            &folder,
            &["explore", "--from", &scenario(), "--seeds", "0..40", "--steps", "500", "--jobs", jobs, "--json"],
        );
        assert_eq!(code, 0, "{text}{said}");
        serde_json::from_str::<Value>(text.lines().last().expect("a line")).expect("JSON")
    };
    let (one, two) = (explore("1"), explore("2"));
    assert_eq!((&one["digest"], one["seeds"].as_u64()), (&two["digest"], Some(40)));
}

#[test]
fn where_no_run_can_begin_is_said_with_the_reason() {
    let folder = folder();
    std::fs::write(folder.path().join("appender.txt"), "add-nodes 1 voters=(1) index=2 application=appender\n")
        .expect("a file");
    let said = |arguments: &[&str]| {
        let (code, _, said) = sim(&folder, &[&["explore", "--seeds", "0..1"], arguments].concat());
        (code, said)
    };
    for (arguments, reason) in [
        (vec!["--from", "nothing.txt"], "nothing.txt"),
        (vec!["--from", "appender.txt"], "key-value store"),
        (vec!["--from", "appender.txt", "--at", "7"], "at most 1 of its events"),
        (vec!["--at", "7"], "--from"),
    ] {
        let (code, said) = said(&arguments);
        assert!(code == 2 && said.contains(reason), "{arguments:?}: {said}");
    }
}
