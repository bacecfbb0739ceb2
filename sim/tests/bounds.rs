//! Whatever number a file has where it should have another, it ends soon, and nothing panics.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sim::driver::{Stop, apply};
use sim::script;
use sim::trace::{Ending, Trace};
use sim::world::{Event, EventKind, World};

/// Numbers at the edges of what is written, computed with, and stored.
const EDGES: [u64; 10] = [
    0,
    1,
    64,
    (1 << 31) - 1,
    u32::MAX as u64,
    1 << 53,
    1_000_000_000_000_000_000,
    i64::MAX as u64,
    u64::MAX - 1,
    u64::MAX,
];

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    sim::input::files(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)], extension)
}

/// How many numbers there are in a JSON value.
fn count(value: &Value) -> usize {
    match value {
        Value::Number(_) => 1,
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
    }
}

/// Puts a number in the place of the one of this position.
fn put(value: &mut Value, position: &mut usize, number: u64) {
    match value {
        Value::Number(there) => {
            if *position == 0 {
                *there = number.into();
            }
            *position = position.wrapping_sub(1);
        }
        Value::Array(values) => values.iter_mut().for_each(|value| put(value, position, number)),
        Value::Object(fields) => fields.values_mut().for_each(|value| put(value, position, number)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// How often each number of each kind of event was replaced.
type Replaced = BTreeMap<(EventKind, usize), u32>;

/// The event with each of its numbers replaced by each of the edges, where that is an event; a few times for each kind.
fn variants(event: &Event, replaced: &mut Replaced) -> Vec<Event> {
    let json = serde_json::to_value(event).expect("an event has a JSON form");
    let mut is_rare = |position: usize| {
        let times = replaced.entry((event.kind(), position)).or_default();
        *times += 1;
        *times <= 40
    };
    let positions: Vec<usize> = (0..count(&json)).filter(|position| is_rare(*position)).collect();
    let edges = positions.into_iter().flat_map(|position| EDGES.map(|edge| (position, edge)));
    let variant = |(mut position, edge): (usize, u64)| {
        let mut json = json.clone();
        put(&mut json, &mut position, edge);
        serde_json::from_value(json).ok()
    };
    edges.filter_map(variant).filter(|variant| variant != event).collect()
}

/// What panics, of what happens after an event.
fn panic(world: &World, event: &Event, after: &[Event]) -> Option<String> {
    let mut world = world.clone();
    for event in std::iter::once(event).chain(after) {
        match apply(&mut world, event) {
            Ok(_) | Err(Stop::Inapplicable(_)) => {}
            Err(Stop::Broken(Ending::Panic(message))) => return Some(message),
            Err(Stop::Broken(_)) => return None,
        }
    }
    None
}

#[test]
fn no_number_in_a_trace_makes_anything_panic() {
    let mut panics = Vec::new();
    let (mut tried, mut replaced) = (0, Replaced::new());
    for path in files("traces", "jsonl").into_iter().chain(files("traces", "zst")) {
        let trace = Trace::open(&path).expect("a trace of the corpus");
        let mut world = World::new();
        for (at, event) in trace.events.iter().enumerate().take(400) {
            let after = &trace.events[at + 1..trace.events.len().min(at + 10)];
            for variant in variants(event, &mut replaced) {
                tried += 1;
                if let Some(message) = panic(&world, &variant, after) {
                    panics.push(format!("{}: {variant:?}: {message}", path.display()));
                }
            }
            if apply(&mut world, event).is_err() {
                break;
            }
        }
    }
    let first: Vec<&String> = panics.iter().step_by(panics.len().div_ceil(30).max(1)).collect();
    assert!(panics.is_empty(), "{} of {tried}, such as {first:#?}", panics.len());
    assert!(tried > 10_000, "{tried}");
}

/// The places of the numbers in a line of a scenario.
fn numbers(line: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = line[from..].find(|letter: char| letter.is_ascii_digit()).map(|start| start + from) {
        let end = line[start..].find(|letter: char| !letter.is_ascii_digit()).map_or(line.len(), |end| end + start);
        found.push(start..end);
        from = end;
    }
    found
}

#[test]
fn no_number_in_a_scenario_makes_anything_panic_or_go_on_for_ever() {
    let mut panics = Vec::new();
    let mut tried = 0;
    // Each command with each of its options, once.
    let mut seen = BTreeSet::new();
    for path in files("scenarios", "txt") {
        let text = sim::input::text(&path).expect("a scenario");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#')) {
            for (number, range) in numbers(line).into_iter().enumerate() {
                let before = line[..range.start].rsplit([' ', '(', ',']).next().unwrap_or_default();
                let command = line.split(' ').next().unwrap_or_default().to_owned();
                if !seen.insert((command, before.to_owned(), number.min(3))) {
                    continue;
                }
                for edge in EDGES.map(|edge| edge.to_string()).iter().chain(&["18446744073709551616".to_owned()]) {
                    let changed = format!("{}{edge}{}", &line[..range.start], &line[range.end..]);
                    let scenario = [&lines[..at], &[&changed], &lines[at + 1..]].concat().join("\n");
                    tried += 1;
                    let played = sim::panics::caught(|| script::play(&scenario).failure);
                    let failure = played.unwrap_or_else(|panic| {
                        Some(script::ScriptError::new(at + 1, format!("panic: outside: {panic}")))
                    });
                    if let Some(failure) = failure.filter(|failure| failure.problem.starts_with("panic: ")) {
                        panics.push(format!("{}: {changed}: {failure}", path.display()));
                    }
                }
            }
        }
    }
    let first: Vec<&String> = panics.iter().step_by(panics.len().div_ceil(30).max(1)).collect();
    assert!(panics.is_empty(), "{} of {tried}, such as {first:#?}", panics.len());
    assert!(tried > 1_000, "{tried}");
}
