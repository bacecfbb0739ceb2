//! A storage in memory: for tests, for examples, and as the cache of a storage that also writes to a device.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Storage, StorageError, prefix_within};
use crate::membership::ConfState;
use crate::ready::{Ready, StorageAppend};
use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryId, HardState, Index, Term};

/// Why a [`MemStorage`] refuses a write. It is left as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
    /// The log would be compacted further than any snapshot reaches. A follower that is behind could never catch up.
    #[error("cannot compact up to {compacted}, the newest snapshot covers the log only up to {snapshot}")]
    BeyondSnapshot {
        /// The index up to which the log would be compacted.
        compacted: Index,
        /// The index up to which the newest snapshot reaches; zero if there is none.
        snapshot: Index,
    },
    /// The log does not hold the entry.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A [`Storage`] in memory. It reads like etcd's `MemoryStorage`.
///
/// A host [writes](Self::write) to it what each Ready says. When its log gets long, it makes a
/// [snapshot](Self::create_snapshot) of what the application has applied, and then [compacts](Self::compact) the log up
/// to there or to a while before.
///
/// ```
/// use raft::{ConfState, Entry, Index, MemStorage, Storage, Term};
/// let entry = |index| Entry { term: Term(1), index: Index(index), ..Entry::default() };
/// let mut storage = MemStorage::new();
/// storage.append(&[entry(1), entry(2), entry(3)])?;
/// storage.create_snapshot(Index(2), ConfState::default(), "the state after entry 2".into())?;
/// storage.compact(Index(2))?;
/// assert_eq!((storage.first_index(), storage.last_index()), (Index(3), Index(3)));
/// assert_eq!(storage.term(Index(2)), Ok(Term(1)));
/// # Ok::<(), raft::MemStorageError>(())
/// ```
#[derive(Clone, Hash, Debug, Default)]
pub struct MemStorage {
    hard_state: HardState,
    snapshot: Arc<Snapshot>,
    /// A newer snapshot that the application made and keeps elsewhere.
    offered: Option<Box<Snapshot>>,
    /// A membership that is newer than the snapshot's, and the entry after which it holds.
    membership: Option<Box<(Index, ConfState)>>,
    /// The last entry that was compacted away, or that the snapshot covers: the log is matched with it.
    compacted: EntryId,
    /// What follows `compacted`, without a gap.
    entries: VecDeque<Entry>,
}

impl MemStorage {
    /// An empty log of a cluster without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty log whose cluster starts out with this membership.
    pub fn with_conf_state(conf_state: ConfState) -> Self {
        Self::from_snapshot(Snapshot { conf_state, ..Snapshot::default() })
    }

    /// An empty log that goes on after `snapshot`.
    pub fn from_snapshot(snapshot: Snapshot) -> Self {
        Self { compacted: snapshot.id, snapshot: snapshot.into(), ..Self::default() }
    }

    /// Writes what a Ready says, in the order that it asks for: a snapshot replaces the log, entries follow, and the hard
    /// state, which may call them committed, comes last. Writing the same Ready again changes nothing.
    ///
    /// Memory survives nothing, so that [`must_sync`](Ready::must_sync) means nothing here. A host that has a device
    /// writes the three there first, in the same order, waits for an fsync where `must_sync` is set or there is a
    /// snapshot, and mirrors them here for the node to read. Only then may the Ready's messages leave.
    ///
    /// ```
    /// use raft::{ConfState, Config, MemStorage, NodeId, RawNode};
    /// let id = NodeId::new(1).unwrap();
    /// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
    /// let mut node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(alone))?;
    /// node.campaign();
    /// while let Some(ready) = node.ready() {
    ///     node.storage_mut().write(&ready)?;
    ///     // Here messages are sent, and a snapshot and committed entries are applied.
    ///     node.advance(ready)?;
    /// }
    /// assert_eq!(node.storage().hard_state().vote, Some(id));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`apply_snapshot`](Self::apply_snapshot) and [`append`](Self::append): for a Ready of another node, or one that
    /// comes out of turn. What was written before the refused part stays.
    pub fn write(&mut self, ready: &Ready) -> Result<(), MemStorageError> {
        self.write_in_order(ready.snapshot.as_ref(), &ready.entries, ready.hard_state)
    }

    /// As [`write`](Self::write), for the append thread's work with asynchronous storage writes.
    ///
    /// # Errors
    /// As `write`.
    pub fn write_append(&mut self, append: &StorageAppend) -> Result<(), MemStorageError> {
        self.write_in_order(append.snapshot.as_ref(), &append.entries, append.hard_state)
    }

    fn write_in_order(
        &mut self,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
        hard_state: Option<HardState>,
    ) -> Result<(), MemStorageError> {
        if let Some(snapshot) = snapshot.filter(|snapshot| snapshot.id != self.snapshot.id) {
            self.apply_snapshot(snapshot.clone())?;
        }
        self.append(entries)?;
        if let Some(hard_state) = hard_state {
            self.set_hard_state(hard_state);
        }
        Ok(())
    }

    /// Replaces the hard state. Never before the entries of the same Ready are written: it may say that they are
    /// committed, and a node does not start from a commit index beyond its log.
    pub fn set_hard_state(&mut self, hard_state: HardState) {
        self.hard_state = hard_state;
    }

    /// Replaces everything from the index of the first of `entries` on by `entries`. Those that are compacted already
    /// are skipped.
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

    /// Replaces the whole log by `snapshot`. An empty storage also takes a snapshot at index zero, which brings only
    /// its first membership.
    ///
    /// # Errors
    /// [`MemStorageError::SnapshotOutOfDate`] where the stored one covers as much.
    pub fn apply_snapshot(&mut self, snapshot: Snapshot) -> Result<(), MemStorageError> {
        if snapshot.id.index > Index::ZERO || self.last_index() > Index::ZERO {
            self.check_newer(snapshot.id.index)?;
        }
        self.compacted = snapshot.id;
        self.entries.clear();
        self.snapshot = snapshot.into();
        self.offered = None;
        self.membership = None;
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
        self.snapshot = Snapshot { id, conf_state, data }.into();
        self.offered = None;
        self.membership.take_if(|membership| membership.0 <= index);
        Ok(&self.snapshot)
    }

    /// Sets the membership after the entry at `index`. A restart begins with it, unless a snapshot has a newer one.
    /// This is for applications that keep what they applied, and the membership with it, without making snapshots.
    ///
    /// ```
    /// use raft::{ConfState, Index, MemStorage, NodeId, Storage};
    /// let mut storage = MemStorage::new();
    /// let members = ConfState { voters: [NodeId::new(1).unwrap()].into(), ..ConfState::default() };
    /// storage.set_conf_state(Index(3), members.clone());
    /// let (_, stored) = storage.initial_state()?;
    /// assert_eq!((stored, storage.conf_state_index()), (members, Some(Index(3))));
    /// # Ok::<(), raft::StorageError>(())
    /// ```
    pub fn set_conf_state(&mut self, index: Index, conf_state: ConfState) {
        self.membership = (index > self.snapshot.id.index).then(|| Box::new((index, conf_state)));
    }

    /// Replaces the snapshot that is handed out next, for applications that keep their snapshots elsewhere. The log
    /// and the membership that a restart begins with stay those of the stored one.
    pub fn set_snapshot(&mut self, snapshot: Snapshot) {
        self.offered = Some(Box::new(snapshot));
    }

    /// Drops the entries up to and including the one at `index`, of which only the term is kept. Followers that are
    /// further behind will be sent the newest snapshot, so it has to reach that far.
    ///
    /// A host must not compact beyond what its node was told is applied, [`BasicStatus::applied`](crate::BasicStatus::applied),
    /// even where its application has applied more: see [`Storage`](super::Storage#compaction).
    ///
    /// # Errors
    /// In [`MemStorageError::Storage`], [`StorageError::Compacted`] where that happened before and
    /// [`StorageError::Unavailable`] beyond the last entry; [`MemStorageError::BeyondSnapshot`] where no snapshot
    /// [made](Self::create_snapshot), [received](Self::apply_snapshot) or [offered](Self::set_snapshot) covers the entry.
    pub fn compact(&mut self, index: Index) -> Result<(), MemStorageError> {
        if index <= self.compacted.index {
            return Err(StorageError::Compacted.into());
        }
        let id = EntryId::new(self.term(index)?, index);
        let offered = self.offered.as_ref().map_or(Index::ZERO, |offered| offered.id.index);
        let snapshot = self.snapshot.id.index.max(offered);
        if index > snapshot {
            return Err(MemStorageError::BeyondSnapshot { compacted: index, snapshot });
        }
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
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        let newest = self.membership.as_ref().map_or(&self.snapshot.conf_state, |membership| &membership.1);
        Ok((self.hard_state, newest.clone()))
    }

    fn conf_state_index(&self) -> Option<Index> {
        Some(self.membership.as_ref().map_or(self.snapshot.id.index, |membership| membership.0))
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        let mut entries = Vec::new();
        self.read_entries(low, high, max_size, &mut entries).map(|()| entries)
    }

    fn read_entries(&self, low: Index, high: Index, max_size: u64, into: &mut Vec<Entry>) -> Result<(), StorageError> {
        if low <= self.compacted.index {
            return Err(StorageError::Compacted);
        }
        if high > self.last_index().next() {
            return Err(StorageError::Unavailable);
        }
        let first = low.since(self.first_index()) as usize;
        let asked = self.entries.range(first..first + high.since(low) as usize);
        let count = prefix_within(asked.clone(), max_size);
        into.reserve_exact(count);
        into.extend(asked.take(count).cloned());
        Ok(())
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
        Ok(self.offered.as_deref().unwrap_or(&self.snapshot).clone())
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
