//! The handle itself, and the driver behind it: what wakes it, and what it leaves to others.

use std::pin::{Pin, pin};
use std::sync::Arc;

use raft::node::{Driver, Limits, Ticked};
use raft::{ConfChangeV2, MemStorage, Node};

use super::{Bell, drive, leader, now, poll, poll_with};
use crate::loop_of;

#[test]
fn handle_driver_and_futures_go_to_any_thread() {
    fn any_thread<T: Send>(_: &T) {}
    let (node, driver) = Node::run(loop_of(&[1]));
    any_thread(&driver);
    any_thread(&&node);
    any_thread(&node.propose("data".into()));
    any_thread(&node.ready());
    any_thread(&node.readys());
    any_thread(&node.apply_conf_change(ConfChangeV2::leave_joint()));
}

#[test]
fn a_handle_shows_what_it_is_and_nothing_of_what_is_inside() {
    let (handle, _driver) = Node::run(loop_of(&[1]));
    assert_eq!(format!("{handle:?}"), "Node { .. }");
}

#[test]
fn an_input_wakes_the_driver() {
    let (node, mut driver) = leader();
    let bell = Arc::new(Bell::default());
    let idle = |driver: &mut Driver<MemStorage>| assert!(poll_with(Pin::new(driver), &bell).is_pending());
    let inputs: [&dyn Fn(); 5] = [
        &|| assert!(node.tick().is_ok()),
        &|| now(node.campaign()).unwrap(),
        &|| assert!(poll(pin!(node.propose("data".into()))).is_pending()),
        &|| assert!(poll(pin!(node.status())).is_pending()),
        &|| node.stop(),
    ];
    for (count, input) in inputs.into_iter().enumerate() {
        drive(&mut driver);
        idle(&mut driver);
        assert_eq!(bell.rings(), count);
        input();
        assert_eq!(bell.rings(), count + 1);
    }
}

#[test]
fn a_driver_with_a_long_queue_lets_others_run_and_asks_to_be_polled_again() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    (0..100).for_each(|_| assert_eq!(node.tick(), Ok(Ticked::Counted)));
    let bell = Arc::new(Bell::default());
    assert!(poll_with(Pin::new(&mut driver), &bell).is_pending());
    let left = node.inspect(|run_loop| run_loop.pending_ticks());
    assert!(left > 0 && bell.rings() > 0, "{left} ticks wait, and it wakes itself");
    drive(&mut driver);
    assert_eq!(node.inspect(|run_loop| run_loop.pending_ticks()), 0);
}

#[test]
fn ticks_that_nobody_takes_are_missed_and_reported() {
    let (node, _driver) = Node::run(loop_of(&[1]));
    let limit = Limits::default().ticks;
    assert!((0..limit).all(|_| node.tick() == Ok(Ticked::Counted)));
    assert_eq!(node.tick(), Ok(Ticked::Missed));
    assert_eq!(node.tick(), Ok(Ticked::Missed));
    assert_eq!(node.missed_ticks(), 2);
}
