//! What the log is about: a map, the commands that change it, and what has to be remembered beside it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use raft::{ChangeKind, ConfChangeV2, ConfState, Index, NodeId};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::addresses::Addresses;

/// What a node proposes for a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Command {
    /// Whose it is.
    pub client: u64,
    /// The client's number for it. It takes effect once, however often it is in the log.
    pub number: u64,
    /// The key to change.
    pub key: String,
    /// When it changes the key.
    pub condition: Condition,
    /// The new value.
    pub value: String,
}

impl Command {
    pub fn encode(&self) -> Result<Bytes, Error> {
        Ok(serde_json::to_vec(self)?.into())
    }
}

/// When a command changes the key. (No `Option` in an `Option`: JSON has one `null` for both.)
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Condition {
    /// Always.
    Always,
    /// If the key holds this, or nothing.
    Holds(Option<String>),
}

/// What came of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// The key was set.
    Set,
    /// It held something else than expected.
    Differs,
    /// A later command of the same client took effect before.
    Late,
}

/// The state that all nodes agree on, after the entry at `applied`.
#[derive(Default)]
pub struct Machine {
    pub applied: Index,
    pub members: ConfState,
    state: State,
}

/// What a snapshot holds.
#[derive(Default, Serialize, Deserialize)]
struct State {
    map: BTreeMap<String, String>,
    /// The newest command of each client.
    sessions: BTreeMap<u64, Session>,
    /// Where members are.
    addresses: BTreeMap<u64, String>,
    /// Who was a member and never will be again.
    removed: BTreeSet<u64>,
}

#[derive(Serialize, Deserialize)]
struct Session {
    number: u64,
    outcome: Outcome,
    /// The entry that held it.
    index: u64,
}

impl Machine {
    /// So many clients are remembered. One that sends a command again after so many others wrote may see it done twice.
    const SESSIONS: usize = 10_000;

    /// Applies the entry at `index`. Data that is no command changes nothing, on any node.
    pub fn apply(&mut self, index: Index, data: &[u8]) -> Option<Outcome> {
        let command: Command = serde_json::from_slice(data).ok()?;
        let state = &mut self.state;
        match state.sessions.get(&command.client) {
            Some(session) if session.number == command.number => return Some(session.outcome),
            Some(session) if session.number > command.number => return Some(Outcome::Late),
            _ => {}
        }
        let differs = match &command.condition {
            Condition::Always => false,
            Condition::Holds(expected) => expected.as_ref() != state.map.get(&command.key),
        };
        let outcome = if differs { Outcome::Differs } else { Outcome::Set };
        if !differs {
            state.map.insert(command.key, command.value);
        }
        state.sessions.insert(command.client, Session { number: command.number, outcome, index: index.0 });
        if state.sessions.len() > Self::SESSIONS {
            let oldest = state.sessions.iter().min_by_key(|(_, session)| session.index).map(|(client, _)| *client);
            oldest.map(|client| state.sessions.remove(&client));
        }
        Some(outcome)
    }

    /// Takes note of a membership change that was applied, with the membership behind it.
    pub fn change(&mut self, change: &ConfChangeV2, members: ConfState, addresses: &Addresses) {
        self.members = members;
        for (kind, id) in change.changes.iter().filter_map(|change| Some((change.kind, change.node?))) {
            match kind {
                ChangeKind::Remove => {
                    self.state.addresses.remove(&id.get());
                    self.state.removed.insert(id.get());
                }
                _ => {
                    let address = String::from_utf8_lossy(&change.context).into_owned();
                    addresses.learn(id, &address);
                    self.state.addresses.insert(id.get(), address);
                }
            }
        }
    }

    pub fn get(&self, key: &str) -> Option<String> {
        self.state.map.get(key).cloned()
    }

    /// Where the members are.
    pub fn addresses(&self) -> &BTreeMap<u64, String> {
        &self.state.addresses
    }

    /// Whether it was a member and was removed. Nobody listens to it any more.
    pub fn was_removed(&self, id: NodeId) -> bool {
        self.state.removed.contains(&id.get())
    }

    /// The state as the bytes of a snapshot.
    pub fn encode(&self) -> Result<Bytes, Error> {
        Ok(serde_json::to_vec(&self.state)?.into())
    }

    /// The state that a snapshot holds.
    pub fn restore(snapshot: &raft::Snapshot, addresses: &Addresses) -> Result<Self, Error> {
        let state = match snapshot.data.as_ref() {
            // A log that has just begun.
            [] => State::default(),
            data => serde_json::from_slice(data)?,
        };
        for (id, address) in &state.addresses {
            if let Some(id) = NodeId::new(*id) {
                addresses.learn(id, address);
            }
        }
        Ok(Self { applied: snapshot.id.index, members: snapshot.conf_state.clone(), state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(machine: &mut Machine, number: u64, condition: Condition, value: &str) -> Option<Outcome> {
        let command = Command { client: 1, number, key: "colour".to_string(), condition, value: value.to_string() };
        machine.apply(Index(number), &command.encode().unwrap())
    }

    #[test]
    fn a_condition_holds_or_not_also_where_there_is_nothing() {
        let mut machine = Machine::default();
        let holds = |expected: Option<&str>| Condition::Holds(expected.map(str::to_string));
        assert_eq!(apply(&mut machine, 1, holds(None), "blue"), Some(Outcome::Set));
        assert_eq!(apply(&mut machine, 2, holds(None), "green"), Some(Outcome::Differs));
        assert_eq!(apply(&mut machine, 3, holds(Some("blue")), "red"), Some(Outcome::Set));
        assert_eq!(apply(&mut machine, 4, holds(Some("blue")), "grey"), Some(Outcome::Differs));
        assert_eq!(apply(&mut machine, 5, Condition::Always, "white"), Some(Outcome::Set));
        assert_eq!(machine.get("colour").as_deref(), Some("white"));
    }

    #[test]
    fn a_command_takes_effect_once_and_not_after_a_later_one() {
        let mut machine = Machine::default();
        let holds = |expected: Option<&str>| Condition::Holds(expected.map(str::to_string));
        assert_eq!(apply(&mut machine, 5, holds(None), "blue"), Some(Outcome::Set));
        assert_eq!(
            apply(&mut machine, 5, holds(None), "blue"),
            Some(Outcome::Set),
            "the answer is that of the first time"
        );
        assert_eq!(apply(&mut machine, 4, Condition::Always, "green"), Some(Outcome::Late));
        assert_eq!(machine.get("colour").as_deref(), Some("blue"));
        let snapshot = raft::Snapshot { data: machine.encode().unwrap(), ..raft::Snapshot::default() };
        let mut restored = Machine::restore(&snapshot, &Addresses::default()).unwrap();
        assert_eq!(apply(&mut restored, 5, holds(None), "blue"), Some(Outcome::Set), "a snapshot remembers it");
    }

    #[test]
    fn data_that_is_no_command_changes_nothing() {
        let mut machine = Machine::default();
        assert_eq!(machine.apply(Index(1), b"garbage"), None);
        assert_eq!(machine.apply(Index(2), b""), None);
    }
}
