//! A node that is up: everything about it that a crash loses.

use raft::{Entry, HardState, Index, NodeId, Ready, StorageAppend, StorageApply};

use super::driven::Driven;
use super::handling::{Append, Handling, InHand, Threads};
use super::log_file::LogFile;
use super::to_do::{AtWork, ToDo};
use super::writing::Written;
use super::{Surroundings, put_in_flight};
use crate::disk::Disk;
use crate::invariant::{Check, View};
use crate::planted::{Bug, planted};
use crate::wal::{DiskError, Write};
use crate::world::consensus::{Handed, Node, Rider, Stored};
use crate::world::network::{Envelope, LocalMessage, Network};
use crate::world::outcome::{Halt, Inapplicable};
use crate::world::state_machine::StateMachine;

/// A raft node and its host.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) driven: Driven,
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
    pub(super) fn node(&self) -> &dyn Node {
        self.driven.seen()
    }

    /// The part of the work for this node that fits now.
    pub(super) fn to_do(&self) -> ToDo {
        let storage = ToDo {
            ready: self.wants_ready(),
            take: self.driven.looped().is_some_and(|looped| looped.run_loop.available().next().is_some()),
            write: self.log.has_compaction_to_write() || self.handling.has_records(),
            sync: self.log.needs_sync(),
            sync_done: self.log.is_syncing(),
            ..ToDo::default()
        };
        let to_do = self.handling.add_to(storage);
        ToDo { apply: to_do.apply && !self.driven.is_changing(), ..to_do }
    }

    /// The next record that is to be written.
    pub(super) fn next_write(&self) -> Option<Write<'_>> {
        self.log.next_of_compaction().or_else(|| self.handling.upcoming())
    }

    /// What its host is in the middle of.
    pub(super) fn at_work(&self) -> AtWork {
        let between = self.handling.between_writes();
        AtWork {
            between_writes: between.is_some(),
            installing: between.is_some_and(|to_persist| to_persist.snapshot.is_some()),
            compacting: self.log.is_compacting(),
        }
    }

    /// The payload bytes of entries up to this index that the application has applied, while the reports of it are in flight, or wait
    /// in the queue of a run loop: others have overtaken them.
    pub(super) fn applied_and_not_reported(&self, network: &Network, applied: Index) -> u64 {
        let queued = self.driven.looped().into_iter().flat_map(|looped| looped.run_loop.queued_applied());
        let entries = queued.flat_map(|report| &report.entries).filter(|entry| entry.index <= applied);
        network.applied_and_not_reported(self.id(), applied) + entries.map(Entry::payload_size).sum::<u64>()
    }

    pub(super) fn not_now(&self, why: &'static str) -> Inapplicable {
        Inapplicable::NotNow(self.id(), why)
    }

    pub(super) fn view(&self) -> View {
        self.node().status().view
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
        if !self.wants_ready() {
            let is_looped = self.driven.looped().is_some();
            return Err(self.not_now(if is_looped { "waits for a Ready already" } else { "has no Ready" }).into());
        }
        match self.driven.told().ready() {
            Some(handed) => self.handle(handed, view, around),
            None => Ok(()),
        }
    }

    /// Begins to do what a Ready asks for.
    pub(super) fn handle(
        &mut self,
        handed: Handed,
        shown: &mut View,
        around: &mut Surroundings<'_>,
    ) -> Result<(), Halt> {
        let Handed { ready, riders } = handed;
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
        self.take_in_hand(ready, riders);
        self.settle(around)?;
        *shown = view;
        Ok(())
    }

    /// Whether there is a Ready to take, or to be asked for.
    pub(super) fn wants_ready(&self) -> bool {
        self.driven.looped().map_or_else(|| self.node().has_ready(), |looped| !looped.asked)
    }

    fn take_in_hand(&mut self, mut ready: Ready, riders: Vec<Option<Rider>>) {
        match &mut self.handling {
            Handling::OneByOne(in_hand) => *in_hand = Some(Box::new(InHand::new(ready, riders))),
            Handling::Threads(threads) => {
                let work = ready.storage_append.take().map(|append| *append);
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
            && let Some(vote) = vote_alone(record, self.driven.seen().storage().hard_state())
        {
            show_stored(&mut self.driven, vote);
            return Ok(self.log.write(disk, vote).map(drop));
        }
        match self.log.write(disk, record) {
            Ok(count) => {
                *written = Written { records: written.records + 1, count };
                show_stored(&mut self.driven, record);
                if let Write::Entry(entry) = record {
                    let index = entry.index;
                    around.checkers.shows(self.id(), index, self.node().entry_term(index))?;
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
            if self.driven.told().store(Stored::Compacted(compacted.through)) {
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
            put_in_flight(response, None, around)?;
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
                let riders = std::mem::take(&mut one.riders).into_iter().chain(std::iter::repeat(None));
                for (message, rider) in std::mem::take(&mut one.ready.messages).into_iter().zip(riders) {
                    put_in_flight(message, rider, around)?;
                }
                Ok(())
            }
            Handling::Threads(threads) if threads.unsent.iter().any(|ready| !ready.messages.is_empty()) => {
                for ready in &mut threads.unsent {
                    for message in std::mem::take(&mut ready.messages) {
                        put_in_flight(message, None, around)?;
                    }
                }
                Ok(())
            }
            Handling::OneByOne(_) | Handling::Threads(_) => Err(self.not_now(why_not).into()),
        }
    }

    pub(super) fn advance(&mut self) -> Result<(), Halt> {
        let done = |one: &mut Box<InHand>| one.persisted && one.sent && one.is_applied();
        let taken = match &mut self.handling {
            Handling::OneByOne(in_hand) => in_hand.take_if(done),
            Handling::Threads(_) => None,
        };
        let InHand { ready, .. } = *taken.ok_or_else(|| self.not_now("has no Ready that is done"))?;
        self.driven.told().advance(ready);
        Ok(())
    }

    pub(super) fn take_snapshot(&mut self, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        let why_not = "has nothing newer to take a snapshot of";
        let snapshot = self.state_machine.snapshot();
        if !self.driven.told().store(Stored::Taken(&snapshot)) {
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
        if through > self.node().status().view.applied {
            return Err(refused.into());
        }
        self.log.compact(self.driven.seen().storage(), through).ok_or(refused)?;
        Ok(())
    }
}

/// Lets the node read a record that is written.
fn show_stored(driven: &mut Driven, record: Write<'_>) {
    if let Some(change) = Stored::by(record) {
        let is_shown = driven.told().store(change);
        assert!(is_shown, "a node hands out its log without gaps, and restores only what is newer than all it applied");
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
