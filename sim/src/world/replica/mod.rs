//! One node of the world: its disk, and while it is up a raft node, the log it writes, and its application.

mod applying;
#[cfg(test)]
mod damage;
mod driven;
mod handling;
mod inputs;
mod log_file;
mod looped;
mod looping;
mod raw;
mod running;
mod start;
mod state;
mod stops;
mod to_do;
mod work;
mod writer;
mod writing;

use std::sync::Arc;

use raft::StorageApply;
use raft::node::{Demand, RunLoop};
use raft::{
    Body, ConfState, HardState, Index, MemStorage, Message, NodeId, RawNode, Ready, Role, Snapshot, StorageAppend,
};

use self::running::Running;
pub(in crate::world) use self::to_do::AtWork;
pub use self::to_do::ToDo;
use self::writer::Writer;
use super::client::{Clients, Now};
use super::consensus::{Follower, Node, Rider};
use super::event::Event;
use super::log::{Log, LogContents};
use super::network::{Envelope, LocalMessage, Network};
use super::options::{Boot, NodeOptions};
use super::outcome::{Halt, Inapplicable, Refusal};
use super::setup::Setup;
use super::state_machine::StateMachine;
use super::statistics::Statistics;
use crate::disk::{Disk, Keep};
use crate::invariant::{Checkers, Invariant, LoopView, Tracked, View, Violation};
use crate::shared::Shared;
use crate::wal::Write;

/// What a node may use of the world around it.
pub(super) struct Surroundings<'a> {
    /// What a user has brought.
    pub(super) setup: &'a Setup,
    pub(super) checkers: &'a mut Checkers,
    pub(super) network: &'a mut Network,
    pub(super) clients: &'a mut Shared<Clients>,
    pub(super) statistics: &'a mut Statistics,
    /// The number of this event.
    pub(super) step: u64,
    /// Whether reads may be stale.
    pub(super) stale_reads_excused: bool,
}

impl Surroundings<'_> {
    /// The clients, and what they may use.
    fn clients(&mut self) -> (&mut Shared<Clients>, Now<'_>) {
        let Self { clients, statistics, step, stale_reads_excused, .. } = self;
        (clients, Now { step: *step, stale_reads_excused: *stale_reads_excused, statistics })
    }
}

/// What an event led to at a node.
pub(super) type Step = Result<Option<Refusal>, Halt>;

/// A node: the part that survives a crash and, while the node is up, all the rest.
#[derive(Clone, Debug)]
pub struct Replica {
    id: NodeId,
    options: Shared<NodeOptions>,
    /// What it begins with.
    boot: Shared<Boot>,
    /// Whether it began with the log of another cluster. That stays so even when it loses its disk, since an old copy
    /// of the disk may come back.
    is_foreign: bool,
    /// The log that a user has brought, as it is before it is created or opened.
    brought_log: Option<Arc<dyn Log>>,
    disk: Shared<Disk>,
    recorded: Option<Box<Recorded>>,
    running: Option<Box<Running>>,
    /// The node's view after the last event that touched it.
    view: View,
}

/// What a leader knew of its members when a message of an earlier term reached it.
struct Late {
    from: NodeId,
    progress: Vec<(NodeId, Follower)>,
}

/// What an application that stores its own snapshots has stored. It survives every crash.
#[derive(Clone, Hash, Debug, Default)]
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
    pub fn options(&self) -> &NodeOptions {
        &self.options
    }

    /// Whether it began with the log of another cluster.
    pub const fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// Whether it runs.
    pub const fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// Its disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether its disk ever lost something durable, whether or not the node ever reads that part again.
    pub fn is_damaged(&self) -> bool {
        self.disk.was_damaged()
    }

    /// What the node would read back from its disk after the worst of crashes. That takes a look at the whole log.
    pub fn after_worst_crash(&self) -> Option<LogContents> {
        let mut disk = self.disk.clone();
        disk.crash(Keep::Nothing);
        Writer::open(self.brought_log.as_ref(), &mut disk).ok().map(|(_, contents)| contents)
    }

    /// The node, while it is up. Its storage shows what is written, durable or not.
    pub fn node(&self) -> Option<&dyn Node> {
        self.running.as_ref().map(|running| running.node())
    }

    /// The same, if it is the project's own.
    pub fn raw_node(&self) -> Option<&RawNode<MemStorage>> {
        self.running.as_ref()?.driven.raw_node()
    }

    /// The commit index that the node would read back from its disk after the worst of crashes, while it is up.
    pub fn durable_commit(&self) -> Option<Index> {
        self.running.as_ref().map(|running| running.log.durable_commit())
    }

    /// The loop that runs the node, if one does, while the node is up.
    pub fn run_loop(&self) -> Option<&RunLoop<MemStorage>> {
        self.running.as_ref()?.driven.looped().map(|looped| &looped.run_loop)
    }

    /// The view of the loop that runs the node, if one does, after the last event that touched it.
    pub fn loop_view(&self) -> Option<&LoopView> {
        self.running.as_ref()?.driven.looped().map(|looped| &looped.view)
    }

    /// Whether a message can arrive, and need not wait for room in the queue of the loop.
    pub(super) fn has_room_for(&self, envelope: &Envelope) -> bool {
        self.running.as_ref().is_none_or(|running| running.driven.has_room_for(envelope))
    }

    /// The state machine, while the node is up.
    pub fn state_machine(&self) -> Option<&StateMachine> {
        self.running.as_ref().map(|running| &running.state_machine)
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

    /// The record that the next [`Event::Write`] writes, if one is to be written.
    pub fn next_write(&self) -> Option<Write<'_>> {
        self.running.as_deref().and_then(Running::next_write)
    }

    /// What the host of the node is in the middle of.
    pub(in crate::world) fn at_work(&self) -> AtWork {
        self.running.as_deref().map(Running::at_work).unwrap_or_default()
    }

    /// The node's view after the last event that touched it.
    pub const fn view(&self) -> &View {
        &self.view
    }

    fn up(&mut self) -> Result<&mut Running, Inapplicable> {
        self.running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))
    }

    /// Looks at the node after an event: counts, checks, and returns its view.
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
                let bytes = running.applied_and_not_reported(around.network, view.applied);
                around.checkers.not_reported(self.id, bytes);
            }
            self.view = view;
        }
        match around.checkers.observed(self.id, &view) {
            Ok(()) => Ok(view),
            Err(violation) => Err(self.missing_fsync(&violation, around).unwrap_or_else(|| violation.into())),
        }
    }

    /// The cause of a commit that no quorum holds durably, where the leader counts entries that a node has written and
    /// not synced: then the missing fsync is at fault, not the quorum.
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
        let commits_by_itself = node.follower(self.id)?.matched >= commit && node.entry_term(commit) == Some(term);
        let checked = if commits_by_itself { around.checkers.counts_itself(self.id, commit) } else { Ok(()) };
        checked.err().map(Halt::from)
    }

    /// Shows the checkers what a leader knows of one follower, or of all of them.
    pub(super) fn observe_progress(&self, of: Option<NodeId>, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        let Some(running) = &self.running else { return Ok(()) };
        let (node, checkers) = (running.node(), &mut *around.checkers);
        let (mut found, mut tracked) = (Ok(()), Tracked::default());
        node.each_follower(&mut |peer, follower| {
            checkers.tracks(self.id, peer, &mut tracked);
            if found.is_ok() && of.is_none_or(|of| of == peer) {
                found = checkers.progress(self.id, peer, &follower.view());
            }
        });
        found?;
        checkers.tracked(self.id, tracked)?;
        if let Some(counted) = node.uncommitted_size().filter(|_| of.is_none()) {
            let (applied, network) = (self.view.applied, &*around.network);
            checkers.uncommitted(self.id, counted, || running.applied_and_not_reported(network, applied))?;
        }
        Ok(())
    }
}

/// Puts a message that a node sends in flight, with what rides on it.
fn put_in_flight(message: Message, rider: Option<Rider>, around: &mut Surroundings<'_>) -> Result<(), Halt> {
    around.checkers.sent(&message)?;
    around.statistics.sent(&message);
    let envelope = if message.to == message.from {
        Envelope::Local { node: message.to, message: LocalMessage::Own(message) }
    } else {
        Envelope::Network(message)
    };
    around.network.put_with(envelope, rider);
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
        Demand::ReportUnreachable { peer } => around.checkers.unreachable_reported(id, peer),
        // Whatever else may be asked one day is of no concern to the checks.
        _ => {}
    }
}
