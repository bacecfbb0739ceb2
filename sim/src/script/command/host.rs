//! What hosts do with what their nodes want done.

use raft::NodeId;

use super::{Command, LogLevel, Syntax, nodes};

/// Work on Readys and on the queues of the storage threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostCommand {
    /// `process-ready`: each node's Ready is taken and handled.
    ProcessReady(Vec<NodeId>),
    /// `process-append-thread`: the next work of each node's append thread is done.
    ProcessAppendThread(Vec<NodeId>),
    /// `process-apply-thread`: the next work of each node's apply thread is done.
    ProcessApplyThread(Vec<NodeId>),
    /// `stabilize`: all of this, and all messages are delivered, until nothing is left to do.
    Stabilize {
        /// At these nodes, in this order; at all where there are none.
        nodes: Vec<NodeId>,
        /// What is printed meanwhile, where it is something else than usual.
        level: Option<LogLevel>,
    },
}

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("process-append-thread", |arguments| {
        nodes(arguments).map(HostCommand::ProcessAppendThread).map(Command::Host)
    }),
    Syntax::new("process-apply-thread", |arguments| {
        nodes(arguments).map(HostCommand::ProcessApplyThread).map(Command::Host)
    }),
    Syntax::new("process-ready", |arguments| nodes(arguments).map(HostCommand::ProcessReady).map(Command::Host)),
    Syntax::new("stabilize", |arguments| {
        let (nodes, level) = (nodes(arguments)?, arguments.value("log-level")?);
        Ok(Command::Host(HostCommand::Stabilize { nodes, level }))
    }),
];
