//! What an input does to a node that stands behind handles: each action as the call of a handle.

use bytes::Bytes;
use raft::node::RunLoop;
use raft::{
    Body, ChangeError, ConfChange, ConfChangeV2, ConfState, Index, MemStorage, Message, NodeId, RawNode, Ready,
    SnapshotStatus, StorageAppended, StorageApplied,
};

use super::super::Habits;
use super::super::calls::{Answer, Kind};
use super::super::ledger::Ledger;
use super::super::stopping::end;
use super::Handled;
use crate::harness::step::door::Door;

impl Door for Handled {
    fn look<R>(&self, look: impl FnOnce(&RawNode<MemStorage>) -> R) -> R {
        self.node.inspect(|run_loop| look(run_loop.node()))
    }

    fn with_storage<R>(&mut self, access: impl FnOnce(&mut MemStorage) -> R) -> R {
        self.node.with_storage(access)
    }

    fn restart(&mut self, node: RawNode<MemStorage>) {
        let habits = Habits { ending: self.habits.ending.wrapping_add(1), ..self.habits };
        let ended = std::mem::replace(self, Self::new(node, self.limits, self.habits));
        self.habits = habits;
        self.ledger = ended.ledger.of_next_node();
        end(ended.node, ended.driver, ended.calls, ended.habits.ending);
    }

    fn pump(&mut self) -> bool {
        if self.driver.is_woken() {
            self.drive();
            return true;
        }
        let anybody = self.calls.iter().any(|call| call.task.is_woken());
        self.poll_all_woken();
        anybody
    }

    fn tick(&mut self) {
        let ticks = |run_loop: &RunLoop<MemStorage>| u64::from(run_loop.pending_ticks()) + run_loop.missed_ticks();
        let before = self.node.inspect(ticks);
        self.node.tick().expect("nobody has stopped the node");
        self.order.look(&self.node);
        assert_eq!(self.node.inspect(ticks), before + 1, "a tick is counted or missed");
    }

    fn campaign(&mut self) {
        self.notice(|node| async move { node.campaign().await });
    }

    fn propose(&mut self, data: Bytes) {
        let (node, number) = (self.node.clone(), self.ledger.number());
        let data = Ledger::mark(number, &data);
        self.call(Kind::Proposal(number), async move { Answer::Proposed(node.propose(data).await) });
    }

    fn propose_conf_change(&mut self, change: ConfChange) {
        let node = self.node.clone();
        self.call(Kind::Unattended, async move { Answer::Entered(node.propose_conf_change(change).await) });
    }

    fn step(&mut self, message: Message) {
        self.ledger.hear(&message);
        match message.body {
            Body::Propose { .. } => {
                let node = self.node.clone();
                self.call(Kind::Unattended, async move { Answer::Entered(node.step(message).await) });
            }
            _ => self.notice(|node| async move { node.step(message).await }),
        }
    }

    fn read_index(&mut self, context: Bytes) {
        let number = self.ledger.number();
        let context = Ledger::mark(number, &context);
        let node = self.node.clone();
        self.call(Kind::Read(number), async move { Answer::Read(node.read_index(context).await) });
    }

    fn transfer_leadership(&mut self, target: NodeId) {
        self.notice(|node| async move { node.transfer_leadership(target).await });
    }

    fn forget_leader(&mut self) {
        self.notice(|node| async move { node.forget_leader().await });
    }

    fn report_unreachable(&mut self, peer: NodeId) {
        self.notice(|node| async move { node.report_unreachable(peer).await });
    }

    fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) {
        self.notice(|node| async move { node.report_snapshot(peer, status).await });
    }

    /// Only tests need this, so a handle cannot do it.
    fn set_election_timeout(&mut self, _: u32) {}

    fn ready(&mut self) -> Option<Ready> {
        if self.arrived.is_empty() && self.calls.iter().all(|call| call.kind != Kind::Ready) {
            self.ask_ready();
        }
        self.arrived.pop_front()
    }

    fn advance(&mut self, ready: Ready) {
        self.out = false;
        self.node.advance(ready).expect("it is the outstanding one");
        self.order.look(&self.node);
    }

    fn apply_conf_change(&mut self, index: Index, change: ConfChangeV2) -> Result<ConfState, ChangeError> {
        let node = self.node.clone();
        let applied = async move { Answer::Changed(node.apply_conf_change_at(index, change).await) };
        match self.finish(Kind::AppliedChange, applied) {
            Answer::Changed(result) => result.map_err(|error| match error {
                raft::NodeError::Refused(error) => error,
                raft::NodeError::Stopped => panic!("nobody has stopped the node"),
            }),
            other => panic!("a membership change is answered with {other:?}"),
        }
    }

    /// The storage threads wait for room.
    fn own(&mut self, message: Message) {
        let node = self.node.clone();
        let entered = self.finish(Kind::Message, async move { Answer::Entered(node.step(message).await) });
        assert!(!entered.is_stopped(), "nobody has stopped the node");
    }

    fn storage_appended(&mut self, appended: StorageAppended) {
        self.node.storage_appended(appended).expect("nobody has stopped the node");
        self.order.look(&self.node);
    }

    fn storage_applied(&mut self, applied: StorageApplied) {
        self.node.storage_applied(applied).expect("nobody has stopped the node");
        self.order.look(&self.node);
    }
}
