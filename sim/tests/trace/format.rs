//! What a file may look like, and what is said of one that looks otherwise.

use sim::driver::swarm::record;
use sim::plan::{Overrides, Plan};
use sim::trace::{Ending, Header, Line, ReadError, Reader, Trace, Trouble};
use sim::world::{Boot, Event, NodeOptions};

use crate::driver::Random;

fn text(trace: &Trace) -> String {
    String::from_utf8(trace.write(Vec::new()).unwrap()).unwrap()
}

fn read(text: &str) -> Result<Trace, ReadError> {
    Trace::read(Reader::new(text.as_bytes(), "t.jsonl")?)
}

/// A short trace of this text.
fn short() -> String {
    let mut trace = Random::trace(1, 3, true, 40);
    trace.header.digest_every = 10;
    text(&trace)
}

#[test]
fn a_trace_is_what_it_was_after_writing_and_reading() {
    let trace = Random::trace(3, 3, true, 5000);
    assert_eq!(trace.events.len(), 5000);
    assert_eq!(read(&text(&trace)).unwrap(), trace);
}

#[test]
fn a_compressed_trace_is_the_same_and_much_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Random::trace(3, 3, true, 5000);
    let [plain, compressed] = ["t.jsonl", "t.jsonl.zst"].map(|name| {
        let path = folder.path().join(name);
        trace.save(&path).unwrap();
        assert_eq!(Trace::open(&path).unwrap(), trace);
        std::fs::metadata(path).unwrap().len()
    });
    assert!(compressed * 4 < plain, "{compressed} of {plain} bytes");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing partial is left");
}

#[test]
fn a_digest_stands_after_every_so_many_events() {
    let text = short();
    let mut reader = Reader::new(text.as_bytes(), "t").unwrap();
    let mut steps = Vec::new();
    while let Some(line) = reader.next_line().unwrap() {
        if let Line::Digest { step, .. } = line {
            steps.push(step);
        }
    }
    assert_eq!(steps, [10, 20, 30, 40]);
}

#[test]
fn a_header_of_another_version_is_refused() {
    let other = short().replace(r#""version":2"#, r#""version":3"#);
    let error = read(&other).unwrap_err();
    assert!(matches!(error.trouble, Trouble::Version(3)));
    assert_eq!(error.to_string(), "t.jsonl:1: is a trace of version 3; this program reads versions 1 to 2");
}

#[test]
fn what_is_no_trace_is_refused() {
    let cases = [
        ("", "t.jsonl:1: is empty, not a trace"),
        ("hello\n", "t.jsonl:1: is not a trace"),
        ("{\"format\":\"x\",\"version\":1}\n", "t.jsonl:1: is not a trace"),
        ("{\"format\":\"raft-sim-trace\",\"version\":1}\n", "t.jsonl:1:39: missing field `project`"),
    ];
    for (text, message) in cases {
        assert_eq!(read(text).unwrap_err().to_string(), message);
    }
    let zero = short().replace(r#""digest_every":10"#, r#""digest_every":0"#);
    assert_eq!(read(&zero).unwrap_err().to_string(), "t.jsonl:1: digest_every is at least 1");
}

#[test]
fn a_damaged_line_is_named_with_its_column() {
    let text = short();
    let line = text.lines().nth(6).unwrap();
    let damaged = text.replacen(line, &line.replacen("{\"", "{\"X", 1), 1);
    let error = read(&damaged).unwrap_err();
    assert!(matches!(error.trouble, Trouble::Damaged(_)));
    assert_eq!(error.line, text.lines().position(|other| other == line).unwrap() as u64 + 1);
    assert!(error.column.is_some() && error.to_string().contains("unknown variant"), "{error}");
}

#[test]
fn a_file_cut_anywhere_is_never_read_to_an_end() {
    let text = short();
    for length in 0..text.len() - 1 {
        let error = read(&text[..length]).expect_err("it is cut");
        assert!(error.line <= text.lines().count() as u64);
    }
    let error = read(&text[..text.rfind("{\"end").unwrap()]).unwrap_err();
    assert!(matches!(error.trouble, Trouble::CutOff), "{error}");
    read(&text[..text.len() - 1]).expect("only the last end of line is missing");
}

#[test]
fn a_compressed_file_cut_anywhere_is_never_read_to_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.zst");
    Random::trace(1, 3, true, 200).save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(7) {
        std::fs::write(&path, &bytes[..length]).unwrap();
        Trace::open(&path).expect_err("it is cut");
    }
}

#[test]
fn missing_and_additional_lines_are_noticed() {
    let text = short();
    let without = text.lines().enumerate().filter(|(number, _)| *number != 7).map(|(_, line)| format!("{line}\n"));
    let error = read(&without.collect::<String>()).unwrap_err();
    assert_eq!(error.to_string(), "t.jsonl:11: this line stands after 10 events, and there are 9");
    let error = read(&format!("{text}{{\"Tick\":{{\"node\":1}}}}\n")).unwrap_err();
    assert!(matches!(error.trouble, Trouble::AfterEnd));
}

#[test]
fn an_end_has_one_reason_at_most() {
    let end = r#"{"end":{"steps":0,"digest":"0","panic":"x"}}"#;
    let header = serde_json::to_string(&Header::new(None)).unwrap();
    let trace = read(&format!("{header}\n{end}\n")).unwrap();
    assert_eq!(trace.ending, Ending::Panic("x".to_string()));
    let both =
        end.replace(r#""panic""#, r#""violation":{"invariant":"vote-once","step":0,"nodes":[],"detail":""},"panic""#);
    let error = read(&format!("{header}\n{both}\n")).unwrap_err();
    assert!(error.to_string().contains("not with more than one"), "{error}");
}

/// Every number in a JSON value.
fn numbers(value: &serde_json::Value) -> Vec<f64> {
    use serde_json::Value;
    match value {
        Value::Number(number) => number.as_f64().into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Object(fields) => fields.values().flat_map(numbers).collect(),
        Value::Null | Value::Bool(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn no_number_is_larger_than_every_reader_of_json_holds() {
    let overrides = Overrides { steps: Some(3000), ..Overrides::default() };
    for seed in [0, 1, 2, 3, 1 << 60, u64::MAX] {
        let trace = record(&Plan::draw(seed, &overrides), None, Vec::new()).unwrap().out;
        for line in std::str::from_utf8(&trace).unwrap().lines() {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(numbers(&json).into_iter().all(|number| number <= 9_007_199_254_740_991.0), "{line}");
        }
        let header: serde_json::Value =
            serde_json::from_slice(trace.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        assert_eq!((&header["seed"], &header["plan"]["seed"]), (&seed.to_string().into(), &seed.to_string().into()));
    }
}

#[test]
fn a_trace_of_version_1_is_read_and_written_as_one_of_version_2() {
    let old = format!(
        "{}\n{}\n",
        r#"{"format":"raft-sim-trace","version":1,"project":"0.1.0","seed":18446744073709551615,"digest_every":1000,"plan":{"seed":18446744073709551615}}"#,
        r#"{"Start":{"node":1,"boot":"Empty","options":OPTIONS,"seed":18446744073709551615}}"#,
    );
    let limits = ["max_size_per_message", "max_committed_size_per_ready", "max_uncommitted_size", "max_inflight_bytes"];
    let mut options = serde_json::to_value(NodeOptions::default()).unwrap();
    limits.iter().for_each(|limit| options[*limit] = u64::MAX.into());
    let old = old.replace("OPTIONS", &options.to_string());
    let events = vec![Event::Start {
        node: raft::NodeId::new(1).unwrap(),
        boot: Boot::Empty,
        options: NodeOptions::default(),
        seed: Some(u64::MAX),
    }];
    let new = text(&Trace::record(Header::new(Some(u64::MAX)), &events));
    let end = new.lines().last().unwrap();
    let read = read(&format!("{old}{end}\n")).unwrap();
    assert_eq!((read.header.seed, read.header.revision.clone(), &read.events), (Some(u64::MAX), None, &events));
    let written = text(&read);
    let plan = r#""plan":{"seed":"18446744073709551615"}"#;
    assert_eq!(written, new.replacen(r#""plan":null"#, plan, 1), "and whoever writes it is named in it");
}

#[test]
fn a_trace_names_the_revision_of_the_code() {
    let revision = format!(r#""revision":"{}""#, sim::trace::REVISION);
    assert!(short().lines().next().unwrap().contains(&revision));
    assert!(!sim::trace::REVISION.is_empty());
}
