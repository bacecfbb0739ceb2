//! A small key-value store, whose clients number their commands so that each takes effect once, however often it is
//! proposed. Its size is bounded: clients and keys are few.

use bytes::Bytes;
use raft::{Index, NodeId};
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use crate::application::{Application, Request};
use crate::history::{Command, Text, TookEffect};
use crate::planted::{Bug, planted};
use crate::slots::slot;

/// What became of a client's command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// The entry holds none.
    NoCommand,
    /// It took effect.
    Executed(TookEffect),
    /// It, or a later command of its client, had taken effect before. This is the one that had.
    Repeated(TookEffect),
}

/// A store of a few keys and their values, written by [commands](Command). Its state: the newest command of each client, the
/// value of each key, and a hash of everything that ever took effect.
#[derive(Clone, Hash, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValue {
    history: u64,
    newest: Vec<TookEffect>,
    #[serde(with = "texts")]
    values: Vec<Bytes>,
}

impl KeyValue {
    /// The value of a key, if it was ever written.
    pub(super) fn get(&self, key: u64) -> Option<&Bytes> {
        self.values.get(usize::try_from(key).ok()?).filter(|value| !value.is_empty())
    }

    /// The highest number of a command of this client that took effect, zero where none did.
    pub(super) fn executed(&self, client: u64) -> u64 {
        let newest = usize::try_from(client).ok().and_then(|client| self.newest.get(client));
        newest.map_or(0, |newest| newest.sequence)
    }

    /// The first key, or else the first client, for which this state holds something else than another node's.
    pub(super) fn difference(&self, other: &Self, named: NodeId) -> Option<String> {
        let empty = Bytes::new();
        let of = |state: &Self, key: usize| Text(state.values.get(key).unwrap_or(&empty)).to_string();
        let key = (0..self.values.len().max(other.values.len())).find(|key| of(self, *key) != of(other, *key));
        if let Some(key) = key {
            return Some(format!("key k{key} is {}, and on node {named} it is {}", of(self, key), of(other, key)));
        }
        let newest = |state: &Self, client: usize| state.newest.get(client).copied().unwrap_or_default();
        let clients = self.newest.len().max(other.newest.len());
        if let Some(client) = (0..clients).find(|client| newest(self, *client) != newest(other, *client)) {
            let (one, other) = (newest(self, client), newest(other, client));
            return Some(format!(
                "the newest command of client {client} is number {} at {}, and on node {named} number {} at {}",
                one.sequence, one.index, other.sequence, other.index
            ));
        }
        let same = "all keys are the same as on node";
        (self.history != other.history).then(|| format!("{same} {named}, but earlier commands took effect differently"))
    }

    /// Applies the command of the entry at `index`, if it holds one.
    pub(super) fn apply(&mut self, index: Index, command: Option<&Command>) -> Effect {
        let effect = command.map_or(Effect::NoCommand, |command| self.execute(index, command));
        let mut history = Digest::new();
        history.word(self.history);
        history.word(index.0);
        match effect {
            Effect::NoCommand => {}
            Effect::Repeated(_) => history.word(1),
            Effect::Executed(TookEffect { sequence, succeeded, .. }) => {
                history.word(command.map_or(0, |command| command.client));
                history.word(sequence);
                history.word(u64::from(succeeded));
            }
        }
        self.history = history.get();
        effect
    }

    fn execute(&mut self, index: Index, command: &Command) -> Effect {
        let Command { client, sequence, key, expected, value } = command;
        let newest = slot(&mut self.newest, *client);
        if *sequence <= newest.sequence {
            return Effect::Repeated(*newest);
        }
        let held = slot(&mut self.values, *key);
        let succeeded = expected.as_ref().is_none_or(|expected| expected == held);
        *newest = TookEffect { sequence: *sequence, index, succeeded };
        if succeeded {
            held.clone_from(value);
        }
        Effect::Executed(*newest)
    }
}

/// Requests are commands without their front, such as `k5=green`, and questions are keys, such as `k5`.
impl Application for KeyValue {
    fn apply(&mut self, request: &Request<'_>) -> Bytes {
        let Request { index, client, sequence, data } = *request;
        let numbered = [format!("c{client}.{sequence} ").as_bytes(), data].concat();
        match self.apply(index, Command::parse(&numbered.into()).as_ref()) {
            Effect::NoCommand => "no command".into(),
            Effect::Executed(effect) | Effect::Repeated(effect) if effect.succeeded => "done".into(),
            Effect::Executed(_) | Effect::Repeated(_) => "not as expected".into(),
        }
    }

    fn query(&self, question: &[u8]) -> Bytes {
        let key = std::str::from_utf8(question).ok().and_then(|text| text.strip_prefix('k')?.parse().ok());
        key.and_then(|key| self.get(key)).cloned().unwrap_or_default()
    }

    fn snapshot(&self) -> Bytes {
        if planted(Bug::SnapshotWithoutSessions) && !self.newest.is_empty() {
            return Self { newest: Vec::new(), ..self.clone() }.snapshot();
        }
        serde_json::to_vec(self).expect("numbers and text always have a JSON form").into()
    }

    /// The state in a snapshot's data; the empty state where it is none.
    fn restore(&mut self, snapshot: &[u8]) {
        *self = serde_json::from_slice(snapshot).unwrap_or_default();
    }

    fn hash(&self) -> u64 {
        self.history
    }

    fn keeps_sessions(&self) -> bool {
        true
    }
}

/// Values in snapshots.
mod texts {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "crate::text")] Bytes);

    pub(super) fn serialize<S: Serializer>(values: &[Bytes], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().cloned().map(Text))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Bytes>, D::Error> {
        Ok(Vec::<Text>::deserialize(deserializer)?.into_iter().map(|Text(value)| value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(client: u64, sequence: u64, value: &'static str) -> Command {
        Command { client, sequence, key: 5, expected: None, value: Bytes::from_static(value.as_bytes()) }
    }

    #[test]
    fn a_repeated_or_overtaken_command_has_no_effect() {
        let mut state = KeyValue::default();
        let effect = TookEffect { sequence: 2, index: Index(1), succeeded: true };
        assert_eq!(state.apply(Index(1), Some(&write(1, 2, "new"))), Effect::Executed(effect));
        assert_eq!(state.apply(Index(2), Some(&write(1, 2, "again"))), Effect::Repeated(effect));
        assert_eq!(state.apply(Index(3), Some(&write(1, 1, "late"))), Effect::Repeated(effect));
        assert_eq!(state.get(5), Some(&Bytes::from("new")));
    }

    #[test]
    fn a_key_is_set_only_where_it_holds_what_is_expected() {
        let set = |sequence, expected: &'static str, value| Command {
            expected: Some(expected.into()),
            ..write(1, sequence, value)
        };
        let mut state = KeyValue::default();
        let cases = [("x", "a", false, ""), ("", "a", true, "a"), ("", "b", false, "a"), ("a", "b", true, "b")];
        for (sequence, (expected, value, succeeded, then)) in (1..).zip(cases) {
            let effect = TookEffect { sequence, index: Index(sequence), succeeded };
            assert_eq!(state.apply(Index(sequence), Some(&set(sequence, expected, value))), Effect::Executed(effect));
            assert_eq!(state.get(5).cloned().unwrap_or_default(), then);
        }
    }

    #[test]
    fn a_restored_state_goes_on_as_the_original() {
        let mut state = KeyValue::default();
        state.apply(Index(1), Some(&write(1, 1, "one")));
        let mut restored = KeyValue::default();
        restored.restore(&state.snapshot());
        assert_eq!(restored, state);
        let effect = TookEffect { sequence: 1, index: Index(1), succeeded: true };
        assert_eq!(restored.apply(Index(2), Some(&write(1, 1, "again"))), Effect::Repeated(effect));
        state.apply(Index(2), Some(&write(1, 1, "again")));
        assert_eq!(restored.hash(), state.hash());
    }

    #[test]
    fn it_is_an_application_like_any_other() {
        let mut state = KeyValue::default();
        let ask = |state: &mut KeyValue, sequence, data: &'static str| {
            let request = Request { index: Index(sequence), client: 1, sequence, data: &data.into() };
            Application::apply(state, &request)
        };
        assert_eq!(ask(&mut state, 1, "k5=one"), "done");
        assert_eq!(ask(&mut state, 1, "k5=two"), "done", "it is told what the first one did");
        assert_eq!(ask(&mut state, 2, "k5?3=twothree"), "not as expected");
        assert_eq!(ask(&mut state, 3, "nothing"), "no command");
        assert_eq!(
            (state.query(b"k5"), state.query(b"k6"), state.query(b"what")),
            ("one".into(), Bytes::new(), Bytes::new())
        );
    }

    #[test]
    fn states_that_differ_name_the_key_the_client_or_the_history() {
        let after = |commands: &[Command]| {
            let mut state = KeyValue::default();
            for (index, command) in (1..).zip(commands) {
                state.apply(Index(index), Some(command));
            }
            state
        };
        let two = NodeId::new(2).expect("not zero");
        let difference = |one: &[Command], other: &[Command]| after(one).difference(&after(other), two);
        let one = write(1, 1, "one");
        for (other, expected) in [
            (vec![one.clone()], None),
            (vec![write(1, 1, "two")], Some("key k5 is \"one\", and on node 2 it is \"two\"")),
            (
                vec![write(2, 1, "one")],
                Some("the newest command of client 1 is number 1 at 1, and on node 2 number 0 at 0"),
            ),
            (
                vec![one.clone(), one.clone()],
                Some("all keys are the same as on node 2, but earlier commands took effect differently"),
            ),
        ] {
            assert_eq!(difference(std::slice::from_ref(&one), &other).as_deref(), expected);
        }
    }

    #[test]
    fn the_hash_tells_different_histories_apart() {
        let hash = |commands: &[Option<Command>]| {
            let mut state = KeyValue::default();
            for (index, command) in (1..).zip(commands) {
                state.apply(Index(index), command.as_ref());
            }
            state.hash()
        };
        let histories = [
            vec![],
            vec![None],
            vec![None, None],
            vec![Some(write(1, 1, ""))],
            vec![Some(write(2, 1, ""))],
            vec![Some(write(1, 1, "")), None],
            vec![None, Some(write(1, 1, ""))],
        ];
        for (position, one) in histories.iter().enumerate() {
            for other in &histories[..position] {
                assert_ne!(hash(one), hash(other), "{one:?} and {other:?}");
            }
        }
    }
}
