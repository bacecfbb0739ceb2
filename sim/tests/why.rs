//! `sim why`: when the failure of a trace became certain, what can have influenced it, and what it leads to.
#![cfg(feature = "planted-bugs")]

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use sim::explain::{Influence, Question, Unasked, Why, why};
use sim::trace::Trace;

fn trace_of(bug: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../traces").join(format!("{bug}.jsonl"))
}

fn asked(bug: &str, question: &Question) -> Why {
    let trace = Trace::open(&trace_of(bug)).expect("a trace");
    why(&trace, question, &Unasked).expect("an answer")
}

fn few() -> Question {
    Question { continuations: 16, events: 400, jobs: None }
}

#[test]
fn the_share_of_continuations_that_fail_rises_with_the_event_that_does_the_harm() {
    let why = asked("commit-quorum-off-by-one", &few());
    let (first, last) = (why.curve[0], why.curve[why.curve.len() - 2]);
    assert!(first.per_mille() < last.per_mille(), "{:?}", why.curve);
    assert_eq!(why.curve.last().map(|point| (point.step, point.per_mille())), Some((why.events, 1000)));
}

#[test]
fn a_number_of_continuations_has_one_answer_whatever_the_number_of_threads() {
    let [one, two] = [1, 2].map(|jobs| asked("vote-compares-commit", &Question { jobs: Some(jobs), ..few() }));
    assert_eq!(one, two);
}

#[test]
fn what_breaks_early_is_shown_to_lead_to_a_wrong_answer_for_a_client() {
    let why = asked("snapshot-without-sessions", &Question { continuations: 64, ..few() });
    let harm = why.harm.expect("a command that takes effect twice");
    assert!(harm.events > why.events && harm.times > 0, "{harm:?}");
}

#[test]
fn what_can_have_influenced_the_failure_is_a_part_of_the_run_with_its_last_event() {
    let why = asked("lease-no-checkquorum", &Question { continuations: 1, events: 1, ..few() });
    let possible = why.past.iter().filter(|influence| **influence == Influence::Possible).count();
    assert!(possible > 0 && possible < why.past.len(), "{possible} of {}", why.past.len());
    assert_eq!(why.past.last(), Some(&Influence::Possible));
}

#[test]
fn the_command_prints_the_curve_and_json_and_refuses_what_breaks_nothing() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let sim = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder.path()).output();
        let output = output.expect("the simulator starts");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let trace = trace_of("vote-double-grant");
    let trace = trace.to_str().expect("text");
    let (code, text, said) = sim(&["why", trace, "--continuations", "4", "--events", "100"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(text.contains("of 4\n") && text.contains("can have influenced it"), "{text}");
    let (_, line, _) = sim(&["why", trace, "--continuations", "4", "--events", "100", "--json"]);
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        line["curve"].as_array().and_then(|curve| curve.last()).map(|point| &point["of"]),
        Some(&Value::from(1))
    );
    assert_eq!(sim(&["--seed", "1", "--steps", "300", "--no-settle", "--trace", "held.jsonl"]).0, Some(0));
    let (code, _, said) = sim(&["why", "held.jsonl"]);
    assert!(code == Some(2) && said.contains("break nothing"), "{said}");
}

#[test]
fn the_page_of_a_run_shows_the_curve_where_that_is_asked_for() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let trace = trace_of("vote-double-grant");
    let page = |more: &[&str]| {
        let usual = ["report", trace.to_str().expect("text"), "-o", "run.html"];
        let sim = Command::new(env!("CARGO_BIN_EXE_sim")).args(usual).args(more).current_dir(folder.path()).output();
        assert!(sim.expect("the simulator starts").status.success());
        std::fs::read_to_string(folder.path().join("run.html")).expect("a page")
    };
    let curve = |page: &str| page.contains(r#""points":[["#);
    assert_eq!((curve(&page(&["--why"])), curve(&page(&[]))), (true, false));
}

/// Once a thread of the pool ran the events again, in which the bug was off, and five of sixteen failed.
#[test]
fn the_events_of_the_run_happen_again_with_its_bug_on_so_that_the_last_one_of_a_wrong_read_is_certain() {
    let why = asked("readindex-no-own-commit", &few());
    assert_eq!(why.curve[why.curve.len() - 2].per_mille(), 1000, "{:?}", why.curve);
}
