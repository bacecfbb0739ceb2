//! Stopping a loop, and taking inputs back.

use raft::ConfChangeV1;
use raft::node::{Arm, EnqueueError, NodeError, Stopped, Taken};

use super::{heartbeat, id, leader, loop_of, ready};

#[test]
fn a_stopped_loop_takes_nothing_and_lets_nothing_in() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    run_loop.propose("data".into()).unwrap();
    run_loop.campaign().unwrap();
    run_loop.tick().unwrap();
    run_loop.request_ready().unwrap();
    run_loop.request_status().unwrap();
    run_loop.apply_conf_change(ConfChangeV1::add_voter(id(4)).into()).unwrap();
    run_loop.stop();
    assert!(!run_loop.is_stopped(), "it has not been taken");
    assert_eq!(run_loop.take(Arm::Stop), Some(Taken::Stop));
    assert!(run_loop.is_stopped());
    assert_eq!(Arm::ALL.map(|arm| run_loop.take(arm)), [const { None }; 8]);

    assert_eq!(run_loop.propose("data".into()), Err(EnqueueError::Stopped));
    let change = ConfChangeV1::add_voter(id(4));
    assert_eq!(run_loop.propose_conf_change(change.clone().into()), Err(EnqueueError::Stopped));
    assert_eq!(run_loop.step(heartbeat(2, 1)), Err(EnqueueError::Stopped));
    assert_eq!(run_loop.campaign(), Err(EnqueueError::Stopped));
    assert_eq!(run_loop.tick(), Err(Stopped));
    assert_eq!(run_loop.request_ready(), Err(Stopped));
    assert_eq!(run_loop.request_status(), Err(Stopped));
    assert_eq!(run_loop.apply_conf_change(change.into()), Err(Stopped));
    assert_eq!(run_loop.advance(raft::Ready::default()), Err(NodeError::Stopped));
    run_loop.stop();
    assert_eq!(run_loop.take(Arm::Stop), None);
}

#[test]
fn a_ready_that_comes_back_to_a_stopped_loop_is_forgotten() {
    let mut run_loop = leader();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    let unseen = ready(&mut run_loop).unwrap();
    run_loop.stop();
    run_loop.take(Arm::Stop).unwrap();
    run_loop.return_ready(unseen);
    assert_eq!(run_loop.available().count(), 0);
}

#[test]
fn what_is_cancelled_before_it_is_taken_does_not_happen_and_makes_room() {
    let mut run_loop = leader();
    let last = run_loop.node().basic_status().last;
    let room = run_loop.proposal_room();
    let tickets = [
        run_loop.propose("data".into()).unwrap(),
        run_loop.apply_conf_change(ConfChangeV1::add_voter(id(4)).into()).unwrap(),
        run_loop.request_ready().unwrap(),
        run_loop.request_status().unwrap(),
    ];
    tickets.into_iter().for_each(|ticket| run_loop.cancel(ticket));
    assert_eq!(run_loop.available().count(), 0);
    assert_eq!((run_loop.node().basic_status().last, run_loop.proposal_room()), (last, room));
}

#[test]
fn cancelling_one_proposal_leaves_the_others() {
    let mut run_loop = leader();
    let tickets = ["first", "second", "third"].map(|data| run_loop.propose(data.into()).unwrap());
    run_loop.cancel(tickets[1]);
    run_loop.cancel(tickets[1]);
    for ticket in [tickets[0], tickets[2]] {
        assert_eq!(run_loop.take(Arm::Proposal), Some(Taken::Proposal { ticket, result: Ok(()) }));
    }
    assert_eq!(run_loop.take(Arm::Proposal), None);
}
