//! A node that is up: everything about it that a crash loses.

use raft::{
    ChangeError, ConfChangeV2, ConfState, Configuration, Entry, EntryKind, HardState, Index, MemStorage, NodeId,
    RawNode, Ready, Snapshot, Storage, StorageAppend, StorageApplied, StorageApply,
};

use super::engine::Engine;
use super::handling::{Append, Handling, InHand, Threads};
use super::log_file::LogFile;
use super::to_do::{AtWork, ToDo};
use super::writing::{Written, cache};
use super::{Recorded, Step, Surroundings, put_in_flight};
use crate::disk::Disk;
use crate::history::Command;
use crate::invariant::{Check, View};
use crate::planted::{Bug, planted};
use crate::situation::Situation;
use crate::wal::{DiskError, Write};
use crate::world::application::Application;
use crate::world::coverage::membership_changed;
use crate::world::key_value::Effect;
use crate::world::network::{Envelope, LocalMessage};
use crate::world::outcome::{Halt, Inapplicable, Refusal};

/// A raft node and its host.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) engine: Engine,
    pub(super) log: LogFile,
    pub(super) application: Application,
    pub(super) handling: Handling,
}

/// The disk's answer, where the event fits at all.
type OnDisk = Result<Result<(), DiskError>, Halt>;

impl Running {
    /// The node's identity.
    pub(super) fn id(&self) -> NodeId {
        self.node().id()
    }

    /// The raft node.
    pub(super) fn node(&self) -> &RawNode<MemStorage> {
        self.engine.node()
    }

    /// What of the work for this node fits now.
    pub(super) fn to_do(&self) -> ToDo {
        let storage = ToDo {
            ready: self.wants_ready(),
            take: self.engine.looped().is_some_and(|looped| looped.run_loop.available().next().is_some()),
            write: self.log.has_compaction_to_write() || self.handling.has_records(),
            sync: self.log.needs_sync(),
            sync_done: self.log.is_syncing(),
            ..ToDo::default()
        };
        let to_do = self.handling.add_to(storage);
        ToDo { apply: to_do.apply && !self.engine.is_changing(), ..to_do }
    }

    /// Whether its host is in the middle of something.
    pub(super) fn at_work(&self) -> AtWork {
        AtWork { between_writes: self.handling.is_between_writes(), compacting: self.log.is_compacting() }
    }

    pub(super) fn not_now(&self, why: &'static str) -> Inapplicable {
        Inapplicable::NotNow(self.id(), why)
    }

    pub(super) fn view(&self) -> View {
        view(self.node())
    }

    pub(super) fn is_at_work(&self) -> bool {
        self.handling.is_at_work() || self.log.is_compacting()
    }

    pub(super) fn last_ready(&self) -> Option<&Ready> {
        match &self.handling {
            Handling::OneByOne(in_hand) => in_hand.as_ref().map(|in_hand| &in_hand.ready),
            Handling::Threads(threads) => threads.unsent.last(),
        }
    }

    fn threads(&self) -> Option<&Threads> {
        match &self.handling {
            Handling::OneByOne(_) => None,
            Handling::Threads(threads) => Some(threads),
        }
    }

    pub(super) fn appends(&self) -> impl Iterator<Item = &StorageAppend> {
        self.threads().into_iter().flat_map(|threads| threads.appends.iter().map(|append| &append.work))
    }

    pub(super) fn applies(&self) -> impl Iterator<Item = &StorageApply> {
        self.threads().into_iter().flat_map(|threads| &threads.applies)
    }

    /// Takes a Ready, or asks the loop for one. `view` is how the node shows itself.
    pub(super) fn take_ready(&mut self, view: &mut View, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        match &mut self.engine {
            Engine::Raw(node) => {
                let ready = node.ready().ok_or_else(|| self.not_now("has no Ready"))?;
                self.handle(ready, view, around)
            }
            Engine::Loop(looped) if looped.asked => Err(self.not_now("waits for a Ready already").into()),
            Engine::Loop(looped) => {
                looped.request_ready();
                Ok(())
            }
        }
    }

    /// Begins to do what a Ready asks for.
    pub(super) fn handle(&mut self, ready: Ready, shown: &mut View, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        let (id, view) = (self.id(), self.view());
        let restored = ready.snapshot.as_ref().map(|snapshot| (snapshot, self.node().configuration().conf_state()));
        let restored = restored.as_ref().map(|(snapshot, configuration)| (*snapshot, configuration));
        around.checkers.handed_out(id, restored, &ready.entries, &view)?;
        around.checkers.goes_by(id, self.node().configuration())?;
        around.checkers.hands_out(id, &ready.messages);
        around.checkers.to_apply(id, &ready.committed_entries)?;
        around.statistics.reads += ready.read_states.len() as u64;
        for read in &ready.read_states {
            around.checkers.read_ready(id, read, around.stale_reads_excused)?;
            around.clients.read_ready(id, read);
        }
        self.answer_reads(around)?;
        self.take_in_hand(ready);
        self.settle(around)?;
        *shown = view;
        Ok(())
    }

    /// Whether there is a Ready to take, or to be asked for.
    pub(super) fn wants_ready(&self) -> bool {
        match &self.engine {
            Engine::Raw(node) => node.has_ready(),
            Engine::Loop(looped) => !looped.asked,
        }
    }

    fn take_in_hand(&mut self, mut ready: Ready) {
        match &mut self.handling {
            Handling::OneByOne(in_hand) => *in_hand = Some(InHand::new(ready)),
            Handling::Threads(threads) => {
                let work = ready.storage_append.take();
                let append = |work| Append { work, written: Written::default(), persisted: false };
                threads.appends.extend(work.map(append));
                threads.applies.extend(ready.storage_apply.take());
                threads.unsent.retain(|earlier| !earlier.messages.is_empty());
                threads.unsent.push(ready);
            }
        }
    }

    fn settle(&mut self, around: &mut Surroundings<'_>) -> Check {
        let id = self.id();
        self.handling.settle(id, &mut self.log, around.checkers)
    }

    pub(super) fn write(&mut self, disk: &mut Disk, around: &mut Surroundings<'_>) -> OnDisk {
        if self.log.has_compaction_to_write() {
            return Ok(self.log.write_compaction(disk));
        }
        let Some((record, written)) = self.handling.next_record() else {
            return Err(self.not_now("has nothing to write").into());
        };
        if planted(Bug::TermVoteNonatomic)
            && let Some(vote) = vote_alone(record, self.engine.node().storage().hard_state())
        {
            cache(self.engine.storage_mut(), vote);
            return Ok(self.log.write(disk, vote).map(drop));
        }
        match self.log.write(disk, record) {
            Ok(count) => {
                cache(self.engine.storage_mut(), record);
                *written = Written { records: written.records + 1, count };
                if let Write::Entry(entry) = record {
                    let index = entry.index;
                    around.checkers.shows(self.node().id(), index, self.node().entry_term(index))?;
                }
            }
            Err(error) => return Ok(Err(error)),
        }
        self.settle(around)?;
        Ok(Ok(()))
    }

    pub(super) fn begin_sync(&mut self, disk: &mut Disk) -> OnDisk {
        if !self.log.needs_sync() {
            return Err(self.not_now("has nothing to sync").into());
        }
        Ok(self.log.begin_sync(disk))
    }

    pub(super) fn complete_sync(&mut self, disk: &mut Disk, around: &mut Surroundings<'_>) -> OnDisk {
        if !self.log.is_syncing() {
            return Err(self.not_now("has no fsync under way").into());
        }
        let compacted = match self.log.complete_sync(disk) {
            Ok(compacted) => compacted,
            Err(error) => return Ok(Err(error)),
        };
        around.statistics.syncs += 1;
        self.settle(around)?;
        if let Some(compacted) = compacted {
            around.statistics.compactions += 1;
            around.checkers.snapshot_persisted(self.id(), compacted.snapshot);
            // Where a snapshot from the leader has replaced the log meanwhile, there is nothing left to forget.
            if self.engine.storage_mut().compact(compacted.through).is_ok() {
                around.checkers.compacted(self.id(), compacted.through)?;
            }
        }
        Ok(Ok(()))
    }

    pub(super) fn release(&mut self, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        let id = self.id();
        let work = match &mut self.handling {
            Handling::OneByOne(_) => None,
            Handling::Threads(threads) => threads.appends.pop_front_if(|append| append.persisted),
        };
        let Append { work, .. } = work.ok_or_else(|| self.not_now("has no append that is done"))?;
        if let Some(snapshot) = &work.snapshot {
            self.restore(snapshot, around)?;
        }
        for response in work.responses {
            put_in_flight(response, around)?;
        }
        if let Some(appended) = work.appended {
            around.statistics.messages += 1;
            around.network.put(Envelope::Local { node: id, message: LocalMessage::Appended(appended) });
        }
        Ok(())
    }

    pub(super) fn send(&mut self, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        let why_not = "has nothing that may be sent";
        match &mut self.handling {
            Handling::OneByOne(Some(one)) if one.persisted && !one.sent => {
                one.sent = true;
                for message in std::mem::take(&mut one.ready.messages) {
                    put_in_flight(message, around)?;
                }
                Ok(())
            }
            Handling::Threads(threads) if threads.unsent.iter().any(|ready| !ready.messages.is_empty()) => {
                for ready in &mut threads.unsent {
                    for message in std::mem::take(&mut ready.messages) {
                        put_in_flight(message, around)?;
                    }
                }
                Ok(())
            }
            Handling::OneByOne(_) | Handling::Threads(_) => Err(self.not_now(why_not).into()),
        }
    }

    /// Restores the application, or applies at most so many entries, and at least one. `recorded` is where an
    /// application that stores its own snapshots does so.
    pub(super) fn apply(
        &mut self,
        at_most: u32,
        recorded: &mut Option<Recorded>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        if let Handling::OneByOne(Some(one)) = &mut self.handling
            && one.persisted
            && let Some(snapshot) = one.snapshot_to_restore().cloned()
        {
            one.restored = true;
            self.restore(&snapshot, around)?;
            return Ok(None);
        }
        if self.engine.is_changing() {
            return Err(self.not_now("waits for the answer to a membership change").into());
        }
        if self.handling.next_entry().is_none() {
            return Err(self.not_now("has nothing to apply").into());
        }
        let refused = self.apply_entries(at_most.max(1), recorded, around)?;
        self.applied_some(around)?;
        Ok(refused)
    }

    /// After some entries are applied.
    pub(super) fn applied_some(&mut self, around: &mut Surroundings<'_>) -> Check {
        let (id, applied) = (self.id(), self.application.applied());
        around.checkers.state(id, applied.index, self.application.hash())?;
        self.answer_reads(around)?;
        self.finish_apply(around);
        Ok(())
    }

    fn apply_entries(&mut self, at_most: u32, recorded: &mut Option<Recorded>, around: &mut Surroundings<'_>) -> Step {
        let mut refused = None;
        for _ in 0..at_most {
            let Some(entry) = self.handling.next_entry() else { break };
            // A snapshot may have overtaken what waits in the apply thread's queue.
            if entry.index > self.application.applied().index {
                let entry = entry.clone();
                if self.ask_to_change(&entry) {
                    break;
                }
                refused = self.apply_entry(&entry, around)?.or(refused);
                self.record_snapshot(recorded);
            }
            self.handling.count_applied();
        }
        Ok(refused)
    }

    /// Lets an application that stores its own snapshots do so.
    pub(super) fn record_snapshot(&mut self, recorded: &mut Option<Recorded>) {
        if self.application.records_snapshots() {
            let snapshot = self.application.snapshot();
            let storage = self.engine.storage_mut();
            storage.set_snapshot(snapshot.clone());
            let (_, membership) = storage.initial_state().expect("memory can be read");
            *recorded = Some(Recorded { snapshot, membership });
        }
    }

    fn apply_entry(&mut self, entry: &Entry, around: &mut Surroundings<'_>) -> Step {
        let changed = match entry.conf_change() {
            Ok(None) => None,
            Ok(Some(change)) => Some(self.apply_conf_change(entry.index, &change.into_v2()).map_err(Refusal::Change)),
            // No leader proposes what does not decode, but a follower takes entries as they come.
            Err(error) => Some(Err(Refusal::Undecodable(error))),
        };
        self.complete_entry(entry, changed, around)
    }

    /// Applies an entry, after the node was told of the membership change in it, if it holds one, and answered this.
    pub(super) fn complete_entry(
        &mut self,
        entry: &Entry,
        changed: Option<Result<ConfState, Refusal>>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        let id = self.id();
        around.checkers.applied(id, entry)?;
        around.statistics.applied += 1;
        let refused_change = entry.kind == EntryKind::RefusedConfChange;
        around.statistics.situations.note_if(refused_change, Situation::ChangeRefused);
        let refused = match changed {
            None => None,
            Some(Ok(conf_state)) => {
                around.statistics.conf_change(self.application.conf_state(), &conf_state);
                let situations = &mut around.statistics.situations;
                membership_changed(
                    situations,
                    self.engine.node(),
                    entry.index,
                    self.application.conf_state(),
                    &conf_state,
                );
                if let Ok(Some(change)) = entry.conf_change() {
                    around.checkers.change_applied(id, entry.index, &change.into_v2(), &conf_state)?;
                }
                around.checkers.configuration_applied(id, entry.index, &conf_state)?;
                // A leader may have committed more by it, and must not be judged by the next change.
                around.checkers.observed(id, &self.view())?;
                if planted(Bug::SnapshotConfstateLatest)
                    && let Ok(snapshot) = self.node().storage().snapshot()
                {
                    let conf_state = conf_state.clone();
                    self.engine.storage_mut().set_snapshot(Snapshot { conf_state, ..snapshot });
                }
                self.application.set_conf_state(conf_state);
                None
            }
            Some(Err(refusal)) => {
                around.statistics.conf_changes_skipped += 1;
                Some(refusal)
            }
        };
        self.execute(entry, around)?;
        Ok(refused)
    }

    /// Lets the application do what a client commands, if the entry holds that.
    fn execute(&mut self, entry: &Entry, around: &mut Surroundings<'_>) -> Check {
        let id = self.id();
        let command = self.application.command(entry);
        let effect = self.application.apply(entry, command.as_ref());
        match (&command, effect) {
            (_, Effect::NoCommand) => {}
            (_, Effect::Repeated(_)) => around.statistics.repeated += 1,
            (None, Effect::Executed(_)) => {}
            (Some(Command { client, sequence, .. }), Effect::Executed(_)) => {
                around.statistics.executed += 1;
                around.checkers.executed(id, entry.index, *client, *sequence)?;
            }
        }
        let (clients, mut now) = around.clients();
        clients.applied(id, entry.index, command.as_ref(), effect, &mut now)
    }

    fn answer_reads(&self, around: &mut Surroundings<'_>) -> Check {
        let (clients, mut now) = around.clients();
        clients.answer_reads(self.node().id(), &self.application, &mut now)
    }

    /// Tells the node of an applied membership change, unless it has gone beyond it: a snapshot that arrived while the
    /// entry waited to be applied has brought a later membership, and forgotten the entry. To apply the change to that
    /// one would be wrong, and nothing in the interface of etcd's node keeps its host from doing so.
    fn apply_conf_change(&mut self, index: Index, change: &ConfChangeV2) -> Result<ConfState, ChangeError> {
        match &mut self.engine {
            Engine::Raw(node) if index >= node.basic_status().first_index => node.apply_conf_change(change),
            Engine::Raw(_) | Engine::Loop(_) => self.change_overtaken(change),
        }
    }

    /// What a membership change leads to of which the node knows the outcome already.
    pub(super) fn change_overtaken(&self, change: &ConfChangeV2) -> Result<ConfState, ChangeError> {
        let configuration = Configuration::from_conf_state(self.application.conf_state())?;
        Ok(configuration.apply(change)?.configuration.conf_state())
    }

    /// Lets the apply thread say that the first of its queue is done, if it is.
    fn finish_apply(&mut self, around: &mut Surroundings<'_>) {
        let node = self.id();
        let Handling::Threads(threads) = &mut self.handling else { return };
        let Some(work) = threads.applies.pop_front_if(|work| work.entries.len() == threads.applied) else { return };
        threads.applied = 0;
        let applied: StorageApplied = work.into_applied();
        around.statistics.messages += 1;
        around.network.put(Envelope::Local { node, message: LocalMessage::Applied(applied) });
    }

    fn restore(&mut self, snapshot: &Snapshot, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        if self.application.records_snapshots() {
            // It lives by entries alone, and goes on handing out the snapshot that it has made itself.
            self.engine.storage_mut().set_snapshot(self.application.snapshot());
        } else {
            self.application = Application::restore(self.application.kind(), snapshot);
            around.checkers.state(self.id(), snapshot.id.index, self.application.hash())?;
        }
        around.statistics.snapshots_installed += 1;
        around.checkers.snapshot_restored(self.id(), snapshot)?;
        self.answer_reads(around)?;
        Ok(())
    }

    pub(super) fn advance(&mut self) -> Result<(), Halt> {
        let done = |one: &mut InHand| one.persisted && one.sent && one.is_applied();
        let taken = match &mut self.handling {
            Handling::OneByOne(in_hand) => in_hand.take_if(done),
            Handling::Threads(_) => None,
        };
        let InHand { ready, .. } = taken.ok_or_else(|| self.not_now("has no Ready that is done"))?;
        self.engine.advance(ready);
        Ok(())
    }

    pub(super) fn take_snapshot(&mut self, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        let why_not = "has nothing newer to take a snapshot of";
        let snapshot = self.application.snapshot();
        let Snapshot { id, conf_state, data } = snapshot.clone();
        let storage = self.engine.storage_mut();
        if storage.create_snapshot(id.index, conf_state, data).is_err() {
            return Err(self.not_now(why_not).into());
        }
        around.statistics.snapshots_taken += 1;
        around.checkers.snapshot_taken(self.id(), &snapshot)?;
        Ok(())
    }

    pub(super) fn compact(&mut self, through: Index) -> Result<(), Halt> {
        let refused = Inapplicable::Compact(self.id(), through);
        // The application may have applied more than the node was told of. Until it is told, it still looks for membership
        // changes there, also when it is asked to campaign in the middle of a Ready.
        if through > self.node().basic_status().applied {
            return Err(refused.into());
        }
        self.log.compact(self.engine.node().storage(), through).ok_or(refused)?;
        Ok(())
    }
}

/// The vote of a hard state that changes the term as well, in the term before.
fn vote_alone(record: Write<'_>, before: HardState) -> Option<Write<'static>> {
    match record {
        Write::HardState(HardState { term, vote, .. }) if term != before.term && vote != before.vote => {
            Some(Write::HardState(HardState { vote, ..before }))
        }
        Write::HardState(_) | Write::Segment | Write::Snapshot { .. } | Write::Entry(_) => None,
    }
}

/// How a node shows itself.
pub(super) fn view(node: &RawNode<MemStorage>) -> View {
    View::from(&node.basic_status())
}
