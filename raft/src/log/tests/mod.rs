//! The log against tables and against a plain model.

mod applying;
mod matching;
mod model;
mod random;
mod reading;
mod unstable;

use super::RaftLog;
use crate::snapshot::Snapshot;
use crate::storage::MemStorage;
use crate::types::{Entry, EntryId, Index, Term};

const NO_LIMIT: u64 = u64::MAX;

fn id(term: u64, index: u64) -> EntryId {
    EntryId::new(Term(term), Index(index))
}

fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), ..Entry::default() }
}

/// Entries from `first` on with these terms.
fn entries(first: u64, terms: &[u64]) -> Vec<Entry> {
    terms.iter().zip(first..).map(|(&term, index)| entry(term, index)).collect()
}

fn snapshot(term: u64, index: u64) -> Snapshot {
    Snapshot { id: id(term, index), ..Snapshot::default() }
}

/// Compacts the storage of a log behind a snapshot of the same index.
fn compact(log: &mut RaftLog<MemStorage>, index: u64) {
    let storage = log.storage_mut();
    storage.create_snapshot(Index(index), Default::default(), Default::default()).unwrap();
    storage.compact(Index(index)).unwrap();
}

fn indexes(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.index.0).collect()
}

/// A log of entries from 1 on with these terms, in the storage up to `stable` and in memory from there on.
fn log(terms: &[u64], stable: usize) -> RaftLog<MemStorage> {
    let all = entries(1, terms);
    let mut storage = MemStorage::new();
    storage.append(&all[..stable]).unwrap();
    let mut log = RaftLog::new(storage, NO_LIMIT);
    log.append(all[stable..].to_vec());
    log
}
