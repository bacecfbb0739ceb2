//! `sim play` from a pipe: what it prints, what it writes, and how it exits.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Plays these lines in the folder: the exit status, and what is printed.
fn play(folder: &TempDir, arguments: &[&str], lines: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.arg("play").args(arguments).current_dir(folder.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the simulator starts");
    let mut input = child.stdin.take().expect("it has an input");
    // One that ends before it has read all closes the pipe.
    drop(input.write_all(lines.as_bytes()));
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    (output.status.code().expect("an exit status"), String::from_utf8(output.stdout).expect("text"))
}

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder can be made");
    let scenario = "# One leads.\nadd-nodes 3 voters=(1,2,3) index=1\ncampaign 1\nstabilize log-level=none\n";
    std::fs::write(folder.path().join("leader.txt"), scenario).expect("a file");
    folder
}

/// Runs the simulator in the folder, and returns its exit status.
fn sim(folder: &TempDir, arguments: &[&str]) -> i32 {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder.path()).output();
    output.expect("the simulator starts").status.code().expect("an exit status")
}

const FROM_NOTHING: &str = "\
add-nodes 3 voters=(1,2,3) index=1
campaign 1
process-ready 1
events
1
messages
undo
stabilize 1 3
propose-conf-change 1
  l4
run 5
check
expect leader=1
save it.txt
save it.txt
list
";

#[test]
fn a_session_from_nothing_prints_each_command_and_what_it_led_to() {
    let folder = folder();
    let (code, text) = play(&folder, &[], FROM_NOTHING);
    insta::assert_snapshot!(text);
    assert_eq!(code, 2, "a file that is there is not replaced");
    assert_eq!(play(&folder, &[], &FROM_NOTHING.replace("save it.txt", "save! it.txt")).0, 0);
    assert_eq!(sim(&folder, &["scenario", "it.txt"]), 0);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn the_same_lines_print_the_same() {
    let lines = FROM_NOTHING.replace("save it.txt\n", "");
    let folder = folder();
    assert_eq!(play(&folder, &[], &lines), play(&folder, &[], &lines));
}

#[test]
fn a_session_goes_on_from_a_scenario_and_from_a_step_of_a_trace() {
    let folder = folder();
    let (code, text) = play(&folder, &["leader.txt"], "write 1 k1=green\nsave more.jsonl\nundo 2\n");
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("leader.txt\nnode role"), "{text}");
    let (code, text) = play(&folder, &["more.jsonl", "--at", "12"], "undo\nevents\n");
    insta::assert_snapshot!(text);
    assert_eq!(code, 0);
    assert_eq!(
        play(&folder, &["leader.txt", "--at", "11"], "nodes\n").1.lines().nth(5),
        Some("after 11 events, in flight: 1->3 MsgVote")
    );
}

#[test]
fn a_line_that_makes_no_sense_is_named_and_the_next_one_is_read() {
    let folder = folder();
    let (code, text) = play(&folder, &["leader.txt"], "# a comment\n\ncampain 2\ncampaign 2\nquit\ncampaign 3\n");
    assert_eq!(code, 2);
    assert!(text.contains("> campain 2\nline 3: there is no command \"campain\", and help lists them all; "), "{text}");
    assert!(text.contains("> campaign 2\nnode role"), "{text}");
    assert!(!text.contains("campaign 3"), "{text}");
    assert_eq!(play(&folder, &["leader.txt"], "expect leader=2\n").0, 1);
}

#[test]
fn where_no_session_can_begin_is_said_and_nothing_is_played() {
    let folder = folder();
    std::fs::write(folder.path().join("bad.txt"), "add-nodes 1 voters=(1) index=1\ncampaign 7\n").expect("a file");
    for arguments in [&["none.txt"][..], &["bad.txt"], &["none.jsonl"], &["leader.txt", "--at", "5000"], &["--at", "5"]]
    {
        assert_eq!(play(&folder, arguments, "nodes\n"), (2, String::new()), "{arguments:?}");
    }
}

#[cfg(feature = "planted-bugs")]
#[test]
fn a_failure_is_told_as_elsewhere_and_undone() {
    let folder = folder();
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces/vote-compares-commit.jsonl");
    let (code, text) = play(&folder, &[traces.to_str().expect("text")], "undo\nsave it.txt\nredo\nsave broken.txt\n");
    assert_eq!(code, 1, "{text}");
    for said in ["VIOLATED   leader-completeness at step 39\n", "source     paper", "undo takes it back\n"] {
        assert_eq!(text.matches(said).count(), 2, "{said} in {text}");
    }
    assert_eq!((sim(&folder, &["scenario", "it.txt"]), sim(&folder, &["scenario", "broken.txt"])), (0, 1));
}

/// The session that the README shows is what is printed.
#[test]
fn the_readme_shows_a_session_as_it_is_printed() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("there is a README");
    let (_, section) = readme.split_once("\n## Play\n").expect("it has a section about sessions");
    let (_, block) = section.split_once("```text\n").expect("which shows one");
    let (block, _) = block.split_once("```").expect("whole");
    let lines: String = block.lines().filter_map(|line| Some(format!("{}\n", line.strip_prefix("> ")?))).collect();
    assert_eq!(play(&folder(), &[], &lines), (0, block.to_owned()));
}
