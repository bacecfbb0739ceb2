//! Entries and what a node stores beside them: hard state, membership, snapshot.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::DecodeError;
use super::wire::{Field, Fields, put_bytes, put_message, put_varint};
use crate::membership::ConfState;
use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryKind, HardState, Index, NodeId, Term};

impl Entry {
    /// Its bytes as raftpb's `Entry`: [`encoded_size`](Self::encoded_size) of them.
    ///
    /// An [`EntryKind::RefusedConfChange`] is written, and counted, with its type, which is that of a normal entry.
    /// Other writers do that with every normal entry, so whoever reads it takes it for one.
    ///
    /// ```
    /// use raft::{Entry, Index, Term};
    /// let entry = Entry { term: Term(2), index: Index(300), data: "ok".into(), ..Entry::default() };
    /// assert_eq!(entry.encode(), [0x10, 2, 0x18, 0xac, 2, 0x22, 2, b'o', b'k']);
    /// assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_size() as usize);
        self.encode_into(&mut out);
        out
    }

    /// Appends its bytes to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        match self.kind {
            EntryKind::Normal => {}
            EntryKind::RefusedConfChange => put_varint(out, 1, 0),
            EntryKind::ConfChange => put_varint(out, 1, 1),
            EntryKind::ConfChangeV2 => put_varint(out, 1, 2),
        }
        put_varint(out, 2, self.term.0);
        put_varint(out, 3, self.index.0);
        put_bytes(out, 4, &self.data);
    }

    /// The entry that these bytes are. Its data is not looked at.
    ///
    /// # Errors
    /// [`DecodeError`] where they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut entry = Self::default();
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => entry.kind = kind(field.enumeration()?)?,
                2 => entry.term = Term(field.varint()?),
                3 => entry.index = Index(field.varint()?),
                4 => entry.data = Bytes::copy_from_slice(field.bytes()?),
                _ => {}
            }
        }
        Ok(entry)
    }
}

const fn kind(number: u64) -> Result<EntryKind, DecodeError> {
    match number {
        0 => Ok(EntryKind::Normal),
        1 => Ok(EntryKind::ConfChange),
        2 => Ok(EntryKind::ConfChangeV2),
        value => Err(DecodeError::UnknownValue { what: "EntryType", value }),
    }
}

impl HardState {
    /// Its bytes as raftpb's `HardState`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// Appends its bytes to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        put_varint(out, 1, self.term.0);
        put_varint(out, 2, self.vote.map_or(0, NodeId::get));
        put_varint(out, 3, self.commit.0);
    }

    /// The hard state that these bytes are.
    ///
    /// # Errors
    /// [`DecodeError`] where they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut hard_state = Self::default();
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => hard_state.term = Term(field.varint()?),
                2 => hard_state.vote = field.node()?,
                3 => hard_state.commit = Index(field.varint()?),
                _ => {}
            }
        }
        Ok(hard_state)
    }
}

impl ConfState {
    /// Its bytes as raftpb's `ConfState`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// Appends its bytes to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        put_nodes(out, 1, &self.voters);
        put_nodes(out, 2, &self.learners);
        put_nodes(out, 3, &self.voters_outgoing);
        put_nodes(out, 4, &self.learners_next);
        put_varint(out, 5, u64::from(self.auto_leave));
    }

    /// The membership that these bytes are. Whether it makes sense is not looked at.
    ///
    /// # Errors
    /// [`DecodeError`] where they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut conf_state = Self::default();
        conf_state.merge(bytes)?;
        Ok(conf_state)
    }

    /// Reads a piece of it.
    fn merge(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        let mut fields = Fields::new(piece);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => read_nodes(&field, "voters", &mut self.voters)?,
                2 => read_nodes(&field, "learners", &mut self.learners)?,
                3 => read_nodes(&field, "voters_outgoing", &mut self.voters_outgoing)?,
                4 => read_nodes(&field, "learners_next", &mut self.learners_next)?,
                5 => self.auto_leave = field.bool()?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn put_nodes(out: &mut Vec<u8>, number: u64, nodes: &BTreeSet<NodeId>) {
    for node in nodes {
        put_varint(out, number, node.get());
    }
}

fn read_nodes(field: &Field<'_>, name: &'static str, nodes: &mut BTreeSet<NodeId>) -> Result<(), DecodeError> {
    field.each_varint(|number| {
        nodes.insert(NodeId::new(number).ok_or(DecodeError::ZeroNode(name))?);
        Ok(())
    })
}

impl Snapshot {
    /// Its bytes as raftpb's `Snapshot`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// Appends its bytes to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        put_bytes(out, 1, &self.data);
        put_message(out, 2, |out| {
            put_message(out, 1, |out| self.conf_state.encode_into(out));
            put_varint(out, 2, self.id.index.0);
            put_varint(out, 3, self.id.term.0);
        });
    }

    /// The snapshot that these bytes are. Its data is not looked at.
    ///
    /// # Errors
    /// [`DecodeError`] where they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut snapshot = Self::default();
        snapshot.merge(bytes)?;
        Ok(snapshot)
    }

    /// Reads a piece of it.
    pub(super) fn merge(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        let mut fields = Fields::new(piece);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.data = Bytes::copy_from_slice(field.bytes()?),
                2 => self.merge_metadata(field.bytes()?)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn merge_metadata(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        let mut fields = Fields::new(piece);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.conf_state.merge(field.bytes()?)?,
                2 => self.id.index = Index(field.varint()?),
                3 => self.id.term = Term(field.varint()?),
                _ => {}
            }
        }
        Ok(())
    }
}
