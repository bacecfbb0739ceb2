//! A run as a Chrome trace: what <https://ui.perfetto.dev> relies on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sim::explain::Report;
use sim::trace::Reader;
use sim::world::World;

use super::stale::stale;
use crate::replay::broken;

/// The events of a timeline, by phase.
fn phases(report: &Report) -> BTreeMap<String, Vec<Value>> {
    let timeline: Value = serde_json::from_str(&report.timeline()).unwrap();
    let mut phases = BTreeMap::new();
    for event in timeline["traceEvents"].as_array().unwrap() {
        let phase = event["ph"].as_str().expect("each has a phase").to_owned();
        phases.entry(phase).or_insert_with(Vec::new).push(event.clone());
    }
    phases
}

fn forged() -> Report {
    let trace = broken(5, 600).write(Vec::new()).unwrap();
    Report::of(&World::new(), Reader::new(&trace[..], "t").unwrap(), false).unwrap()
}

fn number(event: &Value, name: &str) -> u64 {
    event[name].as_u64().unwrap_or_else(|| panic!("{name} of {event}"))
}

type Track = (u64, u64);

fn track(event: &Value) -> Track {
    (number(event, "pid"), number(event, "tid"))
}

#[test]
fn nodes_are_tracks_with_names_and_each_event_stands_on_one() {
    let phases = phases(&forged());
    let of = |name: &str| phases["M"].iter().filter(|event| event["name"] == name).cloned().collect::<Vec<_>>();
    let processes: BTreeMap<u64, String> = of("process_name")
        .iter()
        .map(|event| (number(event, "pid"), event["args"]["name"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!([1, 2, 3].map(|node| &*processes[&node]), ["node 1", "node 2", "node 3"]);
    let threads: BTreeSet<Track> = of("thread_name").iter().map(track).collect();
    let slices = &phases["X"];
    assert!(
        slices.iter().all(|slice| threads.contains(&track(slice)) && processes.contains_key(&number(slice, "pid")))
    );
    let steps: BTreeSet<u64> = slices.iter().filter_map(|slice| slice["args"]["step"].as_u64()).collect();
    assert_eq!(steps.len() as u64, steps.last().unwrap() + 1, "every step is there");
    let is_leader =
        |slice: &&Value| slice["cat"] == "role" && slice["name"].as_str().unwrap().starts_with("leader, term ");
    assert!(slices.iter().any(|slice| is_leader(&slice)));
    assert!(phases["C"].iter().any(|counter| counter["name"] == "commit" && counter["args"]["commit"].is_u64()));
    assert!(phases["i"][0]["name"].as_str().unwrap().contains("election-safety violated"));
}

#[test]
fn slices_of_a_track_do_not_overlap() {
    for report in [forged(), stale()] {
        let mut tracks: BTreeMap<Track, Vec<(u64, u64)>> = BTreeMap::new();
        for slice in &phases(&report)["X"] {
            let start = number(slice, "ts");
            tracks.entry(track(slice)).or_default().push((start, start + number(slice, "dur")));
        }
        for (track, mut slices) in tracks {
            slices.sort_unstable();
            assert!(slices.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{track:?}");
        }
    }
}

#[test]
fn a_message_that_arrives_is_a_flow_from_a_slice_to_a_slice() {
    let phases = phases(&forged());
    let is_within = |end: &Value| {
        let at = number(end, "ts");
        let holds = |slice: &&Value| number(slice, "ts") <= at && at < number(slice, "ts") + number(slice, "dur");
        phases["X"].iter().any(|slice| track(slice) == track(end) && holds(&slice))
    };
    let ends = |phase: &str| -> BTreeMap<u64, &Value> {
        phases[phase].iter().map(|event| (number(event, "id"), event)).collect()
    };
    let (begin, end) = (ends("s"), ends("f"));
    assert!(begin.len() > 50 && begin.keys().eq(end.keys()));
    for (id, begins) in begin {
        let ends = end[&id];
        assert!(is_within(begins) && is_within(ends), "{begins} {ends}");
        assert!(number(begins, "ts") < number(ends, "ts") && begins["name"] == ends["name"] && ends["bp"] == "e");
    }
}

#[test]
fn clients_are_tracks_of_their_operations() {
    let phases = phases(&stale());
    let operations: Vec<&str> = phases["X"]
        .iter()
        .filter(|slice| slice["cat"] == "operation")
        .map(|slice| slice["name"].as_str().unwrap())
        .collect();
    assert_eq!(operations.len(), 4);
    assert_eq!(operations[0], r#"c0.1 write k5="old": written"#);
    assert_eq!(operations[3], r#"c1.1 read k5: "old""#);
}
