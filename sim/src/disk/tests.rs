use proptest::prelude::*;

use super::{Disk, Keep, SyncId};
use crate::wal::{DiskError, Files, SECTOR, Segment};

const FILE: Segment = Segment(1);

/// A disk with one file that holds `durable` bytes 1 that are durable and `pending` bytes 2 that are not.
fn disk(durable: usize, pending: usize) -> Disk {
    let mut disk = Disk::default();
    disk.create(FILE).expect("the disk is empty");
    disk.append(FILE, &vec![1; durable]).expect("the disk works");
    disk.sync(FILE).expect("the disk works");
    disk.append(FILE, &vec![2; pending]).expect("the disk works");
    disk
}

/// The same byte several times: (byte, how many).
type Run = (u8, usize);

fn runs(bytes: &[u8]) -> Vec<Run> {
    bytes.chunk_by(|left, right| left == right).map(|run| (run[0], run.len())).collect()
}

#[test]
fn what_a_crash_keeps() {
    // 500 durable bytes, then pending ones: 12 in block 0, 512 in block 1, 476 in block 2.
    let table: &[(Keep, &[Run], u64)] = &[
        (Keep::All, &[(1, 500), (2, 1000)], 0),
        (Keep::Nothing, &[(1, 500)], 1000),
        (Keep::Prefix { bytes: 0 }, &[(1, 500)], 1000),
        (Keep::Prefix { bytes: 5 }, &[(1, 500), (2, 5)], 995),
        (Keep::Prefix { bytes: 600 }, &[(1, 500), (2, 600)], 400),
        (Keep::Prefix { bytes: u64::MAX }, &[(1, 500), (2, 1000)], 0),
        (Keep::Subset { blocks: 0, zeros: false }, &[(1, 500)], 1000),
        (Keep::Subset { blocks: 0, zeros: true }, &[(1, 500), (0, 1000)], 1000),
        (Keep::Subset { blocks: 0b001, zeros: false }, &[(1, 500), (2, 12)], 988),
        (Keep::Subset { blocks: 0b010, zeros: false }, &[(1, 500), (0, 12), (2, 512)], 488),
        (Keep::Subset { blocks: 0b010, zeros: true }, &[(1, 500), (0, 12), (2, 512), (0, 476)], 488),
        (Keep::Subset { blocks: 0b101, zeros: false }, &[(1, 500), (2, 12), (0, 512), (2, 476)], 512),
        (Keep::Subset { blocks: u64::MAX, zeros: false }, &[(1, 500), (2, 1000)], 0),
        (Keep::Torn { block: 0, bytes: 4, zeros: false }, &[(1, 500), (2, 4)], 996),
        (Keep::Torn { block: 1, bytes: 0, zeros: false }, &[(1, 500), (2, 12)], 988),
        (Keep::Torn { block: 1, bytes: 100, zeros: true }, &[(1, 500), (2, 112), (0, 888)], 888),
        (Keep::Torn { block: 1, bytes: u64::MAX, zeros: false }, &[(1, 500), (2, 524)], 476),
        (Keep::Torn { block: 9, bytes: 0, zeros: false }, &[(1, 500), (2, 1000)], 0),
    ];
    for (keep, left, lost) in table {
        let mut disk = disk(500, 1000);
        assert_eq!((disk.pending(), disk.pending_blocks()), (1000, 3));
        assert_eq!(disk.crash(*keep), *lost, "{keep:?}");
        assert_eq!(disk.read(FILE).map(|bytes| runs(&bytes)), Ok(left.to_vec()), "{keep:?}");
        assert_eq!(disk.pending(), 0, "{keep:?}: what survived one crash survives the next");
    }
}

#[test]
fn the_blocks_of_several_files_are_one_sequence() {
    let later = Segment(2);
    let mut disk = disk(500, 20);
    disk.create(later).expect("there is no such file");
    disk.append(later, &[3; 600]).expect("the disk works");
    assert_eq!(disk.pending_blocks(), 4);

    let mut prefix = disk.clone();
    prefix.crash(Keep::Prefix { bytes: 30 });
    assert_eq!(prefix.read(later).map(|bytes| runs(&bytes)), Ok(vec![(3, 10)]));

    disk.crash(Keep::Subset { blocks: 0b1010, zeros: false });
    assert_eq!(disk.read(FILE).map(|bytes| runs(&bytes)), Ok(vec![(1, 500), (0, 12), (2, 8)]));
    assert_eq!(disk.read(later).map(|bytes| runs(&bytes)), Ok(vec![(0, 512), (3, 88)]));
}

#[test]
fn a_sync_covers_what_was_written_before_it_began() {
    let mut disk = disk(0, 10);
    assert_eq!(disk.complete_sync(), Ok(None));
    let first = disk.begin_sync(FILE).expect("the disk works");
    disk.append(FILE, &[3; 5]).expect("the disk works");
    let second = disk.begin_sync(FILE).expect("the disk works");
    disk.append(FILE, &[4; 5]).expect("the disk works");
    assert!(first < second);
    assert_eq!((disk.syncs_under_way(), disk.pending()), (2, 20));
    assert_eq!((disk.complete_sync(), disk.pending()), (Ok(Some(first)), 10));
    assert_eq!((disk.complete_sync(), disk.pending()), (Ok(Some(second)), 5));
    assert_eq!((disk.durable_of(FILE), disk.pending_of(FILE)), (Ok(15), Ok(5)));
}

#[test]
fn a_sync_under_way_when_the_disk_crashes_never_completes() {
    let mut disk = disk(0, 10);
    disk.begin_sync(FILE).expect("the disk works");
    assert_eq!(disk.crash(Keep::Nothing), 10);
    assert_eq!(disk.complete_sync(), Ok(None));
}

#[test]
fn a_failed_sync_makes_nothing_durable_and_the_disk_refuses_to_go_on_until_a_crash() {
    let failed = Err(DiskError::Failed(std::io::ErrorKind::Other));
    let mut disk = disk(3, 10);
    disk.fail_next_sync();
    assert_eq!(disk.complete_sync(), Ok(None), "there was none to fail");
    disk.begin_sync(FILE).expect("the disk works");
    assert_eq!(disk.complete_sync(), failed.map(|()| None));
    assert_eq!(disk.complete_sync(), failed.map(|()| None), "to try again does not help");
    assert_eq!(disk.sync(FILE), failed);
    assert_eq!(disk.append(FILE, b"x"), failed);
    assert_eq!(disk.pending(), 10);
    disk.crash(Keep::Nothing);
    assert_eq!(disk.append(FILE, b"x"), Ok(()));
    assert_eq!(disk.sync(FILE), Ok(()));
}

#[test]
fn a_full_disk_refuses_a_write_whole_and_takes_it_once_there_is_room() {
    let mut disk = disk(3, 10);
    disk.limit(Some(20));
    assert_eq!(disk.append(FILE, &[5; 8]), Err(DiskError::Full));
    assert_eq!(disk.used(), 13);
    assert_eq!(disk.append(FILE, &[5; 7]), Ok(()));
    disk.limit(Some(28));
    assert_eq!(disk.append(FILE, &[5; 8]), Ok(()));
}

#[test]
fn only_a_durable_bit_can_be_flipped() {
    let mut disk = disk(2, 10);
    assert!(disk.flip_bit(FILE, 15));
    assert_eq!(disk.read(FILE).map(|bytes| runs(&bytes)), Ok(vec![(1, 1), (0x81, 1), (2, 10)]));
    assert!(!disk.flip_bit(FILE, 16));
    assert!(!disk.flip_bit(FILE, u64::MAX));
    assert!(!disk.flip_bit(Segment(9), 0));
}

#[test]
fn a_misplaced_block_replaces_another_as_far_as_that_reaches() {
    let mut disk = Disk::default();
    disk.create(FILE).expect("the disk is empty");
    for (byte, length) in [(1, SECTOR), (2, SECTOR), (0, SECTOR), (4, 30)] {
        disk.append(FILE, &vec![byte; length]).expect("the disk works");
    }
    assert!(!disk.misplace_block(FILE, 0, 1), "nothing is durable yet");
    disk.sync(FILE).expect("the disk works");
    let table: &[(u64, u64, &[Run])] = &[
        (0, 1, &[(1, 1024), (0, 512), (4, 30)]),
        (0, 3, &[(1, 512), (2, 512), (0, 512), (1, 30)]),
        (3, 0, &[(4, 30), (0, 482), (2, 512), (0, 512), (4, 30)]),
    ];
    for (from, to, left) in table {
        let mut disk = disk.clone();
        assert!(disk.misplace_block(FILE, *from, *to));
        assert_eq!(disk.read(FILE).map(|bytes| runs(&bytes)), Ok(left.to_vec()), "{from} over {to}");
    }
    for (from, to) in [(1, 1), (0, 4), (4, 0), (u64::MAX, 0), (2, 0)] {
        assert!(!disk.misplace_block(FILE, from, to), "{from} over {to}");
    }
}

#[test]
fn a_block_is_not_cut_to_its_own_front_as_by_a_torn_write() {
    let mut disk = Disk::default();
    disk.create(FILE).expect("the disk is empty");
    for (byte, length) in [(1, SECTOR), (2, 30)] {
        disk.append(FILE, &vec![byte; length]).expect("the disk works");
    }
    disk.sync(FILE).expect("the disk works");
    assert!(disk.misplace_block(FILE, 0, 1), "the short one is now the front of the long one");
    assert!(!disk.misplace_block(FILE, 1, 0), "back in its place it would be followed by zeros");
    assert_eq!(disk.read(FILE).map(|bytes| runs(&bytes)), Ok(vec![(1, SECTOR + 30)]));
}

#[test]
fn a_removed_file_is_gone_with_its_syncs_and_takes_no_room() {
    let mut disk = disk(2, 10);
    disk.begin_sync(FILE).expect("the disk works");
    disk.remove(FILE).expect("it exists");
    assert_eq!((disk.complete_sync(), disk.used(), disk.list()), (Ok(None), 0, Ok(vec![])));
    assert_eq!(disk.crash(Keep::All), 0);
    assert_eq!(disk.list(), Ok(vec![]));
}

#[test]
fn a_clone_is_a_disk_of_its_own() {
    let mut disk = disk(2, 10);
    let mut clone = disk.clone();
    assert_eq!(clone.begin_sync(FILE), Ok(SyncId(1)));
    clone.crash(Keep::Nothing);
    assert_eq!((disk.pending(), disk.syncs_under_way()), (10, 0));
    disk.sync(FILE).expect("the disk works");
    assert_eq!((disk.durable_of(FILE), clone.durable_of(FILE)), (Ok(12), Ok(2)));
}

#[test]
fn what_a_crash_keeps_survives_as_text() {
    let keep = Keep::Torn { block: 3, bytes: 17, zeros: true };
    let text = serde_json::to_string(&keep).expect("plain data");
    assert_eq!(text, r#"{"torn":{"block":3,"bytes":17,"zeros":true}}"#);
    assert_eq!(serde_json::from_str::<Keep>(&text).ok(), Some(keep));
}

proptest! {
    #[test]
    fn a_crash_never_touches_durable_bytes_and_counts_what_it_lost(
        durable in 0..1200usize, pending in 0..3000usize, blocks in any::<u64>(), zeros in any::<bool>(),
    ) {
        let mut disk = disk(durable, pending);
        let lost = disk.crash(Keep::Subset { blocks, zeros });
        let bytes = disk.read(FILE).expect("it exists");
        prop_assert!(bytes[..durable].iter().all(|&byte| byte == 1));
        let kept = bytes[durable..].iter().filter(|&&byte| byte == 2).count();
        prop_assert_eq!(kept as u64 + lost, pending as u64);
        prop_assert!(!zeros || bytes.len() == durable + pending);
    }
}
