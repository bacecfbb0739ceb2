//! Clients: what they asked for, and what became of it.

use bytes::Bytes;
use raft::{Index, NodeId};

use super::super::command::{ClientCommand, Key};
use super::{Done, Environment, Reply, Trouble};
use crate::history::{self, Operation};
use crate::world::{ApplicationKind, Completion, Event, World};

/// Every request so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    requests: Vec<Request>,
    /// Lines about outcomes that have not been printed.
    outcomes: String,
}

/// A request: the one at position n has number n + 1.
#[derive(Clone, Debug)]
struct Request {
    /// The node that was asked last.
    node: NodeId,
    asked: Asked,
    /// Whether the outcome is not known yet.
    pending: bool,
}

#[derive(Clone, Debug)]
enum Asked {
    Write(history::Command),
    Read {
        key: Key,
        /// The index from which on the read can be answered, once the node knows it.
        index: Option<Index>,
    },
}

impl Clients {
    pub(super) fn take_outcomes(&mut self) -> String {
        std::mem::take(&mut self.outcomes)
    }

    /// Writes down what the checked clients are told.
    pub(super) fn told(&mut self, completed: &[Completion]) {
        for Completion { client, operation, answer, .. } in completed {
            self.outcomes += &format!("client {client}: {operation}: {answer}\n");
        }
    }

    fn ask(&mut self, node: NodeId, asked: Asked) -> usize {
        self.requests.push(Request { node, asked, pending: true });
        self.requests.len()
    }

    /// Looks whether an event has led to an outcome.
    pub(super) fn notice(&mut self, world: &World, event: &Event) {
        for (number, request) in (1..).zip(&mut self.requests).filter(|(_, request)| request.pending) {
            request.note_index(number, world, event);
            if let Some(outcome) = request.outcome(world) {
                request.pending = false;
                self.outcomes += &format!("#{number} {}: {outcome}\n", request.describe());
            }
        }
    }
}

impl Request {
    fn describe(&self) -> String {
        match &self.asked {
            Asked::Write(history::Command { key, value, .. }) => format!("write k{key}={}", value.escape_ascii()),
            Asked::Read { key: Key(key), .. } => format!("read k{key}"),
        }
    }

    /// A Ready may say from which index on the read can be answered.
    fn note_index(&mut self, number: usize, world: &World, event: &Event) {
        let Asked::Read { index, .. } = &mut self.asked else { return };
        if *event != (Event::TakeReady { node: self.node }) {
            return;
        }
        let answered = world.replica(self.node).and_then(|replica| replica.ready()).map(|ready| &ready.read_states);
        let state = answered.into_iter().flatten().find(|state| state.context == context(number));
        *index = index.or(state.map(|state| state.index));
    }

    fn outcome(&self, world: &World) -> Option<String> {
        let Some(machine) = world.replica(self.node).and_then(|replica| replica.state_machine()) else {
            return Some(format!("unknown, since node {} is down", self.node.get()));
        };
        match &self.asked {
            Asked::Write(command) => (machine.executed(command.client) >= command.sequence).then(|| "done".to_owned()),
            Asked::Read { key: Key(key), index } => {
                index.filter(|index| machine.applied().index >= *index)?;
                Some(machine.value(*key).map_or("never written".to_owned(), |value| value.escape_ascii().to_string()))
            }
        }
    }
}

/// The context of a read. Never used twice, since requests are counted.
fn context(number: usize) -> Bytes {
    format!("read {number}").into()
}

impl Environment {
    pub(super) fn client_command(&mut self, command: &ClientCommand) -> Done {
        match command {
            ClientCommand::Write { node, key: Key(key), value } => {
                // A client for each write, so that none overtakes another and makes it look like a repetition.
                let count = self.clients.requests.len() as u64;
                let (client, sequence) = (count % history::Command::CLIENTS, count / history::Command::CLIENTS + 1);
                let write = history::Command { client, sequence, key: *key, expected: None, value: value.clone() };
                self.expect_keys(*node)?;
                let number = self.clients.ask(*node, Asked::Write(write));
                self.propose(number)
            }
            ClientCommand::Retry { node, request } => {
                self.expect_keys(*node)?;
                let asked = request.checked_sub(1).and_then(|position| self.clients.requests.get_mut(position));
                match asked {
                    Some(again @ Request { asked: Asked::Write(_), .. }) => {
                        (again.node, again.pending) = (*node, true);
                        self.propose(*request)
                    }
                    Some(Request { asked: Asked::Read { .. }, .. }) | None => Err(Trouble::NoSuchWrite(*request)),
                }
            }
            ClientCommand::Checked { client, node, operation } => self.checked(*client, *node, operation.as_ref()),
            ClientCommand::BreakLeases => self.apply(&Event::BreakLeases).map(|_| Reply::default()),
            ClientCommand::SearchHistories => self.apply(&Event::SearchHistories).map(|_| Reply::default()),
            ClientCommand::Read { node, key } => {
                self.expect_keys(*node)?;
                let number = self.clients.ask(*node, Asked::Read { key: *key, index: None });
                self.apply(&Event::ReadIndex { node: *node, context: context(number) })?;
                Ok(format!("#{number} read k{} at {}\n", key.0, node.get()).into())
            }
        }
    }

    fn checked(&mut self, client: u64, node: NodeId, operation: Option<&Operation>) -> Done {
        self.expect_keys(node)?;
        let event = match operation {
            Some(operation) => Event::Invoke { client, node, operation: operation.clone() },
            None => Event::Retry { client, node },
        };
        self.apply(&event).map(|outcome| Reply::refused(outcome.refused))
    }

    /// Proposes a write where it is asked for now.
    fn propose(&mut self, number: usize) -> Done {
        let request = &self.clients.requests[number - 1];
        let (node, what) = (request.node, request.describe());
        let Asked::Write(command) = &request.asked else { return Err(Trouble::NoSuchWrite(number)) };
        let outcome = self.apply(&Event::Propose { node, data: command.encode() })?;
        let line = format!("#{number} {what} at {}", node.get());
        if let Some(refusal) = outcome.refused {
            self.clients.requests[number - 1].pending = false;
            return Ok(Reply::from(format!("{line}: {refusal}\n")));
        }
        Ok(Reply::from(line + "\n"))
    }

    fn expect_keys(&self, node: NodeId) -> Done<()> {
        match self.replica(node)?.options().application {
            ApplicationKind::KeyValue => self.raft_node(node).map(drop),
            ApplicationKind::Appender => Err(Trouble::NoKeys(node)),
        }
    }
}
