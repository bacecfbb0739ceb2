//! Reading the log back: what its bytes prove, and nothing else.

use bytes::Bytes;
use raft::planted::{Bug, planted};
use raft::{Entry, EntryId, HardState, Index, MemStorage, MemStorageError, Snapshot, Term};

use crate::files::{DiskError, Files, Segment};
use crate::payload::{Reader, VERSION};
use crate::record::{self, Kind, Record, Unread};
use crate::sector::{self, Sectors};

/// What a node remembers after a restart.
#[derive(Clone, PartialEq, Debug)]
pub struct Recovered {
    /// Term, vote and commit. The term is not behind any entry that was written after the hard state, and the commit
    /// index not behind the snapshot.
    pub hard_state: HardState,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// The entry before the first of `entries`.
    pub base: EntryId,
    /// The log after `base`, without gaps. What the entries hold shares one buffer, the size of the file.
    pub entries: Vec<Entry>,
    /// The bytes of the file that a crash left torn, and that [`Wal::open`](crate::Wal::open) cuts.
    pub cut: u64,
    /// The segment that it was read from.
    pub segment: Segment,
    /// How much of the segment's stream counts.
    pub(crate) end: u64,
    /// How much of it is known to be durable.
    pub(crate) synced: u64,
    /// Whether the term is not the one that was written.
    pub(crate) raised: bool,
}

impl Recovered {
    /// The last entry of the log.
    pub fn last(&self) -> EntryId {
        self.entries.last().map_or(self.base, Entry::id)
    }

    /// The same in memory, for a node to read.
    ///
    /// # Errors
    /// The fields were changed, so that the entries do not follow `base` or one another, or do not reach the snapshot.
    pub fn into_storage(self) -> Result<MemStorage, MemStorageError> {
        let snapshot = self.snapshot.unwrap_or_default();
        let mut storage = if self.base.index < snapshot.id.index {
            let mut storage = MemStorage::from_snapshot(Snapshot { id: self.base, ..snapshot.clone() });
            storage.append(&self.entries)?;
            storage.create_snapshot(snapshot.id.index, snapshot.conf_state, snapshot.data)?;
            storage
        } else {
            let mut storage = MemStorage::from_snapshot(snapshot);
            storage.append(&self.entries)?;
            storage
        };
        storage.set_hard_state(self.hard_state);
        Ok(storage)
    }
}

/// Why a node must stay down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// Bytes that were durable were damaged, or records that verify contradict each other.
    #[error("segment {segment} is corrupt at byte {offset}")]
    Corruption {
        /// The file.
        segment: Segment,
        /// Where in the file the record begins that cannot be read or does not fit, in bytes.
        offset: u64,
    },
    /// No log was ever completed here.
    #[error("there is no log")]
    Missing,
    /// The log was written in a format that this code does not know.
    #[error("segment {segment} has the unknown format {version}")]
    Version {
        /// The file.
        segment: Segment,
        /// The version that it names.
        version: u64,
    },
    /// A file could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Reads the log back, changing nothing: the newest segment whose checkpoint is complete. See the [crate](crate) for
/// what counts.
///
/// Takes any bytes: it does not panic, and needs memory in proportion to the largest file.
///
/// ```
/// use raft::HardState;
/// use raft_wal::{Checkpoint, RealFiles, RecoveryError, Wal, recover};
///
/// let directory = tempfile::tempdir()?;
/// let mut files = RealFiles::open(directory.path())?;
/// assert_eq!(recover(&files), Err(RecoveryError::Missing));
/// Wal::create(&mut files, Checkpoint::default())?;
/// assert_eq!(recover(&files)?.hard_state, HardState::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What was durable is damaged or gone, or a file cannot be read. The node must stay down: coming back without what it
/// has promised would be unsafe.
pub fn recover(files: &impl Files) -> Result<Recovered, RecoveryError> {
    let segments = files.list()?;
    for &segment in segments.iter().rev() {
        let sectors = Sectors::new(segment, files.read(segment)?);
        if let Some(recovered) = Replay::of(&sectors)? {
            return Ok(recovered);
        }
    }
    match segments.first() {
        // Its predecessor is removed only after it is complete and durable.
        Some(&segment) if segment > Segment::FIRST => Err(RecoveryError::Corruption { segment, offset: 0 }),
        Some(_) | None => Err(RecoveryError::Missing),
    }
}

/// The state that the records of a segment, one after another, lead to.
#[derive(Default)]
struct Replay {
    /// `None` until the checkpoint is complete.
    hard_state: Option<HardState>,
    /// The highest term of what was written after the hard state.
    term_since: Term,
    snapshot: Option<Snapshot>,
    base: EntryId,
    entries: Vec<Entry>,
    /// How much its writer knew to be durable.
    synced: u64,
    /// What the snapshot took the place of, where a planted bug keeps that.
    replaced: Vec<Entry>,
}

/// Why a record that verifies cannot be followed.
enum Misfit {
    Contradiction,
    Version(u64),
}

impl Replay {
    /// Replays a segment; `None` where its checkpoint is not complete, and so it does not count.
    fn of(sectors: &Sectors<'_>) -> Result<Option<Recovered>, RecoveryError> {
        let segment = sectors.segment();
        let corruption = |at: usize| RecoveryError::Corruption { segment, offset: sector::file_length(at as u64) };
        let mut replay = Self::default();
        let mut at = 0;
        while at < sectors.stream().len() {
            let record = match record::read(sectors, at) {
                Ok(record) => record,
                Err(Unread::Damaged) => return Err(corruption(at)),
                Err(Unread::Torn) if is_vouched_for(sectors, at) => return Err(corruption(at)),
                Err(Unread::Torn) => break,
            };
            replay.follow(&record, sectors.stream(), at == 0).map_err(|misfit| match misfit {
                Misfit::Contradiction => corruption(at),
                Misfit::Version(version) => RecoveryError::Version { segment, version },
            })?;
            replay.synced = replay.synced.max(record.synced);
            at = record.end;
        }
        replay.finish(sectors, at as u64).ok_or_else(|| corruption(at))
    }

    fn follow(&mut self, record: &Record<'_>, stream: &Bytes, first: bool) -> Result<(), Misfit> {
        let mut payload = Reader { rest: record.payload, stream };
        match record.kind {
            Kind::Segment if first => match payload.number() {
                Some(VERSION) => Some(()),
                Some(version) => return Err(Misfit::Version(version)),
                None => None,
            },
            Kind::Segment => None,
            Kind::Snapshot | Kind::Entry | Kind::HardState if first => None,
            Kind::Snapshot => payload.snapshot().and_then(|(snapshot, base)| self.restore(snapshot, base)),
            Kind::Entry => payload.entry().and_then(|entry| self.append(entry)),
            Kind::HardState => payload.hard_state().map(|hard_state| {
                (self.hard_state, self.term_since) = (Some(hard_state), Term::ZERO);
            }),
        }
        .ok_or(Misfit::Contradiction)
    }

    fn restore(&mut self, snapshot: Snapshot, base: EntryId) -> Option<()> {
        if base.index > snapshot.id.index {
            return None;
        }
        if planted(Bug::WalResurrectsTail) {
            self.replaced = std::mem::take(&mut self.entries);
        }
        self.entries.clear();
        self.term_since = self.term_since.max(snapshot.id.term);
        (self.snapshot, self.base) = (Some(snapshot), base);
        Some(())
    }

    fn append(&mut self, entry: Entry) -> Option<()> {
        let kept = entry.index.0.checked_sub(self.base.index.0)?.checked_sub(1)?;
        let kept = usize::try_from(kept).ok().filter(|&kept| kept <= self.entries.len())?;
        self.entries.truncate(kept);
        self.term_since = self.term_since.max(entry.term);
        self.entries.push(entry);
        Some(())
    }

    /// `None` where the whole makes no sense, `Some(None)` where it does not count.
    fn finish(mut self, sectors: &Sectors<'_>, end: u64) -> Option<Option<Recovered>> {
        let Some(hard_state) = self.hard_state else { return Some(None) };
        let end_of_log = self.entries.last().map_or(self.base, Entry::id).index;
        self.entries.extend(self.replaced.into_iter().filter(|entry| entry.index > end_of_log));
        let cut = sectors.file_length() - sector::file_length(end);
        let mut recovered = Recovered {
            hard_state,
            snapshot: self.snapshot,
            base: self.base,
            entries: self.entries,
            cut,
            segment: sectors.segment(),
            end,
            synced: self.synced,
            raised: false,
        };
        let last = recovered.last();
        let covered = recovered.snapshot.as_ref().map_or(Index::ZERO, |snapshot| snapshot.id.index);
        recovered.raised = self.term_since > hard_state.term;
        if recovered.raised {
            // The hard state that went with the entries was lost, and with it no vote: none had been sent. What was
            // written before it does not count: a node that starts from a snapshot of term 1 is in term 0, as in etcd.
            recovered.hard_state = HardState { term: self.term_since, vote: None, commit: hard_state.commit };
        }
        recovered.hard_state.commit = hard_state.commit.max(covered);
        (recovered.hard_state.commit <= last.index).then_some(Some(recovered))
    }
}

/// Whether some record after `from` says that its writer knew this place to be durable.
fn is_vouched_for(sectors: &Sectors<'_>, from: usize) -> bool {
    let end = sectors.stream().len();
    let mut at = from + 1;
    while at < end {
        match record::read(sectors, at) {
            Ok(record) if record.synced > from as u64 => return true,
            Ok(record) => at = record.end,
            Err(Unread::Torn | Unread::Damaged) => at += 1,
        }
    }
    false
}
