//! Clients: they write, read and compare, here and there, wait, send again and give up. Besides, data is proposed and
//! reads are asked for that nobody waits for, under other names and on other keys.

use bytes::Bytes;
use raft::NodeId;

use super::event_queue::EventQueue;
use super::intent::Intent;
use super::{any_node, leader};
use crate::history::{Command, Operation};
use crate::plan::{ClientPlan, Plan, TICK};
use crate::random::{Concern, Stream};
use crate::world::{Event, World};

/// The clients.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    plan: ClientPlan,
    stream: Stream,
    /// How many values were written. No two are the same.
    values: u64,
    /// The last command that was proposed as data in the name of each client.
    last: Vec<Command>,
    reads: u64,
    /// For each client the leader as it was when the client last looked.
    known: Vec<Option<NodeId>>,
}

impl Clients {
    pub(super) fn new(plan: &Plan) -> Self {
        let first = |client| Command { client, sequence: 0, key: 0, expected: None, value: Bytes::new() };
        let names = Command::CLIENTS / 2..Command::CLIENTS / 2 + plan.clients.clients;
        Self {
            plan: plan.clients.clone(),
            stream: Stream::new(plan.seed, Concern::Clients),
            values: 0,
            last: names.map(first).collect(),
            reads: 0,
            known: vec![None; plan.clients.clients as usize],
        }
    }

    /// So many events have happened already. None of them held more than one value, one command and one read, so what is counted
    /// on from there is new.
    pub(super) fn go_on_after(&mut self, events: u64) {
        (self.values, self.reads) = (events, events);
        self.last.iter_mut().for_each(|last| last.sequence = events);
    }

    pub(super) fn begin(&mut self, queue: &mut EventQueue) {
        for client in 0..self.plan.clients {
            self.pause(client, queue);
        }
    }

    fn pause(&mut self, client: u64, queue: &mut EventQueue) {
        queue.after(self.stream.between(1, 2 * self.plan.pause), Intent::Client(client));
    }

    /// What a client does next, if anything.
    pub(super) fn ask(&mut self, client: u64, world: &World, queue: &mut EventQueue) -> Option<Event> {
        self.pause(client, queue);
        let node = self.choose_node(client, world)?;
        // Others know the commands of the key-value store only.
        if !world.has_own_application() && self.stream.chance(self.plan.raw) {
            return self.ask_raw(client, node);
        }
        let clients = world.clients();
        if clients.under_way(client).is_none() || self.stream.chance(self.plan.gives_up) {
            let operation = match world.brought_client() {
                Some(brought) => brought.draw(client, &mut self.stream),
                None if world.has_own_application() => return None,
                None => self.operation(node, world),
            };
            return Some(Event::Invoke { client, node, operation });
        }
        let sends_again = !clients.may_be_answered(client) || self.stream.chance(self.plan.repeats);
        sends_again.then_some(Event::Retry { client, node })
    }

    fn choose_node(&mut self, client: u64, world: &World) -> Option<NodeId> {
        let anywhere = self.stream.chance(self.plan.anywhere);
        let known = if anywhere { None } else { self.known_leader(client, world) };
        known.or_else(|| any_node(world, &mut self.stream))
    }

    /// Who leads as far as this client knows: it does not look each time.
    fn known_leader(&mut self, client: u64, world: &World) -> Option<NodeId> {
        let known = self.known.get_mut(usize::try_from(client).ok()?)?;
        if self.plan.stays == 0 || known.is_none() || !self.stream.chance(self.plan.stays) {
            *known = leader(world);
        }
        *known
    }

    fn operation(&mut self, node: NodeId, world: &World) -> Operation {
        let key = self.stream.below(self.plan.keys);
        if self.stream.chance(self.plan.reads) {
            return Operation::Read { key };
        }
        let value = self.value();
        if !self.stream.chance(self.plan.compare_and_sets) {
            return Operation::Write { key, value };
        }
        // What the node holds now is often what it will hold then.
        let held = world.replica(node).and_then(|replica| replica.state_machine()?.value(key).cloned());
        Operation::CompareAndSet { key, expected: held.unwrap_or_default(), value }
    }

    /// Proposes data at this node, and goes on until so many entries were asked for.
    pub(super) fn flood(&mut self, node: NodeId, entries: u64, world: &World, queue: &mut EventQueue) -> Option<Event> {
        let left = entries.checked_sub(1).filter(|_| !world.has_own_application())?;
        queue.after(self.stream.between(1, TICK / 8), Intent::Flood(node, left));
        let client = self.stream.below(self.plan.clients);
        self.propose(client, node)
    }

    /// A value that nobody wrote before.
    fn value(&mut self) -> Bytes {
        self.values += 1;
        let mut value = self.values.to_string().into_bytes();
        let length = usize::try_from(self.stream.between(1, self.plan.value)).expect("values are short");
        value.resize(value.len().max(length), b'.');
        value.into()
    }

    fn ask_raw(&mut self, client: u64, node: NodeId) -> Option<Event> {
        if self.stream.chance(self.plan.reads) {
            self.reads += 1;
            let context = Bytes::from(format!("r{}", self.reads));
            return Some(Event::ReadIndex { node, context });
        }
        self.propose(client, node)
    }

    fn propose(&mut self, client: u64, node: NodeId) -> Option<Event> {
        let repeats = self.stream.chance(self.plan.repeats);
        let key = Command::KEYS / 2 + self.stream.below(Command::KEYS / 2);
        let value = self.value();
        let last = self.last.get_mut(usize::try_from(client).ok()?)?;
        if last.value.is_empty() || !repeats {
            *last = Command { sequence: last.sequence + 1, key, value, ..last.clone() };
        }
        Some(Event::Propose { node, data: last.encode() })
    }
}
