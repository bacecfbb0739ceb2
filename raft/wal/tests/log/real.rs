//! The log in a directory.

use std::fs;
use std::path::{Path, PathBuf};

use raft::{Entry, EntryId, HardState, Index, Snapshot, Term};
use raft_wal::{Checkpoint, Files, RealFiles, RecoveryError, Segment, Wal, plan, recover};
use tempfile::tempdir;

use crate::entry;

fn path(directory: &Path, segment: Segment) -> PathBuf {
    directory.join(format!("{:020}.log", segment.0))
}

#[test]
fn a_log_survives_restart_compaction_and_a_torn_tail() {
    let directory = tempdir().unwrap();
    let entries: Vec<Entry> = (1..=5).map(|index| entry(1, index, 300)).collect();
    let hard_state = HardState { term: Term(1), vote: None, commit: Index(5) };
    let mut files = RealFiles::open(directory.path()).unwrap();
    let mut wal = Wal::create(&mut files, Checkpoint::default()).unwrap();
    for write in plan(Some(hard_state), &entries, None) {
        wal.write(&mut files, write).unwrap();
    }
    wal.sync(&mut files).unwrap();

    let snapshot = Snapshot { id: EntryId::new(Term(1), Index(3)), data: "state".into(), ..Snapshot::default() };
    let checkpoint = Checkpoint { hard_state, snapshot: Some(&snapshot), base: snapshot.id, entries: &entries[3..] };
    checkpoint.plan().for_each(|write| wal.write(&mut files, write).unwrap());
    wal.sync(&mut files).unwrap();
    assert_eq!(wal.remove_older(&mut files), Ok(Some(Segment(1))));

    let torn = entry(1, 6, 300);
    plan(None, &[torn], None).for_each(|write| wal.write(&mut files, write).unwrap());
    let whole = files.read(Segment(2)).unwrap().len() as u64;
    files.truncate(Segment(2), whole - 100).unwrap();
    drop(files);

    let mut files = RealFiles::open(directory.path()).unwrap();
    let (_, recovered) = Wal::open(&mut files).unwrap();
    assert_eq!((recovered.segment, recovered.cut > 0), (Segment(2), true));
    assert_eq!((recovered.hard_state, recovered.base), (hard_state, snapshot.id));
    assert_eq!((recovered.snapshot, recovered.entries.as_slice()), (Some(snapshot), &entries[3..]));
}

#[test]
fn a_flipped_bit_is_corruption() {
    let directory = tempdir().unwrap();
    let mut files = RealFiles::open(directory.path()).unwrap();
    Wal::create(&mut files, Checkpoint::default()).unwrap();
    let path = path(directory.path(), Segment(1));
    let mut bytes = fs::read(&path).unwrap();
    bytes[30] ^= 4;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(recover(&files), Err(RecoveryError::Corruption { segment: Segment(1), .. })));
}

#[test]
fn other_files_in_the_directory_are_left_alone() {
    let directory = tempdir().unwrap();
    for name in ["notes.txt", "1.log", "0000000000000000000x.log"] {
        fs::write(directory.path().join(name), b"not a log").unwrap();
    }
    let mut files = RealFiles::open(directory.path()).unwrap();
    assert_eq!(files.list(), Ok(vec![]));
    Wal::create(&mut files, Checkpoint::default()).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4);
}
