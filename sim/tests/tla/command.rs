//! The command line: what is written, and what is said where nothing is.

use std::path::Path;
use std::process::{Command, Output};

use super::form::check;
use super::read;

fn sim(arguments: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder).output().expect("the simulator starts")
}

fn scenario(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(name).display().to_string()
}

#[test]
fn a_scenario_becomes_a_file() {
    let out = sim(&["tla", &scenario("elections/a-majority-elects-a-leader.txt"), "-o", "elected.ndjson"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(Path::new(env!("CARGO_TARGET_TMPDIR")).join("elected.ndjson")).expect("a file");
    assert_eq!(check(&read(&text)), Ok(()));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.contains(&format!("elected.ndjson: {} lines", text.lines().count())), "{said}");
}

#[test]
fn what_the_specification_does_not_have_is_refused_with_the_event_and_the_reason() {
    let name = scenario("pre-vote/a-partitioned-node-does-not-disturb-the-leader.txt");
    let out = sim(&["tla", &name, "-o", "refused.ndjson"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2));
    assert!(said.contains("event 1: node 1 runs with pre-vote") && said.contains("nothing comes before it"), "{said}");
    assert!(!Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused.ndjson").exists());
}

#[test]
fn seeds_become_files_of_at_most_600_lines_and_the_end_of_each_is_told() {
    let out = sim(&["explore", "--seeds", "0..6", "--steps", "1500", "--tla", "tla-files"]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(said.lines().filter(|line| line.starts_with("seed ")).count(), 6, "{said}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tla-files");
    let files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert!(!files.is_empty() && said.contains(&format!("{} of 6 files", files.len())), "{said}");
    for file in files {
        let lines = read(&std::fs::read_to_string(&file).expect("a file"));
        assert_eq!(check(&lines), Ok(()), "{}", file.display());
        assert!((100..=600).contains(&lines.len()), "{}", file.display());
    }
}
