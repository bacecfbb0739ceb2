//! The loop that owns a node: what waits for it and all its rules, as a plain value. It waits for nothing and wakes nobody, so
//! that production and simulation run the very same code.

mod enqueue;
mod state;

use std::collections::VecDeque;

use bytes::Bytes;

use super::arm::Arm;
use super::awaited::{Awaited, Settled};
use super::awaited_reads::{AwaitedReads, SettledRead};
use super::input::{AppliedChange, Content, Input, Notice, Proposal, Taken, Ticket};
use super::inputs::Inputs;
use crate::error::{AdvanceError, ReadError};
use crate::membership::ChangeError;
use crate::message::Message;
use crate::planted::{Bug, planted};
use crate::raw_node::RawNode;
use crate::ready::{Ready, StorageApplied};
use crate::storage::Storage;
use crate::types::{EntryId, Index, NodeId};

/// How much may wait in a [`RunLoop`]. Each limit has to be at least one, or nothing of the kind ever gets in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// The number of proposals.
    pub proposals: usize,
    /// The number of messages, requests and reports.
    pub messages: usize,
    /// The number of ticks that were counted and not yet taken. Further ticks are missed.
    pub ticks: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { proposals: 1024, messages: 1024, ticks: 128 }
    }
}

/// What became of a tick.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ticked {
    /// It will be taken.
    Counted,
    /// Too many wait already: it is lost, and the node's clock is late by one more tick.
    Missed,
}

/// A [`RawNode`] with the inputs that wait for it, and the rules by which it takes them.
///
/// Each kind of input has a method that queues it. [`take`](Self::take) takes the next input and returns what came of
/// it; the [`Arm`] that it is given says of which kind the input has to be. The caller chooses whether a Ready or the
/// next input goes first: with a [`FairChooser`] in production, by the event in a simulation. The rules:
///
/// - Inputs of all kinds are taken in the order in which they came. So two calls of one caller take effect in that
///   order, as in etcd, where a call returns when its input was taken.
/// - Proposals wait while no leader is known, and others pass them then. A node that a membership change removed keeps
///   them waiting too, until the leader changes; in the outgoing half of a joint configuration it still belongs. When the
///   waiting ends they come before all that came after them.
/// - A Ready is collected only when it is taken for somebody who asked, and not before an input that came before the
///   request. Until that one is advanced there is no other, with synchronous storage writes, while everything else goes
///   on.
/// - Proposals, messages and ticks are bounded in number; a tick that finds too many others waiting is missed and counted.
/// - A stop goes before everything: nobody would learn what came of the rest. After it the loop takes nothing any more. A
///   loop whose [storage failed](RawNode::failure) asks itself to stop.
///
/// ```
/// use raft::node::{Arm, Limits, RunLoop, Taken};
/// use raft::{ConfState, Config, MemStorage, NodeId, RawNode, Role};
///
/// let id = NodeId::new(1).unwrap();
/// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
/// let node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(alone)).unwrap();
/// let mut run_loop = RunLoop::new(node, Limits::default());
///
/// run_loop.propose("early".into())?;
/// assert_eq!(run_loop.take(Arm::Proposal), None, "nobody leads");
/// run_loop.campaign()?;
/// run_loop.take(Arm::Message);
/// let ticket = run_loop.request_ready()?;
/// let Some(Taken::Ready { ticket: for_whom, ready }) = run_loop.take(Arm::Ready) else { panic!() };
/// assert_eq!((for_whom, ready.soft_state.map(|state| state.role)), (ticket, Some(Role::PreCandidate)));
/// # Ok::<(), raft::node::EnqueueError>(())
/// ```
///
/// [`FairChooser`]: super::FairChooser
#[derive(Clone, Debug)]
pub struct RunLoop<S: Storage> {
    node: RawNode<S>,
    limits: Limits,
    stopped: Stop,
    inputs: Inputs,
    missed_ticks: u64,
    awaited: Awaited,
    awaited_reads: AwaitedReads,
    /// The requests for a Ready that wait, in the order in which they came.
    ready_requests: VecDeque<Ticket>,
    /// Readys that came back unseen, in the order of their making, to be handed out before any other.
    returned: VecDeque<Ready>,
    /// The number of the Ready that is out and has to be advanced.
    outstanding: Option<u64>,
    /// The leader when the last input had been taken.
    leader: Option<NodeId>,
    accepts_proposals: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Stop {
    No,
    Requested,
    Done,
}

/// What the application or the transport asks of the node or tells it; see [`RunLoop::next_demand`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Demand {
    /// To campaign.
    Campaign,
    /// To hand leadership over.
    TransferLeadership {
        /// To whom.
        target: NodeId,
    },
    /// How sending a snapshot ended.
    ReportSnapshot {
        /// The receiver of the snapshot.
        peer: NodeId,
    },
    /// That the transport cannot reach a node.
    ReportUnreachable {
        /// Which.
        peer: NodeId,
    },
}

impl<S: Storage> RunLoop<S> {
    /// A loop for which nothing waits.
    pub fn new(node: RawNode<S>, limits: Limits) -> Self {
        let mut run_loop = Self {
            node,
            limits,
            stopped: Stop::No,
            inputs: Inputs::default(),
            missed_ticks: 0,
            awaited: Awaited::default(),
            awaited_reads: AwaitedReads::default(),
            ready_requests: VecDeque::new(),
            returned: VecDeque::new(),
            outstanding: None,
            leader: None,
            accepts_proposals: false,
        };
        run_loop.notice_leader();
        run_loop
    }

    /// The arms that could be taken from now: the next input's, and those of a Ready and a stop, which need not wait for
    /// all inputs.
    pub fn available(&self) -> impl Iterator<Item = Arm> + '_ {
        let candidates = [Some(Arm::Stop), self.next_input(), Some(Arm::Ready)];
        candidates.into_iter().flatten().filter(|arm| self.can_take(*arm))
    }

    /// Where the next input comes from: of all that can be taken, the one that came first.
    pub fn next_input(&self) -> Option<Arm> {
        self.inputs.next(self.accepts_proposals).map(|(_, arm)| arm)
    }

    /// Whether [`take`](Self::take) would take something.
    pub fn can_take(&self, arm: Arm) -> bool {
        match arm {
            Arm::Stop => self.stopped == Stop::Requested,
            Arm::Ready => self.can_take_ready(),
            Arm::Proposal | Arm::Message | Arm::MembershipChange | Arm::Tick | Arm::Advance | Arm::Status => {
                self.next_input() == Some(arm)
            }
        }
    }

    /// A caller that has handed something in and then asks for a Ready does not get one from before.
    fn can_take_ready(&self) -> bool {
        let Some(&asked) = self.ready_requests.front() else { return false };
        let is_next = self.inputs.next(self.accepts_proposals).is_none_or(|(ticket, _)| asked < ticket);
        is_next && (!self.returned.is_empty() || self.node.has_ready())
    }

    /// Takes the next input, if it is one of this arm; `None` where it is another's turn, or where it has to wait.
    pub fn take(&mut self, arm: Arm) -> Option<Taken> {
        if !self.can_take(arm) {
            return None;
        }
        let taken = match arm {
            Arm::Proposal => self.take_proposal(),
            Arm::Message | Arm::MembershipChange | Arm::Tick | Arm::Advance | Arm::Status => self.take_other(),
            Arm::Ready => self.take_ready(),
            Arm::Stop => Some(self.take_stop()),
        };
        self.notice_leader();
        let applied = self.node.applied();
        self.awaited.applied_to(applied);
        self.awaited_reads.applied_to(applied);
        if self.node.failure().is_some() {
            self.stop();
        }
        taken
    }

    fn take_proposal(&mut self) -> Option<Taken> {
        let (ticket, proposal) = self.inputs.take_proposal()?;
        Some(match proposal {
            Proposal::Own(content) => content.propose(ticket, &mut self.node),
            Proposal::Awaited(content) => self.append_awaited(ticket, content),
            Proposal::Forwarded(message) => Taken::UnattendedProposal { ticket, result: self.node.step(message) },
        })
    }

    fn append_awaited(&mut self, ticket: Ticket, content: Content) -> Taken {
        let appended = content.append(&mut self.node);
        self.awaited.proposed(ticket, appended);
        Taken::Proposal { ticket, result: appended.map(|_entry| ()) }
    }

    fn take_other(&mut self) -> Option<Taken> {
        let (ticket, input) = self.inputs.take_other()?;
        Some(match input {
            Input::Notice(Notice::AwaitedRead(context)) => self.ask_awaited(ticket, context),
            Input::Notice(notice) => notice.step_into(ticket, &mut self.node),
            Input::MembershipChange(change) => self.apply_change(ticket, change),
            Input::Tick => {
                self.node.tick();
                Taken::Tick
            }
            Input::Advance(ready) => {
                match self.node.advance(*ready) {
                    // The loop stops then.
                    Ok(()) | Err(AdvanceError::StorageFailed) => Taken::Advance,
                    Err(error) => unreachable!("it was the outstanding one, and nothing else ends that: {error}"),
                }
            }
            Input::Status => Taken::Status { ticket, status: Box::new(self.node.status()) },
        })
    }

    fn ask_awaited(&mut self, ticket: Ticket, context: Bytes) -> Taken {
        let result = match self.awaited_reads.contains(&context) {
            true => Err(ReadError::ContextInUse),
            false => self.node.try_read_index(context.clone()),
        };
        self.awaited_reads.asked(ticket, context, result);
        Taken::Read { ticket, result }
    }

    /// A node that was no member before does not count as removed: it may be a member without knowing, while it catches
    /// up.
    fn apply_change(&mut self, ticket: Ticket, AppliedChange { change, index }: AppliedChange) -> Taken {
        if index.is_some_and(|index| self.is_overtaken(index)) {
            return Taken::MembershipChange { ticket, result: Err(ChangeError::Overtaken) };
        }
        let was_member = self.is_member();
        let result = self.node.apply_conf_change(&change);
        if was_member && !self.is_member() {
            self.accepts_proposals = false;
        }
        Taken::MembershipChange { ticket, result }
    }

    /// Whether a snapshot that the node took up has replaced the entry.
    fn is_overtaken(&self, index: Index) -> bool {
        index < self.node.basic_status().first_index && !planted(Bug::ChangeAfterSnapshot)
    }

    fn is_member(&self) -> bool {
        self.node.configuration().contains(self.node.id())
    }

    fn take_ready(&mut self) -> Option<Taken> {
        let ready = self.returned.pop_front().or_else(|| self.node.ready())?;
        let ticket = self.ready_requests.pop_front()?;
        self.awaited.hand_out(&ready);
        self.awaited_reads.hand_out(&ready);
        if !self.node.config().async_storage_writes {
            self.outstanding = Some(ready.number);
        }
        Some(Taken::Ready { ticket, ready: Box::new(ready) })
    }

    fn take_stop(&mut self) -> Taken {
        self.stopped = Stop::Done;
        self.inputs.clear();
        self.ready_requests.clear();
        self.returned.clear();
        self.awaited.clear();
        self.awaited_reads.clear();
        Taken::Stop
    }

    /// After a change of leader, whether proposals are taken is decided again: a removed node that learns of another
    /// leader may have been added again.
    fn notice_leader(&mut self) {
        let leader = self.node.soft_state().leader;
        self.awaited_reads.led_by(self.node.term(), leader);
        if leader != self.leader {
            self.leader = leader;
            self.accepts_proposals = leader.is_some() || planted(Bug::LoopAcceptsWithoutLeader);
        }
    }
}

/// What became of proposals and reads that are awaited.
impl<S: Storage> RunLoop<S> {
    /// The proposals that were settled since the last call, in the order of the log; to be called after each
    /// [`take`](Self::take). A proposal is settled once: when it is refused, when another entry or a snapshot takes its
    /// place, or when the Ready with it is advanced, unless the application has [answered](Self::take_awaited) before.
    /// With asynchronous storage writes, the response of the apply thread takes the place of advancing.
    pub fn take_settled(&mut self) -> Vec<Settled> {
        self.awaited.take_settled()
    }

    /// The application has applied an entry that a Ready handed out. Returns the ticket of the caller that waits for
    /// it, if there is one, so that it can be answered.
    pub fn take_awaited(&mut self, entry: EntryId) -> Option<Ticket> {
        self.awaited.take(entry)
    }

    /// The awaited reads that were settled since the last call; to be called after each [`take`](Self::take). A read is
    /// settled once: when it is refused, when the leadership that it was asked of ends, or when its index is applied.
    pub fn take_settled_reads(&mut self) -> Vec<SettledRead> {
        self.awaited_reads.take_settled()
    }

    /// How many reads were taken up and are not settled.
    pub fn awaited_reads(&self) -> usize {
        self.awaited_reads.len()
    }

    /// How many proposals were appended and are neither settled nor answered.
    pub fn awaited_entries(&self) -> usize {
        self.awaited.len()
    }
}

/// What can be seen from outside.
impl<S: Storage> RunLoop<S> {
    /// The node.
    pub fn node(&self) -> &RawNode<S> {
        &self.node
    }

    /// The storage, for the application to write what a Ready says.
    pub fn storage_mut(&mut self) -> &mut S {
        self.node.storage_mut()
    }

    /// As [`RawNode::set_randomized_election_timeout`], for scenarios that decide who campaigns first.
    pub fn set_randomized_election_timeout(&mut self, ticks: u32) {
        self.node.set_randomized_election_timeout(ticks);
    }

    /// Whether the loop has ended.
    pub fn is_stopped(&self) -> bool {
        self.stopped == Stop::Done
    }

    /// Whether proposals are taken now, or have to wait.
    pub fn accepts_proposals(&self) -> bool {
        self.accepts_proposals
    }

    /// The limits of what may wait.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How many proposals wait.
    pub fn waiting_proposals(&self) -> usize {
        self.inputs.proposals().len()
    }

    /// How many messages, requests, reports and storage responses wait.
    pub fn waiting_messages(&self) -> usize {
        self.inputs.notice_count()
    }

    /// All that waits, in the order in which it came: inputs, and requests for a Ready.
    pub fn waiting(&self) -> Vec<(Ticket, Arm)> {
        let requests = self.ready_requests.iter().map(|ticket| (*ticket, Arm::Ready));
        let mut waiting: Vec<(Ticket, Arm)> = self.inputs.numbered().chain(requests).collect();
        waiting.sort_unstable();
        waiting
    }

    /// What [`Arm::Message`] would take next, if that is a request or a report that changes what the node may do next.
    pub fn next_demand(&self) -> Option<Demand> {
        match self.next_notice()? {
            Notice::Campaign => Some(Demand::Campaign),
            Notice::TransferLeadership(target) => Some(Demand::TransferLeadership { target: *target }),
            Notice::Snapshot(peer, _) => Some(Demand::ReportSnapshot { peer: *peer }),
            Notice::Unreachable(peer) => Some(Demand::ReportUnreachable { peer: *peer }),
            Notice::Message(_)
            | Notice::ForgetLeader
            | Notice::ReadIndex(_)
            | Notice::AwaitedRead(_)
            | Notice::StorageAppended(_)
            | Notice::StorageApplied(_) => None,
        }
    }

    /// What [`Arm::Message`] would take next, if that is a message.
    pub fn next_message(&self) -> Option<&Message> {
        self.next_notice()?.message()
    }

    fn next_notice(&self) -> Option<&Notice> {
        self.inputs.first_notice().filter(|_| self.next_input() == Some(Arm::Message))
    }

    /// Whether an input waits that brings a membership change: a proposal of one, or a message of a leader with one.
    pub fn awaits_conf_change(&self) -> bool {
        let proposed = self.inputs.proposals().any(Proposal::brings_conf_change);
        proposed || self.queued_messages().any(Message::brings_conf_change)
    }

    /// The messages of peers that wait, in the order in which they came. Forwarded proposals are not among them: they wait with
    /// the other proposals.
    pub fn queued_messages(&self) -> impl Iterator<Item = &Message> {
        self.inputs.notices().filter_map(Notice::message)
    }

    /// The answers of the apply thread that wait, in the order in which they came.
    pub fn queued_applied(&self) -> impl Iterator<Item = &StorageApplied> {
        self.inputs.notices().filter_map(Notice::applied)
    }

    /// How many more proposals there is room for.
    pub fn proposal_room(&self) -> usize {
        self.limits.proposals.saturating_sub(self.waiting_proposals())
    }

    /// How many more messages there is room for.
    pub fn message_room(&self) -> usize {
        self.limits.messages.saturating_sub(self.waiting_messages())
    }

    /// The ticks that wait to be taken.
    pub fn pending_ticks(&self) -> u32 {
        self.inputs.tick_count()
    }

    /// The ticks that were missed since the start.
    pub fn missed_ticks(&self) -> u64 {
        self.missed_ticks
    }
}
