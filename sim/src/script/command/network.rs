//! Messages in flight and the links they travel on.

use raft::{Message, NodeId};

use super::super::arguments::{Meaning, Wanted, choose};
use super::{Command, Syntax, step, two_nodes};

/// What happens to messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkCommand {
    /// `deliver-msgs`: messages arrive or are lost.
    Deliver {
        /// For whom, in this order; true where they are lost.
        recipients: Vec<(bool, NodeId)>,
        /// Only those of this kind.
        kind: Option<MessageKind>,
    },
    /// `send-snapshot`: a node's newest snapshot is put in flight.
    SendSnapshot {
        /// Whose.
        from: NodeId,
        /// To whom.
        to: NodeId,
    },
    /// `step`: a message that no node sent arrives.
    Step(Message),
}

/// A kind of message, by etcd's name of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageKind(pub &'static str);

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("deliver-msgs", |arguments| {
        let recipients = arguments.rest_and_values("a node", "drop")?;
        Ok(Command::Network(NetworkCommand::Deliver { recipients, kind: arguments.value("type")? }))
    }),
    Syntax::new("send-snapshot", |arguments| {
        let (from, to) = two_nodes(arguments)?;
        Ok(Command::Network(NetworkCommand::SendSnapshot { from, to }))
    }),
    Syntax::with_input("step", |arguments| step::parse(arguments).map(NetworkCommand::Step).map(Command::Network)),
];

impl Meaning for MessageKind {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        choose(word, &MESSAGE_KINDS).map(|kind| Self(MESSAGE_KINDS[kind]))
    }
}

/// What can be in flight.
static MESSAGE_KINDS: [&str; 16] = [
    "MsgApp",
    "MsgAppResp",
    "MsgHeartbeat",
    "MsgHeartbeatResp",
    "MsgPreVote",
    "MsgPreVoteResp",
    "MsgProp",
    "MsgReadIndex",
    "MsgReadIndexResp",
    "MsgSnap",
    "MsgStorageAppendResp",
    "MsgStorageApplyResp",
    "MsgTimeoutNow",
    "MsgTransferLeader",
    "MsgVote",
    "MsgVoteResp",
];
