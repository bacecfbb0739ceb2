//! Handing committed entries to the application.

use super::{entries, entry, id, indexes, log, snapshot};
use crate::log::RaftLog;
use crate::storage::MemStorage;
use crate::types::Index;

/// Six committed entries of four bytes each, the first three stable.
fn committed_log(max_applying_size: u64) -> RaftLog<MemStorage> {
    assert_eq!(entry(1, 1).encoded_size(), 4);
    let mut storage = MemStorage::new();
    storage.append(&entries(1, &[1, 1, 1])).unwrap();
    let mut log = RaftLog::new(storage, max_applying_size);
    log.append(entries(4, &[1, 1, 1]));
    log.commit_to(Index(6));
    log
}

fn next(log: &RaftLog<MemStorage>, allow_unstable: bool) -> Vec<u64> {
    let next = indexes(&log.next_committed_entries(allow_unstable));
    assert_eq!(log.has_next_committed_entries(allow_unstable), !next.is_empty());
    next
}

#[test]
fn what_is_not_stable_is_handed_out_only_where_that_is_allowed() {
    let mut log = committed_log(1000);
    assert_eq!(next(&log, true), [1, 2, 3, 4, 5, 6]);
    assert_eq!(next(&log, false), [1, 2, 3]);
    log.accept_unstable();
    log.stable_to(id(1, 5));
    log.storage_mut().append(&entries(4, &[1, 1])).unwrap();
    assert_eq!(next(&log, false), [1, 2, 3, 4, 5]);
}

#[test]
fn nothing_is_handed_out_twice() {
    let mut log = committed_log(1000);
    log.accept_applying(Index(6), 24, true);
    assert_eq!(next(&log, true), []);
    assert_eq!((log.applied(), log.applying()), (Index(0), Index(6)));
    log.applied_to(Index(6), 24);
    assert_eq!(next(&log, true), []);
    assert_eq!((log.applied(), log.applying()), (Index(6), Index(6)));
}

#[test]
fn what_was_applied_before_a_restart_is_not_handed_out() {
    let mut log = committed_log(1000);
    log.start_applied(Index(2));
    assert_eq!((log.applied(), log.applying()), (Index(2), Index(2)));
    assert_eq!(next(&log, true), [3, 4, 5, 6]);
}

#[test]
fn the_application_is_given_no_more_than_the_quota_until_it_has_applied() {
    let mut log = committed_log(12);
    assert_eq!(next(&log, true), [1, 2, 3]);
    log.accept_applying(Index(2), 8, true);
    assert_eq!(next(&log, true), [], "the page was cut off, so the rest waits");
    log.applied_to(Index(1), 4);
    assert_eq!(next(&log, true), [3, 4], "four bytes are still out");
    log.accept_applying(Index(4), 8, true);
    assert_eq!(next(&log, true), [], "the quota is used up");
    log.applied_to(Index(4), 12);
    assert_eq!(next(&log, true), [5, 6]);
}

#[test]
fn an_entry_larger_than_the_quota_is_handed_out_alone() {
    let mut log = committed_log(1);
    assert_eq!(next(&log, true), [1]);
    log.accept_applying(Index(1), 4, true);
    assert_eq!(next(&log, true), []);
    log.applied_to(Index(1), 4);
    assert_eq!(next(&log, true), [2]);
}

#[test]
fn a_page_that_was_cut_off_by_stability_alone_does_not_wait() {
    let mut log = committed_log(1000);
    log.accept_applying(Index(3), 12, false);
    assert_eq!(next(&log, false), []);
    assert_eq!(next(&log, true), [4, 5, 6]);
}

#[test]
fn entries_wait_for_a_snapshot_that_is_to_be_restored() {
    let mut log = log(&[1, 1], 2);
    log.commit_to(Index(2));
    log.restore(snapshot(1, 4));
    log.append(vec![entry(1, 5)]);
    log.commit_to(Index(5));
    assert_eq!(next(&log, true), []);
    log.accept_unstable();
    assert_eq!(next(&log, true), [], "in progress is not enough");
    log.storage_mut().apply_snapshot(snapshot(1, 4)).unwrap();
    log.stable_snapshot_to(Index(4));
    log.applied_to(Index(4), 0);
    assert_eq!(next(&log, true), [5]);
}

#[test]
#[should_panic(expected = "entry 7 was handed out, but only 6 is committed")]
fn handing_out_what_is_not_committed_is_a_bug() {
    committed_log(1000).accept_applying(Index(7), 4, true);
}

#[test]
#[should_panic(expected = "applied 1 is not within [2, 6]")]
fn applying_backwards_is_a_bug() {
    let mut log = committed_log(1000);
    log.start_applied(Index(2));
    log.applied_to(Index(1), 0);
}
