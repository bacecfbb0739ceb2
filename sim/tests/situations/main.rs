//! Situations: each is noticed in a short story made for it, and not in one that nearly is the same.

#[path = "../clients/cluster.rs"]
#[allow(dead_code, reason = "shared with the tests of the clients")]
mod cluster;
mod crashes;
mod elections;
mod membership;
mod replication;
mod requests;

use raft::{NodeId, Role};
use sim::situation::Situation;
use sim::world::{Event, MessageId, NodeOptions};

use self::cluster::{Cluster, node};

/// How often a situation happened.
fn times(cluster: &Cluster, situation: Situation) -> u64 {
    cluster.world.statistics().situations.times(situation)
}

/// The situation happened in one story and not in the other.
fn tells_apart(situation: Situation, story: &Cluster, near_miss: &Cluster) {
    assert!(times(story, situation) > 0, "not noticed: {situation}");
    assert_eq!(times(near_miss, situation), 0, "noticed without cause: {situation}");
}

fn campaign(cluster: &mut Cluster, at: u64) {
    cluster.apply(Event::Campaign { node: node(at) });
}

fn propose(cluster: &mut Cluster, at: u64) {
    cluster.apply(Event::Propose { node: node(at), data: "data".into() });
}

fn tick(cluster: &mut Cluster, at: u64, times: u32) {
    (0..times).for_each(|_| drop(cluster.apply(Event::Tick { node: node(at) })));
}

/// The messages in flight to this node.
fn to(cluster: &Cluster, receiver: u64) -> Vec<MessageId> {
    let all = cluster.world.network().iter();
    all.filter(|(_, envelope)| envelope.to() == node(receiver)).map(|(message, _)| message).collect()
}

/// Lets what is in flight to this node arrive.
fn deliver_to(cluster: &mut Cluster, receiver: u64) {
    for message in to(cluster, receiver) {
        cluster.apply(Event::Deliver { message });
    }
}

/// Lets node 1 send, the others answer, and the answers arrive, and node 1 do nothing about them.
fn round_trip(cluster: &mut Cluster) {
    cluster.work(1).unwrap();
    for other in 2..=3 {
        deliver_to(cluster, other);
        cluster.work(other).unwrap();
    }
    deliver_to(cluster, 1);
}

fn three() -> Cluster {
    Cluster::led(3, &NodeOptions::default())
}

fn leads(cluster: &Cluster, id: NodeId) -> bool {
    cluster.world.replica(id).unwrap().view().soft_state.role == Role::Leader
}
