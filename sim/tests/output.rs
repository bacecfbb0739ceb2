//! What every subcommand does where its output cannot be written, is not read, or is no plain file.
#![cfg(unix)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sim::script;
use tempfile::TempDir;

const SIM: &str = env!("CARGO_BIN_EXE_sim");

/// A folder with a scenario, its snapshot, a transcript that differs, a trace that fails, and an input for a fuzz target.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("it can be written");
    put("held.txt", "add-nodes 1 voters=(1) index=2\ncampaign 1\n");
    put("held.snap", "---\nsource: here\n---\nelse\n");
    put("transcript.txt", "add-nodes 1\n----\nno\n");
    put("input", "abcdefgh");
    let failed = script::record(FAILS).expect("it can be carried out");
    failed.save(&folder.path().join("failed.jsonl")).expect("it can be written");
    folder
}

/// A node is elected by a vote that nobody gave.
const FAILS: &str = "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\nprocess-ready 1\n\
                     step 1 type=MsgVoteResp from=2 term=1\n";

/// Every subcommand, so that each prints something.
const EACH: [&[&str]; 16] = [
    &["--help"],
    &["--version"],
    &["--seed", "1", "--steps", "100"],
    &["explore", "--seeds", "0..3", "--steps", "100"],
    &["explore", "--seeds", "0..3", "--steps", "100", "--json"],
    &["explore", "--seeds", "0..3", "--steps", "100", "--determinism"],
    &["conform", "transcript.txt"],
    &["properties"],
    &["scenario", "held.txt"],
    &["scenario", "--check", "held.txt"],
    &["scenario", "held.txt", "--trace", "held.jsonl"],
    &["scenario", "--from-trace", "failed.jsonl"],
    &["replay", "failed.jsonl"],
    &["show", "failed.jsonl"],
    &["report", "failed.jsonl", "-o", "page.html"],
    &["fuzz", "trace", "input", "-o", "input.jsonl"],
];

fn run(folder: &TempDir, arguments: &[&str], to: impl Into<Stdio>) -> Output {
    let mut command = Command::new(SIM);
    command.current_dir(folder.path()).args(arguments).stdout(to).stderr(Stdio::piped());
    command.spawn().and_then(std::process::Child::wait_with_output).expect("sim runs")
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_every_subcommand() {
    let folder = folder();
    for arguments in EACH {
        let full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let output = run(&folder, arguments, full);
        let said = error(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(
            said.ends_with("error: standard output: No space left on device (os error 28)\n"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_every_subcommand_quietly() {
    let folder = folder();
    for arguments in EACH {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = run(&folder, arguments, writer);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {output:?}");
        assert_eq!(error(&output), "", "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_error_may_be_full() {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let status = Command::new(SIM).args(["replay", "no-such-file"]).stderr(full).status().expect("sim runs");
    assert_eq!(status.code(), Some(2));
}

/// The subcommands that write a file, up to its name.
const WRITERS: [&[&str]; 6] = [
    &["--seed", "1", "--steps", "100", "--trace"],
    &["scenario", "held.txt", "--trace"],
    &["scenario", "--from-trace", "failed.jsonl", "-o"],
    &["shrink", "failed.jsonl", "-o"],
    &["report", "failed.jsonl", "-o"],
    &["fuzz", "trace", "input", "-o"],
];

fn into(folder: &TempDir, writer: &[&str], out: &str) -> Output {
    run(folder, &[writer, &[out]].concat(), Stdio::piped())
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).expect("a text").lines().count()
}

#[test]
fn a_link_is_followed_and_a_file_is_replaced_whole() {
    let folder = folder();
    fs::create_dir(folder.path().join("elsewhere")).expect("a folder");
    for writer in WRITERS {
        let (link, file) = (folder.path().join("link"), folder.path().join("elsewhere/file"));
        fs::write(&file, "old\n").expect("a file");
        std::os::unix::fs::symlink("elsewhere/file", &link).expect("a link");
        let kept = File::open(&file).expect("it is there");
        let output = into(&folder, writer, "link");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{writer:?}: {output:?}");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink(), "{writer:?}");
        assert!(lines(&file) > 1, "{writer:?}");
        assert_eq!(std::io::read_to_string(kept).expect("the old one"), "old\n", "{writer:?}");
        assert_eq!(fs::read_dir(folder.path().join("elsewhere")).expect("a folder").count(), 1, "{writer:?}");
        fs::remove_file(link).expect("ours");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_stays_what_it_is_and_says_when_it_is_full() {
    use std::os::unix::fs::FileTypeExt;
    let folder = folder();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("full")).expect("a link");
    for writer in WRITERS {
        let output = into(&folder, writer, "full");
        assert_eq!(output.status.code(), Some(2), "{writer:?}: {output:?}");
        assert!(error(&output).contains("error: full: No space left on device"), "{writer:?}: {output:?}");
    }
    assert!(fs::metadata(folder.path().join("full")).expect("a device").file_type().is_char_device());
}

#[test]
fn a_pipe_is_given_the_result_once() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("every unix has it").success());
    for writer in WRITERS {
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).expect("a text")
        });
        let output = into(&folder, writer, "pipe");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{writer:?}: {output:?}");
        let read = reader.join().expect("it was written");
        assert!(read.lines().count() > 1 && read.matches("{\"format\"").count() <= 1, "{writer:?}: {read}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_written_to_standard_output_is_all_that_stands_there() {
    let folder = folder();
    let output = into(&folder, &["shrink", "failed.jsonl", "-o"], "/dev/stdout");
    let trace = String::from_utf8(output.stdout.clone()).expect("text");
    assert!(trace.starts_with("{\"format\"") && trace.lines().all(|line| line.starts_with('{')), "{output:?}");
    assert!(error(&output).contains("events of "), "{output:?}");
    let file = PathBuf::from(folder.path()).join("redirected.jsonl");
    run(&folder, &["shrink", "failed.jsonl", "-o", "/dev/stdout"], File::create(&file).expect("a file"));
    assert_eq!(fs::read_to_string(file).expect("text"), trace);
}
