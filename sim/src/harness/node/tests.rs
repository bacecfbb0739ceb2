//! The harness holds for random input, and notices handles, drivers and calls that do not behave.

use std::future::{pending, poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Waker};

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use raft::node::{Driver, RunLoop};
use raft::{ConfState, Config, MemStorage, Node, NodeId, RawNode, Stopped};

use super::calls::{Answer, Call, Kind};
use super::handled::Handled;
use super::stopping::{check_ends, check_stopped};
use super::task::Task;
use super::*;
use crate::harness::step::door::Door;

fn input(way: u8, bytes: Vec<u8>) -> Input {
    let bytes = [vec![way], bytes].concat();
    Input::arbitrary(&mut Unstructured::new(&bytes)).expect("any bytes are an input")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_node_behind_its_loop_stands_any_messages(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
        run(&input(0, bytes));
    }

    #[test]
    fn a_node_behind_handles_stands_any_messages(habits: u8, bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
        run(&input(habits | 1, bytes));
    }
}

/// A voter on its own, and room for two messages and two proposals.
fn node() -> (Node<MemStorage>, Driver<MemStorage>) {
    let one = NodeId::new(1).expect("not zero");
    let alone = ConfState { voters: [one].into(), ..ConfState::default() };
    let node = RawNode::new(Config::new(one), MemStorage::with_conf_state(alone)).expect("a legal state");
    Node::run(RunLoop::new(node, Limits { messages: 2, proposals: 2, ..Limits::default() }))
}

fn handled() -> Handled {
    let (node, driver) = node();
    Handled::around(node, Task::new(driver), Habits::default())
}

fn handled_by_a_deaf_driver() -> Handled {
    let (node, driver) = node();
    Handled::around(node, Task::new(deaf(driver)), Habits::default())
}

/// A future that does what the other does when polled, but is never woken.
async fn deaf<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|_| future.as_mut().poll(&mut Context::from_waker(Waker::noop()))).await
}

fn call(kind: Kind, future: impl Future<Output = Answer> + 'static) -> Call {
    let mut task = Task::new(future);
    assert!(task.poll().is_pending());
    Call { kind, task, began: 0, entered: false }
}

#[test]
fn what_was_asked_is_done_when_all_is_quiet() {
    let mut handled = handled();
    handled.check_quiet();
    handled.campaign();
    handled.tick();
    handled.check_quiet();
    assert!(handled.ready().is_none(), "it has only been asked for");
    handled.check_quiet();
    assert!(handled.ready().is_some());
    handled.end();
}

/// That harms nobody: there is room for both.
#[test]
fn a_newcomer_may_pass_one_who_was_woken_and_has_not_come() {
    let mut handled = handled();
    (0..3).for_each(|_| handled.propose("x".into()));
    (0..2).for_each(|_| handled.cancel(0));
    handled.propose("x".into());
    handled.check_quiet();
    assert_eq!(handled.ledger.entered, [1, 2, 4, 3]);
    handled.end();
}

#[test]
#[should_panic(expected = "the driver sleeps and could take something")]
fn a_driver_that_is_not_woken_is_noticed() {
    let mut handled = handled_by_a_deaf_driver();
    handled.check_quiet();
    handled.tick();
    handled.check_quiet();
}

#[test]
#[should_panic(expected = "AppliedChange waits for ever: nobody is woken")]
fn a_call_that_waits_for_a_driver_that_is_not_woken_does_not_hang() {
    let mut handled = handled_by_a_deaf_driver();
    handled.check_quiet();
    let _ = handled.apply_conf_change(raft::Index(1), raft::ConfChangeV2::leave_joint());
}

#[test]
#[should_panic(expected = "sleeps and could go on")]
fn a_call_that_is_not_woken_for_its_answer_is_noticed() {
    let mut handled = handled();
    let node = handled.node.clone();
    handled.calls.push(call(
        Kind::Unattended,
        deaf(async move {
            node.status().await.expect("it runs");
            Answer::Entered(Ok(()))
        }),
    ));
    handled.check_quiet();
}

#[test]
#[should_panic(expected = "driver and callers wake one another without end")]
fn callers_that_are_woken_for_ever_are_noticed() {
    let mut handled = handled();
    let restless = poll_fn(|context| {
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    });
    handled.calls.push(call(Kind::Unattended, restless));
    handled.check_quiet();
}

#[test]
#[should_panic(expected = "1 waited before Message for room, 1 had it")]
fn a_call_that_overtakes_another_is_noticed() {
    let mut handled = handled();
    handled.campaign();
    handled.calls.push(call(Kind::Message, pending()));
    handled.campaign();
}

#[test]
#[should_panic(expected = "1 of those with room among 2 messages sleep")]
fn a_caller_with_room_who_sleeps_is_noticed() {
    let mut handled = handled();
    handled.check_quiet();
    handled.calls.push(call(Kind::Message, pending()));
    handled.check_line();
}

#[test]
#[should_panic(expected = "all work is done, and this is stored")]
fn a_ready_that_is_lost_is_noticed() {
    let mut handled = handled();
    handled.campaign();
    assert!(handled.ready().is_none(), "it has only been asked for");
    handled.check_quiet();
    drop(handled.ready().expect("it votes for itself"));
    handled.check_stored();
}

#[test]
#[should_panic(expected = "a Ready comes while another is out")]
fn a_second_ready_is_noticed() {
    let mut handled = handled();
    handled.arrive(raft::Ready::default());
    handled.arrive(raft::Ready::default());
}

#[test]
#[should_panic(expected = "ends as if stopped, and nobody has stopped the node")]
fn a_call_that_ends_as_if_stopped_is_noticed() {
    handled().conclude(Kind::Ready, Answer::Ready(Err(Stopped)));
}

#[test]
#[should_panic(expected = "is not woken for the end")]
fn a_call_that_is_not_woken_for_the_end_is_noticed() {
    check_ends(call(Kind::Ready, pending()), false);
}

#[test]
#[should_panic(expected = "goes on waiting after the end")]
fn a_call_that_waits_on_after_the_end_is_noticed() {
    check_ends(Call { kind: Kind::Ready, task: Task::new(pending()), began: 0, entered: false }, false);
}

#[test]
#[should_panic(expected = "ends with Entered(Ok(())) after the end")]
fn a_call_that_enters_after_the_end_is_noticed() {
    let entered = Task::new(ready(Answer::Entered(Ok(()))));
    check_ends(Call { kind: Kind::Message, task: entered, began: 0, entered: false }, true);
}

#[test]
#[should_panic(expected = "the loop goes on")]
fn a_node_that_is_not_stopped_is_noticed() {
    check_stopped(&handled().node);
}

#[test]
fn a_call_whose_answer_was_there_before_the_end_may_have_it() {
    let answered = Task::new(ready(Answer::Proposed(Ok(()))));
    check_ends(Call { kind: Kind::Proposal(1), task: answered, began: 0, entered: false }, true);
}
