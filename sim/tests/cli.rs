//! The command line: what it prints, what it writes, and how it exits.

use std::path::PathBuf;
use std::process::{Command, Output};

fn sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).output().expect("the simulator starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn temporary(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn a_run_that_holds_prints_its_digest_and_exits_with_0() {
    let first = sim(&["--seed", "1", "--steps", "2000"]);
    assert_eq!(first.status.code(), Some(0));
    let text = stdout(&first);
    for name in ["seed", "cluster", "options", "events", "elections", "crashes", "membership", "digest"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} in:\n{text}");
    }
    assert_eq!(text, stdout(&sim(&["--seed", "0x1", "--steps", "2000"])));
}

#[test]
fn a_trace_holds_a_header_and_a_line_for_each_event() {
    let path = temporary("held.jsonl");
    let output = sim(&[
        "--seed",
        "2",
        "--steps",
        "1000",
        "--no-settle",
        "--nodes",
        "3",
        "--trace",
        path.to_str().expect("text"),
    ]);
    assert_eq!(output.status.code(), Some(0));
    let trace = std::fs::read_to_string(&path).expect("the trace was written");
    assert_eq!(trace.lines().count(), 1003, "a header, the events, a digest and the end");
    let header = trace.lines().next().expect("a header");
    assert!(header.starts_with(r#"{"format":"raft-sim-trace","version":2,"#), "{header}");
    assert!(header.contains(r#""nodes":3"#), "{header}");
}

#[test]
fn bad_usage_is_one_clear_line_and_exit_2() {
    let cases: [&[&str]; 9] = [
        &["--hang-after", "0"],
        &["--seed"],
        &["--seed", "x"],
        &["--seed", "18446744073709551616"],
        &["--seed", "1", "--nodes", "8"],
        &["--seed", "1", "--steps", "0"],
        &["--seed", "1", "--unknown"],
        &["--seed", "1", "--bug", "no-such-bug"],
        &["--seed", "1", "--steps", "10", "--trace", "/nonexistent/trace.jsonl"],
    ];
    for arguments in cases {
        let output = sim(arguments);
        let error = String::from_utf8(output.stderr.clone()).expect("text");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
        assert!(error.starts_with("error: "), "{arguments:?}: {error}");
    }
}

#[test]
fn help_has_examples() {
    let output = sim(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("Examples:"));
}

#[test]
fn an_exploration_names_the_situations_that_it_never_reached_and_fails_if_asked_to() {
    let few = ["explore", "--seeds", "1..2", "--steps", "500"];
    let text = stdout(&sim(&few));
    assert!(text.contains(" situations reached; never:\n  "), "{text}");
    let all = sim(&[&few[..], &["--all-situations", "--json"]].concat());
    assert_eq!(all.status.code(), Some(1));
    let line: serde_json::Value = serde_json::from_slice(&all.stdout).expect("one JSON line");
    let never = &line["situations"]["a follower truncated a conflicting tail"];
    assert_eq!((&never["times"], &never["seeds"]), (&0.into(), &0.into()), "{line}");
}
