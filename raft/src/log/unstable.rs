//! What the log holds in memory because it is not yet known to be durable.

use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryId, Index, Term};

/// Entries, a snapshot, or both, that are to be written or are being written.
///
/// The entries take the place of whatever the storage holds from `offset` on: where a leader overwrote a part of the
/// log, the storage may still hold more than `offset` entries. A snapshot replaces everything before `offset`.
#[derive(Clone, Hash, Debug)]
pub(super) struct Unstable {
    snapshot: Option<Box<Snapshot>>,
    /// Whether the snapshot was handed out to be written.
    snapshot_in_progress: bool,
    /// The first entry has index `offset`, the others follow without a gap.
    entries: Vec<Entry>,
    offset: Index,
    /// The entries before this index were handed out to be written. Never below `offset`, never beyond the end.
    offset_in_progress: Index,
}

impl Unstable {
    /// Empty; the next entry will have index `offset`.
    pub(super) const fn new(offset: Index) -> Self {
        Self { snapshot: None, snapshot_in_progress: false, entries: Vec::new(), offset, offset_in_progress: offset }
    }

    /// The index of the first entry that is, or would be, in here.
    pub(super) const fn offset(&self) -> Index {
        self.offset
    }

    /// The index after the last entry.
    pub(super) const fn end(&self) -> Index {
        self.offset.plus(self.entries.len() as u64)
    }

    /// The snapshot, whether or not it is being written.
    pub(super) fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref()
    }

    pub(super) const fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether there is nothing in here.
    pub(super) const fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.entries.is_empty()
    }

    /// The term of the entry or of the snapshot at `index`.
    pub(super) fn term(&self, index: Index) -> Option<Term> {
        if index < self.offset {
            let id = self.snapshot.as_ref()?.id;
            return (id.index == index).then_some(id.term);
        }
        self.entries.get(self.position(index)).map(|entry| entry.term)
    }

    /// The entries of `[low, high)`, all of which must be in here.
    pub(super) fn slice(&self, low: Index, high: Index) -> &[Entry] {
        let (offset, end) = (self.offset, self.end());
        assert!(offset <= low && low <= high && high <= end, "[{low}, {high}) is not within [{offset}, {end})");
        &self.entries[self.position(low)..self.position(high)]
    }

    /// The entries that were not handed out yet.
    pub(super) fn next_entries(&self) -> &[Entry] {
        self.slice(self.offset_in_progress, self.end())
    }

    /// The snapshot, where it was not handed out yet.
    pub(super) fn next_snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref().filter(|_| !self.snapshot_in_progress)
    }

    /// Notes that everything in here was handed out.
    pub(super) const fn accept_in_progress(&mut self) {
        self.offset_in_progress = self.end();
        self.snapshot_in_progress = self.snapshot.is_some();
    }

    /// Forgets the entries up to `id`, which are durable. If another leader's entry has taken that place meanwhile,
    /// what became durable is not what is in here, and nothing happens.
    pub(super) fn stable_to(&mut self, id: EntryId) {
        if id.index < self.offset || self.term(id.index) != Some(id.term) {
            return;
        }
        let next = id.index.next();
        self.entries.drain(..self.position(next));
        self.offset = next;
        self.offset_in_progress = self.offset_in_progress.max(next);
        self.release_memory();
    }

    /// Forgets the snapshot at `index`, which is written.
    pub(super) fn stable_snapshot_to(&mut self, index: Index) {
        if self.snapshot.as_ref().is_some_and(|snapshot| snapshot.id.index == index) {
            self.snapshot = None;
            self.snapshot_in_progress = false;
        }
    }

    /// Replaces everything by `snapshot`.
    pub(super) fn restore(&mut self, snapshot: Snapshot) {
        *self = Self::new(snapshot.id.index.next());
        self.snapshot = Some(Box::new(snapshot));
    }

    /// Replaces everything from the index of the first of `entries` on by `entries`. Entries that are in progress and
    /// not overwritten stay in progress.
    pub(super) fn truncate_and_append(&mut self, mut entries: Vec<Entry>) {
        let Some(first) = entries.first().map(|entry| entry.index) else { return };
        let end = self.end();
        assert!(first <= end, "entries from {first} on would leave a gap behind {end}");
        if first == end {
            self.entries.append(&mut entries);
        } else if first <= self.offset {
            self.entries = entries;
            self.offset = first;
            self.offset_in_progress = first;
        } else {
            self.entries.truncate(self.position(first));
            self.entries.append(&mut entries);
            self.offset_in_progress = self.offset_in_progress.min(first);
        }
    }

    /// Where the entry of `index`, which must not be below the offset, stands in `entries`.
    const fn position(&self, index: Index) -> usize {
        index.since(self.offset) as usize
    }

    /// A burst of entries must not hold its memory for ever; a few places are kept since they are used all the time.
    fn release_memory(&mut self) {
        const KEPT: usize = 64;
        if self.entries.is_empty() && self.entries.capacity() > KEPT {
            self.entries = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(count: u64) -> Unstable {
        let mut unstable = Unstable::new(Index(1));
        for index in 1..=count {
            unstable.truncate_and_append(vec![Entry { index: Index(index), ..Entry::default() }]);
        }
        unstable
    }

    #[test]
    fn a_burst_of_entries_gives_its_memory_back_once_all_of_it_is_durable() {
        let mut unstable = burst(1000);
        unstable.stable_to(EntryId::new(Term::ZERO, Index(999)));
        assert_eq!(unstable.next_entries().len(), 1, "what is not durable stays");
        unstable.stable_to(EntryId::new(Term::ZERO, Index(1000)));
        assert_eq!(unstable.entries.capacity(), 0);
    }

    #[test]
    fn the_memory_of_a_few_entries_is_used_again() {
        let mut unstable = burst(10);
        unstable.stable_to(EntryId::new(Term::ZERO, Index(10)));
        assert!(unstable.entries.capacity() >= 10);
    }
}
