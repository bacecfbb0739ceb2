//! The votes that a candidate or a pre-candidate collects, and what they lead to.

use std::collections::BTreeMap;

use crate::quorum::VoteResult;
use crate::storage::Storage;
use crate::types::NodeId;

use super::election::Campaign;
use super::{Raft, RoleState};

/// The votes received in one campaign.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Votes(BTreeMap<NodeId, bool>);

impl Votes {
    /// The first answer of a voter counts; a repeated message changes nothing.
    fn record(&mut self, voter: NodeId, granted: bool) {
        self.0.entry(voter).or_insert(granted);
    }

    fn get(&self, voter: NodeId) -> Option<bool> {
        self.0.get(&voter).copied()
    }
}

impl<S: Storage> Raft<S> {
    pub(super) fn count_vote(&mut self, from: NodeId, granted: bool) {
        let (votes, next) = match &mut self.role {
            RoleState::PreCandidate(votes) => (votes, VoteWon::Campaign),
            RoleState::Candidate(votes) => (votes, VoteWon::Lead),
            RoleState::Follower | RoleState::Leader(_) => return,
        };
        votes.record(from, granted);
        let own_is_missing = votes.get(self.config.id).is_none() && !self.config.lead_before_own_vote;
        match (self.configuration.voters().vote_result(|voter| votes.get(voter)), next) {
            (VoteResult::Pending, _) => {}
            // The own vote counts once it is durable. A node that led before that could crash, forget this term, be
            // elected in it again and write other entries at the same positions.
            (VoteResult::Won, VoteWon::Lead) if own_is_missing => {}
            (VoteResult::Won, VoteWon::Campaign) => self.campaign(Campaign::Election),
            (VoteResult::Won, VoteWon::Lead) => {
                self.become_leader();
                self.broadcast_append();
            }
            // A pre-candidate stays in its own term, whatever term it asked about.
            (VoteResult::Lost, _) => self.become_follower(self.term, None),
        }
    }
}

/// What winning the votes leads to.
enum VoteWon {
    Campaign,
    Lead,
}
