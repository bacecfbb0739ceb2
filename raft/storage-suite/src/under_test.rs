//! What a host does to a storage, beside the reads that the node knows.

use std::fmt;

use bytes::Bytes;
use raft::{ConfState, Entry, HardState, Index, MemStorage, MemStorageError, Snapshot, Storage};

/// A storage with the writes of its host. What [`raft::Storage`] leaves to each implementation stands here in the form in which a
/// host needs it, so that the suite can call it.
///
/// The suite calls these as a host does that follows [`raft::Ready`]: entries follow the log and overwrite nothing committed, the
/// commit index never lies beyond the log. Beyond that it tries, now and then, what a storage must not follow: an older snapshot,
/// and a compaction further than the newest snapshot reaches. To those it may answer with an error, or do nothing.
pub trait StorageUnderTest: Storage {
    /// Why a write did not succeed.
    type Error: fmt::Display;

    /// Writes what a Ready says, in this order: the snapshot replaces the whole log, the entries take the place of everything
    /// from the first one's index on, the hard state replaces the one before. It need not be durable before a [`sync`](Self::sync).
    ///
    /// # Errors
    /// The storage failed, or the snapshot is not newer than the one that is stored.
    fn write(
        &mut self,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
        hard_state: Option<HardState>,
    ) -> Result<(), Self::Error>;

    /// Makes all that was written durable: no crash takes it back.
    ///
    /// # Errors
    /// The storage failed.
    fn sync(&mut self) -> Result<(), Self::Error>;

    /// Takes the application's state after the entry at `index`, and the membership then, as the newest snapshot. The log stays.
    ///
    /// # Errors
    /// The storage failed, or has a snapshot that reaches as far.
    fn create_snapshot(&mut self, index: Index, members: &ConfState, data: Bytes) -> Result<(), Self::Error>;

    /// Forgets the entries up to `index`. The term of the last one stays known.
    ///
    /// # Errors
    /// The storage failed, or no snapshot reaches as far.
    fn compact(&mut self, index: Index) -> Result<(), Self::Error>;
}

/// Memory has nothing to sync.
impl StorageUnderTest for MemStorage {
    type Error = MemStorageError;

    fn write(
        &mut self,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
        hard_state: Option<HardState>,
    ) -> Result<(), Self::Error> {
        if let Some(snapshot) = snapshot {
            self.apply_snapshot(snapshot.clone())?;
        }
        self.append(entries)?;
        if let Some(hard_state) = hard_state {
            self.set_hard_state(hard_state);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn create_snapshot(&mut self, index: Index, members: &ConfState, data: Bytes) -> Result<(), Self::Error> {
        Self::create_snapshot(self, index, members.clone(), data).map(|_| ())
    }

    fn compact(&mut self, index: Index) -> Result<(), Self::Error> {
        Self::compact(self, index)
    }
}
