//! Two sets of voters that both have to agree.

use std::fmt;

use crate::planted::{Bug, planted};
use crate::quorum::{MajorityConfig, VoteResult};
use crate::types::NodeId;

/// The voters on both sides of a membership change: a majority of each half decides (thesis, section 4.3). Outside of
/// a change the outgoing half is empty and decides nothing.
///
/// ```
/// use raft::{JointConfig, NodeId};
/// let voters = |ids: &[u64]| ids.iter().copied().filter_map(NodeId::new).collect();
/// let joint = JointConfig { incoming: voters(&[1, 2, 3]), outgoing: voters(&[3, 4, 5]) };
/// assert_eq!(joint.committed_index(|id| (id.get() <= 3).then_some(8)), 0, "3 alone is no majority of 3, 4 and 5");
/// assert_eq!(joint.committed_index(|id| (id.get() <= 4).then_some(8)), 8);
/// assert_eq!(joint.to_string(), "(1 2 3)&&(3 4 5)");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct JointConfig {
    /// The voters to be, or those in force where nothing changes.
    pub incoming: MajorityConfig,
    /// The voters that were; empty where nothing changes.
    pub outgoing: MajorityConfig,
}

impl JointConfig {
    /// The largest value that a quorum of each half has acknowledged; see [`MajorityConfig::committed_index`].
    pub fn committed_index(&self, acked: impl Fn(NodeId) -> Option<u64>) -> u64 {
        if planted(Bug::JointUnionQuorum) {
            return self.ids().collect::<MajorityConfig>().committed_index(acked);
        }
        self.incoming.committed_index(&acked).min(self.outgoing.committed_index(&acked))
    }

    /// What the votes decide: each half has to be won, and losing either half loses the vote. See
    /// [`MajorityConfig::vote_result`].
    pub fn vote_result(&self, vote: impl Fn(NodeId) -> Option<bool>) -> VoteResult {
        if planted(Bug::JointUnionQuorum) {
            return self.ids().collect::<MajorityConfig>().vote_result(vote);
        }
        match (self.incoming.vote_result(&vote), self.outgoing.vote_result(&vote)) {
            (VoteResult::Lost, _) | (_, VoteResult::Lost) => VoteResult::Lost,
            (VoteResult::Won, VoteResult::Won) => VoteResult::Won,
            (VoteResult::Pending, _) | (_, VoteResult::Pending) => VoteResult::Pending,
        }
    }

    /// The voters of both halves in ascending order, each once.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + Clone + '_ {
        self.incoming.as_set().union(self.outgoing.as_set()).copied()
    }

    /// Whether this node is a voter of either half.
    pub fn contains(&self, id: NodeId) -> bool {
        self.incoming.contains(id) || self.outgoing.contains(id)
    }

    /// Whether a membership change is under way.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether one voter decides alone.
    pub fn is_singleton(&self) -> bool {
        self.incoming.len() == 1 && !self.is_joint()
    }
}

/// etcd's form: `(1 2 3)`, and `(1 2 3)&&(1 2)` while it is joint.
impl fmt::Display for JointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.incoming.fmt(f)?;
        if self.is_joint() {
            write!(f, "&&{}", self.outgoing)?;
        }
        Ok(())
    }
}
