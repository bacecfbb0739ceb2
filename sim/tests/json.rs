//! What the command line prints with `--json`: one line that a program can read, whatever the outcome, and nothing else.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Runs the simulator in the folder: its exit status, and the lines of JSON that it prints.
fn lines(folder: &TempDir, arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder.path()).output();
    let output = output.expect("the simulator starts");
    let text = String::from_utf8(output.stdout).expect("text");
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (output.status.code().expect("an exit status"), text.lines().map(line).collect())
}

fn line(folder: &TempDir, arguments: &[&str]) -> (i32, Value) {
    let (code, mut lines) = lines(folder, arguments);
    assert_eq!(lines.len(), 1, "{arguments:?}");
    (code, lines.remove(0))
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder can be made")
}

fn write(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).expect("a file can be written");
}

#[test]
fn a_run_that_holds_is_a_line_with_its_digest_and_without_a_failure() {
    let folder = folder();
    let (code, run) = line(&folder, &["--seed", "18446744073709551615", "--steps", "1000", "--json"]);
    assert_eq!(code, 0);
    assert_eq!(run["seed"], "18446744073709551615", "many readers do not hold such a number");
    assert_eq!((&run["failure"], &run["trace"], &run["next"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(run["digest"].as_str().map(str::len), Some(16));
    let kinds = run["kinds"].as_object().expect("events by kind").values().filter_map(Value::as_u64);
    assert_eq!(Some(kinds.sum()), run["events"].as_u64());
    let (_, recorded) = line(&folder, &["--seed", "1", "--steps", "1000", "--json", "--trace", "run.jsonl"]);
    assert_eq!(recorded["trace"], "run.jsonl");
}

#[cfg(feature = "planted-bugs")]
#[test]
fn a_failure_is_a_line_in_each_command_on_its_way_from_red_to_short() {
    let folder = folder();
    let (code, run) = line(&folder, &["--seed", "11", "--steps", "20000", "--bug", "vote-double-grant", "--json"]);
    assert_eq!(
        (code, &run["failure"]["property"], &run["trace"]),
        (1, &json!("vote-once"), &json!("violation-11.jsonl"))
    );
    assert!(run["next"][0].as_str().is_some_and(|next| next.contains(" shrink violation-11.jsonl")), "{run}");

    let (code, replayed) = line(&folder, &["replay", "violation-11.jsonl", "--json"]);
    assert_eq!((code, &replayed["outcome"]), (1, &json!("as-recorded")));
    assert_eq!(replayed["failure"], run["failure"]);

    let (code, short) = line(&folder, &["shrink", "violation-11.jsonl", "-o", "short.jsonl", "--json"]);
    assert_eq!((code, &short["out"], &short["failure"]["property"]), (0, &json!("short.jsonl"), &json!("vote-once")));
    assert!(short["events"].as_u64() < short["of"].as_u64(), "{short}");
}

#[test]
fn a_replay_says_in_a_word_that_it_went_otherwise() {
    let folder = folder();
    let (_, run) = line(&folder, &["--seed", "1", "--steps", "300", "--no-settle", "--json", "--trace", "run.jsonl"]);
    let (code, same) = line(&folder, &["replay", "run.jsonl", "--json"]);
    assert_eq!((code, &same["outcome"], &same["step"]), (0, &json!("as-recorded"), &run["events"]));

    let text = std::fs::read_to_string(folder.path().join("run.jsonl")).expect("it was written");
    write(&folder, "other.jsonl", &text.replacen(r#"{"Tick":{"node":2}}"#, r#"{"Tick":{"node":1}}"#, 1));
    let (code, other) = line(&folder, &["replay", "other.jsonl", "--json"]);
    assert_eq!((code, &other["outcome"]), (3, &json!("diverged")));
    assert!(other["difference"].is_string(), "{other}");
}

#[test]
fn scenarios_are_a_line_each_with_what_became_of_them() {
    let folder = folder();
    write(&folder, "well.txt", "add-nodes 1 voters=(1) index=2\n");
    write(&folder, "well.snap", "---\nsource: a test\n---\nadd-nodes 1 voters=(1) index=2\n----\nok\n");
    write(&folder, "differs.txt", "add-nodes 1 voters=(1) index=2\n");
    write(&folder, "differs.snap", "---\nsource: a test\n---\nadd-nodes 1 voters=(1) index=2\n----\nnot ok\n");
    write(&folder, "fails.txt", "add-nodes 1 voters=(1) index=2\nexpect 1 role=leader\n");
    write(&folder, "new.txt", "add-nodes 1 voters=(1) index=2\n");
    let (code, checked) = lines(&folder, &["scenario", "--check", ".", "--json"]);
    let name = |line: &Value| Path::new(line["file"].as_str()?).file_name()?.to_str().map(str::to_owned);
    let told: Vec<_> = checked.iter().map(|line| (name(line).expect("a file"), line["outcome"].clone())).collect();
    let expected = [("differs", "differs"), ("fails", "failed"), ("new", "no-snapshot"), ("well", "as-expected")];
    assert_eq!(told, expected.map(|(file, outcome)| (format!("{file}.txt"), json!(outcome))));
    assert_eq!(code, 1);
    let differs = &checked[0];
    assert_eq!(
        (&differs["line"], &differs["expected"], &differs["actual"]),
        (&json!(3), &json!("not ok"), &json!("ok"))
    );

    let (code, printed) = line(&folder, &["scenario", "well.txt", "--json"]);
    assert_eq!((code, &printed["transcript"]), (0, &json!("add-nodes 1 voters=(1) index=2\n----\nok\n")));
}
