//! From a cluster that was recorded until it should have converged, to one that stalls in a [liveness
//! phase](crate::driver::liveness).
//!
//! It takes very many events to show that nothing happens for a long time, and none of them can be taken out: a phase
//! that is cut short proves nothing. An [`Event::ExpectLiveness`] stands for all of them, and says the same after fewer
//! events before it.

use std::collections::BTreeSet;

use raft::NodeId;

use crate::driver::{Stop, apply};
use crate::invariant::Invariant;
use crate::trace::{Ending, Failure, Trace};
use crate::world::{Event, Replica, World};

/// Whether this is the recording of a cluster that does not converge.
pub(super) fn is_recorded(trace: &Trace) -> bool {
    is_liveness(&trace.ending) && matches!(trace.events.last(), Some(Event::ExpectSettled { .. }))
}

/// The shortest of many beginnings of a run after which the cluster stalls in a liveness phase: in the same way if
/// possible. The expectation that it does not is part of it.
pub(super) fn shown_by_expectation(start: &World, events: &[Event]) -> Option<Vec<Event>> {
    let (end, failure) = run_to_end(start, events)?;
    let expectations = expectations(&end);
    let mut other = None;
    let mut world = start.clone();
    let mut before = 0;
    let marks = marks(events);
    for (position, event) in events.iter().enumerate() {
        if marks.contains(&position) {
            for expectation in &expectations {
                match stalls(&world, expectation) {
                    Some(stall) if stall == failure => {
                        return Some(earliest(start, &events[..position], before, expectation, &stall));
                    }
                    Some(stall) if other.is_none() => other = Some((position, before, expectation, stall)),
                    Some(_) | None => {}
                }
            }
            before = position;
        }
        apply(&mut world, event).ok();
    }
    other
        .map(|(position, before, expectation, stall)| earliest(start, &events[..position], before, expectation, &stall))
}

/// The world before the last event, and how the last event fails.
fn run_to_end(start: &World, events: &[Event]) -> Option<(World, Failure)> {
    let mut world = start.clone();
    for event in events {
        if let Err(Stop::Broken(ending)) = apply(&mut world, event) {
            return Failure::of(&ending).map(|failure| (world, failure));
        }
    }
    None
}

/// Faults end for everybody, or for those who worked together when the recording ended.
fn expectations(end: &World) -> Vec<Event> {
    let mut together: BTreeSet<NodeId> = BTreeSet::new();
    for first in end.replicas() {
        let core = linked_with(first, end);
        if core.len() > together.len() {
            together = core;
        }
    }
    let mut expectations = vec![Event::ExpectLiveness { core: None }];
    if together.len() < end.replicas().count() {
        expectations.push(Event::ExpectLiveness { core: Some(together) });
    }
    expectations
}

/// A node, and others such that all of them hear each other.
pub(super) fn linked_with(first: &Replica, world: &World) -> BTreeSet<NodeId> {
    let are_linked = |one, other| !world.network().is_cut(one, other) && !world.network().is_cut(other, one);
    let mut core = BTreeSet::new();
    let others = world.replicas().filter(|replica| replica.id() != first.id());
    for replica in std::iter::once(first).chain(others).filter(|replica| replica.is_up()) {
        if core.iter().all(|member| are_linked(*member, replica.id())) {
            core.insert(replica.id());
        }
    }
    core
}

/// After how many events a liveness phase is tried: at even distances, when the faults had ended, and at the end.
fn marks(events: &[Event]) -> BTreeSet<usize> {
    const MARKS: usize = 256;
    let last = events.len() - 1;
    let faults_end = events.iter().rposition(|event| *event == Event::SearchHistories).map(|position| position + 1);
    (0..=last).step_by(last.div_ceil(MARKS).max(1)).chain(faults_end).chain([last]).collect()
}

/// How the cluster stalls in this liveness phase, if it does.
fn stalls(world: &World, expectation: &Event) -> Option<Failure> {
    match apply(&mut world.clone(), expectation) {
        Err(Stop::Broken(ending @ Ending::Violation(_))) if is_liveness(&ending) => Failure::of(&ending),
        Ok(_) | Err(Stop::Inapplicable(_) | Stop::Broken(_)) => None,
    }
}

fn is_liveness(ending: &Ending) -> bool {
    matches!(ending, Ending::Violation(violation) if violation.invariant == Invariant::Liveness)
}

/// The shortest beginning longer than `rests` after which the cluster stalls, with the expectation that it does not.
fn earliest(world: &World, events: &[Event], rests: usize, expectation: &Event, stall: &Failure) -> Vec<Event> {
    let mut start = world.clone();
    events[..rests].iter().for_each(|event| drop(apply(&mut start, event)));
    let first = rests;
    let does_stall = |length: usize| {
        let mut world = start.clone();
        events[first..length].iter().for_each(|event| drop(apply(&mut world, event)));
        stalls(&world, expectation).as_ref() == Some(stall)
    };
    let (mut rests, mut stalled) = (rests, events.len());
    while rests + 1 < stalled {
        let middle = rests.midpoint(stalled);
        if does_stall(middle) { stalled = middle } else { rests = middle }
    }
    events[..stalled].iter().chain([expectation]).cloned().collect()
}
