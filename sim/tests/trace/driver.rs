//! A tiny driver for these tests: any event that fits, at random. It knows nothing of time, so it needs no plan.

use bytes::Bytes;
use raft::NodeId;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sim::disk::Keep;
use sim::driver::{Stop, apply};
use sim::history::Command;
use sim::trace::{Header, Trace};
use sim::world::{Boot, Event, MessageId, NodeOptions, World};

/// The node with this number.
pub fn node(number: u64) -> NodeId {
    NodeId::new(number).expect("nodes are counted from 1")
}

/// The events that start so many nodes with options of the usual kind.
pub fn starts(nodes: u64) -> Vec<Event> {
    let peers: Vec<NodeId> = (1..=nodes).map(node).collect();
    let start = |node: NodeId| Event::Start {
        node,
        boot: Boot::Peers(peers.clone()),
        options: NodeOptions { election_tick: 5, ..NodeOptions::default() },
        seed: Some(node.get()),
    };
    peers.iter().copied().map(start).collect()
}

/// A random run.
pub struct Random {
    pub world: World,
    pub events: Vec<Event>,
    rng: ChaCha8Rng,
    nodes: u64,
    /// Whether nodes crash.
    faults: bool,
    sequence: u64,
}

impl Random {
    pub fn new(seed: u64, nodes: u64, faults: bool) -> Self {
        let mut run = Self {
            world: World::new(),
            events: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            nodes,
            faults,
            sequence: 0,
        };
        for event in starts(nodes) {
            run.apply(event).expect("nodes start");
        }
        run
    }

    /// The trace of so many events, or of fewer where something breaks.
    pub fn trace(seed: u64, nodes: u64, faults: bool, steps: usize) -> Trace {
        let mut run = Self::new(seed, nodes, faults);
        run.steps(steps);
        Trace::record(Header::new(Some(seed)), &run.events)
    }

    /// Goes on to so many events.
    pub fn steps(&mut self, steps: usize) {
        while self.events.len() < steps {
            let event = self.choose();
            if let Err(Stop::Broken(_)) = self.apply(event) {
                return;
            }
        }
    }

    /// Records the event if it fits.
    pub fn apply(&mut self, event: Event) -> Result<(), Stop> {
        let applied = apply(&mut self.world, &event);
        if !matches!(applied, Err(Stop::Inapplicable(_))) {
            self.events.push(event);
        }
        applied.map(|_| ())
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn choose(&mut self) -> Event {
        let node = node(self.below(self.nodes) + 1);
        match self.below(1000) {
            0..200 => self.message(node),
            200..215 => Event::Tick { node },
            215..225 => self.propose(node),
            225..227 if self.faults => Event::Crash { node, keep: Keep::Prefix { bytes: 100 } },
            227..250 if self.faults => Event::Restart { node, options: None, seed: Some(7) },
            250..252 if self.faults => Event::Cut { from: node, to: self::node(node.get() % self.nodes + 1) },
            252..255 if self.faults => Event::HealLink { from: node, to: self::node(node.get() % self.nodes + 1) },
            _ => self.work(node),
        }
    }

    fn message(&mut self, otherwise: NodeId) -> Event {
        let in_flight = self.world.network().in_flight() as u64;
        if in_flight == 0 {
            return Event::Tick { node: otherwise };
        }
        let position = self.below(in_flight.min(8)) as usize;
        let message: MessageId = self.world.network().iter().nth(position).expect("it is in flight").0;
        if self.faults && self.below(20) == 0 { Event::Drop { message } } else { Event::Deliver { message } }
    }

    fn propose(&mut self, node: NodeId) -> Event {
        self.sequence += 1;
        let value = Bytes::from_static(b"value");
        Event::Propose {
            node,
            data: Command { client: 1, sequence: self.sequence, key: 1, expected: None, value }.encode(),
        }
    }

    fn work(&mut self, node: NodeId) -> Event {
        let to_do = self.world.replica(node).map(|replica| replica.to_do()).unwrap_or_default();
        to_do.next_event(node, 4).unwrap_or_else(|| self.message(node))
    }
}
