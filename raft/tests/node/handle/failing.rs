//! A storage that fails under a running node: the node stops, everybody is told, and the cause can be had.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use raft::{
    ApplyError, ConfState, Config, Entry, HardState, Index, MemStorage, Node, NodeError, Snapshot, Stopped, Storage,
    StorageError, Term,
};

use super::{Bell, now, poll, poll_with};
use crate::{heartbeat, id, storage};

/// Can be broken while the node has it.
struct Breakable(MemStorage, Arc<AtomicBool>);

impl Breakable {
    fn read<T>(&self, answer: Result<T, StorageError>) -> Result<T, StorageError> {
        match self.1.load(Ordering::Relaxed) {
            true => Err(StorageError::failed("the device is gone")),
            false => answer,
        }
    }
}

impl Storage for Breakable {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        self.read(self.0.initial_state())
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        self.read(self.0.entries(low, high, max_size))
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        self.read(self.0.term(index))
    }

    fn first_index(&self) -> Index {
        self.0.first_index()
    }

    fn last_index(&self) -> Index {
        self.0.last_index()
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        self.read(self.0.snapshot())
    }
}

#[test]
fn a_node_whose_storage_fails_stops_and_says_why() {
    let broken = Arc::new(AtomicBool::new(false));
    let storage = Breakable(storage(&[1, 2, 3]), Arc::clone(&broken));
    let (node, driver) = Node::restart(Config::new(id(1)), storage).unwrap();
    let mut driver = pin!(driver);
    let bell = Arc::new(Bell::default());
    let mut ready = pin!(node.ready());
    let mut proposal = pin!(node.propose("data".into()));
    let mut awaited = pin!(node.propose_until_applied("data".into()));
    assert!(poll_with(ready.as_mut(), &bell).is_pending());
    assert!(poll_with(proposal.as_mut(), &bell).is_pending());
    assert!(poll_with(awaited.as_mut(), &bell).is_pending());
    assert!(poll(driver.as_mut()).is_pending());
    assert_eq!(node.failure(), None);

    broken.store(true, Ordering::Relaxed);
    now(node.campaign()).unwrap();
    assert!(poll(driver).is_ready(), "the driver ends");
    assert_eq!(node.failure().map(|failure| failure.to_string()).as_deref(), Some("the device is gone"));
    assert_eq!(bell.rings(), 3);
    assert_eq!(poll(ready), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(proposal), Poll::Ready(Err(NodeError::Stopped)));
    assert_eq!(poll(awaited), Poll::Ready(Err(ApplyError::Stopped)));
    assert_eq!(now(node.step(heartbeat(2, 1))), Err(Stopped));
    assert_eq!(node.tick(), Err(Stopped));
}

#[test]
fn a_node_does_not_start_from_a_storage_that_fails() {
    let storage = Breakable(storage(&[1]), Arc::new(AtomicBool::new(true)));
    let error = Node::restart(Config::new(id(1)), storage).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the storage failed: the device is gone");
}
