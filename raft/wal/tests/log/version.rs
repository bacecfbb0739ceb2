//! A log that a later version of this crate wrote.

use std::fs;

use raft_wal::{Checkpoint, RealFiles, RecoveryError, Segment, Wal, forge};
use tempfile::tempdir;

#[test]
fn an_unknown_version_is_refused_and_left_as_it_is() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("00000000000000000001.log");
    let newer = forge(Segment(1), [(1, 0, [2].as_slice())]);
    fs::write(&path, &newer).unwrap();
    let mut files = RealFiles::open(directory.path()).unwrap();
    let unknown = RecoveryError::Version { segment: Segment(1), version: 2 };
    assert_eq!(Wal::open(&mut files).map(drop), Err(unknown));
    assert!(Wal::create(&mut files, Checkpoint::default()).is_err());
    assert_eq!(fs::read(&path).unwrap(), newer);
}
