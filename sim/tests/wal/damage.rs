//! Damage: detected or harmless, never silently something else.

use proptest::prelude::*;
use raft::{Entry, EntryId, HardState, Index, Snapshot, Term};
use sim::disk::{Disk, Keep};
use sim::wal::{Files, RecoveryError, SECTOR, Segment, Write, recover};

use crate::script::{Host, State, keeps, scripts};

fn disk_of(segment: Segment, bytes: &[u8]) -> Disk {
    let mut disk = Disk::default();
    disk.create(segment).expect("the disk is empty");
    disk.append(segment, bytes).expect("the disk works");
    disk
}

/// Recovers from a disk that was damaged: what counts as passing.
fn is_detected_or_harmless(host: &Host) -> bool {
    match recover(&host.disk) {
        Ok(recovered) => host.may_be(&State::from(recovered)),
        Err(RecoveryError::Corruption { .. }) => true,
        Err(_) => false,
    }
}

fn any_file(disk: &Disk, which: prop::sample::Index) -> Segment {
    let files = disk.list().expect("the disk works");
    files[which.index(files.len())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_flipped_bit_is_detected_or_harmless(
        script in scripts(), keep in keeps(), at in any::<prop::sample::Index>(), which in any::<prop::sample::Index>(),
    ) {
        let mut host = Host::default();
        host.run(&script);
        host.disk.crash(keep);
        let file = any_file(&host.disk, which);
        let bits = host.disk.durable_of(file).expect("it exists") as usize * 8;
        if bits > 0 {
            prop_assert!(host.disk.flip_bit(file, at.index(bits) as u64));
        }
        prop_assert!(is_detected_or_harmless(&host), "{:?} {:?}", recover(&host.disk), host.possible);
    }

    #[test]
    fn a_misplaced_block_is_detected_or_harmless(
        script in scripts(), keep in keeps(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
        which in any::<prop::sample::Index>(),
    ) {
        let mut host = Host::default();
        host.run(&script);
        host.disk.crash(keep);
        let file = any_file(&host.disk, which);
        let blocks = host.disk.durable_of(file).expect("it exists").div_ceil(SECTOR as u64) as usize;
        if blocks > 0 {
            host.disk.misplace_block(file, from.index(blocks) as u64, to.index(blocks) as u64);
        }
        prop_assert!(is_detected_or_harmless(&host), "{:?} {:?}", recover(&host.disk), host.possible);
    }

    /// A block that goes astray twice can be cut to the front of what it replaced, as by a torn write: the disk does not do that
    /// (seeds 84395087 and 84630998 of 2,000 steps).
    #[test]
    fn blocks_that_go_astray_one_after_another_are_detected_or_harmless(
        script in scripts(), keep in keeps(), which in any::<prop::sample::Index>(),
        astray in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 2..5),
    ) {
        let mut host = Host::default();
        host.run(&script);
        host.disk.crash(keep);
        let file = any_file(&host.disk, which);
        let blocks = host.disk.durable_of(file).expect("it exists").div_ceil(SECTOR as u64) as usize;
        for (from, to) in astray.iter().filter(|_| blocks > 0) {
            host.disk.misplace_block(file, from.index(blocks) as u64, to.index(blocks) as u64);
        }
        prop_assert!(is_detected_or_harmless(&host), "{:?} {:?}", recover(&host.disk), host.possible);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_read_and_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..3000), segment in 0..4u64,
    ) {
        let _ = recover(&disk_of(Segment(segment), &bytes));
    }

    #[test]
    fn a_log_with_arbitrary_bytes_over_it_is_refused_or_read_and_never_panics(
        script in scripts(), at in any::<prop::sample::Index>(), over in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut host = Host::default();
        host.run(&script);
        let file = host.wal.segment();
        let mut bytes = host.disk.read(file).expect("it exists").into_owned();
        let start = at.index(bytes.len());
        let end = bytes.len().min(start + over.len());
        bytes.splice(start..end, over);
        let _ = recover(&disk_of(file, &bytes));
    }
}

fn entry(index: u64, size: usize) -> Entry {
    Entry { term: Term(1), index: Index(index), data: vec![7; size].into(), ..Entry::default() }
}

/// Three entries of about two blocks each, all durable, each synced before the next was written.
fn three_durable_entries() -> Host {
    let mut host = Host::default();
    for index in 1..=3 {
        host.write(Write::Entry(&entry(index, 1000)));
        host.sync();
    }
    host
}

#[test]
fn every_single_flipped_bit_of_the_durable_log_is_detected() {
    let mut host = three_durable_entries();
    for bit in 0..host.disk.used() * 8 {
        assert!(host.disk.flip_bit(Segment(1), bit));
        let found = recover(&host.disk);
        assert!(matches!(found, Err(RecoveryError::Corruption { .. })), "bit {bit}: {found:?}");
        host.disk.flip_bit(Segment(1), bit);
    }
    assert!(recover(&host.disk).is_ok(), "without damage it reads");
}

#[test]
fn every_misplaced_block_of_the_durable_log_is_detected() {
    let host = three_durable_entries();
    let blocks = host.disk.used().div_ceil(SECTOR as u64);
    for (from, to) in (0..blocks).flat_map(|from| (0..blocks).map(move |to| (from, to))) {
        let mut disk = host.disk.clone();
        assert_eq!(disk.misplace_block(Segment(1), from, to), from != to);
        let corrupt = matches!(recover(&disk), Err(RecoveryError::Corruption { .. }));
        assert_eq!(corrupt, from != to, "block {from} over block {to}");
    }
}

#[test]
fn corruption_names_the_segment_and_where_the_damaged_record_begins() {
    let mut host = Host::default();
    let start = host.wal.size();
    host.write(Write::Entry(&entry(1, 50)));
    host.sync();
    host.disk.flip_bit(Segment(1), (start + 30) * 8);
    assert_eq!(recover(&host.disk), Err(RecoveryError::Corruption { segment: Segment(1), offset: start }));
}

/// The log with a durable sector lost: it reads as zeros, as if it had never arrived.
fn with_a_lost_sector(host: &Host, sector: usize) -> Disk {
    let mut bytes = host.disk.read(Segment(1)).expect("it exists").into_owned();
    let end = bytes.len().min((sector + 1) * SECTOR);
    bytes[sector * SECTOR..end].fill(0);
    disk_of(Segment(1), &bytes)
}

#[test]
fn a_lost_sector_is_corruption_where_a_later_record_vouches_for_it() {
    let host = three_durable_entries();
    for sector in 0..3 {
        let found = recover(&with_a_lost_sector(&host, sector));
        assert!(matches!(found, Err(RecoveryError::Corruption { .. })), "sector {sector}: {found:?}");
    }
}

#[test]
fn a_lost_sector_of_the_last_sync_looks_like_a_torn_tail_which_is_the_limit_of_the_format() {
    let host = three_durable_entries();
    let last = host.disk.used() as usize / SECTOR;
    let recovered = recover(&with_a_lost_sector(&host, last)).expect("nobody vouches for it");
    assert_eq!(recovered.entries.len(), 2);
}

#[test]
fn a_lost_sector_that_nobody_had_synced_is_a_torn_tail_although_a_later_record_verifies() {
    let mut host = Host::default();
    for index in 1..=3 {
        host.write(Write::Entry(&entry(index, 1000)));
    }
    host.disk.crash(Keep::Subset { blocks: !0b10, zeros: false });
    assert_eq!(recover(&host.disk).map(|recovered| recovered.entries.len()), Ok(0));
}

#[test]
fn records_that_verify_and_contradict_each_other_are_corruption() {
    let state = |base: u64, snapshot: u64| State {
        base: EntryId::new(Term(1), Index(base)),
        snapshot: Some(Snapshot { id: EntryId::new(Term(1), Index(snapshot)), ..Snapshot::default() }),
        ..State::default()
    };
    let committed = HardState { commit: Index(9), ..HardState::default() };
    let contradictions: [&dyn Fn(&mut Host); 5] = [
        &|host| host.write(Write::Entry(&entry(2, 0))),
        &|host| host.write(Write::Entry(&entry(0, 0))),
        &|host| host.write(Write::HardState(committed)),
        &|host| {
            host.write(Write::Snapshot {
                snapshot: state(3, 5).snapshot.as_ref().expect("is there"),
                base: state(6, 5).base,
            })
        },
        &|host| {
            // The entries between the base and the snapshot are missing.
            state(3, 5).checkpoint().plan().for_each(|write| host.wal.write(&mut host.disk, write).expect("it works"));
        },
    ];
    for (number, contradict) in contradictions.iter().enumerate() {
        let mut host = Host::default();
        assert!(recover(&host.disk).is_ok());
        contradict(&mut host);
        let found = recover(&host.disk);
        assert!(matches!(found, Err(RecoveryError::Corruption { .. })), "contradiction {number}: {found:?}");
    }
}

#[test]
fn a_segment_under_another_name_does_not_verify() {
    let host = three_durable_entries();
    let bytes = host.disk.read(Segment(1)).expect("it exists");
    let found = recover(&disk_of(Segment(2), &bytes));
    assert_eq!(found, Err(RecoveryError::Corruption { segment: Segment(2), offset: 0 }));
}
