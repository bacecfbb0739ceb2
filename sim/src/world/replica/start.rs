//! How a node comes up: for the first time, and again from what its disk kept.

use bytes::Bytes;
use raft::{ConfState, Config, Entry, EntryId, HardState, Index, MemStorage, NodeId, RawNode, Snapshot, Storage, Term};

use super::handling::Handling;
use super::log_file::LogFile;
use super::running::{Running, view};
use super::{Replica, Step, Surroundings};
use crate::disk::Disk;
use crate::invariant::{Invariant, Recovered, View, Violation};
use crate::wal::{Checkpoint, RecoveryError, Wal};
use crate::world::application::Application;
use crate::world::options::{Boot, NodeOptions};
use crate::world::outcome::{Halt, Misfit, Refusal};

/// What a node comes up with: from its boot, or from its disk.
struct Remembered {
    hard_state: HardState,
    snapshot: Snapshot,
    /// The entry before the first of `entries`.
    base: EntryId,
    entries: Vec<Entry>,
}

impl Remembered {
    /// What a node has that never ran.
    fn of_boot(boot: &Boot) -> Self {
        let snapshot = match boot {
            Boot::Empty | Boot::Peers(_) => Snapshot::default(),
            Boot::Snapshot { index, conf_state } => {
                Snapshot { id: EntryId::new(Term(1), *index), conf_state: conf_state.clone(), data: Bytes::new() }
            }
        };
        Self { hard_state: HardState::default(), base: snapshot.id, snapshot, entries: Vec::new() }
    }

    /// Takes in the snapshot that an application has stored by itself: what it covers is committed.
    fn with_recorded(mut self, recorded: Option<&Snapshot>) -> Self {
        let Some(recorded) = recorded.filter(|recorded| recorded.id.index >= self.snapshot.id.index) else {
            return self;
        };
        self.snapshot = recorded.clone();
        self.hard_state.commit = self.hard_state.commit.max(recorded.id.index);
        self.hard_state.term = self.hard_state.term.max(recorded.id.term);
        let position = recorded.id.index.since(self.base.index);
        let held = match usize::try_from(position).ok().and_then(|position| position.checked_sub(1)) {
            Some(position) => self.entries.get(position).map(Entry::id),
            None => Some(self.base),
        };
        if held != Some(recorded.id) {
            self.base = recorded.id;
            self.entries.clear();
        }
        self
    }

    fn storage(&self) -> MemStorage {
        let base = Snapshot { id: self.base, ..Snapshot::default() };
        let mut storage = MemStorage::from_snapshot(base);
        storage.append(&self.entries).expect("a log without gaps was stored");
        storage.set_snapshot(self.snapshot.clone());
        storage.set_hard_state(self.hard_state);
        storage
    }
}

impl Replica {
    /// Starts a node for the first time.
    pub(in crate::world) fn start(
        id: NodeId,
        boot: &Boot,
        options: &NodeOptions,
        seed: Option<u64>,
        around: &mut Surroundings<'_>,
    ) -> Result<Self, Halt> {
        let mut replica = Self {
            id,
            options: options.clone(),
            boot: boot.clone(),
            disk: Disk::default(),
            recorded: None,
            running: None,
            view: View::default(),
        };
        let remembered = Remembered::of_boot(boot);
        let config = options.config(id, remembered.snapshot.id.index, seed);
        let node = RawNode::new(config, remembered.storage()).map_err(|error| Misfit::Config(id, error))?;
        let node = bootstrapped(node, boot)?;
        let wal = replica.create_log(&remembered);
        replica.come_up(node, wal, &remembered, around)?;
        Ok(replica)
    }

    /// Starts the node again, from what its disk kept.
    pub(in crate::world) fn restart(
        &mut self,
        options: Option<&NodeOptions>,
        seed: Option<u64>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        if self.is_up() {
            return Err(Misfit::NodeUp(self.id).into());
        }
        let options = options.unwrap_or(&self.options).clone();
        options.config(self.id, Index::ZERO, seed).validate().map_err(|error| Misfit::Config(self.id, error))?;
        let (wal, remembered) = match self.recover(around) {
            Ok(recovered) => recovered,
            Err(error) => return Ok(Some(Refusal::Recovery(error))),
        };
        self.options = options;
        let config = self.options.config(self.id, remembered.snapshot.id.index, seed);
        let node = self.rebuild(config, &remembered)?;
        self.come_up(node, wal, &remembered, around)?;
        Ok(None)
    }

    fn recover(&mut self, around: &mut Surroundings<'_>) -> Result<(Wal, Remembered), RecoveryError> {
        let (wal, recovered) = Wal::open(&mut self.disk)?;
        around.statistics.bytes_cut += recovered.cut;
        let remembered = Remembered {
            hard_state: recovered.hard_state,
            snapshot: recovered.snapshot.unwrap_or_default(),
            base: recovered.base,
            entries: recovered.entries,
        };
        let remembered = remembered.with_recorded(self.recorded.as_ref());
        if self.never_began(&remembered) {
            // Its first entries did not become durable, so it has promised nothing: it begins again.
            self.disk = Disk::default();
            let remembered = Remembered::of_boot(&self.boot);
            return Ok((self.create_log(&remembered), remembered));
        }
        Ok((wal, remembered))
    }

    /// Whether it was to write its first members into its log, and the first Ready, which says that they are committed,
    /// was lost.
    fn never_began(&self, remembered: &Remembered) -> bool {
        match &self.boot {
            Boot::Peers(_) => remembered.hard_state.commit == Index::ZERO,
            Boot::Empty | Boot::Snapshot { .. } => false,
        }
    }

    fn create_log(&mut self, remembered: &Remembered) -> Wal {
        let Remembered { hard_state, snapshot, base, entries } = remembered;
        let snapshot = Some(snapshot).filter(|snapshot| snapshot.id != EntryId::ZERO);
        let checkpoint = Checkpoint { hard_state: *hard_state, snapshot, base: *base, entries };
        Wal::create(&mut self.disk, checkpoint).expect("a new disk is empty and works")
    }

    /// The node from what it remembers. Where that contradicts itself, what was durable has been lost.
    fn rebuild(&self, config: Config, remembered: &Remembered) -> Result<RawNode<MemStorage>, Halt> {
        let storage = remembered.storage();
        let last = storage.last_index();
        let node = RawNode::new(config, storage).map_err(|error| {
            let HardState { term, commit, .. } = remembered.hard_state;
            let found = format!("term {term}, commit {commit}, log ({}, {last}]", remembered.base.index);
            let detail = format!("node {} cannot start from what it stored: {error}; {found}", self.id);
            Violation::new(Invariant::DurableBeforeSend, &[self.id], detail)
        })?;
        let first_start = self.never_began(remembered);
        if first_start { bootstrapped(node, &self.boot) } else { Ok(node) }
    }

    fn come_up(
        &mut self,
        node: RawNode<MemStorage>,
        wal: Wal,
        remembered: &Remembered,
        around: &mut Surroundings<'_>,
    ) -> Result<(), Halt> {
        let configuration: ConfState = node.configuration().conf_state();
        let recovered = Recovered {
            hard_state: remembered.hard_state,
            compacted: remembered.base,
            entries: &remembered.entries,
            snapshot: remembered.snapshot.id,
            applied: remembered.snapshot.id.index,
            configuration: &configuration,
        };
        self.view = view(&node);
        around.checkers.started(self.id, node.config(), &recovered, &self.view)?;
        let handling = Handling::new(self.options.async_storage_writes);
        let application = Application::restore(self.options.application, &remembered.snapshot);
        self.running = Some(Box::new(Running { node, log: LogFile::new(wal), application, handling }));
        Ok(())
    }
}

fn bootstrapped(mut node: RawNode<MemStorage>, boot: &Boot) -> Result<RawNode<MemStorage>, Halt> {
    if let Boot::Peers(peers) = boot {
        let id = node.id();
        let peers: Vec<(NodeId, Bytes)> = peers.iter().map(|peer| (*peer, Bytes::new())).collect();
        node.bootstrap(&peers).map_err(|error| Misfit::Boot(id, error))?;
    }
    Ok(node)
}
