//! What the log is about: a map, and the commands that change it.

use std::collections::BTreeMap;

use bytes::Bytes;
use raft::{ConfState, Index};

use crate::Error;

/// What a client proposes.
pub struct Put {
    pub key: String,
    pub value: String,
}

impl Put {
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        write_text(&self.key, &mut out);
        write_text(&self.value, &mut out);
        out.into()
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { key: read_text(&mut bytes)?, value: read_text(&mut bytes)? })
    }
}

/// The state that all nodes agree on, after the entry at `applied`.
#[derive(Default)]
pub struct Machine {
    pub applied: Index,
    pub members: ConfState,
    map: BTreeMap<String, String>,
}

impl Machine {
    pub fn put(&mut self, put: Put) {
        self.map.insert(put.key, put.value);
    }

    pub fn get(&self, key: &str) -> Option<String> {
        self.map.get(key).cloned()
    }

    /// The map as the bytes of a snapshot.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        for (key, value) in &self.map {
            write_text(key, &mut out);
            write_text(value, &mut out);
        }
        out.into()
    }

    /// The state that a snapshot holds.
    pub fn restore(snapshot: &raft::Snapshot) -> Result<Self, Error> {
        let mut bytes = snapshot.data.as_ref();
        let mut map = BTreeMap::new();
        while !bytes.is_empty() {
            map.insert(read_text(&mut bytes)?, read_text(&mut bytes)?);
        }
        Ok(Self { applied: snapshot.id.index, members: snapshot.conf_state.clone(), map })
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn read_text(bytes: &mut &[u8]) -> Result<String, Error> {
    let length = bytes.split_off(..8).ok_or("a text is cut short")?;
    let length = usize::try_from(u64::from_le_bytes(length.try_into()?))?;
    let text = bytes.split_off(..length).ok_or("a text is cut short")?;
    Ok(String::from_utf8(text.to_vec())?)
}
