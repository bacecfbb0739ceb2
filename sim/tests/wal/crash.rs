//! Crashes: what was synced is there, what was not may be, in the order in which it was written.

use proptest::prelude::*;
use raft::{Entry, HardState, Index, Term};
use sim::disk::{Disk, Keep};
use sim::wal::{DiskError, Files, RecoveryError, SECTOR, Segment, Wal, Write, recover};

use crate::script::{Host, State, keeps, node, scripts};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn after_any_crash_the_log_is_a_state_since_the_last_completed_sync(script in scripts(), keep in keeps()) {
        let mut host = Host::default();
        host.run(&script);
        host.disk.crash(keep);
        let recovered = recover(&host.disk);
        prop_assert!(recovered.is_ok(), "{:?}", recovered);
        prop_assert!(recovered.is_ok_and(|recovered| host.may_be(&State::from(recovered))));
    }

    #[test]
    fn the_commit_index_that_the_log_calls_durable_is_the_one_that_the_worst_crash_leaves(script in scripts()) {
        let mut host = Host::default();
        for step in &script {
            host.run(std::slice::from_ref(step));
            prop_assert_eq!(host.wal.durable_commit(), host.commit_after_worst_crash());
        }
    }

    #[test]
    fn recovering_twice_gives_the_same_and_the_second_time_there_is_nothing_to_cut(script in scripts(), keep in keeps()) {
        let mut host = Host::default();
        host.run(&script);
        host.disk.crash(keep);
        let (_, first) = Wal::open(&mut host.disk).expect("a crash leaves no corruption");
        prop_assert_eq!(host.disk.pending(), 0);
        prop_assert_eq!(host.disk.list().map(|files| files.len()), Ok(1));
        let again = recover(&host.disk).expect("it is open");
        prop_assert_eq!(again.cut, 0);
        prop_assert_eq!(State::from(again), State::from(first));
    }
}

fn entry(term: u64, index: u64, size: usize) -> Entry {
    Entry { term: Term(term), index: Index(index), data: vec![7; size].into(), ..Entry::default() }
}

/// A log whose first entry is durable and whose second, of 1,200 bytes over three blocks, is pending.
fn one_durable_one_pending() -> Host {
    let mut host = Host::default();
    host.write(Write::HardState(HardState { term: Term(1), ..HardState::default() }));
    host.write(Write::Entry(&entry(1, 1, 10)));
    host.sync();
    host.write(Write::Entry(&entry(1, 2, 1200)));
    host
}

#[test]
fn each_way_to_lose_a_pending_record_cuts_it_and_no_more() {
    let zeros = true;
    let table = [
        (Keep::All, 2),
        (Keep::Nothing, 1),
        (Keep::Prefix { bytes: 0 }, 1),
        (Keep::Prefix { bytes: 21 }, 1),
        (Keep::Prefix { bytes: 1200 }, 1),
        (Keep::Prefix { bytes: 5000 }, 2),
        (Keep::Subset { blocks: 0b000, zeros: false }, 1),
        (Keep::Subset { blocks: 0b000, zeros }, 1),
        (Keep::Subset { blocks: 0b110, zeros: false }, 1),
        (Keep::Subset { blocks: 0b101, zeros: false }, 1),
        (Keep::Subset { blocks: 0b011, zeros }, 1),
        (Keep::Subset { blocks: 0b111, zeros }, 2),
        (Keep::Torn { block: 0, bytes: 1, zeros }, 1),
        (Keep::Torn { block: 1, bytes: 1, zeros }, 1),
        (Keep::Torn { block: 1, bytes: 511, zeros }, 1),
        (Keep::Torn { block: 2, bytes: 30, zeros: false }, 1),
        (Keep::Torn { block: 2, bytes: 512, zeros }, 2),
    ];
    for (keep, entries) in table {
        let mut host = one_durable_one_pending();
        assert_eq!(host.disk.pending_blocks(), 3);
        host.disk.crash(keep);
        let length = host.disk.used();
        let (wal, recovered) = Wal::open(&mut host.disk).unwrap_or_else(|error| panic!("{keep:?}: {error}"));
        assert_eq!(recovered.entries.len(), entries, "{keep:?}");
        assert_eq!(recovered.cut, length - wal.size(), "{keep:?}");
        assert_eq!(host.disk.used(), wal.size(), "{keep:?}: the torn tail is cut");
    }
}

#[test]
fn a_tear_at_every_byte_of_every_pending_block_is_cut() {
    for block in 0..3 {
        for bytes in 0..=SECTOR as u64 {
            for zeros in [false, true] {
                let mut host = one_durable_one_pending();
                host.disk.crash(Keep::Torn { block, bytes, zeros });
                let recovered = recover(&host.disk).expect("a tear is no corruption");
                assert!(host.may_be(&State::from(recovered)), "block {block} torn after {bytes} bytes");
            }
        }
    }
}

#[test]
fn a_term_learnt_from_entries_outlives_the_entries() {
    let mut host = Host::default();
    let vote = HardState { term: Term(1), vote: node(2), commit: Index(0) };
    host.write(Write::HardState(vote));
    host.write(Write::Entry(&entry(5, 1, 10)));
    host.disk.crash(Keep::All);

    let (mut wal, recovered) = Wal::open(&mut host.disk).expect("nothing was damaged");
    let raised = HardState { term: Term(5), vote: None, commit: Index(0) };
    assert_eq!(recovered.hard_state, raised);

    wal.write(&mut host.disk, Write::Entry(&entry(1, 1, 10))).expect("the disk works");
    wal.sync(&mut host.disk).expect("the disk works");
    let recovered = recover(&host.disk).expect("nothing was damaged");
    assert_eq!(recovered.hard_state, raised);
}

#[test]
fn the_disk_stays_bounded_under_compaction() {
    let Host { mut disk, mut wal, .. } = Host::default();
    for term in 1..2000 {
        let hard_state = HardState { term: Term(term), ..HardState::default() };
        wal.write(&mut disk, Write::HardState(hard_state)).expect("the disk works");
        wal.sync(&mut disk).expect("the disk works");
        if wal.size() > 2000 {
            let state = State { hard_state, ..State::default() };
            state.checkpoint().plan().for_each(|write| wal.write(&mut disk, write).expect("the disk works"));
            wal.sync(&mut disk).expect("the disk works");
            assert!(wal.remove_older(&mut disk).is_ok_and(|removed| removed.is_some()));
        }
        assert!(disk.used() < 2100, "{} bytes in term {term}", disk.used());
    }
}

#[test]
fn an_older_segment_stays_until_the_checkpoint_that_replaces_it_is_durable() {
    let mut host = one_durable_one_pending();
    let state = host.state().clone();
    for write in state.checkpoint().plan() {
        assert_eq!(host.wal.remove_older(&mut host.disk), Ok(None));
        host.wal.write(&mut host.disk, write).expect("the disk works");
    }
    assert_eq!(host.wal.remove_older(&mut host.disk), Ok(None), "written is not durable");
    host.wal.sync(&mut host.disk).expect("the disk works");
    assert_eq!(host.wal.remove_older(&mut host.disk), Ok(Some(Segment(1))));
    assert_eq!(host.disk.list(), Ok(vec![Segment(2)]));
    assert!(recover(&host.disk).is_ok_and(|recovered| State::from(recovered) == state));
}

#[test]
fn a_log_that_was_never_completed_is_missing_and_can_be_created_again() {
    let mut disk = Disk::default();
    assert_eq!(recover(&disk), Err(RecoveryError::Missing));
    disk.create(Segment::FIRST).expect("the disk is empty");
    assert_eq!(recover(&disk), Err(RecoveryError::Missing));
    let blank = State::default();
    Wal::create(&mut disk, blank.checkpoint()).expect("what is there does not count");
    assert_eq!(recover(&disk).map(State::from), Ok(blank.clone()));
    assert_eq!(Wal::create(&mut disk, blank.checkpoint()).err(), Some(DiskError::Exists(Segment::FIRST)));
}

#[test]
fn after_a_failed_write_or_sync_the_log_refuses_everything_until_it_is_opened_again() {
    let hard_state = Write::HardState(HardState { term: Term(3), ..HardState::default() });
    let fail: [fn(&mut Host) -> Option<DiskError>; 2] = [
        |host| {
            host.disk.limit(Some(host.disk.used() + 3));
            host.wal.write(&mut host.disk, Write::HardState(HardState::default())).err()
        },
        |host| {
            host.disk.fail_next_sync();
            host.wal.sync(&mut host.disk).err()
        },
    ];
    for fail in fail {
        let mut host = one_durable_one_pending();
        assert!(fail(&mut host).is_some());
        host.disk.limit(None);
        assert!(host.wal.write(&mut host.disk, hard_state).is_err());
        assert!(host.wal.sync(&mut host.disk).is_err());
        host.disk.crash(Keep::Nothing);
        let (mut wal, _) = Wal::open(&mut host.disk).expect("nothing was damaged");
        assert_eq!(wal.write(&mut host.disk, hard_state), Ok(()));
    }
}
