//! A replay ends as the recording did, or says where it does not.

use bytes::Bytes;
use raft::{Body, Index, Message, Term};
use sim::driver::{How, Replayed, replay};
use sim::invariant::Invariant;
use sim::trace::{Ending, Header, Reader, Trace, Trouble};
use sim::world::{Event, MessageId};

use crate::driver::{Random, node};

fn text(trace: &Trace) -> String {
    String::from_utf8(trace.write(Vec::new()).unwrap()).unwrap()
}

fn replayed(text: &str) -> Replayed {
    replay(Reader::new(text.as_bytes(), "t.jsonl").unwrap()).unwrap()
}

fn how(text: &str) -> (u64, How) {
    match replayed(text) {
        Replayed::Diverged(divergence) => (divergence.step, divergence.how),
        other => panic!("no divergence: {other:?}"),
    }
}

/// A run that forged votes break: two nodes win the same election.
pub fn broken(seed: u64, steps: usize) -> Trace {
    let mut run = Random::new(seed, 3, true);
    run.steps(steps);
    let term = run.world.statistics().highest_term + 1;
    for candidate in [1, 2] {
        let _ = run.apply(Event::Restart { node: node(candidate), options: None, seed: None });
        let heartbeat = Body::Heartbeat { commit: Index(0), context: Bytes::new() };
        forge(&mut run, Message { from: node(3), to: node(candidate), term: Some(Term(term)), body: heartbeat });
        run.apply(Event::Campaign { node: node(candidate) }).unwrap();
        for voter in (1..=3).filter(|voter| *voter != candidate) {
            let vote = Body::VoteResponse { granted: true };
            forge(&mut run, Message { from: node(voter), to: node(candidate), term: Some(Term(term + 1)), body: vote });
        }
    }
    run.steps(steps + 100);
    Trace::record(Header::new(Some(seed)), &run.events)
}

fn forge(run: &mut Random, message: Message) {
    let id = run.world.network().next_id();
    let _ = run.apply(Event::HealLink { from: message.from, to: message.to });
    run.apply(Event::Inject { message }).unwrap();
    let _ = run.apply(Event::Deliver { message: MessageId(id) });
}

#[test]
fn a_replay_ends_as_the_recording() {
    for seed in 0..5 {
        let trace = Random::trace(seed, 3, true, 3000);
        assert_eq!(trace.ending, Ending::Completed);
        assert_eq!(replayed(&text(&trace)), Replayed::Completed { steps: 3000 });
    }
}

#[test]
fn a_violation_is_found_again_at_the_same_step() {
    let trace = broken(5, 500);
    let Ending::Violation(violation) = &trace.ending else { panic!("nothing broke: {:?}", trace.ending) };
    assert_eq!(violation.invariant, Invariant::ElectionSafety, "{violation}");
    assert_eq!(violation.step, trace.events.len() as u64 - 1);
    let step = violation.step;
    assert_eq!(replayed(&text(&trace)), Replayed::Broken { ending: trace.ending.clone(), step });
}

#[test]
fn another_ending_is_a_divergence() {
    let trace = broken(5, 500);
    let text = text(&trace);
    let step = trace.events.len() as u64 - 1;
    let end = text.rfind(r#","violation""#).unwrap();
    let (at, what) = how(&format!("{}}}}}\n", &text[..end]));
    assert!(matches!(what, How::Ending { .. }), "{what}");
    assert_eq!(at, step);
    let other = text.replace(r#""invariant":"election-safety""#, r#""invariant":"vote-once""#);
    assert!(matches!(how(&other).1, How::Ending { .. }));
}

#[test]
fn an_event_that_no_longer_fits_is_a_divergence() {
    let text = text(&Random::trace(1, 3, false, 400));
    let (lost, _) = text.match_indices(r#"{"SyncDone""#).next().unwrap();
    let line = text[lost..].lines().next().unwrap();
    let (step, what) = how(&text.replacen(line, r#"{"Tick":{"node":1}}"#, 1));
    let How::Inapplicable { reason, .. } = &what else { panic!("{what}") };
    let before = text[..lost].lines().count() as u64;
    assert!(step >= before - 1, "{reason} at {step}");
}

#[test]
fn another_digest_is_a_divergence_with_the_last_that_agreed() {
    let mut trace = Random::trace(1, 3, false, 400);
    trace.header.digest_every = 100;
    let text = text(&trace);
    let first = text.lines().position(|line| line.starts_with(r#"{"Propose""#)).unwrap();
    let after: usize = text.lines().take(first).map(|line| line.len() + 1).sum();
    let other = format!("{}{}", &text[..after], text[after..].replacen("value", "other", 1));
    let (step, what) = how(&other);
    assert!(matches!(what, How::Digest { agreed, .. } if step == agreed + 100), "{step}: {what}");
}

#[test]
fn a_damaged_end_is_told_although_the_replay_left_it_before() {
    let text = text(&Random::trace(1, 3, false, 400)).replacen(r#"{"Tick":{"node":1}}"#, r#"{"Tick":{"node":9}}"#, 1);
    let cut = &text[..text.len() - 20];
    let error = replay(Reader::new(cut.as_bytes(), "t").unwrap()).unwrap_err();
    assert!(matches!(error.trouble, Trouble::CutOff | Trouble::Damaged(_)), "{error}");
}

#[test]
fn a_planted_bug_that_nobody_knows_is_an_error() {
    let mut header = Header::new(None);
    header.bug = Some("no-such-bug".to_string());
    let text = text(&Trace { header, events: Vec::new(), ending: Ending::Completed });
    let error = replay(Reader::new(text.as_bytes(), "t").unwrap()).unwrap_err();
    assert!(matches!(error.trouble, Trouble::NeedsBug(_)), "{error}");
}
