//! What a client asks, what it is told, and what is known of an operation in between.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a client asks of the key-value store, where a key that was never written holds the empty value; or of a user's own
/// application.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Operation {
    /// The key shall hold the value.
    Write {
        /// Which key.
        #[serde(with = "crate::number")]
        key: u64,
        /// What it shall hold.
        #[serde(with = "crate::text")]
        value: Bytes,
    },
    /// What does the key hold?
    Read {
        /// Which key.
        #[serde(with = "crate::number")]
        key: u64,
    },
    /// The key shall hold the value if it holds what is expected; else nothing shall change.
    CompareAndSet {
        /// Which key.
        #[serde(with = "crate::number")]
        key: u64,
        /// What it has to hold.
        #[serde(with = "crate::text")]
        expected: Bytes,
        /// What it shall hold.
        #[serde(with = "crate::text")]
        value: Bytes,
    },
    /// A user's [application](crate::application) shall apply this.
    Request {
        /// What is asked.
        #[serde(with = "crate::text")]
        data: Bytes,
    },
    /// What does a user's application answer to this? It changes nothing.
    Query {
        /// What is asked.
        #[serde(with = "crate::text")]
        data: Bytes,
    },
}

impl Operation {
    /// The key of the store that it concerns.
    pub const fn key(&self) -> Option<u64> {
        match self {
            Self::Write { key, .. } | Self::Read { key } | Self::CompareAndSet { key, .. } => Some(*key),
            Self::Request { .. } | Self::Query { .. } => None,
        }
    }

    /// Whether it changes nothing.
    pub const fn is_read(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Query { .. })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { key, value } => write!(f, "write k{key}={}", Text(value)),
            Self::Read { key } => write!(f, "read k{key}"),
            Self::CompareAndSet { key, expected, value } => {
                write!(f, "compare-and-set k{key} {} -> {}", Text(expected), Text(value))
            }
            Self::Request { data } => write!(f, "request {}", Text(data)),
            Self::Query { data } => write!(f, "query {}", Text(data)),
        }
    }
}

/// What a client is told.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The write took effect.
    Written,
    /// The key holds this value.
    Read(#[serde(with = "crate::text")] Bytes),
    /// Whether the key held what was expected, and so was set.
    CompareAndSet(bool),
    /// What a user's application answers.
    Reply(#[serde(with = "crate::text")] Bytes),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => f.write_str("written"),
            Self::Read(value) | Self::Reply(value) => Text(value).fmt(f),
            Self::CompareAndSet(true) => f.write_str("set"),
            Self::CompareAndSet(false) => f.write_str("not as expected"),
        }
    }
}

/// A value in quotes.
pub(crate) struct Text<'a>(pub(crate) &'a Bytes);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.0))
    }
}

/// An operation with what its client knows of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Who asked.
    pub client: u64,
    /// The client's number for it.
    pub sequence: u64,
    /// What was asked.
    pub operation: Operation,
    /// The step at which it was.
    pub invoked: u64,
    /// What came of it.
    pub fate: Fate,
}

/// What came of an operation. Of two operations, the first comes before the second in real time if it was answered at an
/// earlier step than the second was invoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The client was told this.
    Answered {
        /// At which step.
        step: u64,
        /// What.
        answer: Answer,
    },
    /// The client was told nothing: the operation may have taken effect, or not.
    Unknown {
        /// The step after which it no longer can, if there is one.
        until: Option<u64>,
    },
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, sequence, operation, invoked, fate } = self;
        write!(f, "c{client}.{sequence} {operation}: ")?;
        match fate {
            Fate::Answered { step, answer } => write!(f, "{answer} [{invoked}..{step}]"),
            Fate::Unknown { until: Some(step) } => write!(f, "unknown [{invoked}..{step}]"),
            Fate::Unknown { until: None } => write!(f, "unknown [{invoked}..]"),
        }
    }
}
