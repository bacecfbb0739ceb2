//! Files in memory that crash at a call, and keep of what was not synced what a disk may keep.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::rc::Rc;

use raft_wal::{DiskError, Files, SECTOR, Segment};

/// Files for a storage under test. Clones are the same files.
///
/// ```
/// use raft_storage_suite::Disk;
/// use raft_wal::{Checkpoint, RecoveryError, Wal};
/// let mut disk = Disk::new();
/// assert_eq!(Wal::open(&mut disk).err(), Some(RecoveryError::Missing));
/// Wal::create(&mut disk, Checkpoint::default())?;
/// assert!(Wal::open(&mut disk.clone()).is_ok());
/// # Ok::<(), raft_wal::DiskError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Disk(Rc<RefCell<State>>);

#[derive(Clone, Debug, Default)]
struct State {
    files: BTreeMap<Segment, File>,
    /// Calls that change something.
    calls: u64,
    crashes_at: Option<u64>,
    crashed: bool,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// How many of the bytes no crash takes away.
    durable: usize,
}

/// What a disk keeps in a crash of the bytes that were not synced.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kept {
    /// None of them.
    Nothing,
    /// All of them.
    Everything,
    /// The first half, which ends anywhere in what was written.
    Half,
    /// All but the first sector, which reads as zeros: a disk may write its sectors in any order.
    AllButTheFirstSector,
}

impl Kept {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Everything, Self::Half, Self::AllButTheFirstSector];

    /// In words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Everything => "everything",
            Self::Half => "the first half",
            Self::AllButTheFirstSector => "all but the first sector",
        }
    }
}

impl Disk {
    /// Without a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the call of this number fail, counted from 1 over those that change something, and every call after it.
    pub(crate) fn crash_at(&self, call: u64) {
        self.0.borrow_mut().crashes_at = Some(call);
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.0.borrow().crashed
    }

    /// The disk after the crash. It does not crash again.
    pub(crate) fn restarted(&self, kept: Kept) -> Self {
        let mut files = self.0.borrow().files.clone();
        files.values_mut().for_each(|file| file.crash(kept));
        Self(Rc::new(RefCell::new(State { files, ..State::default() })))
    }

    /// What this disk does, unless it has crashed or crashes now; then `torn` is what a crash can still leave.
    fn change<T>(
        &self,
        torn: impl FnOnce(&mut BTreeMap<Segment, File>),
        change: impl FnOnce(&mut BTreeMap<Segment, File>) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mut state = self.0.borrow_mut();
        state.check()?;
        state.calls += 1;
        if state.crashes_at == Some(state.calls) {
            state.crashed = true;
            torn(&mut state.files);
            return state.check().and(Err(DiskError::Failed(ErrorKind::Other)));
        }
        change(&mut state.files)
    }
}

impl State {
    fn check(&self) -> Result<(), DiskError> {
        if self.crashed { Err(DiskError::Failed(ErrorKind::BrokenPipe)) } else { Ok(()) }
    }
}

impl File {
    fn crash(&mut self, kept: Kept) {
        let pending = self.bytes.len() - self.durable;
        match kept {
            Kept::Nothing => self.bytes.truncate(self.durable),
            Kept::Everything => {}
            Kept::Half => self.bytes.truncate(self.durable + pending / 2),
            Kept::AllButTheFirstSector => {
                let end = ((self.durable / SECTOR + 1) * SECTOR).min(self.bytes.len());
                self.bytes[self.durable..end].fill(0);
            }
        }
        self.durable = self.bytes.len();
    }
}

fn find(files: &mut BTreeMap<Segment, File>, file: Segment) -> Result<&mut File, DiskError> {
    files.get_mut(&file).ok_or(DiskError::NoSuchFile(file))
}

impl Files for Disk {
    fn list(&self) -> Result<Vec<Segment>, DiskError> {
        let state = self.0.borrow();
        state.check()?;
        Ok(state.files.keys().copied().collect())
    }

    fn read(&self, file: Segment) -> Result<Cow<'_, [u8]>, DiskError> {
        let mut state = self.0.borrow_mut();
        state.check()?;
        find(&mut state.files, file).map(|file| Cow::Owned(file.bytes.clone()))
    }

    fn create(&mut self, file: Segment) -> Result<(), DiskError> {
        self.change(
            |_| {},
            |files| {
                if files.contains_key(&file) {
                    return Err(DiskError::Exists(file));
                }
                files.insert(file, File::default());
                Ok(())
            },
        )
    }

    fn append(&mut self, file: Segment, bytes: &[u8]) -> Result<(), DiskError> {
        let append =
            |files: &mut BTreeMap<Segment, File>| find(files, file).map(|file| file.bytes.extend_from_slice(bytes));
        // What is under way when the power fails may still arrive.
        self.change(|files| append(files).unwrap_or_default(), append)
    }

    fn sync(&mut self, file: Segment) -> Result<(), DiskError> {
        self.change(|_| {}, |files| find(files, file).map(|file| file.durable = file.bytes.len()))
    }

    fn rewrite(&mut self, file: Segment, _: u64) -> Result<(), DiskError> {
        // No sync of this disk fails and lets its node go on.
        self.change(|_| {}, |files| find(files, file).map(drop))
    }

    fn truncate(&mut self, file: Segment, length: u64) -> Result<(), DiskError> {
        self.change(
            |_| {},
            |files| {
                let file = find(files, file)?;
                file.bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
                file.durable = file.durable.min(file.bytes.len());
                Ok(())
            },
        )
    }

    fn remove(&mut self, file: Segment) -> Result<(), DiskError> {
        self.change(|_| {}, |files| files.remove(&file).map(drop).ok_or(DiskError::NoSuchFile(file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Segment = Segment(1);

    /// One synced byte, then 600 that are not, the last 300 of which are under way at the crash.
    fn crashed() -> Disk {
        let mut disk = Disk::new();
        disk.create(FILE).expect("there is none");
        disk.append(FILE, &[1]).expect("it is there");
        disk.sync(FILE).expect("it is there");
        disk.append(FILE, &[2; 300]).expect("it is there");
        disk.crash_at(5);
        disk.append(FILE, &[3; 300]).expect_err("it crashes");
        disk
    }

    #[test]
    fn nothing_works_after_a_crash() {
        let mut disk = crashed();
        assert!(disk.has_crashed() && disk.list().is_err() && disk.read(FILE).is_err());
        assert!(disk.append(FILE, &[4]).is_err() && disk.sync(FILE).is_err() && disk.truncate(FILE, 0).is_err());
        assert!(disk.create(Segment(2)).is_err() && disk.remove(FILE).is_err());
    }

    #[test]
    fn a_crash_keeps_what_was_synced_and_of_the_rest_what_was_asked() {
        let whole: Vec<u8> = [vec![1], vec![2; 300], vec![3; 300]].concat();
        let zeroed: Vec<u8> = [vec![1], vec![0; 511], vec![3; 89]].concat();
        let table = [
            (Kept::Nothing, vec![1]),
            (Kept::Everything, whole.clone()),
            (Kept::Half, whole[..301].to_vec()),
            (Kept::AllButTheFirstSector, zeroed),
        ];
        for (kept, bytes) in table {
            assert_eq!(*crashed().restarted(kept).read(FILE).expect("it works again"), bytes, "{kept:?}");
        }
    }
}
