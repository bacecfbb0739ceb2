//! `sim exhaust`: what is recorded of searches is what they find, and it does not depend on how many threads there are.

use std::path::Path;
use std::process::{Command, Output};

use sim::campaign::exhaust::{Size, configurations, exhaust};
use sim::driver::exhaust::{Ended, Explored, Unwatched};

const RECORDED: &str = include_str!("../recorded/exhaust.txt");

fn sim(arguments: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder).output().expect("the simulator starts")
}

/// The first columns of a recorded line: what does not depend on the machine.
fn recorded(bounds: &str) -> Option<Vec<&'static str>> {
    let columns = RECORDED.lines().map(|line| line.split(" | ").collect::<Vec<_>>());
    columns.into_iter().find(|columns| columns[0] == bounds).map(|columns| columns[1..4].to_vec())
}

#[test]
fn each_configuration_is_recorded_and_nothing_was_found_in_it() {
    let lines: Vec<&str> = RECORDED.lines().collect();
    let bounds: Vec<String> = configurations().iter().map(|(_, bounds)| bounds.to_string()).collect();
    let said: Vec<&str> = lines.iter().filter_map(|line| line.split(" | ").next()).collect();
    assert_eq!(said, bounds);
    assert!(lines.len() >= 8 && lines.iter().all(|line| line.ends_with("| nothing found")), "{RECORDED}");
}

#[test]
fn small_searches_find_what_is_recorded_of_them_with_any_number_of_threads() {
    for (_, bounds) in configurations().into_iter().filter(|(size, _)| *size == Size::Small) {
        for jobs in [1, 3] {
            let explored = exhaust(&bounds, Some(jobs), None, &mut Unwatched).unwrap();
            let Explored { states, transitions, depth, ended, .. } = explored;
            assert_eq!(ended, Ended::Whole, "{bounds}");
            let found = [states, transitions, u64::from(depth)].map(|number| number.to_string());
            assert_eq!(recorded(&bounds.to_string()), Some(found.iter().map(String::as_str).collect()), "{bounds}");
        }
    }
}

#[test]
fn a_search_says_how_far_it_got() {
    let output = sim(&["exhaust", "--nodes", "2", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    assert_eq!((&line["whole"], &line["bounds"]), (&true.into(), &"2 nodes, 1 campaign, 1 proposal".into()));
    assert!(line["states"].as_u64() > Some(10) && line["failure"].is_null());
}

#[test]
fn bounds_that_leave_no_voter_are_refused() {
    let output = sim(&["exhaust", "--nodes", "2", "--learners", "1", "--outsiders", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("some node has to be a voter"));
}

#[cfg(feature = "planted-bugs")]
mod planted {
    use raft::planted::Bug;
    use sim::campaign::exhaust::{Shown, exhaust, shown};
    use sim::driver::exhaust::{Bounds, Ended, Unwatched};
    use sim::driver::{Replayed, replay};
    use sim::trace::Reader;

    use super::{Path, sim};

    #[test]
    fn a_bug_is_found_by_the_same_shortest_run_with_any_number_of_threads() {
        for bug in [Bug::VoteDoubleGrant, Bug::AckBeforeDurable, Bug::SelfVoteBeforeDurable] {
            let [one, three] = [1, 3].map(|jobs| shown(bug, 20_000, Some(jobs), &mut Unwatched));
            assert!(one.is_some(), "{bug:?}");
            assert_eq!(one, three);
        }
    }

    #[test]
    fn no_run_with_fewer_moves_breaks_anything() {
        let Shown { bounds, moves, .. } = shown(Bug::CommitQuorumOffByOne, 20_000, None, &mut Unwatched).unwrap();
        let name = Bug::CommitQuorumOffByOne.name();
        let ended =
            |depth| exhaust(&Bounds { depth, ..bounds.clone() }, None, Some(&name), &mut Unwatched).unwrap().ended;
        assert_eq!(ended(moves - 1), Ended::Whole);
        assert!(matches!(ended(moves), Ended::Broken(_)));
    }

    #[test]
    fn what_is_found_is_a_trace_that_fails_again() {
        let output = sim(&[
            "exhaust",
            "--bug",
            "vote-double-grant",
            "--campaigns",
            "2",
            "--proposals",
            "0",
            "-o",
            "double.jsonl",
        ]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("vote-once") && text.contains("double.jsonl"), "{text}");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("double.jsonl");
        let replayed = replay(Reader::open(&path).expect("the trace was written")).expect("it can be read");
        assert!(matches!(replayed, Replayed::Broken { .. }), "{replayed:?}");
    }
}
