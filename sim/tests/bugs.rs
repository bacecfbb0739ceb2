//! `sim bugs`: what it prints, how it exits, and that it always finds the same.

use std::path::Path;
use std::process::{Command, Output};

fn sim(arguments: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder).output().expect("the simulator starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[cfg(not(feature = "planted-bugs"))]
#[test]
fn a_build_without_planted_bugs_says_how_to_get_them() {
    let output = sim(&["bugs", "commit-prior-term"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--features planted-bugs"), "{}", text(&output.stderr));
}

#[cfg(feature = "planted-bugs")]
mod planted {
    use raft::planted::Bug;
    use sim::campaign::hunt::{Hunt, Unwatched, hunt};
    use sim::driver::{Replayed, replay};
    use sim::trace::Reader;

    use super::{Path, sim, text};

    #[test]
    fn a_hunt_finds_the_same_however_many_run_at_once() {
        let bugs = [Bug::AckBeforeDurable, Bug::CommitPriorTerm, Bug::LearnerRefusesVote];
        let with = |jobs| Hunt { seeds: 12, starts: 2, events: Some(6000), jobs: Some(jobs), shrinks: false };
        assert_eq!(hunt(&bugs, &with(1), &Unwatched), hunt(&bugs, &with(5), &Unwatched));
    }

    #[test]
    fn a_trace_shrinks_to_the_same_however_many_run_at_once() {
        let with = |jobs| Hunt { seeds: 20, starts: 1, events: Some(2000), jobs: Some(jobs), shrinks: true };
        let [one, four] = [1, 4].map(|jobs| hunt(&[Bug::AckBeforeDurable], &with(jobs), &Unwatched));
        assert!(one[0].shortest.as_ref().is_some_and(|trace| trace.events.len() < 100));
        assert_eq!(one, four);
    }

    /// In long runs a snapshot and the log behind it are many entries, of which none can be taken out alone.
    #[test]
    fn a_long_history_that_nothing_can_be_taken_out_of_is_found_again_in_a_short_run() {
        let once = Hunt { seeds: 5000, starts: 1, events: None, jobs: None, shrinks: true };
        let hunted = hunt(&[Bug::SnapshotWalOrder], &once, &Unwatched);
        let length = hunted[0].shortest.as_ref().map(|trace| trace.events.len());
        assert!(length.is_some_and(|length| length <= 60), "{length:?} events");
    }

    #[test]
    fn a_bug_that_is_caught_leaves_its_trace_and_exits_with_0() {
        let output = sim(&["bugs", "vote-double-grant", "--starts", "1", "--events", "2000"]);
        let table = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{table}");
        assert!(table.contains("1 of 1 bugs are caught") && table.ends_with("vote-double-grant.jsonl\n"), "{table}");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vote-double-grant.jsonl");
        let replayed = replay(Reader::open(&path).expect("the trace was written")).expect("it can be read");
        assert!(matches!(replayed, Replayed::Broken { .. }), "{replayed:?}");
    }

    #[test]
    fn a_bug_that_is_not_caught_exits_with_1() {
        let output = sim(&["bugs", "commit-prior-term", "--seeds", "1", "--starts", "1", "--events", "10"]);
        let table = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{table}");
        assert!(table.contains("NOT CAUGHT") && table.contains("not caught: commit-prior-term"), "{table}");
    }

    #[test]
    fn json_has_a_line_for_each_bug() {
        let how = ["--json", "--seeds", "1", "--starts", "1", "--events", "2000"];
        let output = sim(&[&["bugs", "commit-prior-term", "vote-double-grant"][..], &how[..]].concat());
        let lines: Vec<serde_json::Value> =
            text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines[0]["bug"], "commit-prior-term");
        assert_eq!((&lines[1]["bug"], &lines[1]["caught"]), (&"vote-double-grant".into(), &true.into()));
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_one() {
        let output = sim(&["bugs", "vote-double-grants"]);
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert_eq!(
            error,
            "error: there is no planted bug \"vote-double-grants\"; did you mean \"vote-double-grant\"?\n"
        );
    }

    #[test]
    fn the_list_names_every_bug() {
        let output = sim(&["bugs", "--list"]);
        assert_eq!(output.status.code(), Some(0));
        let list = text(&output.stdout);
        assert_eq!(list.lines().count(), Bug::ALL.len());
        assert!(Bug::ALL.iter().all(|bug| list.contains(&bug.name())), "{list}");
    }
}
