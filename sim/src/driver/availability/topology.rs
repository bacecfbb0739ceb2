//! Which links stay cut: partitions in part, that stand.

use raft::NodeId;
use serde::{Deserialize, Serialize};

/// A link in one direction, from and to.
pub type Link = (NodeId, NodeId);

/// How the nodes of a cluster are connected for good, seen from who leads when the links are cut.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// No link is cut. What is missing here, clocks cost.
    Whole,
    /// All nodes reach one of them and nobody else, and that one does not lead.
    QuorumLoss,
    /// The leader reaches nobody. The others reach one of them and nobody else, whose log is older than theirs.
    ConstrainedElection,
    /// Each node reaches the next one of a chain only. The leader is at one end.
    Chained,
    /// Two halves, and one node that reaches both. The leader is in one half.
    Bridge,
    /// What the leader sends to one follower is lost; what that one sends to the leader arrives.
    HalfBrokenLink,
    /// What anybody sends to the leader is lost; what it sends arrives.
    DeafLeader,
    /// What the leader sends is lost; what others send to it arrives.
    MuteLeader,
    /// What anybody sends to one follower is lost; what it sends arrives.
    DeafFollower,
    /// What one follower sends is lost; what others send to it arrives.
    MuteFollower,
}

impl Topology {
    /// Each of them.
    pub const ALL: [Self; 10] = [
        Self::Whole,
        Self::QuorumLoss,
        Self::ConstrainedElection,
        Self::Chained,
        Self::Bridge,
        Self::HalfBrokenLink,
        Self::DeafLeader,
        Self::MuteLeader,
        Self::DeafFollower,
        Self::MuteFollower,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::QuorumLoss => "quorum-loss",
            Self::ConstrainedElection => "constrained-election",
            Self::Chained => "chained",
            Self::Bridge => "bridge",
            Self::HalfBrokenLink => "half-broken-link",
            Self::DeafLeader => "deaf-leader",
            Self::MuteLeader => "mute-leader",
            Self::DeafFollower => "deaf-follower",
            Self::MuteFollower => "mute-follower",
        }
    }

    /// The sizes of clusters in which it is a topology of its own. Of three nodes, one that is reached by all is the middle of a
    /// chain, and a bridge too; and where the leader of three is gone, nobody constrains the election.
    pub const fn sizes(self) -> &'static [u64] {
        match self {
            Self::QuorumLoss | Self::ConstrainedElection | Self::Bridge => &[5, 7],
            Self::Whole
            | Self::Chained
            | Self::HalfBrokenLink
            | Self::DeafLeader
            | Self::MuteLeader
            | Self::DeafFollower
            | Self::MuteFollower => &[3, 5, 7],
        }
    }

    /// The links that are cut, where the first of the nodes leads. There are at least two nodes.
    ///
    /// ```
    /// use raft::NodeId;
    /// use sim::driver::availability::Topology;
    /// let nodes = [1, 2, 3].map(|id| NodeId::new(id).expect("not zero"));
    /// assert_eq!(Topology::HalfBrokenLink.cuts(&nodes), [(nodes[0], nodes[1])]);
    /// ```
    pub fn cuts(self, nodes: &[NodeId]) -> Vec<Link> {
        let middle = nodes.len() / 2;
        let all = || (0..nodes.len()).flat_map(|from| (0..nodes.len()).map(move |to| (from, to)));
        let is_cut = |(from, to): &(usize, usize)| match self {
            Self::Whole => false,
            Self::QuorumLoss => *from != 1 && *to != 1,
            Self::ConstrainedElection => *from == 0 || *to == 0 || (*from != 1 && *to != 1),
            Self::Chained => from.abs_diff(*to) > 1,
            Self::Bridge => (*from < middle && *to > middle) || (*to < middle && *from > middle),
            Self::HalfBrokenLink => (*from, *to) == (0, 1),
            Self::DeafLeader => *to == 0,
            Self::MuteLeader => *from == 0,
            Self::DeafFollower => *to == 1,
            Self::MuteFollower => *from == 1,
        };
        all().filter(|(from, to)| from != to).filter(is_cut).map(|(from, to)| (nodes[from], nodes[to])).collect()
    }

    /// The links that are cut before the last write, so that somebody misses it. They stay cut.
    pub(super) fn cuts_before(self, nodes: &[NodeId]) -> Vec<Link> {
        match self {
            Self::ConstrainedElection => vec![(nodes[0], nodes[1]), (nodes[1], nodes[0])],
            Self::Whole
            | Self::QuorumLoss
            | Self::Chained
            | Self::Bridge
            | Self::HalfBrokenLink
            | Self::DeafLeader
            | Self::MuteLeader
            | Self::DeafFollower
            | Self::MuteFollower => Vec::new(),
        }
    }

    /// Whether some node reaches a quorum and is reached by it. If none does, no protocol that needs a quorum goes on.
    pub fn leaves_a_quorum(self, size: usize) -> bool {
        let nodes: Vec<NodeId> = (1..=size as u64).map(crate::plan::node_id).collect();
        let cuts = self.cuts(&nodes);
        let reaches = |from, to| from == to || !(cuts.contains(&(from, to)) || cuts.contains(&(to, from)));
        nodes.iter().any(|node| nodes.iter().filter(|other| reaches(*node, **other)).count() * 2 > size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(size: u64) -> Vec<NodeId> {
        (1..=size).map(crate::plan::node_id).collect()
    }

    /// The nodes that reach each other both ways, as pairs with the smaller one first.
    fn connected(topology: Topology, size: u64) -> Vec<(u64, u64)> {
        let cuts = topology.cuts(&nodes(size));
        let pairs = (1..=size).flat_map(|one| (one + 1..=size).map(move |other| (one, other)));
        let is_whole = |(one, other): &(u64, u64)| {
            let is_between = |(from, to): &&Link| {
                (from.get(), to.get()) == (*one, *other) || (from.get(), to.get()) == (*other, *one)
            };
            cuts.iter().find(is_between).is_none()
        };
        pairs.filter(is_whole).collect()
    }

    #[test]
    fn each_topology_leaves_the_links_that_it_says() {
        assert_eq!(connected(Topology::Whole, 3), [(1, 2), (1, 3), (2, 3)]);
        assert_eq!(connected(Topology::QuorumLoss, 5), [(1, 2), (2, 3), (2, 4), (2, 5)]);
        assert_eq!(connected(Topology::ConstrainedElection, 5), [(2, 3), (2, 4), (2, 5)]);
        assert_eq!(connected(Topology::Chained, 3), [(1, 2), (2, 3)]);
        assert_eq!(connected(Topology::Bridge, 5), [(1, 2), (1, 3), (2, 3), (3, 4), (3, 5), (4, 5)]);
        assert_eq!(connected(Topology::DeafLeader, 3), [(2, 3)]);
        assert_eq!(Topology::MuteFollower.cuts(&nodes(3)).len(), 2);
    }

    #[test]
    fn only_a_chain_of_seven_leaves_nobody_a_quorum() {
        for topology in Topology::ALL {
            for size in topology.sizes() {
                let expected = (topology, *size) != (Topology::Chained, 7);
                assert_eq!(topology.leaves_a_quorum(*size as usize), expected, "{} {size}", topology.name());
            }
        }
    }
}
