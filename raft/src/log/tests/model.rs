//! The log as one would write it without regard for storage, memory or speed.

use crate::snapshot::Snapshot;
use crate::storage::StorageError;
use crate::types::{Entry, EntryId, Index, Term};

/// What the log should be: `base`, and all that follows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) base: EntryId,
    pub(super) entries: Vec<Entry>,
    pub(super) committed: Index,
    /// The index up to which the log is known to be durable, and the one up to which it was handed out to be written.
    pub(super) stable: Index,
    pub(super) handed_out: Index,
    /// The snapshot that is not known to be written, and whether it was handed out.
    pub(super) snapshot: Option<(Snapshot, bool)>,
    pub(super) applied: Index,
    pub(super) applying: Index,
    /// The bytes that the application was given and has not applied, and whether it must do so to get more.
    pub(super) outstanding: u64,
    pub(super) paused: bool,
}

impl Model {
    pub(super) fn last(&self) -> EntryId {
        self.entries.last().map_or(self.base, Entry::id)
    }

    pub(super) fn term(&self, index: Index) -> Result<Term, StorageError> {
        if index < self.base.index {
            return Err(StorageError::Compacted);
        }
        let ids = std::iter::once(self.base).chain(self.entries.iter().map(Entry::id));
        ids.into_iter().find(|id| id.index == index).map(|id| id.term).ok_or(StorageError::Unavailable)
    }

    pub(super) fn holds(&self, id: EntryId) -> bool {
        self.term(id.index) == Ok(id.term)
    }

    /// The entries in `(after, up_to]`.
    pub(super) fn range(&self, after: Index, up_to: Index) -> Vec<Entry> {
        self.entries.iter().filter(|entry| entry.index > after && entry.index <= up_to).cloned().collect()
    }

    /// The entries in `(after, up_to]` that fit into `max_size` bytes, or the first of them.
    pub(super) fn page(&self, after: Index, up_to: Index, max_size: u64) -> Vec<Entry> {
        let mut page = self.range(after, up_to);
        while page.len() > 1 && page.iter().map(Entry::encoded_size).sum::<u64>() > max_size {
            page.pop();
        }
        page
    }

    /// Takes an append, entry by entry.
    pub(super) fn receive(&mut self, previous: EntryId, commit: Index, entries: &[Entry]) -> Option<Index> {
        if !self.holds(previous) {
            return None;
        }
        for entry in entries {
            if !self.holds(entry.id()) {
                self.put(entry);
            }
        }
        let last_new = previous.index.plus(entries.len() as u64);
        self.committed = self.committed.max(commit.min(last_new));
        Some(last_new)
    }

    /// Puts one entry in the place of all from its index on.
    pub(super) fn put(&mut self, entry: &Entry) {
        self.entries.retain(|kept| kept.index < entry.index);
        self.entries.push(entry.clone());
        self.stable = self.stable.min(entry.index.previous());
        self.handed_out = self.handed_out.min(entry.index.previous());
    }

    pub(super) fn hand_out_writes(&mut self) {
        self.handed_out = self.last().index;
        if let Some((_, handed_out)) = &mut self.snapshot {
            *handed_out = true;
        }
    }

    pub(super) fn written(&mut self, last: EntryId) {
        if last.index > self.stable && self.holds(last) {
            self.stable = last.index;
            self.handed_out = self.handed_out.max(last.index);
        }
    }

    pub(super) fn snapshot_written(&mut self, index: Index) {
        self.snapshot.take_if(|(snapshot, _)| snapshot.id.index == index);
    }

    pub(super) fn restore(&mut self, snapshot: Snapshot) {
        let id = snapshot.id;
        self.base = id;
        self.entries.clear();
        (self.committed, self.stable, self.handed_out) = (id.index, id.index, id.index);
        self.snapshot = Some((snapshot, false));
    }

    pub(super) fn compact(&mut self, index: Index) {
        self.base = EntryId::new(self.term(index).expect("in the log"), index);
        self.entries.retain(|entry| entry.index > index);
    }

    fn appliable(&self, allow_unstable: bool) -> Index {
        if allow_unstable { self.committed } else { self.committed.min(self.stable) }
    }

    pub(super) fn next_committed(&self, allow_unstable: bool, max_size: u64) -> Vec<Entry> {
        if self.paused || self.snapshot.is_some() {
            return Vec::new();
        }
        self.page(self.applying, self.appliable(allow_unstable), max_size - self.outstanding)
    }

    pub(super) fn hand_out_committed(&mut self, page: &[Entry], allow_unstable: bool, max_size: u64) {
        self.outstanding += page.iter().map(Entry::encoded_size).sum::<u64>();
        self.applying = page.last().expect("not empty").index;
        self.paused = self.outstanding >= max_size || self.applying < self.appliable(allow_unstable);
    }

    pub(super) fn apply(&mut self, index: Index, size: u64, max_size: u64) {
        self.applied = index;
        self.applying = self.applying.max(index);
        self.outstanding -= size;
        self.paused = self.outstanding >= max_size;
    }
}
