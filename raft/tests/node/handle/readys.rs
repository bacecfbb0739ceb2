//! Readys through the handle: none is lost, and each goes to one who asked.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use raft::{AdvanceError, Config, Index, Node, NodeError, Ready};

use super::{Bell, drive, leader, now, now_or_later, poll, poll_with, store, work};
use crate::{id, storage};

#[test]
fn a_ready_whose_call_is_dropped_goes_to_the_next_call() {
    let (node, mut driver) = leader();
    {
        let mut proposal = pin!(node.propose("data".into()));
        let mut ready = pin!(node.ready());
        assert!(poll(proposal.as_mut()).is_pending());
        assert!(poll(ready.as_mut()).is_pending());
        drive(&mut driver);
        assert!(poll(proposal).is_ready());
    }
    let mut ready = pin!(node.ready());
    assert!(poll(ready.as_mut()).is_pending());
    drive(&mut driver);
    let Poll::Ready(Ok(ready)) = poll(ready) else { panic!("the Ready is lost") };
    assert_eq!(ready.entries.len(), 1);
    store(&node, &ready);
    node.advance(ready).unwrap();
    drive(&mut driver);
    work(&node, &mut driver);
}

#[test]
fn a_ready_that_comes_back_wakes_the_driver_for_whoever_waits() {
    let (node, mut driver) = leader();
    now(node.campaign()).unwrap();
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    let (mut first, mut second) = (Box::pin(node.ready()), pin!(node.ready()));
    assert!(poll(first.as_mut()).is_pending());
    drive(&mut driver);
    assert!(poll(second.as_mut()).is_pending(), "the first has it, and was not looked at");

    let bell = Arc::new(Bell::default());
    assert!(poll_with(Pin::new(&mut driver), &bell).is_pending());
    let before = bell.rings();
    drop(first);
    assert!(bell.rings() > before);
    drive(&mut driver);
    assert!(matches!(poll(second), Poll::Ready(Ok(_))));
}

#[test]
fn a_call_for_a_ready_that_is_dropped_early_takes_none() {
    let (node, mut driver) = leader();
    {
        let mut ready = pin!(node.ready());
        assert!(poll(ready.as_mut()).is_pending());
    }
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    drive(&mut driver);
    work(&node, &mut driver);
    assert!(poll(proposal).is_ready());
}

#[test]
fn the_stream_gives_a_ready_after_each_advance_and_ends_with_the_node() {
    let (node, mut driver) = leader();
    let mut readys = pin!(node.readys());
    let context = &mut Context::from_waker(Waker::noop());
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    let mut seen = 0;
    loop {
        assert!(readys.as_mut().poll_next(context).is_pending());
        drive(&mut driver);
        let Poll::Ready(next) = readys.as_mut().poll_next(context) else { break };
        let ready = next.expect("the node runs");
        seen += 1;
        assert!(readys.as_mut().poll_next(context).is_pending(), "one at a time");
        store(&node, &ready);
        node.advance(ready).unwrap();
    }
    assert!(seen >= 2, "one to write and one to apply, not {seen}");
    node.stop();
    assert_eq!(readys.as_mut().poll_next(context), Poll::Ready(None));
    assert_eq!(readys.as_mut().poll_next(context), Poll::Ready(None));
}

#[test]
fn with_asynchronous_storage_writes_what_the_storage_threads_report_reaches_the_node() {
    let config = Config { async_storage_writes: true, ..Config::new(id(1)) };
    let (node, mut driver) = Node::restart(config, storage(&[1])).unwrap();
    now(node.campaign()).unwrap();
    for work in ["term and vote", "the first entry", "its application"] {
        let mut ready = pin!(node.ready());
        assert!(poll(ready.as_mut()).is_pending());
        drive(&mut driver);
        let Poll::Ready(Ok(ready)) = poll(ready) else { panic!("{work} is due") };
        store(&node, &ready);
        if let Some(append) = ready.storage_append {
            append.responses.into_iter().for_each(|own| now(node.step(own)).unwrap());
            append.appended.into_iter().for_each(|appended| node.storage_appended(appended).unwrap());
        }
        ready.storage_apply.into_iter().for_each(|apply| node.storage_applied(apply.into_applied()).unwrap());
    }
    drive(&mut driver);
    let mut status = pin!(node.status());
    assert!(poll(status.as_mut()).is_pending());
    drive(&mut driver);
    let Poll::Ready(Ok(status)) = poll(status) else { panic!("no status") };
    assert_eq!(status.basic.applied, Index(1));
}

#[test]
fn a_held_ready_that_is_dropped_goes_to_the_next_who_asks() {
    let (node, mut driver) = leader();
    now_or_later(node.propose("data".into()), &mut driver).unwrap();
    let dropped = now_or_later(node.next_ready(), &mut driver).unwrap();
    let said = Ready::clone(&dropped);
    assert_eq!(said.entries.len(), 1);
    drop(dropped);
    let held = now_or_later(node.next_ready(), &mut driver).unwrap();
    assert_eq!(*held, said);
    store(&node, &held);
    held.advance().unwrap();
    work(&node, &mut driver);
    let status = now_or_later(node.status(), &mut driver).unwrap();
    assert_eq!(status.basic.applied, status.basic.last.index);
}

#[test]
fn a_held_ready_of_a_node_with_asynchronous_writes_is_passed_on() {
    let config = Config { async_storage_writes: true, ..Config::new(id(1)) };
    let (node, mut driver) = Node::restart(config, storage(&[1])).unwrap();
    now_or_later(node.campaign(), &mut driver).unwrap();
    let held = now_or_later(node.next_ready(), &mut driver).unwrap();
    assert!(held.storage_append.is_some());
    assert_eq!(held.advance(), Ok(()));
}

#[test]
fn a_ready_of_another_node_is_refused_by_the_handle_too() {
    let [(one, mut driver), (other, mut others_driver)] = [leader(), leader()];
    now_or_later(one.propose("data".into()), &mut driver).unwrap();
    now_or_later(other.propose("data".into()), &mut others_driver).unwrap();
    let _mine = now_or_later(one.ready(), &mut driver).unwrap();
    let others = now_or_later(other.ready(), &mut others_driver).unwrap();
    assert_eq!(one.advance(others), Err(NodeError::Refused(AdvanceError::Foreign)));
}
