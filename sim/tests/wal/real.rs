//! The same log and the same recovery on real files.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use sim::disk::Disk;
use sim::wal::{DiskError, Files, RealFiles, Segment, Wal};
use tempfile::tempdir;

use crate::script::{Host, keeps, scripts};

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
