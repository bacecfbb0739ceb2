//! The same log and the same recovery on real files.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use raft::{Entry, HardState, Index, Term};
use sim::disk::Disk;
use sim::wal::{Checkpoint, DiskError, Files, RealFiles, RecoveryError, Segment, Wal, plan, recover};
use tempfile::tempdir;

use crate::script::{Host, State, keeps, scripts};

fn path(directory: &Path, segment: Segment) -> std::path::PathBuf {
    directory.join(format!("{:020}.log", segment.0))
}

/// Puts the bytes that are on the modelled disk into real files.
fn copy(disk: &Disk, directory: &Path) {
    for segment in disk.list().expect("the disk works") {
        fs::write(path(directory, segment), disk.read(segment).expect("it exists")).expect("the directory is writable");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn real_files_recover_to_what_the_modelled_disk_does(script in scripts(), keep in keeps()) {
        let mut host = Host::default();
        host.run(&script);
        host.disk.crash(keep);
        let directory = tempdir().expect("there is room for temporary files");
        copy(&host.disk, directory.path());

        let mut files = RealFiles::open(directory.path()).expect("the directory is readable");
        let (_, real) = Wal::open(&mut files).expect("a crash leaves no corruption");
        let (_, modelled) = Wal::open(&mut host.disk).expect("a crash leaves no corruption");
        prop_assert_eq!(real, modelled);
        prop_assert_eq!(files.list(), host.disk.list());
        for segment in files.list().expect("the directory is readable") {
            prop_assert_eq!(files.read(segment), host.disk.read(segment));
        }
    }
}

#[test]
fn a_log_on_real_files_survives_restart_compaction_and_a_torn_tail() {
    let directory = tempdir().expect("there is room for temporary files");
    let entry =
        |index: u64| Entry { term: Term(1), index: Index(index), data: vec![9; 300].into(), ..Entry::default() };
    let entries: Vec<Entry> = (1..=5).map(entry).collect();
    let hard_state = HardState { term: Term(1), vote: None, commit: Index(5) };
    let state = State { hard_state, entries: entries.clone(), ..State::default() };

    let mut files = RealFiles::open(directory.path()).expect("the directory is writable");
    let blank = State::default();
    let mut wal = Wal::create(&mut files, blank.checkpoint()).expect("the directory is empty");
    for write in plan(Some(hard_state), &entries, None) {
        wal.write(&mut files, write).expect("there is room");
    }
    wal.sync(&mut files).expect("the disk works");
    Checkpoint::plan(state.checkpoint()).for_each(|write| wal.write(&mut files, write).expect("there is room"));
    wal.sync(&mut files).expect("the disk works");
    assert_eq!(wal.remove_older(&mut files), Ok(Some(Segment(1))));
    wal.write(&mut files, plan(None, &[entry(6)], None).next().expect("one entry")).expect("there is room");
    let whole = files.read(Segment(2)).expect("it exists").len() as u64;
    files.truncate(Segment(2), whole - 100).expect("it exists");
    drop(files);

    let mut files = RealFiles::open(directory.path()).expect("the directory is readable");
    let (_, recovered) = Wal::open(&mut files).expect("nothing was damaged");
    assert_eq!((recovered.segment, recovered.cut > 0), (Segment(2), true));
    assert_eq!(State::from(recovered), state);
}

#[test]
fn a_flipped_bit_in_a_real_file_is_corruption() {
    let directory = tempdir().expect("there is room for temporary files");
    let mut files = RealFiles::open(directory.path()).expect("the directory is writable");
    Wal::create(&mut files, State::default().checkpoint()).expect("the directory is empty");
    let path = path(directory.path(), Segment(1));
    let mut bytes = fs::read(&path).expect("it exists");
    bytes[30] ^= 4;
    fs::write(&path, bytes).expect("it is writable");
    assert!(matches!(recover(&files), Err(RecoveryError::Corruption { segment: Segment(1), .. })));
}

#[test]
fn other_files_in_the_directory_are_left_alone() {
    let directory = tempdir().expect("there is room for temporary files");
    for name in ["notes.txt", "1.log", "0000000000000000000x.log"] {
        fs::write(directory.path().join(name), b"not a log").expect("the directory is writable");
    }
    let mut files = RealFiles::open(directory.path()).expect("the directory is readable");
    assert_eq!(files.list(), Ok(vec![]));
    Wal::create(&mut files, State::default().checkpoint()).expect("there is no log");
    assert_eq!(fs::read_dir(directory.path()).map(Iterator::count).ok(), Some(4));
}

#[test]
fn operations_on_real_files_fail_as_on_the_modelled_disk() {
    let directory = tempdir().expect("there is room for temporary files");
    let mut real = RealFiles::open(directory.path()).expect("the directory is writable");
    check_errors(&mut real);
    check_errors(&mut Disk::default());
}

fn check_errors(files: &mut impl Files) {
    let absent = DiskError::NoSuchFile(Segment(7));
    assert_eq!(files.read(Segment(7)), Err(absent));
    assert_eq!(files.append(Segment(7), b"x"), Err(absent));
    assert_eq!(files.sync(Segment(7)), Err(absent));
    assert_eq!(files.truncate(Segment(7), 0), Err(absent));
    assert_eq!(files.remove(Segment(7)), Err(absent));
    assert_eq!(files.create(Segment(1)), Ok(()));
    assert_eq!(files.create(Segment(1)), Err(DiskError::Exists(Segment(1))));
    assert_eq!(files.append(Segment(1), b"abc"), Ok(()));
    assert_eq!(files.truncate(Segment(1), 9), Ok(()));
    assert_eq!(files.read(Segment(1)), Ok(b"abc"[..].into()));
    assert_eq!(files.truncate(Segment(1), 1), Ok(()));
    assert_eq!(files.append(Segment(1), b"d"), Ok(()));
    assert_eq!(files.read(Segment(1)), Ok(b"ad"[..].into()));
    assert_eq!(files.remove(Segment(1)), Ok(()));
    assert_eq!(files.list(), Ok(vec![]));
}
