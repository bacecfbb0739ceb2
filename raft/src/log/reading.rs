//! Reading entries back, from the storage and from memory: for followers, for the application, and to look for
//! membership changes.

use super::RaftLog;
use crate::membership::ConfChangeV2;
use crate::storage::{Storage, StorageError, prefix_within};
use crate::types::{Entry, EntryKind, Index};

impl<S: Storage> RaftLog<S> {
    /// The entries from `from` on, as many as fit into `max_size` encoded bytes but at least one; none beyond the last.
    pub(crate) fn entries(&self, from: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        let end = self.last_index().next();
        if from >= end { Ok(Vec::new()) } else { self.slice(from, end, max_size) }
    }

    /// The entries in `[low, high)`, as many as fit into `max_size` encoded bytes but at least one.
    ///
    /// Fails only with [`StorageError::Compacted`] or [`StorageError::Failed`]; the caller has checked that `high` is not beyond the log.
    pub(crate) fn slice(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        if low >= self.unstable.offset() {
            return Ok(self.unstable_slice(low, high, max_size).to_vec());
        }
        let mut entries = Vec::new();
        self.slice_into(low, high, max_size, &mut entries).map(|()| entries)
    }

    /// The same, where all of it is in memory.
    fn unstable_slice(&self, low: Index, high: Index, max_size: u64) -> &[Entry] {
        let entries = self.unstable.slice(low, high);
        &entries[..prefix_within(entries, max_size)]
    }

    /// The same, added to `entries`, which is empty.
    fn slice_into(&self, low: Index, high: Index, max_size: u64, entries: &mut Vec<Entry>) -> Result<(), StorageError> {
        let end = self.last_index().next();
        assert!(low <= high && high <= end, "[{low}, {high}) reaches beyond the log, which ends before {end}");
        if low < self.first_index() {
            return Err(StorageError::Compacted);
        }
        let offset = self.unstable.offset();
        if low >= offset {
            let unstable = self.unstable_slice(low, high, max_size);
            entries.reserve_exact(unstable.len());
            entries.extend_from_slice(unstable);
            return Ok(());
        }
        self.read_stored(low, high.min(offset), max_size, entries)?;
        if high > offset && entries.len() as u64 == offset.since(low) {
            self.extend_from_unstable(entries, high, max_size);
        }
        Ok(())
    }

    fn read_stored(
        &self,
        low: Index,
        high: Index,
        max_size: u64,
        entries: &mut Vec<Entry>,
    ) -> Result<(), StorageError> {
        let read = self.read(|storage| storage.read_entries(low, high, max_size, entries));
        assert_ne!(read, Err(StorageError::Unavailable), "the storage lost entries of [{low}, {high})");
        read
    }

    /// Adds to `entries`, which end where the unstable log begins, those that still fit.
    fn extend_from_unstable(&self, entries: &mut Vec<Entry>, high: Index, max_size: u64) {
        let size = encoded_size(entries);
        let unstable = self.unstable.slice(self.unstable.offset(), high);
        let first_fits = unstable.first().is_some_and(|first| size.saturating_add(first.encoded_size()) <= max_size);
        if first_fits {
            entries.extend_from_slice(&unstable[..prefix_within(unstable, max_size - size)]);
        }
    }

    /// Adds to `entries`, which is empty, the committed ones that the application is to apply next. With `allow_unstable`, also
    /// those that are not yet known to be durable here; a quorum has them durably.
    pub(crate) fn read_next_committed(&self, allow_unstable: bool, entries: &mut Vec<Entry>) {
        let Some((quota, end)) = self.next_committed(allow_unstable) else { return };
        let low = self.applying().next();
        match self.slice_into(low, end.next(), quota, entries) {
            Ok(()) => {}
            Err(StorageError::Failed(_)) => entries.clear(),
            Err(error) => panic!("the storage lost entries from {low} on that are not applied yet: {error}"),
        }
    }

    #[cfg(test)]
    pub(crate) fn next_committed_entries(&self, allow_unstable: bool) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.read_next_committed(allow_unstable, &mut entries);
        entries
    }

    /// Whether [`read_next_committed`](Self::read_next_committed) finds any.
    pub(crate) fn has_next_committed_entries(&self, allow_unstable: bool) -> bool {
        self.next_committed(allow_unstable).is_some()
    }

    /// How many bytes may be handed out, and the last entry that may be; `None` where nothing may. While a snapshot
    /// waits to be restored nothing may, so that it is clear what comes first.
    fn next_committed(&self, allow_unstable: bool) -> Option<(u64, Index)> {
        let quota = self.applying.quota()?;
        let end = self.max_appliable_index(allow_unstable);
        (!self.has_next_or_in_progress_snapshot() && self.applying() < end).then_some((quota, end))
    }

    fn max_appliable_index(&self, allow_unstable: bool) -> Index {
        if allow_unstable { self.committed } else { self.committed.min(self.unstable.offset().previous()) }
    }

    /// Notes that the application was given the entries up to `index`, `size` encoded bytes.
    pub(crate) fn accept_applying(&mut self, index: Index, size: u64, allow_unstable: bool) {
        let committed = self.committed;
        assert!(index <= committed, "entry {index} was handed out, but only {committed} is committed");
        let available = self.max_appliable_index(allow_unstable);
        self.applying.hand_out(index, size, available);
    }

    /// Notes that the application has applied the entries up to `index`, `size` encoded bytes.
    pub(crate) fn applied_to(&mut self, index: Index, size: u64) {
        let (applied, committed) = (self.applied(), self.committed);
        assert!(applied <= index && index <= committed, "applied {index} is not within [{applied}, {committed}]");
        self.applying.apply(index, size);
    }

    /// The membership changes in `[low, high)`, as far as the log still has them. One that does not decode is skipped, as
    /// it is when it is applied.
    pub(crate) fn conf_changes_in(&self, mut low: Index, high: Index) -> Vec<(Index, ConfChangeV2)> {
        let mut changes = Vec::new();
        while low < high {
            let Ok(page) = self.slice(low, high, self.applying.max_size()) else { break };
            let decoded = |entry: &Entry| Some((entry.index, entry.conf_change().ok()??.into_v2()));
            changes.extend(page.iter().filter_map(decoded));
            low = low.plus(page.len() as u64);
        }
        changes
    }

    /// Whether an entry in `[low, high)` changes the membership. Where the storage no longer has the entries the answer
    /// is yes, which is the careful one.
    pub(crate) fn has_conf_change_in(&self, low: Index, high: Index) -> bool {
        let offset = self.unstable.offset();
        let unstable_low = low.max(offset);
        let in_memory = unstable_low < high && contains_conf_change(self.unstable.slice(unstable_low, high));
        in_memory || self.stored_conf_change_in(low, high.min(offset))
    }

    /// Reads a page at a time, since the range may be long.
    fn stored_conf_change_in(&self, mut low: Index, high: Index) -> bool {
        while low < high {
            match self.slice(low, high, self.applying.max_size()) {
                Ok(page) if contains_conf_change(&page) => return true,
                Ok(page) => low = low.plus(page.len() as u64),
                Err(_) => return true,
            }
        }
        false
    }
}

fn encoded_size(entries: &[Entry]) -> u64 {
    entries.iter().map(Entry::encoded_size).sum()
}

fn contains_conf_change(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| match entry.kind {
        EntryKind::ConfChange | EntryKind::ConfChangeV2 => true,
        EntryKind::Normal | EntryKind::RefusedConfChange => false,
    })
}
