//! What a storage should hold: the same operations, carried out on a few plain values.

use raft::{Entry, EntryId, HardState, Index, Snapshot, Term};

use crate::operation::{Operation, Write};

/// The contents of a storage that keeps every promise.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Model {
    pub(crate) hard_state: HardState,
    pub(crate) snapshot: Snapshot,
    /// The entry before the first one.
    pub(crate) base: EntryId,
    pub(crate) entries: Vec<Entry>,
}

impl Model {
    pub(crate) fn first(&self) -> Index {
        self.base.index.next()
    }

    pub(crate) fn last(&self) -> EntryId {
        self.entries.last().map_or(self.base, Entry::id)
    }

    /// The term of the entry at `index`, from the one before the first to the last.
    pub(crate) fn term(&self, index: Index) -> Option<Term> {
        if index == self.base.index { Some(self.base.term) } else { self.entry(index).map(|entry| entry.term) }
    }

    fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries.get(index.0.checked_sub(self.first().0)? as usize)
    }

    /// The entries in `[low, high)`, both of which are within the log.
    pub(crate) fn range(&self, low: Index, high: Index) -> &[Entry] {
        let position = |index: Index| (index.0 - self.first().0) as usize;
        &self.entries[position(low)..position(high)]
    }

    /// Whether a host may ask for this.
    pub(crate) fn allows(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Write(Write { snapshot: Some(snapshot), .. }) => snapshot.id.index > self.snapshot.id.index,
            Operation::Write(_) | Operation::Sync | Operation::Reopen => true,
            Operation::CreateSnapshot(snapshot) => snapshot.id.index > self.snapshot.id.index,
            Operation::Compact(index) => (self.first()..=self.snapshot.id.index).contains(index),
        }
    }

    /// The states that a storage passes through while it does this, which the model allows; the last is the one it ends in.
    pub(crate) fn steps(&self, operation: &Operation) -> Vec<Self> {
        match operation {
            Operation::Write(write) => self.written(write),
            Operation::CreateSnapshot(snapshot) => vec![Self { snapshot: snapshot.clone(), ..self.clone() }],
            Operation::Compact(index) => vec![self.compacted(*index)],
            Operation::Sync | Operation::Reopen => vec![self.clone()],
        }
    }

    /// A crash may fall between any two parts of a write.
    fn written(&self, Write { snapshot, entries, hard_state }: &Write) -> Vec<Self> {
        let mut steps = vec![self.clone()];
        let mut next = self.clone();
        if let Some(snapshot) = snapshot {
            next.snapshot = snapshot.clone();
            next.base = snapshot.id;
            next.entries.clear();
            steps.push(next.clone());
        }
        for entry in entries {
            next.entries.truncate((entry.index.0 - next.first().0) as usize);
            next.entries.push(entry.clone());
            steps.push(next.clone());
        }
        if let Some(hard_state) = hard_state {
            next.hard_state = *hard_state;
            steps.push(next);
        }
        steps
    }

    fn compacted(&self, index: Index) -> Self {
        let mut next = self.clone();
        if let Some(term) = self.term(index) {
            next.entries.drain(..(index.0 - self.base.index.0) as usize);
            next.base = EntryId::new(term, index);
        }
        next
    }

    /// Whether a storage that should be in this state may have this hard state after a crash. One that lost the hard state of a
    /// write whose snapshot or entries it kept may raise the commit index to the snapshot, and the term to the last entry's.
    pub(crate) fn recovers_to(&self, found: HardState) -> bool {
        let commit = self.hard_state.commit.max(self.snapshot.id.index);
        let raised = HardState { commit, ..self.hard_state };
        let in_term_of_last = HardState { term: self.last().term, vote: None, commit };
        [self.hard_state, raised].contains(&found) || (raised.term < self.last().term && found == in_term_of_last)
    }
}
