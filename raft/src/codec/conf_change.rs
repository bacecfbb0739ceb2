//! Membership changes as an entry's data.
//!
//! Their numbers are written even where they are zero, and an entry's size counts them: where pages end depends on it.

use bytes::Bytes;

use super::DecodeError;
use super::wire::{Fields, put_bytes, put_message, put_varint};
use crate::membership::{Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, Transition};
use crate::types::{Entry, EntryKind, NodeId};

impl ConfChange {
    /// The kind and the data of the entry that proposes this change.
    ///
    /// ```
    /// use raft::{Change, ChangeKind, ConfChange, ConfChangeV1, Entry, EntryKind, NodeId};
    /// let change = Change { kind: ChangeKind::AddLearner, node: NodeId::new(4) };
    /// let change = ConfChange::V1(ConfChangeV1 { change, context: Default::default() });
    /// let (kind, data) = change.encode();
    /// assert_eq!((kind, &data[..]), (EntryKind::ConfChange, &[0x10, 3, 0x18, 4][..]));
    /// assert_eq!(Entry { kind, data, ..Entry::default() }.conf_change(), Ok(Some(change)));
    /// ```
    pub fn encode(&self) -> (EntryKind, Bytes) {
        let mut out = Vec::new();
        let kind = match self {
            Self::V1(change) => {
                write_v1(&mut out, change);
                EntryKind::ConfChange
            }
            Self::V2(change) => {
                write_v2(&mut out, change);
                EntryKind::ConfChangeV2
            }
        };
        (kind, out.into())
    }
}

impl Entry {
    /// The membership change that the entry makes; `None` where it makes none.
    ///
    /// # Errors
    /// [`DecodeError`] where its data is not what its kind says.
    pub fn conf_change(&self) -> Result<Option<ConfChange>, DecodeError> {
        match self.kind {
            EntryKind::Normal | EntryKind::RefusedConfChange => Ok(None),
            EntryKind::ConfChange => read_v1(&self.data).map(ConfChange::V1).map(Some),
            EntryKind::ConfChangeV2 => read_v2(&self.data).map(ConfChange::V2).map(Some),
        }
    }
}

fn write_v1(out: &mut Vec<u8>, change: &ConfChangeV1) {
    put_varint(out, 2, kind_number(change.change.kind));
    put_varint(out, 3, node_number(change.change.node));
    put_bytes(out, 4, &change.context);
}

fn read_v1(data: &[u8]) -> Result<ConfChangeV1, DecodeError> {
    let mut change = ConfChangeV1 { change: Change { kind: ChangeKind::AddVoter, node: None }, context: Bytes::new() };
    let mut fields = Fields::new(data);
    while let Some(field) = fields.next()? {
        match field.number {
            2 => change.change.kind = kind(field.enumeration()?)?,
            3 => change.change.node = field.node()?,
            4 => change.context = Bytes::copy_from_slice(field.bytes()?),
            _ => {}
        }
    }
    Ok(change)
}

fn write_v2(out: &mut Vec<u8>, change: &ConfChangeV2) {
    put_varint(out, 1, transition_number(change.transition));
    for step in &change.changes {
        put_message(out, 2, |out| {
            put_varint(out, 1, kind_number(step.kind));
            put_varint(out, 2, node_number(step.node));
        });
    }
    put_bytes(out, 3, &change.context);
}

fn read_v2(data: &[u8]) -> Result<ConfChangeV2, DecodeError> {
    let mut change = ConfChangeV2::default();
    let mut fields = Fields::new(data);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => change.transition = transition(field.enumeration()?)?,
            2 => change.changes.push(read_step(field.bytes()?)?),
            3 => change.context = Bytes::copy_from_slice(field.bytes()?),
            _ => {}
        }
    }
    Ok(change)
}

fn read_step(data: &[u8]) -> Result<Change, DecodeError> {
    let mut step = Change { kind: ChangeKind::AddVoter, node: None };
    let mut fields = Fields::new(data);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => step.kind = kind(field.enumeration()?)?,
            2 => step.node = field.node()?,
            _ => {}
        }
    }
    Ok(step)
}

fn node_number(node: Option<NodeId>) -> u64 {
    node.map_or(0, NodeId::get)
}

const fn kind_number(kind: ChangeKind) -> u64 {
    match kind {
        ChangeKind::AddVoter => 0,
        ChangeKind::Remove => 1,
        ChangeKind::Update => 2,
        ChangeKind::AddLearner => 3,
    }
}

const fn kind(number: u64) -> Result<ChangeKind, DecodeError> {
    match number {
        0 => Ok(ChangeKind::AddVoter),
        1 => Ok(ChangeKind::Remove),
        2 => Ok(ChangeKind::Update),
        3 => Ok(ChangeKind::AddLearner),
        value => Err(DecodeError::UnknownValue { what: "ConfChangeType", value }),
    }
}

const fn transition_number(transition: Transition) -> u64 {
    match transition {
        Transition::Auto => 0,
        Transition::Implicit => 1,
        Transition::Explicit => 2,
    }
}

const fn transition(number: u64) -> Result<Transition, DecodeError> {
    match number {
        0 => Ok(Transition::Auto),
        1 => Ok(Transition::Implicit),
        2 => Ok(Transition::Explicit),
        value => Err(DecodeError::UnknownValue { what: "ConfChangeTransition", value }),
    }
}
