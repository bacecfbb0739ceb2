//! Nodes whose clocks tick as one, which nothing but their draws of election timeouts keeps apart.

use std::collections::BTreeSet;

use raft::{ConfState, Config, MemStorage, NodeId, RawNode, Role};

use crate::host::*;

/// So many nodes that know one another, with these options.
fn cluster(count: u64, options: fn(NodeId) -> Config) -> Vec<RawNode<MemStorage>> {
    let ids: Vec<u64> = (1..=count).collect();
    let start = |number: &u64| RawNode::new(options(id(*number)), MemStorage::with_conf_state(voters(&ids)));
    ids.iter().map(|number| start(number).expect("sensible options")).collect()
}

/// Ticks all of them at once, and does what comes of it. Tells whether anybody leads then.
fn tick(nodes: &mut [RawNode<MemStorage>]) -> bool {
    nodes.iter_mut().for_each(RawNode::tick);
    while nodes.iter().any(RawNode::has_ready) {
        let mut mail = Vec::new();
        for node in nodes.iter_mut() {
            let work = |node: &mut RawNode<MemStorage>, ready: &raft::Ready| {
                mail.extend(ready.messages.iter().cloned());
                node.storage_mut().write(ready)
            };
            node.process_ready(work).expect("entries follow the log");
        }
        for message in mail {
            let _ = nodes[message.to.get() as usize - 1].step(message);
        }
    }
    nodes.iter().any(|node| node.soft_state().role == Role::Leader)
}

#[test]
fn clusters_of_any_size_elect_a_leader_without_being_given_seeds() {
    for options in [Config::new, Config::recommended] {
        for count in 1..=9 {
            let mut nodes = cluster(count, options);
            assert!((0..200).any(|_| tick(&mut nodes)), "{count} nodes");
        }
    }
}

#[test]
fn nodes_whose_timeouts_are_fixed_split_every_vote() {
    let mut nodes = cluster(3, |id| Config { fixed_election_timeout: true, ..Config::new(id) });
    assert!(!(0..2000).any(|_| tick(&mut nodes)));
}

/// How long a node of three waits before it campaigns.
fn patience(config: Config, storage: MemStorage) -> usize {
    let mut host = Host::over(config, storage);
    (1..50).find(|_| !host.wait(1).messages.is_empty()).expect("it campaigns")
}

#[test]
fn a_node_is_not_as_patient_in_each_term_nor_after_each_start() {
    let members = || MemStorage::with_conf_state(voters(&[1, 2, 3]));
    let mut host = Host::over(Config::new(id(1)), members());
    let mut terms = BTreeSet::new();
    for _ in 0..100 {
        terms.insert((1..50).find(|_| !host.wait(1).messages.is_empty()).expect("it campaigns"));
    }
    assert_eq!(terms, (10..20).collect(), "each term draws");

    let mut starts = BTreeSet::new();
    let mut storage = members();
    for _ in 0..100 {
        starts.insert(patience(Config::new(id(1)), storage.clone()));
        let mut host = Host::over(Config::new(id(1)), storage);
        host.node.campaign();
        host.work_off();
        storage = host.node.storage().clone();
    }
    assert_eq!(starts, (10..20).collect(), "each start draws");
}

#[test]
fn the_same_start_draws_the_same_so_that_runs_can_be_repeated() {
    let waits = |number| patience(Config::new(id(number)), MemStorage::with_conf_state(alone_or_three(number)));
    assert_eq!((1..10).map(waits).collect::<Vec<_>>(), (1..10).map(waits).collect::<Vec<_>>());
}

fn alone_or_three(number: u64) -> ConfState {
    voters(&[number, number + 1, number + 2])
}
