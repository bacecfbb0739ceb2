//! What the world tells about a leader: what it sends, and what it knows of its members.

use raft::{Index, Message, NodeId};

use super::Checkers;
use crate::invariant::bounded_memory::Unapplied;
use crate::invariant::flow_control::FlowControl;
use crate::invariant::heartbeats::Heartbeats;
use crate::invariant::input::ProgressView;
use crate::invariant::message_economy::MessageEconomy;
use crate::invariant::monotonic::Matched;
use crate::invariant::progress_members::Tracked;
use crate::invariant::transfer_ends::Transfers;
use crate::invariant::violation::{Check, Invariant};
use crate::invariant::{bounded_memory, commit_quorum, durability, term_gate};

impl Checkers {
    /// The messages of the Ready that was [handed out](Self::handed_out).
    pub fn hands_out(&mut self, id: NodeId, messages: &[Message]) {
        if self.watched.contains(Invariant::BoundedMemory) {
            FlowControl::hands_out(&mut self.flow, id, messages);
        }
        if self.watched.contains(Invariant::ElectionTimeout) {
            Heartbeats::hands_out(&mut self.heartbeats, id, messages);
        }
        if self.watched.contains(Invariant::MessageEconomy) {
            MessageEconomy::hands_out(&mut self.economy, id, self.cluster.look(id), messages);
        }
        if self.watched.contains(Invariant::Liveness) {
            Transfers::hands_out(&mut self.transfers, messages);
        }
    }

    /// The host of a node tells it how sending a snapshot to a follower ended.
    pub fn snapshot_reported(&mut self, id: NodeId, peer: NodeId) {
        FlowControl::reported(&mut self.flow, id, peer);
        self.economy.has_reason(id, peer);
    }

    /// The host of a node tells it that it cannot reach a follower.
    pub fn unreachable_reported(&mut self, id: NodeId, peer: NodeId) {
        FlowControl::reported(&mut self.flow, id, peer);
    }

    /// The leader `id` took a message of an earlier term from this node, and what it knows of its members changed.
    pub fn counted_late(&self, id: NodeId, from: NodeId) -> Check {
        if !self.watched.contains(Invariant::CommitQuorum) {
            return Ok(());
        }
        term_gate::counted(id, from)
    }

    /// What the leader `id` knows of `peer`, after it may have changed; nothing is judged unless it leads.
    pub fn progress(&mut self, id: NodeId, peer: NodeId, progress: &ProgressView) -> Check {
        if self.off {
            return Ok(());
        }
        let Some(node) = self.cluster.get(id) else { return Ok(()) };
        let Some(term) = node.leads() else { return Ok(()) };
        self.when(Invariant::Monotonic, |all| Matched::counts(&mut all.matched, id, term, peer, progress.matched))?;
        self.when(Invariant::CommitQuorum, |all| durability::matched(&all.cluster, id, peer, progress.matched))?;
        self.when(Invariant::BoundedMemory, |all| {
            let largest = all.matching.largest_payload();
            bounded_memory::comes_next(id, peer, progress)?;
            bounded_memory::in_flight(id, all.cluster.look(id), peer, progress, largest)?;
            FlowControl::shows(&mut all.flow, id, term, peer, progress)
        })
    }

    /// What a leader counts against its bound on uncommitted data, in bytes, after a Ready was
    /// [handed out](Self::handed_out); nothing is judged unless it leads. How many of them count as applied though reports of
    /// that have not reached it, since others overtook them, is asked only where that matters.
    pub fn uncommitted(&mut self, id: NodeId, counted: u64, not_reported: impl FnOnce() -> u64) -> Check {
        self.when(Invariant::BoundedMemory, |all| {
            Unapplied::counts(&mut all.unapplied, id, all.cluster.look(id), counted, not_reported)
        })
    }

    /// A leader commits up to `matched`, which it counts itself to hold.
    pub fn counts_itself(&mut self, id: NodeId, matched: Index) -> Check {
        self.when(Invariant::DurableBeforeSend, |all| durability::counts_itself(&all.cluster, id, matched))
    }

    /// A node keeps a progress of this member, which was [shown](Self::progress).
    pub fn tracks(&self, id: NodeId, peer: NodeId, tracked: &mut Tracked) {
        tracked.add(self.cluster.look(id), peer);
    }

    /// The members of which a node keeps a progress, after each progress was [shown](Self::progress); nothing is judged
    /// unless it leads.
    pub fn tracked(&mut self, id: NodeId, tracked: Tracked) -> Check {
        self.when(Invariant::ConfigurationAgreement, |all| tracked.are_the_members(id, all.cluster.look(id)))?;
        self.when(Invariant::ElectionTimeout, |all| Heartbeats::judge(&mut all.heartbeats, id, all.cluster.look(id)))?;
        self.when(Invariant::MessageEconomy, |all| all.economy.judge(id, all.cluster.look(id)))?;
        self.when(Invariant::Liveness, |all| {
            let leads = all.cluster.get(id).and_then(|node| node.leads());
            Transfers::judge(&mut all.transfers, id, leads, |term, target| all.matched.of(id, term, target))
        })?;
        self.when(Invariant::CommitQuorum, |all| {
            let Some(node) = all.cluster.get(id) else { return Ok(()) };
            commit_quorum::commits_all(id, node, |voter| all.matched.of(id, node.view.hard_state.term, voter))
        })
    }
}
