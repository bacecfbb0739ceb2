//! Waiting for room in a queue: who comes first, and who is woken.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use raft::Node;
use raft::node::{EnqueueError, Limits};

use super::{Bell, drive, follow, now, poll, poll_with};
use crate::{heartbeat, id, limited};

#[test]
fn who_does_not_wait_does_not_take_the_room_of_those_who_do() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { messages: 1, ..Limits::default() }));
    now(node.report_unreachable(id(2))).unwrap();
    let mut in_line = pin!(node.report_unreachable(id(2)));
    assert!(poll(in_line.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(node.try_step(heartbeat(2, 1)), Err(EnqueueError::Full));
    assert_eq!(poll(in_line), Poll::Ready(Ok(())));
    drive(&mut driver);
    assert_eq!(node.try_step(heartbeat(2, 1)), Ok(()));
}

#[test]
fn callers_beyond_the_limit_wait_for_room_and_get_in_in_the_order_in_which_they_came() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { proposals: 1, ..Limits::default() }));
    let bells = [(), (), ()].map(|()| Arc::new(Bell::default()));
    let mut proposals = ["first", "second", "third"].map(|data| Box::pin(node.propose(data.into())));
    for (proposal, bell) in proposals.iter_mut().zip(&bells) {
        assert!(poll_with(proposal.as_mut(), bell).is_pending());
    }
    follow(&node, &mut driver);
    let [first, second, third] = &mut proposals;
    assert_eq!(poll(first.as_mut()), Poll::Ready(Ok(())));
    assert_eq!((bells[1].rings(), bells[2].rings()), (1, 0));

    assert!(poll_with(third.as_mut(), &bells[2]).is_pending(), "it does not pass the second");
    assert!(poll_with(second.as_mut(), &bells[1]).is_pending());
    drive(&mut driver);
    assert_eq!(poll(second.as_mut()), Poll::Ready(Ok(())));
    assert!(bells[2].rings() > 0);
    assert!(poll(third.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(third.as_mut()), Poll::Ready(Ok(())));
}

#[test]
fn whoever_leaves_the_line_passes_the_room_on() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { proposals: 1, ..Limits::default() }));
    let mut proposals = ["first", "second", "third"].map(|data| Some(Box::pin(node.propose(data.into()))));
    let bell = Arc::new(Bell::default());
    for proposal in proposals.iter_mut().flatten() {
        assert!(poll_with(proposal.as_mut(), &bell).is_pending());
    }
    follow(&node, &mut driver);
    let before = bell.rings();
    proposals[1] = None;
    assert!(bell.rings() > before, "the third is woken");
    let third = proposals[2].as_mut().unwrap();
    assert!(poll(third.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(third.as_mut()), Poll::Ready(Ok(())));
}
