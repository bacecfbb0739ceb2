//! Nodes come and go.

use raft::NodeId;

use super::super::arguments::{Meaning, Wanted};
use super::{AddNodes, Command, Syntax, node};
use crate::disk::Keep;

/// What happens to a node as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeCommand {
    /// `add-nodes`: new nodes start.
    Add(AddNodes),
    /// `restart`: a node starts again from what its disk holds. One that is up stops first, and loses nothing of what it
    /// wrote.
    Restart(NodeId),
    /// `crash`: a node stops, and its disk keeps this much of what was written and not synced.
    Crash(NodeId, Keep),
}

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("add-nodes", |arguments| AddNodes::parse(arguments).map(NodeCommand::Add).map(Command::Node)),
    Syntax::new("crash", |arguments| {
        let (node, keep) = (node(arguments)?, arguments.value("keep")?);
        Ok(Command::Node(NodeCommand::Crash(node, keep.unwrap_or(Keep::Nothing))))
    }),
    Syntax::new("restart", |arguments| node(arguments).map(NodeCommand::Restart).map(Command::Node)),
];

impl Meaning for Keep {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        match word {
            "all" => Ok(Self::All),
            "nothing" => Ok(Self::Nothing),
            bytes => bytes
                .parse()
                .map(|bytes| Self::Prefix { bytes })
                .map_err(|_| Wanted::Kind("all, nothing or a number of bytes")),
        }
    }
}
