//! Which membership changes keep a node from taking proposals.

use raft::node::{Arm, Taken};
use raft::{
    Body, Change, ChangeError, ChangeKind, ConfChangeV1, ConfChangeV2, ConfState, EntryId, Index, Snapshot, Term,
    Transition,
};

use super::{Loop, heartbeat, id, loop_of, message, step, voters};

fn apply(run_loop: &mut Loop, change: ConfChangeV2) -> Result<ConfState, ChangeError> {
    let asked = run_loop.apply_conf_change(change).unwrap();
    let Some(Taken::MembershipChange { ticket, result }) = run_loop.take(Arm::MembershipChange) else {
        panic!("a change is due")
    };
    assert_eq!(ticket, asked);
    result
}

/// Node 1, which follows node 2.
fn follower() -> Loop {
    let mut run_loop = loop_of(&[1, 2, 3]);
    step(&mut run_loop, heartbeat(2, 1));
    assert!(run_loop.accepts_proposals());
    run_loop
}

#[test]
fn a_removed_node_keeps_proposals_waiting_until_the_leader_changes() {
    let mut run_loop = follower();
    assert_eq!(apply(&mut run_loop, ConfChangeV1::remove(id(1)).into()), Ok(voters(&[2, 3])));
    run_loop.propose("data".into()).unwrap();
    step(&mut run_loop, heartbeat(2, 1));
    assert_eq!(run_loop.take(Arm::Proposal), None, "the leader is the same");
    step(&mut run_loop, heartbeat(3, 2));
    assert!(matches!(run_loop.take(Arm::Proposal), Some(Taken::Proposal { result: Ok(()), .. })));
}

#[test]
fn a_node_that_is_added_again_under_the_same_leader_keeps_waiting_as_in_etcd() {
    let mut run_loop = follower();
    apply(&mut run_loop, ConfChangeV1::remove(id(1)).into()).unwrap();
    apply(&mut run_loop, ConfChangeV1::add_voter(id(1)).into()).unwrap();
    assert!(!run_loop.accepts_proposals());
}

#[test]
fn the_removal_of_another_node_changes_nothing() {
    let mut run_loop = follower();
    apply(&mut run_loop, ConfChangeV1::remove(id(3)).into()).unwrap();
    assert!(run_loop.accepts_proposals());
}

#[test]
fn a_node_in_the_outgoing_half_of_a_joint_configuration_takes_proposals_until_that_is_left() {
    let mut run_loop = follower();
    let leave = ConfChangeV2::new(Transition::Explicit, vec![Change::new(ChangeKind::Remove, id(1))]);
    let state = apply(&mut run_loop, leave).unwrap();
    assert_eq!((state.voters.contains(&id(1)), state.voters_outgoing.contains(&id(1))), (false, true));
    assert!(run_loop.accepts_proposals());
    apply(&mut run_loop, ConfChangeV2::leave_joint()).unwrap();
    assert!(!run_loop.accepts_proposals());
}

#[test]
fn a_node_that_becomes_a_learner_still_takes_proposals() {
    let mut run_loop = follower();
    apply(&mut run_loop, ConfChangeV1::add_learner(id(1)).into()).unwrap();
    assert!(run_loop.accepts_proposals());
}

#[test]
fn a_node_that_does_not_know_yet_that_it_is_a_member_is_not_taken_for_removed() {
    let mut run_loop = loop_of(&[2, 3]);
    step(&mut run_loop, heartbeat(2, 1));
    apply(&mut run_loop, ConfChangeV1::add_voter(id(4)).into()).unwrap();
    assert!(run_loop.accepts_proposals());
}

#[test]
fn a_change_that_the_configuration_does_not_allow_is_told_and_changes_nothing() {
    let mut run_loop = follower();
    assert_eq!(apply(&mut run_loop, ConfChangeV2::leave_joint()), Err(ChangeError::NotJoint));
    assert!(run_loop.accepts_proposals());
}

#[test]
fn a_change_that_a_snapshot_has_overtaken_leaves_the_membership_of_the_snapshot() {
    let mut run_loop = follower();
    let snapshot = Snapshot { id: EntryId::new(Term(1), Index(9)), conf_state: voters(&[1, 2, 3, 4]), data: "".into() };
    step(&mut run_loop, message(2, 1, Body::InstallSnapshot { snapshot: Box::new(snapshot) }));
    let ticket = run_loop.apply_conf_change_at(Index(1), ConfChangeV1::remove(id(3)).into()).unwrap();
    let overtaken = Taken::MembershipChange { ticket, result: Err(ChangeError::Overtaken) };
    assert_eq!(run_loop.take(Arm::MembershipChange), Some(overtaken));
    assert_eq!(run_loop.node().configuration().conf_state(), voters(&[1, 2, 3, 4]));

    let ticket = run_loop.apply_conf_change_at(Index(10), ConfChangeV1::remove(id(4)).into()).unwrap();
    let in_force = Taken::MembershipChange { ticket, result: Ok(voters(&[1, 2, 3])) };
    assert_eq!(run_loop.take(Arm::MembershipChange), Some(in_force), "a later change counts");
}
