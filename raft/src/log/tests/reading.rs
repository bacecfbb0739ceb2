//! Reading across the border between storage and memory.

use super::{compact, entries, entry, indexes, log};
use crate::log::RaftLog;
use crate::storage::{MemStorage, StorageError};
use crate::types::{Entry, EntryKind, Index};

#[test]
fn a_page_is_as_long_as_fits_and_never_empty_wherever_the_log_is_split() {
    let size = entry(1, 1).encoded_size();
    for stable in 0..=5 {
        let log = log(&[1; 5], stable);
        for (low, high, max_size, expected) in [
            (1, 6, u64::MAX, vec![1, 2, 3, 4, 5]),
            (2, 4, u64::MAX, vec![2, 3]),
            (3, 3, u64::MAX, vec![]),
            (6, 6, u64::MAX, vec![]),
            (2, 6, 0, vec![2]),
            (2, 6, size - 1, vec![2]),
            (2, 6, size, vec![2]),
            (2, 6, 2 * size - 1, vec![2]),
            (2, 6, 2 * size, vec![2, 3]),
            (1, 6, 4 * size, vec![1, 2, 3, 4]),
        ] {
            let page = log.slice(Index(low), Index(high), max_size).unwrap();
            assert_eq!(indexes(&page), expected, "[{low}, {high}) in {max_size} bytes, stable to {stable}");
        }
    }
}

#[test]
fn an_entry_in_memory_that_does_not_fit_behind_stored_ones_ends_the_page() {
    let big = Entry { data: vec![0; 100].into(), ..entry(1, 3) };
    let mut log = log(&[1, 1], 2);
    log.append(vec![big.clone(), entry(1, 4)]);
    let stored = 2 * entry(1, 1).encoded_size();
    let page = |max_size| indexes(&log.entries(Index(1), max_size).unwrap());
    assert_eq!(page(stored), [1, 2]);
    assert_eq!(page(stored + big.encoded_size() - 1), [1, 2]);
    assert_eq!(page(stored + big.encoded_size()), [1, 2, 3]);
}

#[test]
fn what_is_compacted_cannot_be_read() {
    let mut log = log(&[1; 5], 3);
    compact(&mut log, 2);
    assert_eq!(log.slice(Index(2), Index(4), u64::MAX), Err(StorageError::Compacted));
    assert_eq!(log.entries(Index(2), u64::MAX), Err(StorageError::Compacted));
    assert_eq!(log.entries(Index(3), u64::MAX), Ok(entries(3, &[1, 1, 1])));
}

#[test]
fn there_is_nothing_beyond_the_last_entry() {
    let log = log(&[1; 5], 3);
    assert_eq!(log.entries(Index(6), u64::MAX), Ok(Vec::new()));
    assert_eq!(log.entries(Index(u64::MAX), u64::MAX), Ok(Vec::new()));
}

#[test]
#[should_panic(expected = "[3, 7) reaches beyond the log, which ends before 6")]
fn reading_beyond_the_log_is_a_bug() {
    let _ = log(&[1; 5], 3).slice(Index(3), Index(7), u64::MAX);
}

#[test]
#[should_panic(expected = "the storage lost entries of [1, 3)")]
fn a_storage_that_lost_entries_stops_the_node() {
    let mut log = log(&[1; 2], 2);
    *log.storage_mut() = MemStorage::new();
    let _ = log.slice(Index(1), Index(3), u64::MAX);
}

#[test]
fn membership_changes_are_found_wherever_they_are() {
    for stable in 0..=5 {
        for (kind, counts) in [
            (EntryKind::Normal, false),
            (EntryKind::RefusedConfChange, false),
            (EntryKind::ConfChange, true),
            (EntryKind::ConfChangeV2, true),
        ] {
            let mut all = entries(1, &[1; 5]);
            all[2].kind = kind;
            let mut storage = MemStorage::new();
            storage.append(&all[..stable]).unwrap();
            // Pages of one entry.
            let mut log = RaftLog::new(storage, 1);
            log.append(all[stable..].to_vec());
            let found = |low, high| log.has_conf_change_in(Index(low), Index(high));
            assert_eq!(found(1, 6), counts, "{kind:?}, stable to {stable}");
            assert_eq!(found(3, 4), counts, "{kind:?}, stable to {stable}");
            assert!(!found(1, 3) && !found(4, 6) && !found(3, 3), "{kind:?}, stable to {stable}");
        }
    }
}

#[test]
fn a_membership_change_may_be_in_what_is_compacted() {
    let mut log = log(&[1; 5], 5);
    compact(&mut log, 2);
    assert!(log.has_conf_change_in(Index(2), Index(4)));
    assert!(!log.has_conf_change_in(Index(3), Index(6)));
}
