//! Files whose bytes die with the process until they are synced: what makes a SIGKILL as bad as a power failure, for tests.

use std::borrow::Cow;
use std::collections::BTreeMap;

use raft_wal::{DiskError, Files, RealFiles, Segment};

/// Real files, with what is not synced in the memory of this process.
pub struct Volatile {
    real: RealFiles,
    pending: BTreeMap<Segment, Vec<u8>>,
}

impl Volatile {
    pub fn new(real: RealFiles) -> Self {
        Self { real, pending: BTreeMap::new() }
    }
}

impl Files for Volatile {
    fn list(&self) -> Result<Vec<Segment>, DiskError> {
        self.real.list()
    }

    fn read(&self, file: Segment) -> Result<Cow<'_, [u8]>, DiskError> {
        let mut bytes = self.real.read(file)?;
        if let Some(pending) = self.pending.get(&file) {
            bytes.to_mut().extend_from_slice(pending);
        }
        Ok(bytes)
    }

    fn create(&mut self, file: Segment) -> Result<(), DiskError> {
        self.real.create(file)
    }

    fn append(&mut self, file: Segment, bytes: &[u8]) -> Result<(), DiskError> {
        self.pending.entry(file).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self, file: Segment) -> Result<(), DiskError> {
        if let Some(pending) = self.pending.remove(&file) {
            self.real.append(file, &pending)?;
        }
        self.real.sync(file)
    }

    fn rewrite(&mut self, file: Segment, from: u64) -> Result<(), DiskError> {
        self.real.rewrite(file, from)
    }

    fn truncate(&mut self, file: Segment, length: u64) -> Result<(), DiskError> {
        let synced = self.real.read(file)?.len() as u64;
        if let Some(pending) = self.pending.get_mut(&file) {
            pending.truncate(usize::try_from(length.saturating_sub(synced)).unwrap_or(usize::MAX));
        }
        self.real.truncate(file, length)
    }

    fn remove(&mut self, file: Segment) -> Result<(), DiskError> {
        self.pending.remove(&file);
        self.real.remove(file)
    }
}
