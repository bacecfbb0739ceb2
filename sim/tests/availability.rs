//! `sim availability`: what is recorded is what runs come to, and where nothing goes on, a scenario shows why.

use std::path::Path;
use std::process::{Command, Output};

use sim::campaign::availability::{Case, Cores, Guards, Row, Unwatched};
use sim::driver::availability::Topology;
use sim::trace::{Ending, Trace};

const RECORDED: &str = include_str!("../recorded/availability.jsonl");

fn sim(arguments: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).current_dir(folder).output().expect("the simulator starts")
}

fn recorded() -> Vec<Row> {
    RECORDED.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

#[test]
fn each_case_is_recorded_with_a_hundred_seeds() {
    let rows = recorded();
    assert_eq!(rows.iter().map(|row| row.case).collect::<Vec<_>>(), Case::all().collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row.seeds == 100 && row.writes == 6000));
}

/// The rest is made anew by `sim availability --json > sim/recorded/availability.jsonl`.
#[test]
fn rows_that_are_made_anew_are_those_that_are_recorded() {
    let cores = Cores::new(None).expect("threads can start");
    for (topology, nodes, options) in
        [(Topology::QuorumLoss, 5, Guards::PreVote), (Topology::HalfBrokenLink, 3, Guards::CheckQuorum)]
    {
        let case = Case { topology, nodes, options };
        let row = cores.row(case, 0..100, &Unwatched).expect("nothing breaks");
        assert_eq!(Some(&row), recorded().iter().find(|row| row.case == case), "record the table anew");
    }
}

/// Pre-vote alone, where the leader has lost its quorum: what the documentation of the option says.
#[test]
fn with_pre_vote_alone_a_leader_without_a_quorum_keeps_half_of_the_clusters_from_any_write() {
    let row = |options| {
        let rows = recorded();
        rows.into_iter()
            .find(|row| row.case == Case { topology: Topology::QuorumLoss, nodes: 5, options })
            .expect("a row")
    };
    let alone = row(Guards::PreVote);
    assert_eq!((alone.written_median, alone.commit_median), (0, None));
    assert!(row(Guards::None).written_median > 50 && row(Guards::Both).written_median > 50);
}

#[test]
fn where_no_seed_goes_on_the_document_names_a_scenario_that_shows_why() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = std::fs::read_to_string(root.join("docs/availability.md")).expect("there is a document");
    for row in recorded().into_iter().filter(|row| row.never == row.seeds) {
        let name = row.case.topology.name();
        let line = document.lines().find(|line| line.starts_with(&format!("| `{name}`"))).expect("a line a topology");
        assert!(
            line.contains("](../scenarios/"),
            "{name} with {} nodes cannot go on, and no scenario is named",
            row.case.nodes
        );
    }
}

#[test]
fn the_command_prints_a_row_for_each_case_that_is_asked_for_and_leaves_a_trace_on_request() {
    let arguments =
        ["availability", "--topology", "mute-follower", "--nodes", "3", "--seeds", "1", "--trace", "available.jsonl"];
    let printed = sim(&arguments);
    let text = String::from_utf8(printed.stdout).expect("text");
    assert!(printed.status.success() && text.lines().count() == 2 + Guards::ALL.len(), "{text}");
    let trace = Trace::open(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("available.jsonl")).expect("a trace");
    assert_eq!(trace.ending, Ending::Completed);
    assert!(trace.header.note.is_some_and(|note| note.contains("mute-follower, 3 nodes, options: none")));
}

#[test]
fn what_there_is_not_is_refused_with_what_there_is() {
    let printed = sim(&["availability", "--topology", "bridge", "--nodes", "3"]);
    assert_eq!(printed.status.code(), Some(2));
    let said = String::from_utf8(printed.stderr).expect("text");
    assert!(said.contains("bridge has [5, 7]"), "{said}");
}
