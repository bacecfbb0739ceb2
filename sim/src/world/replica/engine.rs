//! How a node is run: its host calls it directly, or hands everything to the queues of a run loop, as the concurrent
//! front end does.

use std::hash::{Hash, Hasher};

use bytes::Bytes;
use raft::node::{Arm, EnqueueError, Limits, RunLoop, Stopped, Taken, Ticked, Ticket};
use raft::{
    Body, ConfChange, ConfChangeV2, Entry, MemStorage, Message, NodeId, RawNode, Ready, SnapshotStatus,
    StorageAppended, StorageApplied,
};

use crate::invariant::{Arrivals, Disorder, LoopView};
use crate::world::network::{Envelope, LocalMessage};
use crate::world::outcome::Refusal;

/// A raft node, and what runs it.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one for each running node, which is boxed")]
pub(super) enum Engine {
    /// The node does at once what it is told.
    Raw(RawNode<MemStorage>),
    /// What the node is told waits in a queue until the loop takes it.
    Loop(Looped),
}

/// A run loop, and what its host has to remember.
#[derive(Clone, Debug)]
pub(super) struct Looped {
    pub(super) run_loop: RunLoop<MemStorage>,
    /// Whether the host has asked for a Ready that it has not got.
    pub(super) asked: bool,
    /// The entry whose membership change the loop has been told of and has not answered.
    pub(super) changing: Option<Entry>,
    /// What came to the loop and was not taken yet.
    arrivals: Arrivals,
    /// The proposal that the loop took last.
    pub(super) last_proposal: Option<Ticket>,
    /// The loop's view after the last event that touched it.
    pub(super) view: LoopView,
    counts: Counts,
}

/// What the host counts, to compare it with what the loop counts.
#[derive(Clone, Copy, Hash, Debug, Default)]
struct Counts {
    /// Ticks of the clock.
    clock: u64,
    /// Ticks that the loop has taken.
    ticks: u64,
    /// Responses of storage threads, for which there is always room.
    responses: u64,
    /// Whether a Ready is out, with synchronous storage writes.
    ready_out: bool,
}

/// What the node did not accept.
type Refused = Option<Refusal>;

impl Engine {
    pub(super) fn new(node: RawNode<MemStorage>, limits: Option<Limits>) -> Self {
        match limits {
            None => Self::Raw(node),
            Some(limits) => Self::Loop(Looped::new(RunLoop::new(node, limits))),
        }
    }

    pub(super) fn node(&self) -> &RawNode<MemStorage> {
        match self {
            Self::Raw(node) => node,
            Self::Loop(looped) => looped.run_loop.node(),
        }
    }

    pub(super) fn storage_mut(&mut self) -> &mut MemStorage {
        match self {
            Self::Raw(node) => node.storage_mut(),
            Self::Loop(looped) => looped.run_loop.storage_mut(),
        }
    }

    pub(super) const fn looped(&self) -> Option<&Looped> {
        match self {
            Self::Raw(_) => None,
            Self::Loop(looped) => Some(looped),
        }
    }

    /// Whether the loop has been told of a membership change and has not answered.
    pub(super) const fn is_changing(&self) -> bool {
        match self {
            Self::Raw(_) => false,
            Self::Loop(looped) => looped.changing.is_some(),
        }
    }

    pub(super) fn tick(&mut self) {
        match self {
            Self::Raw(node) => node.tick(),
            Self::Loop(looped) => looped.tick(),
        }
    }

    pub(super) fn campaign(&mut self) -> Refused {
        match self {
            Self::Raw(node) => {
                node.campaign();
                None
            }
            Self::Loop(looped) => looped.notify(RunLoop::campaign),
        }
    }

    pub(super) fn propose(&mut self, data: Bytes) -> Refused {
        match self {
            Self::Raw(node) => node.propose(data).err().map(Refusal::Propose),
            Self::Loop(looped) => looped.enqueue(Arm::Proposal, |run_loop| run_loop.propose(data)),
        }
    }

    pub(super) fn propose_conf_change(&mut self, change: &ConfChange) -> Refused {
        match self {
            Self::Raw(node) => node.propose_conf_change(change).err().map(Refusal::Propose),
            Self::Loop(looped) => {
                looped.enqueue(Arm::Proposal, |run_loop| run_loop.propose_conf_change(change.clone()))
            }
        }
    }

    pub(super) fn transfer_leadership(&mut self, target: NodeId) -> Refused {
        match self {
            Self::Raw(node) => {
                node.transfer_leadership(target);
                None
            }
            Self::Loop(looped) => looped.notify(|run_loop| run_loop.transfer_leadership(target)),
        }
    }

    pub(super) fn forget_leader(&mut self) -> Refused {
        match self {
            Self::Raw(node) => {
                node.forget_leader();
                None
            }
            Self::Loop(looped) => looped.notify(RunLoop::forget_leader),
        }
    }

    pub(super) fn read_index(&mut self, context: Bytes) -> Refused {
        match self {
            Self::Raw(node) => {
                node.read_index(context);
                None
            }
            Self::Loop(looped) => looped.enqueue(Arm::Message, |run_loop| run_loop.read_index(context)),
        }
    }

    pub(super) fn report_unreachable(&mut self, peer: NodeId) -> Refused {
        match self {
            Self::Raw(node) => {
                node.report_unreachable(peer);
                None
            }
            Self::Loop(looped) => looped.notify(|run_loop| run_loop.report_unreachable(peer)),
        }
    }

    pub(super) fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) -> Refused {
        match self {
            Self::Raw(node) => {
                node.report_snapshot(peer, status);
                None
            }
            Self::Loop(looped) => looped.notify(|run_loop| run_loop.report_snapshot(peer, status)),
        }
    }

    pub(super) fn set_election_timeout(&mut self, ticks: u32) {
        match self {
            Self::Raw(node) => node.set_randomized_election_timeout(ticks),
            Self::Loop(looped) => looped.run_loop.set_randomized_election_timeout(ticks),
        }
    }

    /// Whether there is room for what is on its way here. A forwarded proposal never waits outside: without room it is
    /// turned away.
    pub(super) fn has_room_for(&self, envelope: &Envelope) -> bool {
        let Self::Loop(looped) = self else { return true };
        match envelope {
            Envelope::Network(Message { body: Body::Propose { .. }, .. })
            | Envelope::Local { message: LocalMessage::Appended(_) | LocalMessage::Applied(_), .. } => true,
            Envelope::Network(_) | Envelope::Local { message: LocalMessage::Own(_), .. } => {
                looped.run_loop.message_room() > 0
            }
        }
    }

    pub(super) fn step(&mut self, message: Message) -> Refused {
        match self {
            Self::Raw(node) => node.step(message).err().map(Refusal::Step),
            Self::Loop(looped) => looped.step(message),
        }
    }

    pub(super) fn storage_appended(&mut self, appended: StorageAppended) {
        match self {
            Self::Raw(node) => node.storage_appended(appended),
            Self::Loop(looped) => looped.respond(|run_loop| run_loop.storage_appended(appended)),
        }
    }

    pub(super) fn storage_applied(&mut self, applied: StorageApplied) {
        match self {
            Self::Raw(node) => node.storage_applied(applied),
            Self::Loop(looped) => looped.respond(|run_loop| run_loop.storage_applied(applied)),
        }
    }

    /// Hands back the outstanding Ready.
    pub(super) fn advance(&mut self, ready: Ready) {
        match self {
            Self::Raw(node) => node.advance(ready).expect("it is the outstanding one"),
            Self::Loop(looped) => looped.advance(ready),
        }
    }
}

/// The view follows from the loop and the counts.
impl Hash for Engine {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Raw(node) => node.hash_state(state),
            Self::Loop(Looped { run_loop, asked, changing, arrivals, last_proposal, view: _, counts }) => {
                run_loop.hash_state(state);
                (asked, changing, arrivals, last_proposal, counts).hash(state);
            }
        }
    }
}

impl Looped {
    fn new(run_loop: RunLoop<MemStorage>) -> Self {
        let counts = Counts::default();
        let view = counts.view(&run_loop);
        let arrivals = Arrivals::default();
        Self { run_loop, asked: false, changing: None, arrivals, last_proposal: None, view, counts }
    }

    fn tick(&mut self) {
        self.counts.clock += 1;
        match self.run_loop.tick().expect(NEVER_STOPPED) {
            Ticked::Counted => self.arrivals.came(Arm::Tick),
            Ticked::Missed => {}
        }
    }

    /// Hands the loop what comes from this arm, if it has room.
    fn enqueue<T>(
        &mut self,
        arm: Arm,
        enqueue: impl FnOnce(&mut RunLoop<MemStorage>) -> Result<T, EnqueueError>,
    ) -> Refused {
        match enqueue(&mut self.run_loop) {
            Ok(_) => {
                self.arrivals.came(arm);
                None
            }
            Err(EnqueueError::Full) => Some(Refusal::Full),
            Err(EnqueueError::Stopped) => panic!("{NEVER_STOPPED}"),
        }
    }

    fn notify(&mut self, notify: impl FnOnce(&mut RunLoop<MemStorage>) -> Result<(), EnqueueError>) -> Refused {
        self.enqueue(Arm::Message, notify)
    }

    fn step(&mut self, message: Message) -> Refused {
        let arm = if matches!(message.body, Body::Propose { .. }) { Arm::Proposal } else { Arm::Message };
        self.enqueue(arm, |run_loop| run_loop.step(message))
    }

    fn respond(&mut self, respond: impl FnOnce(&mut RunLoop<MemStorage>) -> Result<(), Stopped>) {
        self.counts.responses += 1;
        respond(&mut self.run_loop).expect(NEVER_STOPPED);
        self.arrivals.came(Arm::Message);
    }

    pub(super) fn request_ready(&mut self) {
        self.asked = true;
        self.run_loop.request_ready().expect(NEVER_STOPPED);
        self.arrivals.came(Arm::Ready);
    }

    pub(super) fn apply_conf_change(&mut self, entry: Entry, change: ConfChangeV2) {
        self.run_loop.apply_conf_change_at(entry.index, change).expect(NEVER_STOPPED);
        self.arrivals.came(Arm::MembershipChange);
        self.changing = Some(entry);
    }

    fn advance(&mut self, ready: Ready) {
        self.run_loop.advance(ready).expect("it is the outstanding one");
        self.arrivals.came(Arm::Advance);
    }

    /// Lets the loop take from this arm, and tells whether it was its turn; `None` where the loop takes nothing.
    pub(super) fn take(&mut self, arm: Arm) -> Option<(Taken, Result<(), Disorder>)> {
        let accepts_proposals = self.run_loop.accepts_proposals();
        let taken = self.run_loop.take(arm)?;
        let turn = self.arrivals.taken(arm, accepts_proposals);
        match &taken {
            Taken::Tick => self.counts.ticks += 1,
            Taken::Ready { .. } => {
                self.asked = false;
                self.counts.ready_out = !self.run_loop.node().config().async_storage_writes;
            }
            Taken::Advance => self.counts.ready_out = false,
            Taken::Proposal { .. }
            | Taken::UnattendedProposal { .. }
            | Taken::Message(_)
            | Taken::Read { .. }
            | Taken::MembershipChange { .. }
            | Taken::Status { .. }
            | Taken::Stop => {}
        }
        Some((taken, turn))
    }

    pub(super) fn show(&self) -> LoopView {
        self.counts.view(&self.run_loop)
    }
}

impl Counts {
    fn view(&self, run_loop: &RunLoop<MemStorage>) -> LoopView {
        LoopView {
            limits: run_loop.limits(),
            leader: run_loop.node().soft_state().leader,
            accepts_proposals: run_loop.accepts_proposals(),
            proposals: run_loop.waiting_proposals(),
            messages: run_loop.waiting_messages(),
            pending_ticks: run_loop.pending_ticks(),
            missed_ticks: run_loop.missed_ticks(),
            taken_ticks: self.ticks,
            clock: self.clock,
            responses: self.responses,
            ready_out: self.ready_out,
            available: run_loop.available().fold(0, |bits, arm| bits | 1 << arm as u8),
        }
    }
}

const NEVER_STOPPED: &str = "a loop of the world ends only with its node";
