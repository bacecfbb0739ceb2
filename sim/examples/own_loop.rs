//! The checks around a loop of one's own: three nodes, a queue of messages, and no world.
//!
//! [`Checkers`] is told what each node does, in the order in which it happens, and finds the contradiction.
//! `cargo run -p sim --example own_loop` runs a loop that is right; with `-- --sends-first` its messages leave before what they
//! promise is on the disk.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;

use raft::{ConfState, Config, MemStorage, Message, NodeId, RawNode, Ready, Role};
use sim::invariant::{Check, Checkers, Recovered, View};

/// Nodes, what is on its way between them, and the checks.
pub struct Cluster {
    nodes: BTreeMap<NodeId, RawNode<MemStorage>>,
    mail: VecDeque<Message>,
    checkers: Checkers,
    /// How many entries with data each node has applied.
    applied: BTreeMap<NodeId, usize>,
    /// The mistake.
    sends_first: bool,
}

fn view(node: &RawNode<MemStorage>) -> View {
    View::from(&node.basic_status())
}

impl Cluster {
    /// Three nodes that have just started, with nothing on their disks but who they are.
    pub fn new(sends_first: bool) -> Result<Self, Box<dyn Error>> {
        let members: Vec<NodeId> = (1..=3).filter_map(NodeId::new).collect();
        let configuration = ConfState { voters: members.iter().copied().collect(), ..ConfState::default() };
        let (mut nodes, mut checkers) = (BTreeMap::new(), Checkers::new());
        for id in members {
            let config = Config { election_seed: Some(id.get()), ..Config::recommended(id) };
            let node = RawNode::new(config.clone(), MemStorage::with_conf_state(configuration.clone()))?;
            let snapshot = raft::Storage::snapshot(node.storage())?.id;
            let hard_state = node.storage().hard_state();
            let (applied, configuration) = (snapshot.index, &configuration);
            let recovered =
                Recovered { hard_state, compacted: snapshot, entries: &[], snapshot, applied, configuration };
            checkers.started(id, &config, &recovered, &view(&node))?;
            nodes.insert(id, node);
        }
        Ok(Self { nodes, mail: VecDeque::new(), checkers, applied: BTreeMap::new(), sends_first })
    }

    /// Goes on until every node has applied what a leader was asked for. Returns after how many ticks.
    ///
    /// # Errors
    /// A property does not hold, or the nodes refuse what they are given.
    pub fn run(&mut self) -> Result<u32, Box<dyn Error>> {
        let mut proposed = false;
        for tick in 0..1000 {
            for id in self.nodes.keys().copied().collect::<Vec<_>>() {
                self.node(id).tick();
                self.checkers.ticked(id, None)?;
                self.look_at(id)?;
                self.handle(id)?;
            }
            while let Some(message) = self.mail.pop_front() {
                let to = message.to;
                self.checkers.received(&message);
                self.node(to).step(message)?;
                self.look_at(to)?;
                self.handle(to)?;
            }
            let leader = self.nodes.values_mut().find(|node| node.basic_status().soft_state.role == Role::Leader);
            if let Some(leader) = leader.filter(|_| !proposed) {
                leader.propose("hello".into())?;
                proposed = true;
            }
            if self.nodes.keys().all(|id| self.applied.contains_key(id)) {
                return Ok(tick);
            }
        }
        Err("there was no progress".into())
    }

    fn node(&mut self, id: NodeId) -> &mut RawNode<MemStorage> {
        self.nodes.get_mut(&id).expect("members stay")
    }

    /// Shows the checks how a node is now: after every call on it.
    fn look_at(&mut self, id: NodeId) -> Check {
        let now = view(self.node(id));
        self.checkers.observed(id, &now)
    }

    /// Does what a node asks for, and tells the checks of each step.
    fn handle(&mut self, id: NodeId) -> Result<(), Box<dyn Error>> {
        while let Some(mut ready) = self.node(id).ready() {
            let now = view(self.node(id));
            self.checkers.handed_out(id, None, &ready.entries, &now)?;
            self.checkers.to_apply(id, &ready.committed_entries)?;
            self.checkers.hands_out(id, &ready.messages);
            if self.sends_first {
                self.send(&mut ready)?;
            }
            self.node(id).storage_mut().write(&ready)?;
            self.checkers.persisted(id, ready.hard_state, ready.snapshot.as_ref(), &ready.entries)?;
            self.send(&mut ready)?;
            for entry in &ready.committed_entries {
                self.checkers.applied(id, entry)?;
                *self.applied.entry(id).or_default() += usize::from(!entry.data.is_empty());
            }
            self.applied.retain(|_, count| *count > 0);
            self.node(id).advance(ready)?;
            self.look_at(id)?;
        }
        Ok(())
    }

    fn send(&mut self, ready: &mut Ready) -> Check {
        for message in std::mem::take(&mut ready.messages) {
            self.checkers.sent(&message)?;
            self.mail.push_back(message);
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let sends_first = std::env::args().any(|argument| argument == "--sends-first");
    let ticks = Cluster::new(sends_first)?.run()?;
    println!("all nodes have applied what was proposed after {ticks} ticks, and every property held");
    Ok(())
}
