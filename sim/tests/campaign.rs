//! `sim campaign`: its rounds, and a record that outlives kills, torn lines, full disks and second processes.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// So little that many rounds end within a second.
const SHORT: [&str; 14] = [
    "campaign",
    "--record",
    "r",
    "--seeds",
    "2",
    "--steps",
    "300",
    "--weight",
    "sweep=0",
    "--weight",
    "exhaust=0",
    "--weight",
    "bugs=0",
    "--json",
];

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn sim(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(arguments).current_dir(folder.path()).env_remove("CARGO_PKG_NAME");
    command
}

/// The exit status, and what was printed on both ways.
fn ended(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the simulator starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("an exit status"), text(output.stdout), text(output.stderr))
}

fn campaign(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    ended(&mut sim(folder, &[&SHORT, arguments].concat()))
}

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("r/record.jsonl")
}

fn text(folder: &TempDir) -> String {
    fs::read_to_string(path(folder)).unwrap_or_default()
}

/// The units of a record, each as its round and its driver.
fn units(text: &str) -> Vec<(u64, String)> {
    let units = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let units = units.filter(|unit| unit["driver"].is_string());
    units.map(|unit| (unit["round"].as_u64().expect("a round"), unit["driver"].as_str().unwrap().to_owned())).collect()
}

fn report(folder: &TempDir) -> Value {
    let (code, out, error) = ended(&mut sim(folder, &["campaign", "--record", "r", "--report", "--json"]));
    assert_eq!(code, 0, "{error}");
    serde_json::from_str::<Value>(&out).expect("JSON")["revisions"][0].clone()
}

/// Starts a campaign without an end, and waits until it has recorded so many units more.
fn at_work(folder: &TempDir, more: usize) -> Child {
    let before = text(folder).lines().count();
    let mut child = sim(folder, &SHORT).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while text(folder).lines().count() < before + more {
        assert!(child.try_wait().expect("a child").is_none(), "it has ended by itself");
        std::thread::yield_now();
    }
    child
}

fn killed(mut child: Child) {
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

/// Leaves a trace that fails in any build: node 1 believes a vote that nobody gave.
fn forge(folder: &TempDir, path: &str) {
    let scenario = "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\nprocess-ready 1\n\
                    inject 1 type=MsgVoteResp from=3 term=1\ndeliver-msgs 1\n";
    fs::write(folder.path().join("forged.txt"), scenario).expect("it is written");
    let (code, out, error) = ended(&mut sim(folder, &["scenario", "forged.txt", "--trace", path]));
    assert_eq!(code, 1, "{out}{error}");
}

#[test]
fn each_round_begins_with_old_failures_and_the_canary_and_a_second_start_goes_on_with_the_next_round() {
    let folder = folder();
    let (code, out, error) = campaign(&folder, &["--rounds", "2", "--weight", "explore=1"]);
    assert_eq!((code, &*error), (0, "the fuzz targets are left out: there is no fuzz/ci here\n"));
    let round = |round: u64| ["corpus", "canary", "explore"].map(|driver| (round, driver.to_owned()));
    assert_eq!(units(&out), [round(1), round(2)].concat());
    assert!(text(&folder).ends_with(&out), "what is printed is what is recorded");
    let (code, out, _) = campaign(&folder, &["--rounds", "1", "--weight", "explore=1"]);
    assert_eq!((code, units(&out)), (0, round(3).to_vec()));
    let report = report(&folder);
    assert_eq!(report["ran"]["explore"]["seeds"], 6, "{report}");
    assert!(report["situations"].as_object().is_some_and(|met| met.len() > 10), "{report}");
    assert_eq!(report["rounds"][if cfg!(feature = "planted-bugs") { "caught" } else { "none" }], 3);
}

#[test]
fn what_failed_once_runs_first_in_each_round_and_its_failure_is_told() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("r/failures")).expect("a folder");
    forge(&folder, "r/failures/forged.jsonl");
    forge(&folder, "corpus.jsonl");
    let (code, out, _) = campaign(&folder, &["--rounds", "2", "--weight", "explore=0", "--corpus", "corpus.jsonl"]);
    assert_eq!(code, 1, "{out}");
    for (number, line) in out.lines().enumerate().step_by(2) {
        let unit: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!((&unit["round"], &unit["driver"]), (&(number as u64 / 2 + 1).into(), &"corpus".into()));
        let failures: Vec<&Value> = unit["failures"].as_array().expect("failures").iter().collect();
        // In the second round both have failed before, and the order is that of their names.
        let names: Vec<&str> = failures.iter().filter_map(|failed| failed["trace"].as_str()).collect();
        let expected = ["failures/forged.jsonl", "corpus.jsonl"];
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>(), expected.iter().collect());
        assert!(number > 0 || names == expected, "{names:?}");
        assert!(failures.iter().all(|failed| failed["property"] == "election-safety"), "{failures:?}");
    }
    assert_eq!(report(&folder)["failures"].as_array().map(Vec::len), Some(2));
    let mut usual = sim(&folder, &["campaign", "--record", "r", "--rounds", "1", "--weight", "explore=0"]);
    let (_, out, _) = ended(usual.args(["--weight", "sweep=0", "--weight", "exhaust=0", "--weight", "bugs=0"]));
    assert!(out.contains("1 old traces: ") && out.contains("  FAILED  election-safety violated"), "{out}");
    assert!(out.contains(" shrink r/failures/forged.jsonl "), "{out}");
}

#[test]
fn a_campaign_that_was_killed_again_and_again_loses_no_unit_and_no_round_twice() {
    let folder = folder();
    for _ in 0..3 {
        killed(at_work(&folder, 4));
        let before = text(&folder);
        // As if the kill had come in the middle of a line, and of a trace.
        fs::write(path(&folder), before.clone() + "{\"revision\":\"x\",\"ro").expect("it is written");
        fs::write(folder.path().join("r/failures/x.jsonl.7.partial"), "x").expect("it is written");
        let last = units(&before).last().map_or(0, |(round, _)| *round);
        let (code, out, error) = campaign(&folder, &["--rounds", "1"]);
        assert_eq!(code, 0, "{error}");
        assert_eq!(units(&out)[0], (last + 1, "corpus".to_owned()));
        assert_eq!(text(&folder), before + &out);
    }
    assert_eq!(fs::read_dir(folder.path().join("r/failures")).expect("a folder").count(), 0);
    assert!(report(&folder)["rounds"]["missed"] == 0);
}

#[test]
fn two_at_once_are_refused_and_the_report_is_not() {
    let folder = folder();
    let child = at_work(&folder, 3);
    let (code, _, error) = campaign(&folder, &["--rounds", "1"]);
    report(&folder);
    killed(child);
    let said = "error: r: another process is at work on it; let it end, or name another folder\n";
    assert!(code == 2 && error.ends_with(said), "{error}");
}

/// A limit on the size of files stands for a disk that is full.
#[cfg(unix)]
#[test]
fn a_disk_that_becomes_full_is_an_error_and_what_was_recorded_is_still_there() {
    let folder = folder();
    assert_eq!(campaign(&folder, &["--rounds", "1"]).0, 0);
    let before = text(&folder);
    // In blocks of 512 or 1024 bytes: less or little more than there is.
    let blocks = (before.len() / 1024 + 1).to_string();
    let mut full = Command::new("sh");
    full.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks, env!("CARGO_BIN_EXE_sim")]).args(SHORT);
    let (code, _, error) = ended(full.current_dir(folder.path()));
    assert_eq!(code, 2, "{error}");
    let said = "what was written before is still there, and a second start goes on from it";
    assert!(error.contains("error: r/record.jsonl: ") && error.contains(said), "{error}");
    let kept = text(&folder);
    assert!(kept.starts_with(&before) && kept.ends_with('\n'), "{kept}");
    let (code, out, error) = campaign(&folder, &["--rounds", "1"]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(text(&folder), kept + &out);
}

#[cfg(unix)]
#[test]
fn a_campaign_that_is_asked_to_end_does_so_with_the_unit_under_way() {
    let folder = folder();
    let mut child = at_work(&folder, 3);
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill is there");
    assert!(asked.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(text(&folder).ends_with('\n'));
}

/// The tools are stand-ins.
#[cfg(unix)]
#[test]
fn the_fuzz_targets_run_where_they_are_and_what_they_find_is_a_failure() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let program = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(&path, text).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    };
    program("bin/cargo", "#!/bin/sh\ntest \"$*\" = 'fuzz --version'\n");
    program("fuzz/ci", "#!/bin/sh\necho \"codec from seeds Done $FUZZ_SEED runs\"\n");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().join("bin").display());
    let run = || {
        let arguments = [&SHORT[..], &["--rounds", "1", "--weight", "explore=0"]].concat();
        let (code, out, _) = ended(sim(&folder, &arguments).env("PATH", &path));
        let last = out.lines().last().expect("a unit");
        (code, serde_json::from_str::<Value>(last).expect("JSON"))
    };
    let (code, unit) = run();
    assert_eq!((code, &unit["driver"], &unit["result"]), (0, &"fuzz".into(), &"codec from seeds Done 1 runs".into()));
    program("fuzz/ci", "#!/bin/sh\necho 'world failed, from seeds; see'\nexit 1\n");
    let (code, unit) = run();
    assert_eq!((code, &unit["failures"][0]["said"]), (1, &"world failed, from seeds; see".into()));
    program("fuzz/ci", "#!/bin/sh\necho 'it does not compile'\nexit 1\n");
    let (code, unit) = run();
    assert_eq!((code, &unit["result"]), (0, &"they could not run: it does not compile".into()));
}

#[test]
fn the_page_is_written_and_a_folder_without_a_record_is_refused() {
    let folder = folder();
    let page = ["campaign", "--record", "r", "--report", "-o", "page.html"];
    let (code, _, error) = ended(&mut sim(&folder, &page));
    assert_eq!((code, &*error), (2, "error: r: there is no record in it\n"));
    assert_eq!(campaign(&folder, &["--rounds", "1"]).0, 0);
    assert_eq!(ended(&mut sim(&folder, &page)), (0, "page.html\n".to_owned(), String::new()));
    let page = fs::read_to_string(folder.path().join("page.html")).expect("a page");
    assert!(page.contains("<h2>How long situations took</h2>") && page.contains("<circle"), "{page}");
}

#[cfg(not(feature = "planted-bugs"))]
#[test]
fn a_build_without_planted_bugs_says_that_there_is_no_canary() {
    let folder = folder();
    let (code, out, _) = campaign(&folder, &["--rounds", "1", "--weight", "explore=1"]);
    assert!(code == 0 && out.contains("this build has no planted bugs"), "{out}");
    let (_, out, _) = ended(&mut sim(&folder, &["campaign", "--record", "r", "--report"]));
    assert!(out.contains("rounds      1 without a canary\n"), "{out}");
    let (code, _, error) = campaign(&folder, &["--canary", "vote-double-grant"]);
    assert!(code == 2 && error.contains("--features planted-bugs"), "{error}");
}

#[cfg(feature = "planted-bugs")]
mod planted {
    use super::*;

    #[test]
    fn a_canary_that_is_not_caught_makes_the_round_count_for_nothing_and_ends_the_campaign() {
        let folder = folder();
        let missed = ["--rounds", "3", "--canary", "async-append-aba", "--canary-seeds", "1"];
        let (code, out, error) = campaign(&folder, &missed);
        assert_eq!((code, units(&out).len()), (1, 2), "{out}");
        let said = "the canary of round 1 was not caught: the round counts for nothing, and the campaign ends\n";
        assert!(error.ends_with(said), "{error}");
        assert_eq!(campaign(&folder, &["--rounds", "1", "--weight", "explore=1"]).0, 0);
        let report = report(&folder);
        assert_eq!((&report["rounds"]["missed"], &report["rounds"]["caught"]), (&1.into(), &1.into()));
        assert_eq!(report["ran"]["corpus"]["units"], 1);
    }

    #[test]
    fn a_canary_falls_in_each_round_and_is_another_one() {
        let folder = folder();
        let (code, out, _) = campaign(&folder, &["--rounds", "8", "--weight", "explore=0"]);
        assert_eq!(code, 0, "{out}");
        let canaries: Vec<&str> = out.lines().filter(|line| line.contains("\"driver\":\"canary\"")).collect();
        let names: std::collections::BTreeSet<String> = canaries
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["bug"]["name"].to_string())
            .collect();
        assert_eq!((canaries.len(), names.len()), (8, 8));
    }

    #[test]
    fn planted_bugs_are_looked_for_one_after_another_and_their_seeds_add_up() {
        let folder = folder();
        let (_, out, _) = campaign(&folder, &["--rounds", "1", "--weight", "bugs=2", "--weight", "explore=0"]);
        let (_, more, _) = campaign(&folder, &["--rounds", "1", "--weight", "bugs=1", "--weight", "explore=0"]);
        let hunted = |text: &str| -> Vec<Value> {
            let units = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            units.filter(|unit| unit["driver"] == "bugs").collect()
        };
        let all = [hunted(&out), hunted(&more)].concat();
        let names: std::collections::BTreeSet<&str> =
            all.iter().map(|unit| unit["bug"]["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), 3);
        let report = report(&folder);
        for unit in &all {
            let bug = &report["bugs"][unit["bug"]["name"].as_str().unwrap()];
            assert_eq!((&bug["seeds"], &bug["events"]), (&unit["seeds"], &unit["events"]));
        }
    }

    fn record(folder: &TempDir) -> Vec<Value> {
        text(folder).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[test]
    fn what_fails_leaves_a_trace_that_runs_again_at_the_beginning_of_the_next_round() {
        let folder = folder();
        let (code, out, _) = campaign(&folder, &["--rounds", "2", "--weight", "explore=1", "--bug", "commit-regress"]);
        assert_eq!(code, 1, "{out}");
        let record = record(&folder);
        let failed = |unit: &Value| unit["failures"].as_array().cloned().unwrap_or_default();
        let found: Vec<Value> = record.iter().filter(|unit| unit["round"] == 1).flat_map(failed).collect();
        assert!(!found.is_empty() && found.iter().all(|failed| failed["property"] == "monotonic"), "{found:?}");
        let again = failed(record.iter().find(|unit| unit["round"] == 2).expect("the first unit of the second round"));
        for failed in &found {
            let trace = failed["trace"].as_str().expect("a trace");
            assert!(folder.path().join("r").join(trace).is_file(), "{trace}");
            let same = |one: &&Value| one["trace"] == trace && one["events"] == failed["events"];
            assert_eq!(again.iter().filter(same).count(), 1, "{again:?}");
        }
        let (_, out, _) = campaign(&folder, &["--rounds", "1", "--weight", "explore=0"]);
        assert!(
            out.lines().next().is_some_and(|corpus| !corpus.contains("failures\":")),
            "without the bug it is gone: {out}"
        );
    }

    #[test]
    fn crash_points_and_exhaustive_searches_leave_traces_too() {
        let folder = folder();
        let bug = ["--rounds", "1", "--weight", "explore=0", "--weight", "sweep=1", "--weight", "exhaust=3"];
        let (code, out, _) = campaign(&folder, &[&bug[..], &["--bug", "mustsync-drops-vote"]].concat());
        assert_eq!(code, 1, "{out}");
        let record = record(&folder);
        for driver in ["sweep", "exhaust"] {
            let found = record.iter().filter(|unit| unit["driver"] == driver);
            let mut found = found.flat_map(|unit| unit["failures"].as_array().cloned().unwrap_or_default()).peekable();
            assert!(found.peek().is_some(), "{driver} finds nothing: {out}");
            for failed in found {
                let trace = folder.path().join("r").join(failed["trace"].as_str().expect("a trace"));
                let (code, out, _) = ended(&mut sim(&folder, &["replay", trace.to_str().expect("text")]));
                assert_eq!(code, 1, "{out}");
            }
        }
    }

    #[test]
    fn a_seed_that_hangs_is_a_failure_and_the_next_start_goes_on_behind_it() {
        let folder = folder();
        let hang = ["--bug", "endless-loop", "--hang-after", "1s", "--jobs", "1", "--weight", "explore=1"];
        let (code, out, error) = campaign(&folder, &hang);
        assert_eq!(code, 1, "{error}");
        let unit: Value = serde_json::from_str(out.lines().last().expect("a unit")).expect("JSON");
        assert_eq!((code, &unit["driver"], &unit["failures"][0]["property"]), (1, &"explore".into(), &"hang".into()));
        assert!(error.contains("something hangs, and its thread cannot be ended: the campaign ends"), "{error}");
        let (code, out, _) = campaign(&folder, &["--rounds", "1"]);
        assert_eq!((code, units(&out)[0].0), (0, 2), "{out}");
    }

    /// The same unit finds the same, however many run at once.
    #[test]
    fn what_is_recorded_does_not_depend_on_the_number_of_threads() {
        let run = |jobs: &str| campaign(&folder(), &["--rounds", "2", "--weight", "bugs=2", "--jobs", jobs]).1;
        assert_eq!(run("1"), run("3"));
    }
}
