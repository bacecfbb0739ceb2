//! The work that hosts do for their nodes.

use raft::node::Arm;
use raft::{Index, NodeId};

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::meaning::{AtMost, Meaning, Wanted, choose};
use super::{Command, LogLevel, Syntax, node, nodes};

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
        /// What is printed meanwhile, if not what is usual.
        level: Option<LogLevel>,
    },
    /// `run`: whatever can happen without a fault happens, chosen by chance.
    Run {
        /// How many events.
        events: u64,
        /// Decides the choices.
        seed: u64,
    },
    /// `hold-fsync`: the fsyncs of a node that begin from now on stay under way.
    HoldFsync(NodeId),
    /// `complete-fsync`: the held fsyncs complete, later ones are not held, and the host goes on with what waited for
    /// them.
    CompleteFsync(NodeId),
    /// `begin-fsync`: an fsync begins.
    BeginFsync(NodeId),
    /// `end-fsync`: the oldest fsync that is under way completes.
    EndFsync(NodeId),
    /// `take-snapshot`: the application takes a snapshot.
    TakeSnapshot(NodeId),
    /// `begin-compaction`: the log is to forget all up to this index, once that is written and synced.
    BeginCompaction(NodeId, Index),
    /// One step of handling a Ready.
    Step(NodeId, HostStep),
    /// `take`: the loop that runs a node takes its next input, which has to be one of these, or hands out a Ready.
    Take(NodeId, Arm),
}

/// What a host does between two moments at which it can crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostStep {
    /// `take-ready`: it takes a Ready, or asks the loop that runs the node for one.
    TakeReady,
    /// `write-log`: it writes this many of the records that are to be persisted, or all.
    WriteLog(Option<u32>),
    /// `sync-log`: it begins an fsync, which completes unless it is held.
    SyncLog,
    /// `release`: its append thread says that its oldest work is done.
    Release,
    /// `send`: it sends the messages.
    Send,
    /// `apply`: its application restores a snapshot or applies this many entries, or all.
    Apply(Option<u32>),
    /// `advance`: it hands the Ready back.
    Advance,
}

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("advance", |arguments| step(arguments, |_| Ok(HostStep::Advance))),
    Syntax::new("apply", |arguments| step(arguments, |arguments| count(arguments).map(HostStep::Apply))),
    Syntax::new("begin-compaction", |arguments| {
        let (node, index) = (node(arguments)?, arguments.required("the last index that goes")?);
        Ok(Command::Host(HostCommand::BeginCompaction(node, Index(index))))
    }),
    Syntax::new("begin-fsync", |arguments| node(arguments).map(HostCommand::BeginFsync).map(Command::Host)),
    Syntax::new("complete-fsync", |arguments| node(arguments).map(HostCommand::CompleteFsync).map(Command::Host)),
    Syntax::new("end-fsync", |arguments| node(arguments).map(HostCommand::EndFsync).map(Command::Host)),
    Syntax::new("hold-fsync", |arguments| node(arguments).map(HostCommand::HoldFsync).map(Command::Host)),
    Syntax::new("process-append-thread", |arguments| {
        nodes(arguments).map(HostCommand::ProcessAppendThread).map(Command::Host)
    }),
    Syntax::new("process-apply-thread", |arguments| {
        nodes(arguments).map(HostCommand::ProcessApplyThread).map(Command::Host)
    }),
    Syntax::new("process-ready", |arguments| nodes(arguments).map(HostCommand::ProcessReady).map(Command::Host)),
    Syntax::new("release", |arguments| step(arguments, |_| Ok(HostStep::Release))),
    Syntax::new("run", |arguments| {
        let AtMost(events) = arguments.required::<AtMost<{ Command::MOST_EVENTS }>>("a number of events")?;
        Ok(Command::Host(HostCommand::Run { events, seed: arguments.value("seed")?.unwrap_or(0) }))
    }),
    Syntax::new("send", |arguments| step(arguments, |_| Ok(HostStep::Send))),
    Syntax::new("stabilize", |arguments| {
        let (nodes, level) = (nodes(arguments)?, arguments.value("log-level")?);
        Ok(Command::Host(HostCommand::Stabilize { nodes, level }))
    }),
    Syntax::new("sync-log", |arguments| step(arguments, |_| Ok(HostStep::SyncLog))),
    Syntax::new("take", |arguments| {
        let (node, arm) = (node(arguments)?, arguments.required("what the loop takes")?);
        Ok(Command::Host(HostCommand::Take(node, arm)))
    }),
    Syntax::new("take-ready", |arguments| step(arguments, |_| Ok(HostStep::TakeReady))),
    Syntax::new("take-snapshot", |arguments| node(arguments).map(HostCommand::TakeSnapshot).map(Command::Host)),
    Syntax::new("write-log", |arguments| step(arguments, |arguments| count(arguments).map(HostStep::WriteLog))),
];

fn step(
    arguments: &mut Arguments<'_>,
    parse: impl FnOnce(&mut Arguments<'_>) -> Result<HostStep, ScriptError>,
) -> Result<Command, ScriptError> {
    let node = node(arguments)?;
    parse(arguments).map(|step| Command::Host(HostCommand::Step(node, step)))
}

fn count(arguments: &mut Arguments<'_>) -> Result<Option<u32>, ScriptError> {
    let mut counts: Vec<u32> = arguments.rest("a count")?;
    match counts.len() {
        0 | 1 => Ok(counts.pop()),
        several => Err(arguments.error(format!("\"{}\" takes one count, not {several}", arguments.name()))),
    }
}

/// What a loop can take, in the order of [`Arm::ALL`].
const ARMS: &[&str] = &["proposal", "message", "membership-change", "tick", "ready", "advance", "status", "stop"];

impl Meaning for Arm {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        choose(word, ARMS).map(|position| Self::ALL[position])
    }
}

/// The word for what a loop takes.
pub fn arm_word(arm: Arm) -> &'static str {
    let position = Arm::ALL.iter().position(|other| *other == arm);
    position.and_then(|position| ARMS.get(position)).expect("each has a word")
}
