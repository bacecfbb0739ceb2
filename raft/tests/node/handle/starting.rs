//! Starting a node for the first time and again.

use std::pin::pin;
use std::task::Poll;

use raft::node::StartError;
use raft::{BootstrapError, Config, MemStorage, Node, Role};

use super::{drive, leader, now, poll, work};
use crate::{id, voters};

#[test]
fn nodes_that_start_with_the_same_peers_know_one_another() {
    let peers = [1, 2, 3].map(|number| (id(number), Default::default()));
    let (node, mut driver) = Node::start(Config::new(id(1)), MemStorage::new(), &peers).unwrap();
    let mut status = pin!(node.status());
    assert!(poll(status.as_mut()).is_pending());
    drive(&mut driver);
    let Poll::Ready(Ok(status)) = poll(status) else { panic!("no status") };
    assert_eq!(status.configuration.conf_state(), voters(&[1, 2, 3]));

    let nobody = Node::start(Config::new(id(1)), MemStorage::new(), &[]);
    assert_eq!(nobody.err(), Some(StartError::Bootstrap(BootstrapError::NoPeers)));
    let restarted = Node::restart(Config { heartbeat_tick: 0, ..Config::new(id(1)) }, MemStorage::new());
    assert!(matches!(restarted.err(), Some(StartError::Config(_))));
}

#[test]
fn a_restarted_node_goes_on_from_its_storage() {
    let (node, _driver) = leader();
    let kept = node.with_storage(|storage| storage.clone());
    node.stop();
    let (node, mut driver) = Node::restart(Config::new(id(1)), kept).unwrap();
    now(node.campaign()).unwrap();
    let mut status = pin!(node.status());
    assert!(poll(status.as_mut()).is_pending());
    drive(&mut driver);
    work(&node, &mut driver);
    let Poll::Ready(Ok(status)) = poll(status) else { panic!("no status") };
    assert_eq!(status.basic.hard_state.term.0, 2);
    assert_ne!(status.basic.soft_state.role, Role::Follower);
}
