//! What clients ask for, and are answered once the node they asked knows.

use bytes::Bytes;
use raft::NodeId;

use super::super::arguments::{Arguments, Meaning, Wanted};
use super::super::error::ScriptError;
use super::{Command, Syntax, node};
use crate::world;

/// A client's request. Each is numbered, counting from 1; its outcome is printed when it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCommand {
    /// `write`: a key gets a value.
    Write {
        /// Whom the client asks.
        node: NodeId,
        /// Which key.
        key: Key,
        /// The value.
        value: Bytes,
    },
    /// `retry`: an earlier write is asked for again, perhaps of another node. It takes effect at most once.
    Retry {
        /// Whom the client asks.
        node: NodeId,
        /// The number of the write.
        request: usize,
    },
    /// `read`: the value of a key.
    Read {
        /// Whom the client asks.
        node: NodeId,
        /// Which key.
        key: Key,
    },
}

/// A key of the store, written `k0` to `k15`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub u64);

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("read", |arguments| {
        Ok(Command::Client(ClientCommand::Read { node: node(arguments)?, key: arguments.required("a key")? }))
    }),
    Syntax::new("retry", |arguments| {
        let (node, request) = (node(arguments)?, arguments.required("the number of a write")?);
        Ok(Command::Client(ClientCommand::Retry { node, request }))
    }),
    Syntax::new("write", |arguments| {
        let node = node(arguments)?;
        let pair =
            arguments.pair().ok_or_else(|| arguments.error("\"write\" needs what to write, such as k1=green"))?;
        let (key, value) = (key(arguments, &pair.0)?, Bytes::from(pair.1));
        Ok(Command::Client(ClientCommand::Write { node, key, value }))
    }),
];

/// A key that stands before an equals sign.
pub(super) fn key(arguments: &Arguments<'_>, word: &str) -> Result<Key, ScriptError> {
    Key::from_word(word).map_err(|_| arguments.error(format!("\"{word}\" is not {KEYS}")))
}

const KEYS: &str = "a key, k0 to k15";

impl Meaning for Key {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let number = word.strip_prefix('k').and_then(|number| number.parse().ok());
        number.filter(|number| *number < world::Command::KEYS).map(Self).ok_or(Wanted::Kind(KEYS))
    }
}
