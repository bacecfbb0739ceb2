//! What a node is told by its clock, its application and its transport.

use bytes::Bytes;
use raft::{ConfChange, Index, NodeId, SnapshotStatus};

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::meaning::{AtMost, Meaning, Wanted, choose};
use super::{Command, Syntax, membership, node, two_nodes};

/// A call on a node that prints nothing but an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputCommand {
    /// `tick`, `tick-election`, `tick-heartbeat`: its clock advances.
    Tick(Ticks),
    /// `set-randomized-election-timeout`: its current election timeout, in ticks.
    SetElectionTimeout(u32),
    /// `campaign`: it campaigns.
    Campaign,
    /// `propose`: data.
    Propose(Bytes),
    /// `propose-conf-change`: a membership change.
    ProposeConfChange(ConfChange),
    /// `read-index`: a read with this context.
    ReadIndex(Bytes),
    /// `transfer-leadership`: it hands leadership over to this node.
    TransferLeadership(NodeId),
    /// `forget-leader`: it forgets who leads.
    ForgetLeader,
    /// `report-unreachable`: this peer was not reached.
    ReportUnreachable(NodeId),
    /// `report-snapshot`: how a snapshot to this peer ended.
    ReportSnapshot(NodeId, SnapshotStatus),
    /// `compact`: its log is discarded up to this index, and then printed.
    Compact(Index),
}

/// How long a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticks {
    /// As many ticks as the node's shortest election timeout has.
    Election,
    /// As many as lie between two heartbeats.
    Heartbeat,
    /// This many.
    Count(u32),
}

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("campaign", |arguments| at_node(arguments, |_| Ok(InputCommand::Campaign))),
    Syntax::new("compact", |arguments| {
        at_node(arguments, |arguments| {
            Ok(InputCommand::Compact(Index(arguments.required("the last index that goes")?)))
        })
    }),
    Syntax::new("forget-leader", |arguments| at_node(arguments, |_| Ok(InputCommand::ForgetLeader))),
    Syntax::new("propose", |arguments| {
        at_node(arguments, |arguments| data(arguments, "the data").map(InputCommand::Propose))
    }),
    Syntax::with_input("propose-conf-change", |arguments| {
        at_node(arguments, |arguments| membership::parse(arguments).map(InputCommand::ProposeConfChange))
    }),
    Syntax::new("read-index", |arguments| {
        at_node(arguments, |arguments| data(arguments, "the read's context").map(InputCommand::ReadIndex))
    }),
    Syntax::new("report-snapshot", |arguments| {
        let (node, peer) = two_nodes(arguments)?;
        Ok(Command::Input(node, InputCommand::ReportSnapshot(peer, arguments.required_value("status")?)))
    }),
    Syntax::new("report-unreachable", |arguments| {
        let (node, peer) = two_nodes(arguments)?;
        Ok(Command::Input(node, InputCommand::ReportUnreachable(peer)))
    }),
    Syntax::new("set-randomized-election-timeout", |arguments| {
        at_node(arguments, |arguments| arguments.required_value("timeout").map(InputCommand::SetElectionTimeout))
    }),
    Syntax::new("tick", |arguments| {
        at_node(arguments, |arguments| {
            let AtMost(ticks) = arguments.required::<AtMost<{ Command::MOST_EVENTS }>>("a number of ticks")?;
            Ok(InputCommand::Tick(Ticks::Count(u32::try_from(ticks).expect("the bound is smaller"))))
        })
    }),
    Syntax::new("tick-election", |arguments| at_node(arguments, |_| Ok(InputCommand::Tick(Ticks::Election)))),
    Syntax::new("tick-heartbeat", |arguments| at_node(arguments, |_| Ok(InputCommand::Tick(Ticks::Heartbeat)))),
    Syntax::new("transfer-leadership", |arguments| {
        let (from, to) = (arguments.required_value("from")?, arguments.required_value("to")?);
        Ok(Command::Input(from, InputCommand::TransferLeadership(to)))
    }),
];

/// A command whose first word is the node.
fn at_node(
    arguments: &mut Arguments<'_>,
    parse: impl FnOnce(&mut Arguments<'_>) -> Result<InputCommand, ScriptError>,
) -> Result<Command, ScriptError> {
    let node = node(arguments)?;
    parse(arguments).map(|input| Command::Input(node, input))
}

fn data(arguments: &mut Arguments<'_>, what: &str) -> Result<Bytes, ScriptError> {
    arguments.required::<String>(what).map(Bytes::from)
}

impl Meaning for SnapshotStatus {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        choose(word, &["finish", "failure"]).map(|status| if status == 0 { Self::Finish } else { Self::Failure })
    }
}
