//! Runs of the node as it is: in form, without a contradiction, and with a reason where they end.

use super::form::check;
use super::rules::contradiction;
use super::{WRITTEN, of_script, of_seed, read};
use sim::explain::tla::{Limit, Name};

#[test]
fn runs_of_seeds_are_in_form_and_contradict_no_rule() {
    let mut lines = 0;
    for seed in 0..40 {
        let told = of_seed(seed);
        let read = read(&told.text());
        assert_eq!(check(&read), Ok(()), "seed {seed}");
        assert_eq!(contradiction(&read), None, "seed {seed}");
        assert!(told.lines.len() <= 600, "seed {seed}");
        lines += told.lines.len();
    }
    assert!(lines > 8000, "{lines} lines: files say little");
}

#[test]
fn most_seeds_stay_within_the_specification_for_a_whole_file() {
    let whole = (0..40).filter(|seed| of_seed(*seed).lines.len() > 300).count();
    assert!(whole > 20, "{whole} of 40");
}

#[test]
fn a_run_tells_of_an_election_and_a_write_in_the_order_of_etcds_node() {
    let told = of_script(WRITTEN);
    assert_eq!(told.limit, None);
    let names: Vec<Name> = told.lines.iter().map(|line| line.name()).filter(|name| is_turning_point(*name)).collect();
    use Name::{BecomeCandidate, BecomeFollower, BecomeLeader, Commit, InitState, Replicate};
    let expected = [
        InitState,
        InitState,
        InitState,
        BecomeCandidate,
        BecomeFollower,
        BecomeFollower,
        BecomeLeader,
        Replicate,
        Commit,
        Replicate,
        Commit,
    ];
    assert_eq!(names, expected);
}

const fn is_turning_point(name: Name) -> bool {
    matches!(
        name,
        Name::InitState
            | Name::BecomeCandidate
            | Name::BecomeFollower
            | Name::BecomeLeader
            | Name::Replicate
            | Name::Commit
    )
}

#[test]
fn what_is_beyond_the_specification_ends_a_file_with_its_reason() {
    let limit = |script: &str| of_script(script).limit.map(|limit| limit.kind());
    let with = |options: &str| limit(&format!("add-nodes 3 voters=(1,2,3) index=2 {options}\ncampaign 1\n"));
    assert_eq!(with(""), None);
    assert_eq!(with("prevote=true"), Some("pre-vote"));
    assert_eq!(with("async-storage-writes=true"), Some("asynchronous writes"));
    assert_eq!(with("batch-append=true"), Some("joined appends"));
    assert_eq!(with("loop=true"), Some("a run loop"));
    assert_eq!(limit("add-nodes 2 voters=(1) learners=(2) index=2\n"), Some("first members that are no voters"));
    assert_eq!(limit("add-nodes 1 voters=(1) index=2000\n"), Some("a log that begins late"));
    let doubled = "campaign 1\nprocess-ready 1\nduplicate type=MsgVote first=1\nstabilize\n";
    assert_eq!(limit(&format!("add-nodes 3 voters=(1,2,3) index=2\n{doubled}")), Some("a message that arrives twice"));
    let forged = "step 2 type=MsgHeartbeat from=1 term=3 commit=2\n";
    assert_eq!(limit(&format!("add-nodes 3 voters=(1,2,3) index=2\n{forged}")), Some("a message that nobody sent"));
    let joint = "campaign 1\nstabilize\npropose-conf-change 1 transition=explicit\n  r3\nstabilize\n";
    assert_eq!(
        limit(&format!("add-nodes 3 voters=(1,2,3) index=2\n{joint}")),
        Some("another change of the membership")
    );
    let behind = "campaign 1\nstabilize\npartition (1,2) (3)\npropose 1 a\nstabilize\ncompact 1 4\nheal\ntick-heartbeat 1\nstabilize\n";
    assert_eq!(limit(&format!("add-nodes 3 voters=(1,2,3) index=2\n{behind}")), Some("a snapshot"));
}

#[test]
fn a_ready_of_which_a_crash_leaves_nothing_was_not_taken() {
    let crash =
        "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\ntake-ready 1\ncrash 1\nrestart 1\ncampaign 1\nstabilize\n";
    let told = of_script(crash);
    assert_eq!(told.limit, None);
    let names: Vec<Name> = told.lines.iter().map(|line| line.name()).collect();
    let restart = names.iter().rposition(|name| *name == Name::InitState).expect("it starts again");
    assert!(restart > 3 && !names[..restart].contains(&Name::Ready), "{names:?}");
    assert_eq!(contradiction(&read(&told.text())), None);
}

#[test]
fn a_part_of_a_ready_that_a_crash_leaves_is_beyond_the_specification() {
    let crash = "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\nstabilize\npropose 1 a\npropose 1 b\ntake-ready 1\n\
                 write-log 1 1\ncrash 1 keep=all\nrestart 1\n";
    let told = of_script(crash);
    assert!(matches!(told.limit, Some(Limit::PartOfReady(_))), "{:?}", told.limit);
}
