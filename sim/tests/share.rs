//! A share of a range of seeds as a unit of work: its folder, which a second start goes on with, and what keeps others out of it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SHORT: [&str; 3] = ["--steps", "300", "--no-settle"];

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn explore(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.arg("explore").args(SHORT).args(arguments).current_dir(folder.path());
    command.env_remove("CARGO_PKG_NAME").env_remove("SIM_SHARD_INDEX").env_remove("SIM_SHARD_COUNT");
    command
}

/// The exit status, and what was printed on both ways.
fn ended(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the simulator starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("an exit status"), text(output.stdout), text(output.stderr))
}

fn explored(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    ended(&mut explore(folder, arguments))
}

fn text_of(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name).join("summary.json")).expect("a summary")
}

fn summary(folder: &TempDir, name: &str) -> Value {
    serde_json::from_str(&text_of(folder, name)).expect("JSON")
}

/// How many seeds the summary says are done, by its ranges.
fn done(path: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let summary: Value = serde_json::from_str(&text).expect("a summary is whole at any moment");
    let ranges = summary["done"].as_array().expect("ranges").clone();
    Some(ranges.iter().map(|range| range[1].as_u64().unwrap() - range[0].as_u64().unwrap()).sum())
}

/// Starts, and waits until the summary has more seeds than so many.
fn at_work_after(folder: &TempDir, arguments: &[&str], name: &str, seeds: u64) -> Child {
    let mut child: Child = explore(folder, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let path = folder.path().join(name).join("summary.json");
    while done(&path).is_none_or(|done| done <= seeds) {
        assert!(child.try_wait().expect("a child").is_none(), "it has ended before it could be killed");
        std::thread::yield_now();
    }
    child
}

/// The same, and then kills the process.
fn killed_after(folder: &TempDir, arguments: &[&str], name: &str, seeds: u64) {
    let mut child = at_work_after(folder, arguments, name, seeds);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

#[test]
fn a_share_that_was_killed_again_and_again_ends_as_one_that_never_was() {
    let folder = folder();
    let share = ["--seeds", "0..2400", "--shard", "2/2"];
    let (code, _, error) = explored(&folder, &[&share[..], &["--out", "whole"]].concat());
    assert_eq!(code, 0, "{error}");
    let arguments = [&share[..], &["--out", "killed"]].concat();
    let path = folder.path().join("killed/summary.json");
    let mut before = 0;
    for _ in 0..3 {
        // One at a time: a machine with many cores would be done before it is killed.
        killed_after(&folder, &[&arguments[..], &["--jobs", "1"]].concat(), "killed", before);
        let now = done(&path).expect("a summary");
        assert!(now > before, "{now} seeds are done, {before} were before");
        before = now;
    }
    let (code, out, error) = explored(&folder, &arguments);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains(&format!("{before} seeds were run before; {} are left", 1200 - before)), "{error}");
    assert!(out.contains(&format!("1200 seeds, {before} of them before, 0 failures")), "{out}");
    assert_eq!(text_of(&folder, "killed"), text_of(&folder, "whole"));
}

#[test]
fn the_summary_says_which_share_of_what_it_is_and_what_became_of_it() {
    let folder = folder();
    let (code, out, error) = explored(&folder, &["--seeds", "10..31", "--shard", "3/4", "--out", "s"]);
    assert_eq!(code, 0, "{error}");
    let summary = summary(&folder, "s");
    assert_eq!((&summary["format"], &summary["version"]), (&"raft-sim-share".into(), &1.into()));
    assert_eq!((&summary["from"], &summary["to"]), (&"10".into(), &"31".into()));
    assert_eq!((&summary["share"], &summary["shares"], &summary["count"]), (&3.into(), &4.into(), &5.into()));
    assert_eq!(summary["options"], "--steps 300 --no-settle");
    assert_eq!((&summary["done"], &summary["complete"]), (&serde_json::json!([[0, 5]]), &true.into()));
    assert!(out.ends_with(&format!("digest {}\n", summary["digest"].as_str().unwrap())), "{out}");
    assert!(out.contains(&format!("{} events; a command", summary["events"])), "{out}");
}

#[test]
fn a_second_start_of_a_complete_share_runs_nothing_and_says_the_same() {
    let folder = folder();
    let arguments = ["--seeds", "0..30", "--out", "s", "--json"];
    let (_, first, _) = explored(&folder, &arguments);
    let (code, second, error) = explored(&folder, &arguments);
    assert_eq!((code, &*error), (0, "30 seeds were run before; 0 are left\n"));
    let [mut first, mut second] = [first, second].map(|out| serde_json::from_str::<Value>(&out).expect("a line"));
    assert_eq!((first["before"].take(), second["before"].take()), (0.into(), 30.into()));
    assert_eq!(first, second);
}

#[test]
fn the_digests_of_shares_add_up_to_that_of_the_range() {
    let folder = folder();
    let digest = |arguments: &[&str], name: &str| {
        assert_eq!(explored(&folder, &[arguments, &["--seeds", "0..50", "--out", name]].concat()).0, 0);
        u64::from_str_radix(summary(&folder, name)["digest"].as_str().expect("text"), 16).expect("a digest")
    };
    let whole = digest(&[], "whole");
    let shares = (1..=3).map(|number| digest(&["--shard", &format!("{number}/3")], &number.to_string()));
    assert_eq!(shares.fold(0, u64::wrapping_add), whole);
}

#[test]
fn the_share_comes_from_the_environment_or_the_environment_is_refused() {
    let folder = folder();
    let arguments = ["--seeds", "0..9", "--shard", "env", "--out", "s"];
    let mut command = explore(&folder, &arguments);
    let (code, _, error) = ended(command.env("JOB_COMPLETION_INDEX", "2").env("SIM_SHARD_COUNT", "3"));
    assert_eq!(code, 0, "{error}");
    assert_eq!((&summary(&folder, "s")["share"], &summary(&folder, "s")["shares"]), (&3.into(), &3.into()));
    let mut command = explore(&folder, &arguments);
    let (code, _, error) = ended(command.env("JOB_COMPLETION_INDEX", "1").env("SIM_SHARD_COUNT", "3"));
    assert_eq!((code, &*error), (2, "error: s: it holds the share 3/3, not 2/3; name another folder\n"));
    let mut command = explore(&folder, &arguments);
    let (code, _, error) = ended(command.env("JOB_COMPLETION_INDEX", "2"));
    assert_eq!(code, 2);
    let said = "error: --shard env: JOB_COMPLETION_INDEX=2, but nothing says of how many shares: set SIM_SHARD_COUNT\n";
    assert_eq!(error, said);
}

#[test]
fn a_folder_of_other_options_is_refused() {
    let folder = folder();
    assert_eq!(explored(&folder, &["--seeds", "0..9", "--out", "s"]).0, 0);
    let before = text_of(&folder, "s");
    let (code, _, error) = explored(&folder, &["--seeds", "0..9", "--out", "s", "--nodes", "3"]);
    let said = "s: it holds --steps 300 --no-settle, not --steps 300 --nodes 3 --no-settle; name another folder";
    assert_eq!((code, error.contains(said)), (2, true), "{error}");
    let (code, _, error) = explored(&folder, &["--out", "s"]);
    assert_eq!((code, error.contains("s: it holds seeds 0..9, not ")), (2, true), "{error}");
    assert_eq!(text_of(&folder, "s"), before);
}

#[test]
fn seeds_from_a_drawn_one_on_go_on_from_the_same_one() {
    let folder = folder();
    let arguments = ["--out", "s", "--seconds", "1"];
    assert_eq!(explored(&folder, &arguments).0, 0);
    let (first, done_first) = (summary(&folder, "s"), done(&folder.path().join("s/summary.json")));
    let (code, _, error) = explored(&folder, &arguments);
    assert_eq!(code, 0, "{error}");
    assert_eq!(summary(&folder, "s")["from"], first["from"]);
    assert!(done(&folder.path().join("s/summary.json")) > done_first);
}

#[cfg(unix)]
#[test]
fn a_share_that_is_asked_to_end_says_by_its_exit_that_it_is_not_at_its_end() {
    let folder = folder();
    let mut child = at_work_after(&folder, &["--seeds", "0..2000000", "--out", "s"], "s", 0);
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill is there");
    assert!(asked.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let (before, summary) = (done(&folder.path().join("s/summary.json")).expect("a summary"), summary(&folder, "s"));
    assert_eq!((summary["seeds"].as_u64(), &summary["complete"]), (Some(before), &false.into()));
}

/// A limit on the size of files stands for a disk that is full.
#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_is_an_error_and_what_was_written_is_still_there() {
    let folder = folder();
    let arguments = ["--seeds", "0..2000000", "--out", "s"];
    killed_after(&folder, &arguments, "s", 0);
    let before = text_of(&folder, "s");
    let (code, _, error) = with_files_up_to(&folder, "0", &arguments);
    assert_eq!(code, 2, "{error}");
    let said = "what was written before is still there, and a second start goes on from it";
    assert!(error.contains("error: s/summary.json: ") && error.contains(said), "{error}");
    assert_eq!(text_of(&folder, "s"), before);
}

#[cfg(unix)]
#[test]
fn a_disk_that_becomes_full_ends_the_exploration_which_says_what_it_found_and_why_it_ended() {
    let folder = folder();
    // Enough for a summary of nothing, and not for one of many situations.
    let (code, out, error) = with_files_up_to(&folder, "8", &["--seeds", "0..2000000", "--out", "s"]);
    assert_eq!(code, 2, "{out}{error}");
    assert!(out.contains(" seeds, 0 failures; ") && error.starts_with("error: s"), "{out}{error}");
    let kept = done(&folder.path().join("s/summary.json")).expect("a summary");
    let (code, _, error) = explored(&folder, &["--seeds", "0..2000000", "--out", "s", "--seconds", "1"]);
    assert_eq!(code, 0, "{error}");
    assert!(done(&folder.path().join("s/summary.json")) > Some(kept));
}

/// Explores where no file may be longer than so many blocks.
#[cfg(unix)]
fn with_files_up_to(folder: &TempDir, blocks: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", blocks, env!("CARGO_BIN_EXE_sim"), "explore"]);
    ended(command.args(SHORT).args(arguments).current_dir(folder.path()))
}

#[cfg(feature = "planted-bugs")]
mod planted {
    use std::io::{BufRead, BufReader};

    use super::*;

    fn traces(folder: &TempDir, name: &str) -> Vec<String> {
        let entries = std::fs::read_dir(folder.path().join(name)).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut traces: Vec<String> = names.filter(|name| name.starts_with("violation-")).collect();
        traces.sort();
        traces
    }

    fn explored_with(folder: &TempDir, bug: &str, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.args(["explore", "--out", "s", "--steps", "2000", "--nodes", "3", "--bug", bug]).args(arguments);
        ended(command.current_dir(folder.path()))
    }

    /// With this bug every seed fails and is told, after it was written.
    #[test]
    fn a_kill_loses_only_seeds_that_were_under_way() {
        let folder = folder();
        let all = ["--seeds", "0..1000000", "--out", "s", "--steps", "2000", "--nodes", "3", "--bug", "assertion"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.arg("explore").args(all).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the simulator starts");
        let told = BufReader::new(child.stdout.take().expect("piped")).lines().take(60).count() as u64;
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let (_, _, error) = explored_with(&folder, "assertion", &["--seeds", "0..1000000", "--seconds", "1"]);
        let before: u64 = error.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
        assert!(told == 60 && before >= told, "{told} seeds were told; {error}");
    }

    #[test]
    fn a_second_start_records_the_traces_that_a_kill_has_cost() {
        let folder = folder();
        let explored = || explored_with(&folder, "assertion", &["--seeds", "0..9"]);
        assert_eq!(explored().0, 1);
        let kept = traces(&folder, "s");
        assert_eq!(kept.len(), 3);
        let trace = |name: &str| std::fs::read(folder.path().join("s").join(name)).expect("a trace");
        let before = trace(&kept[1]);
        std::fs::remove_file(folder.path().join("s").join(&kept[1])).unwrap();
        let (code, out, error) = explored();
        assert_eq!(code, 1, "{error}");
        assert_eq!(traces(&folder, "s"), kept, "{out}");
        assert!(trace(&kept[1]) == before, "the trace is the same");
    }

    #[test]
    fn a_seed_that_hangs_is_done_and_the_next_start_goes_on_behind_it() {
        let folder = folder();
        let hang = ["--seeds", "5..8", "--hang-after", "1s", "--jobs", "1"];
        for done_now in 1..=3 {
            let (code, out, error) = explored_with(&folder, "endless-loop", &hang);
            assert_eq!((code, done(&folder.path().join("s/summary.json"))), (1, Some(done_now)), "{out}{error}");
        }
        assert_eq!(summary(&folder, "s")["complete"], true);
    }
}
