//! A set of voters of which any majority decides.

use std::collections::BTreeSet;
use std::fmt;

use crate::planted::{Bug, planted};
use crate::quorum::VoteResult;
use crate::types::NodeId;

/// Voters of which any majority decides (Raft paper, section 5.1).
///
/// ```
/// use raft::{MajorityConfig, NodeId, VoteResult};
/// let voters: MajorityConfig = (1..=3).filter_map(NodeId::new).collect();
/// assert_eq!(voters.committed_index(|id| Some(id.get() * 10)), 20);
/// assert_eq!(voters.vote_result(|id| (id.get() == 1).then_some(true)), VoteResult::Pending);
/// assert_eq!(voters.to_string(), "(1 2 3)");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct MajorityConfig(BTreeSet<NodeId>);

impl MajorityConfig {
    /// Up to this many voters a decision allocates nothing.
    const SMALL: usize = 7;

    /// What the votes decide; `vote` tells how a voter has voted, `None` for not yet.
    ///
    /// Without voters the vote is won, so that an empty half of a [`JointConfig`](crate::JointConfig) decides nothing.
    pub fn vote_result(&self, vote: impl Fn(NodeId) -> Option<bool>) -> VoteResult {
        let (mut granted, mut missing) = (0, 0);
        for id in self.iter() {
            match vote(id) {
                Some(true) => granted += 1,
                Some(false) => {}
                None => missing += 1,
            }
        }
        if self.is_empty() || granted >= self.quorum() {
            VoteResult::Won
        } else if granted + missing >= self.quorum() {
            VoteResult::Pending
        } else {
            VoteResult::Lost
        }
    }

    /// The largest value that a quorum has acknowledged; `acked` tells what a voter has acknowledged, `None` counting
    /// as 0.
    ///
    /// Without voters it is `u64::MAX`, so that an empty half of a [`JointConfig`](crate::JointConfig) limits nothing.
    pub fn committed_index(&self, acked: impl Fn(NodeId) -> Option<u64>) -> u64 {
        if self.is_empty() {
            return u64::MAX;
        }
        let acked = self.iter().map(|id| acked(id).unwrap_or(0));
        if self.len() <= Self::SMALL {
            let mut buffer = [0; Self::SMALL];
            for (slot, value) in buffer.iter_mut().zip(acked) {
                *slot = value;
            }
            self.quorum_th_largest(&mut buffer[..self.len()])
        } else {
            self.quorum_th_largest(&mut acked.collect::<Vec<_>>())
        }
    }

    /// The largest value that as many values reach as a quorum has members; there is one value for each voter.
    fn quorum_th_largest(&self, values: &mut [u64]) -> u64 {
        let missing = usize::from(planted(Bug::CommitQuorumOffByOne) && self.len().is_multiple_of(2));
        let position = values.len() - (self.quorum() - missing);
        *values.select_nth_unstable(position).1
    }

    /// The members of the smallest majority.
    fn quorum(&self) -> usize {
        self.len() / 2 + 1
    }

    /// The voters in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + Clone + '_ {
        self.0.iter().copied()
    }

    /// How many voters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no voter.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this node is a voter.
    pub fn contains(&self, id: NodeId) -> bool {
        self.0.contains(&id)
    }

    /// Adds a voter. Returns whether it is a new one.
    pub fn insert(&mut self, id: NodeId) -> bool {
        self.0.insert(id)
    }

    /// Removes a voter. Returns whether it was one.
    pub fn remove(&mut self, id: NodeId) -> bool {
        self.0.remove(&id)
    }

    /// The voters as a set.
    pub fn as_set(&self) -> &BTreeSet<NodeId> {
        &self.0
    }
}

impl From<BTreeSet<NodeId>> for MajorityConfig {
    fn from(voters: BTreeSet<NodeId>) -> Self {
        Self(voters)
    }
}

impl FromIterator<NodeId> for MajorityConfig {
    fn from_iter<I: IntoIterator<Item = NodeId>>(voters: I) -> Self {
        Self(voters.into_iter().collect())
    }
}

/// etcd's form, such as `(1 2 a)`, with the ids in hexadecimal.
impl fmt::Display for MajorityConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&parenthesized(&self.0))
    }
}

/// A set of nodes in the form `(1 2 a)`, in hexadecimal as nodes are shown everywhere.
pub(crate) fn parenthesized(ids: &BTreeSet<NodeId>) -> String {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    format!("({})", ids.join(" "))
}
