//! What a Ready or an append wants persisted, record by record.

use raft::{Entry, HardState, Ready, Snapshot, StorageAppend};

use crate::planted::{Bug, planted};
use crate::wal::Write;

/// What is to be persisted: the records of [`plan`](crate::wal::plan), by number.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToPersist<'a> {
    pub(super) hard_state: Option<HardState>,
    pub(super) entries: &'a [Entry],
    pub(super) snapshot: Option<&'a Snapshot>,
    pub(super) must_sync: bool,
}

impl<'a> From<&'a Ready> for ToPersist<'a> {
    fn from(ready: &'a Ready) -> Self {
        Self {
            hard_state: ready.hard_state,
            entries: &ready.entries,
            snapshot: ready.snapshot.as_ref(),
            must_sync: ready.must_sync,
        }
    }
}

impl<'a> From<&'a StorageAppend> for ToPersist<'a> {
    fn from(append: &'a StorageAppend) -> Self {
        Self {
            hard_state: append.hard_state,
            entries: &append.entries,
            snapshot: append.snapshot.as_ref(),
            must_sync: append.must_sync,
        }
    }
}

impl<'a> ToPersist<'a> {
    /// Whether it must be durable before the host goes on. A snapshot always must: it stands for entries whose receipt
    /// will be acknowledged, and the node's own `must_sync` speaks of term, vote and entries only, as etcd's does.
    pub(super) const fn needs_sync(&self) -> bool {
        self.must_sync || self.snapshot.is_some()
    }

    /// The record of this number, in the order in which they are safe to write.
    pub(super) fn record(&self, number: usize) -> Option<Write<'a>> {
        let number = match planted(Bug::HardStateBeforeSnapshot) {
            true => self.hard_state_first(number),
            false => number,
        };
        let after_snapshot = match self.snapshot {
            Some(snapshot) if number == 0 => return Some(Write::Snapshot { snapshot, base: snapshot.id }),
            Some(_) => number - 1,
            None => number,
        };
        match self.entries.get(after_snapshot) {
            Some(entry) => Some(Write::Entry(entry)),
            None if after_snapshot == self.entries.len() => self.hard_state.map(Write::HardState),
            None => None,
        }
    }
}

/// The wrong order of a planted bug.
impl ToPersist<'_> {
    fn hard_state_first(&self, number: usize) -> usize {
        let last = self.entries.len() + 1;
        match number {
            _ if self.snapshot.is_none() || self.hard_state.is_none() => number,
            0 => last,
            number if number <= last => number - 1,
            number => number,
        }
    }
}

/// How far the writing has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    /// How many records.
    pub(super) records: usize,
    /// The log's count with the last of them.
    pub(super) count: u64,
}

#[cfg(test)]
mod tests {
    use raft::{Index, Term};

    use super::*;
    use crate::wal::plan;

    #[test]
    fn records_by_number_are_those_of_the_plan() {
        let entries: Vec<Entry> = (1..4).map(|index| Entry { index: Index(index), ..Entry::default() }).collect();
        let snapshot = Snapshot::default();
        for (hard_state, length, snapshot) in [
            (None, 0, None),
            (Some(HardState { term: Term(1), ..HardState::default() }), 0, None),
            (Some(HardState::default()), 3, None),
            (None, 2, Some(&snapshot)),
            (Some(HardState::default()), 0, Some(&snapshot)),
        ] {
            let to_persist = ToPersist { hard_state, entries: &entries[..length], snapshot, must_sync: true };
            let planned: Vec<Write<'_>> = plan(hard_state, &entries[..length], snapshot).collect();
            let numbered: Vec<Write<'_>> =
                (0..planned.len() + 2).filter_map(|number| to_persist.record(number)).collect();
            assert_eq!(numbered, planned);
        }
    }
}
