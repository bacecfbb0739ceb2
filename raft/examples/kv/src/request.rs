//! What clients and nodes say to each other: JSON, one request and one reply at a time on a connection.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A request. Client and number name it, so that a write which is sent again takes effect once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Who asks.
    pub client: u64,
    /// The client's number for it, counting up. A request that is sent again keeps its number.
    pub number: u64,
    /// What it asks.
    pub ask: Ask,
}

/// What a client can ask for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Ask {
    /// The key shall hold the value.
    Put {
        /// Which key.
        key: String,
        /// What it shall hold.
        value: String,
    },
    /// The key shall hold the value if it holds what is expected.
    CompareAndSet {
        /// Which key.
        key: String,
        /// What it has to hold: nothing, for a key that was never put.
        expected: Option<String>,
        /// What it shall hold.
        value: String,
    },
    /// What does the key hold? Any node answers, with the newest value.
    Get {
        /// Which key.
        key: String,
    },
    /// The node shall be a member, and is reached there.
    Add {
        /// Its number.
        node: u64,
        /// `HOST:PORT`.
        address: String,
    },
    /// The node shall be no member, for good.
    Remove {
        /// Its number.
        node: u64,
    },
    /// What does the node that is asked say of itself?
    Status,
}

/// What a client is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// It took effect.
    Done,
    /// Whether the key held what was expected, and so was set.
    Compared(bool),
    /// The key holds this.
    Value(Option<String>),
    /// The node's state.
    Status(Status),
    /// Another node leads, and nothing came of it here.
    AskLeader {
        /// Who.
        node: u64,
        /// Where it is, if that is known.
        address: Option<String>,
    },
    /// Not now, and why: asked again, here or elsewhere, it may succeed. It may also have taken effect.
    AskAgain(String),
    /// Never, and why.
    Refused(String),
}

/// What a node says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its number.
    pub node: u64,
    /// `leads`, `follows` or `campaigns`.
    pub role: String,
    /// Its term.
    pub term: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<u64>,
    /// Up to where its log is committed.
    pub commit: u64,
    /// Up to where it has applied its log.
    pub applied: u64,
    /// The members, and where they are.
    pub members: BTreeMap<u64, String>,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, role, term, commit, applied, members, .. } = self;
        write!(f, "node {node} {role} in term {term}, committed {commit}, applied {applied}, members")?;
        for (index, (id, address)) in members.iter().enumerate() {
            write!(f, "{} {id}", if index == 0 { "" } else { "," })?;
            if !address.is_empty() {
                write!(f, " at {address}")?;
            }
        }
        Ok(())
    }
}
