//! The log as the node sees it: what the storage holds, below what is not yet known to be durable, and how far of it
//! is committed and applied.
//!
//! Always `applied <= applying <= committed <= last_index`. Committed entries are never overwritten: the methods that
//! could do so assert that they do not, since the caller has refused such input by then.

mod applying;
mod matching;
mod reading;
#[cfg(test)]
mod tests;
mod unstable;
mod writes;

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use crate::planted::{Bug, planted};
use crate::snapshot::Snapshot;
use crate::storage::{Storage, StorageError, StorageFailure};
use crate::types::{Entry, EntryId, Index, Term};
use applying::Applying;
use unstable::Unstable;
use writes::Writes;

/// The stable log in the storage and the unstable log in memory, as one.
#[derive(Clone, Debug)]
pub(crate) struct RaftLog<S: Storage> {
    storage: S,
    unstable: Unstable,
    writes: Writes,
    committed: Index,
    applying: Applying,
    ends_with_storage: bool,
    /// The first failure of the storage. Reading it is no change of the log, so it is noted behind a shared reference.
    failure: OnceLock<StorageFailure>,
}

/// Of a storage that failed, that it did: why is for people.
impl<S: Storage + Hash> Hash for RaftLog<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { storage, unstable, writes, committed, applying, ends_with_storage, failure } = self;
        (storage, unstable, writes, committed, applying, ends_with_storage, failure.get().is_some()).hash(state);
    }
}

impl<S: Storage> RaftLog<S> {
    /// The log that `storage` holds, committed and applied up to where it was compacted. At most `max_applying_size`
    /// encoded bytes (at least 1) of committed entries are handed out and not yet applied.
    pub(crate) fn new(storage: S, max_applying_size: u64) -> Self {
        let compacted = storage.first_index().previous();
        let unstable = Unstable::new(storage.last_index().next());
        let applying = Applying::new(compacted, max_applying_size);
        Self {
            storage,
            unstable,
            writes: Writes::default(),
            committed: compacted,
            applying,
            ends_with_storage: false,
            failure: OnceLock::new(),
        }
    }

    /// While nothing is unstable, the log ends where the storage says, as etcd's does. The two differ only if a leader
    /// contradicts itself, so that the node takes entries for stored that are not, or if the storage lost some, which
    /// then goes unnoticed.
    pub(crate) fn end_with_storage(&mut self) {
        self.ends_with_storage = true;
    }

    /// Sets the commit index that the storage's hard state says. The caller has checked that it lies in the log.
    pub(crate) fn load(&mut self, committed: Index) {
        self.commit_to(committed);
    }

    /// Starts after what the application applied before the restart.
    pub(crate) fn start_applied(&mut self, index: Index) {
        self.applied_to(index, 0);
    }

    /// The failure that ends the node. Whatever was read since is not to be trusted.
    pub(crate) fn failure(&self) -> Option<&StorageFailure> {
        self.failure.get()
    }

    /// Reads from the storage, and notes where that fails.
    fn read<T>(&self, read: impl FnOnce(&S) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let result = read(&self.storage);
        if let Err(StorageError::Failed(failure)) = &result {
            self.failure.get_or_init(|| failure.clone());
        }
        result
    }

    pub(crate) fn storage(&self) -> &S {
        &self.storage
    }

    pub(crate) fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// The index up to which the log is known to be on a quorum.
    pub(crate) fn committed(&self) -> Index {
        self.committed
    }

    /// The index up to which the application has applied the log.
    pub(crate) fn applied(&self) -> Index {
        self.applying.applied()
    }

    /// The index up to which the application was given entries to apply.
    pub(crate) fn applying(&self) -> Index {
        self.applying.handed_out()
    }

    /// The first index whose entry is at hand; one beyond the last where there is none.
    pub(crate) fn first_index(&self) -> Index {
        match self.unstable.snapshot() {
            Some(snapshot) => snapshot.id.index.next(),
            None => self.storage.first_index(),
        }
    }

    /// The index of the last entry, or of the snapshot that nothing follows yet.
    pub(crate) fn last_index(&self) -> Index {
        if self.ends_with_storage && self.unstable.is_empty() {
            return self.storage.last_index();
        }
        // Never asks the storage: it holds what lies below the unstable log, or more that is about to be overwritten.
        self.unstable.end().previous()
    }

    /// The identity of the last entry, or of what the snapshot or the compaction left in its place.
    pub(crate) fn last_id(&self) -> EntryId {
        let index = self.last_index();
        match self.term(index) {
            Ok(term) => EntryId::new(term, index),
            Err(StorageError::Failed(_)) => EntryId::new(Term::ZERO, index),
            Err(error) => panic!("the storage does not know the term of its last entry {index}: {error}"),
        }
    }

    /// As [`last_id`](Self::last_id), with term zero where the storage does not know it. For those who only look.
    pub(crate) fn last_known_id(&self) -> EntryId {
        let index = self.last_index();
        EntryId::new(self.term_or_zero(index), index)
    }

    /// The term of the entry at `index`, known from the one before the first to the last.
    pub(crate) fn term(&self, index: Index) -> Result<Term, StorageError> {
        if let Some(term) = self.unstable.term(index) {
            return Ok(term);
        }
        if index < self.first_index().previous() {
            return Err(StorageError::Compacted);
        }
        if index > self.last_index() {
            return Err(StorageError::Unavailable);
        }
        match self.unstable.stable_term(index) {
            Some(term) => Ok(term),
            None => self.read(|storage| storage.term(index)),
        }
    }

    /// The term at `index`; zero where it is not known.
    pub(crate) fn term_or_zero(&self, index: Index) -> Term {
        self.term(index).unwrap_or(Term::ZERO)
    }

    /// Raises the commit index to `index`; never lowers it.
    pub(crate) fn commit_to(&mut self, index: Index) {
        if index <= self.committed && !planted(Bug::CommitRegress) {
            return;
        }
        let last = self.last_index();
        assert!(index <= last, "commit index {index} is beyond the last index {last}");
        self.committed = index;
    }

    /// Commits up to the entry `id` where it is in the log and not yet committed, and says whether it did.
    pub(crate) fn maybe_commit(&mut self, id: EntryId) -> bool {
        // An unknown term counts as zero, and must not match a zero.
        let commits = id.index > self.committed && id.term != Term::ZERO && self.term_or_zero(id.index) == id.term;
        if commits {
            self.commit_to(id.index);
        }
        commits
    }

    /// Replaces the whole log by `snapshot`. Applied and applying stay until the application has restored it.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) {
        let kept = match planted(Bug::SnapshotKeepsConflictTail) {
            false => Vec::new(),
            true => self.entries(snapshot.id.index.next(), u64::MAX).unwrap_or_default(),
        };
        self.committed = snapshot.id.index;
        self.writes.overwrite(Index::ZERO);
        self.unstable.restore(snapshot);
        self.append(kept);
    }

    /// The newest snapshot: the one that is being restored, otherwise that of the storage.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, StorageError> {
        match self.unstable.snapshot() {
            Some(snapshot) => Ok(snapshot.clone()),
            None => self.read(Storage::snapshot),
        }
    }

    /// The entries that are to be written and were not handed out yet.
    pub(crate) fn next_unstable_entries(&self) -> &[Entry] {
        self.unstable.next_entries()
    }

    pub(crate) fn has_next_unstable_entries(&self) -> bool {
        self.unstable.has_next_entries()
    }

    /// The last entry before those that are not known to be durable.
    pub(crate) fn last_stable_index(&self) -> Index {
        self.unstable.offset().previous()
    }

    /// Whether any entry is not known to be durable.
    pub(crate) fn has_next_or_in_progress_unstable_entries(&self) -> bool {
        self.unstable.has_entries()
    }

    /// The snapshot that is to be written and was not handed out yet.
    pub(crate) fn next_unstable_snapshot(&self) -> Option<&Snapshot> {
        self.unstable.next_snapshot()
    }

    /// Whether a snapshot is not known to be written.
    pub(crate) fn has_next_or_in_progress_snapshot(&self) -> bool {
        self.unstable.snapshot().is_some()
    }

    /// Notes that everything unstable was handed out to be written.
    pub(crate) fn accept_unstable(&mut self) {
        self.unstable.accept_in_progress();
    }

    /// Notes that all of the log was handed out in `term` to be written, and returns the entry by which that write is
    /// to be reported; `None` if every entry is known to be durable.
    pub(crate) fn hand_out_write(&mut self, term: Term) -> Option<EntryId> {
        if !self.has_next_or_in_progress_unstable_entries() {
            return None;
        }
        let last = self.last_id();
        self.writes.hand_out(term, last);
        Some(last)
    }

    /// Takes the report of a write that was handed out in `term`, when the log ended with `last`. Returns whether
    /// nothing of the write was overwritten since; otherwise the report says nothing about this log.
    pub(crate) fn report_write(&mut self, term: Term, last: EntryId) -> bool {
        self.writes.report(term, last)
    }

    /// Notes that the log up to the entry `id` is durable; ignored where that entry is no longer in the unstable log.
    pub(crate) fn stable_to(&mut self, id: EntryId) {
        self.unstable.stable_to(id);
    }

    /// Gives back memory that a burst of entries has left.
    pub(crate) fn release_memory(&mut self) {
        self.unstable.release_memory();
        self.writes.release_memory();
    }

    /// Notes that the snapshot at `index` is written; ignored where another one has replaced it.
    pub(crate) fn stable_snapshot_to(&mut self, index: Index) {
        self.unstable.stable_snapshot_to(index);
    }
}
