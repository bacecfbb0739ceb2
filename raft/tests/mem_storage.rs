//! The storage in memory, case by case.

use bytes::Bytes;
use raft::{
    ConfState, Entry, EntryId, HardState, Index, MemStorage, MemStorageError, NodeId, Snapshot, Storage, StorageError,
    Term,
};

fn entries(first: u64, terms: &[u64]) -> Vec<Entry> {
    let entry = |(index, &term)| Entry { term: Term(term), index: Index(index), ..Entry::default() };
    (first..).zip(terms).map(entry).collect()
}

fn snapshot(term: u64, index: u64) -> Snapshot {
    Snapshot { id: EntryId::new(Term(term), Index(index)), ..Snapshot::default() }
}

fn conf_state(voters: &[u64]) -> ConfState {
    let voters = voters.iter().map(|&voter| NodeId::new(voter).unwrap()).collect();
    ConfState { voters, ..ConfState::default() }
}

/// Compacted up to 3 (of term 3), with entries 4 and 5 of the same terms.
fn storage() -> MemStorage {
    let mut storage = MemStorage::from_snapshot(snapshot(3, 3));
    storage.append(&entries(4, &[4, 5])).unwrap();
    storage
}

fn terms(storage: &MemStorage) -> Vec<u64> {
    storage.stored().map(|entry| entry.term.0).collect()
}

#[test]
fn a_new_storage_is_an_empty_log() {
    let storage = MemStorage::new();
    assert_eq!(storage.initial_state().unwrap(), (HardState::default(), ConfState::default()));
    assert_eq!((storage.first_index(), storage.last_index()), (Index(1), Index(0)));
    assert_eq!(storage.term(Index(0)), Ok(Term(0)));
    assert_eq!(storage.snapshot(), Ok(Snapshot::default()));
}

#[test]
fn a_storage_starts_with_its_membership_and_after_its_snapshot() {
    let storage = MemStorage::with_conf_state(conf_state(&[1, 2]));
    assert_eq!(storage.initial_state().unwrap().1, conf_state(&[1, 2]));
    assert_eq!((storage.first_index(), storage.last_index()), (Index(1), Index(0)));

    let snapshot = Snapshot { conf_state: conf_state(&[3]), ..snapshot(2, 9) };
    let storage = MemStorage::from_snapshot(snapshot.clone());
    assert_eq!(storage.initial_state().unwrap().1, conf_state(&[3]));
    assert_eq!((storage.first_index(), storage.last_index()), (Index(10), Index(9)));
    assert_eq!(storage.term(Index(9)), Ok(Term(2)));
    assert_eq!(storage.snapshot(), Ok(snapshot));
}

#[test]
fn the_hard_state_is_read_back() {
    let mut storage = storage();
    let hard_state = HardState { term: Term(5), vote: NodeId::new(2), commit: Index(4) };
    storage.set_hard_state(hard_state);
    assert_eq!((storage.hard_state(), storage.initial_state().unwrap().0), (hard_state, hard_state));
}

#[test]
fn terms_are_known_from_the_one_before_the_first_entry_to_the_last() {
    let terms: Vec<_> = (2..=6).map(|index| storage().term(Index(index)).map(|term| term.0)).collect();
    assert_eq!(terms, [Err(StorageError::Compacted), Ok(3), Ok(4), Ok(5), Err(StorageError::Unavailable)]);
}

#[test]
fn a_page_is_as_long_as_fits_and_never_empty() {
    let mut storage = storage();
    storage.append(&entries(6, &[6])).unwrap();
    let size = entries(4, &[4])[0].encoded_size();
    for (low, high, max_size, expected) in [
        (3, 6, u64::MAX, Err(StorageError::Compacted)),
        (0, 1, u64::MAX, Err(StorageError::Compacted)),
        (4, 8, u64::MAX, Err(StorageError::Unavailable)),
        (7, 8, u64::MAX, Err(StorageError::Unavailable)),
        (4, 5, u64::MAX, Ok(vec![4])),
        (4, 7, u64::MAX, Ok(vec![4, 5, 6])),
        (5, 5, u64::MAX, Ok(vec![])),
        (4, 7, 0, Ok(vec![4])),
        (4, 7, 2 * size, Ok(vec![4, 5])),
        (4, 7, 3 * size - 1, Ok(vec![4, 5])),
        (4, 7, 3 * size, Ok(vec![4, 5, 6])),
    ] {
        let page = storage.entries(Index(low), Index(high), max_size);
        let page = page.map(|page| page.iter().map(|entry| entry.index.0).collect());
        assert_eq!(page, expected, "[{low}, {high}) in {max_size} bytes");
    }
}

#[test]
fn appended_entries_replace_those_from_their_first_index_on() {
    for (first, appended, expected) in [
        (4, vec![], vec![4, 5]),
        (4, vec![4, 5], vec![4, 5]),
        (4, vec![6, 6, 6], vec![6, 6, 6]),
        (5, vec![6], vec![4, 6]),
        (6, vec![6], vec![4, 5, 6]),
        // What is compacted is skipped, and counts for nothing where that is all there is.
        (2, vec![2, 3, 6], vec![6]),
        (2, vec![2, 3], vec![4, 5]),
        (1, vec![1], vec![4, 5]),
    ] {
        let mut storage = storage();
        storage.append(&entries(first, &appended)).unwrap();
        assert_eq!(terms(&storage), expected, "{appended:?} from {first}");
        assert_eq!(storage.last_index(), Index(3 + expected.len() as u64));
    }
}

#[test]
fn entries_that_leave_a_gap_are_refused() {
    let mut storage = storage();
    let gap = |found, expected| Err(MemStorageError::Gap { found: Index(found), expected: Index(expected) });
    assert_eq!(storage.append(&entries(7, &[6])), gap(7, 6));
    let torn = [entries(5, &[6]), entries(7, &[6])].concat();
    assert_eq!(storage.append(&torn), gap(7, 6));
    assert_eq!(terms(&storage), [4, 5]);
}

#[test]
fn a_newer_snapshot_takes_the_place_of_the_whole_log() {
    for index in [4, 5, 9] {
        let mut storage = storage();
        storage.apply_snapshot(snapshot(7, index)).unwrap();
        assert_eq!((storage.first_index(), storage.last_index()), (Index(index + 1), Index(index)));
        assert_eq!(storage.term(Index(index)), Ok(Term(7)));
        assert_eq!(storage.snapshot(), Ok(snapshot(7, index)));
    }
}

#[test]
fn a_snapshot_that_is_not_newer_is_refused() {
    for index in [2, 3] {
        let mut storage = storage();
        let error = MemStorageError::SnapshotOutOfDate { offered: Index(index), stored: Index(3) };
        assert_eq!(storage.apply_snapshot(snapshot(7, index)), Err(error.clone()));
        assert_eq!(storage.create_snapshot(Index(index), conf_state(&[1]), Bytes::new()), Err(error));
        assert_eq!((terms(&storage), storage.snapshot()), (vec![4, 5], Ok(snapshot(3, 3))));
    }
}

#[test]
fn a_snapshot_is_made_of_what_the_log_holds() {
    let mut storage = storage();
    let made = storage.create_snapshot(Index(4), conf_state(&[1, 2]), "state".into()).unwrap();
    let expected = Snapshot { conf_state: conf_state(&[1, 2]), data: "state".into(), ..snapshot(4, 4) };
    assert_eq!(made, &expected);
    assert_eq!(storage.snapshot(), Ok(expected));
    assert_eq!(storage.initial_state().unwrap().1, conf_state(&[1, 2]));
    assert_eq!(terms(&storage), [4, 5], "the log stays");
    let beyond = storage.create_snapshot(Index(6), conf_state(&[1]), Bytes::new());
    assert_eq!(beyond, Err(MemStorageError::Storage(StorageError::Unavailable)));
}

#[test]
fn a_snapshot_that_is_handed_out_leaves_log_and_membership_alone_until_a_newer_one_is_stored() {
    let mut storage = storage();
    let offered = Snapshot { conf_state: conf_state(&[9]), ..snapshot(5, 5) };
    storage.set_snapshot(offered.clone());
    assert_eq!(storage.snapshot(), Ok(offered));
    assert_eq!((storage.first_index(), terms(&storage)), (Index(4), vec![4, 5]));
    assert_eq!(storage.initial_state().unwrap().1, ConfState::default());
    storage.apply_snapshot(snapshot(6, 7)).unwrap();
    assert_eq!(storage.snapshot(), Ok(snapshot(6, 7)));
}

#[test]
fn compaction_keeps_the_term_of_the_last_entry_that_it_drops() {
    for (index, expected) in [
        (2, Err(StorageError::Compacted.into())),
        (3, Err(StorageError::Compacted.into())),
        (4, Ok((4, vec![5]))),
        (5, Ok((5, vec![]))),
        (6, Err(StorageError::Unavailable.into())),
    ] {
        let mut storage = storage();
        storage.create_snapshot(Index(5), conf_state(&[1]), Bytes::new()).unwrap();
        let compacted = storage.compact(Index(index));
        let found = compacted.clone().map(|()| (storage.term(Index(index)).unwrap().0, terms(&storage)));
        let first = if compacted.is_ok() { index + 1 } else { 4 };
        assert_eq!(found, expected, "up to {index}");
        assert_eq!((storage.first_index(), storage.last_index()), (Index(first), Index(5)), "up to {index}");
    }
}

#[test]
fn the_log_is_not_compacted_further_than_the_newest_snapshot_reaches() {
    let beyond = |compacted, snapshot| {
        Err(MemStorageError::BeyondSnapshot { compacted: Index(compacted), snapshot: Index(snapshot) })
    };
    let mut storage = storage();
    assert_eq!(storage.compact(Index(4)), beyond(4, 3));
    storage.create_snapshot(Index(4), conf_state(&[1]), Bytes::new()).unwrap();
    assert_eq!(storage.compact(Index(5)), beyond(5, 4));
    assert_eq!((storage.first_index(), terms(&storage)), (Index(4), vec![4, 5]), "nothing was dropped");
    assert_eq!(storage.compact(Index(4)), Ok(()));

    storage.set_snapshot(snapshot(5, 5));
    assert_eq!(storage.compact(Index(5)), Ok(()), "one that is kept elsewhere counts as well");
    let message = MemStorageError::BeyondSnapshot { compacted: Index(9), snapshot: Index(4) }.to_string();
    assert_eq!(message, "cannot compact up to 9, the newest snapshot covers the log only up to 4");
}

#[test]
fn an_empty_storage_takes_its_first_membership_as_a_snapshot_at_zero() {
    let members = Snapshot { conf_state: conf_state(&[1, 2]), ..Snapshot::default() };
    let mut storage = MemStorage::new();
    assert_eq!(storage.apply_snapshot(members.clone()), Ok(()));
    assert_eq!((storage.initial_state().unwrap().1, storage.last_index()), (conf_state(&[1, 2]), Index(0)));

    let out_of_date = |stored| Err(MemStorageError::SnapshotOutOfDate { offered: Index(0), stored: Index(stored) });
    storage.append(&entries(1, &[1])).unwrap();
    assert_eq!(storage.apply_snapshot(members.clone()), out_of_date(0), "it would wipe the log");
    storage.create_snapshot(Index(1), conf_state(&[1]), Bytes::new()).unwrap();
    assert_eq!(storage.apply_snapshot(members), out_of_date(1));
}

#[test]
fn a_restart_begins_with_the_newest_membership() {
    let mut storage = storage();
    let newest = |storage: &MemStorage| (storage.initial_state().unwrap().1, storage.conf_state_index());
    assert_eq!(newest(&storage), (ConfState::default(), Some(Index(3))));
    storage.set_conf_state(Index(5), conf_state(&[1, 2]));
    assert_eq!(newest(&storage), (conf_state(&[1, 2]), Some(Index(5))));
    storage.create_snapshot(Index(4), conf_state(&[1]), Bytes::new()).unwrap();
    assert_eq!(newest(&storage), (conf_state(&[1, 2]), Some(Index(5))), "the snapshot is of an older entry");
    storage.create_snapshot(Index(5), conf_state(&[3]), Bytes::new()).unwrap();
    assert_eq!(newest(&storage), (conf_state(&[3]), Some(Index(5))));
    storage.set_conf_state(Index(5), conf_state(&[4]));
    assert_eq!(newest(&storage), (conf_state(&[3]), Some(Index(5))), "the snapshot is as new");
    storage.set_conf_state(Index(6), conf_state(&[4]));
    storage.apply_snapshot(Snapshot { conf_state: conf_state(&[5]), ..snapshot(5, 6) }).unwrap();
    assert_eq!(newest(&storage), (conf_state(&[5]), Some(Index(6))));
}
