//! Handing leadership over (thesis, section 3.10) and forgetting a leader.

use crate::config::ReadOnlyOption;
use crate::message::{Body, Message};
use crate::storage::Storage;
use crate::types::NodeId;

use super::{Raft, RoleState};

impl<S: Storage> Raft<S> {
    /// Asks the leader, which may be this node, to hand leadership to `target`.
    pub(crate) fn transfer_leadership(&mut self, target: NodeId) {
        match self.role {
            RoleState::Follower => {
                if let Some(to) = self.leader {
                    let term = Some(self.term);
                    self.outbox.messages.push(Message { from: target, to, term, body: Body::TransferLeader });
                }
            }
            RoleState::PreCandidate(_) | RoleState::Candidate(_) => {}
            RoleState::Leader(_) => self.begin_transfer(target),
        }
    }

    /// Stops taking proposals until the target has caught up and campaigns, for at most an election timeout.
    fn begin_transfer(&mut self, target: NodeId) {
        let id = self.id();
        let learner = self.configuration.is_learner(target);
        let RoleState::Leader(leader) = &mut self.role else { return };
        if leader.progress.get(target).is_none() || learner || leader.transferee == Some(target) {
            return;
        }
        leader.transferee = None;
        if target == id {
            return;
        }
        leader.transferee = Some(target);
        self.election_elapsed = 0;
        if self.is_caught_up(target) {
            self.send(target, Body::TimeoutNow);
        } else {
            self.send_append(target);
        }
    }

    /// Lets the target campaign once it holds the whole log.
    pub(super) fn finish_transfer(&mut self, acknowledged: NodeId) {
        if self.transferee() == Some(acknowledged) && self.is_caught_up(acknowledged) {
            self.send(acknowledged, Body::TimeoutNow);
        }
    }

    pub(super) fn give_up_transfer(&mut self) {
        if let RoleState::Leader(leader) = &mut self.role {
            leader.transferee = None;
        }
    }

    /// The node to which this node, as a leader, is handing leadership over.
    pub(crate) fn transferee(&self) -> Option<NodeId> {
        match &self.role {
            RoleState::Leader(leader) => leader.transferee,
            RoleState::Follower | RoleState::PreCandidate(_) | RoleState::Candidate(_) => None,
        }
    }

    /// Makes a follower vote as if it had not heard from its leader: for a host that knows the leader to be dead. With
    /// lease-based reads the leader relies on not being forgotten, so the request is ignored.
    pub(crate) fn forget_leader(&mut self) {
        match (&self.role, self.config.read_only_option) {
            (RoleState::Follower, ReadOnlyOption::Safe) => self.leader = None,
            (RoleState::Follower, ReadOnlyOption::LeaseBased)
            | (RoleState::PreCandidate(_) | RoleState::Candidate(_) | RoleState::Leader(_), _) => {}
        }
    }
}
