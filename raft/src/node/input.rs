//! What waits for a run loop, and what comes out when it is taken.

use std::fmt;

use bytes::Bytes;

use super::arm::Arm;
use crate::error::{ProposeError, ReadError, StepError};
use crate::membership::{ChangeError, ConfChange, ConfChangeV2, ConfState};
use crate::message::Message;
use crate::raw_node::{RawNode, SnapshotStatus};
use crate::ready::{Ready, StorageAppended, StorageApplied};
use crate::status::Status;
use crate::storage::Storage;
use crate::types::{EntryId, Index, NodeId};

/// Names an input by when it came: given in ascending order, never twice by one loop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub(super) u64);

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What came of taking one input.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// A proposal of data was stepped, or any that is [awaited](super::RunLoop::propose_awaited).
    Proposal {
        /// Which.
        ticket: Ticket,
        /// Whether it was appended or sent on.
        result: Result<(), ProposeError>,
    },
    /// A proposal was stepped whose caller learns that it was taken, and not its fate: a membership change, or one that
    /// a peer forwarded.
    UnattendedProposal {
        /// Which.
        ticket: Ticket,
        /// What came of it.
        result: Result<(), StepError>,
    },
    /// A message or other input was stepped.
    Message(Result<(), StepError>),
    /// A read was asked for.
    Read {
        /// Which.
        ticket: Ticket,
        /// Whether an answer may come.
        result: Result<(), ReadError>,
    },
    /// A membership change is in force, or not.
    MembershipChange {
        /// Which.
        ticket: Ticket,
        /// The membership from now on.
        result: Result<ConfState, ChangeError>,
    },
    /// The clock went on by one tick.
    Tick,
    /// A Ready for the application.
    Ready {
        /// Who gets it.
        ticket: Ticket,
        /// What there is to do.
        ready: Box<Ready>,
    },
    /// The outstanding Ready is done with.
    Advance,
    /// The status.
    Status {
        /// Who asked.
        ticket: Ticket,
        /// The answer.
        status: Box<Status>,
    },
    /// The loop has ended. Whoever still waits has to be told.
    Stop,
}

/// Something that is to be proposed.
#[derive(Clone, Hash, Debug)]
pub(super) enum Proposal {
    Own(Content),
    /// A proposal that this node has to append itself, since somebody waits until it is applied.
    Awaited(Content),
    /// A message that a peer forwarded.
    Forwarded(Message),
}

/// What this node proposes.
#[derive(Clone, Hash, Debug)]
pub(super) enum Content {
    Data(Bytes),
    ConfChange(ConfChange),
}

impl Proposal {
    pub(super) fn brings_conf_change(&self) -> bool {
        match self {
            Self::Own(content) | Self::Awaited(content) => matches!(content, Content::ConfChange(_)),
            Self::Forwarded(message) => message.brings_conf_change(),
        }
    }
}

impl Content {
    /// Appends it here or sends it on to the leader.
    pub(super) fn propose<S: Storage>(self, ticket: Ticket, node: &mut RawNode<S>) -> Taken {
        match self {
            Self::Data(data) => Taken::Proposal { ticket, result: node.propose(data) },
            Self::ConfChange(change) => {
                let result = node.propose_conf_change(&change).map_err(StepError::from);
                Taken::UnattendedProposal { ticket, result }
            }
        }
    }

    /// Appends it here.
    pub(super) fn append<S: Storage>(self, node: &mut RawNode<S>) -> Result<EntryId, ProposeError> {
        match self {
            Self::Data(data) => node.propose_as_leader(data),
            Self::ConfChange(change) => node.propose_conf_change_as_leader(&change),
        }
    }
}

/// An input that never has to wait for a leader, as proposals do.
#[derive(Clone, Hash, Debug)]
pub(super) enum Input {
    Notice(Notice),
    MembershipChange(AppliedChange),
    Tick,
    Advance(Box<Ready>),
    Status,
}

impl Input {
    pub(super) const fn arm(&self) -> Arm {
        match self {
            Self::Notice(_) => Arm::Message,
            Self::MembershipChange(_) => Arm::MembershipChange,
            Self::Tick => Arm::Tick,
            Self::Advance(_) => Arm::Advance,
            Self::Status => Arm::Status,
        }
    }

    pub(super) const fn notice(&self) -> Option<&Notice> {
        match self {
            Self::Notice(notice) => Some(notice),
            Self::MembershipChange(_) | Self::Tick | Self::Advance(_) | Self::Status => None,
        }
    }
}

/// A membership change that the application applies.
#[derive(Clone, Hash, Debug)]
pub(super) struct AppliedChange {
    pub(super) change: ConfChangeV2,
    /// The index of the entry in which it came, if the application tells.
    pub(super) index: Option<Index>,
}

/// What a peer, the application or a storage thread tells the node without waiting for an answer.
#[derive(Clone, Hash, Debug)]
pub(super) enum Notice {
    Message(Message),
    Campaign,
    TransferLeadership(NodeId),
    ForgetLeader,
    ReadIndex(Bytes),
    /// A read that somebody waits for until its index is applied.
    AwaitedRead(Bytes),
    Unreachable(NodeId),
    Snapshot(NodeId, SnapshotStatus),
    StorageAppended(StorageAppended),
    StorageApplied(StorageApplied),
}

impl Notice {
    /// The answer of the apply thread, if it is one.
    pub(super) const fn applied(&self) -> Option<&StorageApplied> {
        match self {
            Self::StorageApplied(applied) => Some(applied),
            Self::Message(_)
            | Self::Campaign
            | Self::TransferLeadership(_)
            | Self::ForgetLeader
            | Self::ReadIndex(_)
            | Self::AwaitedRead(_)
            | Self::Unreachable(_)
            | Self::Snapshot(..)
            | Self::StorageAppended(_) => None,
        }
    }

    /// The message of a peer, if it is one.
    pub(super) const fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Campaign
            | Self::TransferLeadership(_)
            | Self::ForgetLeader
            | Self::ReadIndex(_)
            | Self::AwaitedRead(_)
            | Self::Unreachable(_)
            | Self::Snapshot(..)
            | Self::StorageAppended(_)
            | Self::StorageApplied(_) => None,
        }
    }

    pub(super) fn step_into<S: Storage>(self, ticket: Ticket, node: &mut RawNode<S>) -> Taken {
        match self {
            Self::Message(message) => return Taken::Message(node.step(message)),
            Self::ReadIndex(context) | Self::AwaitedRead(context) => {
                return Taken::Read { ticket, result: node.try_read_index(context) };
            }
            Self::Campaign => node.campaign(),
            Self::TransferLeadership(target) => node.transfer_leadership(target),
            Self::ForgetLeader => node.forget_leader(),
            Self::Unreachable(peer) => node.report_unreachable(peer),
            Self::Snapshot(peer, status) => node.report_snapshot(peer, status),
            Self::StorageAppended(appended) => node.storage_appended(appended),
            Self::StorageApplied(applied) => node.storage_applied(applied),
        }
        Taken::Message(Ok(()))
    }
}
