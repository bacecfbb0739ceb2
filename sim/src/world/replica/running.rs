//! A node that is up: everything about it that a crash loses.

use raft::{HardState, Index, MemStorage, NodeId, RawNode, Ready, Snapshot, StorageAppend, StorageApply};

use super::engine::Engine;
use super::handling::{Append, Handling, InHand, Threads};
use super::log_file::LogFile;
use super::to_do::{AtWork, ToDo};
use super::writing::{Written, cache};
use super::{Surroundings, put_in_flight};
use crate::disk::Disk;
use crate::invariant::{Check, View};
use crate::planted::{Bug, planted};
use crate::wal::{DiskError, Write};
use crate::world::network::{Envelope, LocalMessage};
use crate::world::outcome::{Halt, Inapplicable};
use crate::world::state_machine::StateMachine;

/// A raft node and its host.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) engine: Engine,
    pub(super) log: LogFile,
    pub(super) state_machine: StateMachine,
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

    /// The part of the work for this node that fits now.
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

    /// What its host is in the middle of.
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

    /// Takes a Ready, or asks the loop for one. `view` is the node's current view.
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
        let snapshot = self.state_machine.snapshot();
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

/// The vote of a hard state that changes the term as well, but written with the term before it.
fn vote_alone(record: Write<'_>, before: HardState) -> Option<Write<'static>> {
    match record {
        Write::HardState(HardState { term, vote, .. }) if term != before.term && vote != before.vote => {
            Some(Write::HardState(HardState { vote, ..before }))
        }
        Write::HardState(_) | Write::Segment | Write::Snapshot { .. } | Write::Entry(_) => None,
    }
}

/// The view of a node: what the checks see of it.
pub(super) fn view(node: &RawNode<MemStorage>) -> View {
    View::from(&node.basic_status())
}
