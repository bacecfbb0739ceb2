//! The names of messages.

use super::super::meaning::{Meaning, Wanted, choose};

/// A kind of message, under etcd's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageKind(pub &'static str);

impl Meaning for MessageKind {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        choose(word, &MESSAGE_KINDS).map(|kind| Self(MESSAGE_KINDS[kind]))
    }
}

/// The kinds that can be in flight.
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
