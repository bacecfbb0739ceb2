//! Any bytes are a run in which every property holds, and a run becomes bytes that lead there again.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::choices::{TAKE, WORK, kind_byte};
use super::{Driver, encode, run, trace};
use crate::driver::{Replayed, replay};
use crate::trace::Reader;
use crate::world::EventKind;

/// Five bytes for the cluster, and choices of which most are ticks, rounds and messages.
fn inputs() -> impl Strategy<Value = Vec<u8>> {
    let choice = prop_oneof![3 => 0..4u8, 3 => Just(WORK + 1), 2 => Just(WORK), 3 => 0..WORK, 2 => Just(TAKE)];
    let choices = prop::collection::vec((choice, prop::collection::vec(any::<u8>(), 0..3)), 0..150);
    (prop::collection::vec(any::<u8>(), 5), choices).prop_map(|(cluster, choices)| {
        let choices = choices.into_iter().flat_map(|(kind, arguments)| std::iter::once(kind).chain(arguments));
        cluster.into_iter().chain(choices).collect()
    })
}

proptest! {
    #[test]
    fn every_property_holds_whatever_the_bytes_say(bytes in inputs()) {
        let ended = run(&bytes);
        prop_assert!(ended.violation.is_none(), "{:?}\n{:?}", ended.violation, ended.events);
    }

    #[test]
    fn a_run_becomes_bytes_that_lead_to_the_same_events(bytes in inputs()) {
        let mut bytes = bytes;
        // The bytes of a recording have no place for limits, nor for lengths that are a byte too.
        bytes[3] = 0;
        let ended = run(&bytes);
        let again = run(&encode(&ended.events));
        let kinds = |events: &[crate::world::Event]| events.iter().map(crate::world::Event::kind).collect::<Vec<_>>();
        let fits = ended.world.network().next_id() < 200 && ended.events.len() < Driver::MOST_EVENTS as usize / 2;
        if fits && ended.events.iter().all(|event| event.kind() != EventKind::Compact) {
            prop_assert_eq!(kinds(&again.events), kinds(&ended.events));
        }
    }
}

#[test]
fn every_kind_of_event_can_be_chosen_but_what_comes_first_or_last_and_forgery_and_bad_disks() {
    let others = [
        EventKind::Start,
        EventKind::BreakLeases,
        EventKind::SearchHistories,
        EventKind::ExpectSettled,
        EventKind::Inject,
        EventKind::DiskFault,
        EventKind::ExpectLiveness,
    ];
    let chosen: BTreeSet<EventKind> = EventKind::ALL.into_iter().filter(|kind| kind_byte(*kind).is_some()).collect();
    let all: BTreeSet<EventKind> = EventKind::ALL.into_iter().collect();
    assert_eq!(all.difference(&chosen).copied().collect::<Vec<_>>(), others);
}

#[test]
fn three_nodes_elect_a_leader_and_commit_what_a_client_proposes() {
    let (campaign, round, propose) = (3, WORK + 1, 2);
    let rounds = [round; 6];
    let ended = run(&[&[2, 0, 0, 0, 0, round, campaign, 0], &rounds[..], &[propose, 0, 9], &rounds[..]].concat());
    assert_eq!((ended.violation, ended.world.statistics().executed), (None, 3));
}

#[test]
fn no_bytes_start_one_node_and_nothing_else() {
    let kinds: Vec<EventKind> = run(&[]).events.iter().map(crate::world::Event::kind).collect();
    assert_eq!(kinds, [EventKind::Start]);
}

#[test]
fn a_run_is_no_longer_than_the_bound() {
    let rounds = [&[4, 0, 0, 0, 0][..], &[WORK + 1, 3, 0].repeat(5000)].concat();
    let ended = run(&rounds);
    assert_eq!(ended.violation, None);
    assert!(ended.events.len() as u64 <= Driver::MOST_EVENTS);
}

#[test]
fn bytes_become_a_trace_that_replays() {
    let rounds = [WORK + 1; 6];
    let bytes = [&[2, 0, 0, 0, 0, WORK + 1, 3, 0], &rounds[..]].concat();
    let trace = trace(&bytes);
    assert_eq!(trace.events, run(&bytes).events);
    let written = trace.write(Vec::new()).expect("memory takes everything");
    let replayed = replay(Reader::new(&written[..], "here").expect("a header")).expect("a whole trace");
    assert_eq!(replayed, Replayed::Completed { steps: trace.events.len() as u64 });
}
