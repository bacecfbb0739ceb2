//! Messages between nodes.
//!
//! raftpb has one flat `Message` for all kinds, whose fields mean something else in each. [`Raw`] is that message, and
//! the translation between it and [`Body`] is the one place that knows what they mean.

use std::borrow::Cow;

use bytes::Bytes;

use super::DecodeError;
use super::wire::{Fields, put_bytes, put_message, put_nonzero, put_varint};
use crate::message::{Body, Message};
use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryId, Index, NodeId, Term};

impl Message {
    /// Its bytes as raftpb's `Message`.
    ///
    /// ```
    /// use raft::{Body, Message, NodeId, Term};
    /// let [from, to] = [1, 2].map(|number| NodeId::new(number).unwrap());
    /// let message = Message { from, to, term: Some(Term(5)), body: Body::VoteResponse { granted: true } };
    /// assert_eq!(message.encode(), [0x08, 6, 0x10, 2, 0x18, 1, 0x20, 5]);
    /// assert_eq!(Message::decode(&message.encode()), Ok(message));
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// Appends its bytes to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        Raw::of(self).write(out);
    }

    /// The message that these bytes are. Whether it makes sense is for the node to say.
    ///
    /// # Errors
    /// [`DecodeError`] where they are none, or one of a kind that never leaves its node.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Raw::read(bytes)?.into_message()
    }
}

/// What raftpb calls the kinds.
mod kind {
    pub(super) const PROPOSE: u64 = 2;
    pub(super) const APPEND: u64 = 3;
    pub(super) const APPEND_RESPONSE: u64 = 4;
    pub(super) const VOTE: u64 = 5;
    pub(super) const VOTE_RESPONSE: u64 = 6;
    pub(super) const SNAPSHOT: u64 = 7;
    pub(super) const HEARTBEAT: u64 = 8;
    pub(super) const HEARTBEAT_RESPONSE: u64 = 9;
    pub(super) const TRANSFER_LEADER: u64 = 13;
    pub(super) const TIMEOUT_NOW: u64 = 14;
    pub(super) const READ_INDEX: u64 = 15;
    pub(super) const READ_INDEX_RESPONSE: u64 = 16;
    pub(super) const PRE_VOTE: u64 = 17;
    pub(super) const PRE_VOTE_RESPONSE: u64 = 18;
    /// The largest one. Those up to here that are not listed above are local.
    pub(super) const FORGET_LEADER: u64 = 23;
}

/// The context by which a vote request says that the leader asked for the election.
const TRANSFER: &[u8] = b"CampaignTransfer";

/// raftpb's `Message`, without what only local kinds use.
#[derive(Default)]
struct Raw<'a> {
    kind: u64,
    to: u64,
    from: u64,
    term: Option<u64>,
    log_term: u64,
    index: u64,
    entries: Cow<'a, [Entry]>,
    commit: u64,
    snapshot: Option<Cow<'a, Snapshot>>,
    reject: bool,
    reject_hint: u64,
    context: &'a [u8],
}

impl<'a> Raw<'a> {
    /// Lists every body for its fields: a new one does not compile before it has a form in bytes.
    fn of(message: &'a Message) -> Self {
        let mut raw = match &message.body {
            Body::Propose { entries } => Self { entries: entries.into(), ..Self::new(kind::PROPOSE) },
            Body::Append { previous, entries, commit } => {
                Self { entries: entries.into(), commit: commit.0, ..Self::at(kind::APPEND, *previous) }
            }
            Body::AppendAccepted { index } => Self { index: index.0, ..Self::new(kind::APPEND_RESPONSE) },
            Body::AppendRejected { index, hint } => Self {
                index: index.0,
                log_term: hint.term.0,
                reject: true,
                reject_hint: hint.index.0,
                ..Self::new(kind::APPEND_RESPONSE)
            },
            Body::Heartbeat { commit, context } => Self { commit: commit.0, context, ..Self::new(kind::HEARTBEAT) },
            Body::HeartbeatResponse { context } => Self { context, ..Self::new(kind::HEARTBEAT_RESPONSE) },
            Body::RequestPreVote { last } => Self::at(kind::PRE_VOTE, *last),
            Body::PreVoteResponse { granted } => Self { reject: !granted, ..Self::new(kind::PRE_VOTE_RESPONSE) },
            Body::RequestVote { last, transfer } => {
                Self { context: if *transfer { TRANSFER } else { &[] }, ..Self::at(kind::VOTE, *last) }
            }
            Body::VoteResponse { granted } => Self { reject: !granted, ..Self::new(kind::VOTE_RESPONSE) },
            Body::InstallSnapshot { snapshot } => {
                Self { snapshot: Some(Cow::Borrowed(snapshot)), ..Self::new(kind::SNAPSHOT) }
            }
            Body::TransferLeader => Self::new(kind::TRANSFER_LEADER),
            Body::TimeoutNow => Self::new(kind::TIMEOUT_NOW),
            Body::ReadIndex { context } => Self { entries: read_entry(context), ..Self::new(kind::READ_INDEX) },
            Body::ReadIndexResponse { index, context } => {
                Self { index: index.0, entries: read_entry(context), ..Self::new(kind::READ_INDEX_RESPONSE) }
            }
        };
        raw.to = message.to.get();
        raw.from = message.from.get();
        raw.term = message.term.map(|term| term.0);
        raw
    }

    fn new(kind: u64) -> Self {
        Self { kind, ..Self::default() }
    }

    fn at(kind: u64, id: EntryId) -> Self {
        Self { log_term: id.term.0, index: id.index.0, ..Self::new(kind) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_varint(out, 1, self.kind);
        put_varint(out, 2, self.to);
        put_varint(out, 3, self.from);
        if let Some(term) = self.term {
            put_varint(out, 4, term);
        }
        put_nonzero(out, 5, self.log_term);
        put_nonzero(out, 6, self.index);
        for entry in self.entries.iter() {
            put_message(out, 7, |out| entry.encode_into(out));
        }
        put_nonzero(out, 8, self.commit);
        if let Some(snapshot) = &self.snapshot {
            put_message(out, 9, |out| snapshot.encode_into(out));
        }
        put_nonzero(out, 10, u64::from(self.reject));
        put_nonzero(out, 11, self.reject_hint);
        put_bytes(out, 12, self.context);
    }

    fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut raw = Self::default();
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => raw.kind = field.enumeration()?,
                2 => raw.to = field.varint()?,
                3 => raw.from = field.varint()?,
                4 => raw.term = Some(field.varint()?),
                5 => raw.log_term = field.varint()?,
                6 => raw.index = field.varint()?,
                7 => raw.entries.to_mut().push(Entry::decode(field.bytes()?)?),
                8 => raw.commit = field.varint()?,
                9 => raw.snapshot.get_or_insert_default().to_mut().merge(field.bytes()?)?,
                10 => raw.reject = field.bool()?,
                11 => raw.reject_hint = field.varint()?,
                12 => raw.context = field.bytes()?,
                _ => {}
            }
        }
        Ok(raw)
    }

    fn into_message(self) -> Result<Message, DecodeError> {
        let from = NodeId::new(self.from).ok_or(DecodeError::ZeroNode("from"))?;
        let to = NodeId::new(self.to).ok_or(DecodeError::ZeroNode("to"))?;
        // Absent or zero: nobody ever led or campaigned in that term, so it is none.
        let term = self.term.filter(|term| *term > 0).map(Term);
        Ok(Message { from, to, term, body: self.into_body()? })
    }

    /// The way back from [`of`](Self::of), by the number of the kind.
    fn into_body(self) -> Result<Body, DecodeError> {
        let index = Index(self.index);
        let id = EntryId::new(Term(self.log_term), index);
        let commit = Index(self.commit);
        let granted = !self.reject;
        Ok(match self.kind {
            kind::PROPOSE => Body::Propose { entries: self.entries.into_owned() },
            kind::APPEND => Body::Append { previous: id, entries: self.entries.into_owned(), commit },
            kind::APPEND_RESPONSE if self.reject => {
                Body::AppendRejected { index, hint: EntryId::new(id.term, Index(self.reject_hint)) }
            }
            kind::APPEND_RESPONSE => Body::AppendAccepted { index },
            kind::VOTE => Body::RequestVote { last: id, transfer: self.context == TRANSFER },
            kind::VOTE_RESPONSE => Body::VoteResponse { granted },
            kind::SNAPSHOT => Body::InstallSnapshot { snapshot: self.into_snapshot()? },
            kind::HEARTBEAT => Body::Heartbeat { commit, context: self.into_context() },
            kind::HEARTBEAT_RESPONSE => Body::HeartbeatResponse { context: self.into_context() },
            kind::TRANSFER_LEADER => Body::TransferLeader,
            kind::TIMEOUT_NOW => Body::TimeoutNow,
            kind::READ_INDEX => Body::ReadIndex { context: self.into_read_context()? },
            kind::READ_INDEX_RESPONSE => Body::ReadIndexResponse { index, context: self.into_read_context()? },
            kind::PRE_VOTE => Body::RequestPreVote { last: id },
            kind::PRE_VOTE_RESPONSE => Body::PreVoteResponse { granted },
            local @ 0..=kind::FORGET_LEADER => return Err(DecodeError::LocalMessage(local)),
            value => return Err(DecodeError::UnknownValue { what: "MessageType", value }),
        })
    }

    fn into_snapshot(self) -> Result<Box<Snapshot>, DecodeError> {
        let snapshot = self.snapshot.ok_or(DecodeError::Missing("snapshot"))?;
        Ok(Box::new(snapshot.into_owned()))
    }

    fn into_context(self) -> Bytes {
        Bytes::copy_from_slice(self.context)
    }

    /// Reads keep their context where proposals have their data.
    fn into_read_context(self) -> Result<Bytes, DecodeError> {
        let entry = self.entries.first().ok_or(DecodeError::Missing("the entry with a read's context"))?;
        Ok(entry.data.clone())
    }
}

fn read_entry(context: &Bytes) -> Cow<'_, [Entry]> {
    Cow::Owned(vec![Entry { data: context.clone(), ..Entry::default() }])
}
