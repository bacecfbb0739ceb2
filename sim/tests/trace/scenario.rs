//! Traces as scenarios: what they say, and which cannot be said.

use bytes::Bytes;
use raft::{Body, ConfState, EntryId, Index, Message, Snapshot, Term};
use sim::explain::{CannotTell, Unwatched, from_trace, shrink};
use sim::script::{self, Played};
use sim::trace::{Header, Trace};
use sim::world::{Event, MessageId};

use crate::driver::{Random, node, starts};
use crate::replay::broken;

#[test]
fn a_forged_failure_becomes_a_scenario_that_fails_in_the_same_way() {
    for seed in [5, 6, 8] {
        let short = shrink(&broken(seed, 2000), 0, &mut Unwatched).unwrap();
        let text = from_trace(&short).unwrap();
        let Played { transcript, failure, .. } = script::play(&text);
        let failure = failure.expect("it fails");
        assert!(failure.problem.starts_with("election-safety violated at step "), "{failure}");
        assert!(transcript.trim_end().ends_with(&failure.problem), "{transcript}");
        assert!(text.starts_with("# Breaks election-safety: there is at most one leader a term"), "{text}");
        assert!(text.lines().count() < 40, "{text}");
        assert_eq!(from_trace(&short).unwrap(), text, "the same trace makes the same scenario");
    }
}

#[test]
fn what_a_scenario_says_is_what_matters() {
    let mut run = Random::new(1, 3, false);
    run.steps(100);
    let text = from_trace(&Trace::record(Header::new(Some(1)), &run.events)).unwrap();
    assert!(
        text.starts_with("# Nothing breaks here.\n#\n# From a trace: seed 1.\n\n# Nodes 1, 2, 3 start.\n"),
        "{text}"
    );
    assert!(!text.contains("write-log"), "{text}");
}

#[test]
fn an_event_without_words_is_named() {
    let conf_state = ConfState { voters: (1..=3).map(node).collect(), ..ConfState::default() };
    let snapshot = Snapshot { id: EntryId::new(Term(7), Index(9)), conf_state, data: Bytes::new() };
    let body = Body::InstallSnapshot { snapshot: Box::new(snapshot) };
    let mut events = starts(3);
    events.push(Event::Inject { message: Message { from: node(2), to: node(1), term: Some(Term(7)), body } });
    events.push(Event::Deliver { message: MessageId(0) });
    let told = from_trace(&Trace::record(Header::new(None), &events));
    let said = "step 3: the language of scenarios cannot say Inject: no words make such a message";
    assert_eq!(told.map_err(|error| error.to_string()), Err(said.to_owned()));
}

#[test]
fn a_long_trace_and_one_that_goes_otherwise_make_no_scenario() {
    let long = Random::trace(1, 3, false, 1500);
    let told = from_trace(&long);
    assert_eq!(told, Err(CannotTell::TooLong(1500)));
    let mut other = Random::trace(1, 3, false, 50);
    other.events.push(Event::Tick { node: node(9) });
    assert_eq!(from_trace(&other), Err(CannotTell::Diverged));
    let mut other = shrink(&broken(5, 500), 0, &mut Unwatched).unwrap();
    other.events.pop();
    assert_eq!(from_trace(&other), Err(CannotTell::Diverged));
}

#[test]
fn a_scenario_with_a_bug_that_is_not_in_the_build_does_not_run() {
    let Played { transcript, failure, needs_bug, .. } = script::play("planted-bug no-such-bug\nadd-nodes 1\n");
    assert_eq!(needs_bug.as_deref(), Some("no-such-bug"));
    let said = "line 1: this build has no planted bug no-such-bug: they are in builds with the feature planted-bugs";
    assert_eq!(failure.map(|failure| failure.to_string()).as_deref(), Some(said));
    assert!(!transcript.contains("add-nodes"));
}
