//! `sim sweep`: every crash point of a scenario, and what it finds where a host keeps less than it promises.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
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

fn scenario(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name);
    path.to_str().expect("text").to_owned()
}

#[test]
fn every_node_of_a_scenario_comes_back_from_every_crash() {
    let file = scenario("restarts/a-vote-is-forgotten-where-it-was-not-synced.txt");
    let (code, text, _) = sim(&folder(), &["sweep", &file, "--json"]);
    let line: Value = serde_json::from_str(&text).expect("a line of JSON");
    assert_eq!((code, &line["failures"], &line["broke_without_crash"]), (0, &json!([]), &Value::Null));
    assert_eq!(line["tried_after"], line["events"]);
    assert!(line["crash_points"].as_u64() > line["states"].as_u64(), "{line}");
}

#[test]
fn a_trace_is_swept_like_a_scenario() {
    let folder = folder();
    let file = scenario("elections/a-majority-elects-a-leader.txt");
    sim(&folder, &["scenario", &file, "--trace", "elected.jsonl"]);
    let count = |file: &str| {
        let (code, text, _) = sim(&folder, &["sweep", file, "--json"]);
        let mut line: Value = serde_json::from_str(&text).expect("a line of JSON");
        line["file"] = Value::Null;
        (code, line)
    };
    assert_eq!(count("elected.jsonl"), count(&file));
}

#[test]
fn a_bound_and_a_bad_file_are_told() {
    let folder = folder();
    let file = scenario("elections/a-majority-elects-a-leader.txt");
    let (code, text, _) = sim(&folder, &["sweep", &file, "--most", "3"]);
    assert!(code == 0 && text.contains("crash points after 3 events"), "{text}");
    let (code, _, said) = sim(&folder, &["sweep", "nothing.txt"]);
    assert!(code == 2 && said.contains("nothing.txt"), "{said}");
    let (code, _, said) = sim(&folder, &["sweep", &file, "--seconds", "0"]);
    assert!(code == 2 && said.contains("nothing would be checked"), "{said}");
}

/// A host's bug, and a scenario whose sweep finds it.
#[cfg(feature = "planted-bugs")]
const FOUND: [(&str, &str); 6] = [
    ("ack-before-durable", "famous/the-append-aba-race-acknowledges-only-what-is-on-disk.txt"),
    ("snapshot-wal-order", "restarts/a-crash-in-the-middle-of-a-compaction-loses-nothing.txt"),
    ("applied-index-nonatomic", "restarts/a-crash-in-the-middle-of-a-compaction-loses-nothing.txt"),
    ("term-vote-nonatomic", "membership/a-node-with-an-unapplied-change-does-not-campaign.txt"),
    ("mustsync-drops-vote", "elections/a-majority-elects-a-leader.txt"),
    ("mustsync-drops-entries", "elections/a-majority-elects-a-leader.txt"),
];

#[cfg(feature = "planted-bugs")]
#[test]
fn the_sweep_of_a_scenario_finds_each_planted_bug_of_hosts() {
    for (bug, file) in FOUND {
        let (code, text, _) = sim(&folder(), &["sweep", &scenario(file), "--bug", bug]);
        assert_eq!(code, 1, "{bug}: {text}");
        assert!(text.contains("VIOLATED"), "{bug}: {text}");
    }
}

#[cfg(feature = "planted-bugs")]
#[test]
fn what_a_sweep_finds_is_left_as_a_trace_that_replays() {
    let folder = folder();
    let file = scenario("restarts/a-crash-in-the-middle-of-a-compaction-loses-nothing.txt");
    let (code, text, _) = sim(&folder, &["sweep", &file, "--bug", "applied-index-nonatomic", "--out", "found"]);
    let trace = "found/a-crash-in-the-middle-of-a-compaction-loses-nothing-1.jsonl";
    assert!(code == 1 && text.contains(trace), "{text}");
    let (code, replayed, _) = sim(&folder, &["replay", trace]);
    assert!(code == 1 && replayed.contains("as recorded"), "{replayed}");
}
