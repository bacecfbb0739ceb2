//! The project's run loop under the world: what it is told joins its queues.

use std::hash::{Hash, Hasher};

use bytes::Bytes;
use raft::node::{Arm, EnqueueError, Limits, RunLoop, Stopped, Taken, Ticked, Ticket};
use raft::{
    Body, ChangeError, ConfChange, ConfChangeV2, ConfState, Entry, MemStorage, Message, NodeId, RawNode, Ready,
    SnapshotStatus, StorageAppended, StorageApplied,
};

use crate::invariant::{Arrivals, Disorder, LoopView};
use crate::world::consensus::{Consensus, Handed, Node, Rider, Stored, Told};
use crate::world::outcome::Refusal;

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

/// The view follows from the loop and the counts.
impl Hash for Looped {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { run_loop, asked, changing, arrivals, last_proposal, view: _, counts } = self;
        run_loop.hash_state(state);
        (asked, changing, arrivals, last_proposal, counts).hash(state);
    }
}

impl Looped {
    pub(super) fn new(node: RawNode<MemStorage>, limits: Limits) -> Self {
        let run_loop = RunLoop::new(node, limits);
        let counts = Counts::default();
        let view = counts.view(&run_loop);
        let arrivals = Arrivals::default();
        Self { run_loop, asked: false, changing: None, arrivals, last_proposal: None, view, counts }
    }

    /// Hands the loop what comes from this arm, if it has room.
    fn enqueue<T>(
        &mut self,
        arm: Arm,
        enqueue: impl FnOnce(&mut RunLoop<MemStorage>) -> Result<T, EnqueueError>,
    ) -> Told {
        match enqueue(&mut self.run_loop) {
            Ok(_) => {
                self.arrivals.came(arm);
                Ok(())
            }
            Err(EnqueueError::Full) => Err(Refusal::Full),
            Err(EnqueueError::Stopped) => panic!("{NEVER_STOPPED}"),
        }
    }

    fn notify(&mut self, notify: impl FnOnce(&mut RunLoop<MemStorage>) -> Result<(), EnqueueError>) -> Told {
        self.enqueue(Arm::Message, notify)
    }

    fn respond(&mut self, respond: impl FnOnce(&mut RunLoop<MemStorage>) -> Result<(), Stopped>) {
        self.counts.responses += 1;
        respond(&mut self.run_loop).expect(NEVER_STOPPED);
        self.arrivals.came(Arm::Message);
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

impl Consensus for Looped {
    fn seen(&self) -> &dyn Node {
        self.run_loop.node()
    }

    fn cloned(&self) -> Box<dyn Consensus> {
        Box::new(self.clone())
    }

    fn tick(&mut self) {
        self.counts.clock += 1;
        match self.run_loop.tick().expect(NEVER_STOPPED) {
            Ticked::Counted => self.arrivals.came(Arm::Tick),
            Ticked::Missed => {}
        }
    }

    fn campaign(&mut self) -> Told {
        self.notify(RunLoop::campaign)
    }

    fn propose(&mut self, data: Bytes) -> Told {
        self.enqueue(Arm::Proposal, |run_loop| run_loop.propose(data))
    }

    fn propose_conf_change(&mut self, change: &ConfChange) -> Told {
        self.enqueue(Arm::Proposal, |run_loop| run_loop.propose_conf_change(change.clone()))
    }

    fn transfer_leadership(&mut self, target: NodeId) -> Told {
        self.notify(|run_loop| run_loop.transfer_leadership(target))
    }

    fn forget_leader(&mut self) -> Told {
        self.notify(RunLoop::forget_leader)
    }

    fn read_index(&mut self, context: Bytes) -> Told {
        self.enqueue(Arm::Message, |run_loop| run_loop.read_index(context))
    }

    fn report_unreachable(&mut self, peer: NodeId) -> Told {
        self.notify(|run_loop| run_loop.report_unreachable(peer))
    }

    fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) -> Told {
        self.notify(|run_loop| run_loop.report_snapshot(peer, status))
    }

    fn set_election_timeout(&mut self, ticks: u32) -> Told {
        self.run_loop.set_randomized_election_timeout(ticks);
        Ok(())
    }

    fn step(&mut self, message: Message, _: Option<Rider>) -> Told {
        let arm = if matches!(message.body, Body::Propose { .. }) { Arm::Proposal } else { Arm::Message };
        self.enqueue(arm, |run_loop| run_loop.step(message))
    }

    fn storage_appended(&mut self, appended: StorageAppended) {
        self.respond(|run_loop| run_loop.storage_appended(appended));
    }

    fn storage_applied(&mut self, applied: StorageApplied) {
        self.respond(|run_loop| run_loop.storage_applied(applied));
    }

    fn ready(&mut self) -> Option<Handed> {
        self.asked = true;
        self.run_loop.request_ready().expect(NEVER_STOPPED);
        self.arrivals.came(Arm::Ready);
        None
    }

    fn advance(&mut self, ready: Ready) {
        self.run_loop.advance(ready).expect("it is the outstanding one");
        self.arrivals.came(Arm::Advance);
    }

    fn apply_conf_change(&mut self, entry: &Entry, change: &ConfChangeV2) -> Option<Result<ConfState, ChangeError>> {
        self.run_loop.apply_conf_change_at(entry.index, change.clone()).expect(NEVER_STOPPED);
        self.arrivals.came(Arm::MembershipChange);
        self.changing = Some(entry.clone());
        None
    }

    fn hash_state(&self, mut state: &mut dyn Hasher) {
        self.hash(&mut state);
    }

    fn store(&mut self, change: Stored<'_>) -> bool {
        change.apply_to(self.run_loop.storage_mut()).is_ok()
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
