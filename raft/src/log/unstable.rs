//! What the log holds in memory because it is not yet known to be durable.

use std::hash::{Hash, Hasher};

use crate::planted::{Bug, planted};
use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryId, Index, Term};

/// Entries, a snapshot, or both, that are to be written or are being written.
///
/// The entries take the place of whatever the storage holds from `offset` on: where a leader overwrote a part of the
/// log, the storage may still hold more than `offset` entries. A snapshot replaces everything before `offset`.
#[derive(Clone, Debug)]
pub(super) struct Unstable {
    snapshot: Option<Box<Snapshot>>,
    /// Whether the snapshot was handed out to be written.
    snapshot_in_progress: bool,
    /// The first entry has index `offset`, the others follow without a gap.
    entries: Vec<Entry>,
    offset: Index,
    /// The entries before this index were handed out to be written. Never below `offset`, never beyond the end.
    offset_in_progress: Index,
    /// The term of the entry before `offset`, where that has been in here: it is asked for all the time, and storage need not
    /// be read for it.
    stable_term: Option<Term>,
}

/// Everything but what storage knows as well.
impl Hash for Unstable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { snapshot, snapshot_in_progress, entries, offset, offset_in_progress, stable_term: _ } = self;
        (snapshot, snapshot_in_progress, entries, offset, offset_in_progress).hash(state);
    }
}

impl Unstable {
    /// Empty; the next entry will have index `offset`.
    pub(super) const fn new(offset: Index) -> Self {
        Self {
            snapshot: None,
            snapshot_in_progress: false,
            entries: Vec::new(),
            offset,
            offset_in_progress: offset,
            stable_term: None,
        }
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

    /// The term of the entry before all entries in here, where it is known without storage.
    pub(super) fn stable_term(&self, index: Index) -> Option<Term> {
        self.stable_term.filter(|_| index.next() == self.offset)
    }

    /// The entries of `[low, high)`, all of which must be in here.
    pub(super) fn slice(&self, low: Index, high: Index) -> &[Entry] {
        let (offset, end) = (self.offset, self.end());
        assert!(offset <= low && low <= high && high <= end, "[{low}, {high}) is not within [{offset}, {end})");
        &self.entries[self.position(low)..self.position(high)]
    }

    /// The entries that were not handed out yet.
    pub(super) fn next_entries(&self) -> &[Entry] {
        &self.entries[self.position(self.offset_in_progress)..]
    }

    /// Whether there are any.
    pub(super) const fn has_next_entries(&self) -> bool {
        self.entries.len() > self.position(self.offset_in_progress)
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
        // With the bug, storage may hold another entry there than the one that was in here, and a node has to come upon that.
        self.stable_term = (!planted(Bug::AsyncAppendAba)).then_some(id.term);
        self.offset_in_progress = self.offset_in_progress.max(next);
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
    pub(super) fn truncate_and_append<E: AsRef<[Entry]> + IntoIterator<Item = Entry>>(&mut self, entries: E) {
        let Some(first) = entries.as_ref().first().map(|entry| entry.index) else { return };
        let end = self.end();
        assert!(first <= end, "entries from {first} on would leave a gap behind {end}");
        if first < self.offset {
            self.stable_term = None;
            self.offset = first;
        }
        if first < end {
            self.entries.truncate(self.position(first));
            self.offset_in_progress = self.offset_in_progress.min(first);
        }
        self.entries.extend(entries);
    }

    /// Where the entry of `index`, which must not be below the offset, stands in `entries`.
    const fn position(&self, index: Index) -> usize {
        index.since(self.offset) as usize
    }

    /// Gives memory back where nothing is in here: to be called at each tick.
    pub(super) fn release_memory(&mut self) {
        if self.entries.is_empty() {
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
            unstable.truncate_and_append([Entry { index: Index(index), ..Entry::default() }]);
        }
        unstable
    }

    #[test]
    fn a_burst_of_entries_gives_its_memory_back_at_the_tick_after_all_of_it_is_durable() {
        let mut unstable = burst(1000);
        unstable.stable_to(EntryId::new(Term::ZERO, Index(999)));
        unstable.release_memory();
        assert_eq!(unstable.next_entries().len(), 1, "what is not durable stays");
        unstable.stable_to(EntryId::new(Term::ZERO, Index(1000)));
        unstable.release_memory();
        assert_eq!(unstable.entries.capacity(), 0);
    }
}
