//! The node's own storage in memory keeps the contract. Kept by somebody else while it is closed, it is also what the storages with a
//! mistake are made of.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use raft::{ConfState, Entry, HardState, Index, MemStorage, Snapshot, Storage, StorageError, Term};
use raft_storage_suite::{StorageUnderTest, check};

/// Memory that somebody else keeps while the storage is closed.
#[derive(Clone, Default)]
pub(crate) struct Shared(pub(crate) Rc<RefCell<MemStorage>>);

impl Storage for Shared {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        self.0.borrow().initial_state()
    }

    fn conf_state_index(&self) -> Option<Index> {
        self.0.borrow().conf_state_index()
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        self.0.borrow().entries(low, high, max_size)
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        self.0.borrow().term(index)
    }

    fn first_index(&self) -> Index {
        self.0.borrow().first_index()
    }

    fn last_index(&self) -> Index {
        self.0.borrow().last_index()
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        self.0.borrow().snapshot()
    }
}

impl StorageUnderTest for Shared {
    type Error = raft::MemStorageError;

    fn write(
        &mut self,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
        hard_state: Option<HardState>,
    ) -> Result<(), Self::Error> {
        StorageUnderTest::write(&mut *self.0.borrow_mut(), snapshot, entries, hard_state)
    }

    fn sync(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn create_snapshot(&mut self, index: Index, members: &ConfState, data: Bytes) -> Result<(), Self::Error> {
        StorageUnderTest::create_snapshot(&mut *self.0.borrow_mut(), index, members, data)
    }

    fn compact(&mut self, index: Index) -> Result<(), Self::Error> {
        self.0.borrow_mut().compact(index)
    }
}

#[test]
fn memory_keeps_the_contract() {
    check(Shared::default, |kept| Ok::<_, Infallible>(kept.clone())).unwrap();
}
