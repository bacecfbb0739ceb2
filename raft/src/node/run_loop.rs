//! The loop that owns a node: its queues and all its rules, as a plain value. It waits for nothing and wakes nobody, so
//! that production and simulation run the very same code.

mod enqueue;

use std::collections::VecDeque;

use super::arm::Arm;
use super::input::{Notice, Proposal, Taken, Ticket};
use crate::membership::{ChangeError, ConfChangeV2};
use crate::message::Message;
use crate::raw_node::RawNode;
use crate::ready::Ready;
use crate::storage::Storage;
use crate::types::{Index, NodeId};

/// How much waits in a [`RunLoop`] at most; each at least one, or nothing of the kind ever gets in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Limits {
    /// Proposals, in number.
    pub proposals: usize,
    /// Messages, requests and reports, in number.
    pub messages: usize,
    /// Ticks that were counted and not yet taken. Further ones are missed.
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
    /// Too many wait already: it is lost, and the node's clock late by one tick more.
    Missed,
}

/// A [`RawNode`] with the queues in front of it and the rules for what it takes when.
///
/// Every input joins a queue by the method of its name. [`take`](Self::take) takes one of them out, from the named
/// [`Arm`], and tells what came of it. Where there are several to choose from somebody chooses: [`FairChooser`] in
/// production, the event in a simulation. The rules:
///
/// - Proposals wait while no leader is known. A node that a membership change removed keeps them waiting too, until the
///   leader changes; in the outgoing half of a joint configuration it still belongs.
/// - A Ready is collected only when it is taken for somebody who asked. Until that one is advanced there is no other,
///   with synchronous storage writes, while everything else goes on.
/// - Queues are bounded; a tick that finds too many others waiting is missed and counted.
/// - Once it is stopped the loop takes nothing any more.
///
/// ```
/// use raft::node::{Arm, Limits, RunLoop, Taken};
/// use raft::{ConfState, Config, MemStorage, NodeId, RawNode};
///
/// let id = NodeId::new(1).unwrap();
/// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
/// let node = RawNode::new(Config::new(id), MemStorage::with_conf_state(alone)).unwrap();
/// let mut run_loop = RunLoop::new(node, Limits::default());
///
/// run_loop.propose("early".into())?;
/// assert_eq!(run_loop.take(Arm::Proposal), None, "nobody leads");
/// run_loop.campaign()?;
/// run_loop.take(Arm::Message);
/// let ticket = run_loop.request_ready()?;
/// let Some(Taken::Ready { ticket: for_whom, ready }) = run_loop.take(Arm::Ready) else { panic!() };
/// assert_eq!((for_whom, ready.hard_state.is_some()), (ticket, true));
/// # Ok::<(), raft::node::EnqueueError>(())
/// ```
///
/// [`FairChooser`]: super::FairChooser
#[derive(Clone, Debug)]
pub struct RunLoop<S: Storage> {
    node: RawNode<S>,
    limits: Limits,
    stopped: Stop,
    tickets: u64,
    /// In ascending order of the tickets. Those for which nobody waits have one too, so that others are found quickly.
    proposals: VecDeque<(Ticket, Proposal)>,
    notices: VecDeque<Notice>,
    changes: VecDeque<(Ticket, AppliedChange)>,
    ticks: u32,
    missed_ticks: u64,
    ready_requests: VecDeque<Ticket>,
    /// Readys that came back unseen, in the order of their making, to be handed out before any other.
    returned: VecDeque<Ready>,
    /// The number of the Ready that is out and has to be advanced.
    outstanding: Option<u64>,
    advanced: Option<Ready>,
    status_requests: VecDeque<Ticket>,
    /// As it was when the last input had been taken.
    leader: Option<NodeId>,
    accepts_proposals: bool,
}

/// A membership change that the application applies.
#[derive(Clone, Debug)]
struct AppliedChange {
    change: ConfChangeV2,
    /// The entry it came in, where the application tells.
    index: Option<Index>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stop {
    No,
    Requested,
    Done,
}

/// What the application or the transport asks of the node or tells it; see [`RunLoop::next_demand`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
        /// To whom it was sent.
        peer: NodeId,
    },
}

impl<S: Storage> RunLoop<S> {
    /// A loop with nothing in its queues.
    pub fn new(node: RawNode<S>, limits: Limits) -> Self {
        let mut run_loop = Self {
            node,
            limits,
            stopped: Stop::No,
            tickets: 0,
            proposals: VecDeque::new(),
            notices: VecDeque::new(),
            changes: VecDeque::new(),
            ticks: 0,
            missed_ticks: 0,
            ready_requests: VecDeque::new(),
            returned: VecDeque::new(),
            outstanding: None,
            advanced: None,
            status_requests: VecDeque::new(),
            leader: None,
            accepts_proposals: false,
        };
        run_loop.notice_leader();
        run_loop
    }

    /// The arms that could be taken from now.
    pub fn available(&self) -> impl Iterator<Item = Arm> + '_ {
        Arm::ALL.into_iter().filter(|arm| self.can_take(*arm))
    }

    /// Whether [`take`](Self::take) would take something.
    pub fn can_take(&self, arm: Arm) -> bool {
        if self.is_stopped() {
            return false;
        }
        match arm {
            Arm::Proposal => self.accepts_proposals && !self.proposals.is_empty(),
            Arm::Message => !self.notices.is_empty(),
            Arm::MembershipChange => !self.changes.is_empty(),
            Arm::Tick => self.ticks > 0,
            Arm::Ready => !self.ready_requests.is_empty() && (!self.returned.is_empty() || self.node.has_ready()),
            Arm::Advance => self.advanced.is_some(),
            Arm::Status => !self.status_requests.is_empty(),
            Arm::Stop => self.stopped == Stop::Requested,
        }
    }

    /// Takes the next input from an arm; `None` where there is none, or where it has to wait.
    pub fn take(&mut self, arm: Arm) -> Option<Taken> {
        if !self.can_take(arm) {
            return None;
        }
        let taken = match arm {
            Arm::Proposal => self.take_proposal(),
            Arm::Message => self.notices.pop_front().map(|notice| Taken::Message(notice.step_into(&mut self.node))),
            Arm::MembershipChange => self.take_membership_change(),
            Arm::Tick => Some(self.take_tick()),
            Arm::Ready => self.take_ready(),
            Arm::Advance => self.take_advance(),
            Arm::Status => self.take_status(),
            Arm::Stop => Some(self.take_stop()),
        };
        self.notice_leader();
        taken
    }

    fn take_proposal(&mut self) -> Option<Taken> {
        let (ticket, proposal) = self.proposals.pop_front()?;
        Some(proposal.step_into(ticket, &mut self.node))
    }

    /// A node that was no member before is not taken for removed: it may be one without knowing, while it catches up.
    fn take_membership_change(&mut self) -> Option<Taken> {
        let (ticket, AppliedChange { change, index }) = self.changes.pop_front()?;
        if index.is_some_and(|index| self.is_overtaken(index)) {
            return Some(Taken::MembershipChange { ticket, result: Err(ChangeError::Overtaken) });
        }
        let was_member = self.is_member();
        let result = self.node.apply_conf_change(&change);
        if was_member && !self.is_member() {
            self.accepts_proposals = false;
        }
        Some(Taken::MembershipChange { ticket, result })
    }

    /// Whether a snapshot that the node took up has replaced the entry.
    fn is_overtaken(&self, index: Index) -> bool {
        index < self.node.basic_status().first_index
    }

    fn is_member(&self) -> bool {
        self.node.configuration().contains(self.node.id())
    }

    fn take_tick(&mut self) -> Taken {
        self.ticks -= 1;
        self.node.tick();
        Taken::Tick
    }

    fn take_ready(&mut self) -> Option<Taken> {
        let ready = self.returned.pop_front().or_else(|| self.node.ready())?;
        let ticket = self.ready_requests.pop_front()?;
        if !self.node.config().async_storage_writes {
            self.outstanding = Some(ready.number);
        }
        Some(Taken::Ready { ticket, ready: Box::new(ready) })
    }

    fn take_advance(&mut self) -> Option<Taken> {
        let ready = self.advanced.take()?;
        self.node.advance(ready).expect("it was the outstanding one when it came back, and nothing else ends that");
        Some(Taken::Advance)
    }

    fn take_status(&mut self) -> Option<Taken> {
        let ticket = self.status_requests.pop_front()?;
        Some(Taken::Status { ticket, status: Box::new(self.node.status()) })
    }

    fn take_stop(&mut self) -> Taken {
        self.stopped = Stop::Done;
        self.proposals.clear();
        self.notices.clear();
        self.changes.clear();
        self.ready_requests.clear();
        self.returned.clear();
        self.status_requests.clear();
        Taken::Stop
    }

    /// A change of leader decides anew whether proposals are taken; a removed node that learns of another leader may
    /// well have been added again.
    fn notice_leader(&mut self) {
        let leader = self.node.soft_state().leader;
        if leader != self.leader {
            self.leader = leader;
            self.accepts_proposals = leader.is_some();
        }
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

    /// How much may wait.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How many proposals wait.
    pub fn waiting_proposals(&self) -> usize {
        self.proposals.len()
    }

    /// How many messages, requests, reports and storage responses wait.
    pub fn waiting_messages(&self) -> usize {
        self.notices.len()
    }

    /// What [`Arm::Message`] would take, if that is a request or a report that changes what the node may do next.
    pub fn next_demand(&self) -> Option<Demand> {
        match self.notices.front()? {
            Notice::Campaign => Some(Demand::Campaign),
            Notice::TransferLeadership(target) => Some(Demand::TransferLeadership { target: *target }),
            Notice::Snapshot(peer, _) => Some(Demand::ReportSnapshot { peer: *peer }),
            Notice::Message(_)
            | Notice::ForgetLeader
            | Notice::ReadIndex(_)
            | Notice::Unreachable(_)
            | Notice::StorageAppended(_)
            | Notice::StorageApplied(_) => None,
        }
    }

    /// What [`Arm::Message`] would take, if that is a message.
    pub fn next_message(&self) -> Option<&Message> {
        match self.notices.front()? {
            Notice::Message(message) => Some(message),
            Notice::Campaign
            | Notice::TransferLeadership(_)
            | Notice::ForgetLeader
            | Notice::ReadIndex(_)
            | Notice::Unreachable(_)
            | Notice::Snapshot(..)
            | Notice::StorageAppended(_)
            | Notice::StorageApplied(_) => None,
        }
    }

    /// Whether something waits that brings a membership change: somebody proposes one, or a leader sends one.
    pub fn awaits_conf_change(&self) -> bool {
        let proposed = self.proposals.iter().any(|(_, proposal)| match proposal {
            Proposal::Data(_) => false,
            Proposal::ConfChange(_) => true,
            Proposal::Forwarded(message) => message.brings_conf_change(),
        });
        let sent = |notice: &Notice| matches!(notice, Notice::Message(message) if message.brings_conf_change());
        proposed || self.notices.iter().any(sent)
    }

    /// How many proposals more there is room for.
    pub fn proposal_room(&self) -> usize {
        self.limits.proposals.saturating_sub(self.proposals.len())
    }

    /// How many messages more there is room for.
    pub fn message_room(&self) -> usize {
        self.limits.messages.saturating_sub(self.notices.len())
    }

    /// The ticks that wait to be taken.
    pub fn pending_ticks(&self) -> u32 {
        self.ticks
    }

    /// The ticks that were missed since the start.
    pub fn missed_ticks(&self) -> u64 {
        self.missed_ticks
    }
}
