//! A host that does what a host has to do, a step at a time, so that messages come in between.

use std::collections::VecDeque;

use raft::{
    ConfState, Config, Entry, HardState, Index, MemStorage, Message, NodeId, RawNode, Ready, Snapshot, Storage,
    StorageAppend, StorageAppended, StorageApplied, StorageApply,
};

pub fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
}

/// Node 1 of three, and the work that it has given out.
pub struct Host {
    pub node: RawNode<MemStorage>,
    config: Config,
    stored: HardState,
    applied: Snapshot,
    /// With synchronous writes.
    stage: Option<(Ready, Stage)>,
    /// With asynchronous writes: what the two threads have to do, and to say.
    appends: VecDeque<StorageAppend>,
    applies: VecDeque<StorageApply>,
    said: VecDeque<Said>,
}

enum Stage {
    Taken,
    Written,
    Applied,
}

enum Said {
    Own(Message),
    Appended(StorageAppended),
    Applied(StorageApplied),
}

impl Host {
    /// A new node whose log begins behind entry 3 of term 1.
    pub fn new(config: Config) -> Self {
        let conf_state = ConfState { voters: [1, 2, 3].map(id).into(), ..ConfState::default() };
        let base = raft::EntryId::new(raft::Term(1), Index(3));
        let snapshot = Snapshot { id: base, conf_state, data: bytes::Bytes::new() };
        let mut storage = MemStorage::from_snapshot(snapshot);
        let stored = HardState { term: raft::Term(1), vote: None, commit: Index(3) };
        storage.set_hard_state(stored);
        Self::over(config, storage, stored)
    }

    fn over(config: Config, storage: MemStorage, stored: HardState) -> Self {
        let applied = storage.snapshot().expect("a storage in memory has one");
        let config = Config { applied: applied.id.index, ..config };
        let node = RawNode::new(config.clone(), storage).expect("what a node has written, a node can begin with");
        let (appends, applies, said) = Default::default();
        Self { node, config, stored, applied, stage: None, appends, applies, said }
    }

    /// The process ends and begins again with what is stored.
    pub fn restart(&mut self) {
        let mut storage = self.node.storage().clone();
        let snapshot = storage.snapshot().expect("a storage in memory has one");
        // It is of applied entries, and may be stored before the commit index that covers them.
        self.stored.commit = self.stored.commit.max(snapshot.id.index);
        storage.set_hard_state(self.stored);
        *self = Self::over(self.config.clone(), storage, self.stored);
    }

    /// Does one thing of what is to be done; `which` chooses between the threads of asynchronous writes. Tells whether
    /// there was any.
    pub fn work(&mut self, which: u8) -> bool {
        if !self.config.async_storage_writes {
            return self.next_stage();
        }
        (0..4).any(|turn| match which.wrapping_add(turn) % 4 {
            0 => self.take_ready(),
            1 => self.append(),
            2 => self.apply_next(),
            _ => self.deliver(),
        })
    }

    /// Does all there is to do, which comes to an end.
    pub fn settle(&mut self) {
        for turn in 0..10_000_u32 {
            if !self.work((turn % 4) as u8) {
                return;
            }
        }
        panic!("work makes work without end: {:?}", self.node.basic_status());
    }

    fn next_stage(&mut self) -> bool {
        self.stage = match self.stage.take() {
            None => match self.node.ready() {
                None => return false,
                Some(ready) => Some((ready, Stage::Taken)),
            },
            Some((ready, Stage::Taken)) => {
                self.write(ready.snapshot.as_ref(), &ready.entries, ready.hard_state);
                Some((ready, Stage::Written))
            }
            Some((ready, Stage::Written)) => {
                self.apply(&ready.committed_entries);
                Some((ready, Stage::Applied))
            }
            Some((ready, Stage::Applied)) => {
                self.node.advance(ready).expect("it is the outstanding one");
                None
            }
        };
        true
    }

    fn take_ready(&mut self) -> bool {
        let Some(ready) = self.node.ready() else { return false };
        self.appends.extend(ready.storage_append.map(|append| *append));
        self.applies.extend(ready.storage_apply);
        true
    }

    fn append(&mut self) -> bool {
        let Some(append) = self.appends.pop_front() else { return false };
        self.write(append.snapshot.as_ref(), &append.entries, append.hard_state);
        let own = append.responses.into_iter().filter(|message| message.to == id(1)).map(Said::Own);
        self.said.extend(own.chain(append.appended.map(Said::Appended)));
        true
    }

    fn apply_next(&mut self) -> bool {
        let Some(apply) = self.applies.pop_front() else { return false };
        self.apply(&apply.entries);
        self.said.push_back(Said::Applied(apply.into_applied()));
        true
    }

    fn deliver(&mut self) -> bool {
        match self.said.pop_front() {
            None => return false,
            // It may have left the membership meanwhile.
            Some(Said::Own(message)) => {
                let result = self.node.step(message);
                assert!(matches!(result, Ok(()) | Err(raft::StepError::PeerNotFound(_))), "its own word: {result:?}");
            }
            Some(Said::Appended(appended)) => self.node.storage_appended(appended),
            Some(Said::Applied(applied)) => self.node.storage_applied(applied),
        }
        true
    }

    fn write(&mut self, snapshot: Option<&Snapshot>, entries: &[Entry], hard_state: Option<HardState>) {
        let storage = self.node.storage_mut();
        if let Some(snapshot) = snapshot {
            storage.apply_snapshot(snapshot.clone()).expect("a snapshot to write is newer than the stored one");
            if snapshot.id.index > self.applied.id.index {
                self.applied = snapshot.clone();
            }
        }
        let storage = self.node.storage_mut();
        storage.append(entries).expect("entries to write follow the stored ones");
        if let Some(hard_state) = hard_state {
            storage.set_hard_state(hard_state);
            self.stored = hard_state;
        }
    }

    fn apply(&mut self, entries: &[Entry]) {
        for entry in entries {
            if entry.index <= self.applied.id.index {
                continue;
            }
            assert_eq!(entry.index, self.applied.id.index.next(), "entries are handed out in order");
            if let Some(change) = entry.conf_change().expect("what is committed can be read")
                && let Ok(conf_state) = self.node.apply_conf_change(&change.into_v2())
            {
                self.applied.conf_state = conf_state;
            }
            self.applied.id = entry.id();
        }
    }

    /// Takes a snapshot of what is applied, and forgets the log but for so many entries.
    pub fn compact(&mut self, kept: u64) {
        let Snapshot { id, conf_state, data } = self.applied.clone();
        let storage = self.node.storage_mut();
        if storage.create_snapshot(id.index, conf_state, data).is_ok() {
            // There may be nothing to forget.
            let _ = storage.compact(Index(id.index.0.saturating_sub(kept)));
        }
    }
}
