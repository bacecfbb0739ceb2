//! Nodes come and go.

use raft::NodeId;

use super::{AddNodes, Command, Syntax, node};

/// What happens to a node as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeCommand {
    /// `add-nodes`: new nodes start.
    Add(AddNodes),
    /// `restart`: a node is built anew from its storage, of which nothing is lost.
    Restart(NodeId),
}

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("add-nodes", |arguments| AddNodes::parse(arguments).map(NodeCommand::Add).map(Command::Node)),
    Syntax::new("restart", |arguments| node(arguments).map(NodeCommand::Restart).map(Command::Node)),
];
