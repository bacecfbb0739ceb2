//! A shrunk trace is short, fails in the same way, and is the same however many threads looked for it.

use sim::driver::{Replayed, replay};
use sim::explain::{CannotShrink, Unwatched, Watch, shrink};
use sim::trace::{Ending, Failure, Reader, Trace};
use sim::world::Event;

use crate::driver::Random;
use crate::replay::broken;

fn replayed(trace: &Trace) -> Replayed {
    let bytes = trace.write(Vec::new()).unwrap();
    replay(Reader::new(&bytes[..], "t").unwrap()).unwrap()
}

#[test]
fn thousands_of_events_come_down_to_a_few_that_fail_in_the_same_way() {
    for seed in [5, 6, 8] {
        let long = broken(seed, 6000);
        assert!(long.events.len() > 5000);
        let short = shrink(&long, 0, &mut Unwatched).unwrap();
        assert!(short.events.len() < 30, "{} events", short.events.len());
        assert_eq!(Failure::of(&short.ending), Failure::of(&long.ending));
        let step = short.events.len() as u64 - 1;
        assert_eq!(replayed(&short), Replayed::Broken { ending: short.ending.clone(), step });
        assert_eq!(Trace::record(short.header.clone(), &short.events), short, "every event that is left fits");
    }
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let long = broken(5, 2000);
    let results = [1, 2, 5].map(|threads| shrink(&long, threads, &mut Unwatched).unwrap());
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

#[test]
fn no_single_event_of_the_result_can_be_left_out() {
    let short = shrink(&broken(5, 2000), 0, &mut Unwatched).unwrap();
    for left_out in 0..short.events.len() {
        let mut events = short.events.clone();
        events.remove(left_out);
        let ending = Trace::record(short.header.clone(), &events).ending;
        assert_ne!(Failure::of(&ending), Failure::of(&short.ending), "without event {left_out}");
    }
}

#[test]
fn nodes_terms_and_values_are_brought_down() {
    let short = shrink(&broken(5, 2000), 0, &mut Unwatched).unwrap();
    let nodes = short.events.iter().filter(|event| matches!(event, Event::Start { .. })).count();
    assert!(nodes <= 2, "the third node only votes, and its votes are forged");
    let text = String::from_utf8(short.write(Vec::new()).unwrap()).unwrap();
    assert!(!text.contains("Tick"), "{text}");
}

#[test]
fn ended_early_there_is_the_best_so_far() {
    /// Enough after the first improvement.
    struct Hurried(Vec<Trace>);
    impl Watch for Hurried {
        fn improved(&mut self, best: &Trace) {
            self.0.push(best.clone());
        }
        fn tried(&mut self, _: &'static str, _: u64) {}
        fn enough(&self) -> bool {
            self.0.len() >= 2
        }
    }
    let long = broken(5, 2000);
    let mut hurried = Hurried(Vec::new());
    let short = shrink(&long, 2, &mut hurried).unwrap();
    assert!(short.events.len() < long.events.len());
    assert_eq!(hurried.0.last(), Some(&short));
    assert_eq!(Failure::of(&short.ending), Failure::of(&long.ending));
}

#[test]
fn the_result_is_what_was_told_of_last() {
    /// Remembers the last trace it was told of.
    struct Last(Option<Trace>);
    impl Watch for Last {
        fn improved(&mut self, best: &Trace) {
            self.0 = Some(best.clone());
        }
        fn tried(&mut self, _: &'static str, _: u64) {}
        fn enough(&self) -> bool {
            false
        }
    }
    for seed in [5, 6, 8] {
        let mut last = Last(None);
        let short = shrink(&broken(seed, 2000), 0, &mut last).unwrap();
        assert_eq!(last.0, Some(short), "of seed {seed}");
    }
}

#[test]
fn a_run_that_breaks_nothing_is_not_shrunk() {
    let trace = Random::trace(1, 3, false, 500);
    assert_eq!(trace.ending, Ending::Completed);
    assert_eq!(shrink(&trace, 1, &mut Unwatched), Err(CannotShrink::NothingBreaks));
}

/// Bugs that real implementations had, at work in long runs.
#[cfg(feature = "planted-bugs")]
mod planted {
    use raft::planted::Bug;
    use sim::driver::swarm::Swarm;
    use sim::explain::{Unwatched, shrink};
    use sim::plan::{Overrides, Plan};
    use sim::trace::{Ending, Failure, Header, Trace};

    /// The first run of more than 5,000 events in which the bug breaks something.
    fn long(bug: Bug) -> Trace {
        let _switched = sim::planted::switched_on(Some(bug));
        let overrides = Overrides { steps: Some(20_000), ..Overrides::default() };
        let mut failed = (0..2000).filter_map(|seed| {
            let mut events = Vec::new();
            let plan = Plan::draw(seed, &overrides);
            let mut swarm = Swarm::new(&plan);
            let ending = loop {
                if let Some(ending) = swarm.go_on(&mut |event| events.push(event.clone())) {
                    break ending;
                }
            };
            let header = Header { bug: Some(bug.name()), ..Header::new(Some(seed)) };
            (ending != Ending::Completed && events.len() > 5000).then_some(Trace { header, events, ending })
        });
        failed.next().unwrap_or_else(|| panic!("{} breaks no long run", bug.name()))
    }

    #[test]
    fn thousands_of_events_with_a_planted_bug_come_down_to_less_than_a_hundredth() {
        for bug in [Bug::VoteComparesCommit, Bug::ConfWhilePending] {
            let long = long(bug);
            let short = shrink(&long, 0, &mut Unwatched).unwrap();
            assert_eq!(Failure::of(&short.ending), Failure::of(&long.ending), "{}", bug.name());
            let (events, of) = (short.events.len(), long.events.len());
            assert!(100 * events < of, "{}: {events} of {of} events", bug.name());
        }
    }
}
