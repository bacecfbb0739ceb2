//! Worlds that are equal, on whatever way they came there, have equal hashes; and everything that matters shows in them.

use bytes::Bytes;
use raft::{Body, ChangeKind, ConfChangeV1, Message, NodeId, SnapshotStatus, Term};

use crate::disk::{DiskFault, Keep};
use crate::history::Operation;
use crate::world::{Event, MessageId, StateHash, World};

fn node(number: u64) -> NodeId {
    NodeId::new(number).unwrap()
}

/// The world that a scenario leads to.
fn world(script: &str) -> World {
    let mut world = World::new();
    for event in crate::script::record(script).unwrap().events {
        world.apply(&event).unwrap();
    }
    world
}

/// Three nodes, of which node 1 leads and has committed an entry; nothing is in flight.
fn settled() -> World {
    world(
        "add-nodes 3 voters=(1,2,3) index=3\ncampaign 1\nstabilize log-level=none\npropose 1 one\nstabilize log-level=none\n",
    )
}

fn after(world: &World, events: &[Event]) -> World {
    let mut world = world.clone();
    for event in events {
        world.apply(event).unwrap_or_else(|halt| panic!("{event:?}: {halt}"));
    }
    world
}

/// Lets the hosts of these nodes do all they can.
fn works(world: &mut World, nodes: &[u64]) {
    for id in nodes.iter().map(|number| node(*number)) {
        while let Some(event) = world.replica(id).and_then(|replica| replica.to_do().next_event(id, 9)) {
            world.apply(&event).unwrap();
        }
    }
}

/// The number of the first message in flight from one node to another.
fn message(world: &World, from: u64, to: u64) -> MessageId {
    let mut messages = world.network().iter();
    let found = messages.find(|(_, envelope)| envelope.from() == node(from) && envelope.to() == node(to));
    found.expect("it is in flight").0
}

fn propose(number: u64, data: &'static str) -> Event {
    Event::Propose { node: node(number), data: Bytes::from_static(data.as_bytes()) }
}

#[test]
fn events_at_different_nodes_lead_to_the_same_state_in_either_order() {
    let mut world = settled();
    world.apply(&propose(1, "two")).unwrap();
    works(&mut world, &[1]);
    let [mut one, mut other] = [world.clone(), world.clone()];
    for (world, order) in [(&mut one, [2, 3]), (&mut other, [3, 2])] {
        for to in order {
            let message = message(world, 1, to);
            world.apply(&Event::Deliver { message }).unwrap();
            works(world, &[to]);
        }
    }
    assert_ne!(one.digest(), other.digest());
    assert_eq!(one.state_hash(), other.state_hash());
}

#[test]
fn one_message_of_two_that_are_equal_is_as_good_as_the_other() {
    let mut world = settled();
    world.apply(&propose(1, "two")).unwrap();
    works(&mut world, &[1]);
    let first = message(&world, 1, 2);
    let twice = after(&world, &[Event::Duplicate { message: first }]);
    assert_ne!(twice.state_hash(), world.state_hash(), "it counts how often a message is in flight");
    let second = MessageId(twice.network().next_id() - 1);
    let deliver = |message| after(&twice, &[Event::Deliver { message }]).state_hash();
    assert_eq!(deliver(first), deliver(second));
}

#[test]
fn a_disk_is_what_is_read_of_it_and_not_how_often_it_was_written() {
    let script = |commits: &str| {
        let mut world = world(&format!(
            "add-nodes 3 voters=(1,2,3) index=3\ncampaign 1\nstabilize log-level=none\npropose 1 one\npropose 1 two\n{commits}"
        ));
        // Restarts forget all but the disks.
        for id in 1..=3 {
            world.apply(&Event::Crash { node: node(id), keep: Keep::All }).unwrap();
        }
        let disks = world.replicas().map(|replica| replica.disk().used()).sum::<u64>();
        let hash = super::StateHasher::of(&world.replicas().map(|replica| replica.disk().clone()).collect::<Vec<_>>());
        (disks, hash)
    };
    let at_once = script("stabilize log-level=none\n");
    let one_by_one = script("process-ready 1\nstabilize 2 log-level=none\nstabilize log-level=none\n");
    assert_eq!(at_once.1, one_by_one.1);
    let more = script("stabilize log-level=none\npropose 1 three\nstabilize log-level=none\n");
    assert_ne!(more.1, at_once.1);
}

#[test]
fn what_is_pending_tells_disks_apart_and_whether_it_is_durable() {
    let mut world = settled();
    world.apply(&propose(1, "two")).unwrap();
    let mut hashes = vec![world.state_hash()];
    for event in [
        Event::TakeReady { node: node(1) },
        Event::Write { node: node(1) },
        Event::Sync { node: node(1) },
        Event::SyncDone { node: node(1) },
    ] {
        world.apply(&event).unwrap();
        hashes.push(world.state_hash());
    }
    let keep = |keep| after(&world, &[propose(1, "three"), Event::Crash { node: node(1), keep }]).state_hash();
    assert_eq!(keep(Keep::Nothing), keep(Keep::All), "all of it is durable");
    all_differ(&hashes);
}

fn all_differ(hashes: &[StateHash]) {
    for (position, hash) in hashes.iter().enumerate() {
        let same = hashes[..position].iter().position(|other| other == hash);
        assert_eq!(same, None, "{position} has the same hash");
    }
}

#[test]
fn every_kind_of_event_that_changes_anything_changes_the_hash_in_its_own_way() {
    let mut world = settled();
    world.apply(&propose(1, "two")).unwrap();
    works(&mut world, &[1]);
    let [one, two] = [node(1), node(2)];
    let in_flight = message(&world, 1, 2);
    let read = Operation::Read { key: 0 };
    let write = Operation::Write { key: 0, value: Bytes::from_static(b"green") };
    let remove =
        ConfChangeV1 { change: raft::Change { kind: ChangeKind::Remove, node: Some(two) }, context: Bytes::new() };
    let body = Body::VoteResponse { granted: false };
    let injected = Message { from: two, to: one, term: Some(Term(1)), body };
    let fault = |fault| Event::DiskFault { node: one, fault };
    let events = [
        Event::Tick { node: one },
        Event::Tick { node: two },
        Event::Campaign { node: two },
        propose(1, "three"),
        propose(1, "four"),
        propose(2, "three"),
        Event::ProposeConfChange { node: one, change: remove.into() },
        Event::TransferLeadership { node: one, target: two },
        Event::TransferLeadership { node: one, target: node(3) },
        Event::ForgetLeader { node: two },
        Event::ReadIndex { node: one, context: Bytes::from_static(b"r1") },
        Event::ReadIndex { node: one, context: Bytes::from_static(b"r2") },
        Event::Invoke { client: 0, node: one, operation: read.clone() },
        Event::Invoke { client: 1, node: one, operation: read },
        Event::Invoke { client: 0, node: one, operation: write },
        Event::BreakLeases,
        Event::ReportUnreachable { node: one, peer: two },
        Event::ReportSnapshot { node: one, peer: two, status: SnapshotStatus::Failure },
        Event::SetElectionTimeout { node: two, ticks: 7 },
        Event::TakeSnapshot { node: one },
        Event::Crash { node: one, keep: Keep::All },
        Event::Crash { node: two, keep: Keep::All },
        Event::Deliver { message: in_flight },
        Event::Drop { message: in_flight },
        Event::Duplicate { message: in_flight },
        Event::Cut { from: one, to: two },
        Event::Cut { from: two, to: one },
        Event::Inject { message: injected },
        fault(DiskFault::FailSync),
        fault(DiskFault::ForgetSync),
        fault(DiskFault::Fill { room: 100 }),
        fault(DiskFault::Fill { room: 200 }),
        fault(DiskFault::BackUp),
    ];
    let changed = events.iter().map(|event| after(&world, std::slice::from_ref(event)).state_hash());
    // To no follower a snapshot is under way, so that nobody waits for a report of it.
    let without_effect = [Event::ReportSnapshot { node: one, peer: two, status: SnapshotStatus::Failure }];
    let hashes: Vec<StateHash> =
        changed.zip(&events).filter(|(_, event)| !without_effect.contains(event)).map(|(hash, _)| hash).collect();
    all_differ(&[&[world.state_hash()], &hashes[..]].concat());
}

#[test]
fn what_only_tells_the_past_does_not_show() {
    let world = settled();
    let hash = world.state_hash();
    let cut =
        |from, to| [Event::Cut { from: node(from), to: node(to) }, Event::HealLink { from: node(from), to: node(to) }];
    let free = [DiskFault::Fill { room: 9 }, DiskFault::Free].map(|fault| Event::DiskFault { node: node(1), fault });
    for events in [&cut(1, 2)[..], &free, &[Event::SearchHistories], &[Event::ExpectLiveness { core: None }]] {
        let after = after(&world, events);
        assert_ne!((after.digest(), after.step()), (world.digest(), world.step()));
        assert_eq!(after.state_hash(), hash, "{events:?}");
    }
}

/// Node 2 votes for node 1 or for node 3 in term 2, and forgets it, as does its disk.
#[test]
fn what_the_checks_remember_shows_though_no_node_knows_it_any_more() {
    let forgotten = |candidate: u64| {
        let mut world = settled();
        world.apply(&Event::Campaign { node: node(candidate) }).unwrap();
        works(&mut world, &[candidate]);
        let ids: Vec<MessageId> = world.network().iter().map(|(id, _)| id).collect();
        for message in ids {
            world.apply(&Event::Deliver { message }).unwrap();
        }
        works(&mut world, &[1, 2, 3]);
        world
    };
    let (mut one, mut other) = (forgotten(2), forgotten(3));
    for world in [&mut one, &mut other] {
        let ids: Vec<MessageId> = world.network().iter().map(|(id, _)| id).collect();
        let network =
            ids.into_iter().filter(|id| world.network().get(*id).is_some_and(|envelope| !envelope.is_local()));
        for message in network.collect::<Vec<_>>() {
            world.apply(&Event::Drop { message }).unwrap();
        }
        for id in 1..=3 {
            world.apply(&Event::Crash { node: node(id), keep: Keep::All }).unwrap();
            world.apply(&Event::DiskFault { node: node(id), fault: DiskFault::Lose }).unwrap();
        }
        // Who loses and does not come back shows nothing but what the checks know of it.
        assert!(world.replicas().all(|replica| !replica.is_up() && replica.disk().used() == 0));
    }
    assert_ne!(one.state_hash(), other.state_hash());
}

#[test]
fn how_long_ago_things_were_counts_and_not_when() {
    let mut world = settled();
    world.apply(&propose(1, "two")).unwrap();
    works(&mut world, &[1]);
    let tick = |number| Event::Tick { node: node(number) };
    let aged = after(&world, &[tick(2), tick(3)]);
    assert_ne!(aged.state_hash(), world.state_hash());
    let in_flight: Vec<MessageId> = aged.network().iter().map(|(id, _)| id).collect();
    assert!(in_flight.iter().all(|message| aged.network().age(*message) == 2));
    assert_eq!(after(&world, &[tick(3), tick(2)]).state_hash(), aged.state_hash());
}

#[test]
fn a_read_counts_who_was_heard_from_since_and_not_in_which_order() {
    let heard = |order: [u64; 2]| {
        let mut world = settled();
        world.apply(&Event::ReadIndex { node: node(1), context: Bytes::from_static(b"r") }).unwrap();
        works(&mut world, &[1]);
        for to in order {
            let message = message(&world, 1, to);
            world.apply(&Event::Deliver { message }).unwrap();
        }
        world.state_hash()
    };
    assert_eq!(heard([2, 3]), heard([3, 2]));
}
