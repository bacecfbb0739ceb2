//! The host of the node: its storage, and the Readys and storage work in hand.

use std::collections::VecDeque;

use raft::{
    ChangeError, Config, Entry, EntryId, HardState, Index, MemStorage, RawNode, Ready, Snapshot, Storage,
    StorageAppend, StorageAppended, StorageApplied, StorageApply,
};

use super::door::Door;
use super::watch::Watch;

/// Does what the node's Readys ask for, a stage at a time.
#[derive(Clone, Debug)]
pub(super) struct Host {
    handling: Handling,
    /// The last entry that the application has applied, and the membership after it.
    applied: Snapshot,
    /// The term, vote and commit that are stored.
    stored: HardState,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one")]
enum Handling {
    /// With synchronous writes, one after another.
    OneByOne(Stage),
    /// With asynchronous writes, the queues of the two threads, and of what the threads have to tell the node.
    Threads { appends: VecDeque<StorageAppend>, applies: VecDeque<StorageApply>, said: VecDeque<Said> },
}

#[derive(Clone, Debug)]
enum Stage {
    Idle,
    Taken(Ready),
    Written(Ready),
    Applied(Ready),
}

/// What a storage thread tells the node.
#[derive(Clone, Debug)]
enum Said {
    Own(raft::Message),
    Appended(StorageAppended),
    Applied(StorageApplied),
}

impl Host {
    pub(super) fn new(node: &RawNode<MemStorage>) -> Self {
        let handling = match node.config().async_storage_writes {
            false => Handling::OneByOne(Stage::Idle),
            true => Handling::Threads { appends: VecDeque::new(), applies: VecDeque::new(), said: VecDeque::new() },
        };
        let applied = node.storage().snapshot().expect("a storage in memory has one");
        Self { handling, applied, stored: node.storage().hard_state() }
    }

    /// Does the next thing; `which` says what where there is a choice. Returns whether anything was to be done.
    pub(super) fn work(&mut self, which: u8, door: &mut impl Door, watch: &mut Watch) -> bool {
        match &mut self.handling {
            Handling::OneByOne(stage) => {
                let stage = std::mem::replace(stage, Stage::Idle);
                self.next_stage(stage, door, watch)
            }
            Handling::Threads { .. } => {
                (0..4).any(|turn| self.thread_work((which.wrapping_add(turn)) % 4, door, watch))
            }
        }
    }

    fn next_stage(&mut self, stage: Stage, door: &mut impl Door, watch: &mut Watch) -> bool {
        let next = match stage {
            Stage::Idle => {
                let Some(ready) = door.ready() else { return false };
                watch.taken(&ready);
                Stage::Taken(ready)
            }
            Stage::Taken(ready) => {
                self.write(door, ready.hard_state, ready.snapshot.as_ref(), &ready.entries);
                ready.messages.iter().for_each(|message| watch.sent(message));
                Stage::Written(ready)
            }
            Stage::Written(ready) => {
                self.restore(ready.snapshot.as_ref());
                self.apply(door, &ready.committed_entries);
                Stage::Applied(ready)
            }
            Stage::Applied(ready) => {
                door.advance(ready);
                Stage::Idle
            }
        };
        self.handling = Handling::OneByOne(next);
        true
    }

    fn thread_work(&mut self, which: u8, door: &mut impl Door, watch: &mut Watch) -> bool {
        match which {
            0 => self.take_ready(door, watch),
            1 => self.append(door, watch),
            2 => self.apply_next(door),
            _ => self.deliver(door),
        }
    }

    fn take_ready(&mut self, door: &mut impl Door, watch: &mut Watch) -> bool {
        let Handling::Threads { appends, applies, .. } = &mut self.handling else { return false };
        let Some(ready) = door.ready() else { return false };
        watch.taken(&ready);
        ready.messages.iter().for_each(|message| watch.sent(message));
        appends.extend(ready.storage_append.map(|append| *append));
        applies.extend(ready.storage_apply);
        true
    }

    fn append(&mut self, door: &mut impl Door, watch: &mut Watch) -> bool {
        let id = door.look(RawNode::id);
        let Handling::Threads { appends, said, .. } = &mut self.handling else { return false };
        let Some(append) = appends.pop_front() else { return false };
        let own = append.responses.iter().filter(|message| message.to == id).cloned().map(Said::Own);
        said.extend(own.chain(append.appended.clone().map(Said::Appended)));
        self.write(door, append.hard_state, append.snapshot.as_ref(), &append.entries);
        self.restore(append.snapshot.as_ref());
        append.responses.iter().for_each(|message| watch.sent(message));
        true
    }

    fn apply_next(&mut self, door: &mut impl Door) -> bool {
        let Handling::Threads { applies, said, .. } = &mut self.handling else { return false };
        let Some(apply) = applies.pop_front() else { return false };
        let entries = apply.entries.clone();
        said.push_back(Said::Applied(apply.into_applied()));
        self.apply(door, &entries);
        true
    }

    fn deliver(&mut self, door: &mut impl Door) -> bool {
        let Handling::Threads { said, .. } = &mut self.handling else { return false };
        match said.pop_front() {
            None => return false,
            Some(Said::Own(message)) => door.own(message),
            Some(Said::Appended(appended)) => door.storage_appended(appended),
            Some(Said::Applied(applied)) => door.storage_applied(applied),
        }
        true
    }

    fn write(
        &mut self,
        door: &mut impl Door,
        hard_state: Option<HardState>,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
    ) {
        door.with_storage(|storage| {
            if let Some(snapshot) = snapshot {
                storage.apply_snapshot(snapshot.clone()).expect("a snapshot to restore is newer than the stored one");
            }
            storage.append(entries).expect("entries to write follow the stored ones");
            hard_state.into_iter().for_each(|hard_state| storage.set_hard_state(hard_state));
        });
        self.stored = hard_state.unwrap_or(self.stored);
    }

    fn restore(&mut self, snapshot: Option<&Snapshot>) {
        if let Some(snapshot) = snapshot.filter(|snapshot| snapshot.id.index > self.applied.id.index) {
            self.applied = snapshot.clone();
        }
    }

    fn apply(&mut self, door: &mut impl Door, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.index > self.applied.id.index).cloned().collect::<Vec<_>>() {
            // A change that does not decode, or is not allowed, is skipped.
            let change = entry.conf_change().ok().flatten();
            match change.map(|change| door.apply_conf_change(entry.index, change.into_v2())) {
                Some(Ok(conf_state)) => self.applied.conf_state = conf_state,
                // A snapshot that replaces this entry and all after it comes with the next Ready.
                Some(Err(ChangeError::Overtaken)) => return,
                Some(Err(_)) | None => {}
            }
            self.applied.id = entry.id();
        }
    }

    /// Takes a snapshot of what is applied, and compacts the log up to `kept` entries before it, but not beyond what
    /// the node was told is applied.
    pub(super) fn compact(&self, kept: u8, door: &mut impl Door) {
        let Snapshot { id, conf_state, data } = self.applied.clone();
        let told = door.look(|node| node.basic_status().applied);
        door.with_storage(|storage| {
            if storage.create_snapshot(id.index, conf_state, data).is_ok() {
                let through = Index(id.index.0.saturating_sub(u64::from(kept))).min(told);
                // There may be nothing to forget.
                let _ = storage.compact(through);
            }
        });
    }

    /// The node comes up again with what is stored, and with what is applied up to the newest snapshot.
    pub(super) fn restart(
        &mut self,
        config: Config,
        node: &RawNode<MemStorage>,
        watch: &mut Watch,
    ) -> RawNode<MemStorage> {
        let mut storage = node.storage().clone();
        let snapshot = storage.snapshot().expect("a storage in memory has one");
        // Snapshots are of applied entries, and may be stored before the commit index that covers them.
        self.stored.commit = self.stored.commit.max(snapshot.id.index);
        storage.set_hard_state(self.stored);
        let last = storage.last_index();
        let last = EntryId::new(storage.term(last).expect("the last entry has a term"), last);
        let applied = snapshot.id.index;
        let node = RawNode::new(Config { applied, ..config }, storage).expect("it ran with these before");
        watch.restarted(&node, self.stored, last);
        *self = Self::new(&node);
        node
    }
}
