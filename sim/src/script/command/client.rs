//! What clients ask for. They are answered once the node that they asked knows the answer.

use bytes::Bytes;
use raft::NodeId;

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::meaning::{Meaning, Wanted, choose};
use super::{Command, Syntax, node};
use crate::history::{self, Operation};

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
    /// `client`: a client whose answers are checked begins an operation, or sends the one under way again.
    Checked {
        /// Its number.
        client: u64,
        /// Whom it asks.
        node: NodeId,
        /// What it asks; nothing where it asks again.
        operation: Option<Operation>,
    },
    /// `break-leases`: from now on reads that a lease serves may be stale.
    BreakLeases,
    /// `search-histories`: there must be an order of operations that explains the answers of the checked clients.
    SearchHistories,
}

/// A key of the store, written `k0` to `k15`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub u64);

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("break-leases", |_| Ok(Command::Client(ClientCommand::BreakLeases))),
    Syntax::new("client", |arguments| checked(arguments).map(Command::Client)),
    Syntax::new("search-histories", |_| Ok(Command::Client(ClientCommand::SearchHistories))),
    Syntax::new("read", |arguments| {
        Ok(Command::Client(ClientCommand::Read { node: node(arguments)?, key: arguments.required("a key")? }))
    }),
    Syntax::new("retry", |arguments| {
        let (node, request) = (node(arguments)?, arguments.required("the number of a write")?);
        Ok(Command::Client(ClientCommand::Retry { node, request }))
    }),
    Syntax::new("write", |arguments| {
        let node = node(arguments)?;
        let (key, value) = pair(arguments)?;
        Ok(Command::Client(ClientCommand::Write { node, key, value }))
    }),
];

/// What a client whose answers are checked asks: `client 3 write 1 k1=green`.
fn checked(arguments: &mut Arguments<'_>) -> Result<ClientCommand, ScriptError> {
    let client = arguments.required("the number of a client")?;
    let Asks(asks) = arguments.required("write, set, read, request, query or retry")?;
    let node = node(arguments)?;
    let operation = match asks {
        Ask::Write => {
            let (Key(key), value) = pair(arguments)?;
            Some(Operation::Write { key, value })
        }
        Ask::Set => {
            let expected = arguments.required_value::<String>("expecting")?.into();
            let (Key(key), value) = pair(arguments)?;
            Some(Operation::CompareAndSet { key, expected, value })
        }
        Ask::Read => {
            let Key(key) = arguments.required("a key")?;
            Some(Operation::Read { key })
        }
        Ask::Request => Some(Operation::Request { data: arguments.required::<String>("a request")?.into() }),
        Ask::Query => Some(Operation::Query { data: arguments.required::<String>("a question")?.into() }),
        Ask::Retry => None,
    };
    Ok(ClientCommand::Checked { client, node, operation })
}

#[derive(Clone, Copy)]
enum Ask {
    Write,
    Set,
    Read,
    Request,
    Query,
    Retry,
}

struct Asks(Ask);

impl Meaning for Asks {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let all = [Ask::Write, Ask::Set, Ask::Read, Ask::Request, Ask::Query, Ask::Retry];
        choose(word, &["write", "set", "read", "request", "query", "retry"]).map(|ask| Self(all[ask]))
    }
}

fn pair(arguments: &mut Arguments<'_>) -> Result<(Key, Bytes), ScriptError> {
    let name = arguments.name().to_owned();
    let pair = arguments.pair();
    let (word, value) =
        pair.ok_or_else(|| arguments.error(format!("\"{name}\" needs what to write, such as k1=green")))?;
    Ok((key(arguments, &word)?, Bytes::from(value)))
}

/// A key that stands before an equals sign.
pub(super) fn key(arguments: &Arguments<'_>, word: &str) -> Result<Key, ScriptError> {
    Key::from_word(word).map_err(|_| arguments.error(format!("\"{word}\" is not {KEYS}")))
}

const KEYS: &str = "a key, k0 to k15";

impl Meaning for Key {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let number = word.strip_prefix('k').and_then(|number| number.parse().ok());
        number.filter(|number| *number < history::Command::KEYS).map(Self).ok_or(Wanted::Kind(KEYS))
    }
}
