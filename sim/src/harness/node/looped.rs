//! A node through its run loop as a plain value: everything waits for the loop, and the input says when the loop takes
//! something, and whether a Ready goes first.
//!
//! What the loop adds is checked as well: inputs are taken in the order in which they came, except proposals that wait
//! for a leader; the loop takes nothing that is not due; each question is answered once and in order; one Ready is out
//! at a time; and nothing comes after the stop.

use std::collections::VecDeque;

use bytes::Bytes;
use raft::node::{Arm, EnqueueError, FairChooser, Limits, RunLoop, Taken, Ticked, Ticket};
use raft::{
    Body, ChangeError, ConfChange, ConfChangeV2, ConfState, Index, MemStorage, Message, NodeId, RawNode, Ready,
    SnapshotStatus, StorageAppended, StorageApplied,
};

use super::Input;
use crate::harness::step::Run;
use crate::harness::step::door::{Door, check_refused};
use crate::invariant::Arrivals;

/// The bits of a turn that say how many inputs are taken.
const INPUTS: u8 = 0b111;
/// A Ready is taken before them.
const READY_FIRST: u8 = 1 << 3;
/// A Ready is taken after them.
const READY_LAST: u8 = 1 << 4;
/// All bits of a turn.
pub(super) const ALL: u8 = INPUTS | READY_FIRST | READY_LAST;

/// Lets all of it happen, and stops the loop in the end.
pub(super) fn run(input: &Input) {
    let mut run = Run::new(&input.step, |node| Looped::new(node, input.limits));
    for turn in &input.turns {
        run.next();
        if turn.bits & READY_FIRST != 0 {
            run.door.take(Arm::Ready);
        }
        for _ in 0..turn.bits & INPUTS {
            run.door.take_input();
            run.look();
        }
        if turn.bits & READY_LAST != 0 {
            run.door.take(Arm::Ready);
        }
        run.look();
    }
    run.settle();
    run.door.stop();
}

/// A node behind its loop.
struct Looped {
    run_loop: RunLoop<MemStorage>,
    chooser: FairChooser,
    /// The inputs that came and were not taken yet.
    arrivals: Arrivals,
    limits: Limits,
    /// The request for a Ready that waits.
    asked: Option<Ticket>,
    /// A Ready that has come.
    ready: Option<Ready>,
    /// The proposals that wait for their answer, oldest first.
    proposed: VecDeque<Ticket>,
}

impl Looped {
    fn new(node: RawNode<MemStorage>, limits: Limits) -> Self {
        let run_loop = RunLoop::new(node, limits);
        let (chooser, arrivals) = (FairChooser::default(), Arrivals::default());
        Self { run_loop, chooser, arrivals, limits, asked: None, ready: None, proposed: VecDeque::new() }
    }

    /// Takes the input that came first, if any can be taken, and checks that no other can be.
    fn take_input(&mut self) {
        let next = self.run_loop.next_input();
        for arm in Arm::ALL {
            let may_be_next = arm == Arm::Ready || next == Some(arm);
            assert!(may_be_next || self.run_loop.take(arm).is_none(), "{arm:?} is taken, and {next:?} is next");
        }
        if let Some(arm) = next {
            self.take(arm);
        }
    }

    /// Takes something from an arm, if it is the turn of something there. Returns whether it was.
    fn take(&mut self, arm: Arm) -> bool {
        let could = self.run_loop.can_take(arm);
        let accepts_proposals = self.run_loop.accepts_proposals();
        let before = matches!(arm, Arm::Message | Arm::Proposal).then(|| self.run_loop.node().clone());
        let taken = self.run_loop.take(arm);
        assert_eq!(taken.is_some(), could, "{arm:?} was said to be available or not");
        if could {
            let turn = self.arrivals.taken(arm, accepts_proposals);
            assert_eq!(turn, Ok(()), "it was not the turn of {arm:?}");
        }
        match taken {
            Some(Taken::Message(Err(error)) | Taken::UnattendedProposal { result: Err(error), .. }) => {
                check_refused(&before.expect("cloned for these arms"), self.run_loop.node(), &error);
            }
            Some(Taken::Ready { ticket, ready }) => {
                assert_eq!(self.asked.take(), Some(ticket), "the Ready goes to who asked");
                self.ready = Some(*ready);
            }
            Some(Taken::Proposal { ticket, result: _ }) => {
                assert_eq!(self.proposed.pop_front(), Some(ticket), "proposals are answered in order");
            }
            Some(
                Taken::Message(Ok(()))
                | Taken::Read { .. }
                | Taken::UnattendedProposal { result: Ok(()), .. }
                | Taken::MembershipChange { .. }
                | Taken::Tick
                | Taken::Advance
                | Taken::Status { .. }
                | Taken::Stop,
            )
            | None => {}
        }
        could
    }

    /// Hands in something that the loop refuses only if its queue is full.
    fn enter<T>(
        &mut self,
        arm: Arm,
        enter: impl FnOnce(&mut RunLoop<MemStorage>) -> Result<T, EnqueueError>,
    ) -> Option<T> {
        let room = match arm {
            Arm::Proposal => self.run_loop.proposal_room(),
            _ => self.run_loop.message_room(),
        };
        match enter(&mut self.run_loop) {
            Ok(entered) => {
                self.arrivals.came(arm);
                Some(entered)
            }
            Err(EnqueueError::Full) => {
                assert_eq!(room, 0, "the loop refused although there was room");
                None
            }
            Err(EnqueueError::Stopped) => panic!("nobody has stopped the loop"),
        }
    }

    fn notice(&mut self, enter: impl FnOnce(&mut RunLoop<MemStorage>) -> Result<(), EnqueueError>) {
        self.enter(Arm::Message, enter);
    }

    /// Stops the loop, and checks that nothing comes after that.
    fn stop(&mut self) {
        self.run_loop.stop();
        self.arrivals.came(Arm::Stop);
        self.take(Arm::Stop);
        assert!(self.run_loop.is_stopped(), "the loop takes the stop at once");
        assert_eq!(self.run_loop.available().count(), 0, "a stopped loop takes nothing");
        assert_eq!(self.run_loop.campaign(), Err(EnqueueError::Stopped));
    }
}

impl Door for Looped {
    fn look<R>(&self, look: impl FnOnce(&RawNode<MemStorage>) -> R) -> R {
        look(self.run_loop.node())
    }

    fn with_storage<R>(&mut self, access: impl FnOnce(&mut MemStorage) -> R) -> R {
        access(self.run_loop.storage_mut())
    }

    fn restart(&mut self, node: RawNode<MemStorage>) {
        self.stop();
        *self = Self::new(node, self.limits);
    }

    fn pump(&mut self) -> bool {
        // A Ready is taken when the host asks for it.
        match self.chooser.choose(&self.run_loop) {
            Some(arm) => self.take(arm),
            None => false,
        }
    }

    fn tick(&mut self) {
        let pending = self.run_loop.pending_ticks();
        let missed = self.run_loop.missed_ticks();
        if self.run_loop.tick().expect("nobody has stopped the loop") == Ticked::Counted {
            self.arrivals.came(Arm::Tick);
        }
        let now = (u64::from(self.run_loop.pending_ticks()), self.run_loop.missed_ticks());
        assert_eq!(now.0 + now.1, u64::from(pending) + missed + 1, "a tick is counted or missed");
        assert!(now.0 <= u64::from(self.limits.ticks), "{} ticks wait", now.0);
    }

    fn campaign(&mut self) {
        self.notice(RunLoop::campaign);
    }

    fn propose(&mut self, data: Bytes) {
        let ticket = self.enter(Arm::Proposal, |run_loop| run_loop.propose(data));
        self.proposed.extend(ticket);
    }

    fn propose_conf_change(&mut self, change: ConfChange) {
        self.enter(Arm::Proposal, |run_loop| run_loop.propose_conf_change(change));
    }

    fn step(&mut self, message: Message) {
        let arm = if matches!(message.body, Body::Propose { .. }) { Arm::Proposal } else { Arm::Message };
        self.enter(arm, |run_loop| run_loop.step(message));
    }

    fn read_index(&mut self, context: Bytes) {
        self.enter(Arm::Message, |run_loop| run_loop.read_index(context));
    }

    fn transfer_leadership(&mut self, target: NodeId) {
        self.notice(|run_loop| run_loop.transfer_leadership(target));
    }

    fn forget_leader(&mut self) {
        self.notice(RunLoop::forget_leader);
    }

    fn report_unreachable(&mut self, peer: NodeId) {
        self.notice(|run_loop| run_loop.report_unreachable(peer));
    }

    fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) {
        self.notice(|run_loop| run_loop.report_snapshot(peer, status));
    }

    /// Only tests need this, so it is not an input of the loop.
    fn set_election_timeout(&mut self, _: u32) {}

    fn ready(&mut self) -> Option<Ready> {
        if self.ready.is_none() && self.asked.is_none() {
            self.asked = Some(self.run_loop.request_ready().expect("nobody has stopped the loop"));
            self.arrivals.came(Arm::Ready);
        }
        if self.ready.is_none() {
            self.take(Arm::Ready);
        }
        self.ready.take()
    }

    fn advance(&mut self, ready: Ready) {
        self.run_loop.advance(ready).expect("it is the outstanding one");
        self.arrivals.came(Arm::Advance);
    }

    fn apply_conf_change(&mut self, index: Index, change: ConfChangeV2) -> Result<ConfState, ChangeError> {
        let asked = self.run_loop.apply_conf_change_at(index, change).expect("nobody has stopped the loop");
        self.arrivals.came(Arm::MembershipChange);
        // The application waits for the answer, and the loop takes what came before.
        while self.run_loop.next_input().is_some_and(|next| next != Arm::MembershipChange) {
            self.take_input();
        }
        assert_eq!(self.arrivals.taken(Arm::MembershipChange, self.run_loop.accepts_proposals()), Ok(()));
        match self.run_loop.take(Arm::MembershipChange) {
            Some(Taken::MembershipChange { ticket, result }) if ticket == asked => result,
            other => panic!("the answer to {asked:?} is {other:?}"),
        }
    }

    /// The storage threads wait for room.
    fn own(&mut self, message: Message) {
        while self.run_loop.message_room() == 0 {
            self.take_input();
        }
        self.notice(|run_loop| run_loop.step(message));
    }

    fn storage_appended(&mut self, appended: StorageAppended) {
        self.run_loop.storage_appended(appended).expect("nobody has stopped the loop");
        self.arrivals.came(Arm::Message);
    }

    fn storage_applied(&mut self, applied: StorageApplied) {
        self.run_loop.storage_applied(applied).expect("nobody has stopped the loop");
        self.arrivals.came(Arm::Message);
    }
}

#[cfg(test)]
mod tests {
    use arbitrary::{Arbitrary, Unstructured};

    use super::*;
    use crate::harness::step;

    fn looped() -> Looped {
        let input = step::Input::arbitrary(&mut Unstructured::new(&[])).expect("any bytes are an input");
        Run::new(&input, |node| Looped::new(node, Limits::default())).door
    }

    #[test]
    #[should_panic(expected = "the Ready goes to who asked")]
    fn a_ready_for_somebody_else_is_noticed() {
        let mut looped = looped();
        looped.run_loop.request_ready().expect("it runs");
        looped.arrivals.came(Arm::Ready);
        looped.campaign();
        looped.take(Arm::Message);
        looped.take(Arm::Ready);
    }

    #[test]
    #[should_panic(expected = "it was not the turn of Message")]
    fn an_input_that_passes_an_earlier_one_is_noticed() {
        let mut looped = looped();
        looped.arrivals.came(Arm::Tick);
        looped.campaign();
        looped.take_input();
    }
}
