//! The same work every time, for counting instructions: so many nodes in one thread agree on entries of 16 bytes, which the leader is
//! given in batches; after each batch all messages are exchanged, round by round, until nobody has anything to say.
//!
//! ```text
//! cargo run --release -p raft-counts --bin cells -- 3 16 5000       # 3 nodes, batches of 16, 5,000 entries
//! ```
//!
//! Without arguments it does a little of each cell: 3, 5 and 7 nodes with batches of 1, 16 and 256. `.ci/counts` runs it under
//! callgrind and compares with what was counted before.

use std::collections::VecDeque;

use bytes::Bytes;
use raft::{ConfState, Config, MemStorage, Message, NodeId, RawNode, Role};

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    match numbers[..] {
        [nodes, batch, entries] => Cluster::new(nodes).agree_on(entries, batch),
        _ => {
            for (nodes, batch) in [3, 5, 7].into_iter().flat_map(|nodes| [1, 16, 256].map(|batch| (nodes, batch))) {
                Cluster::new(nodes).agree_on(1_000, batch);
            }
        }
    }
}

struct Cluster {
    nodes: Vec<RawNode<MemStorage>>,
    network: VecDeque<Message>,
    /// How many entries with data each node has applied.
    applied: Vec<u64>,
}

impl Cluster {
    /// So many voters, of which the first one leads.
    fn new(count: u64) -> Self {
        let ids: Vec<NodeId> = (1..=count).filter_map(NodeId::new).collect();
        let members = ConfState { voters: ids.iter().copied().collect(), ..ConfState::default() };
        let node = |id: &NodeId| {
            // The first one campaigns by hand, which no question before the vote may delay.
            let config = Config { pre_vote: false, ..Config::recommended(*id) };
            RawNode::new(config, MemStorage::with_conf_state(members.clone())).expect("a sound configuration")
        };
        let nodes = ids.iter().map(node).collect();
        let mut cluster = Self { nodes, network: VecDeque::new(), applied: vec![0; ids.len()] };
        cluster.nodes[0].campaign();
        cluster.exchange();
        assert_eq!(cluster.nodes[0].soft_state().role, Role::Leader);
        cluster
    }

    fn agree_on(&mut self, entries: u64, batch: u64) {
        let mut proposed = 0;
        while proposed < entries {
            for _ in 0..batch.min(entries - proposed) {
                proposed += 1;
                let data = Bytes::copy_from_slice(&u128::from(proposed).to_le_bytes());
                self.nodes[0].propose(data).expect("it leads");
            }
            self.exchange();
        }
        assert!(self.applied.iter().all(|applied| *applied == entries), "{:?} of {entries}", self.applied);
    }

    /// Every node works and every message arrives, until there is nothing left.
    fn exchange(&mut self) {
        loop {
            (0..self.nodes.len()).for_each(|place| self.work_off(place));
            if self.network.is_empty() {
                return;
            }
            for message in std::mem::take(&mut self.network) {
                let receiver = (message.to.get() - 1) as usize;
                self.nodes[receiver].step(message).expect("what nodes send makes sense");
            }
        }
    }

    fn work_off(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        while let Some(mut ready) = node.ready() {
            node.storage_mut().write(&ready).expect("entries follow the log");
            self.network.extend(ready.messages.drain(..));
            self.applied[place] += ready.committed_entries.iter().filter(|entry| !entry.data.is_empty()).count() as u64;
            node.advance(ready).expect("it is the outstanding one");
        }
    }
}
