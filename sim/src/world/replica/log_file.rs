//! A running node's log on its disk: which records are written, which of them an fsync has made durable, and compaction.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use raft::{Entry, EntryId, HardState, Index, MemStorage, Snapshot, Storage};

use super::writer::{Sync, Writer};
use crate::disk::Disk;
use crate::planted::{Bug, planted};
use crate::wal::{Checkpoint, DiskError, Write};

/// The writing end of a node's log. Records are counted from the start of the node, so that a count says up to where the
/// log is written, asked to be durable, or durable.
#[derive(Clone, Debug)]
pub(super) struct LogFile {
    writer: Writer,
    written: u64,
    /// The count up to which somebody waits for the log to be durable.
    wanted: u64,
    durable: u64,
    syncs: VecDeque<PendingSync>,
    compaction: Option<Box<Compaction>>,
}

/// An fsync under way.
#[derive(Clone, Copy, Debug)]
struct PendingSync {
    sync: Sync,
    /// The count of records that it makes durable.
    covers: u64,
}

/// A compaction under way: what the new segment begins with.
#[derive(Clone, Hash, Debug)]
struct Compaction {
    snapshot: Snapshot,
    /// The last entry to forget.
    base: EntryId,
    entries: Vec<Entry>,
    hard_state: HardState,
    /// How many of its records are written.
    written: usize,
}

impl Compaction {
    /// The records of [`Checkpoint::plan`](crate::wal::Checkpoint::plan), by number.
    fn record(&self, number: usize) -> Option<Write<'_>> {
        const BEFORE_ENTRIES: usize = 2;
        match number {
            0 => Some(Write::Segment),
            1 => Some(Write::Snapshot { snapshot: &self.snapshot, base: self.base }),
            number if number == BEFORE_ENTRIES + self.entries.len() => Some(Write::HardState(self.hard_state)),
            number => self.entries.get(number - BEFORE_ENTRIES).map(Write::Entry),
        }
    }
}

/// What a completed compaction replaced the log by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compacted {
    /// The snapshot that is durable now.
    pub(super) snapshot: EntryId,
    /// The last index that is forgotten.
    pub(super) through: Index,
}

/// How far it is ahead of what is durable counts, not how many records there ever were. Where it writes next follows from the
/// disk.
impl Hash for LogFile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { writer: _, written, wanted, durable, syncs, compaction } = self;
        (written - durable, wanted.saturating_sub(*durable), syncs.len(), compaction).hash(state);
        syncs.iter().for_each(|sync| sync.covers.saturating_sub(*durable).hash(state));
    }
}

impl LogFile {
    /// By how many records this count lies beyond what is durable.
    pub(super) const fn ahead(&self, count: u64) -> u64 {
        count.saturating_sub(self.durable)
    }

    /// Goes on writing a log that is durable so far.
    pub(super) const fn new(writer: Writer) -> Self {
        Self { writer, written: 0, wanted: 0, durable: 0, syncs: VecDeque::new(), compaction: None }
    }

    /// Writes a record; it becomes durable with the returned count.
    pub(super) fn write(&mut self, disk: &mut Disk, record: Write<'_>) -> Result<u64, DiskError> {
        let before = planted(Bug::SnapshotSaveErrorSwallowed).then(|| self.writer.clone());
        match (self.writer.write(disk, record), before, record) {
            (Err(_), Some(before), Write::Snapshot { .. }) => self.writer = before,
            (written, ..) => written?,
        }
        self.written += 1;
        Ok(self.written)
    }

    /// Somebody waits until the log is durable up to this count.
    pub(super) fn want(&mut self, count: u64) {
        self.wanted = self.wanted.max(count);
    }

    /// Whether the log is durable up to this count.
    pub(super) const fn is_durable(&self, count: u64) -> bool {
        self.durable >= count
    }

    /// The commit index that the worst of crashes leaves.
    pub(super) fn durable_commit(&self) -> Index {
        self.writer.durable_commit()
    }

    /// Whether an fsync has to begin. Not while a compaction is being written: until its last record, the new segment
    /// does not count, and the old one is not written any more.
    pub(super) fn needs_sync(&self) -> bool {
        let covered = self.syncs.back().map_or(self.durable, |sync| sync.covers);
        self.wanted > covered && !self.has_compaction_to_write()
    }

    pub(super) fn is_syncing(&self) -> bool {
        !self.syncs.is_empty()
    }

    pub(super) fn begin_sync(&mut self, disk: &mut Disk) -> Result<(), DiskError> {
        if planted(Bug::SnapshotWalOrder) && self.syncs.is_empty() {
            self.writer.remove_older(disk)?;
        }
        let sync = self.writer.begin_sync(disk)?;
        self.syncs.push_back(PendingSync { sync, covers: self.written });
        Ok(())
    }

    /// Completes the oldest fsync, and with it the compaction if there is one whose records it covers.
    pub(super) fn complete_sync(&mut self, disk: &mut Disk) -> Result<Option<Compacted>, DiskError> {
        let Some(PendingSync { sync, covers }) = self.syncs.pop_front() else { return Ok(None) };
        self.writer.complete_sync(disk, sync)?;
        self.durable = self.durable.max(covers);
        self.writer.remove_older(disk)?;
        // The old segment goes exactly when the new one is durable.
        let is_durable = !self.has_compaction_to_write() && !self.writer.has_older();
        let done = self.compaction.take_if(|_| is_durable);
        Ok(done.map(|done| Compacted { snapshot: done.snapshot.id, through: done.base.index }))
    }

    /// Begins to put the storage's snapshot and what follows `through` into a new segment. `None` where the storage
    /// cannot be compacted up to there, or a compaction is under way already.
    pub(super) fn compact(&mut self, storage: &MemStorage, through: Index) -> Option<()> {
        let snapshot = storage.snapshot().ok()?;
        let first = storage.first_index();
        if self.compaction.is_some() || through < first || through > snapshot.id.index {
            return None;
        }
        let base = EntryId::new(storage.term(through).ok()?, through);
        let entries = storage.stored().skip(through.next().since(first) as usize).cloned().collect();
        let hard_state = storage.hard_state();
        self.compaction = Some(Box::new(Compaction { snapshot, base, entries, hard_state, written: 0 }));
        Some(())
    }

    pub(super) const fn is_compacting(&self) -> bool {
        self.compaction.is_some()
    }

    /// Whether records of a compaction come next. Nothing else may be written before they are.
    pub(super) fn has_compaction_to_write(&self) -> bool {
        self.next_of_compaction().is_some()
    }

    /// The next record of the compaction.
    pub(super) fn next_of_compaction(&self) -> Option<Write<'_>> {
        self.compaction.as_ref().and_then(|compaction| compaction.record(compaction.written))
    }

    /// Writes the next record of the compaction.
    pub(super) fn write_compaction(&mut self, disk: &mut Disk) -> Result<(), DiskError> {
        let Some(compaction) = &mut self.compaction else { return Ok(()) };
        if planted(Bug::AppliedIndexNonatomic) && compaction.written == 0 {
            let index_alone = Snapshot { data: bytes::Bytes::new(), ..compaction.snapshot.clone() };
            let Compaction { hard_state, base, entries, .. } = &**compaction;
            let checkpoint = Checkpoint { hard_state: *hard_state, snapshot: Some(&index_alone), base: *base, entries };
            checkpoint.plan().try_for_each(|write| self.writer.write(disk, write))?;
        }
        let Some(record) = compaction.record(compaction.written) else { return Ok(()) };
        self.writer.write(disk, record)?;
        compaction.written += 1;
        self.written += 1;
        if compaction.record(compaction.written).is_none() {
            compaction.entries = Vec::new();
            self.wanted = self.written;
        }
        Ok(())
    }
}
