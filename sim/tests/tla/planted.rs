//! Files of planted bugs that the specification forbids: none of them is vacuous, since a rule of a few lines refuses it too.
//!
//! `sim/tla.md` says what TLC made of the same files.

use std::path::Path;

use super::form::check;
use super::read;
use super::rules::contradiction;
use sim::driver::swarm::run_to_end_in;
use sim::explain::tla::{Told, tell, tell_and_go_on};
use sim::plan::{Overrides, Plan};
use sim::planted::switch_on;
use sim::trace::Trace;
use sim::world::World;

/// Bugs whose traces the specification can speak about, and what contradicts the rules in their files.
const FORBIDDEN: [(&str, &str); 4] = [
    ("commit-quorum-off-by-one", "no majority has acknowledged"),
    ("leader-overwrites-unstable", "has appended up to"),
    ("stale-vote-resp-counted", "leads without a majority"),
    ("commit-regress", "has committed"),
];

fn is_refused(told: &Told, words: &str) {
    let lines = read(&told.text());
    assert_eq!(check(&lines), Ok(()), "{words}");
    let found = contradiction(&lines);
    assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{words}: {found:?}, {:?}", told.limit);
}

#[test]
fn what_the_specification_forbids_is_in_the_files_of_these_traces() {
    for (bug, words) in FORBIDDEN {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../traces/{bug}.jsonl"));
        let trace = Trace::open(&path).expect("a trace");
        let _switched = switch_on(Some(bug)).expect("the bug is in this build");
        is_refused(&tell_and_go_on(&trace.events, 200), words);
    }
}

/// Its trace writes asynchronously, which the specification cannot speak about; a seed drawn for it does not.
#[test]
fn a_double_vote_is_in_the_file_of_a_seed() {
    let _switched = switch_on(Some("vote-double-grant")).expect("the bug is in this build");
    let mut events = Vec::new();
    run_to_end_in(&World::unchecked(), &Plan::specified(22, &Overrides::default()), |event| events.push(event.clone()));
    is_refused(&tell(&events, 600), "has voted for");
}
