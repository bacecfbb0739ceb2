//! The storage that raft-rs reads.

use raft::{Entry, Index, MemStorage, Snapshot, Storage as _, StorageError as Ours};
use raft_rs::eraftpb;
use raft_rs::util::limit_size;
use raft_rs::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

use crate::convert::{conf_state_to_theirs, entry_to_theirs, hard_state_to_theirs, snapshot_to_theirs};

/// What is written of a log, and on top of it what the Ready that is out asks to be written.
///
/// raft-rs wants to read what a Ready holds as soon as the Ready is taken up (`advance_append_async`: "it's still required that
/// the updates can be read by raft from the `Storage` trait"), and whoever runs it keeps that in a cache until it is durable.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) written: MemStorage,
    pub(crate) handed: Handed,
}

/// What the Ready that is out asks to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handed {
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) entries: Vec<Entry>,
}

impl Shelf {
    pub(crate) fn new(written: MemStorage) -> Self {
        Self { written, handed: Handed::default() }
    }

    fn first(&self) -> Index {
        let first = self.written.first_index();
        self.handed.snapshot.as_ref().map_or(first, |snapshot| snapshot.id.index.next().max(first))
    }

    fn last(&self) -> Index {
        let Handed { snapshot, entries } = &self.handed;
        let restored = snapshot.as_ref().map(|snapshot| snapshot.id.index);
        let handed = entries.last().map(|entry| entry.index).or(restored);
        handed.unwrap_or_else(|| self.written.last_index())
    }

    /// The entry at this index, if it is not forgotten.
    fn entry(&self, index: Index) -> Option<Entry> {
        let Handed { snapshot, entries } = &self.handed;
        if let Some(first) = entries.first()
            && index >= first.index
        {
            return entries.get(usize::try_from(index.since(first.index)).ok()?).cloned();
        }
        if snapshot.is_some() {
            return None;
        }
        let position = usize::try_from(index.since(self.written.first_index())).ok()?;
        self.written.stored().nth(position).cloned()
    }
}

impl Storage for Shelf {
    fn initial_state(&self) -> Result<RaftState> {
        let (hard_state, conf_state) = self.written.initial_state().map_err(error)?;
        Ok(RaftState::new(hard_state_to_theirs(hard_state), conf_state_to_theirs(&conf_state)))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> Result<Vec<eraftpb::Entry>> {
        if Index(low) < self.first() {
            return Err(StorageError::Compacted.into());
        }
        assert!(high <= self.last().0 + 1, "entries up to {high} are asked for, and the log ends at {}", self.last());
        let mut entries = Vec::new();
        for index in (low..high).map(Index) {
            let entry = self.entry(index).ok_or(StorageError::Unavailable)?;
            entries.push(entry_to_theirs(&entry).map_err(|error| StorageError::Other(Box::new(error)))?);
        }
        limit_size(&mut entries, max_size.into());
        Ok(entries)
    }

    fn term(&self, index: u64) -> Result<u64> {
        let index = Index(index);
        if let Some(snapshot) = &self.handed.snapshot {
            if index == snapshot.id.index {
                return Ok(snapshot.id.term.0);
            }
            if index < snapshot.id.index {
                return Err(StorageError::Compacted.into());
            }
        }
        let handed = self.handed.entries.first().is_some_and(|first| index >= first.index);
        if handed || self.handed.snapshot.is_some() {
            return self.entry(index).map(|entry| entry.term.0).ok_or_else(|| StorageError::Unavailable.into());
        }
        self.written.term(index).map(|term| term.0).map_err(error)
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.first().0)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last().0)
    }

    fn snapshot(&self, request_index: u64, _: u64) -> Result<eraftpb::Snapshot> {
        let stored = self.written.snapshot().map_err(error)?;
        let snapshot = self.handed.snapshot.as_ref().filter(|handed| handed.id.index > stored.id.index);
        let snapshot = snapshot.unwrap_or(&stored);
        // None was made that would do: not one from before the log begins, either.
        let is_of_use = snapshot.id.index.0 >= request_index.max(1) && snapshot.id.index.next() >= self.first();
        if !is_of_use {
            return Err(StorageError::SnapshotTemporarilyUnavailable.into());
        }
        Ok(snapshot_to_theirs(snapshot))
    }
}

fn error(ours: Ours) -> Error {
    let theirs = match ours {
        Ours::Compacted => StorageError::Compacted,
        Ours::Unavailable => StorageError::Unavailable,
        Ours::SnapshotTemporarilyUnavailable => StorageError::SnapshotTemporarilyUnavailable,
        other => StorageError::Other(Box::new(other)),
    };
    theirs.into()
}
