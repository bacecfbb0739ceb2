//! Who is at the other end: what a certificate says in its name.

use std::fmt;
use std::str::FromStr;

use raft::NodeId;

use crate::Error;

/// What a certificate proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    /// It is this node, and speaks for no other.
    Node(NodeId),
    /// It may ask, and is no member.
    Client,
}

/// The name in the certificate, as TLS checks it: `node-1`, or `client`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(id) => write!(f, "node-{}", id.get()),
            Self::Client => f.write_str("client"),
        }
    }
}

impl FromStr for Identity {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        if name == "client" {
            return Ok(Self::Client);
        }
        let number = name.strip_prefix("node-").and_then(|number| number.parse().ok());
        let id = number.and_then(NodeId::new).ok_or_else(|| format!("`{name}` names neither a node nor a client"))?;
        Ok(Self::Node(id))
    }
}
