//! What changes do, case by case.

mod majorities;
mod model;
mod restore;

use super::*;
use crate::types::NodeId;

fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
}

/// Reads `v1 l2 r3 u4`: make a voter, make a learner, remove, update; `v0` is a step without a node.
fn steps(text: &str) -> Vec<Change> {
    let step = |word: &str| {
        let kind = match &word[..1] {
            "v" => ChangeKind::AddVoter,
            "l" => ChangeKind::AddLearner,
            "r" => ChangeKind::Remove,
            "u" => ChangeKind::Update,
            other => panic!("no such step: {other}"),
        };
        Change { kind, node: NodeId::new(word[1..].parse().expect("a number")) }
    };
    text.split_whitespace().map(step).collect()
}

/// Reads a change: `auto`, `implicit` or `explicit`, then its steps.
fn change(text: &str) -> ConfChangeV2 {
    let (transition, changes) = text.split_once(' ').unwrap_or((text, ""));
    let transition = match transition {
        "auto" => Transition::Auto,
        "implicit" => Transition::Implicit,
        "explicit" => Transition::Explicit,
        other => panic!("no such transition: {other}"),
    };
    ConfChangeV2::new(transition, steps(changes))
}

/// Begins with no members, applies the changes between the semicolons, and shows the last result.
fn run(script: &str) -> String {
    let mut configuration = Configuration::default();
    let mut shown = String::new();
    for line in script.split(';') {
        match configuration.apply(&change(line.trim())) {
            Ok(changed) => {
                let joined: Vec<_> = changed.joined.iter().map(|id| id.get()).collect();
                shown = format!("{} joined={joined:?}", changed.configuration);
                configuration = changed.configuration;
            }
            Err(error) => shown = error.to_string(),
        }
    }
    shown
}

#[test]
fn one_step_changes_the_voters_directly() {
    let table = [
        ("auto v1", "voters=(1) joined=[1]"),
        ("auto v1; auto v2", "voters=(1 2) joined=[2]"),
        ("auto v1; auto v1", "voters=(1) joined=[]"),
        ("auto v1; auto v2; auto r1", "voters=(2) joined=[]"),
        ("auto v1; auto r2", "voters=(1) joined=[]"),
        ("auto v1; auto u1", "voters=(1) joined=[]"),
        ("auto v1; auto u2", "voters=(1) joined=[]"),
        ("auto v1; auto v0", "voters=(1) joined=[]"),
        ("auto v1; auto r1", "removed all voters"),
        ("auto r1", "removed all voters"),
        ("auto v0", "removed all voters"),
    ];
    for (script, expected) in table {
        assert_eq!(run(script), expected, "{script}");
    }
}

#[test]
fn learners_join_are_promoted_and_voters_are_demoted() {
    let table = [
        ("auto v1; auto l2", "voters=(1) learners=(2) joined=[2]"),
        ("auto v1; auto l2; auto l2", "voters=(1) learners=(2) joined=[]"),
        ("auto v1; auto l2; auto v2", "voters=(1 2) joined=[]"),
        ("auto v1; auto l2; auto r2", "voters=(1) joined=[]"),
        ("auto v1; auto v2; auto l2", "voters=(1) learners=(2) joined=[]"),
        ("auto v1; auto l1", "removed all voters"),
        ("auto l1", "removed all voters"),
    ];
    for (script, expected) in table {
        assert_eq!(run(script), expected, "{script}");
    }
}

#[test]
fn several_steps_or_an_order_to_pass_through_a_joint_configuration() {
    let table = [
        ("auto v1; auto v2 v3", "voters=(1 2 3)&&(1) autoleave joined=[2, 3]"),
        ("auto v1; implicit v2", "voters=(1 2)&&(1) autoleave joined=[2]"),
        ("auto v1; explicit v2", "voters=(1 2)&&(1) joined=[2]"),
        ("auto v1; explicit", "voters=(1)&&(1) joined=[]"),
        ("auto v1; implicit", "voters=(1)&&(1) autoleave joined=[]"),
        ("auto v1; auto v0 v0", "voters=(1)&&(1) autoleave joined=[]"),
        ("auto v1; auto v2 v3; auto", "voters=(1 2 3) joined=[]"),
        ("auto v1; explicit r1 v2; auto", "voters=(2) joined=[]"),
        ("auto v1; explicit r1", "removed all voters"),
        ("auto v1; auto v2 v3; auto v4", "can't apply simple config change in joint config"),
        ("auto v1; auto v2 v3; auto v4 v5", "config is already joint"),
        ("auto v1; auto v2 v3; explicit", "config is already joint"),
        ("auto v1; auto", "can't leave a non-joint config"),
        ("auto", "can't leave a non-joint config"),
        ("auto v1 v2", "can't make a zero-voter config joint"),
    ];
    for (script, expected) in table {
        assert_eq!(run(script), expected, "{script}");
    }
}

#[test]
fn a_demoted_voter_learns_only_once_the_outgoing_half_is_dropped() {
    let table = [
        ("auto v1; auto v2; explicit l2", "voters=(1)&&(1 2) learners_next=(2) joined=[]"),
        ("auto v1; auto v2; explicit l2; auto", "voters=(1) learners=(2) joined=[]"),
        ("auto v1; auto v2; explicit l2 l2", "voters=(1)&&(1 2) learners_next=(2) joined=[]"),
        ("auto v1; auto v2; explicit l2 v2", "voters=(1 2)&&(1 2) joined=[]"),
        ("auto v1; auto v2; explicit l2 r2", "voters=(1)&&(1 2) joined=[]"),
        ("auto v1; auto v2; explicit l2 r2; auto", "voters=(1) joined=[]"),
        ("auto v1; auto v2; explicit l2 l3", "voters=(1)&&(1 2) learners=(3) learners_next=(2) joined=[3]"),
    ];
    for (script, expected) in table {
        assert_eq!(run(script), expected, "{script}");
    }
}

#[test]
fn who_is_removed_and_added_again_is_new_unless_still_an_outgoing_voter() {
    let table = [
        ("auto v1; auto l2; explicit r2 l2", "voters=(1)&&(1) learners=(2) joined=[2]"),
        ("auto v1; auto l2; explicit r2 v2", "voters=(1 2)&&(1) joined=[2]"),
        ("auto v1; auto v2; explicit r2 v2", "voters=(1 2)&&(1 2) joined=[]"),
        ("auto v1; explicit v2 r2", "voters=(1)&&(1) joined=[]"),
        ("auto v1; explicit v2 r2 l2", "voters=(1)&&(1) learners=(2) joined=[2]"),
    ];
    for (script, expected) in table {
        assert_eq!(run(script), expected, "{script}");
    }
}

#[test]
fn several_simple_steps_may_move_one_voter_in_all() {
    let alone = Configuration::default().simple(&steps("v1")).unwrap().configuration;
    let table = [
        ("v2 l3 l4", Ok("voters=(1 2) learners=(3 4)")),
        ("v2 v3 r3", Ok("voters=(1 2)")),
        ("v2 v3", Err(ChangeError::MoreThanOneVoter)),
        ("v2 r1", Err(ChangeError::MoreThanOneVoter)),
    ];
    for (script, expected) in table {
        let result = alone.simple(&steps(script)).map(|changed| changed.configuration.to_string());
        assert_eq!(result, expected.map(str::to_string), "{script}");
    }
}

#[test]
fn a_change_of_one_node_is_one_of_many_with_the_same_context() {
    let context = bytes::Bytes::from_static(b"address");
    let table = [
        (ConfChangeV1::add_voter(id(1)), "v1"),
        (ConfChangeV1::add_learner(id(2)), "l2"),
        (ConfChangeV1::remove(id(3)), "r3"),
        (ConfChangeV1::new(ChangeKind::Update, id(4)), "u4"),
    ];
    for (one, text) in table {
        let one = ConfChangeV1 { context: context.clone(), ..one };
        let many = ConfChangeV2 { context: context.clone(), ..ConfChangeV2::new(Transition::Auto, steps(text)) };
        assert_eq!(ConfChange::from(one.clone()).as_v2(), many);
        assert_eq!(ConfChangeV2::from(one), many);
        assert_eq!(ConfChange::from(many.clone()).into_v2(), many);
    }
}

#[test]
fn an_empty_change_leaves_a_joint_configuration_whatever_its_context() {
    let leave = ConfChangeV2 { context: bytes::Bytes::from_static(b"why"), ..ConfChangeV2::leave_joint() };
    assert!(leave.leaves_joint() && leave.enters_joint().is_none());
    let table = [
        ("auto", true, None),
        ("auto v1", false, None),
        ("auto v1 v2", false, Some(true)),
        ("implicit", false, Some(true)),
        ("implicit v1", false, Some(true)),
        ("explicit", false, Some(false)),
        ("explicit v1 v2", false, Some(false)),
    ];
    for (text, leaves, enters) in table {
        assert_eq!((change(text).leaves_joint(), change(text).enters_joint()), (leaves, enters), "{text}");
    }
}
