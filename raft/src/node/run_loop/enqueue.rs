//! The ways into a run loop.

use bytes::Bytes;

use super::{RunLoop, Stop, Ticked};
use crate::error::AdvanceError;
use crate::membership::{ConfChange, ConfChangeV2};
use crate::message::{Body, Message};
use crate::node::error::{EnqueueError, NodeError, Stopped};
use crate::node::input::{AppliedChange, Content, Input, Notice, Proposal, Ticket};
use crate::raw_node::SnapshotStatus;
use crate::ready::{Ready, StorageAppended, StorageApplied};
use crate::storage::Storage;
use crate::types::{Index, NodeId};

impl<S: Storage> RunLoop<S> {
    /// Data to propose; the answer says whether it was dropped.
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn propose(&mut self, data: Bytes) -> Result<Ticket, EnqueueError> {
        self.enqueue_proposal(Proposal::Own(Content::Data(data)))
    }

    /// A membership change to propose. As in etcd the answer says that it was taken, not whether it was dropped.
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn propose_conf_change(&mut self, change: ConfChange) -> Result<Ticket, EnqueueError> {
        self.enqueue_proposal(Proposal::Own(Content::ConfChange(change)))
    }

    /// Data that this node has to append itself, as the leader, because somebody waits until it is applied. What became of
    /// it is told by [`take_settled`](Self::take_settled), or taken by [`take_awaited`](Self::take_awaited). It is remembered until
    /// then, or until it is [cancelled](Self::cancel).
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn propose_awaited(&mut self, data: Bytes) -> Result<Ticket, EnqueueError> {
        self.enqueue_proposal(Proposal::Awaited(Content::Data(data)))
    }

    /// Like [`propose_awaited`](Self::propose_awaited), for a membership change.
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn propose_conf_change_awaited(&mut self, change: ConfChange) -> Result<Ticket, EnqueueError> {
        self.enqueue_proposal(Proposal::Awaited(Content::ConfChange(change)))
    }

    /// A proposal that a peer forwarded. The answer says that it was taken.
    ///
    /// # Errors
    /// No room, or stopped.
    pub(in crate::node) fn propose_forwarded(&mut self, message: Message) -> Result<Ticket, EnqueueError> {
        self.enqueue_proposal(Proposal::Forwarded(message))
    }

    fn enqueue_proposal(&mut self, proposal: Proposal) -> Result<Ticket, EnqueueError> {
        self.check_running()?;
        if self.proposal_room() == 0 {
            return Err(EnqueueError::Full);
        }
        Ok(self.inputs.propose(proposal))
    }

    /// A message from a peer. A forwarded proposal is a proposal: it needs room among those, and waits with them for a
    /// leader.
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn step(&mut self, message: Message) -> Result<(), EnqueueError> {
        match message.body {
            Body::Propose { .. } => self.propose_forwarded(message).map(|_| ()),
            _ => self.enqueue_notice(Notice::Message(message)),
        }
    }

    /// A request to campaign; see [`RawNode::campaign`](crate::RawNode::campaign).
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn campaign(&mut self) -> Result<(), EnqueueError> {
        self.enqueue_notice(Notice::Campaign)
    }

    /// A request to hand leadership over; see [`RawNode::transfer_leadership`](crate::RawNode::transfer_leadership).
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn transfer_leadership(&mut self, target: NodeId) -> Result<(), EnqueueError> {
        self.enqueue_notice(Notice::TransferLeadership(target))
    }

    /// A request to forget the leader; see [`RawNode::forget_leader`](crate::RawNode::forget_leader).
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn forget_leader(&mut self) -> Result<(), EnqueueError> {
        self.enqueue_notice(Notice::ForgetLeader)
    }

    /// A request for a read index; see [`RawNode::try_read_index`](crate::RawNode::try_read_index). The answer says whether
    /// one may come.
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn read_index(&mut self, context: Bytes) -> Result<Ticket, EnqueueError> {
        self.enqueue_with_ticket(Notice::ReadIndex(context))
    }

    /// A request for a read index that somebody waits for until that index is applied; see
    /// [`Node::read_index_until_applied`](crate::Node::read_index_until_applied). What became of it is told by
    /// [`take_settled_reads`](Self::take_settled_reads). It is remembered until then, or until it is [cancelled](Self::cancel).
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn read_index_awaited(&mut self, context: Bytes) -> Result<Ticket, EnqueueError> {
        self.enqueue_with_ticket(Notice::AwaitedRead(context))
    }

    /// A report that a peer was not reached; see [`RawNode::report_unreachable`](crate::RawNode::report_unreachable).
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn report_unreachable(&mut self, peer: NodeId) -> Result<(), EnqueueError> {
        self.enqueue_notice(Notice::Unreachable(peer))
    }

    /// A report of how sending a snapshot ended; see [`RawNode::report_snapshot`](crate::RawNode::report_snapshot).
    ///
    /// # Errors
    /// No room, or stopped.
    pub fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) -> Result<(), EnqueueError> {
        self.enqueue_notice(Notice::Snapshot(peer, status))
    }

    fn enqueue_notice(&mut self, notice: Notice) -> Result<(), EnqueueError> {
        self.enqueue_with_ticket(notice).map(|_ticket| ())
    }

    fn enqueue_with_ticket(&mut self, notice: Notice) -> Result<Ticket, EnqueueError> {
        self.check_running()?;
        if self.message_room() == 0 {
            return Err(EnqueueError::Full);
        }
        Ok(self.inputs.push(Input::Notice(notice)))
    }

    /// With asynchronous storage writes: a response of the append thread. It always finds room: there are no more of
    /// them than Readys were handed out.
    ///
    /// # Errors
    /// Stopped.
    pub fn storage_appended(&mut self, appended: StorageAppended) -> Result<(), Stopped> {
        self.check_running()?;
        self.inputs.push(Input::Notice(Notice::StorageAppended(appended)));
        Ok(())
    }

    /// With asynchronous storage writes: a response of the apply thread, for which there is always room too.
    ///
    /// # Errors
    /// Stopped.
    pub fn storage_applied(&mut self, applied: StorageApplied) -> Result<(), Stopped> {
        self.check_running()?;
        self.inputs.push(Input::Notice(Notice::StorageApplied(applied)));
        Ok(())
    }

    /// A membership change that the application applies; the answer is the new membership.
    ///
    /// It is taken at face value: if the node takes up a snapshot after it has handed the change out, the change is
    /// applied to the membership of the snapshot, which contains it already. See
    /// [`apply_conf_change_at`](Self::apply_conf_change_at).
    ///
    /// # Errors
    /// Stopped.
    pub fn apply_conf_change(&mut self, change: ConfChangeV2) -> Result<Ticket, Stopped> {
        self.enqueue_change(AppliedChange { change, index: None })
    }

    /// The membership change of the entry at `index`, that the application applies; the answer is the new membership, or
    /// [`ChangeError::Overtaken`](crate::ChangeError::Overtaken) where the node has meanwhile taken up a snapshot that
    /// replaces the entry, and keeps the membership of that.
    ///
    /// # Errors
    /// Stopped.
    pub fn apply_conf_change_at(&mut self, index: Index, change: ConfChangeV2) -> Result<Ticket, Stopped> {
        self.enqueue_change(AppliedChange { change, index: Some(index) })
    }

    fn enqueue_change(&mut self, change: AppliedChange) -> Result<Ticket, Stopped> {
        self.check_running()?;
        Ok(self.inputs.push(Input::MembershipChange(change)))
    }

    /// One tick of the clock.
    ///
    /// # Errors
    /// Stopped.
    pub fn tick(&mut self) -> Result<Ticked, Stopped> {
        self.check_running()?;
        if self.pending_ticks() < self.limits.ticks {
            self.inputs.push(Input::Tick);
            Ok(Ticked::Counted)
        } else {
            self.missed_ticks += 1;
            Ok(Ticked::Missed)
        }
    }

    /// Asks for the next Ready, which is the answer.
    ///
    /// # Errors
    /// Stopped.
    pub fn request_ready(&mut self) -> Result<Ticket, Stopped> {
        self.check_running()?;
        let ticket = self.inputs.number();
        self.ready_requests.push_back(ticket);
        Ok(ticket)
    }

    /// Gives back a Ready that nobody has looked at, because the caller that asked for it has gone; the next one that
    /// asks gets it. With asynchronous storage writes several may come back, in any order; they go out again in the
    /// order in which they were made. A Ready that this loop does not wait for, such as another node's, is dropped.
    pub fn return_ready(&mut self, ready: Ready) {
        if self.is_stopped() || self.node.is_foreign(&ready) {
            return;
        }
        if !self.node.config().async_storage_writes && self.outstanding.take_if(|out| *out == ready.number).is_none() {
            return;
        }
        let position = self.returned.partition_point(|other| other.number < ready.number);
        self.returned.insert(position, ready);
    }

    /// The outstanding Ready comes back, and its work is done.
    ///
    /// # Errors
    /// Stopped, or as [`RawNode::advance`](crate::RawNode::advance); nothing changes then.
    pub fn advance(&mut self, ready: Ready) -> Result<(), NodeError<AdvanceError>> {
        self.check_running()?;
        self.node.check_outstanding(&ready).map_err(NodeError::Refused)?;
        if self.outstanding != Some(ready.number) {
            return Err(NodeError::Refused(AdvanceError::NotOutstanding));
        }
        self.outstanding = None;
        self.inputs.push(Input::Advance(Box::new(ready)));
        Ok(())
    }

    /// Asks for the status, which is the answer.
    ///
    /// # Errors
    /// Stopped.
    pub fn request_status(&mut self) -> Result<Ticket, Stopped> {
        self.check_running()?;
        Ok(self.inputs.push(Input::Status))
    }

    /// Asks the loop to end.
    pub fn stop(&mut self) {
        if self.stopped == Stop::No {
            self.stopped = Stop::Requested;
        }
    }

    /// Takes back an input that has not been taken, or forgets a proposal or a read that was awaited: nobody waits for
    /// its answer any more. Does nothing if it is too late.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.inputs.cancel(ticket);
        self.awaited.cancel(ticket);
        self.awaited_reads.cancel(ticket);
        self.ready_requests.retain(|waiting| *waiting != ticket);
    }

    fn check_running(&self) -> Result<(), Stopped> {
        if self.is_stopped() { Err(Stopped) } else { Ok(()) }
    }
}
