//! How a node comes up: for the first time, and again from what its disk kept.

use std::fmt::Display;

use bytes::Bytes;
use raft::{ConfState, Config, Entry, EntryId, HardState, Index, MemStorage, NodeId, RawNode, Snapshot, Storage, Term};

use super::driven::Driven;
use super::handling::Handling;
use super::log_file::LogFile;
use super::running::Running;
use super::writer::Writer;
use super::{Recorded, Replica, Step, Surroundings};
use crate::disk::Replaced;
use crate::invariant::{Invariant, Recovered, View, Violation};
use crate::shared::Shared;
use crate::situation::Situation;
use crate::wal::{Checkpoint, RecoveryError};
use crate::world::consensus::{CannotStart, Engine};
use crate::world::options::{ApplicationKind, Boot, Front, NodeOptions};
use crate::world::outcome::{Halt, Inapplicable, Refusal};
use crate::world::state_machine::StateMachine;

/// What a node comes up with: from its boot, or from its disk.
struct Remembered {
    hard_state: HardState,
    /// The newest snapshot in the log, and the membership that the node begins with.
    snapshot: Snapshot,
    /// The entry before the first of `entries`.
    base: EntryId,
    entries: Vec<Entry>,
    /// The newest snapshot of an application that stores its own.
    offered: Option<Snapshot>,
}

impl Remembered {
    /// What a node has before it first runs.
    fn of_boot(boot: &Boot) -> Self {
        let snapshot = match boot {
            Boot::Empty | Boot::Peers(_) => Snapshot::default(),
            Boot::Snapshot { index, conf_state } | Boot::Foreign { index, conf_state, .. } => {
                let id = EntryId::new(Term(1), *index);
                Snapshot { id, conf_state: conf_state.clone(), data: Bytes::new() }
            }
        };
        let (hard_state, entries) = match boot {
            Boot::Empty | Boot::Peers(_) | Boot::Snapshot { .. } => (HardState::default(), Vec::new()),
            Boot::Foreign { index, term, entries, commit, .. } => {
                let indices = (1..=*entries).map(|number| index.plus(number));
                let entries = indices.map(|index| Entry { term: *term, index, ..Entry::default() }).collect();
                (HardState { term: *term, vote: None, commit: *commit }, entries)
            }
        };
        Self { hard_state, base: snapshot.id, snapshot, entries, offered: None }
    }

    /// Takes in the snapshot that an application has stored by itself. What it covers is committed, and if the log does
    /// not hold that, the log begins behind it. A recorded snapshot that a received one has overtaken says nothing
    /// about the log.
    fn with_recorded(mut self, recorded: &Recorded) -> Self {
        let id = recorded.snapshot.id;
        if id.index >= self.base.index {
            self.hard_state.commit = self.hard_state.commit.max(id.index);
            if self.held(id.index) != Some(id) {
                self.hard_state.term = self.hard_state.term.max(id.term);
                self.base = id;
                self.entries.clear();
            }
            self.snapshot = Snapshot { id: self.base, conf_state: recorded.membership.clone(), data: Bytes::new() };
        }
        self.offered = Some(recorded.snapshot.clone());
        self
    }

    fn held(&self, index: Index) -> Option<EntryId> {
        match usize::try_from(index.since(self.base.index)).ok()?.checked_sub(1) {
            Some(position) => self.entries.get(position).map(Entry::id),
            None => Some(self.base),
        }
    }

    /// The snapshot from which the application is restored.
    fn newest(&self) -> &Snapshot {
        self.offered.as_ref().unwrap_or(&self.snapshot)
    }

    fn applied(&self) -> Index {
        self.newest().id.index.max(self.base.index)
    }

    /// What no log holds, where a user's gives back that: entries with a gap, or that do not belong to the snapshot.
    fn contradiction(&self) -> Option<String> {
        let Self { base, snapshot, entries, .. } = self;
        let mut expected = base.index;
        for entry in entries {
            expected = expected.next();
            if entry.index != expected {
                return Some(format!("an entry at {} where {expected} comes next", entry.index));
            }
        }
        let belongs = snapshot.id.index >= base.index && (snapshot.id == *base || snapshot.id.index <= expected);
        (!belongs)
            .then(|| format!("a log from {} to {expected} with a snapshot up to {}", base.index.next(), snapshot.id))
    }

    fn storage(&self) -> MemStorage {
        let Self { hard_state, snapshot, base, entries, offered } = self;
        let mut storage = MemStorage::from_snapshot(Snapshot { id: *base, ..snapshot.clone() });
        storage.append(entries).expect("a log without gaps was stored");
        if snapshot.id != *base {
            let Snapshot { id, conf_state, data } = snapshot.clone();
            storage.create_snapshot(id.index, conf_state, data).expect("a log is compacted only up to its snapshot");
        }
        if let Some(offered) = offered {
            storage.set_snapshot(offered.clone());
        }
        storage.set_hard_state(*hard_state);
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
        let remembered = Remembered::of_boot(boot);
        let Snapshot { conf_state: membership, .. } = &remembered.snapshot;
        let recorded = Recorded { snapshot: remembered.snapshot.clone(), membership: membership.clone() };
        let mut replica = Self {
            id,
            options: Shared::new(options.clone()),
            boot: Shared::new(boot.clone()),
            is_foreign: boot.is_foreign(),
            brought_log: around.setup.log.clone(),
            disk: Shared::default(),
            recorded: (options.application == ApplicationKind::Appender).then(|| Box::new(recorded)),
            running: None,
            view: View::default(),
        };
        let config = options.config(id, remembered.applied(), seed);
        let driven = match around.setup.engine.as_deref() {
            Some(engine) => {
                let accepted = accepts(engine, options, &config, boot);
                let started = accepted.and_then(|()| engine.start(&config, remembered.storage()));
                Driven::Other(started.map_err(|cannot| Inapplicable::Engine(id, cannot))?)
            }
            None => {
                let node =
                    RawNode::new(config, remembered.storage()).map_err(|error| Inapplicable::Config(id, error))?;
                replica.driven(bootstrapped(node, boot)?)
            }
        };
        let writer = replica.create_log(&remembered);
        replica.come_up(driven, writer, &remembered, around)?;
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
            return Err(Inapplicable::NodeUp(self.id).into());
        }
        let options = options.unwrap_or(&self.options).clone();
        let config = options.config(self.id, Index::ZERO, seed);
        config.validate().map_err(|error| Inapplicable::Config(self.id, error))?;
        if let Some(engine) = around.setup.engine.as_deref() {
            accepts(engine, &options, &config, &self.boot).map_err(|cannot| Inapplicable::Engine(self.id, cannot))?;
        }
        let (writer, remembered) = match self.recover(around) {
            Ok(recovered) => recovered,
            Err(error) => {
                let damaged = matches!(error, RecoveryError::Corruption { .. });
                around.statistics.situations.note_if(damaged, Situation::CorruptionFound);
                return self.stay_down(error);
            }
        };
        if let Some(found) = remembered.contradiction() {
            let detail = format!(
                "node {} reads back from its disk {found}; expected what was written, or nothing where it is damaged",
                self.id
            );
            return Err(Violation::new(Invariant::DurableBeforeSend, &[self.id], detail).into());
        }
        self.options = Shared::new(options);
        let config = self.options.config(self.id, remembered.applied(), seed);
        let driven = match around.setup.engine.as_deref() {
            Some(engine) => self.rebuild_by(engine, &config, &remembered)?,
            None => self.driven(self.rebuild(config, &remembered)?),
        };
        self.come_up(driven, writer, &remembered, around)?;
        Ok(None)
    }

    /// A crash alone never makes a log unreadable: where nothing damaged the disk, its host lost what was durable.
    fn stay_down(&self, error: RecoveryError) -> Step {
        match error {
            RecoveryError::Corruption { .. } | RecoveryError::Missing if !self.disk.was_damaged() => {
                let detail = format!(
                    "node {} cannot read its log: {error}; expected it to be readable, since nothing damaged its disk",
                    self.id
                );
                Err(Violation::new(Invariant::DurableBeforeSend, &[self.id], detail).into())
            }
            _ => Ok(Some(Refusal::Recovery(error))),
        }
    }

    fn recover(&mut self, around: &mut Surroundings<'_>) -> Result<(Writer, Remembered), RecoveryError> {
        if self.disk.replaced() == Some(Replaced::Empty) && self.disk.used() == 0 {
            let remembered = Remembered::of_boot(&self.boot);
            return Ok((self.create_log(&remembered), remembered));
        }
        let shows = self.disk.shows_what_it_forgot();
        around.statistics.situations.note_if(shows, Situation::ForgottenSyncShown);
        let (writer, recovered) = Writer::open(self.brought_log.as_ref(), &mut self.disk)?;
        around.statistics.bytes_cut += recovered.cut;
        around.statistics.situations.note_if(recovered.cut > 0, Situation::TornTailCut);
        let remembered = Remembered {
            hard_state: recovered.hard_state,
            snapshot: recovered.snapshot.unwrap_or_default(),
            base: recovered.base,
            entries: recovered.entries,
            offered: None,
        };
        let remembered = match &self.recorded {
            Some(recorded) => remembered.with_recorded(recorded),
            None => remembered,
        };
        if self.never_began(&remembered) {
            // Its first entries did not become durable, so it has promised nothing: it begins again.
            self.disk = Shared::default();
            let remembered = Remembered::of_boot(&self.boot);
            return Ok((self.create_log(&remembered), remembered));
        }
        Ok((writer, remembered))
    }

    /// Whether it was to write its first members into its log, and lost the first Ready, which says that they are
    /// committed.
    fn never_began(&self, remembered: &Remembered) -> bool {
        match &*self.boot {
            Boot::Peers(_) => remembered.hard_state.commit == Index::ZERO,
            Boot::Empty | Boot::Snapshot { .. } | Boot::Foreign { .. } => false,
        }
    }

    fn create_log(&mut self, remembered: &Remembered) -> Writer {
        let Remembered { hard_state, snapshot, base, entries, offered: _ } = remembered;
        let snapshot = Some(snapshot).filter(|snapshot| snapshot.id != EntryId::ZERO);
        let checkpoint = Checkpoint { hard_state: *hard_state, snapshot, base: *base, entries };
        Writer::create(self.brought_log.as_ref(), &mut self.disk, checkpoint).expect("a new disk is empty and works")
    }

    /// The node from what it remembers. Where that contradicts itself, what was durable has been lost.
    fn rebuild(&self, config: Config, remembered: &Remembered) -> Result<RawNode<MemStorage>, Halt> {
        let node = RawNode::new(config, remembered.storage()).map_err(|error| self.cannot_start(&error, remembered))?;
        let first_start = self.never_began(remembered);
        if first_start { bootstrapped(node, &self.boot) } else { Ok(node) }
    }

    /// The project's own node, and what runs it.
    fn driven(&self, node: RawNode<MemStorage>) -> Driven {
        match self.options.front {
            Front::Raw => Driven::new(node, None),
            Front::Loop(limits) => Driven::new(node, Some(limits)),
        }
    }

    /// A node of another engine from what it remembers.
    fn rebuild_by(&self, engine: &dyn Engine, config: &Config, remembered: &Remembered) -> Result<Driven, Halt> {
        let started = engine.start(config, remembered.storage());
        Ok(started.map(Driven::Other).map_err(|cannot| self.cannot_start(&cannot, remembered))?)
    }

    /// Where what a node remembers contradicts itself, what was durable has been lost.
    fn cannot_start(&self, error: &impl Display, remembered: &Remembered) -> Violation {
        let HardState { term, commit, .. } = remembered.hard_state;
        let detail = format!(
            "node {} cannot start from what it stored, term {term}, commit index {commit} and a log from {} to {}: \
             {error}; expected it to start from what was durable",
            self.id,
            remembered.base.index.next(),
            remembered.storage().last_index()
        );
        Violation::new(Invariant::DurableBeforeSend, &[self.id], detail)
    }

    fn come_up(
        &mut self,
        driven: Driven,
        writer: Writer,
        remembered: &Remembered,
        around: &mut Surroundings<'_>,
    ) -> Result<(), Halt> {
        let node = driven.seen();
        let configuration: ConfState = node.configuration().conf_state();
        let recovered = Recovered {
            hard_state: remembered.hard_state,
            compacted: remembered.base,
            entries: &remembered.entries,
            snapshot: remembered.newest().id,
            applied: remembered.applied(),
            configuration: &configuration,
        };
        self.view = node.status().view;
        around.checkers.started(self.id, node.config(), &recovered, &self.view)?;
        let handling = Handling::new(self.options.async_storage_writes);
        let state_machine = StateMachine::restore(self.options.application, around.setup, remembered.newest());
        around.checkers.state(self.id, state_machine.applied().index, state_machine.hash())?;
        self.running = Some(Box::new(Running { driven, log: LogFile::new(writer), state_machine, handling }));
        Ok(())
    }
}

/// Whether an engine can run a node like this.
fn accepts(engine: &dyn Engine, options: &NodeOptions, config: &Config, boot: &Boot) -> Result<(), CannotStart> {
    let lacks = |option| Err(CannotStart::Option { engine: engine.name(), option });
    match boot {
        _ if !options.front.is_raw() => lacks("run loop"),
        Boot::Peers(_) if !engine.supports().bootstrap => lacks("clusters whose first entries say who is in them"),
        _ => engine.accepts(config),
    }
}

fn bootstrapped(mut node: RawNode<MemStorage>, boot: &Boot) -> Result<RawNode<MemStorage>, Halt> {
    if let Boot::Peers(peers) = boot {
        let id = node.id();
        let peers: Vec<(NodeId, Bytes)> = peers.iter().map(|peer| (*peer, Bytes::new())).collect();
        node.bootstrap(&peers).map_err(|error| Inapplicable::Boot(id, error))?;
    }
    Ok(node)
}
