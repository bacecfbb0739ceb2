//! A world with a driver that does everything that is to be done, in a fixed order.

use raft::{NodeId, Role};
use sim::disk::Keep;
use sim::history::Operation;
use sim::world::{Boot, Completion, Event, Halt, MessageId, NodeOptions, Outcome, World};

/// The node with this number.
pub fn node(number: u64) -> NodeId {
    NodeId::new(number).unwrap()
}

pub fn write(key: u64, value: &'static str) -> Operation {
    Operation::Write { key, value: value.into() }
}

pub fn compare_and_set(key: u64, expected: &'static str, value: &'static str) -> Operation {
    Operation::CompareAndSet { key, expected: expected.into(), value: value.into() }
}

/// A cluster of nodes that are numbered from 1.
#[derive(Clone, Default)]
pub struct Cluster {
    pub world: World,
    pub completed: Vec<Completion>,
    /// The highest number of messages before which all were delivered or lost.
    delivered: u64,
}

impl Cluster {
    /// So many voters with these options, none of which leads yet.
    pub fn new(nodes: u64, options: &NodeOptions) -> Self {
        let mut cluster = Self::default();
        cluster.start(nodes, options);
        cluster
    }

    /// Starts so many voters.
    pub fn start(&mut self, nodes: u64, options: &NodeOptions) {
        let peers: Vec<NodeId> = (1..=nodes).map(node).collect();
        for peer in &peers {
            let (boot, options) = (Boot::Peers(peers.clone()), options.clone());
            self.apply(Event::Start { node: *peer, boot, options, seed: Some(peer.get()) });
        }
        self.settle();
    }

    /// The same, led by node 1.
    pub fn led(nodes: u64, options: &NodeOptions) -> Self {
        let mut cluster = Self::new(nodes, options);
        cluster.apply(Event::Campaign { node: node(1) });
        cluster.settle();
        assert_eq!(cluster.role(1), Role::Leader);
        cluster
    }

    pub fn try_apply(&mut self, event: Event) -> Result<Outcome, Halt> {
        let outcome = self.world.apply(&event)?;
        self.completed.extend(outcome.completed.iter().cloned());
        Ok(outcome)
    }

    pub fn apply(&mut self, event: Event) -> Outcome {
        let shown = format!("{event:?}");
        self.try_apply(event).unwrap_or_else(|halt| panic!("{shown}: {halt}"))
    }

    pub fn invoke(&mut self, client: u64, at: u64, operation: Operation) -> Outcome {
        self.apply(Event::Invoke { client, node: node(at), operation })
    }

    pub fn retry(&mut self, client: u64, at: u64) -> Outcome {
        self.apply(Event::Retry { client, node: node(at) })
    }

    /// What role the node has.
    pub fn role(&self, of: u64) -> Role {
        self.world.replica(node(of)).unwrap().view().soft_state.role
    }

    /// Lets this node do the next thing that it has to do, or takes the next message if there is none.
    pub fn advance(&mut self, at: u64) -> Result<(), Halt> {
        let delivery = || self.world.network().iter().next().map(|(message, _)| Event::Deliver { message });
        let event = self.next(node(at)).or_else(delivery).expect("there is something to do");
        self.try_apply(event).map(drop)
    }

    /// Lets this node do all it has to do.
    pub fn work(&mut self, at: u64) -> Result<(), Halt> {
        let node = node(at);
        while let Some(event) = self.next(node) {
            self.try_apply(event)?;
        }
        Ok(())
    }

    /// The next thing that this node has to do.
    fn next(&self, node: NodeId) -> Option<Event> {
        self.world.replica(node)?.to_do().next_event(node, 1)
    }

    /// Lets all nodes work and all messages arrive, until nothing is left to do.
    pub fn try_settle(&mut self) -> Result<(), Halt> {
        let nodes: Vec<u64> = self.world.replicas().map(|replica| replica.id().get()).collect();
        loop {
            for node in &nodes {
                self.work(*node)?;
            }
            let next = self.world.network().next_id();
            if self.delivered == next {
                return Ok(());
            }
            for message in self.delivered..next {
                let message = MessageId(message);
                if self.world.network().get(message).is_some() {
                    self.try_apply(Event::Deliver { message })?;
                }
            }
            self.delivered = next;
        }
    }

    pub fn settle(&mut self) {
        self.try_settle().unwrap();
    }

    /// Crashes a node that keeps only what is durable, and starts it again.
    pub fn crash_and_restart(&mut self, at: u64) {
        self.apply(Event::Crash { node: node(at), keep: Keep::Nothing });
        self.apply(Event::Restart { node: node(at), options: None, seed: Some(at) });
    }

    /// Cuts off a node in both directions.
    pub fn isolate(&mut self, at: u64) {
        for (from, to) in self.links(at) {
            self.apply(Event::Cut { from, to });
        }
    }

    /// Ends its isolation.
    pub fn heal(&mut self, at: u64) {
        for (from, to) in self.links(at) {
            self.apply(Event::HealLink { from, to });
        }
    }

    fn links(&self, at: u64) -> Vec<(NodeId, NodeId)> {
        let others = self.world.replicas().map(|replica| replica.id()).filter(|id| *id != node(at));
        others.flat_map(|other| [(node(at), other), (other, node(at))]).collect()
    }
}
