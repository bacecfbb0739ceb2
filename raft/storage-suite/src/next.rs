//! Which operation comes next: what a host could do with a storage in this state, and now and then what nobody may ask for.

use raft::{ConfState, Entry, EntryId, EntryKind, HardState, Index, NodeId, Snapshot, Term};

use crate::draws::Draws;
use crate::model::Model;
use crate::operation::{Operation, Write};

/// The operation that this number stands for, on a storage in this state. Every number stands for one on every state, so
/// that a sequence of numbers stays one when some are left out.
pub(crate) fn draw(number: u64, model: &Model) -> Operation {
    let mut draws = Draws::new(number);
    match draws.below(16) {
        0 => Operation::CreateSnapshot(draws.snapshot_of(model)),
        1 | 2 => Operation::Compact(draws.compaction(model)),
        3 | 4 => Operation::Reopen,
        5..=7 => Operation::Sync,
        8 => Operation::Write(draws.install(model)),
        _ => Operation::Write(draws.write(model)),
    }
}

/// What an operation is made of.
impl Draws {
    fn write(&mut self, model: &Model) -> Write {
        let (last, committed) = (model.last(), model.hard_state.commit.max(model.base.index));
        let term = Term(last.term.0.max(model.hard_state.term.0).max(1) + self.below(2));
        let first = Index(self.between(committed.0 + 1, last.index.0 + 1));
        let count = self.below(5);
        let entries: Vec<Entry> = (first.0..first.0 + count).map(|index| self.entry(term, Index(index))).collect();
        let end = entries.last().map_or(last.index, |entry| entry.index);
        let hard_state =
            (self.below(4) > 0 || term > model.hard_state.term).then(|| self.hard_state(term, committed, end));
        Write { snapshot: None, entries, hard_state }
    }

    /// A leader's snapshot; sometimes one that comes too late.
    fn install(&mut self, model: &Model) -> Write {
        let known = model.snapshot.id.index.0;
        let newest = known.max(model.hard_state.commit.0);
        let is_old = known > 0 && self.below(4) == 0;
        let index = Index(if is_old { self.between(0, known) } else { newest + 1 + self.below(6) });
        let term = Term(model.last().term.0.max(model.hard_state.term.0).max(1) + self.below(2));
        let snapshot = self.snapshot(EntryId::new(term, index));
        let hard_state = self.hard_state(term, index, index);
        match is_old {
            true => Write { snapshot: Some(snapshot), ..Write::default() },
            false => Write { snapshot: Some(snapshot), entries: Vec::new(), hard_state: Some(hard_state) },
        }
    }

    /// Of what is committed; sometimes one that there is already.
    fn snapshot_of(&mut self, model: &Model) -> Snapshot {
        let committed = model.hard_state.commit.max(model.base.index);
        let index = Index(self.between(model.base.index.0, committed.0));
        let term = model.term(index).unwrap_or(model.base.term);
        self.snapshot(EntryId::new(term, index))
    }

    /// Within what the snapshot covers, but sometimes not.
    fn compaction(&mut self, model: &Model) -> Index {
        Index(match self.below(4) {
            0 => self.between(0, model.last().index.0 + 1),
            _ => self.between(model.base.index.0, model.snapshot.id.index.0),
        })
    }

    fn entry(&mut self, term: Term, index: Index) -> Entry {
        let length = match self.below(8) {
            0 => 0,
            1 => 500 + self.below(1500),
            _ => self.below(40),
        };
        Entry { term, index, kind: EntryKind::Normal, data: self.bytes(length) }
    }

    fn snapshot(&mut self, id: EntryId) -> Snapshot {
        let voters = (0..=self.below(3)).filter_map(|position| NodeId::new(position + 1 + self.below(2) * 3)).collect();
        let length = self.below(700);
        Snapshot { id, conf_state: ConfState { voters, ..ConfState::default() }, data: self.bytes(length) }
    }

    fn hard_state(&mut self, term: Term, low: Index, high: Index) -> HardState {
        HardState { term, vote: NodeId::new(self.below(4)), commit: Index(self.between(low.0, high.0)) }
    }
}
