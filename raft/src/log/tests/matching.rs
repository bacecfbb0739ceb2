//! Matching and appending, case by case, for every way to split the log between storage and memory.

use std::cell::Cell;

use super::{compact, entries, entry, id, log, snapshot};
use crate::log::RaftLog;
use crate::membership::ConfState;
use crate::snapshot::Snapshot;
use crate::storage::{MemStorage, Storage, StorageError};
use crate::types::{Entry, HardState, Index, Term};

#[test]
fn a_log_may_lead_this_one_where_its_end_is_not_older() {
    let log = log(&[1, 2, 3], 3);
    for (last, expected) in [
        (id(4, 1), true),
        (id(4, 9), true),
        (id(3, 3), true),
        (id(3, 4), true),
        (id(3, 2), false),
        (id(2, 9), false),
        (id(2, 3), false),
    ] {
        assert_eq!(log.is_up_to_date(last), expected, "{last}");
    }
}

#[test]
fn the_first_entry_that_is_not_in_the_log_is_the_conflict() {
    for stable in 0..=3 {
        let log = log(&[1, 2, 3], stable);
        for (first, terms, expected) in [
            (1, vec![], None),
            (1, vec![1, 2, 3], None),
            (2, vec![2, 3], None),
            (3, vec![3], None),
            (1, vec![1, 2, 3, 4, 4], Some(4)),
            (3, vec![3, 4], Some(4)),
            (4, vec![4, 4], Some(4)),
            (1, vec![4, 4], Some(1)),
            (2, vec![1, 4, 4], Some(2)),
            (3, vec![1, 4, 4], Some(3)),
        ] {
            let conflict = log.find_conflict(&entries(first, &terms));
            assert_eq!(conflict, expected.map(Index), "from {first}: {terms:?}, stable to {stable}");
        }
    }
}

#[test]
fn a_refused_append_skips_whole_terms() {
    for stable in 0..=6 {
        // Indexes 1 to 6.
        let log = log(&[2, 2, 4, 4, 4, 6], stable);
        for (index, term, expected) in [
            (6, 6, id(6, 6)),
            (6, 5, id(4, 5)),
            (6, 3, id(2, 2)),
            (5, 4, id(4, 5)),
            (4, 9, id(4, 4)),
            (2, 1, id(0, 0)),
            (9, 4, id(0, 9)),
            (0, 4, id(0, 0)),
        ] {
            assert_eq!(log.find_conflict_by_term(Index(index), Term(term)), expected, "{term}/{index}");
        }
    }
}

#[test]
fn a_refused_append_stops_at_what_is_compacted() {
    let mut log = log(&[2, 2, 4, 4, 4, 6], 6);
    compact(&mut log, 4);
    assert_eq!(log.find_conflict_by_term(Index(6), Term(4)), id(4, 5));
    assert_eq!(log.find_conflict_by_term(Index(6), Term(3)), id(0, 3));
    assert_eq!(log.find_conflict_by_term(Index(2), Term(3)), id(0, 2));
}

#[test]
fn terms_are_known_from_the_one_before_the_first_entry_to_the_last() {
    let mut log = log(&[1, 1, 2, 3], 3);
    compact(&mut log, 2);
    let terms: Vec<_> = (0..=6).map(|index| log.term(Index(index)).map(|term| term.0)).collect();
    let (compacted, beyond) = (|| Err(StorageError::Compacted), || Err(StorageError::Unavailable));
    assert_eq!(terms, [compacted(), compacted(), Ok(1), Ok(2), Ok(3), beyond(), beyond()]);
    assert_eq!((log.term_or_zero(Index(1)), log.term_or_zero(Index(4))), (Term(0), Term(3)));
    assert_eq!(log.term(Index(u64::MAX)), Err(StorageError::Unavailable));
    assert!(log.matches(id(1, 2)) && log.matches(id(3, 4)));
    assert!(!log.matches(id(0, 1)) && !log.matches(id(0, 5)), "an unknown term matches nothing");
}

#[test]
fn an_append_is_taken_from_its_first_conflict_on() {
    for stable in 0..=3 {
        // Previous, the leader's commit, the terms, and then: the answer, the log's terms, its commit.
        for (previous, commit, terms, answer, all, committed) in [
            (id(2, 3), 3, vec![4], None, vec![1, 2, 3], 1),
            (id(3, 4), 3, vec![4], None, vec![1, 2, 3], 1),
            (id(3, 3), 1, vec![], Some(3), vec![1, 2, 3], 1),
            (id(3, 3), 3, vec![], Some(3), vec![1, 2, 3], 3),
            (id(3, 3), 9, vec![], Some(3), vec![1, 2, 3], 3),
            (id(2, 2), 9, vec![], Some(2), vec![1, 2, 3], 2),
            (id(0, 0), 9, vec![], Some(0), vec![1, 2, 3], 1),
            (id(3, 3), 3, vec![4], Some(4), vec![1, 2, 3, 4], 3),
            (id(3, 3), 5, vec![4], Some(4), vec![1, 2, 3, 4], 4),
            (id(3, 3), 5, vec![4, 4], Some(5), vec![1, 2, 3, 4, 4], 5),
            (id(2, 2), 3, vec![4], Some(3), vec![1, 2, 4], 3),
            (id(1, 1), 3, vec![4], Some(2), vec![1, 4], 2),
            (id(1, 1), 1, vec![2], Some(2), vec![1, 2, 3], 1),
            (id(1, 1), 9, vec![2, 3, 4], Some(4), vec![1, 2, 3, 4], 4),
        ] {
            let mut log = log(&[1, 2, 3], stable);
            log.commit_to(Index(1));
            let taken = log.maybe_append(previous, Index(commit), entries(previous.index.0 + 1, &terms));
            assert_eq!(taken, answer.map(Index), "{terms:?} after {previous}");
            let kept = log.entries(Index(1), u64::MAX).unwrap();
            assert_eq!(kept, entries(1, &all), "{terms:?} after {previous}, stable to {stable}");
            assert_eq!(log.committed(), Index(committed), "{terms:?} after {previous}, commit {commit}");
        }
    }
}

#[test]
#[should_panic(expected = "entry 2 would overwrite the log, which is committed up to 2")]
fn overwriting_what_is_committed_is_a_bug() {
    let mut log = log(&[1, 2, 3], 3);
    log.commit_to(Index(2));
    log.append(vec![entry(4, 2)]);
}

#[test]
fn the_commit_index_never_goes_back() {
    let mut log = log(&[1, 2, 3], 3);
    log.commit_to(Index(2));
    log.commit_to(Index(1));
    assert_eq!(log.committed(), Index(2));
}

#[test]
#[should_panic(expected = "commit index 4 is beyond the last index 3")]
fn committing_beyond_the_log_is_a_bug() {
    log(&[1, 2, 3], 3).commit_to(Index(4));
}

#[test]
fn an_entry_commits_only_where_it_is_the_one_in_the_log() {
    for (entry, expected) in
        [(id(2, 2), true), (id(3, 3), true), (id(2, 3), false), (id(1, 1), false), (id(3, 4), false), (id(0, 4), false)]
    {
        let mut log = log(&[1, 2, 3], 2);
        log.commit_to(Index(1));
        assert_eq!(log.maybe_commit(entry), expected, "{entry}");
        assert_eq!(log.committed(), if expected { entry.index } else { Index(1) });
    }
}

#[test]
fn a_snapshot_takes_the_place_of_the_whole_log() {
    let mut log = log(&[1, 2, 3], 2);
    log.restore(snapshot(5, 9));
    assert_eq!((log.first_index(), log.last_id(), log.committed()), (Index(10), id(5, 9), Index(9)));
    assert_eq!(log.term(Index(3)), Err(StorageError::Compacted));
    assert_eq!(log.snapshot(), Ok(snapshot(5, 9)));
    assert_eq!((log.applied(), log.applying()), (Index(0), Index(0)), "it is not applied yet");

    log.accept_unstable();
    log.storage_mut().apply_snapshot(snapshot(5, 9)).unwrap();
    log.stable_snapshot_to(Index(9));
    log.applied_to(Index(9), 0);
    assert!(!log.has_next_or_in_progress_snapshot());
    assert_eq!((log.storage().first_index(), log.last_id()), (Index(10), id(5, 9)));
    assert_eq!((log.applied(), log.applying()), (Index(9), Index(9)));
}

/// A storage that counts how often it is asked for a term.
#[derive(Debug)]
struct Counting(MemStorage, Cell<u32>);

impl Storage for Counting {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        self.0.initial_state()
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        self.0.entries(low, high, max_size)
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        self.1.set(self.1.get() + 1);
        self.0.term(index)
    }

    fn first_index(&self) -> Index {
        self.0.first_index()
    }

    fn last_index(&self) -> Index {
        self.0.last_index()
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        self.0.snapshot()
    }
}

#[test]
fn the_search_for_an_earlier_term_asks_for_few_terms_of_a_long_log() {
    const LENGTH: u64 = 100_000;
    let mut storage = MemStorage::new();
    let term = |index| if index <= 10 { 1 } else { 7 };
    let all: Vec<Entry> = (1..=LENGTH).map(|index| entry(term(index), index)).collect();
    storage.append(&all).unwrap();
    let log = RaftLog::new(Counting(storage, Cell::new(0)), u64::MAX);
    assert_eq!(log.find_conflict_by_term(Index(LENGTH), Term(3)), id(1, 10));
    assert!(log.storage().1.get() < 25, "{} terms", log.storage().1.get());
}
