//! Replication and snapshots.

use raft::SnapshotStatus;
use sim::situation::Situation;
use sim::world::{Boot, Envelope, Event, MessageId, NodeOptions};

use super::cluster::{Cluster, node};
use super::{campaign, deliver_to, membership, propose, tells_apart, three, tick, to};

#[test]
fn an_append_that_comes_twice_is_accepted_twice() {
    let sends = |twice: bool| {
        let mut cluster = three();
        propose(&mut cluster, 1);
        cluster.work(1).unwrap();
        if twice {
            let message = to(&cluster, 2)[0];
            cluster.apply(Event::Duplicate { message });
        }
        cluster.settle();
        cluster
    };
    tells_apart(Situation::DuplicateAppend, &sends(true), &sends(false));
}

#[test]
fn a_lost_append_leaves_a_gap_and_sends_the_leader_back_to_probing() {
    let sends = |loses: bool| {
        let mut cluster = three();
        for lost in [loses, false] {
            propose(&mut cluster, 1);
            cluster.work(1).unwrap();
            for message in to(&cluster, 2).into_iter().filter(|_| lost) {
                cluster.apply(Event::Drop { message });
            }
        }
        cluster.settle();
        cluster
    };
    let (lost, whole) = (sends(true), sends(false));
    tells_apart(Situation::AppendBeyondLog, &lost, &whole);
    tells_apart(Situation::RejectedInReplicate, &lost, &whole);
}

#[test]
fn a_deposed_leader_truncates_what_only_it_has() {
    let returns = |with_tail: bool| {
        let mut cluster = three();
        cluster.isolate(1);
        if with_tail {
            propose(&mut cluster, 1);
        }
        cluster.settle();
        campaign(&mut cluster, 2);
        cluster.settle();
        cluster.heal(1);
        tick(&mut cluster, 2, 1);
        cluster.settle();
        propose(&mut cluster, 2);
        cluster.settle();
        cluster
    };
    let (with_tail, without) = (returns(true), returns(false));
    tells_apart(Situation::TailTruncated, &with_tail, &without);
    tells_apart(Situation::OwnTailTruncated, &with_tail, &without);
    tells_apart(Situation::DeposedWithOwnTail, &with_tail, &without);
}

#[test]
fn a_window_of_two_messages_is_full_once_two_are_in_flight() {
    let proposes = |count: u64| {
        let options = NodeOptions { max_inflight_messages: 2, ..NodeOptions::default() };
        let mut cluster = Cluster::led(3, &options);
        for _ in 0..count {
            propose(&mut cluster, 1);
            cluster.work(1).unwrap();
        }
        cluster
    };
    tells_apart(Situation::WindowFull, &proposes(2), &proposes(1));
}

/// A cluster that has forgotten its first entries, and sends a snapshot to a new learner.
fn sends_snapshot() -> (Cluster, MessageId) {
    let mut cluster = three();
    cluster.apply(Event::Start { node: node(4), boot: Boot::Empty, options: NodeOptions::default(), seed: Some(4) });
    cluster.isolate(4);
    membership::change(&mut cluster, &membership::add_learner(4));
    cluster.settle();
    cluster.apply(Event::TakeSnapshot { node: node(1) });
    let index = cluster.world.replica(node(1)).unwrap().view().applied;
    cluster.apply(Event::Compact { node: node(1), index });
    cluster.settle();
    cluster.heal(4);
    for _ in 0..20 {
        cluster.work(1).unwrap();
        let snapshot = cluster.world.network().iter().find(|(_, envelope)| match envelope {
            Envelope::Network(message) => matches!(message.body, raft::Body::InstallSnapshot { .. }),
            Envelope::Local { .. } => false,
        });
        if let Some((message, _)) = snapshot {
            return (cluster, message);
        }
        for id in [4, 3, 2, 1] {
            deliver_to(&mut cluster, id);
            cluster.work(id).unwrap();
        }
        tick(&mut cluster, 1, 1);
    }
    panic!("no snapshot is sent: {:?}", cluster.world.replica(node(1)).unwrap().node().unwrap().status());
}

#[test]
fn a_snapshot_arrives_during_a_probe_if_it_was_reported_as_failed() {
    let arrives = |reports: bool| {
        let (mut cluster, message) = sends_snapshot();
        if reports {
            cluster.apply(Event::ReportSnapshot { node: node(1), peer: node(4), status: SnapshotStatus::Failure });
        }
        cluster.apply(Event::Deliver { message });
        cluster
    };
    let (reported, waited) = (arrives(true), arrives(false));
    tells_apart(Situation::SnapshotDuringProbe, &reported, &waited);
    tells_apart(Situation::SnapshotFailed, &reported, &waited);
    assert_eq!(super::times(&waited, Situation::SnapshotForNewNode), 1);
}

#[test]
fn a_snapshot_that_comes_again_brings_nothing_new() {
    let arrives = |again: bool| {
        let (mut cluster, message) = sends_snapshot();
        if again {
            cluster.apply(Event::Duplicate { message });
        }
        cluster.settle();
        cluster
    };
    tells_apart(Situation::OldSnapshot, &arrives(true), &arrives(false));
}
