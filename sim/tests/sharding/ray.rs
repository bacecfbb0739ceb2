//! The example for Ray, on this machine: also where one of its workers is killed at work.

use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{command, ended, example, folder, merged, whole};

/// Shares that take a second at least, so that one can be killed at work.
const SEEDS: &str = if cfg!(debug_assertions) { "0..2400" } else { "0..24000" };

/// A Python that has Ray, by the name that `.ci/run` gives, or the usual one. `None`, with the reason printed, where there is none.
fn python() -> Option<String> {
    let python = std::env::var("RAY_PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(&python).args(["-c", "import ray"]).output();
    let there = output.is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: {python} has no Ray; RAY_PYTHON names another, ray/requirements.txt says what it needs");
    }
    there.then_some(python)
}

fn explore(folder: &TempDir, python: &str, seeds: &str) -> Command {
    let mut command = command(folder, python);
    command.arg(example("ray/explore.py")).args(["--shards", "4", "--out", "shares", "--seeds"]).args(seeds.split(' '));
    command
}

/// Whether that share has begun: its process keeps what a next start needs after each seed.
fn begun(folder: &TempDir, share: &str) -> bool {
    folder.path().join("shares").join(share).join("latest-0").exists()
}

/// The process that started the simulator for that share.
fn worker(folder: &TempDir, share: &str) -> String {
    let output = Command::new("ps").args(["-A", "-o", "ppid=,args="]).output().expect("there is ps");
    let ours = format!("{}/shares/{share}", folder.path().canonicalize().expect("a path").display());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.contains(&ours))
        .unwrap_or_else(|| panic!("the share has ended before its worker could be killed"));
    line.split_whitespace().next().expect("a number").to_owned()
}

fn kill(process: &str) {
    assert!(Command::new("kill").args(["-9", process]).status().expect("there is kill").success());
}

fn at_work(child: &mut Child) -> bool {
    child.try_wait().expect("a child").is_none()
}

#[test]
fn the_example_for_ray_finds_what_one_process_finds_though_a_worker_is_killed() {
    let Some(python) = python() else { return };
    let (folder, seeds) = (folder(), format!("{SEEDS} --steps 300 --no-settle"));
    let mut child = explore(&folder, &python, &seeds).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    while !begun(&folder, "1") {
        assert!(at_work(&mut child), "it has ended before anything was done");
        std::thread::yield_now();
    }
    kill(&worker(&folder, "1"));
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (merged, whole) = (merged(&folder), whole(&folder, &seeds));
    assert_eq!((&merged["complete"], &merged["digest"]), (&true.into(), &whole["digest"]), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
    let last = format!("seeds, 0 failures; digest {}\n", whole["digest"].as_str().expect("text"));
    assert!(said.ends_with(&last), "{said}");
}

#[test]
fn the_example_for_ray_says_which_shares_could_not_be_run() {
    let Some(python) = python() else { return };
    let folder = folder();
    std::fs::create_dir(folder.path().join("shares")).unwrap();
    std::fs::write(folder.path().join("shares/3"), "a file where a folder should be").unwrap();
    let (code, out, error) = ended(&mut explore(&folder, &python, super::SHORT));
    assert_eq!(code, 2, "{out}{error}");
    assert!(error.contains("share 3: ") && error.contains("exit code 2: "), "{error}");
    assert!(out.contains("\nshares     3 of 4; missing 3\n"), "{out}");
}

#[cfg(feature = "planted-bugs")]
#[test]
fn the_example_for_ray_ends_all_shares_at_the_first_failure_when_asked() {
    let Some(python) = python() else { return };
    let folder = folder();
    let seeds = "0..1000000000 --bug vote-double-grant --first-failure";
    let (code, out, error) = ended(&mut explore(&folder, &python, seeds));
    assert_eq!(code, 1, "{out}{error}");
    assert!(out.contains("\nBROKEN     vote-once, by "), "{out}");
    assert_eq!(merged(&folder)["complete"], false);
}
