//! A storage in memory: for tests, for examples, and as the cache of a storage that also writes to a device.

use std::collections::VecDeque;

use super::{Storage, StorageError, prefix_within};
use crate::membership::ConfState;
use crate::types::{Entry, EntryId, HardState, Index, Snapshot, Term};

/// Why a [`MemStorage`] refuses a write. It is left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemStorageError {
    /// The snapshot is not newer than the one that is stored.
    #[error("snapshot {offered} is not newer than the stored one, {stored}")]
    SnapshotOutOfDate {
        /// The index of the refused snapshot.
        offered: Index,
        /// The index of the stored snapshot.
        stored: Index,
    },
    /// The entries do not follow the log, or one another.
    #[error("entry {found} leaves a gap, {expected} comes next")]
    Gap {
        /// The index of the entry that does not follow.
        found: Index,
        /// The index that would follow.
        expected: Index,
    },
    /// The log does not hold the entry.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A [`Storage`] in memory. It reads like etcd's `MemoryStorage`.
///
/// ```
/// use raft::{Entry, Index, MemStorage, Storage, Term};
/// let entry = |index| Entry { term: Term(1), index: Index(index), ..Entry::default() };
/// let mut storage = MemStorage::new();
/// storage.append(&[entry(1), entry(2), entry(3)])?;
/// storage.compact(Index(2))?;
/// assert_eq!((storage.first_index(), storage.last_index()), (Index(3), Index(3)));
/// assert_eq!(storage.term(Index(2)), Ok(Term(1)));
/// # Ok::<(), raft::MemStorageError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemStorage {
    hard_state: HardState,
    snapshot: Snapshot,
    /// A newer one that the application made and keeps elsewhere.
    offered: Option<Snapshot>,
    /// The last entry that was compacted away, or that the snapshot covers: the log is matched with it.
    compacted: EntryId,
    /// What follows `compacted`, without a gap.
    entries: VecDeque<Entry>,
}

impl MemStorage {
    /// An empty log, with nobody in the cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty log whose cluster starts out with this membership.
    pub fn with_conf_state(conf_state: ConfState) -> Self {
        Self::from_snapshot(Snapshot { conf_state, ..Snapshot::default() })
    }

    /// An empty log that goes on after `snapshot`.
    pub fn from_snapshot(snapshot: Snapshot) -> Self {
        Self { compacted: snapshot.id, snapshot, ..Self::default() }
    }

    /// Replaces the hard state.
    pub fn set_hard_state(&mut self, hard_state: HardState) {
        self.hard_state = hard_state;
    }

    /// Puts `entries` in the place of everything from the first one's index on. Those that are compacted already are
    /// skipped.
    ///
    /// # Errors
    /// [`MemStorageError::Gap`] where they do not follow the log or one another.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), MemStorageError> {
        let Some(first) = entries.first() else { return Ok(()) };
        check_follows(entries, first.index.min(self.last_index().next()))?;
        let skipped = self.first_index().since(first.index) as usize;
        let Some(kept) = entries.get(skipped..).filter(|kept| !kept.is_empty()) else { return Ok(()) };
        self.entries.truncate(kept[0].index.since(self.first_index()) as usize);
        self.entries.extend(kept.iter().cloned());
        Ok(())
    }

    /// Replaces the whole log by `snapshot`.
    ///
    /// # Errors
    /// [`MemStorageError::SnapshotOutOfDate`] where the stored one covers as much.
    pub fn apply_snapshot(&mut self, snapshot: Snapshot) -> Result<(), MemStorageError> {
        self.check_newer(snapshot.id.index)?;
        self.compacted = snapshot.id;
        self.entries.clear();
        self.snapshot = snapshot;
        self.offered = None;
        Ok(())
    }

    /// Makes the snapshot that covers the log up to `index`: `conf_state` and `data` are the membership and the
    /// application's state after that entry. The log stays; see [`compact`](Self::compact).
    ///
    /// # Errors
    /// [`MemStorageError::SnapshotOutOfDate`] where the stored snapshot covers as much, and
    /// [`MemStorageError::Storage`] where the log does not hold the entry.
    pub fn create_snapshot(
        &mut self,
        index: Index,
        conf_state: ConfState,
        data: bytes::Bytes,
    ) -> Result<&Snapshot, MemStorageError> {
        self.check_newer(index)?;
        let id = EntryId::new(self.term(index)?, index);
        self.snapshot = Snapshot { id, conf_state, data };
        self.offered = None;
        Ok(&self.snapshot)
    }

    /// Replaces the snapshot that is handed out next, for applications that keep their snapshots elsewhere. The log
    /// and the membership that a restart begins with stay those of the stored one.
    pub fn set_snapshot(&mut self, snapshot: Snapshot) {
        self.offered = Some(snapshot);
    }

    /// Drops the entries up to and with `index`, of which only the term is kept. Followers that are further behind will need
    /// a snapshot.
    ///
    /// A host must not compact beyond what its node was told is applied, [`BasicStatus::applied`](crate::BasicStatus::applied),
    /// even where its application has applied more: see [`Storage`](super::Storage#compaction).
    ///
    /// # Errors
    /// [`StorageError::Compacted`] where that happened before, [`StorageError::Unavailable`] beyond the last entry.
    pub fn compact(&mut self, index: Index) -> Result<(), StorageError> {
        if index <= self.compacted.index {
            return Err(StorageError::Compacted);
        }
        let id = EntryId::new(self.term(index)?, index);
        self.entries.drain(..index.since(self.compacted.index) as usize);
        self.compacted = id;
        Ok(())
    }

    /// The entries of the log, in order.
    pub fn stored(&self) -> impl ExactSizeIterator<Item = &Entry> + DoubleEndedIterator {
        self.entries.iter()
    }

    /// The hard state.
    pub fn hard_state(&self) -> HardState {
        self.hard_state
    }

    fn check_newer(&self, offered: Index) -> Result<(), MemStorageError> {
        let stored = self.snapshot.id.index;
        if offered > stored { Ok(()) } else { Err(MemStorageError::SnapshotOutOfDate { offered, stored }) }
    }
}

impl Storage for MemStorage {
    fn initial_state(&self) -> (HardState, ConfState) {
        (self.hard_state, self.snapshot.conf_state.clone())
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        if low <= self.compacted.index {
            return Err(StorageError::Compacted);
        }
        if high > self.last_index().next() {
            return Err(StorageError::Unavailable);
        }
        let first = low.since(self.first_index()) as usize;
        let asked = self.entries.iter().skip(first).take(high.since(low) as usize);
        Ok(asked.clone().take(prefix_within(asked, max_size)).cloned().collect())
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        if index < self.compacted.index {
            return Err(StorageError::Compacted);
        }
        if index == self.compacted.index {
            return Ok(self.compacted.term);
        }
        let position = index.since(self.first_index()) as usize;
        self.entries.get(position).map(|entry| entry.term).ok_or(StorageError::Unavailable)
    }

    fn first_index(&self) -> Index {
        self.compacted.index.next()
    }

    fn last_index(&self) -> Index {
        self.compacted.index.plus(self.entries.len() as u64)
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        Ok(self.offered.as_ref().unwrap_or(&self.snapshot).clone())
    }
}

/// Whether `entries` have the indexes `expected`, `expected + 1`, ….
fn check_follows(entries: &[Entry], mut expected: Index) -> Result<(), MemStorageError> {
    for entry in entries {
        if entry.index != expected {
            return Err(MemStorageError::Gap { found: entry.index, expected });
        }
        expected = expected.next();
    }
    Ok(())
}
