//! The payloads of records as bytes.

use std::collections::BTreeSet;

use bytes::Bytes;
use raft::{ConfState, Entry, EntryId, EntryKind, HardState, Index, NodeId, Snapshot, Term};

/// The format that this code writes and the only one that it reads.
pub(crate) const VERSION: u64 = 1;

pub(crate) fn put_number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_hard_state(hard_state: &HardState, out: &mut Vec<u8>) {
    put_number(hard_state.term.0, out);
    put_number(hard_state.vote.map_or(0, NodeId::get), out);
    put_number(hard_state.commit.0, out);
}

pub(crate) fn put_entry(entry: &Entry, out: &mut Vec<u8>) {
    put_id(entry.id(), out);
    put_number(entry_kind_number(entry.kind), out);
    out.extend_from_slice(&entry.data);
}

pub(crate) fn put_snapshot(snapshot: &Snapshot, base: EntryId, out: &mut Vec<u8>) {
    put_id(base, out);
    put_id(snapshot.id, out);
    let ConfState { voters, voters_outgoing, learners, learners_next, auto_leave } = &snapshot.conf_state;
    for nodes in [voters, voters_outgoing, learners, learners_next] {
        put_number(nodes.len() as u64, out);
        nodes.iter().for_each(|node| put_number(node.get(), out));
    }
    put_number(u64::from(*auto_leave), out);
    out.extend_from_slice(&snapshot.data);
}

fn put_id(id: EntryId, out: &mut Vec<u8>) {
    put_number(id.term.0, out);
    put_number(id.index.0, out);
}

const fn entry_kind_number(kind: EntryKind) -> u64 {
    match kind {
        EntryKind::Normal => 0,
        EntryKind::ConfChange => 1,
        EntryKind::ConfChangeV2 => 2,
        EntryKind::RefusedConfChange => 3,
    }
}

/// Takes a payload apart from the front. Everything is `None` where the bytes do not hold what is asked for.
pub(crate) struct Reader<'a> {
    /// What is left of the payload.
    pub rest: &'a [u8],
    /// What the payload is a part of. What is taken shares it.
    pub stream: &'a Bytes,
}

impl Reader<'_> {
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn hard_state(&mut self) -> Option<HardState> {
        let hard_state =
            HardState { term: Term(self.number()?), vote: NodeId::new(self.number()?), commit: Index(self.number()?) };
        self.rest.is_empty().then_some(hard_state)
    }

    pub(crate) fn entry(&mut self) -> Option<Entry> {
        let EntryId { term, index } = self.id()?;
        let kind = match self.number()? {
            0 => EntryKind::Normal,
            1 => EntryKind::ConfChange,
            2 => EntryKind::ConfChangeV2,
            3 => EntryKind::RefusedConfChange,
            _ => return None,
        };
        Some(Entry { term, index, kind, data: self.data() })
    }

    /// The snapshot and the base of the log that goes with it.
    pub(crate) fn snapshot(&mut self) -> Option<(Snapshot, EntryId)> {
        let base = self.id()?;
        let id = self.id()?;
        let conf_state = ConfState {
            voters: self.nodes()?,
            voters_outgoing: self.nodes()?,
            learners: self.nodes()?,
            learners_next: self.nodes()?,
            auto_leave: match self.number()? {
                0 => false,
                1 => true,
                _ => return None,
            },
        };
        Some((Snapshot { id, conf_state, data: self.data() }, base))
    }

    fn id(&mut self) -> Option<EntryId> {
        Some(EntryId::new(Term(self.number()?), Index(self.number()?)))
    }

    fn nodes(&mut self) -> Option<BTreeSet<NodeId>> {
        let mut nodes = BTreeSet::new();
        for _ in 0..self.number()? {
            nodes.insert(NodeId::new(self.number()?)?);
        }
        Some(nodes)
    }

    fn data(&mut self) -> Bytes {
        self.stream.slice_ref(std::mem::take(&mut self.rest))
    }
}
