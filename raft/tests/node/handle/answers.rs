//! Waiting until a proposal is applied: who is told what, and when.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use raft::node::{Driver, RunLoop};
use raft::{Applied, ApplyError, Body, ConfChange, ConfChangeV1, EntryId, Index, MemStorage, Node, ProposeError, Term};

use super::{Bell, drive, follow, now, now_or_later, poll, poll_with};
use crate::{heartbeat, id, leader, loop_of, message};

type Answering = Node<MemStorage, &'static str>;

/// Node 1 alone, which leads and has nothing left to do.
fn answering() -> (Answering, Driver<MemStorage, &'static str>) {
    Node::answering(leader())
}

/// Does what Readys say until there is none, and answers for each entry.
fn work(node: &Answering, driver: &mut Driver<MemStorage, &'static str>, answer: Option<&'static str>) {
    loop {
        let mut ready = pin!(node.next_ready());
        assert!(poll(ready.as_mut()).is_pending());
        drive(driver);
        let Poll::Ready(Ok(ready)) = poll(ready) else { return };
        node.with_storage(|storage| storage.write(&ready).unwrap());
        for entry in &ready.committed_entries {
            answer.into_iter().for_each(|answer| ready.answer(entry.id(), answer));
        }
        ready.advance().unwrap();
        drive(driver);
    }
}

fn entry(term: u64, index: u64) -> EntryId {
    EntryId::new(Term(term), Index(index))
}

#[test]
fn a_proposal_that_is_waited_for_ends_with_its_entry_and_the_answer_of_the_application() {
    let (node, mut driver) = answering();
    let bell = Arc::new(Bell::default());
    let mut proposal = pin!(node.propose_until_applied("data".into()));
    assert!(poll_with(proposal.as_mut(), &bell).is_pending());
    drive(&mut driver);
    assert!(poll_with(proposal.as_mut(), &bell).is_pending(), "appended is not applied");
    work(&node, &mut driver, Some("done"));
    assert_eq!(bell.rings(), 1);
    assert_eq!(poll(proposal), Poll::Ready(Ok(Applied { entry: entry(1, 2), answer: Some("done") })));
}

#[test]
fn where_the_application_says_nothing_a_proposal_ends_without_an_answer_when_it_is_applied() {
    let (node, mut driver) = answering();
    let change = ConfChange::V1(ConfChangeV1::add_learner(id(2)));
    let mut proposal = pin!(node.propose_conf_change_until_applied(change));
    assert!(poll(proposal.as_mut()).is_pending());
    drive(&mut driver);
    work(&node, &mut driver, None);
    assert_eq!(poll(proposal), Poll::Ready(Ok(Applied { entry: entry(1, 2), answer: None })));
}

#[test]
fn a_proposal_whose_future_is_dropped_is_forgotten_and_applied_all_the_same() {
    let (node, mut driver) = answering();
    {
        let mut proposal = pin!(node.propose_until_applied("data".into()));
        assert!(poll(proposal.as_mut()).is_pending());
        drive(&mut driver);
        assert_eq!(node.inspect(RunLoop::awaited_entries), 1);
    }
    assert_eq!(node.inspect(RunLoop::awaited_entries), 0);
    work(&node, &mut driver, Some("to nobody"));
    assert_eq!(node.inspect(|run_loop| run_loop.node().basic_status().applied), Index(2));
}

#[test]
fn a_stop_ends_all_that_is_waited_for_with_an_error() {
    let (node, mut driver) = answering();
    let bell = Arc::new(Bell::default());
    let mut appended = pin!(node.propose_until_applied("appended".into()));
    assert!(poll_with(appended.as_mut(), &bell).is_pending());
    drive(&mut driver);
    let mut queued = pin!(node.propose_until_applied("queued".into()));
    assert!(poll_with(queued.as_mut(), &bell).is_pending());
    node.stop();
    assert_eq!(bell.rings(), 2);
    assert_eq!(poll(appended), Poll::Ready(Err(ApplyError::Stopped)));
    assert_eq!(poll(queued), Poll::Ready(Err(ApplyError::Stopped)));
    assert!(ApplyError::Stopped.may_be_applied());
}

#[test]
fn a_follower_refuses_at_once_what_it_would_have_to_forward_and_names_the_leader() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    follow(&node, &mut driver);
    let refused = now_or_later(node.propose_until_applied("data".into()), &mut driver).unwrap_err();
    assert_eq!(refused, ApplyError::NotProposed(ProposeError::NotLeader { leader: id(2) }));
    assert!(!refused.may_be_applied());
    assert_eq!(refused.to_string(), "this node does not lead: propose to the leader, node 2");
}

#[test]
fn who_waits_on_a_deposed_leader_learns_what_was_committed_instead() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    let hear = |message| now(node.step(message)).unwrap();
    now(node.campaign()).unwrap();
    drive(&mut driver);
    super::work(&node, &mut driver);
    hear(message(2, 1, Body::VoteResponse { granted: true }));
    let mut proposal = pin!(node.propose_until_applied("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    drive(&mut driver);
    super::work(&node, &mut driver);
    hear(heartbeat(2, 2));
    super::work(&node, &mut driver);
    assert!(poll(proposal.as_mut()).is_pending(), "the next leader may commit it");

    let others = |index| raft::Entry { term: Term(2), index: Index(index), ..Default::default() };
    let entries = vec![others(1), others(2)];
    hear(message(2, 2, Body::Append { previous: EntryId::ZERO, entries, commit: Index(2) }));
    super::work(&node, &mut driver);
    assert_eq!(poll(proposal), Poll::Ready(Err(ApplyError::Overwritten { by: entry(2, 2) })));
}
