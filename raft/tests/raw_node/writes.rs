//! Writing what a Ready says: in which order, and what a crash in between leaves.

use bytes::Bytes;
use raft::{Entry, HardState, Index, MemStorage, MemStorageError, Message, RawNode, Ready, Snapshot, Storage, Term};

use crate::host::*;

/// What each message makes node 1 write, as a follower of node 2 with a storage of its own.
fn ready_after(storage: &MemStorage, message: Message) -> Ready {
    let mut node = RawNode::new(config(), storage.clone()).expect("a sensible storage");
    node.step(message).expect("it is taken");
    node.ready().expect("an answer")
}

/// One Ready with entries and their commit, and one with a snapshot; and the storage that each is for.
fn readys() -> Vec<(MemStorage, Ready)> {
    let empty = MemStorage::with_conf_state(voters(&[1, 2, 3]));
    let append = message(2, 1, append(entry_id(0, 0), vec![entry(1, 1), entry(1, 2)], 2));
    let install = message(2, 3, install(snapshot(2, 9, &[1, 2, 3])));
    let over_a_log = stored(&[1, 2, 3], &[1, 1], 1);
    vec![(empty.clone(), ready_after(&empty, append)), (over_a_log.clone(), ready_after(&over_a_log, install))]
}

#[test]
fn a_ready_is_written_whole_and_twice_is_as_good_as_once() {
    for (mut storage, ready) in readys() {
        storage.write(&ready).expect("it follows the log");
        let expected = ready.snapshot.clone().unwrap_or_else(|| snapshot_of(&storage));
        assert_eq!(snapshot_of(&storage), expected);
        let last = ready.entries.last().map_or(expected.id, Entry::id);
        assert_eq!(storage.last_index(), last.index);
        assert_eq!(Some(storage.hard_state()), ready.hard_state);

        let once = (storage.initial_state().unwrap(), storage.stored().cloned().collect::<Vec<_>>());
        storage.write(&ready).expect("it is there already");
        assert_eq!((storage.initial_state().unwrap(), storage.stored().cloned().collect()), once);
    }
}

fn snapshot_of(storage: &MemStorage) -> Snapshot {
    storage.snapshot().expect("a storage in memory has one")
}

fn saying(what: impl FnOnce(&mut Ready)) -> Ready {
    let mut ready = Ready::default();
    what(&mut ready);
    ready
}

/// Writes so many of the three things that a Ready may say, in their order, and no more.
fn write_until(storage: &mut MemStorage, ready: &Ready, crash: usize) {
    let parts = [
        saying(|part| part.snapshot.clone_from(&ready.snapshot)),
        saying(|part| part.entries.clone_from(&ready.entries)),
        saying(|part| part.hard_state = ready.hard_state),
    ];
    parts[..crash].iter().for_each(|part| storage.write(part).expect("it follows the log"));
}

#[test]
fn a_node_starts_again_wherever_a_crash_cuts_the_writes_short() {
    let entries_first = readys().swap_remove(0);
    for crash in 0..=3 {
        let (mut storage, ready) = entries_first.clone();
        write_until(&mut storage, &ready, crash);
        assert!(RawNode::new(config(), storage).is_ok(), "a crash before write {crash}");
    }
    // The other way round it does not, so the order is what matters.
    let (mut storage, ready) = entries_first;
    storage.set_hard_state(ready.hard_state.expect("a term, and what is committed"));
    assert!(RawNode::new(config(), storage).is_err());
}

#[test]
fn a_ready_of_another_node_leaves_a_gap_and_is_refused() {
    let mut storage = stored(&[1, 2, 3], &[1], 1);
    let far = saying(|ready| ready.entries = vec![entry(1, 5)]);
    assert_eq!(storage.write(&far), Err(MemStorageError::Gap { found: Index(5), expected: Index(2) }));
    let old = saying(|ready| ready.snapshot = Some(snapshot(1, 3, &[1])));
    storage.write(&old).expect("newer than the log");
    let older = saying(|ready| ready.snapshot = Some(snapshot(1, 2, &[1])));
    assert!(matches!(storage.write(&older), Err(MemStorageError::SnapshotOutOfDate { .. })));
}

#[test]
fn what_a_ready_does_not_say_stays() {
    let mut storage = stored(&[1, 2, 3], &[1, 1], 2);
    let before = (storage.initial_state().unwrap(), storage.last_index());
    storage.write(&Ready::default()).expect("nothing to write");
    assert_eq!((storage.initial_state().unwrap(), storage.last_index()), before);
    let hard_state = HardState { term: Term(7), vote: None, commit: Index(2) };
    storage.write(&saying(|ready| ready.hard_state = Some(hard_state))).expect("nothing in its way");
    assert_eq!((storage.hard_state(), storage.last_index()), (hard_state, Index(2)));
    assert_eq!(storage.entries(Index(1), Index(2), u64::MAX).map(|page| page[0].data.clone()), Ok(Bytes::new()));
}
