//! A storage that fails a read, whichever of them: the node says so, and nothing leaves it that rests on what was not read.

use std::cell::Cell;

use raft::{
    AdvanceError, Body, ConfChange, ConfChangeV1, ConfState, Config, ConfigError, Entry, HardState, Index, MemStorage,
    ProposeError, RawNode, ReadError, Ready, Role, Snapshot, StepError, Storage, StorageError, Term,
};

use crate::host::*;

/// Fails one read, and answers those before and after it.
struct Failing {
    log: MemStorage,
    /// The reads that succeed before it.
    left: Cell<u64>,
}

impl Failing {
    fn read<T>(&self, answer: Result<T, StorageError>) -> Result<T, StorageError> {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        if left == 0 { Err(StorageError::failed("the device is gone")) } else { answer }
    }
}

impl Storage for Failing {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        self.read(self.log.initial_state())
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        self.read(self.log.entries(low, high, max_size))
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        self.read(self.log.term(index))
    }

    fn first_index(&self) -> Index {
        self.log.first_index()
    }

    fn last_index(&self) -> Index {
        self.log.last_index()
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        self.read(self.log.snapshot())
    }
}

/// A log that is compacted up to 2 and ends at 6; entry 4 changes the membership, and everything is committed.
fn log() -> MemStorage {
    let (kind, data) = ConfChange::V1(ConfChangeV1::add_learner(id(4))).encode();
    let mut storage = MemStorage::from_snapshot(snapshot(1, 2, &[1, 2, 3]));
    let mut entries: Vec<Entry> = (3..=6).map(|index| entry(1, index)).collect();
    entries[1] = Entry { kind, data, ..entry(1, 4) };
    storage.append(&entries).unwrap();
    storage.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(6) });
    storage
}

/// A life in which a node reads its log for all the reasons that there are.
struct Life {
    node: RawNode<Failing>,
    /// What left the node: Readys, in words.
    left: Vec<String>,
}

impl Life {
    fn begin(asynchronous: bool, reads: u64) -> Result<Self, ConfigError> {
        let config = Config { async_storage_writes: asynchronous, applied: Index(3), ..config() };
        let storage = Failing { log: log(), left: Cell::new(reads) };
        Ok(Self { node: RawNode::new(config, storage)?, left: Vec::new() })
    }

    fn live(&mut self) {
        self.work();
        // As a follower: entries that are known, conflict, and leave a gap; a vote; a snapshot that brings nothing.
        self.hear(2, 2, append(entry_id(1, 5), vec![entry(1, 6), entry(2, 7)], 6));
        self.hear(2, 2, append(entry_id(1, 6), vec![entry(2, 7), entry(2, 8)], 7));
        self.hear(2, 2, append(entry_id(2, 20), vec![], 7));
        self.hear(3, 3, request_vote(entry_id(2, 8)));
        self.hear(3, 3, append(entry_id(2, 7), vec![entry(3, 8)], 7));
        self.hear(3, 3, install(snapshot(2, 7, &[1, 2, 3])));
        // As a leader: of an old term's entries, to one that lags, to one that needs the snapshot, and for a read.
        self.node.campaign();
        self.work();
        self.hear(2, 4, granted());
        self.hear(2, 4, accepted(9));
        self.hear(3, 4, rejected(8, entry_id(1, 5)));
        self.hear(3, 4, rejected(5, entry_id(0, 0)));
        let _ = self.node.propose("data".into());
        self.node.read_index("read".into());
        self.work();
        self.hear(2, 4, accepted(10));
        self.node.tick();
        self.node.transfer_leadership(id(2));
        self.work();
    }

    fn hear(&mut self, from: u64, term: u64, body: Body) {
        let _ = self.node.step(message(from, term, body));
        self.work();
    }

    fn work(&mut self) {
        assert!(self.node.failure().is_none() || !self.node.has_ready(), "a failed node wants nothing done");
        while let Some(ready) = self.node.ready() {
            self.left.push(format!("{ready:?}"));
            self.node.storage_mut().log.write(&ready).unwrap();
            for change in ready.committed_entries.iter().filter_map(|entry| entry.conf_change().unwrap()) {
                self.node.apply_conf_change(&change.into_v2()).unwrap();
            }
            self.hand_back(ready);
        }
    }

    fn hand_back(&mut self, ready: Ready) {
        if !self.node.config().async_storage_writes {
            let _ = self.node.advance(ready);
            return;
        }
        if let Some(append) = ready.storage_append {
            append.responses.into_iter().filter(|own| own.to == id(1)).for_each(|own| drop(self.node.step(own)));
            append.appended.into_iter().for_each(|appended| self.node.storage_appended(appended));
        }
        ready.storage_apply.into_iter().for_each(|apply| self.node.storage_applied(apply.into_applied()));
    }
}

/// A life without failures, and how often the storage is read in it.
fn unharmed(asynchronous: bool) -> (Life, u64) {
    let mut life = Life::begin(asynchronous, u64::MAX).unwrap();
    life.live();
    let reads = u64::MAX - life.node.storage().left.get();
    (life, reads)
}

#[test]
fn whichever_read_fails_nothing_leaves_the_node_that_would_not_have_left_it_anyway() {
    for asynchronous in [false, true] {
        let (unharmed, reads) = unharmed(asynchronous);
        assert_eq!(unharmed.node.soft_state().role, Role::Leader);
        assert!(unharmed.left.iter().any(|ready| ready.contains("InstallSnapshot")), "it sends a snapshot");
        assert!(reads > 20, "{reads} reads");
        let mut failed_late = 0;
        for n in 0..reads {
            let Ok(mut life) = Life::begin(asynchronous, n) else { continue };
            life.live();
            failed_late += 1;
            assert!(life.node.failure().is_some(), "read {n} of {reads} fails, and nobody says so");
            assert!(unharmed.left.starts_with(&life.left), "read {n} fails, and this leaves: {:#?}", life.left.last());
            assert!(!life.node.has_ready() && life.node.ready().is_none(), "and then nothing");
            assert!(life.left.len() < unharmed.left.len(), "the node ends with read {n}");
        }
        assert!(failed_late > 10, "{failed_late}");
    }
}

#[test]
fn a_node_whose_storage_fails_when_it_starts_does_not_start() {
    let starting = (0..).map(|n| Life::begin(false, n)).take_while(Result::is_err);
    let errors: Vec<ConfigError> = starting.filter_map(Result::err).collect();
    assert!(errors.len() > 1, "{errors:?}");
    for error in errors {
        assert!(matches!(error, ConfigError::Storage(StorageError::Failed(_))), "{error:?}");
        assert_eq!(error.to_string(), "the storage failed: the device is gone");
    }
}

/// A node whose storage fails as soon as a leader sends it entries, and the Ready that it had handed out by then.
fn failed() -> (RawNode<Failing>, Option<Ready>) {
    let mut node = Life::begin(false, u64::MAX).unwrap().node;
    let out = node.ready();
    node.storage().left.set(0);
    let heard = node.step(message(2, 2, append(entry_id(1, 6), vec![entry(2, 7)], 6)));
    assert_eq!(heard, Err(StepError::StorageFailed), "the very call in which it happens says so");
    (node, out)
}

#[test]
fn every_call_of_a_node_whose_storage_failed_is_refused_or_does_nothing() {
    let (mut node, out) = failed();
    assert_eq!(node.failure().map(ToString::to_string).as_deref(), Some("the device is gone"));
    let status = node.basic_status();
    node.tick();
    node.campaign();
    node.transfer_leadership(id(2));
    node.forget_leader();
    node.read_index("read".into());
    node.report_unreachable(id(2));
    assert_eq!(node.propose("data".into()), Err(ProposeError::StorageFailed));
    assert_eq!(node.propose_as_leader("data".into()), Err(ProposeError::StorageFailed));
    let change = ConfChange::V1(ConfChangeV1::add_learner(id(5)));
    assert_eq!(node.propose_conf_change(&change), Err(ProposeError::StorageFailed));
    assert_eq!(node.propose_conf_change_as_leader(&change), Err(ProposeError::StorageFailed));
    assert_eq!(node.try_read_index("read".into()), Err(ReadError::StorageFailed));
    assert_eq!(node.step(message(2, 2, heartbeat(6))), Err(StepError::StorageFailed));
    assert_eq!(node.advance(out.unwrap()), Err(AdvanceError::StorageFailed));
    assert_eq!(node.process_ready(|_, _| Err("there is work")), Ok(false));
    assert_eq!((node.has_ready(), node.ready(), node.pending_messages().count()), (false, None, 0));
    assert_eq!(node.basic_status(), status);
}

#[test]
fn what_is_at_work_when_the_storage_fails_can_be_applied_to_its_end() {
    let (mut node, out) = failed();
    let change = out.unwrap().committed_entries.iter().find_map(|entry| entry.conf_change().unwrap()).unwrap();
    let members = node.apply_conf_change(&change.into_v2()).unwrap();
    assert!(members.learners.contains(&id(4)));
}

#[test]
fn what_a_failed_node_says_tells_what_to_do() {
    let error = ProposeError::StorageFailed.to_string();
    assert_eq!(
        error,
        "the storage failed, and the node takes part no more: end it, see to the storage, and start it again"
    );
    let same = [ReadError::StorageFailed.to_string(), StepError::StorageFailed.to_string()];
    assert_eq!(same, [error.clone(), error.clone()]);
    assert_eq!(AdvanceError::StorageFailed.to_string(), error);
}
