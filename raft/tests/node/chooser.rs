//! The production rule for when a Ready is taken, and what it means for how long anything waits.

use raft::node::{Arm, FairChooser};

use super::{Loop, heartbeat, id, leader};

/// Sees to it that an input of every kind waits, except for the end.
fn refill(run_loop: &mut Loop) {
    let empty = |run_loop: &Loop, arm| run_loop.waiting().iter().all(|(_, waiting)| *waiting != arm);
    if empty(run_loop, Arm::Proposal) {
        run_loop.propose("data".into()).unwrap();
    }
    if empty(run_loop, Arm::Message) {
        run_loop.report_unreachable(id(1)).unwrap();
    }
    if empty(run_loop, Arm::MembershipChange) {
        run_loop.apply_conf_change(raft::ConfChangeV1::add_voter(id(1)).into()).unwrap();
    }
    if empty(run_loop, Arm::Tick) {
        run_loop.tick().unwrap();
    }
    if empty(run_loop, Arm::Status) {
        run_loop.request_status().unwrap();
    }
}

#[test]
fn no_input_waits_for_longer_than_those_take_that_came_before_it() {
    let mut run_loop = leader();
    let mut chooser = FairChooser::default();
    let mut last_taken = [0usize; Arm::ALL.len()];
    let refilled = [Arm::Proposal, Arm::Message, Arm::MembershipChange, Arm::Tick, Arm::Status];
    for round in 1..1000 {
        refill(&mut run_loop);
        let arm = chooser.choose(&run_loop).unwrap();
        run_loop.take(arm).unwrap();
        last_taken[arm as usize] = round;
        for waiting in refilled {
            assert!(round - last_taken[waiting as usize] <= refilled.len(), "{waiting:?} waits in round {round}");
        }
    }
}

#[test]
fn a_ready_waits_for_other_input_but_not_for_ever() {
    let mut run_loop = leader();
    let mut chooser = FairChooser::default();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    run_loop.request_ready().unwrap();
    let mut taken_before = 0;
    loop {
        refill(&mut run_loop);
        let arm = chooser.choose(&run_loop).unwrap();
        run_loop.take(arm).unwrap();
        if arm == Arm::Ready {
            break;
        }
        taken_before += 1;
    }
    assert_eq!(taken_before, FairChooser::PATIENCE);
}

#[test]
fn what_was_taken_before_a_ready_was_asked_for_does_not_count_as_waiting() {
    let mut run_loop = leader();
    let mut chooser = FairChooser::default();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    for _ in 0..2 * FairChooser::PATIENCE {
        refill(&mut run_loop);
        let arm = chooser.choose(&run_loop).unwrap();
        run_loop.take(arm).unwrap();
    }
    run_loop.request_ready().unwrap();
    refill(&mut run_loop);
    assert_ne!(chooser.choose(&run_loop), Some(Arm::Ready));
}

#[test]
fn a_stop_is_taken_at_once() {
    let mut run_loop = leader();
    let mut chooser = FairChooser::default();
    refill(&mut run_loop);
    run_loop.stop();
    assert_eq!(chooser.choose(&run_loop), Some(Arm::Stop));
    run_loop.take(Arm::Stop).unwrap();
    assert_eq!(chooser.choose(&run_loop), None);
}

#[test]
fn waiting_proposals_do_not_hold_up_what_could_bring_a_leader() {
    let mut run_loop = super::loop_of(&[1, 2, 3]);
    let mut chooser = FairChooser::default();
    run_loop.propose("data".into()).unwrap();
    run_loop.step(heartbeat(2, 1)).unwrap();
    let mut order = Vec::new();
    while let Some(arm) = chooser.choose(&run_loop) {
        run_loop.take(arm).unwrap();
        order.push(arm);
    }
    assert_eq!(order, [Arm::Message, Arm::Proposal]);
}
