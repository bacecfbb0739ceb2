//! What is done to a storage, and how the next operation is drawn.

use std::fmt;

use raft::{ConfState, Entry, EntryId, EntryKind, HardState, Index, NodeId, Snapshot, Term};

use crate::draws::Draws;
use crate::model::Model;

/// One thing that a host does.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Operation {
    Write(Write),
    Sync,
    /// Closes it, with all that was written synced, and opens it again.
    Reopen,
    CreateSnapshot(Snapshot),
    Compact(Index),
}

/// What a Ready says.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Write {
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) hard_state: Option<HardState>,
}

impl Operation {
    /// The operation that this number stands for, on a storage in this state. Every number stands for one on every state, so
    /// that a sequence of numbers stays one when some are left out.
    pub(crate) fn draw(number: u64, model: &Model) -> Self {
        let mut draws = Draws::new(number);
        match draws.below(16) {
            0 => Self::CreateSnapshot(draws.snapshot_of(model)),
            1 | 2 => Self::Compact(draws.compaction(model)),
            3 | 4 => Self::Reopen,
            5..=7 => Self::Sync,
            8 => Self::Write(draws.install(model)),
            _ => Self::Write(draws.write(model)),
        }
    }
}

/// What one is made of.
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

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(write) => write.fmt(f),
            Self::Sync => write!(f, "sync"),
            Self::Reopen => write!(f, "sync and reopen"),
            Self::CreateSnapshot(snapshot) => write!(f, "create a {}", Shown(snapshot)),
            Self::Compact(index) => write!(f, "compact up to {index}"),
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.snapshot.as_ref().map(|snapshot| format!("a {} of a leader", Shown(snapshot))));
        if !self.entries.is_empty() {
            let shown = |entry: &Entry| format!("{} of term {} ({} bytes)", entry.index, entry.term, entry.data.len());
            parts.push(format!("entries {}", self.entries.iter().map(shown).collect::<Vec<_>>().join(", ")));
        }
        parts.extend(self.hard_state.map(|state| {
            let vote = state.vote.map_or("nobody".to_owned(), |node| node.to_string());
            format!("hard state term {} vote {vote} commit {}", state.term, state.commit)
        }));
        match parts.is_empty() {
            true => write!(f, "write nothing"),
            false => write!(f, "write {}", parts.join("; ")),
        }
    }
}

/// A snapshot in a few words.
struct Shown<'a>(&'a Snapshot);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot { id, data, .. } = self.0;
        write!(f, "snapshot at {} of term {} ({} bytes)", id.index, id.term, data.len())
    }
}
