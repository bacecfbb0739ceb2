//! The liveness phase: one event in which a cluster has to converge, with all that happens on the way.

use raft::{Body, ConfState, Index, Message, Term};
use sim::driver::{Replayed, Stop, apply, replay};
use sim::explain::{CannotShrink, Unwatched, View, show, shrink};
use sim::invariant::Invariant;
use sim::trace::{Ending, Header, Reader, Trace};
use sim::world::{Boot, Event, Inapplicable, NodeOptions, World};

use crate::driver::{Random, node, starts};

const LIVENESS: Event = Event::ExpectLiveness { core: None };

fn world_after(events: &[Event]) -> World {
    let mut world = World::new();
    events.iter().for_each(|event| drop(apply(&mut world, event).expect("it fits")));
    world
}

fn replayed(trace: &Trace) -> Replayed {
    let bytes = {
        let _switched = sim::planted::switch_on(trace.header.bug.as_deref()).unwrap();
        trace.write(Vec::new()).unwrap()
    };
    replay(Reader::new(&bytes[..], "t").unwrap()).unwrap()
}

/// So many nodes start as members from a snapshot: nothing is under way.
fn members(nodes: u64) -> Vec<Event> {
    let voters = (1..=nodes).map(node).collect();
    let boot = Boot::Snapshot { index: Index(1), conf_state: ConfState { voters, ..ConfState::default() } };
    let start = |number| Event::Start {
        node: node(number),
        boot: boot.clone(),
        options: NodeOptions::default(),
        seed: Some(number),
    };
    (1..=nodes).map(start).collect()
}

#[test]
fn a_healthy_cluster_converges_wherever_faults_end_and_stays_as_it_is() {
    for seed in 0..8 {
        let mut run = Random::new(seed, 3 + seed % 3, true);
        for step in [0, 40, 200, 700, 1500] {
            run.steps(step);
            let mut world = run.world.clone();
            let before: Vec<_> = world.replicas().map(|replica| *replica.view()).collect();
            apply(&mut world, &LIVENESS).unwrap_or_else(|stop| panic!("seed {seed}, after {step} events: {stop:?}"));
            let after: Vec<_> = world.replicas().map(|replica| *replica.view()).collect();
            assert_eq!((before, world.step()), (after, run.world.step() + 1));
        }
    }
}

#[test]
fn what_is_cut_heals_and_who_is_down_comes_back() {
    let mut run = Random::new(3, 3, false);
    run.steps(100);
    for (from, to) in [(1, 2), (2, 3), (3, 1)] {
        run.apply(Event::Cut { from: node(from), to: node(to) }).unwrap();
    }
    for down in [1, 2, 3] {
        run.apply(Event::Crash { node: node(down), keep: sim::disk::Keep::Nothing }).unwrap();
    }
    apply(&mut run.world, &LIVENESS).expect("all three come back");
}

#[test]
fn a_quorum_converges_beside_others_that_stay_down() {
    let mut world = world_after(&members(3)[..2]);
    let core = |nodes: &[u64]| Event::ExpectLiveness { core: Some(nodes.iter().map(|number| node(*number)).collect()) };
    apply(&mut world, &core(&[1, 2])).expect("two of three are a quorum");
    for few in [&[][..], &[1], &[1, 3]] {
        assert_eq!(apply(&mut world, &core(few)).unwrap_err(), Stop::Inapplicable(Inapplicable::NoQuorum), "{few:?}");
    }
}

#[test]
fn a_cluster_without_a_quorum_is_not_judged() {
    let mut world = world_after(&members(3)[..1]);
    assert_eq!(apply(&mut world, &LIVENESS).unwrap_err(), Stop::Inapplicable(Inapplicable::NoQuorum));
}

#[test]
fn a_liveness_phase_cannot_be_cut_short() {
    let mut events = starts(3);
    events.push(LIVENESS);
    let whole = Trace::record(Header::new(None), &events);
    assert_eq!((whole.ending.clone(), whole.events.len()), (Ending::Completed, 4), "it lasts until somebody leads");
    assert!(matches!(shrink(&whole, 1, &mut Unwatched), Err(CannotShrink::NothingBreaks)));
    // An expectation alone does not ask how long there were no faults: such a recording proves nothing when it is made shorter.
    *events.last_mut().unwrap() = Event::ExpectSettled { written: None, reads: 0 };
    let hasty = Trace::record(Header::new(None), &events);
    assert!(matches!(&hasty.ending, Ending::Violation(violation) if violation.invariant == Invariant::Liveness));
    assert!(matches!(shrink(&hasty, 1, &mut Unwatched), Err(CannotShrink::OnlyAsRecorded(_))));
}

#[test]
fn what_breaks_on_the_way_breaks_at_the_step_of_the_expectation_and_is_shown_event_by_event() {
    let mut events = members(3);
    for candidate in [1, 2] {
        let vote = Body::VoteResponse { granted: true };
        let message = Message { from: node(3), to: node(candidate), term: Some(Term(1)), body: vote };
        events.extend([Event::Campaign { node: node(candidate) }, Event::Inject { message }]);
    }
    events.push(LIVENESS);
    let trace = Trace::record(Header::new(None), &events);
    let Ending::Violation(violation) = &trace.ending else { panic!("{:?}", trace.ending) };
    assert_eq!((violation.invariant, violation.step), (Invariant::ElectionSafety, 7));
    assert_eq!(replayed(&trace), Replayed::Broken { ending: trace.ending.clone(), step: 7 });

    let bytes = trace.write(Vec::new()).unwrap();
    let shown = |liveness| {
        let mut out = Vec::new();
        let view = View { liveness, ..View::default() };
        show(Reader::new(&bytes[..], "t").unwrap(), view, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let (short, long) = (shown(false), shown(true));
    assert!(short.contains("faults end") && short.contains("election-safety violated at step 7"), "{short}");
    assert!(short.trim_end().ends_with("--liveness shows event by event what happens before"), "{short}");
    assert!(!long.contains("faults end") && long.contains("takes a Ready"), "{long}");
    let (_, end) = long.split_once("\nelection-safety violated").unwrap();
    assert!(!end.contains(" │ "), "that ends it: {long}");
}

#[cfg(feature = "planted-bugs")]
mod planted {
    use sim::driver::swarm;
    use sim::plan::{Overrides, Plan};
    use sim::trace::Failure;
    use sim::world::EventKind;

    use super::*;

    #[test]
    fn a_long_stall_shrinks_to_a_few_events_and_a_liveness_phase_that_break_nothing_without_the_bug() {
        let bug = "prevote-term-wedge";
        let plan = Plan::draw(4, &Overrides { steps: Some(2000), ..Overrides::default() });
        let mut events = Vec::new();
        let ending = {
            let _switched = sim::planted::switch_on(Some(bug)).unwrap();
            swarm::run_to_end(&plan, |event| events.push(event.clone())).1
        };
        assert_eq!(events.last().map(Event::kind), Some(EventKind::ExpectSettled));
        let header = Header { bug: Some(bug.to_owned()), ..Header::new(Some(4)) };
        let short = shrink(&Trace { header, events, ending: ending.clone() }, 0, &mut Unwatched).unwrap();
        assert!(short.events.len() < 30, "{} events", short.events.len());
        assert_eq!(short.events.last(), Some(&LIVENESS));
        assert_eq!(Failure::of(&short.ending), Failure::of(&ending));
        let step = short.events.len() as u64 - 1;
        assert_eq!(replayed(&short), Replayed::Broken { ending: short.ending.clone(), step });
        let without = Trace::record(Header::new(None), &short.events);
        assert_eq!((without.ending, without.events), (Ending::Completed, short.events));
    }
}
