//! What is printed on demand.

use raft::NodeId;

use super::super::meaning::{Meaning, Wanted, choose};
use super::{Command, Syntax, node};

/// Prints something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowCommand {
    /// `raft-log`: the log in a node's storage.
    RaftLog(NodeId),
    /// `raft-state`: each node's role, membership and term.
    RaftState,
    /// `status`: what a leader knows of each member.
    Status(NodeId),
    /// `in-flight`: all messages in flight.
    InFlight,
    /// `check`: that every property holds.
    Check,
    /// `log-level`: sets what is printed from now on.
    LogLevel(LogLevel),
}

/// What is printed. Log lines never are, so that all of etcd's levels but one are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    All,
    /// Only errors.
    None,
}

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("check", |_| Ok(Command::Show(ShowCommand::Check))),
    Syntax::new("in-flight", |_| Ok(Command::Show(ShowCommand::InFlight))),
    Syntax::new("log-level", |arguments| arguments.required("a level").map(ShowCommand::LogLevel).map(Command::Show)),
    Syntax::new("raft-log", |arguments| node(arguments).map(ShowCommand::RaftLog).map(Command::Show)),
    Syntax::new("raft-state", |_| Ok(Command::Show(ShowCommand::RaftState))),
    Syntax::new("status", |arguments| node(arguments).map(ShowCommand::Status).map(Command::Show)),
];

impl Meaning for LogLevel {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let level = choose(&word.to_lowercase(), &["debug", "info", "warn", "error", "fatal", "none"])?;
        Ok(if level == 5 { Self::None } else { Self::All })
    }
}
