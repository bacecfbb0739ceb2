//! The log of one node on real files, in the format whose recovery the simulator tests.

use std::path::Path;

use raft::{MemStorage, Ready, Snapshot};
use raft_wal::{Checkpoint, RealFiles, RecoveryError, Wal, plan};

use crate::Error;

pub struct Disk {
    files: RealFiles,
    wal: Wal,
}

impl Disk {
    /// Opens the log in a directory, or begins one, and reads it into memory. What is torn at its end is cut; damage is
    /// an error, and the node has to stay down.
    pub fn open(directory: &Path) -> Result<(Self, MemStorage), Error> {
        let mut files = RealFiles::open(directory)?;
        let (wal, storage) = match Wal::open(&mut files) {
            Ok((wal, recovered)) => (wal, recovered.into_storage()?),
            Err(RecoveryError::Missing) => (Wal::create(&mut files, Checkpoint::default())?, MemStorage::new()),
            Err(error) => return Err(error.into()),
        };
        Ok((Self { files, wal }, storage))
    }

    /// Writes what a Ready says, durably where it has to be.
    pub fn write(&mut self, ready: &Ready) -> Result<(), Error> {
        for write in plan(ready.hard_state, &ready.entries, ready.snapshot.as_ref()) {
            self.wal.write(&mut self.files, write)?;
        }
        if ready.must_sync || ready.snapshot.is_some() {
            self.wal.sync(&mut self.files)?;
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
            self.wal.write(&mut self.files, write)?;
        }
        self.wal.sync(&mut self.files)?;
        while self.wal.remove_older(&mut self.files)?.is_some() {}
        Ok(())
    }
}
