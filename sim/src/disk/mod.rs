//! A disk of bytes: a write is pending until an fsync that covers it completes, and a crash keeps as much of what is
//! pending as its caller decides.
//!
//! Nothing here is random and no time passes: when a sync completes, what a crash keeps and which bit flips are
//! decisions of the caller, plain data that a trace can record. Memory is that of the live files.
//!
//! # What a crash may do
//! All files' pending bytes, in the order of their segments, are one sequence, cut into *blocks* where sectors of 512
//! bytes begin in their file. A block that holds some durable bytes keeps those in any case: a drive writes a sector's
//! front again unchanged. What does not survive reads as zeros, or as the end of the file where nothing after it
//! survives.
//!
//! Creation, removal and truncation of files are durable at once and in order, as [`Files`] demands of every disk.

mod crash;
mod fault;
mod forgotten;
mod replaced;
mod state;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::Range;

pub use crash::Keep;
pub use fault::DiskFault;
pub use replaced::Replaced;

use crate::wal::{DiskError, Files, SECTOR, Segment};

/// By so many bytes at its front a block of a log tells where it belongs.
const STAMP: usize = 2;

/// The files of one node's log, with what is durable of each.
///
/// ```
/// use sim::{disk::{Disk, Keep}, wal::{Files, Segment}};
///
/// let mut disk = Disk::default();
/// disk.create(Segment(1))?;
/// disk.append(Segment(1), b"durable ")?;
/// disk.begin_sync(Segment(1))?;
/// disk.append(Segment(1), b"pending")?;
/// disk.complete_sync()?;
/// assert_eq!(disk.pending(), 7);
/// assert_eq!(disk.crash(Keep::Nothing), 7);
/// assert_eq!(*disk.read(Segment(1))?, *b"durable ");
/// # Ok::<(), sim::wal::DiskError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: BTreeMap<Segment, File>,
    /// Begun and not completed, oldest first.
    syncs: VecDeque<Sync>,
    /// How many syncs have begun.
    begun: u64,
    capacity: Option<u64>,
    next_sync: NextSync,
    failed: bool,
    damaged: bool,
    replaced: Option<Replaced>,
    /// What was put aside of it.
    copy: Option<Box<Self>>,
}

/// A file: its first `durable` bytes survive every crash, the rest is pending.
#[derive(Clone, Hash, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    durable: usize,
    /// What a failed sync has not kept though it still reads, and no later sync will.
    forgotten: Range<usize>,
}

/// What becomes of the sync that would complete next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum NextSync {
    #[default]
    Completes,
    Fails,
    /// It fails, and what it was to make durable can be read until power fails.
    Forgets,
}

/// An fsync under way: it will make the file's first `length` bytes durable.
#[derive(Clone, Copy, Hash, Debug)]
struct Sync {
    id: SyncId,
    file: Segment,
    length: usize,
}

/// Names a sync of one disk. Later ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SyncId(pub u64);

impl Disk {
    /// Begins an fsync of a file. It covers what has been appended so far, and counts once
    /// [`complete_sync`](Self::complete_sync) says so.
    ///
    /// # Errors
    /// There is no such file, or the disk failed before.
    pub fn begin_sync(&mut self, file: Segment) -> Result<SyncId, DiskError> {
        self.check_alive()?;
        let length = self.file(file)?.bytes.len();
        let id = SyncId(self.begun);
        self.begun += 1;
        self.syncs.push_back(Sync { id, file, length });
        Ok(id)
    }

    /// Completes the oldest sync under way and tells which it was; `None` where none is.
    ///
    /// # Errors
    /// The disk failed, now or before: nothing more became durable, and nothing will until a crash and a recovery. Every
    /// later write and sync fails too, so that no host can try again and go on.
    pub fn complete_sync(&mut self) -> Result<Option<SyncId>, DiskError> {
        if let Some(Sync { file, length, .. }) = self.syncs.front() {
            match std::mem::take(&mut self.next_sync) {
                NextSync::Completes => {}
                NextSync::Fails => self.failed = true,
                NextSync::Forgets => {
                    self.failed = true;
                    self.files.entry(*file).and_modify(|file| file.forget(*length));
                }
            }
        }
        self.check_alive()?;
        let Some(Sync { id, file, length }) = self.syncs.pop_front() else { return Ok(None) };
        self.make_durable(file, length);
        Ok(Some(id))
    }

    fn make_durable(&mut self, file: Segment, length: usize) {
        if let Some(file) = self.files.get_mut(&file) {
            file.durable = file.durable.max(length.min(file.bytes.len()));
        }
    }

    /// How many syncs are under way.
    pub fn syncs_under_way(&self) -> usize {
        self.syncs.len()
    }

    /// How many bytes a crash could lose.
    pub fn pending(&self) -> u64 {
        self.files.values().map(File::pending).sum()
    }

    /// How many blocks a crash could lose: what [`Keep::Subset`] and [`Keep::Torn`] count.
    pub fn pending_blocks(&self) -> u64 {
        self.files.values().map(File::pending_blocks).sum()
    }

    /// How many bytes a crash could lose of one file.
    ///
    /// # Errors
    /// There is no such file.
    pub fn pending_of(&self, file: Segment) -> Result<u64, DiskError> {
        self.file(file).map(File::pending)
    }

    /// How many bytes of a file are durable.
    ///
    /// # Errors
    /// There is no such file.
    pub fn durable_of(&self, file: Segment) -> Result<u64, DiskError> {
        self.file(file).map(|file| file.durable as u64)
    }

    /// How many bytes all files take.
    pub fn used(&self) -> u64 {
        self.files.values().map(|file| file.bytes.len() as u64).sum()
    }

    /// Power fails: of what is pending only `keep` survives, syncs under way never complete, and a failed disk works
    /// again. Returns how many pending bytes were lost.
    pub fn crash(&mut self, keep: Keep) -> u64 {
        self.syncs.clear();
        (self.failed, self.next_sync) = (false, NextSync::Completes);
        crash::crash(self.files.values_mut(), keep)
    }

    /// From now on files may take this many bytes altogether, `None` for any number. What would exceed it is refused
    /// whole.
    pub fn limit(&mut self, capacity: Option<u64>) {
        self.capacity = capacity;
    }

    /// The next sync that would complete fails instead, and the disk with it.
    pub fn fail_next_sync(&mut self) {
        self.next_sync = NextSync::Fails;
    }

    /// Whether the next sync that would complete is to fail.
    pub const fn fails_next_sync(&self) -> bool {
        !matches!(self.next_sync, NextSync::Completes)
    }

    /// Whether something other than a crash ever changed what was durable.
    pub const fn was_damaged(&self) -> bool {
        self.damaged
    }

    /// Flips a bit of what is durable. `bit` counts from the first bit of the file; returns whether there is such a bit.
    pub fn flip_bit(&mut self, file: Segment, bit: u64) -> bool {
        let durable = self.files.get_mut(&file).map_or(&mut [][..], File::durable_bytes);
        let byte = usize::try_from(bit / 8).ok().and_then(|byte| durable.get_mut(byte));
        let flipped = byte.map(|byte| *byte ^= 1 << (bit % 8)).is_some();
        self.damaged |= flipped;
        flipped
    }

    /// A misdirected write: copies block `from` of what is durable over block `to` of the same file, as far as `to`
    /// reaches, with zeros for what `from` lacks. Returns whether that changed anything. Two things are not done: to copy a
    /// block that reads as zeros, since it was never written and no write could go astray; and to copy a short one over the
    /// block that it was itself copied from, which would leave the front of that block and zeros. A torn write leaves the
    /// same, so that nobody could tell the two apart.
    pub fn misplace_block(&mut self, file: Segment, from: u64, to: u64) -> bool {
        let durable = self.files.get_mut(&file).map_or(&mut [][..], File::durable_bytes);
        let block = |number: u64| {
            let start = usize::try_from(number).ok()?.checked_mul(SECTOR).filter(|&start| start < durable.len())?;
            Some(start..durable.len().min(start + SECTOR))
        };
        let (Some(from), Some(to)) = (block(from), block(to)) else { return false };
        let mut copy = durable[from].to_vec();
        let stamp = &copy[..copy.len().min(STAMP)];
        let is_front = copy.len() < to.len() && durable[to.clone()].starts_with(stamp);
        if is_front || copy.iter().all(|&byte| byte == 0) {
            return false;
        }
        copy.resize(SECTOR, 0);
        let changed = durable[to.clone()] != copy[..to.len()];
        let length = to.len();
        durable[to].copy_from_slice(&copy[..length]);
        self.damaged |= changed;
        changed
    }

    fn file(&self, file: Segment) -> Result<&File, DiskError> {
        self.files.get(&file).ok_or(DiskError::NoSuchFile(file))
    }

    fn check_alive(&self) -> Result<(), DiskError> {
        if self.failed { Err(DiskError::Failed(io::ErrorKind::Other)) } else { Ok(()) }
    }

    fn check_space(&self, more: usize) -> Result<(), DiskError> {
        match self.capacity {
            Some(capacity) if self.used() + more as u64 > capacity => Err(DiskError::Full),
            Some(_) | None => Ok(()),
        }
    }
}

impl File {
    fn pending(&self) -> u64 {
        (self.bytes.len() - self.durable) as u64
    }

    fn pending_blocks(&self) -> u64 {
        (self.bytes.len().div_ceil(SECTOR) - self.durable / SECTOR) as u64 * u64::from(self.pending() > 0)
    }

    fn durable_bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.durable]
    }
}

impl Files for Disk {
    fn list(&self) -> Result<Vec<Segment>, DiskError> {
        Ok(self.files.keys().copied().collect())
    }

    fn read(&self, file: Segment) -> Result<Cow<'_, [u8]>, DiskError> {
        self.file(file).map(|file| Cow::Borrowed(&file.bytes[..]))
    }

    fn create(&mut self, file: Segment) -> Result<(), DiskError> {
        self.check_alive()?;
        if self.files.contains_key(&file) {
            return Err(DiskError::Exists(file));
        }
        self.files.insert(file, File::default());
        Ok(())
    }

    fn append(&mut self, file: Segment, bytes: &[u8]) -> Result<(), DiskError> {
        self.check_alive()?;
        self.check_space(bytes.len())?;
        let opened = self.files.get_mut(&file).ok_or(DiskError::NoSuchFile(file))?;
        opened.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Completes this sync and all that began before it.
    fn sync(&mut self, file: Segment) -> Result<(), DiskError> {
        let id = self.begin_sync(file)?;
        while self.complete_sync()?.is_some_and(|completed| completed < id) {}
        Ok(())
    }

    fn rewrite(&mut self, file: Segment, from: u64) -> Result<(), DiskError> {
        self.check_alive()?;
        let opened = self.files.get_mut(&file).ok_or(DiskError::NoSuchFile(file))?;
        opened.write_again(usize::try_from(from).unwrap_or(usize::MAX));
        Ok(())
    }

    fn truncate(&mut self, file: Segment, length: u64) -> Result<(), DiskError> {
        self.check_alive()?;
        let opened = self.files.get_mut(&file).ok_or(DiskError::NoSuchFile(file))?;
        opened.bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        opened.durable = opened.durable.min(opened.bytes.len());
        opened.forgotten.end = opened.forgotten.end.min(opened.bytes.len());
        Ok(())
    }

    fn remove(&mut self, file: Segment) -> Result<(), DiskError> {
        self.check_alive()?;
        self.syncs.retain(|sync| sync.file != file);
        self.files.remove(&file).map(drop).ok_or(DiskError::NoSuchFile(file))
    }
}

#[cfg(test)]
mod tests;
