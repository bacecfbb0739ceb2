//! Readys that come back: to the node that handed them out, and only once; and how none is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};

use raft::{AdvanceError, MemStorage, RawNode, Ready, Role};

use crate::host::*;

/// A node that is its only voter and has begun to campaign.
fn campaigning(number: u64) -> RawNode<MemStorage> {
    let config = raft::Config { id: id(number), ..config() };
    let mut node = RawNode::new(config, MemStorage::with_conf_state(voters(&[number]))).expect("a sensible one");
    node.campaign();
    node
}

fn work_off(node: &mut RawNode<MemStorage>) {
    while node.process_ready(|node, ready| node.storage_mut().write(ready)).expect("entries follow the log") {}
}

#[test]
fn a_ready_of_another_node_is_refused_and_changes_nothing() {
    let (mut one, mut other) = (campaigning(1), campaigning(2));
    let (mine, foreign) = (one.ready().expect("a vote"), other.ready().expect("a vote"));
    let before = format!("{one:?}");
    assert_eq!(one.advance(foreign), Err(AdvanceError::Foreign));
    assert_eq!((format!("{one:?}"), one.soft_state().role), (before, Role::Candidate));
    assert_eq!(one.advance(mine), Ok(()), "it is still outstanding");
    assert_eq!(one.soft_state().role, Role::Leader);
}

#[test]
fn a_ready_from_before_a_restart_is_refused() {
    let mut node = campaigning(1);
    let early = node.ready().expect("a vote");
    let mut restarted = RawNode::new(config(), node.storage().clone()).expect("nothing was written");
    restarted.campaign();
    let ready = restarted.ready().expect("a vote");
    assert_eq!(early, ready, "they say the same");
    assert_eq!(restarted.advance(early), Err(AdvanceError::Foreign));
    assert_eq!(restarted.advance(ready), Ok(()));
}

#[test]
fn a_copy_of_a_node_takes_the_readys_of_the_original() {
    let mut node = campaigning(1);
    let ready = node.ready().expect("a vote");
    let mut copy = node.clone();
    assert_eq!((copy.advance(ready.clone()), node.advance(ready)), (Ok(()), Ok(())));
}

#[test]
fn a_ready_of_nobody_is_not_outstanding() {
    let mut node = campaigning(1);
    assert_eq!(node.advance(Ready::default()), Err(AdvanceError::NotOutstanding));
    let _ready = node.ready().expect("a vote");
    assert_eq!(node.advance(Ready::default()), Err(AdvanceError::NotOutstanding));
}

#[test]
fn work_that_is_processed_is_handed_back() {
    let mut node = campaigning(1);
    work_off(&mut node);
    assert_eq!((node.soft_state().role, node.has_ready()), (Role::Leader, false));
    assert_eq!(node.process_ready(|_, _| Err("never called")), Ok(false));
}

#[test]
fn a_ready_whose_work_fails_comes_again() {
    let mut node = campaigning(1);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let failed = node.process_ready(|node, ready| {
            seen.push(ready.clone());
            assert!(!node.has_ready() && node.ready().is_none(), "one at a time");
            Err("the disk is full")
        });
        assert_eq!((failed, node.has_ready()), (Err("the disk is full"), true));
    }
    let again = node.ready().expect("the same");
    assert_eq!(seen, [again.clone(), again.clone()]);
    node.storage_mut().write(&again).expect("entries follow the log");
    assert_eq!(node.advance(again), Ok(()));
    work_off(&mut node);
    assert_eq!(node.soft_state().role, Role::Leader);
}

#[test]
fn a_ready_whose_work_panics_comes_again() {
    let mut node = campaigning(1);
    let panics =
        catch_unwind(AssertUnwindSafe(|| node.process_ready(|_, _| -> Result<(), ()> { panic!("on purpose") })));
    assert!(panics.is_err() && node.has_ready());
    work_off(&mut node);
    assert_eq!(node.soft_state().role, Role::Leader);
}

#[test]
fn a_ready_that_was_given_back_cannot_be_advanced_by_its_copy() {
    let mut node = campaigning(1);
    let mut copy = None;
    let _ = node.process_ready(|_, ready| {
        copy = Some(ready.clone());
        Err(())
    });
    assert_eq!(node.advance(copy.expect("it was seen")), Err(AdvanceError::NotOutstanding));
    work_off(&mut node);
    assert_eq!(node.soft_state().role, Role::Leader);
}

#[test]
fn work_that_hands_back_a_copy_by_itself_has_handed_it_back() {
    for result in [Ok(()), Err("too late")] {
        let mut node = campaigning(1);
        let processed = node.process_ready(|node, ready| {
            node.storage_mut().write(ready).expect("entries follow the log");
            node.advance(ready.clone()).expect("the outstanding one");
            result
        });
        assert_eq!(processed, result.map(|()| true));
        work_off(&mut node);
        assert_eq!(node.soft_state().role, Role::Leader);
    }
}

#[test]
fn with_asynchronous_writes_a_ready_whose_work_fails_comes_again_before_any_other() {
    let config = raft::Config { async_storage_writes: true, ..config() };
    let mut node = RawNode::new(config, MemStorage::with_conf_state(voters(&[1]))).expect("a sensible one");
    node.campaign();
    let failed = node.process_ready(|node, ready| {
        node.read_index("more work".into());
        assert!(!node.has_ready() && ready.storage_append.is_some());
        Err("the queue is full")
    });
    assert_eq!(failed, Err("the queue is full"));
    let mut append = None;
    let processed = node.process_ready(|_, ready| {
        append.clone_from(&ready.storage_append);
        Ok::<(), ()>(())
    });
    assert_eq!(processed, Ok(true));
    let append = append.expect("the first work again");
    node.storage_mut().write_append(&append).expect("entries follow the log");
    append.responses.into_iter().for_each(|own| node.step(own).expect("its own vote"));
    append.appended.into_iter().for_each(|appended| node.storage_appended(appended));
    assert_eq!(node.soft_state().role, Role::Leader);
    assert!(node.has_ready());
}
