//! The same work every time, for counting instructions: a log of 20,000 entries is written to files, and read back. `.ci/counts` runs it
//! under callgrind and compares with what was counted before.

use bytes::Bytes;
use raft::{ConfState, Entry, HardState, Index, MemStorage, NodeId, Storage, Term};
use raft_wal::{Checkpoint, RealFiles, Wal, plan};

const ENTRIES: u64 = 20_000;

fn main() {
    let directory = tempfile::tempdir().expect("a folder");
    write(directory.path());
    let mut files = RealFiles::open(directory.path()).expect("the folder is there");
    let (_, recovered) = Wal::open(&mut files).expect("the log is whole");
    let storage = recovered.into_storage().expect("the log is whole");
    assert_eq!(storage.last_index(), Index(ENTRIES));
}

fn write(directory: &std::path::Path) {
    let voters = NodeId::new(1).into_iter().collect();
    let storage = MemStorage::with_conf_state(ConfState { voters, ..ConfState::default() });
    let snapshot = storage.snapshot().expect("the membership");
    let mut files = RealFiles::open(directory).expect("a folder to write to");
    let first = Checkpoint { snapshot: Some(&snapshot), ..Checkpoint::default() };
    let mut wal = Wal::create(&mut files, first).expect("an empty folder");
    let hard_state = HardState { term: Term(1), ..HardState::default() };
    for first in (1..=ENTRIES).step_by(100) {
        let entry = |index| Entry {
            term: Term(1),
            index: Index(index),
            data: Bytes::from_static(&[7; 64]),
            ..Entry::default()
        };
        let entries: Vec<Entry> = (first..first + 100).map(entry).collect();
        for write in plan(Some(hard_state), &entries, None) {
            wal.write(&mut files, write).expect("the disk has room");
        }
    }
    wal.sync(&mut files).expect("the disk works");
}
