//! The bytes of version 1. What they are is a promise to those who have such logs: a change to them needs another
//! version, and code that reads both.

use std::fs;

use raft::{ConfState, Entry, EntryId, EntryKind, HardState, Index, NodeId, Snapshot, Term};
use raft_wal::{Checkpoint, RealFiles, Wal, Write, recover};
use tempfile::tempdir;

const FILE: &str = "00000000000000000001.log";

/// Each kind of record, and more than one sector.
const VERSION_1: &[u8] = include_bytes!("version-1.log");

fn node(number: u64) -> NodeId {
    NodeId::new(number).unwrap()
}

fn snapshot() -> Snapshot {
    let conf_state = ConfState {
        voters: [node(1), node(2), node(300)].into(),
        voters_outgoing: [node(1), node(2), node(4)].into(),
        learners: [node(5)].into(),
        learners_next: [node(4)].into(),
        auto_leave: true,
    };
    Snapshot { id: EntryId::new(Term(3), Index(1000)), conf_state, data: "the state".into() }
}

fn entries() -> Vec<Entry> {
    let kinds = [EntryKind::Normal, EntryKind::ConfChange, EntryKind::ConfChangeV2, EntryKind::RefusedConfChange];
    let entry = |(index, kind)| Entry { term: Term(3), index: Index(index), kind, data: vec![index as u8; 200].into() };
    (1000..).zip(kinds).map(entry).collect()
}

const HARD_STATE: HardState = HardState { term: Term(4), vote: NodeId::new(2), commit: Index(1002) };
const BASE: EntryId = EntryId::new(Term(2), Index(999));

#[test]
fn a_log_of_version_1_is_read() {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join(FILE), VERSION_1).unwrap();
    let recovered = recover(&RealFiles::open(directory.path()).unwrap()).unwrap();
    assert_eq!((recovered.hard_state, recovered.base), (HARD_STATE, BASE));
    assert_eq!((recovered.snapshot, recovered.entries), (Some(snapshot()), entries()));
}

#[test]
fn what_is_written_is_version_1_byte_for_byte() {
    let directory = tempdir().unwrap();
    let mut files = RealFiles::open(directory.path()).unwrap();
    let before = HardState { commit: Index(1000), ..HARD_STATE };
    let checkpoint = Checkpoint { hard_state: before, snapshot: Some(&snapshot()), base: BASE, entries: &entries() };
    let mut wal = Wal::create(&mut files, checkpoint).unwrap();
    wal.write(&mut files, Write::HardState(HARD_STATE)).unwrap();
    assert!(fs::read(directory.path().join(FILE)).unwrap() == VERSION_1, "the bytes are others");
}
