//! What was recovered, in memory for a node to read.

use raft::{EntryId, HardState, Index, Snapshot, Storage, Term};
use raft_wal::{Checkpoint, RealFiles, Wal};
use tempfile::tempdir;

use crate::entry;

fn reopened(checkpoint: Checkpoint<'_>) -> raft::MemStorage {
    let directory = tempdir().unwrap();
    let mut files = RealFiles::open(directory.path()).unwrap();
    Wal::create(&mut files, checkpoint).unwrap();
    let (_, recovered) = Wal::open(&mut files).unwrap();
    recovered.into_storage().unwrap()
}

#[test]
fn entries_that_a_snapshot_covers_are_kept_where_the_log_has_them() {
    let entries = [entry(1, 3, 1), entry(2, 4, 1), entry(2, 5, 1)];
    let snapshot = Snapshot { id: EntryId::new(Term(2), Index(4)), data: "state".into(), ..Snapshot::default() };
    let hard_state = HardState { term: Term(2), vote: None, commit: Index(5) };
    let base = EntryId::new(Term(1), Index(2));
    let storage = reopened(Checkpoint { hard_state, snapshot: Some(&snapshot), base, entries: &entries });

    assert_eq!((storage.first_index(), storage.last_index()), (Index(3), Index(5)));
    assert_eq!((storage.term(Index(2)), storage.snapshot()), (Ok(Term(1)), Ok(snapshot)));
    assert_eq!(storage.hard_state(), hard_state);
    assert!(storage.stored().eq(&entries));
}

#[test]
fn a_log_that_begins_with_its_snapshot_goes_on_after_it() {
    let snapshot = Snapshot { id: EntryId::new(Term(2), Index(4)), data: "state".into(), ..Snapshot::default() };
    let hard_state = HardState { term: Term(2), vote: None, commit: Index(4) };
    let entries = [entry(2, 5, 1)];
    let storage = reopened(Checkpoint { hard_state, snapshot: Some(&snapshot), base: snapshot.id, entries: &entries });
    assert_eq!((storage.first_index(), storage.last_index()), (Index(5), Index(5)));
    assert_eq!(storage.snapshot(), Ok(snapshot));
}

#[test]
fn a_log_without_a_snapshot_begins_at_index_one() {
    let storage = reopened(Checkpoint { entries: &[entry(1, 1, 1)], ..Checkpoint::default() });
    assert_eq!((storage.first_index(), storage.last_index()), (Index(1), Index(1)));
}
