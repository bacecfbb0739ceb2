//! Proposing through the handle: what a call waits for, and what taking it back does.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use raft::node::{Driver, EnqueueError, Limits};
use raft::{Body, ChangeError, ConfChangeV1, ConfChangeV2, Config, Index, MemStorage, Node, NodeError, ProposeError};

use super::{Bell, Handle, drive, follow, leader, poll, poll_with, work};
use crate::{forwarded, heartbeat, id, limited, loop_of, storage, voters};

#[test]
fn a_proposal_waits_until_the_loop_has_stepped_it() {
    let (node, mut driver) = leader();
    let bell = Arc::new(Bell::default());
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll_with(proposal.as_mut(), &bell).is_pending());
    assert_eq!(bell.rings(), 0);
    drive(&mut driver);
    assert_eq!(bell.rings(), 1);
    assert_eq!(poll(proposal), Poll::Ready(Ok(())));
}

#[test]
fn a_dropped_proposal_tells_so() {
    let config = Config { disable_proposal_forwarding: true, ..Config::new(id(1)) };
    let (node, mut driver) = Node::restart(config, storage(&[1, 2])).unwrap();
    follow(&node, &mut driver);
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(proposal), Poll::Ready(Err(NodeError::Refused(ProposeError::NotLeader { leader: id(2) }))));
}

/// As in etcd, whose two calls return when the loop has received them, and it does not while it knows no leader.
#[test]
fn a_proposed_membership_change_and_a_forwarded_proposal_wait_for_a_leader() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    let bells = [(), ()].map(|()| Arc::new(Bell::default()));
    let mut change = pin!(node.propose_conf_change(ConfChangeV1::add_voter(id(4)).into()));
    let mut forwarded_one = pin!(node.step(forwarded("data")));
    assert!(poll_with(change.as_mut(), &bells[0]).is_pending());
    assert!(poll_with(forwarded_one.as_mut(), &bells[1]).is_pending());
    drive(&mut driver);
    assert_eq!(bells.each_ref().map(|bell| bell.rings()), [0, 0], "nobody leads");

    follow(&node, &mut driver);
    assert_eq!(bells.each_ref().map(|bell| bell.rings()), [1, 1]);
    assert_eq!(poll(change), Poll::Ready(Ok(())));
    assert_eq!(poll(forwarded_one), Poll::Ready(Ok(())));
    assert_eq!(sent_on(&node, &mut driver), 2);
}

#[test]
fn a_proposed_membership_change_and_a_forwarded_proposal_are_taken_back_with_their_calls() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    {
        let mut change = pin!(node.propose_conf_change(ConfChangeV1::add_voter(id(4)).into()));
        let mut forwarded_one = pin!(node.step(forwarded("data")));
        assert!(poll(change.as_mut()).is_pending());
        assert!(poll(forwarded_one.as_mut()).is_pending());
        assert_eq!(node.inspect(|run_loop| run_loop.waiting_proposals()), 2);
    }
    follow(&node, &mut driver);
    assert_eq!(sent_on(&node, &mut driver), 0);
}

#[test]
fn a_forwarded_proposal_that_nobody_waits_with_is_taken_when_a_leader_is_known() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { proposals: 1, messages: 1, ..Limits::default() }));
    assert_eq!(node.try_step(forwarded("data")), Ok(()));
    assert_eq!(node.try_step(forwarded("more")), Err(EnqueueError::Full));
    assert_eq!(node.try_step(heartbeat(2, 1)), Ok(()));
    assert_eq!(node.try_step(heartbeat(2, 1)), Err(EnqueueError::Full));
    drive(&mut driver);
    assert_eq!(sent_on(&node, &mut driver), 1);
    node.stop();
    assert_eq!(node.try_step(heartbeat(2, 1)), Err(EnqueueError::Stopped));
}

#[test]
fn a_proposal_that_is_dropped_before_it_is_stepped_is_taken_back() {
    let (node, mut driver) = leader();
    let before = node.with_storage(|storage| storage.stored().len());
    {
        let mut proposal = pin!(node.propose("data".into()));
        assert!(poll(proposal.as_mut()).is_pending());
    }
    drive(&mut driver);
    work(&node, &mut driver);
    assert_eq!(node.with_storage(|storage| storage.stored().len()), before);
}

#[test]
fn an_applied_change_returns_the_new_membership_or_why_not() {
    let (node, mut driver) = leader();
    let mut applied = pin!(node.apply_conf_change(ConfChangeV1::add_voter(id(2)).into()));
    assert!(poll(applied.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(applied), Poll::Ready(Ok(voters(&[1, 2]))));

    let mut refused = pin!(node.apply_conf_change(ConfChangeV2::leave_joint()));
    assert!(poll(refused.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(refused), Poll::Ready(Err(NodeError::Refused(ChangeError::NotJoint))));

    let mut later = pin!(node.apply_conf_change_at(Index(1000), ConfChangeV1::remove(id(2)).into()));
    assert!(poll(later.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(later), Poll::Ready(Ok(voters(&[1]))));
}

/// How many proposals the next Ready sends on to the leader.
fn sent_on(node: &Handle, driver: &mut Driver<MemStorage>) -> usize {
    let mut ready = pin!(node.ready());
    assert!(poll(ready.as_mut()).is_pending());
    drive(driver);
    let Poll::Ready(Ok(ready)) = poll(ready) else { panic!("no Ready") };
    ready.messages.iter().filter(|message| matches!(message.body, Body::Propose { .. })).count()
}
