//! The log on real files, and the bytes of its format. What crashes and damage do to it is tested by the simulator, in
//! `sim/tests/wal`.

mod format;
mod real;
mod storage;
#[cfg(feature = "forge")]
mod version;

use raft::{Entry, Index, Term};

fn entry(term: u64, index: u64, size: usize) -> Entry {
    Entry { term: Term(term), index: Index(index), data: vec![9; size].into(), ..Entry::default() }
}
