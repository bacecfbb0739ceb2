//! Asking for a read through the handle: what is told at once, and what taking the call back does.

use std::pin::pin;
use std::task::Poll;

use raft::node::{Limits, RunLoop};
use raft::{Config, Index, Node, NodeError, ReadError};

use super::{drive, follow, leader, now_or_later, poll, work};
use crate::{heartbeat, id, limited, loop_of, storage};

#[test]
fn a_read_is_refused_at_once_where_there_is_nobody_to_ask() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    let refused = now_or_later(node.read_index("read".into()), &mut driver).unwrap_err();
    assert_eq!(refused, NodeError::Refused(ReadError::NoLeader));
    assert_eq!(refused.to_string(), "no leader is known that could be asked: read again once there is one");
    follow(&node, &mut driver);
    assert_eq!(now_or_later(node.read_index("read".into()), &mut driver), Ok(()), "sent on to the leader");
}

#[test]
fn a_read_is_refused_at_once_where_too_many_wait() {
    let config = Config { max_waiting_reads: 1, ..Config::new(id(1)) };
    let (node, mut driver) = Node::restart(config, storage(&[1])).unwrap();
    now_or_later(node.campaign(), &mut driver).unwrap();
    let mut ready = pin!(node.next_ready());
    assert!(poll(ready.as_mut()).is_pending());
    drive(&mut driver);
    let Poll::Ready(Ok(ready)) = poll(ready) else { panic!("a vote to store") };
    ready.advance().unwrap();
    drive(&mut driver);
    assert_eq!(now_or_later(node.read_index("first".into()), &mut driver), Ok(()), "it waits for the first commit");
    let refused = now_or_later(node.read_index("second".into()), &mut driver);
    assert_eq!(refused, Err(NodeError::Refused(ReadError::TooManyWaiting)));
}

#[test]
fn a_read_that_is_taken_back_leaves_its_room_to_others() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { messages: 1, ..Limits::default() }));
    {
        let mut read = pin!(node.read_index("read".into()));
        assert!(poll(read.as_mut()).is_pending());
        assert_eq!(node.inspect(RunLoop::message_room), 0);
    }
    assert_eq!(node.inspect(RunLoop::message_room), 1);
    follow(&node, &mut driver);
}

#[test]
fn a_read_that_a_leader_takes_is_answered_in_a_ready() {
    let (node, mut driver) = leader();
    assert_eq!(now_or_later(node.read_index("read".into()), &mut driver), Ok(()));
    let ready = now_or_later(node.next_ready(), &mut driver).unwrap();
    assert_eq!(ready.read_states.iter().map(|read| &read.context[..]).collect::<Vec<_>>(), [b"read"]);
    ready.advance().unwrap();
}

#[test]
fn a_read_that_is_waited_for_ends_when_its_index_is_applied() {
    let (node, mut driver) = leader();
    let mut read = pin!(node.read_index_until_applied("read".into()));
    assert!(poll(read.as_mut()).is_pending());
    drive(&mut driver);
    assert!(poll(read.as_mut()).is_pending());
    work(&node, &mut driver);
    assert_eq!(poll(read), Poll::Ready(Ok(Index(1))));
}

#[test]
fn a_read_that_is_waited_for_ends_with_the_leadership_or_with_the_node() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    follow(&node, &mut driver);
    let mut lost = pin!(node.read_index_until_applied("lost".into()));
    assert!(poll(lost.as_mut()).is_pending());
    drive(&mut driver);
    now_or_later(node.step(heartbeat(3, 2)), &mut driver).unwrap();
    drive(&mut driver);
    assert_eq!(poll(lost), Poll::Ready(Err(NodeError::Refused(ReadError::LeadershipChanged))));

    let mut stopped = pin!(node.read_index_until_applied("stopped".into()));
    assert!(poll(stopped.as_mut()).is_pending());
    drive(&mut driver);
    node.stop();
    assert_eq!(poll(stopped), Poll::Ready(Err(NodeError::Stopped)));
}
