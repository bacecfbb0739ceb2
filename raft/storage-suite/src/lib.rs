//! A contract suite for implementations of [`raft::Storage`]: does yours keep what a node relies on?
//!
//! A small mistake in a storage shows late and elsewhere: as an entry that two nodes disagree about, or as a vote given twice
//! after a power failure. One call in a test looks for such mistakes where they are:
//!
//! - [`check`] takes any storage that can be opened again. It writes what a host would write, drawn at random and at the
//!   boundaries, and compares every read with a model after each operation and after each reopening.
//! - [`check_crashes`] takes a storage that writes through [`raft_wal::Files`]. It crashes it at every call of a file, with several
//!   answers to what the disk kept of the bytes that were not synced, opens it again, and compares it with what was promised.
//!
//! ```
//! use std::cell::RefCell;
//! use std::convert::Infallible;
//! use std::rc::Rc;
//!
//! use raft::{ConfState, Entry, HardState, Index, MemStorage, Snapshot, Storage, StorageError, Term};
//! use raft_storage_suite::{StorageUnderTest, check};
//!
//! // `MemStorage` is one already. What it "keeps on disk" is a copy, as of the last sync.
//! let fresh = || Rc::new(RefCell::new(MemStorage::new()));
//! let open = |kept: &Rc<RefCell<MemStorage>>| Ok::<_, Infallible>(kept.borrow().clone());
//! let failure = check(fresh, open).expect_err("a copy that nobody updates forgets everything");
//! assert!(failure.to_string().contains("what was written is there after a reopening"), "{failure}");
//! ```
//!
//! A failure names the promise that was broken, what was expected and found, and the operations that led there, as few as were
//! found to suffice. Everything follows from [`Suite::seed`], so it fails again in the next run.
//!
//! # The promises
//! [`Promise`] lists them, with the sentence that a failure prints. Which of them a storage keeps by luck, the suite cannot know;
//! it compares what it sees.

mod crash;
mod disk;
mod draws;
mod failure;
mod model;
mod next;
mod operation;
mod perform;
mod reads;
mod suite;
mod under_test;

pub use disk::{Disk, Kept};
pub use failure::{Failure, Promise};
pub use suite::{Suite, check, check_crashes};
pub use under_test::StorageUnderTest;
