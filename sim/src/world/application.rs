//! The state machines of the replicas, to which entries are applied.

use bytes::Bytes;
use raft::{ConfState, Entry, EntryId, EntryKind, Index, NodeId, Snapshot};

use super::digest::Digest;
use super::key_value::{Effect, KeyValue};
use super::options::ApplicationKind;
use crate::history::Command;

/// A node's application: how far it has applied, and its state.
#[derive(Clone, Hash, Debug)]
pub struct Application {
    applied: EntryId,
    conf_state: ConfState,
    state: State,
}

#[derive(Clone, Hash, Debug)]
enum State {
    Appender(Vec<u8>),
    KeyValue(KeyValue),
}

impl Application {
    /// An application in the state that a snapshot holds; the snapshot without data holds the empty state.
    pub(super) fn restore(kind: ApplicationKind, snapshot: &Snapshot) -> Self {
        let state = match kind {
            ApplicationKind::Appender => State::Appender(snapshot.data.to_vec()),
            ApplicationKind::KeyValue => State::KeyValue(KeyValue::restore(&snapshot.data)),
        };
        Self { applied: snapshot.id, conf_state: snapshot.conf_state.clone(), state }
    }

    /// The last entry that was applied.
    pub const fn applied(&self) -> EntryId {
        self.applied
    }

    /// The membership after that entry.
    pub const fn conf_state(&self) -> &ConfState {
        &self.conf_state
    }

    /// What kind of application it is.
    pub const fn kind(&self) -> ApplicationKind {
        match self.state {
            State::Appender(_) => ApplicationKind::Appender,
            State::KeyValue(_) => ApplicationKind::KeyValue,
        }
    }

    /// The value of a key, if it was ever written. An appender has no keys.
    pub fn value(&self, key: u64) -> Option<&Bytes> {
        match &self.state {
            State::Appender(_) => None,
            State::KeyValue(state) => state.get(key),
        }
    }

    /// The highest number of a command of this client that took effect, zero where none did. An appender has no clients.
    pub fn executed(&self, client: u64) -> u64 {
        match &self.state {
            State::Appender(_) => 0,
            State::KeyValue(state) => state.executed(client),
        }
    }

    /// A hash of the state, the same on every node that applied the same entries.
    pub fn hash(&self) -> u64 {
        match &self.state {
            State::Appender(data) => {
                let mut digest = Digest::new();
                digest.value(data);
                digest.get()
            }
            State::KeyValue(state) => state.hash(),
        }
    }

    /// The state as a snapshot.
    pub fn snapshot(&self) -> Snapshot {
        let data = match &self.state {
            State::Appender(data) => Bytes::copy_from_slice(data),
            State::KeyValue(state) => state.snapshot(),
        };
        Snapshot { id: self.applied, conf_state: self.conf_state.clone(), data }
    }

    /// Applies the entries of a log that follow what it has applied, up to `last`, where they are all there.
    fn after<'a>(&self, entries: impl Iterator<Item = &'a Entry>, last: Index) -> Option<Self> {
        let mut later = self.clone();
        for entry in entries.filter(|entry| entry.index > self.applied.index && entry.index <= last) {
            if entry.index != later.applied.index.next() {
                return None;
            }
            let command = later.command(entry);
            later.apply(entry, command.as_ref());
        }
        (later.applied.index == last).then_some(later)
    }

    /// How this state differs from `other`, the state of the node `named`. They are comparable if both have applied as
    /// much, or if the one that has applied less gets there by the entries that the other's log holds. `None` where
    /// they are the same, or not comparable.
    pub(super) fn difference<'a>(
        &self,
        other: &Self,
        named: NodeId,
        own_log: impl Iterator<Item = &'a Entry>,
        other_log: impl Iterator<Item = &'a Entry>,
    ) -> Option<String> {
        let (own_end, other_end) = (self.applied.index, other.applied.index);
        let (one, other) = match own_end < other_end {
            true => (self.after(other_log, other_end)?, other.clone()),
            false => (self.clone(), other.after(own_log, own_end)?),
        };
        let at = one.applied.index;
        match (&one.state, &other.state) {
            (State::Appender(one), State::Appender(other)) if one != other => {
                let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
                Some(format!("after {at}, its data differs from that of node {named} from byte {same} on"))
            }
            (State::KeyValue(one), State::KeyValue(other)) => {
                Some(format!("after {at}, {}", one.difference(other, named)?))
            }
            (State::Appender(_) | State::KeyValue(_), _) => None,
        }
    }

    /// Whether it records a durable snapshot after every entry.
    pub(super) const fn records_snapshots(&self) -> bool {
        match self.state {
            State::Appender(_) => true,
            State::KeyValue(_) => false,
        }
    }

    /// Applies the next entry. The membership that it leads to, if it does, is set first with
    /// [`set_conf_state`](Self::set_conf_state).
    pub(super) fn apply(&mut self, entry: &Entry, command: Option<&Command>) -> Effect {
        self.applied = entry.id();
        match &mut self.state {
            State::Appender(state) => {
                if entry.kind == EntryKind::Normal {
                    state.extend_from_slice(&entry.data);
                }
                Effect::NoCommand
            }
            State::KeyValue(state) => state.apply(entry.index, command),
        }
    }

    /// The client's command that an entry holds, if it holds one and the application obeys commands.
    pub(super) fn command(&self, entry: &Entry) -> Option<Command> {
        match self.kind() {
            ApplicationKind::KeyValue if entry.kind == EntryKind::Normal => Command::parse(&entry.data),
            ApplicationKind::KeyValue | ApplicationKind::Appender => None,
        }
    }

    pub(super) fn set_conf_state(&mut self, conf_state: ConfState) {
        self.conf_state = conf_state;
    }
}
