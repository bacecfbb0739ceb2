//! One node of the world: its disk, and while it is up a raft node, the log it writes, and its application.

#[cfg(test)]
mod damage;
mod engine;
mod handling;
mod log_file;
mod looping;
mod running;
mod start;
mod to_do;
mod writing;

use bytes::Bytes;
use raft::StorageApply;
use raft::node::{Arm, Demand, RunLoop};
use raft::{
    Body, ConfChange, ConfState, HardState, Index, MemStorage, Message, NodeId, Progress, RawNode, Ready, Role,
    Snapshot, SnapshotStatus, StorageAppend, Term,
};

use self::running::Running;
pub(in crate::world) use self::to_do::AtWork;
pub use self::to_do::ToDo;
use super::application::Application;
use super::client::{Clients, Now, Request};
use super::event::Event;
use super::network::{Envelope, LocalMessage, Network};
use super::options::{ApplicationKind, Boot, NodeOptions};
use super::outcome::{Halt, Inapplicable, Refusal};
use super::statistics::Statistics;
use crate::disk::{Disk, DiskFault, Keep};
use crate::history::Operation;
use crate::invariant::{Check, Checkers, Invariant, LoopView, ProgressView, View, Violation};
use crate::situation::Situation;
use crate::wal::{DiskError, Recovered, Wal};

/// What a node may use of the world around it.
pub(super) struct Surroundings<'a> {
    pub(super) checkers: &'a mut Checkers,
    pub(super) network: &'a mut Network,
    pub(super) clients: &'a mut Clients,
    pub(super) statistics: &'a mut Statistics,
    /// The number of this event.
    pub(super) step: u64,
    /// Whether reads may be stale.
    pub(super) stale_reads_excused: bool,
}

impl Surroundings<'_> {
    /// The clients, and what they may use.
    fn clients(&mut self) -> (&mut Clients, Now<'_>) {
        let Self { clients, statistics, step, stale_reads_excused, .. } = self;
        (clients, Now { step: *step, stale_reads_excused: *stale_reads_excused, statistics })
    }
}

/// What an event led to at a node.
pub(super) type Step = Result<Option<Refusal>, Halt>;

/// A node: what of it survives a crash, and while it is up all the rest.
#[derive(Clone, Debug)]
pub struct Replica {
    id: NodeId,
    options: NodeOptions,
    boot: Boot,
    disk: Disk,
    recorded: Option<Recorded>,
    running: Option<Box<Running>>,
    /// As the node last showed itself.
    view: View,
}

/// What a leader knew of its members when a message of an earlier term reached it.
struct Late {
    from: NodeId,
    progress: Vec<Progress>,
}

/// What an application that stores its own snapshots has stored. It survives every crash.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorded {
    pub(super) snapshot: Snapshot,
    /// The membership that the node begins with after a restart: as with etcd's storage in memory, not that of the
    /// snapshot, but that of the log.
    pub(super) membership: ConfState,
}

impl Replica {
    /// Its identity.
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// Its options.
    pub const fn options(&self) -> &NodeOptions {
        &self.options
    }

    /// Whether it runs.
    pub const fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Its disk.
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether something of what was durable was ever taken from its disk. It may never be read again.
    pub const fn is_damaged(&self) -> bool {
        self.disk.was_damaged()
    }

    /// What the node would read back from its disk after the worst of crashes. That takes a look at the whole log.
    pub fn after_worst_crash(&self) -> Option<Recovered> {
        let mut disk = self.disk.clone();
        disk.crash(Keep::Nothing);
        Wal::open(&mut disk).ok().map(|(_, recovered)| recovered)
    }

    /// The raft node, while it is up. Its storage shows what is written, durable or not.
    pub fn node(&self) -> Option<&RawNode<MemStorage>> {
        self.running.as_ref().map(|running| running.node())
    }

    /// The commit index that the node would read back from its disk after the worst of crashes, while it is up.
    pub fn durable_commit(&self) -> Option<Index> {
        self.running.as_ref().map(|running| running.log.durable_commit())
    }

    /// The loop that runs the node, if one does, while the node is up.
    pub fn run_loop(&self) -> Option<&RunLoop<MemStorage>> {
        self.running.as_ref()?.engine.looped().map(|looped| &looped.run_loop)
    }

    /// How the loop that runs the node, if one does, showed itself after the last event that touched it.
    pub fn loop_view(&self) -> Option<&LoopView> {
        self.running.as_ref()?.engine.looped().map(|looped| &looped.view)
    }

    /// Whether a message can arrive, and need not wait for room in the queue of the loop.
    pub(super) fn has_room_for(&self, envelope: &Envelope) -> bool {
        self.running.as_ref().is_none_or(|running| running.engine.has_room_for(envelope))
    }

    /// The application, while the node is up.
    pub fn application(&self) -> Option<&Application> {
        self.running.as_ref().map(|running| &running.application)
    }

    /// The Ready that was taken last, until it is advanced or, with asynchronous storage writes, another is taken. Once
    /// they are sent, its messages are no longer in it; its storage work is in [`appends`](Self::appends) and
    /// [`applies`](Self::applies).
    pub fn ready(&self) -> Option<&Ready> {
        self.running.as_ref()?.last_ready()
    }

    /// The messages that the node has made and that are not in flight yet: those that wait for its next Ready, and those of
    /// the Readys that were taken.
    pub fn unsent(&self) -> impl Iterator<Item = &Message> {
        self.running.iter().flat_map(|running| running.node().pending_messages().chain(running.handling.unsent()))
    }

    /// The append thread's queue, oldest first.
    pub fn appends(&self) -> impl Iterator<Item = &StorageAppend> {
        self.running.iter().flat_map(|running| running.appends())
    }

    /// The apply thread's queue, oldest first.
    pub fn applies(&self) -> impl Iterator<Item = &StorageApply> {
        self.running.iter().flat_map(|running| running.applies())
    }

    /// What the host of the node can do now.
    pub fn to_do(&self) -> ToDo {
        self.running.as_deref().map(Running::to_do).unwrap_or_default()
    }

    /// In the middle of what the host of the node is.
    pub(in crate::world) fn at_work(&self) -> AtWork {
        self.running.as_deref().map(Running::at_work).unwrap_or_default()
    }

    /// How the node showed itself after the last event that touched it.
    pub const fn view(&self) -> &View {
        &self.view
    }

    fn up(&mut self) -> Result<&mut Running, Inapplicable> {
        self.running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))
    }

    pub(super) fn crash(&mut self, keep: Keep, around: &mut Surroundings<'_>) -> Step {
        let running = self.running.take().ok_or(Inapplicable::NodeDown(self.id))?;
        let statistics = &mut *around.statistics;
        statistics.leaders_crashed += u64::from(self.view.soft_state.role == raft::Role::Leader);
        statistics.crashes_in_joint += u64::from(running.node().configuration().is_joint());
        statistics.crashes_at_work += u64::from(running.is_at_work());
        statistics.bytes_lost += self.disk.crash(keep);
        self.forget_memory(around);
        Ok(None)
    }

    pub(super) fn disk_fault(&mut self, fault: DiskFault, around: &mut Surroundings<'_>) -> Step {
        if fault.replaces() && self.is_up() {
            return Err(Inapplicable::NodeUp(self.id).into());
        }
        if !fault.strike(&mut self.disk) {
            return Err(Inapplicable::NotNow(self.id, "has a disk to which this does nothing").into());
        }
        match fault {
            DiskFault::BackUp => around.checkers.disk_copied(self.id),
            DiskFault::Lose => {
                // It is not given its first members again: it waits for a leader that knows it.
                self.boot = Boot::Empty;
                self.recorded = self.recorded.is_some().then(Recorded::default);
                around.checkers.disk_lost(self.id);
            }
            DiskFault::PutBack => around.checkers.disk_put_back(self.id),
            DiskFault::FailSync
            | DiskFault::Fill { .. }
            | DiskFault::Free
            | DiskFault::FlipBit { .. }
            | DiskFault::MisplaceBlock { .. } => {}
        }
        let damaged = fault.is_damage() && !fault.replaces();
        around.statistics.situations.note_if(damaged, Situation::DiskDamaged);
        Ok(None)
    }

    /// The node stops because its disk failed. What was not durable is lost, as after the crash that is the worst.
    fn stop(&mut self, error: DiskError, around: &mut Surroundings<'_>) -> Refusal {
        self.running = None;
        let leads = self.view.soft_state.role == raft::Role::Leader;
        let situations = &mut around.statistics.situations;
        situations.note_if(leads, Situation::LeaderDiskFailed);
        situations.note(match error {
            DiskError::Full => Situation::DiskFull,
            _ => Situation::SyncFailed,
        });
        around.statistics.bytes_lost += self.disk.crash(Keep::Nothing);
        self.forget_memory(around);
        Refusal::Disk(error)
    }

    fn forget_memory(&mut self, around: &mut Surroundings<'_>) {
        around.network.drop_local(self.id);
        around.checkers.crashed(self.id);
        around.clients.crashed(self.id);
        self.view = View::default();
    }

    pub(super) fn tick(&mut self) -> Step {
        self.up()?.engine.tick();
        Ok(None)
    }

    pub(super) fn campaign(&mut self, around: &mut Surroundings<'_>) -> Step {
        self.demand(Demand::Campaign, around);
        Ok(self.up()?.engine.campaign())
    }

    /// Tells the checks what a node is asked, now. What joins the queue of a loop is asked when the loop takes it.
    fn demand(&self, demand: Demand, around: &mut Surroundings<'_>) {
        if self.run_loop().is_none() {
            demanded(self.id, demand, around);
        }
    }

    pub(super) fn propose(&mut self, data: &Bytes) -> Step {
        Ok(self.up()?.engine.propose(data.clone()))
    }

    pub(super) fn propose_conf_change(&mut self, change: &ConfChange) -> Step {
        Ok(self.up()?.engine.propose_conf_change(change))
    }

    pub(super) fn transfer_leadership(&mut self, target: NodeId, around: &mut Surroundings<'_>) -> Step {
        self.demand(Demand::TransferLeadership { target }, around);
        Ok(self.up()?.engine.transfer_leadership(target))
    }

    pub(super) fn forget_leader(&mut self) -> Step {
        Ok(self.up()?.engine.forget_leader())
    }

    pub(super) fn read_index(&mut self, context: &Bytes, around: &mut Surroundings<'_>) -> Step {
        let id = self.id;
        let engine = &mut self.up()?.engine;
        around.checkers.read_requested(id, context);
        Ok(engine.read_index(context.clone()))
    }

    pub(super) fn invoke(&mut self, client: u64, operation: &Operation, around: &mut Surroundings<'_>) -> Step {
        self.keeps_keys()?;
        let request = around.clients.invoke(client, operation, around.step)?;
        self.ask(client, &request, around)
    }

    pub(super) fn retry(&mut self, client: u64, around: &mut Surroundings<'_>) -> Step {
        self.keeps_keys()?;
        let request = around.clients.request(client)?;
        self.ask(client, &request, around)
    }

    fn keeps_keys(&mut self) -> Result<(), Inapplicable> {
        match self.up()?.application.kind() {
            ApplicationKind::KeyValue => Ok(()),
            ApplicationKind::Appender => Err(Inapplicable::NotNow(self.id, "keeps no keys")),
        }
    }

    fn ask(&mut self, client: u64, request: &Request, around: &mut Surroundings<'_>) -> Step {
        let refused = match request {
            Request::Propose(data) => self.propose(data)?,
            Request::ReadIndex(context) => self.read_index(context, around)?,
        };
        if refused.is_none() {
            around.clients.asked(client, self.id);
        }
        Ok(refused)
    }

    pub(super) fn report_unreachable(&mut self, peer: NodeId) -> Step {
        Ok(self.up()?.engine.report_unreachable(peer))
    }

    pub(super) fn report_snapshot(
        &mut self,
        peer: NodeId,
        status: SnapshotStatus,
        around: &mut Surroundings<'_>,
    ) -> Step {
        self.demand(Demand::ReportSnapshot { peer }, around);
        Ok(self.up()?.engine.report_snapshot(peer, status))
    }

    pub(super) fn set_election_timeout(&mut self, ticks: u32) -> Step {
        self.up()?.engine.set_election_timeout(ticks);
        Ok(None)
    }

    /// Takes a message; of the world's own making that the node is up for local ones.
    pub(super) fn receive(&mut self, envelope: Envelope, around: &mut Surroundings<'_>) -> Step {
        let late = match &envelope {
            Envelope::Network(message) => self.late(message),
            Envelope::Local { .. } => None,
        };
        let engine = &mut self.up()?.engine;
        match envelope {
            Envelope::Network(message) | Envelope::Local { message: LocalMessage::Own(message), .. } => {
                let refused = engine.step(message);
                self.is_as_before(late, around)?;
                Ok(refused)
            }
            Envelope::Local { message: LocalMessage::Appended(appended), .. } => {
                let before = engine.node().basic_status().last;
                engine.storage_appended(appended);
                let node = engine.node();
                around.checkers.storage_answered(node.id(), before, node.basic_status().last)?;
                Ok(None)
            }
            Envelope::Local { message: LocalMessage::Applied(applied), .. } => {
                engine.storage_applied(applied);
                Ok(None)
            }
        }
    }

    /// Lets the loop take its next input, or a Ready.
    pub(super) fn take(&mut self, arm: Arm, around: &mut Surroundings<'_>) -> Step {
        let next = self.run_loop().filter(|_| arm == Arm::Message).and_then(|run_loop| run_loop.next_message());
        let late = next.and_then(|message| self.late(message));
        let Self { running, recorded, view, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        if let (Arm::Message, Some(looped)) = (arm, running.engine.looped()) {
            if let Some(message) = looped.run_loop.next_message().filter(|message| is_from_another(message)) {
                around.checkers.received(message);
            }
            if let Some(demand) = looped.run_loop.next_demand() {
                demanded(self.id, demand, around);
            }
        }
        let refused = running.take(arm, view, recorded, around)?;
        self.is_as_before(late, around)?;
        Ok(refused)
    }

    /// What this node knows of its members, if it leads and the message is of an earlier term, and who sent it.
    fn late(&self, message: &Message) -> Option<Late> {
        let term = self.view.hard_state.term;
        let is_late = message.term.is_some_and(|of| of < term && of > Term::ZERO);
        let leads = self.view.soft_state.role == Role::Leader;
        let progress = |node: &RawNode<MemStorage>| node.progress().map(|(_, progress)| progress.clone()).collect();
        (is_late && leads).then(|| Late { from: message.from, progress: self.node().map(progress).unwrap_or_default() })
    }

    fn is_as_before(&self, late: Option<Late>, around: &mut Surroundings<'_>) -> Check {
        let Some(Late { from, progress }) = late else { return Ok(()) };
        let is_same = self.node().is_none_or(|node| node.progress().map(|(_, progress)| progress).eq(&progress));
        if is_same { Ok(()) } else { around.checkers.counted_late(self.id, from) }
    }

    pub(super) fn take_ready(&mut self, around: &mut Surroundings<'_>) -> Step {
        let Self { running, view, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        running.take_ready(view, around)?;
        Ok(None)
    }

    pub(super) fn write(&mut self, around: &mut Surroundings<'_>) -> Step {
        let Self { running, disk, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        match running.write(disk, around)? {
            Ok(()) => Ok(None),
            Err(error) => Ok(Some(self.stop(error, around))),
        }
    }

    pub(super) fn sync(&mut self, around: &mut Surroundings<'_>) -> Step {
        let Self { running, disk, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        match running.begin_sync(disk)? {
            Ok(()) => Ok(None),
            Err(error) => Ok(Some(self.stop(error, around))),
        }
    }

    pub(super) fn sync_done(&mut self, around: &mut Surroundings<'_>) -> Step {
        let Self { running, disk, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        match running.complete_sync(disk, around)? {
            Ok(()) => Ok(None),
            Err(error) => Ok(Some(self.stop(error, around))),
        }
    }

    pub(super) fn release(&mut self, around: &mut Surroundings<'_>) -> Step {
        self.up()?.release(around)?;
        Ok(None)
    }

    pub(super) fn send(&mut self, around: &mut Surroundings<'_>) -> Step {
        self.up()?.send(around)?;
        Ok(None)
    }

    pub(super) fn apply(&mut self, entries: u32, around: &mut Surroundings<'_>) -> Step {
        let Self { running, recorded, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        running.apply(entries, recorded, around)
    }

    pub(super) fn advance(&mut self) -> Step {
        self.up()?.advance()?;
        Ok(None)
    }

    pub(super) fn take_snapshot(&mut self, around: &mut Surroundings<'_>) -> Step {
        self.up()?.take_snapshot(around)?;
        Ok(None)
    }

    pub(super) fn compact(&mut self, through: Index) -> Step {
        self.up()?.compact(through)?;
        Ok(None)
    }

    /// Looks at the node after an event: counts, checks, and returns how it shows itself.
    pub(super) fn observe(&mut self, event: &Event, around: &mut Surroundings<'_>) -> Result<View, Halt> {
        let Some(running) = &mut self.running else { return Ok(self.view) };
        running.observe_loop(event, around)?;
        let view = running.view();
        if view != self.view {
            around.statistics.observe(&self.view, &view);
            let role = view.soft_state.role;
            if role == Role::Leader
                && (role != self.view.soft_state.role || view.hard_state.term != self.view.hard_state.term)
            {
                let bytes = around.network.applied_and_not_reported(self.id, view.applied);
                around.checkers.not_reported(self.id, bytes);
            }
            self.view = view;
        }
        match around.checkers.observed(self.id, &view) {
            Ok(()) => Ok(view),
            Err(violation) => Err(self.missing_fsync(&violation, around).unwrap_or_else(|| violation.into())),
        }
    }

    /// What is behind a commit that no quorum holds durably, where the leader counts what somebody has written and not
    /// synced: not the quorum is at fault then.
    fn missing_fsync(&self, violation: &Violation, around: &mut Surroundings<'_>) -> Option<Halt> {
        if violation.invariant != Invariant::CommitQuorum {
            return None;
        }
        let is_missing = |found: &Violation| found.invariant == Invariant::DurableBeforeSend;
        match self.observe_progress(None, around) {
            Err(Halt::Violation(found)) if is_missing(&found) => return Some(found.into()),
            Ok(()) | Err(_) => {}
        }
        // What was not even handed out to be written is known to the node alone.
        let (node, HardState { term, commit, .. }) = (self.node()?, self.view.hard_state);
        let (_, own) = node.progress().find(|(peer, _)| *peer == self.id)?;
        let commits_by_itself = own.matched() >= commit && node.entry_term(commit) == Some(term);
        let checked = if commits_by_itself { around.checkers.counts_itself(self.id, commit) } else { Ok(()) };
        checked.err().map(Halt::from)
    }

    /// Shows the checkers what a leader knows of its followers, of one or of all of them.
    pub(super) fn observe_progress(&self, of: Option<NodeId>, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        let Some(running) = &self.running else { return Ok(()) };
        for (peer, progress) in running.node().progress() {
            if of.is_none_or(|of| of == peer) {
                around.checkers.progress(self.id, peer, &ProgressView::from(progress))?;
            }
        }
        around.checkers.tracked(self.id, running.node().progress().map(|(peer, _)| peer))?;
        Ok(())
    }
}

/// Puts a message that a node sends in flight.
fn put_in_flight(message: Message, around: &mut Surroundings<'_>) -> Result<(), Halt> {
    around.checkers.sent(&message)?;
    around.statistics.sent(&message);
    let envelope = if message.to == message.from {
        Envelope::Local { node: message.to, message: LocalMessage::Own(message) }
    } else {
        Envelope::Network(message)
    };
    around.network.put(envelope);
    Ok(())
}

/// Whether another node sent it. A transfer that is forwarded bears the name of the node that shall lead, which may be the one
/// that gets it.
pub(in crate::world) fn is_from_another(message: &Message) -> bool {
    message.from != message.to || message.body == Body::TransferLeader
}

/// Tells the checks what a node is asked.
fn demanded(id: NodeId, demand: Demand, around: &mut Surroundings<'_>) {
    match demand {
        Demand::Campaign => around.checkers.campaign_requested(id),
        Demand::TransferLeadership { target } => around.checkers.transfer_requested(id, target),
        Demand::ReportSnapshot { peer } => around.checkers.snapshot_reported(id, peer),
    }
}
