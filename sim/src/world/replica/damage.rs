//! A node whose disk does not keep what it was given: it stops, or stays down. A node that comes back all the same,
//! without what it has promised, is detected.

use bytes::Bytes;
use raft::NodeId;

use crate::disk::{DiskFault, Keep};
use crate::invariant::Invariant;
use crate::wal::{DiskError, RecoveryError};
use crate::world::{Boot, Event, Halt, NodeOptions, Outcome, Refusal, World};

fn node() -> NodeId {
    NodeId::new(1).unwrap()
}

fn apply(world: &mut World, event: &Event) -> Outcome {
    world.apply(event).unwrap_or_else(|halt| panic!("{event:?}: {halt}"))
}

/// Does what the node has to do, until it has nothing to do or stops. Returns why it stopped.
fn work(world: &mut World) -> Option<Refusal> {
    let node = node();
    loop {
        let event = world.replica(node).unwrap().to_do().next_event(node, 1)?;
        if let Some(refused) = apply(world, &event).refused {
            return Some(refused);
        }
        let messages: Vec<_> = world.network().iter().map(|(message, _)| message).collect();
        messages.into_iter().for_each(|message| drop(apply(world, &Event::Deliver { message })));
    }
}

/// A cluster of one node, which leads and has committed an entry.
fn working() -> World {
    let (mut world, node) = (World::new(), node());
    let (boot, options) = (Boot::Peers(vec![node]), NodeOptions::default());
    apply(&mut world, &Event::Start { node, boot, options, seed: Some(1) });
    work(&mut world);
    apply(&mut world, &Event::Campaign { node });
    work(&mut world);
    propose(&mut world);
    assert_eq!(work(&mut world), None);
    world
}

fn propose(world: &mut World) {
    apply(world, &Event::Propose { node: node(), data: Bytes::from_static(b"data") });
}

fn fault(world: &mut World, fault: DiskFault) {
    apply(world, &Event::DiskFault { node: node(), fault });
}

fn restart() -> Event {
    Event::Restart { node: node(), options: None, seed: Some(1) }
}

#[test]
fn a_node_whose_fsync_fails_stops_and_comes_back_with_what_was_durable() {
    let mut world = working();
    let before = *world.replica(node()).unwrap().view();
    fault(&mut world, DiskFault::FailSync);
    propose(&mut world);
    assert!(matches!(work(&mut world), Some(Refusal::Disk(DiskError::Failed(_)))));
    assert!(!world.replica(node()).unwrap().is_up());
    apply(&mut world, &restart());
    assert_eq!(world.replica(node()).unwrap().view().last, before.last);
}

#[test]
fn a_node_whose_disk_is_full_stops_and_goes_on_once_there_is_room() {
    let mut world = working();
    fault(&mut world, DiskFault::Fill { room: 5 });
    propose(&mut world);
    assert_eq!(work(&mut world), Some(Refusal::Disk(DiskError::Full)));
    fault(&mut world, DiskFault::Free);
    apply(&mut world, &restart());
    assert_eq!(work(&mut world), None);
    let nothing = Event::DiskFault { node: node(), fault: DiskFault::Free };
    assert!(matches!(world.apply(&nothing), Err(Halt::Inapplicable(_))), "it was free before");
}

#[test]
fn a_node_with_a_damaged_log_stays_down() {
    let mut world = working();
    let (file, bytes) = world.replica(node()).unwrap().disk().newest_durable().unwrap();
    fault(&mut world, DiskFault::FlipBit { file, bit: 4 * bytes });
    propose(&mut world);
    assert_eq!(work(&mut world), None, "it is not read while the node runs");
    apply(&mut world, &Event::Crash { node: node(), keep: Keep::All });
    for _ in 0..2 {
        let refused = apply(&mut world, &restart()).refused;
        assert!(matches!(refused, Some(Refusal::Recovery(RecoveryError::Corruption { .. }))), "{refused:?}");
        assert!(!world.replica(node()).unwrap().is_up());
    }
    assert_eq!(world.statistics().recoveries_refused, 2);
}

#[test]
fn a_node_that_comes_back_as_if_nothing_had_happened_to_its_disk_is_a_violation() {
    let mut world = working();
    let early = world.replica(node()).unwrap().disk.clone();
    propose(&mut world);
    work(&mut world);
    apply(&mut world, &Event::Crash { node: node(), keep: Keep::All });

    let mut intact = world.clone();
    assert_eq!(intact.apply(&restart()).map(|outcome| outcome.refused), Ok(None));

    // All checksums are right, and what was acknowledged is gone.
    world.replicas[0].as_mut().unwrap().disk = early;
    let halt = world.apply(&restart()).unwrap_err();
    assert!(matches!(&halt, Halt::Violation(found) if found.invariant == Invariant::DurableBeforeSend), "{halt}");
}

/// Lets the node come back from a disk that takes the place of its own, and tells where its log ends.
fn comes_back_from(world: &mut World, replacement: DiskFault) -> u64 {
    apply(world, &Event::Crash { node: node(), keep: Keep::All });
    fault(world, replacement);
    assert_eq!(apply(world, &restart()).refused, None);
    world.replica(node()).unwrap().view().last.index.0
}

#[test]
fn a_node_whose_disk_is_lost_comes_back_with_nothing_and_keeps_what_it_promises_from_then_on() {
    let mut world = working();
    assert_eq!(comes_back_from(&mut world, DiskFault::Lose), 0);
    let replica = world.replica(node()).unwrap();
    assert!(replica.is_damaged());
    assert_eq!(
        replica.node().unwrap().configuration().voters().ids().count(),
        0,
        "it does not know who is in the cluster"
    );
    apply(&mut world, &Event::Crash { node: node(), keep: Keep::All });
    assert_eq!(apply(&mut world, &restart()).refused, None);
}

#[test]
fn a_node_comes_back_from_the_copy_that_was_put_aside() {
    let mut world = working();
    fault(&mut world, DiskFault::BackUp);
    let copied = world.replica(node()).unwrap().view().last.index.0;
    propose(&mut world);
    work(&mut world);
    assert_eq!(comes_back_from(&mut world, DiskFault::PutBack), copied);
}

#[test]
fn a_disk_is_not_replaced_while_its_node_is_up_nor_by_a_copy_that_there_is_not() {
    let mut world = working();
    for replacement in [DiskFault::Lose, DiskFault::PutBack] {
        let event = Event::DiskFault { node: node(), fault: replacement };
        assert!(matches!(world.apply(&event), Err(Halt::Inapplicable(_))));
    }
    apply(&mut world, &Event::Crash { node: node(), keep: Keep::All });
    let put_back = Event::DiskFault { node: node(), fault: DiskFault::PutBack };
    assert!(matches!(world.apply(&put_back), Err(Halt::Inapplicable(_))));
}
