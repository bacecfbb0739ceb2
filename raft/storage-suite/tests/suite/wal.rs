//! The log of this project keeps the contract, crashes included.

use bytes::Bytes;
use raft::{ConfState, Entry, EntryId, HardState, Index, MemStorage, Snapshot, Storage, StorageError, Term};
use raft_storage_suite::{Disk, Failure, Promise, StorageUnderTest, check_crashes};
use raft_wal::{Checkpoint, DiskError, Files, RecoveryError, Wal, plan};

/// What a host can do wrong with a log that does everything right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    Careful,
    NeverSyncs,
    RemovesTheOldLogFirst,
    WritesTheHardStateFirst,
}

/// The log on files, and the same in memory for the node to read.
struct Logged {
    host: Host,
    files: Disk,
    wal: Wal,
    memory: MemStorage,
}

impl Logged {
    fn open(mut files: Disk, host: Host) -> Result<Self, String> {
        let (wal, memory) = match Wal::open(&mut files) {
            Ok((wal, recovered)) => (wal, recovered.into_storage().map_err(|error| error.to_string())?),
            Err(RecoveryError::Missing) => {
                let created = Wal::create(&mut files, Checkpoint::default()).map_err(|error| error.to_string())?;
                (created, MemStorage::new())
            }
            Err(error) => return Err(error.to_string()),
        };
        Ok(Self { host, files, wal, memory })
    }

    /// Puts a new segment with all that is to be kept in the place of the old ones.
    fn rewrite(&mut self) -> Result<(), DiskError> {
        let snapshot = self.memory.snapshot().expect("memory has one");
        let snapshot = Some(&snapshot).filter(|snapshot| snapshot.id != EntryId::default());
        let entries: Vec<Entry> = self.memory.stored().cloned().collect();
        let base = self.memory.first_index().previous();
        let base = EntryId::new(self.memory.term(base).expect("the one before the first is known"), base);
        let checkpoint = Checkpoint { hard_state: self.memory.hard_state(), snapshot, base, entries: &entries };
        let old = self.files.list()?;
        for write in checkpoint.plan() {
            self.wal.write(&mut self.files, write)?;
        }
        if self.host == Host::RemovesTheOldLogFirst {
            old.into_iter().try_for_each(|segment| self.files.remove(segment))?;
            return self.wal.sync(&mut self.files);
        }
        self.wal.sync(&mut self.files)?;
        while self.wal.remove_older(&mut self.files)?.is_some() {}
        Ok(())
    }
}

impl StorageUnderTest for Logged {
    type Error = String;

    fn write(
        &mut self,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
        hard_state: Option<HardState>,
    ) -> Result<(), String> {
        // Memory first: it says whether the snapshot is an old one.
        StorageUnderTest::write(&mut self.memory, snapshot, entries, hard_state).map_err(|error| error.to_string())?;
        let mut writes: Vec<_> = plan(hard_state, entries, snapshot).collect();
        if self.host == Host::WritesTheHardStateFirst {
            writes.rotate_right(usize::from(hard_state.is_some()));
        }
        for write in writes {
            self.wal.write(&mut self.files, write).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), String> {
        match self.host {
            Host::NeverSyncs => Ok(()),
            Host::Careful | Host::RemovesTheOldLogFirst | Host::WritesTheHardStateFirst => {
                self.wal.sync(&mut self.files).map_err(|error| error.to_string())
            }
        }
    }

    fn create_snapshot(&mut self, index: Index, members: &ConfState, data: Bytes) -> Result<(), String> {
        StorageUnderTest::create_snapshot(&mut self.memory, index, members, data).map_err(|error| error.to_string())?;
        self.rewrite().map_err(|error| error.to_string())
    }

    fn compact(&mut self, index: Index) -> Result<(), String> {
        self.memory.compact(index).map_err(|error| error.to_string())?;
        self.rewrite().map_err(|error| error.to_string())
    }
}

impl Storage for Logged {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        self.memory.initial_state()
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        self.memory.entries(low, high, max_size)
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        self.memory.term(index)
    }

    fn first_index(&self) -> Index {
        self.memory.first_index()
    }

    fn last_index(&self) -> Index {
        self.memory.last_index()
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        self.memory.snapshot()
    }
}

fn tested(host: Host) -> Result<(), Failure> {
    check_crashes(|files| Logged::open(files, host))
}

#[test]
fn the_log_keeps_the_contract_through_every_crash() {
    tested(Host::Careful).unwrap();
}

#[test]
fn what_a_host_does_wrong_with_it_is_found() {
    for host in [Host::NeverSyncs, Host::RemovesTheOldLogFirst, Host::WritesTheHardStateFirst] {
        let failure = tested(host).expect_err("it is a mistake");
        assert!([Promise::Durable, Promise::Recovers].contains(&failure.promise), "{failure}");
    }
}
