//! The log of one node on real files, in the format whose recovery the simulator tests.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Instant;

use raft::{MemStorage, NodeId, Ready, Snapshot};
use raft_wal::{Checkpoint, Files, RealFiles, RecoveryError, Wal, plan};

use crate::Error;
use crate::testing::Testing;
use crate::volatile::Volatile;

pub struct Disk {
    files: Box<dyn Files + Send + Sync>,
    wal: Wal,
    testing: Testing,
    synced: Instant,
    /// Locked for as long as it is open.
    _owner: File,
}

impl Disk {
    /// Opens the log of this node in a directory, or begins one, and reads it into memory. What is torn at its end is cut;
    /// damage is an error, and the node has to stay down.
    pub fn open(directory: &Path, id: NodeId, testing: &Testing) -> Result<(Self, MemStorage), Error> {
        std::fs::create_dir_all(directory)?;
        let owner = own(directory, id)?;
        let real = RealFiles::open(directory)?;
        let mut files: Box<dyn Files + Send + Sync> =
            if testing.volatile { Box::new(Volatile::new(real)) } else { Box::new(real) };
        let (wal, storage) = match Wal::open(&mut &mut *files) {
            Ok((wal, recovered)) => (wal, recovered.into_storage()?),
            Err(RecoveryError::Missing) => (Wal::create(&mut &mut *files, Checkpoint::default())?, MemStorage::new()),
            Err(error) => return Err(error.into()),
        };
        Ok((Self { files, wal, testing: testing.clone(), synced: Instant::now(), _owner: owner }, storage))
    }

    /// Writes what a Ready says, durably where it has to be.
    pub fn write(&mut self, ready: &Ready) -> Result<(), Error> {
        for write in plan(ready.hard_state, &ready.entries, ready.snapshot.as_ref()) {
            self.wal.write(&mut &mut *self.files, write)?;
        }
        let skipped = self.testing.late_fsync.is_some_and(|time| self.synced.elapsed() < time);
        if (ready.must_sync || ready.snapshot.is_some()) && !skipped {
            self.sync()?;
        }
        Ok(())
    }

    /// Replaces the log by a snapshot and what follows it.
    pub fn compact(&mut self, snapshot: &Snapshot, storage: &MemStorage) -> Result<(), Error> {
        let entries: Vec<_> = storage.stored().filter(|entry| entry.index > snapshot.id.index).cloned().collect();
        let checkpoint = Checkpoint {
            hard_state: storage.hard_state(),
            snapshot: Some(snapshot),
            base: snapshot.id,
            entries: &entries,
        };
        for write in checkpoint.plan() {
            self.wal.write(&mut &mut *self.files, write)?;
        }
        self.sync()?;
        while self.wal.remove_older(&mut &mut *self.files)?.is_some() {}
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        if !self.testing.no_fsync {
            self.wal.sync(&mut &mut *self.files)?;
            self.synced = Instant::now();
        }
        Ok(())
    }
}

/// Makes sure that the directory is this node's, and nobody else's while the file is open: two processes on one log would
/// destroy it, and a node with another's log would break its promises.
fn own(directory: &Path, id: NodeId) -> Result<File, Error> {
    let (path, shown) = (directory.join("owner"), directory.display());
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(format!("{shown} is in use: a process runs this node already").into());
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let mut owner = String::new();
    file.read_to_string(&mut owner)?;
    if owner.is_empty() {
        file.write_all(id.get().to_string().as_bytes())?;
        file.sync_all()?;
    } else if owner != id.get().to_string() {
        return Err(format!("{shown} holds the data of node {owner}, not of node {}", id.get()).into());
    }
    Ok(file)
}
