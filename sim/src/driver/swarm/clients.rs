//! Clients: they write and read, here and there, and repeat themselves.

use bytes::Bytes;
use raft::NodeId;

use super::agenda::{Agenda, Intent};
use super::{any_node, leader};
use crate::plan::{ClientPlan, Plan};
use crate::random::{Concern, Stream};
use crate::world::{Command, Event, World};

/// The clients.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    plan: ClientPlan,
    stream: Stream,
    /// What each client wrote last.
    last: Vec<Command>,
    reads: u64,
}

impl Clients {
    pub(super) fn new(plan: &Plan) -> Self {
        let first = |client| Command { client, sequence: 0, key: 0, expected: None, value: Bytes::new() };
        Self {
            plan: plan.clients.clone(),
            stream: Stream::new(plan.seed, Concern::Clients),
            last: (0..plan.clients.clients).map(first).collect(),
            reads: 0,
        }
    }

    pub(super) fn begin(&mut self, agenda: &mut Agenda) {
        for client in 0..self.plan.clients {
            self.pause(client, agenda);
        }
    }

    fn pause(&mut self, client: u64, agenda: &mut Agenda) {
        agenda.after(self.stream.between(1, 2 * self.plan.pause), Intent::Client(client));
    }

    /// The next request of a client, if there is anybody to ask.
    pub(super) fn ask(&mut self, client: u64, world: &World, agenda: &mut Agenda) -> Option<Event> {
        self.pause(client, agenda);
        let node = self.choose_node(world)?;
        if self.stream.chance(self.plan.reads) {
            self.reads += 1;
            let context = Bytes::from(format!("r{}", self.reads));
            return Some(Event::ReadIndex { node, context });
        }
        let data = self.next_write(client)?;
        Some(Event::Propose { node, data })
    }

    fn choose_node(&mut self, world: &World) -> Option<NodeId> {
        let anywhere = self.stream.chance(self.plan.anywhere);
        let known = if anywhere { None } else { leader(world) };
        known.or_else(|| any_node(world, &mut self.stream))
    }

    fn next_write(&mut self, client: u64) -> Option<Bytes> {
        let last = self.last.get_mut(usize::try_from(client).ok()?)?;
        if last.sequence == 0 || !self.stream.chance(self.plan.repeats) {
            last.sequence += 1;
            last.key = self.stream.below(Command::KEYS);
            let mut value = format!("{client}.{}", last.sequence).into_bytes();
            let length = self.stream.between(1, self.plan.value);
            value.resize(value.len().max(usize::try_from(length).ok()?), b'.');
            last.value = value.into();
        }
        Some(last.encode())
    }
}
