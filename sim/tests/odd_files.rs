//! Whatever is given as a file, every subcommand says in one line what is wrong with it, and ends.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::process::{Command, Output};

use sim::script;
use tempfile::TempDir;

/// The subcommands that read a file, up to its name.
const READERS: [&[&str]; 10] = [
    &["replay"],
    &["show"],
    &["report", "-o", "out"],
    &["shrink", "-o", "out"],
    &["scenario", "--from-trace"],
    &["scenario"],
    &["scenario", "--check"],
    &["scenario", "--trace", "out"],
    &["conform"],
    &["fuzz", "trace", "-o", "out"],
];

/// Those that read a trace.
const OF_TRACES: std::ops::Range<usize> = 0..5;
/// Those that read a scenario or a transcript.
const OF_SCRIPTS: std::ops::Range<usize> = 5..9;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) {
    fs::write(folder.path().join(name), bytes).expect("it can be written");
}

fn sim(folder: &TempDir, arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).current_dir(folder.path()).args(arguments).output();
    let output = output.expect("sim runs");
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8(said).expect("text, whatever is in the file"))
}

/// Each of these subcommands refuses this file with a line that names it and says this.
fn refuse(folder: &TempDir, readers: std::ops::Range<usize>, name: &str, what: &str) {
    for reader in &READERS[readers] {
        let (output, said) = sim(folder, &[reader, &[name][..]].concat());
        assert!(matches!(output.status.code(), Some(1 | 2)), "{reader:?} {name}: {output:?}");
        let line = said.lines().find(|line| line.contains(what)).unwrap_or_default();
        assert!(line.contains(name) && line.len() < 3000, "{reader:?} {name}: {said}");
        assert!(!said.contains('\0') && !said.contains('\x1b'), "{reader:?} {name}: {said:?}");
    }
}

/// A trace as a text.
fn trace() -> String {
    let scenario = "add-nodes 1 voters=(1) index=2\ncampaign 1\nstabilize\n";
    let trace = script::record(scenario).expect("it can be carried out");
    String::from_utf8(trace.write(Vec::new()).expect("memory takes everything")).expect("text")
}

#[test]
fn what_is_no_text_and_what_is_nothing() {
    let folder = folder();
    put(&folder, "empty", b"");
    refuse(&folder, OF_TRACES, "empty", "is empty, not a trace");
    refuse(&folder, OF_SCRIPTS, "empty", "holds no command");
    put(&folder, "binary", &[0x7f, b'E', b'L', b'F', b'\n', 0x80, 0xff, 0]);
    refuse(&folder, OF_TRACES, "binary", "binary:1: is not a trace");
    refuse(&folder, OF_SCRIPTS, "binary", "line 2: is no text: there is a byte 0x80");
    put(&folder, "nul", b"campaign 1\n\0\n");
    refuse(&folder, OF_SCRIPTS, "nul", "line 2: is no text: there is a byte 0x00");
    put(&folder, "colours", b"\x1b[31mcampaign 1\n----\n");
    refuse(&folder, OF_SCRIPTS, "colours", "line ");
    refuse(&folder, 0..READERS.len(), "missing", "No such file");
    refuse(&folder, 0..5, ".", "is a folder");
}

#[test]
fn lines_without_end() {
    let folder = folder();
    let long = "x".repeat(1 << 20);
    put(&folder, "long", long.as_bytes());
    refuse(&folder, OF_TRACES, "long", "is not a trace");
    refuse(&folder, OF_SCRIPTS, "long", "line 1: ");
    put(&folder, "longer", "y".repeat(17 << 20).as_bytes());
    refuse(&folder, 5..READERS.len(), "longer", "is longer than 16777216 bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn devices_and_pipes() {
    let folder = folder();
    refuse(&folder, 5..READERS.len(), "/dev/zero", "is longer than 16777216 bytes");
    refuse(&folder, 0..1, "/dev/zero", "a line of more than");
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().expect("every unix has it").success());
    refuse(&folder, 0..1, "pipe", "is a pipe to which nobody writes");
    refuse(&folder, 5..6, "pipe", "is a pipe to which nobody writes");
}

#[test]
fn folders_that_lead_round() {
    let folder = folder();
    put(&folder, "a.txt", b"add-nodes 1\n");
    std::os::unix::fs::symlink(".", folder.path().join("round")).expect("a link");
    let (output, said) = sim(&folder, &["scenario", "."]);
    assert_eq!((output.status.code(), said.matches("add-nodes 1").count()), (Some(0), 1), "{said}");
}

#[test]
fn traces_that_are_damaged_or_hold_more_than_they_may() {
    let folder = folder();
    let text = trace();
    let line = |number: usize| text.lines().nth(number).expect("a line");
    put(&folder, "cut.jsonl", &text.as_bytes()[..text.len() / 2]);
    refuse(&folder, OF_TRACES, "cut.jsonl", "the trace is cut off");
    put(&folder, "json.jsonl", format!("{}\n{}\n", line(0), &line(1)[..20]).as_bytes());
    refuse(&folder, OF_TRACES, "json.jsonl", "json.jsonl:2:");
    put(&folder, "version.jsonl", text.replacen(r#""version":2"#, r#""version":99"#, 1).as_bytes());
    refuse(&folder, OF_TRACES, "version.jsonl", "is a trace of version 99; this program reads versions 1 to 2");
    let compressed = zstd::encode_all(text.as_bytes(), 1).expect("it can be compressed");
    put(&folder, "cut.jsonl.zst", &compressed[..compressed.len() - 5]);
    refuse(&folder, OF_TRACES, "cut.jsonl.zst", "cut off");
    let mut bomb = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    bomb.write_all(line(0).as_bytes()).and_then(|()| bomb.write_all(b"\n")).expect("memory takes everything");
    (0..80).for_each(|_| bomb.write_all(&[b' '; 1 << 20]).expect("memory takes everything"));
    put(&folder, "bomb.jsonl.zst", &bomb.finish().expect("it ends"));
    refuse(&folder, OF_TRACES, "bomb.jsonl.zst", "a line of more than 67108864 bytes");
}

#[test]
fn a_file_as_any_editor_writes_it_is_the_same_file() {
    let folder = folder();
    let scenario = "add-nodes 1 voters=(1) index=2\ncampaign 1\nstabilize\n";
    let (_, expected) = {
        put(&folder, "s.txt", scenario.as_bytes());
        sim(&folder, &["scenario", "s.txt"])
    };
    let snapshot = format!("---\nsource: here\n---\n{expected}");
    let windows = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let variants = [scenario.to_owned(), windows(scenario), scenario.trim_end().to_owned()];
    for scenario in &variants {
        for snapshot in [snapshot.clone(), windows(&snapshot)] {
            put(&folder, "s.txt", scenario.as_bytes());
            put(&folder, "s.snap", snapshot.as_bytes());
            assert_eq!(sim(&folder, &["scenario", "s.txt"]).1, expected, "{scenario:?}");
            let (output, said) = sim(&folder, &["scenario", "--check", "s.txt"]);
            assert_eq!(output.status.code(), Some(0), "{scenario:?} {snapshot:?}: {said}");
        }
    }
    let transcript = "add-nodes 1\n----\nok\n\nraft-log 1\n----\nlog is empty: first index=1, last index=0\n";
    for transcript in [transcript.to_owned(), windows(transcript)] {
        put(&folder, "t.txt", transcript.as_bytes());
        assert_eq!(sim(&folder, &["conform", "t.txt"]).1, "1 of 1 transcripts identical\n");
    }
    for trace in [trace(), windows(&trace()), trace().trim_end().to_owned()] {
        for name in ["t.jsonl", "t.zst"] {
            put(&folder, name, trace.as_bytes());
            assert_eq!(sim(&folder, &["replay", name]).0.status.code(), Some(0), "{trace}");
        }
    }
    put(&folder, "compressed", &zstd::encode_all(trace().as_bytes(), 1).expect("it can be compressed"));
    assert_eq!(sim(&folder, &["replay", "compressed"]).0.status.code(), Some(0), "compressed, whatever its name");
}

#[test]
fn scenarios_that_ask_for_more_than_there_is() {
    let folder = folder();
    let start = "add-nodes 1 voters=(1) index=2\n";
    let double = format!("{start}inject 1 type=MsgTimeoutNow from=2\n{}", "duplicate\n".repeat(40));
    let cases = [
        (
            "add-nodes 1 first=18446744073709551615".to_owned(),
            "line 1: node 18446744073709551615 is beyond the largest",
        ),
        ("add-nodes 64".to_owned(), "line 1: how many: \"64\" is not a number from 0 to 63"),
        ("add-nodes 63\nadd-nodes 1".to_owned(), "line 2: node 64 is beyond the largest identity, 63"),
        ("add-nodes 1 voters=(1) index=18446744073709551615".to_owned(), "1000000000000000000 is the largest"),
        (
            format!("{start}tick 1 1000000000000"),
            "line 2: a number of ticks: \"1000000000000\" is not a number from 0 to",
        ),
        (format!("{start}run 1000001"), "line 2: a number of events: \"1000001\" is not a number from 0 to 1000000"),
        (format!("{start}run -1"), "line 2: a number of events: \"-1\" is not a number from 0 to 1000000"),
        (format!("add-nodes 1 election-tick=4294967295\n{}", "tick-election 1\n"), "events have happened, the most"),
        (double, "line 19: 100000 messages are in flight"),
    ];
    for (scenario, what) in cases {
        put(&folder, "s.txt", scenario.as_bytes());
        let (output, said) = sim(&folder, &["scenario", "s.txt"]);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{scenario}: {output:?}");
        assert!(said.contains(what), "{scenario}: {}", &said[said.len().saturating_sub(400)..]);
    }
}
