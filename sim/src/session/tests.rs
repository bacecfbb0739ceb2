//! Sessions, line by line.

use super::{Deed, Problem, Session};
use crate::driver::swarm;
use crate::plan::{Overrides, Plan};
use crate::script;
use crate::trace::{Failure, Header, Trace};
use crate::world::World;

/// A session of these lines, all of which are understood.
fn session(lines: &[&str]) -> Session {
    let mut session = Session::new();
    types(&mut session, lines);
    session
}

/// Types the lines, and returns the last answer.
fn types(session: &mut Session, lines: &[&str]) -> String {
    let mut last = String::new();
    for line in lines {
        let answer = session.line(1, line, &[]);
        assert_eq!(answer.problem, None, "{line}");
        last = answer.text;
    }
    last
}

/// What is wrong with a line.
fn misunderstood(session: &mut Session, line: &str) -> String {
    match session.line(7, line, &[]).problem {
        Some(Problem::Misunderstood(error)) => error.to_string(),
        other => panic!("{line}: {other:?}"),
    }
}

const THREE: &[&str] = &["add-nodes 3 voters=(1,2,3) index=1", "campaign 1", "process-ready 1"];

#[test]
fn undo_goes_back_to_the_table_before_and_redo_to_the_one_after() {
    let mut session = session(THREE);
    let before = session.line(1, "nodes", &[]).text;
    types(&mut session, &["deliver 1->2", "process-ready 2"]);
    let after = (session.line(1, "nodes", &[]).text, session.world().digest());
    assert_ne!(before, after.0);
    assert!(types(&mut session, &["undo 2"]).starts_with("  undone: process-ready 2\n  undone: deliver 1->2\n"));
    assert_eq!(session.line(1, "nodes", &[]).text, before);
    types(&mut session, &["redo", "redo"]);
    assert_eq!((session.line(1, "nodes", &[]).text, session.world().digest()), after);
    assert_eq!(misunderstood(&mut session, "redo"), "line 7: there is nothing to redo");
}

#[test]
fn what_was_undone_is_forgotten_once_something_else_happens() {
    let mut session = session(THREE);
    types(&mut session, &["undo", "crash 2"]);
    assert_eq!(misunderstood(&mut session, "redo"), "line 7: there is nothing to redo");
    assert!(!session.scenario().expect("a scenario").contains("process-ready"));
}

#[test]
fn a_star_marks_what_the_last_command_changed_and_nothing_else() {
    let mut session = session(&THREE[..1]);
    let text = types(&mut session, &["campaign 2"]);
    let starred: Vec<&str> = text.split_whitespace().filter(|word| word.starts_with('*')).collect();
    assert_eq!(starred, ["*candidate", "*1", "*2"]);
}

#[test]
fn an_event_that_is_picked_happens_as_the_command_that_says_it() {
    let mut picked = session(THREE);
    let events = types(&mut picked, &["events"]);
    let lost = events.lines().find(|line| line.contains("lose 1->3")).expect("a message can be lost");
    let number = lost.split_whitespace().next().expect("a number");
    let answer = types(&mut picked, &[number]);
    assert!(answer.starts_with("  lose 1->3\n  lost: 1->3 MsgVote"), "{answer}");
    let typed = session(&[THREE, &["lose 1->3"]].concat());
    assert_eq!(picked.world().digest(), typed.world().digest());
    assert_eq!(picked.scenario(), typed.scenario());
}

/// Each event of the list, on a copy of the session.
#[test]
fn each_event_that_is_listed_can_be_picked() {
    let beginning = session(&[THREE, &["crash 3", "deliver 1->2", "process-ready 2"]].concat());
    let scenario = beginning.scenario().expect("a scenario");
    let count = beginning.events().lines().count();
    assert!(count >= 10, "{count} events");
    for number in 1..=count {
        let mut session = Session::after_scenario("it", &scenario, None).expect("it runs");
        types(&mut session, &[&format!("pick {number}")]);
        assert!(session.world().step() > beginning.world().step(), "event {number}");
    }
    let mut session = beginning;
    assert_eq!(
        misunderstood(&mut session, "999"),
        format!("line 7: there are the events 1 to {count}, not 999: events lists them")
    );
}

#[test]
fn a_random_run_names_its_seed_and_happens_again_in_the_same_way() {
    let lines = [THREE, &["run 60"]].concat();
    let (mut one, other) = (session(&lines), session(&lines));
    assert_eq!(one.world().digest(), other.world().digest());
    assert!(types(&mut one, &["list"]).ends_with("run 60 seed=10\n"));
    assert_ne!(session(&[THREE, &["run 60 seed=11"]].concat()).world().digest(), other.world().digest());
}

#[test]
fn a_saved_scenario_leads_to_the_state_that_was_saved() {
    let mut session = session(&[THREE, &["1", "# They vote.", "stabilize", "write 1 k1=green", "run 25"]].concat());
    types(&mut session, &["crash 2 keep=all", "events", "pick 1", "undo", "3", "partition (1) (2,3)", "delay 1->3"]);
    let text = session.scenario().expect("a scenario");
    assert!(text.contains("# They vote.\nstabilize\n"), "{text}");
    let trace = script::record(&text).expect("it runs");
    let mut world = World::new();
    for event in &trace.events {
        world.apply(event).expect("it fits");
    }
    assert_eq!(world.digest(), session.world().digest());
    assert_eq!(world.state_hash(), session.world().state_hash());
}

#[test]
fn a_session_saved_as_a_trace_has_all_its_events() {
    let mut session = session(&[THREE, &["stabilize"]].concat());
    let deed = session.line(1, "save it.jsonl", &[]).deed;
    let Some(Deed::Save { contents: super::Contents::Trace(trace), .. }) = deed else { panic!("{deed:?}") };
    assert_eq!(trace.events.len() as u64, session.world().step());
    assert!(!session.is_saved());
    session.was_saved();
    assert!(session.is_saved());
}

#[test]
fn a_session_begins_at_any_step_of_a_scenario_and_the_scenario_it_saves_leads_there() {
    let text = "add-nodes 3 voters=(1,2,3) index=1\n\n# One leads.\ncampaign 1\nstabilize\n";
    let events = script::record(text).expect("it runs").events;
    let mut world = World::new();
    for (step, event) in (0..).zip(&events) {
        let session = Session::after_scenario("it", text, Some(step)).expect("it has as many events");
        assert_eq!(session.world().digest(), world.digest(), "after {step}");
        if step > 0 {
            let saved = script::record(&session.scenario().expect("a scenario")).expect("it runs");
            assert_eq!(saved.events, events[..saved.events.len()]);
            assert_eq!(saved.events.len() as u64, step);
        }
        world.apply(event).expect("it fits");
    }
    let most = events.len() as u64;
    assert!(Session::after_scenario("it", text, Some(most)).is_ok());
    let error = Session::after_scenario("it", text, Some(most + 1)).expect_err("there are fewer");
    assert_eq!(error, format!("it has {most} events, and not {}", most + 1));
}

#[test]
fn a_session_begins_at_any_step_of_a_trace_and_goes_back_event_by_event() {
    let text = "add-nodes 3 voters=(1,2,3) index=1\ncampaign 1\nstabilize\nwrite 1 k1=green\nstabilize\n";
    let trace = script::record(text).expect("it runs");
    let mut session = Session::after_trace("it", &trace, Some(40)).expect("it runs");
    assert_eq!(session.world().step(), 40);
    types(&mut session, &["undo 5"]);
    let earlier = Session::after_trace("it", &trace, Some(35)).expect("it runs");
    assert_eq!(session.world().digest(), earlier.world().digest());
    let saved = script::record(&session.scenario().expect("there are words for all of it")).expect("it runs");
    assert_eq!(saved.events, trace.events[..35]);
}

#[test]
fn from_a_place_in_a_scenario_or_a_trace_redo_goes_on_along_it() {
    let text = "add-nodes 3 voters=(1,2,3) index=1\ncampaign 1\nstabilize\nwrite 1 k1=green\nstabilize\n";
    let trace = script::record(text).expect("it runs");
    let mut world = World::new();
    trace.events.iter().for_each(|event| drop(world.apply(event).expect("it fits")));
    for at in [0, 3, 10, 40] {
        let of_scenario = Session::after_scenario("it", text, Some(at)).expect("it runs");
        let of_trace = Session::after_trace("it", &trace, Some(at)).expect("it runs");
        for mut session in [of_scenario, of_trace] {
            assert!(session.beginning().contains("redo goes on along it"));
            assert_eq!((session.world().step(), session.is_saved()), (at, true));
            types(&mut session, &["redo 999"]);
            assert!(session.is_saved(), "nothing was typed that could be lost");
            assert_eq!(session.world().digest(), world.digest(), "from {at}");
        }
    }
}

#[test]
fn a_random_run_with_its_faults_is_saved_as_a_scenario_that_leads_to_its_end() {
    for seed in 1..=4 {
        let mut events = Vec::new();
        let plan = Plan::draw(seed, &Overrides { steps: Some(400), ..Overrides::default() });
        let ended = swarm::run(&plan, |event| events.push(event.clone()));
        let trace = Trace::record(Header::new(Some(seed)), &events);
        let session = Session::after_trace("it", &trace, None).expect("it runs");
        let again = Session::after_scenario("it", &session.scenario().expect("there are words for it"), None);
        let again = again.expect("it runs");
        assert_eq!(again.world().state_hash(), ended.world.state_hash(), "seed {seed}");
    }
}

#[test]
fn nothing_changes_where_a_line_makes_no_sense() {
    let mut session = session(THREE);
    let before = session.world().digest();
    for (line, problem) in [
        (
            "stabilise",
            "line 7: there is no command \"stabilise\", and help lists them all; the nearest known word is \"stabilize\"",
        ),
        (
            "evnets",
            "line 7: there is no command \"evnets\", and help lists them all; the nearest known word is \"events\"",
        ),
        ("campaign 9", "line 7: node 9 never started"),
        ("campaign", "line 7: \"campaign\" needs a node"),
        ("undo many", "line 7: \"undo\" takes a number above 0, or nothing, not \"many\""),
        ("save", "line 7: \"save\" needs the name of a file, such as save mine.txt"),
        ("nodes 1", "line 7: \"1\" is too much: that command stands alone"),
    ] {
        assert_eq!(misunderstood(&mut session, line), problem);
    }
    let answer = session.line(7, "expect leader=3", &[]);
    assert!(matches!(answer.problem, Some(Problem::Unmet(_))), "{answer:?}");
    assert_eq!(session.world().digest(), before);
}

#[test]
fn input_below_a_command_belongs_to_it() {
    let mut session = session(&["add-nodes 1 voters=(1) index=1", "campaign 1", "stabilize"]);
    let answer = session.line(4, "propose-conf-change 1", &["  v2".to_owned()]);
    assert_eq!(answer.problem, None);
    assert!(session.scenario().expect("a scenario").ends_with("propose-conf-change 1\n  v2\n"));
    assert!(super::takes_input("propose-conf-change 1") && !super::takes_input("campaign 1"));
}

#[test]
fn check_says_what_it_has_found_out_and_changes_nothing() {
    let mut session = session(&[THREE, &["stabilize", "client 1 write 1 k1=green"]].concat());
    let before = session.world().digest();
    let text = types(&mut session, &["check"]);
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("would converge and work"), "{text}");
    assert_eq!(session.world().digest(), before);
}

#[test]
fn a_long_answer_is_cut_short_and_kept() {
    let mut session = session(THREE);
    let shown = types(&mut session, &["stabilize"]);
    assert!(shown.contains("more lines: output prints all\n"), "{shown}");
    let whole = types(&mut session, &["output"]);
    let beginning: String = shown.lines().take(20).map(|line| format!("{line}\n")).collect();
    assert!(whole.lines().count() > 30 && whole.starts_with(&beginning), "{whole}");
}

#[test]
fn a_line_goes_on_with_what_makes_sense_now() {
    let vocabulary = session(THREE).vocabulary();
    let completed = |line: &str| vocabulary.completed(line).1;
    assert_eq!(completed("process-a"), ["process-append-thread", "process-apply-thread"]);
    assert_eq!(completed("help und"), ["undo"]);
    assert_eq!(completed("crash "), ["1", "2", "3", "keep="]);
    assert_eq!(completed("crash 1 "), ["keep="]);
    assert_eq!(completed("deliver 1"), ["1->2", "1->3"]);
    assert_eq!(completed("deliver type"), ["type=MsgVote"]);
    assert_eq!(completed("log-level "), ["info", "none"]);
    assert_eq!(vocabulary.hint("transfer").as_deref(), Some("-leadership"));
    assert_eq!(vocabulary.hint("transfer-leadership from=1 ").as_deref(), Some("to=J"));
    assert_eq!(vocabulary.hint("tick 1 ").as_deref(), Some("N"));
    assert_eq!(vocabulary.hint("campaign 1 "), None);
}

/// A trace that breaks something, and a session that goes on from it.
fn broken() -> (Trace, Session) {
    let trace =
        Trace::open(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../traces/vote-compares-commit.jsonl")));
    let trace = trace.expect("a trace");
    let session = Session::after_trace("it", &trace, None).expect("it runs");
    (trace, session)
}

#[test]
#[cfg_attr(not(feature = "planted-bugs"), ignore = "needs a planted bug")]
fn what_broke_ends_a_session_until_it_is_undone_and_is_named_among_the_events() {
    let (trace, mut session) = broken();
    assert_eq!(session.broken(), Some(&trace.ending));
    assert!(misunderstood(&mut session, "tick 1 1").contains("undo takes it back"));
    let events = types(&mut session, &["undo", "events"]);
    let breaks = events.lines().find(|line| line.contains("deliver 3->2 ")).expect("that can happen next");
    assert!(breaks.contains("BREAKS leader-completeness"), "{breaks}");
    let number = breaks.split_whitespace().next().expect("a number");
    let again = session.line(1, number, &[]).problem;
    assert_eq!(again, Some(Problem::Broken(trace.ending)));
    types(&mut session, &["undo 2"]);
    assert!(session.broken().is_none() && matches!(session.line(1, "check", &[]).problem, Some(Problem::Broken(_))));
    assert!(session.broken().is_none(), "check is tried on copies");
}

#[test]
#[cfg_attr(not(feature = "planted-bugs"), ignore = "needs a planted bug")]
fn a_planted_bug_stays_on_where_one_goes_back_and_forth_and_a_saved_failure_fails_again() {
    let (trace, mut session) = broken();
    types(&mut session, &["undo 3", "list"]);
    let answer = session.line(1, "redo 3", &[]);
    assert_eq!(answer.problem, Some(Problem::Broken(trace.ending.clone())));
    let saved = script::record(&session.scenario().expect("a scenario")).expect("it runs");
    assert_eq!(Failure::of(&saved.ending), Failure::of(&trace.ending));
}
