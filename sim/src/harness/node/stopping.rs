//! The end of a node, in each of the possible ways: everybody who waits is told, and so is whoever calls later.

use std::task::Poll;

use bytes::Bytes;
use raft::{
    Body, ConfChangeV1, MemStorage, Message, Node, NodeError, NodeId, Ready, SnapshotStatus, Stopped, StorageApply,
};

use super::calls::{Answer, Call, Kind, next_ready};
use super::task::Task;

/// Ends a node: by stopping it, by dropping its driver, or by dropping the last handle.
pub(super) fn end(node: Node<MemStorage>, driver: Task<()>, calls: Vec<Call>, way: u8) {
    let woken: Vec<bool> = calls.iter().map(|call| call.task.is_woken()).collect();
    match way % 3 {
        0 => {
            node.stop();
            check_driver_ends(driver);
        }
        1 => drop(driver),
        _ => {
            drop((calls, node));
            return check_driver_ends(driver);
        }
    }
    calls.into_iter().zip(woken).for_each(|(call, woken)| check_ends(call, woken));
    check_stopped(&node);
}

fn check_driver_ends(mut driver: Task<()>) {
    assert!(driver.is_woken(), "the driver is not woken for the end");
    assert!(driver.poll().is_ready(), "the driver does not end");
}

/// A call of a node that was stopped: `answered` says whether it may have had its answer before.
pub(super) fn check_ends(call: Call, answered: bool) {
    let Call { kind, mut task, .. } = call;
    assert!(task.is_woken(), "{kind:?} is not woken for the end");
    let Poll::Ready(answer) = task.poll() else { panic!("{kind:?} goes on waiting after the end") };
    let had_answer = answered && !kind.only_enters();
    assert!(answer.is_stopped() || had_answer, "{kind:?} ends with {answer:?} after the end");
}

/// Every call of a stopped node says that it is.
pub(super) fn check_stopped(node: &Node<MemStorage>) {
    let peer = NodeId::new(2).expect("not zero");
    let change = ConfChangeV1::add_voter(peer);
    let message = Message { from: peer, to: peer, term: None, body: Body::TimeoutNow };
    assert!(node.inspect(|run_loop| run_loop.is_stopped()), "the loop goes on");
    assert_eq!(node.tick(), Err(Stopped));
    assert_eq!(node.advance(Ready::default()), Err(NodeError::Stopped));
    assert_eq!(node.storage_applied(StorageApply::default().into_applied()), Err(Stopped));
    let entered = |result| Answer::Entered(result);
    let calls: [(Kind, Task<Answer>); 13] = [
        (Kind::Proposal(0), task(node, async |node| Answer::Proposed(node.propose(Bytes::new()).await))),
        (Kind::Unattended, {
            let change = change.clone().into();
            task(node, async move |node| entered(node.propose_conf_change(change).await))
        }),
        (Kind::Message, task(node, async move |node| entered(node.step(message).await))),
        (Kind::Message, task(node, async move |node| entered(node.campaign().await))),
        (Kind::Message, task(node, async move |node| entered(node.transfer_leadership(peer).await))),
        (Kind::Message, task(node, async move |node| entered(node.forget_leader().await))),
        (Kind::Read(0), task(node, async move |node| Answer::Read(node.read_index(Bytes::new()).await))),
        (Kind::Message, task(node, async move |node| entered(node.report_unreachable(peer).await))),
        (Kind::Message, {
            task(node, async move |node| entered(node.report_snapshot(peer, SnapshotStatus::Finish).await))
        }),
        (Kind::Ready, task(node, async |node| next_ready(node, false).await)),
        (Kind::Ready, task(node, async |node| next_ready(node, true).await)),
        (Kind::AppliedChange, {
            task(node, async move |node| Answer::Changed(node.apply_conf_change(change.into()).await))
        }),
        (Kind::AppliedChange, task(node, async |node| Answer::Status(node.status().await.map(Box::new)))),
    ];
    for (kind, task) in calls {
        check_ends(Call { kind, task, began: 0, entered: false }, false);
    }
}

fn task<F>(node: &Node<MemStorage>, call: F) -> Task<Answer>
where
    F: AsyncFnOnce(Node<MemStorage>) -> Answer + 'static,
{
    let node = node.clone();
    Task::new(async move { call(node).await })
}
