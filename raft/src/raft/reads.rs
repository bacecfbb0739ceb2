//! Linearizable reads without log entries (thesis, section 6.4).
//!
//! A leader answers a read with its commit index, provided that it still leads. With [`ReadOnlyOption::Safe`] a quorum
//! confirms that: reads form a queue, each heartbeat carries the position of its end, and an answer that echoes a
//! position confirms every read before it. With [`ReadOnlyOption::LeaseBased`] the lease is believed.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::config::ReadOnlyOption;
use crate::error::{Malformed, ReadError};
use crate::message::{Body, Message};
use crate::planted::{Bug, planted};
use crate::quorum::JointConfig;
use crate::storage::Storage;
use crate::types::{Index, NodeId, ReadState};

use super::{Raft, RoleState};

/// A read and where it came from.
#[derive(Clone, Hash, Debug)]
pub(super) struct ReadRequest {
    /// The node that forwarded it, if any did.
    from: Option<NodeId>,
    context: Bytes,
}

/// The reads of one leadership that wait for a quorum.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct UnconfirmedReads {
    requests: VecDeque<(Index, ReadRequest)>,
    /// How many reads were confirmed before those in the queue.
    confirmed: u64,
    /// The highest position that each node has confirmed.
    acknowledged: BTreeMap<NodeId, u64>,
}

impl UnconfirmedReads {
    fn end(&self) -> u64 {
        self.confirmed + self.requests.len() as u64
    }

    /// What a heartbeat carries: the position of the end of the queue, or nothing without reads.
    pub(super) fn heartbeat_context(&self) -> Bytes {
        if self.requests.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(&self.end().to_le_bytes()) }
    }

    fn push(&mut self, committed: Index, request: ReadRequest) {
        self.requests.push_back((committed, request));
    }

    fn acknowledge(&mut self, from: NodeId, position: u64) {
        let highest = self.acknowledged.entry(from).or_default();
        *highest = position.max(*highest);
    }

    /// Takes the reads that a quorum has confirmed.
    fn take_confirmed(&mut self, voters: &JointConfig) -> Vec<(Index, ReadRequest)> {
        let position = voters.committed_index(|voter| self.acknowledged.get(&voter).copied());
        let newly = position.min(self.end()).saturating_sub(self.confirmed);
        self.confirmed += newly;
        let newly = usize::try_from(newly).expect("no more than the queue is long");
        self.requests.drain(..newly).collect()
    }
}

/// The read position in a heartbeat's context: zero where there is none.
pub(super) fn decode_position(context: &[u8]) -> Result<u64, Malformed> {
    if context.is_empty() {
        return Ok(0);
    }
    let bytes = context.try_into().map_err(|_| Malformed::ReadPositionLength(context.len()))?;
    Ok(u64::from_le_bytes(bytes))
}

impl<S: Storage> Raft<S> {
    /// Asks for an index at which a read is linearizable. `from` is the node that forwarded the request, if any did.
    ///
    /// # Errors
    /// There is no leader to ask, or too many requests wait already; nothing is remembered then.
    pub(crate) fn read_index(&mut self, from: Option<NodeId>, context: Bytes) -> Result<(), ReadError> {
        match self.role {
            RoleState::Follower => self.forward_read(from, context),
            RoleState::PreCandidate(_) | RoleState::Candidate(_) => Err(ReadError::NoLeader),
            RoleState::Leader(_) => self.read_as_leader(ReadRequest { from, context }),
        }
    }

    fn forward_read(&mut self, from: Option<NodeId>, context: Bytes) -> Result<(), ReadError> {
        let to = self.leader.ok_or(ReadError::NoLeader)?;
        let from = from.unwrap_or(self.config.id);
        self.outbox.messages.push(Message { from, to, term: None, body: Body::ReadIndex { context } });
        Ok(())
    }

    fn read_as_leader(&mut self, request: ReadRequest) -> Result<(), ReadError> {
        let immediate = self.config.immediate_singleton_reads && self.decides_alone();
        let postponed = !(immediate || self.has_committed_in_term() || planted(Bug::ReadindexNoOwnCommit));
        if (postponed || !self.serves_reads_at_once()) && self.waiting_reads() >= self.config.max_waiting_reads {
            return Err(ReadError::TooManyWaiting);
        }
        if postponed {
            // Until then, entries committed by earlier leaders may lie beyond this node's commit index.
            self.postponed_reads.push(request);
        } else {
            self.serve_read(request);
        }
        Ok(())
    }

    fn serves_reads_at_once(&self) -> bool {
        self.decides_alone() || self.config.read_only_option == ReadOnlyOption::LeaseBased
    }

    /// Whether nobody else is needed to confirm that this node leads. In etcd that also holds for a removed leader if
    /// one voter is left, although that voter may lead a later term by now.
    fn decides_alone(&self) -> bool {
        let voters = self.configuration.voters();
        voters.is_singleton() && (voters.contains(self.id()) || self.config.immediate_singleton_reads)
    }

    fn has_committed_in_term(&self) -> bool {
        self.log.term_or_zero(self.log.committed()) == self.term
    }

    fn serve_read(&mut self, request: ReadRequest) {
        let committed = self.log.committed();
        if self.serves_reads_at_once() {
            return self.answer_read(committed, request);
        }
        let id = self.id();
        let RoleState::Leader(leader) = &mut self.role else { return };
        leader.reads.push(committed, request);
        leader.reads.acknowledge(id, leader.reads.end());
        self.broadcast_heartbeat();
    }

    /// Serves what arrived before the leader had committed in its term, as soon as it has.
    pub(super) fn release_postponed_reads(&mut self) {
        if !self.postponed_reads.is_empty() && self.has_committed_in_term() {
            for request in std::mem::take(&mut self.postponed_reads) {
                self.serve_read(request);
            }
        }
    }

    /// Looks again at the reads that wait, now that other voters decide than before. Nobody has to wait for nodes that
    /// are no voters any more: a leader of a later term would have needed the vote of a node that confirmed this one.
    pub(super) fn look_at_reads_again(&mut self) {
        if !self.config.waits_as_etcd {
            self.release_postponed_reads();
            self.release_confirmed_reads();
        }
    }

    /// Takes a follower's confirmation that this node leads.
    pub(super) fn confirm_reads(&mut self, from: NodeId, context: &[u8]) {
        if self.config.read_only_option != ReadOnlyOption::Safe || context.is_empty() {
            return;
        }
        let Ok(position) = decode_position(context) else { return };
        let RoleState::Leader(leader) = &mut self.role else { return };
        leader.reads.acknowledge(from, position);
        self.release_confirmed_reads();
    }

    /// Answers the reads that a quorum has confirmed.
    fn release_confirmed_reads(&mut self) {
        let RoleState::Leader(leader) = &mut self.role else { return };
        for (index, request) in leader.reads.take_confirmed(self.configuration.voters()) {
            self.answer_read(index, request);
        }
    }

    fn answer_read(&mut self, index: Index, request: ReadRequest) {
        let ReadRequest { from, context } = request;
        match from {
            Some(from) if from != self.id() => self.send(from, Body::ReadIndexResponse { index, context }),
            Some(_) | None => self.read_states.push(ReadState { index, context }),
        }
    }

    /// How many reads this node, as a leader, holds back until it has committed in its term, or until a quorum confirms
    /// it.
    pub(crate) fn waiting_reads(&self) -> usize {
        match &self.role {
            RoleState::Leader(leader) => self.postponed_reads.len() + leader.reads.requests.len(),
            RoleState::Follower | RoleState::PreCandidate(_) | RoleState::Candidate(_) => 0,
        }
    }

    /// The highest read position that this node, as a leader, has asked anybody to confirm.
    pub(super) fn read_position(&self) -> Option<u64> {
        match &self.role {
            RoleState::Leader(leader) => Some(leader.reads.end()),
            RoleState::Follower | RoleState::PreCandidate(_) | RoleState::Candidate(_) => None,
        }
    }
}
