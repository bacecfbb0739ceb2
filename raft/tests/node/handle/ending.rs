//! Stopping in all the ways there are: nobody is left waiting.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use raft::node::{Driver, EnqueueError, Limits};
use raft::{ConfChangeV1, MemStorage, Node, NodeError, Ready, Stopped};

use super::{Bell, Handle, drive, leader, now, poll, poll_with};
use crate::{forwarded, heartbeat, id, limited};

/// Every call of a stopped node, those that wait and those that do not.
fn assert_all_stopped(node: &Handle) {
    let change = ConfChangeV1::add_voter(id(4));
    assert_eq!(node.tick(), Err(Stopped));
    assert_eq!(now(node.campaign()), Err(Stopped));
    assert_eq!(now(node.propose("data".into())), Err(NodeError::Stopped));
    assert_eq!(now(node.propose_conf_change(change.clone().into())), Err(Stopped));
    assert_eq!(now(node.step(heartbeat(2, 1))), Err(Stopped));
    assert_eq!(now(node.step(forwarded("data"))), Err(Stopped));
    assert_eq!(node.try_step(heartbeat(2, 1)), Err(EnqueueError::Stopped));
    assert_eq!(now(node.ready()), Err(Stopped));
    assert_eq!(node.advance(Ready::default()), Err(NodeError::Stopped));
    assert_eq!(now(node.apply_conf_change(change.into())), Err(NodeError::Stopped));
    assert_eq!(now(node.transfer_leadership(id(2))), Err(Stopped));
    assert_eq!(now(node.forget_leader()), Err(Stopped));
    assert_eq!(now(node.read_index("read".into())), Err(NodeError::Stopped));
    assert_eq!(now(node.status()), Err(Stopped));
    assert_eq!(now(node.report_unreachable(id(2))), Err(Stopped));
    assert_eq!(now(node.report_snapshot(id(2), raft::SnapshotStatus::Finish)), Err(Stopped));
    let appended = raft::StorageAppended { term: raft::Term(1), last: None, snapshot: None };
    assert_eq!(node.storage_appended(appended), Err(Stopped));
    assert_eq!(node.storage_applied(raft::StorageApply::default().into_applied()), Err(Stopped));
    node.stop();
}

/// Ends a node with a call of every kind pending, and checks that each is woken and returns `Stopped`.
fn assert_pending_calls_end(end: impl FnOnce(&Handle, Driver<MemStorage>)) {
    let limits = Limits { proposals: 1, messages: 1, ticks: 1 };
    let (node, driver) = Node::run(limited(&[1, 2, 3], limits));
    let bell = Arc::new(Bell::default());
    let mut queued = pin!(node.propose("queued".into()));
    let mut in_line = pin!(node.propose("in line".into()));
    let mut change_in_line = pin!(node.propose_conf_change(ConfChangeV1::add_voter(id(4)).into()));
    let mut forwarded_in_line = pin!(node.step(forwarded("in line")));
    now(node.campaign()).unwrap();
    let mut message_in_line = pin!(node.step(heartbeat(2, 1)));
    let mut read_in_line = pin!(node.read_index("read".into()));
    let mut ready = pin!(node.ready());
    let mut status = pin!(node.status());
    let mut applied = pin!(node.apply_conf_change(ConfChangeV1::add_voter(id(4)).into()));
    assert!(poll_with(queued.as_mut(), &bell).is_pending());
    assert!(poll_with(in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(change_in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(forwarded_in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(message_in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(read_in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(ready.as_mut(), &bell).is_pending());
    assert!(poll_with(status.as_mut(), &bell).is_pending());
    assert!(poll_with(applied.as_mut(), &bell).is_pending());

    end(&node, driver);
    assert_eq!(bell.rings(), 9);
    assert_eq!(poll(queued), Poll::Ready(Err(NodeError::Stopped)));
    assert_eq!(poll(in_line), Poll::Ready(Err(NodeError::Stopped)));
    assert_eq!(poll(change_in_line), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(forwarded_in_line), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(message_in_line), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(read_in_line), Poll::Ready(Err(NodeError::Stopped)));
    assert_eq!(poll(ready), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(status), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(applied), Poll::Ready(Err(NodeError::Stopped)));
    assert_all_stopped(&node);
}

#[test]
fn after_stop_every_call_and_every_pending_one_returns_stopped() {
    assert_pending_calls_end(|node, mut driver| {
        node.stop();
        assert!(drive(&mut driver));
    });
}

#[test]
fn dropping_the_driver_stops_the_node() {
    assert_pending_calls_end(|_, driver| drop(driver));
}

#[test]
fn a_panic_of_the_storage_stops_the_node_and_leaves_nobody_waiting() {
    assert_pending_calls_end(|node, driver| {
        let node = node.clone();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _driver = driver;
            node.with_storage(|_| panic!("the device failed"));
        }));
        assert!(panicked.is_err());
    });
}

#[test]
fn dropping_the_last_handle_ends_the_driver() {
    let (node, mut driver) = leader();
    let other = node.clone();
    drop(node);
    assert!(!drive(&mut driver));
    drop(other);
    assert!(drive(&mut driver));
}
