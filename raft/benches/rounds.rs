//! The same work every time, for counting instructions: three nodes elect a leader and agree on 3,000 proposals, with a round of
//! all messages after each. What telling costs is the difference between this with the feature `tracing` and without:
//!
//! ```text
//! cargo bench -p raft --bench rounds --no-run                      # prints where the program is
//! valgrind --tool=callgrind --callgrind-out-file=counts PROGRAM # prints how many instructions it ran
//! cargo bench -p raft --bench rounds --no-run --features tracing
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use raft::{ConfState, Config, MemStorage, NodeId, RawNode, Role};

const ROUNDS: u32 = 3_000;

type Nodes = BTreeMap<NodeId, RawNode<MemStorage>>;

fn main() {
    let voters = (1..=3).filter_map(NodeId::new);
    let members = ConfState { voters: voters.clone().collect(), ..ConfState::default() };
    let start = |id| {
        let config = Config { election_seed: Some(id), ..Config::recommended(NodeId::new(id).expect("not zero")) };
        RawNode::new(config, MemStorage::with_conf_state(members.clone())).expect("a sound configuration")
    };
    let mut nodes: Nodes = voters.map(|id| (id, start(id.get()))).collect();
    while leader(&mut nodes).is_none() {
        nodes.values_mut().for_each(RawNode::tick);
        deliver_all(&mut nodes);
    }
    for round in 0..ROUNDS {
        let leader = leader(&mut nodes).expect("nothing deposes it");
        leader.propose(Bytes::copy_from_slice(&round.to_le_bytes())).expect("it leads");
        deliver_all(&mut nodes);
    }
    let commits = nodes.values().map(|node| node.basic_status().hard_state.commit.0);
    assert!(commits.into_iter().all(|commit| commit > u64::from(ROUNDS)));
}

fn leader(nodes: &mut Nodes) -> Option<&mut RawNode<MemStorage>> {
    nodes.values_mut().find(|node| node.soft_state().role == Role::Leader)
}

/// Every node works, and every message arrives, until there is nothing left.
fn deliver_all(nodes: &mut Nodes) {
    loop {
        let mut messages = Vec::new();
        for node in nodes.values_mut() {
            while let Some(ready) = node.ready() {
                node.storage_mut().write(&ready).expect("entries follow the log");
                messages.extend(ready.messages.iter().cloned());
                node.advance(ready).expect("it is the outstanding one");
            }
        }
        if messages.is_empty() {
            return;
        }
        for message in messages {
            let receiver = nodes.get_mut(&message.to).expect("a member");
            receiver.step(message).expect("what nodes send makes sense");
        }
    }
}
