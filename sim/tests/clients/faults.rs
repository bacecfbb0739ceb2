//! Clusters that tell clients wrong, and what is known to be so.

use raft::{ReadOnlyOption, Role};
use sim::history::{Answer, Operation};
use sim::invariant::Invariant;
use sim::world::{Event, Halt, NodeOptions, World};

use crate::cluster::{Cluster, node, write};

const READ: Operation = Operation::Read { key: 5 };

/// A leader by lease, cut off from the others, who have elected another that has acknowledged a write: etcd's lease lasts
/// until the leader looks for its quorum the next time, which is up to two election timeouts after it was last heard.
fn deposed_lease_holder() -> Cluster {
    let options =
        NodeOptions { check_quorum: true, read_only_option: ReadOnlyOption::LeaseBased, ..NodeOptions::default() };
    let mut cluster = Cluster::led(3, &options);
    cluster.isolate(1);
    for ticks in 0..options.election_tick * 2 {
        cluster.apply(Event::Tick { node: node(2) });
        cluster.apply(Event::Tick { node: node(3) });
        if ticks >= options.election_tick {
            cluster.settle();
        }
    }
    for _ in 0..options.election_tick - 1 {
        cluster.apply(Event::Tick { node: node(1) });
    }
    cluster.settle();
    let leader = cluster.world.replica(node(2)).unwrap().view().soft_state.leader.unwrap();
    assert_ne!(leader, node(1));
    cluster.invoke(1, leader.get(), write(5, "new"));
    cluster.settle();
    assert_eq!(cluster.completed.pop().unwrap().answer, Answer::Written);
    cluster
}

#[test]
fn a_stale_lease_read_is_found_where_nobody_broke_the_leases() {
    let mut cluster = deposed_lease_holder();
    cluster.invoke(2, 1, READ);
    let Err(Halt::Violation(violation)) = cluster.try_settle() else { panic!("the read is stale") };
    // The check of the answer's index comes first, where it is.
    assert!([Invariant::LinearizableRead, Invariant::Linearizability].contains(&violation.invariant), "{violation}");
}

#[test]
fn a_stale_lease_read_is_excused_where_leases_are_broken_on_purpose() {
    let mut cluster = deposed_lease_holder();
    cluster.apply(Event::BreakLeases);
    cluster.invoke(2, 1, READ);
    cluster.settle();
    assert_eq!(cluster.completed.pop().unwrap().answer, Answer::Read("".into()));
    assert_eq!(cluster.world.statistics().stale_reads, 1);
    cluster.apply(Event::SearchHistories);
}

#[test]
fn a_world_without_checks_tells_clients_anything() {
    let mut cluster = Cluster::default();
    cluster.world = World::unchecked();
    cluster.start(1, &as_in_etcd());
    restart_with_an_old_commit_index(&mut cluster);
    cluster.invoke(2, 1, READ);
    cluster.settle();
    assert_eq!(cluster.completed.pop().unwrap().answer, Answer::Read("".into()));
    cluster.apply(Event::SearchHistories);
}

/// A node that is alone acknowledges a write, crashes, and leads again without having committed anything since.
fn restart_with_an_old_commit_index(cluster: &mut Cluster) {
    cluster.apply(Event::Campaign { node: node(1) });
    cluster.settle();
    cluster.invoke(1, 1, write(5, "new"));
    cluster.settle();
    assert_eq!(cluster.completed.pop().unwrap().answer, Answer::Written);
    cluster.crash_and_restart(1);
    cluster.settle();
    cluster.apply(Event::Campaign { node: node(1) });
    while cluster.role(1) != Role::Leader {
        cluster.advance(1).unwrap();
    }
}

/// A hole that is etcd's: a leader that is the only voter serves reads from its commit index at once, also before it has
/// committed an entry of its term. The commit index need not be durable, so that after a crash it may be behind what was
/// acknowledged, until the leader has committed again all that its log holds.
fn as_in_etcd() -> NodeOptions {
    NodeOptions { immediate_singleton_reads: true, ..NodeOptions::default() }
}

#[test]
fn the_only_voter_of_etcd_serves_stale_reads_right_after_a_restart_that_lost_its_commit_index() {
    let mut cluster = Cluster::new(1, &as_in_etcd());
    restart_with_an_old_commit_index(&mut cluster);
    cluster.invoke(2, 1, READ);
    let Err(Halt::Violation(violation)) = cluster.try_settle() else { panic!("the read is stale") };
    assert!([Invariant::LinearizableRead, Invariant::Linearizability].contains(&violation.invariant), "{violation}");
}

#[test]
fn the_only_voter_lets_reads_wait_until_it_has_committed_again() {
    let mut cluster = Cluster::new(1, &NodeOptions::default());
    restart_with_an_old_commit_index(&mut cluster);
    cluster.invoke(2, 1, READ);
    cluster.settle();
    assert_eq!(cluster.completed.pop().unwrap().answer, Answer::Read("new".into()));
}
