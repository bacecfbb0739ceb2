//! Writing the log: one record at a time, so that a crash may fall between any two.

use std::io;

use raft::planted::{Bug, planted};
use raft::{Entry, EntryId, HardState, Index, Snapshot};

use crate::files::{DiskError, Files, Segment};
use crate::payload;
use crate::record::{self, Kind, Place};
use crate::recovery::{Recovered, RecoveryError, recover};
use crate::sector;

/// One write to the log. The host issues them one by one with [`Wal::write`], in the order in which [`plan`] and
/// [`Checkpoint::plan`] give them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Write<'a> {
    /// Begins a new segment, to be filled by the rest of a checkpoint.
    Segment,
    /// Replaces the snapshot and the whole log by this snapshot and an empty log that begins after `base`.
    Snapshot {
        /// Membership and state, and the last entry that they cover.
        snapshot: &'a Snapshot,
        /// The entry before the first one that is kept: that of the snapshot, or an earlier one.
        base: EntryId,
    },
    /// Appends an entry, after discarding what is at its index and after it.
    Entry(&'a Entry),
    /// Replaces term, vote and commit, as one.
    HardState(HardState),
}

/// The writes of one Ready, in the order in which they are safe: see the [crate](crate).
///
/// ```
/// use raft::{Entry, HardState, Index, Term};
/// use raft_wal::{Write, plan};
///
/// let hard_state = HardState { term: Term(1), ..Default::default() };
/// let entry = Entry { term: Term(1), index: Index(1), ..Default::default() };
/// let writes: Vec<Write> = plan(Some(hard_state), std::slice::from_ref(&entry), None).collect();
/// assert_eq!(writes, [Write::Entry(&entry), Write::HardState(hard_state)]);
/// ```
pub fn plan<'a>(
    hard_state: Option<HardState>,
    entries: &'a [Entry],
    snapshot: Option<&'a Snapshot>,
) -> impl Iterator<Item = Write<'a>> + use<'a> {
    let snapshot = snapshot.map(|snapshot| Write::Snapshot { snapshot, base: snapshot.id });
    snapshot.into_iter().chain(entries.iter().map(Write::Entry)).chain(hard_state.map(Write::HardState))
}

/// All that a node must remember: a new segment begins with it. The default is nothing: the log of a new node that gets
/// its first members from [`raft::RawNode::bootstrap`] or from a leader's snapshot.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Checkpoint<'a> {
    /// Term, vote and commit.
    pub hard_state: HardState,
    /// The newest snapshot. Without one the log begins at index 1.
    pub snapshot: Option<&'a Snapshot>,
    /// The entry before the first of `entries`: that of the snapshot, or an earlier one where some entries that the
    /// snapshot covers are kept for slow followers. Zero without a snapshot.
    pub base: EntryId,
    /// The entries that are kept.
    pub entries: &'a [Entry],
}

impl<'a> Checkpoint<'a> {
    /// The writes that make a new segment of it. Its hard state comes last and closes it.
    ///
    /// ```
    /// use raft::{Entry, EntryId, HardState, Index, Snapshot, Term};
    /// use raft_wal::{Checkpoint, RealFiles, Segment, Wal};
    ///
    /// let directory = tempfile::tempdir()?;
    /// let mut files = RealFiles::open(directory.path())?;
    /// let mut wal = Wal::create(&mut files, Checkpoint::default())?;
    ///
    /// // The application's state after entry 7 takes the place of the log up to there.
    /// let snapshot = Snapshot { id: EntryId::new(Term(1), Index(7)), data: "state".into(), ..Snapshot::default() };
    /// let hard_state = HardState { term: Term(1), vote: None, commit: Index(7) };
    /// let entries = [Entry { term: Term(1), index: Index(8), ..Entry::default() }];
    /// let checkpoint = Checkpoint { hard_state, snapshot: Some(&snapshot), base: snapshot.id, entries: &entries };
    /// for write in checkpoint.plan() {
    ///     wal.write(&mut files, write)?;
    /// }
    /// wal.sync(&mut files)?;
    /// assert_eq!(wal.remove_older(&mut files)?, Some(Segment(1)));
    ///
    /// let (_wal, recovered) = Wal::open(&mut files)?;
    /// assert_eq!((recovered.snapshot, recovered.entries), (Some(snapshot), entries.to_vec()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan(self) -> impl Iterator<Item = Write<'a>> + use<'a> {
        let base = self.base;
        let snapshot = self.snapshot.map(|snapshot| Write::Snapshot { snapshot, base });
        let entries = self.entries.iter().map(Write::Entry);
        let hard_state = std::iter::once(Write::HardState(self.hard_state));
        std::iter::once(Write::Segment).chain(snapshot).chain(entries).chain(hard_state)
    }
}

/// A position in the log: what a sync that begins now will make durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    segment: Segment,
    offset: u64,
    commit: Index,
}

/// The writing end of a log.
///
/// After the first error it refuses everything: what is on the disk is known again only after [`Wal::open`].
///
/// ```
/// use raft::{HardState, Term};
/// use raft_wal::{Checkpoint, RealFiles, Wal, plan};
///
/// let directory = tempfile::tempdir()?;
/// let mut files = RealFiles::open(directory.path())?;
/// let mut wal = Wal::create(&mut files, Checkpoint::default())?;
///
/// let hard_state = HardState { term: Term(1), ..HardState::default() };
/// for write in plan(Some(hard_state), &[], None) {
///     wal.write(&mut files, write)?;
/// }
/// wal.sync(&mut files)?;
///
/// let (_wal, recovered) = Wal::open(&mut files)?;
/// assert_eq!(recovered.hard_state, hard_state);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Wal {
    segment: Segment,
    /// The length of the segment's stream.
    end: u64,
    /// How much of it is known to be durable.
    synced: u64,
    /// Where the segment's checkpoint ends, once it is written.
    checkpoint: Option<u64>,
    /// The commit index that the segment's records lead to, and the one that no crash takes away.
    commit: Index,
    durable_commit: Index,
    /// Earlier segments that have not been removed, newest last.
    older: Vec<Segment>,
    failed: bool,
    /// Room for the record under way, kept so that a write need not allocate.
    record: Vec<u8>,
    framed: Vec<u8>,
}

impl Wal {
    /// A new log, durable on return, that begins with a checkpoint: the bootstrap snapshot of a new node, for example.
    ///
    /// What an earlier attempt left, which a crash ended, is removed.
    ///
    /// # Errors
    /// There is a log already, even if it is corrupt; or the disk is full or failed.
    pub fn create(files: &mut impl Files, checkpoint: Checkpoint<'_>) -> Result<Self, DiskError> {
        for leftover in files.list()? {
            match recover(files) {
                Err(RecoveryError::Missing) => files.remove(leftover)?,
                Err(RecoveryError::Disk(error)) => return Err(error),
                Ok(_) | Err(RecoveryError::Corruption { .. } | RecoveryError::Version { .. }) => {
                    return Err(DiskError::Exists(leftover));
                }
            }
        }
        let mut wal = Self::at(Segment::FIRST, 0);
        wal.begin_segment(files, Segment::FIRST)?;
        for write in checkpoint.plan().skip_while(|write| *write == Write::Segment) {
            wal.write(files, write)?;
        }
        wal.sync(files)?;
        Ok(wal)
    }

    /// Recovers the log that is there and opens it for writing: cuts its torn tail, makes what is left durable, even where an
    /// earlier sync of it failed, and removes the segments that no longer count. A crash in between does no harm.
    ///
    /// # Errors
    /// As [`recover`], and where the disk fails.
    pub fn open(files: &mut impl Files) -> Result<(Self, Recovered), RecoveryError> {
        let recovered = recover(files)?;
        if !planted(Bug::WalAppendAfterTornTail) {
            files.truncate(recovered.segment, sector::file_length(recovered.end))?;
        }
        if !planted(Bug::WalTrustsWhatItReads) {
            files.rewrite(recovered.segment, sector::file_length(recovered.synced))?;
        }
        let mut wal = Self::at(recovered.segment, recovered.end);
        (wal.checkpoint, wal.commit) = (Some(recovered.end), recovered.hard_state.commit);
        if recovered.raised {
            // Otherwise the term would fall back should the entries that it was raised to be replaced.
            wal.write(files, Write::HardState(recovered.hard_state))?;
        }
        wal.sync(files)?;
        for segment in files.list()?.into_iter().filter(|&segment| segment != recovered.segment) {
            files.remove(segment)?;
        }
        Ok((wal, recovered))
    }

    fn at(segment: Segment, end: u64) -> Self {
        Self {
            segment,
            end,
            synced: 0,
            checkpoint: None,
            commit: Index::ZERO,
            durable_commit: Index::ZERO,
            older: Vec::new(),
            failed: false,
            record: Vec::new(),
            framed: Vec::new(),
        }
    }

    /// Writes one record. It is durable once a sync that began after it has completed.
    ///
    /// # Errors
    /// The disk is full or failed, now or before.
    pub fn write(&mut self, files: &mut impl Files, write: Write<'_>) -> Result<(), DiskError> {
        self.guard(|wal| wal.try_write(files, write))
    }

    fn try_write(&mut self, files: &mut impl Files, write: Write<'_>) -> Result<(), DiskError> {
        match write {
            Write::Segment => {
                self.older.push(self.segment);
                self.begin_segment(files, self.segment.next())
            }
            Write::Snapshot { snapshot, base } => {
                self.append(files, Kind::Snapshot, |out| payload::put_snapshot(snapshot, base, out))?;
                self.commit = self.commit.max(snapshot.id.index);
                Ok(())
            }
            Write::Entry(entry) => self.append(files, Kind::Entry, |out| payload::put_entry(entry, out)),
            Write::HardState(hard_state) => {
                self.append(files, Kind::HardState, |out| payload::put_hard_state(&hard_state, out))?;
                self.checkpoint.get_or_insert(self.end);
                self.commit = self.commit.max(hard_state.commit);
                Ok(())
            }
        }
    }

    fn begin_segment(&mut self, files: &mut impl Files, segment: Segment) -> Result<(), DiskError> {
        files.create(segment)?;
        (self.segment, self.end, self.synced, self.checkpoint) = (segment, 0, 0, None);
        self.commit = Index::ZERO;
        self.append(files, Kind::Segment, |out| payload::put_number(payload::VERSION, out))
    }

    fn append(
        &mut self,
        files: &mut impl Files,
        kind: Kind,
        payload: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DiskError> {
        let place = Place { segment: self.segment, offset: self.end, synced: self.synced };
        record::write(&mut self.record, place, kind, payload)?;
        self.framed.clear();
        sector::frame(self.segment, self.end, &self.record, &mut self.framed);
        files.append(self.segment, &self.framed)?;
        self.end += self.record.len() as u64;
        Ok(())
    }

    /// Makes all that was written durable, and returns when it is.
    ///
    /// # Errors
    /// The disk failed, now or before.
    pub fn sync(&mut self, files: &mut impl Files) -> Result<(), DiskError> {
        let mark = self.mark();
        self.guard(|wal| files.sync(wal.segment))?;
        self.synced(mark);
        Ok(())
    }

    /// The file to sync, for a host that begins a sync and learns later that it has completed.
    pub fn segment(&self) -> Segment {
        self.segment
    }

    /// What a sync of [`segment`](Self::segment) that begins now will make durable: all that was written, unless a
    /// checkpoint is half written. Then it is nothing, since the segment does not count yet.
    pub fn mark(&self) -> Mark {
        let commit = self.checkpoint.map_or(Index::ZERO, |_| self.commit);
        Mark { segment: self.segment, offset: self.end, commit }
    }

    /// Tells the log that a sync which began when it was at this mark has completed.
    pub fn synced(&mut self, mark: Mark) {
        if mark.segment == self.segment {
            self.synced = self.synced.max(mark.offset);
        }
        self.durable_commit = self.durable_commit.max(mark.commit);
    }

    /// The commit index that would be recovered after a crash that keeps only what is known to be durable, provided
    /// that the one that is written never falls. [`recover`] would have to read the whole log to find it.
    pub fn durable_commit(&self) -> Index {
        self.durable_commit
    }

    /// The earlier segments that have not been removed, newest last.
    pub fn older(&self) -> &[Segment] {
        &self.older
    }

    /// Removes the oldest of the earlier segments, if there is one and the checkpoint that replaces it is durable;
    /// returns which. To be called after each compaction and its sync until it returns `None`.
    ///
    /// # Errors
    /// The disk failed, now or before.
    pub fn remove_older(&mut self, files: &mut impl Files) -> Result<Option<Segment>, DiskError> {
        let checkpoint_is_durable =
            self.checkpoint.is_some_and(|end| end <= self.synced || planted(Bug::SnapshotWalOrder));
        let Some(&oldest) = self.older.first().filter(|_| checkpoint_is_durable) else { return Ok(None) };
        self.guard(|_| files.remove(oldest))?;
        self.older.remove(0);
        Ok(Some(oldest))
    }

    /// The bytes of the current segment. A host that compacts when this exceeds some multiple of what a checkpoint takes
    /// keeps the use of the disk bounded.
    pub fn size(&self) -> u64 {
        sector::file_length(self.end)
    }

    /// Does the operation unless something failed before, and remembers whether it fails.
    fn guard<T>(&mut self, operation: impl FnOnce(&mut Self) -> Result<T, DiskError>) -> Result<T, DiskError> {
        if self.failed {
            return Err(DiskError::Failed(io::ErrorKind::Other));
        }
        let result = operation(self);
        self.failed = result.is_err();
        result
    }
}
