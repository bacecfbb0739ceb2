//! What entries are applied to: the state machines of the replicas, each around an application.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use raft::{ConfState, Entry, EntryId, EntryKind, Index, NodeId, Snapshot};

use super::appender::Appender;
use super::hosted::{Handled, Hosted};
use super::key_value::{Effect, KeyValue};
use super::options::ApplicationKind;
use super::setup::Setup;
use crate::application::Application;
use crate::history::{Command, Operation, Submission};

/// A node's state machine: its application, and how far that has come.
#[derive(Clone, Hash, Debug)]
pub struct StateMachine {
    applied: EntryId,
    conf_state: Arc<ConfState>,
    state: State,
}

#[derive(Clone, Hash, Debug)]
enum State {
    Appender(Appender),
    KeyValue(KeyValue),
    /// What a user has brought.
    Hosted(Box<Hosted>),
}

impl StateMachine {
    /// An application in the state that a snapshot holds; the snapshot without data holds the empty state.
    pub(super) fn restore(kind: ApplicationKind, setup: &Setup, snapshot: &Snapshot) -> Self {
        let state = match (kind, &setup.application) {
            (ApplicationKind::Appender, _) => State::Appender(Appender::default()),
            (ApplicationKind::KeyValue, None) => State::KeyValue(KeyValue::default()),
            (ApplicationKind::KeyValue, Some(initial)) => State::Hosted(Box::new(Hosted::restore(initial, b""))),
        };
        Self { applied: EntryId::ZERO, conf_state: Arc::default(), state }.restored(snapshot)
    }

    /// The same application in the state that a snapshot holds.
    pub(super) fn restored(&self, snapshot: &Snapshot) -> Self {
        let state = match &self.state {
            State::Appender(_) => State::Appender(restored(Appender::default(), &snapshot.data)),
            State::KeyValue(_) => State::KeyValue(restored(KeyValue::default(), &snapshot.data)),
            State::Hosted(hosted) => State::Hosted(Box::new(hosted.restored(&snapshot.data))),
        };
        Self { applied: snapshot.id, conf_state: snapshot.conf_state.clone().into(), state }
    }

    /// The last entry that was applied.
    pub const fn applied(&self) -> EntryId {
        self.applied
    }

    /// The membership after that entry.
    pub fn conf_state(&self) -> &ConfState {
        &self.conf_state
    }

    /// The application, to be looked into as the type that it is.
    ///
    /// ```
    /// use sim::world::{KeyValue, World};
    /// let world = World::new();
    /// assert!(world.replicas().filter_map(|replica| replica.state_machine()?.application::<KeyValue>()).next().is_none());
    /// ```
    pub fn application<A: Application>(&self) -> Option<&A> {
        let application: &dyn Any = self.any_application();
        application.downcast_ref()
    }

    /// The application, whatever it is.
    pub fn any_application(&self) -> &dyn Application {
        match &self.state {
            State::Appender(state) => state,
            State::KeyValue(state) => state,
            State::Hosted(hosted) => hosted.application(),
        }
    }

    /// Whether it takes this operation of a client.
    pub(super) const fn takes(&self, operation: &Operation) -> bool {
        match self.state {
            State::Appender(_) => false,
            State::KeyValue(_) => operation.key().is_some(),
            State::Hosted(_) => operation.key().is_none(),
        }
    }

    /// The value of a key, if it was ever written. Only the key-value store has keys.
    pub fn value(&self, key: u64) -> Option<&Bytes> {
        match &self.state {
            State::Appender(_) | State::Hosted(_) => None,
            State::KeyValue(state) => state.get(key),
        }
    }

    /// The highest number of a command of this client that took effect, zero where none did. Only the key-value store
    /// says so.
    pub fn executed(&self, client: u64) -> u64 {
        match &self.state {
            State::Appender(_) | State::Hosted(_) => 0,
            State::KeyValue(state) => state.executed(client),
        }
    }

    /// A hash of the state, the same on every node that applied the same entries.
    pub fn hash(&self) -> u64 {
        match &self.state {
            State::Appender(state) => state.hash(),
            State::KeyValue(state) => state.hash(),
            State::Hosted(hosted) => hosted.hash(),
        }
    }

    /// The state as a snapshot.
    pub fn snapshot(&self) -> Snapshot {
        let data = match &self.state {
            State::Appender(state) => state.snapshot(),
            State::KeyValue(state) => state.snapshot(),
            State::Hosted(hosted) => hosted.snapshot(),
        };
        Snapshot { id: self.applied, conf_state: (*self.conf_state).clone(), data }
    }

    /// Applies the entries of a log that follow what it has applied, up to `last`, where they are all there.
    fn after<'a>(&self, entries: impl Iterator<Item = &'a Entry>, last: Index) -> Option<Self> {
        let mut later = self.clone();
        for entry in entries.filter(|entry| entry.index > self.applied.index && entry.index <= last) {
            if entry.index != later.applied.index.next() {
                return None;
            }
            match later.submission(entry) {
                Some(submission) => drop(later.handle(entry, &submission)),
                None => {
                    let command = later.command(entry);
                    later.apply(entry, command.as_ref());
                }
            }
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
            (State::Appender(one), State::Appender(other)) => {
                let same = one.difference(other)?;
                Some(format!("after {at}, its data differs from that of node {named} from byte {same} on"))
            }
            (State::KeyValue(one), State::KeyValue(other)) => {
                Some(format!("after {at}, {}", one.difference(other, named)?))
            }
            (State::Hosted(one), State::Hosted(other)) if one.hash() != other.hash() => {
                let [one, other] = [one, other].map(|state| state.application().snapshot());
                let [one, other] = [&one, &other].map(|state| String::from_utf8_lossy(state));
                Some(format!("after {at}, it holds {one:?}, and node {named} holds {other:?}"))
            }
            (State::Appender(_) | State::KeyValue(_) | State::Hosted(_), _) => None,
        }
    }

    /// Whether it records a durable snapshot after every entry.
    pub(super) const fn records_snapshots(&self) -> bool {
        match self.state {
            State::Appender(_) => true,
            State::KeyValue(_) | State::Hosted(_) => false,
        }
    }

    /// Applies the next entry. The membership that it leads to, if it does, is set first with
    /// [`set_conf_state`](Self::set_conf_state).
    pub(super) fn apply(&mut self, entry: &Entry, command: Option<&Command>) -> Effect {
        self.applied = entry.id();
        match &mut self.state {
            State::Appender(state) => {
                if entry.kind == EntryKind::Normal {
                    state.append(&entry.data);
                }
                Effect::NoCommand
            }
            State::KeyValue(state) => state.apply(entry.index, command),
            State::Hosted(_) => Effect::NoCommand,
        }
    }

    /// Applies the next entry to a user's application: one with this request.
    pub(super) fn handle(&mut self, entry: &Entry, submission: &Submission) -> Option<Handled> {
        self.applied = entry.id();
        match &mut self.state {
            State::Appender(_) | State::KeyValue(_) => None,
            State::Hosted(hosted) => Some(hosted.apply(entry.index, submission)),
        }
    }

    /// The request that an entry holds, if it holds one and the application is a user's.
    pub(super) fn submission(&self, entry: &Entry) -> Option<Submission> {
        let is_one = matches!(self.state, State::Hosted(_)) && entry.kind == EntryKind::Normal;
        is_one.then(|| Submission::parse(&entry.data)).flatten()
    }

    /// The client's command that an entry holds, if it holds one and the application obeys commands.
    pub(super) fn command(&self, entry: &Entry) -> Option<Command> {
        match self.state {
            State::KeyValue(_) if entry.kind == EntryKind::Normal => Command::parse(&entry.data),
            State::Appender(_) | State::KeyValue(_) | State::Hosted(_) => None,
        }
    }

    pub(super) fn set_conf_state(&mut self, conf_state: ConfState) {
        self.conf_state = conf_state.into();
    }
}

fn restored<A: Application>(mut application: A, data: &[u8]) -> A {
    application.restore(data);
    application
}
