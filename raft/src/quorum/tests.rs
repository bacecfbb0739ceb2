//! Quorum decisions against their definition, with every set of voters enumerated.

use proptest::prelude::*;

use crate::quorum::{JointConfig, MajorityConfig, VoteResult};
use crate::types::NodeId;

/// A set of nodes: bit `n` stands for the node with id `n + 1`.
type Nodes = u16;

fn bit(id: NodeId) -> Nodes {
    1 << (id.get() - 1)
}

fn majority(nodes: Nodes) -> MajorityConfig {
    (1..=16).filter_map(NodeId::new).filter(|id| nodes & bit(*id) != 0).collect()
}

fn joint(incoming: Nodes, outgoing: Nodes) -> JointConfig {
    JointConfig { incoming: majority(incoming), outgoing: majority(outgoing) }
}

/// The definition: every set of voters in which each half that has voters has more than half of them.
fn quorums(halves: [Nodes; 2]) -> impl Iterator<Item = Nodes> {
    let voters = halves[0] | halves[1];
    let has = |set: Nodes, half: Nodes| half == 0 || 2 * (set & half).count_ones() > half.count_ones();
    (0..=voters).filter(move |set| set & !voters == 0 && halves.iter().all(|half| has(*set, *half)))
}

fn decided(halves: [Nodes; 2], granted: Nodes, refused: Nodes) -> VoteResult {
    if quorums(halves).any(|quorum| quorum & !granted == 0) {
        VoteResult::Won
    } else if quorums(halves).any(|quorum| quorum & refused == 0) {
        VoteResult::Pending
    } else {
        VoteResult::Lost
    }
}

fn committed(halves: [Nodes; 2], acked: impl Fn(NodeId) -> Option<u64>) -> u64 {
    let reached = |quorum| majority(quorum).iter().map(|id| acked(id).unwrap_or(0)).min().unwrap_or(u64::MAX);
    quorums(halves).map(reached).max().expect("all voters together are a quorum")
}

fn vote(granted: Nodes, refused: Nodes) -> impl Fn(NodeId) -> Option<bool> {
    move |id| match (granted & bit(id) != 0, refused & bit(id) != 0) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

#[test]
fn a_majority_decides_as_defined_for_every_vote_of_up_to_nine() {
    for size in 0..=9 {
        let voters = (1 << size) - 1;
        for granted in 0..=voters {
            for refused in (0..=voters).filter(|refused| refused & granted == 0) {
                let expected = decided([voters, 0], granted, refused);
                let result = majority(voters).vote_result(vote(granted, refused));
                assert_eq!(result, expected, "{size} voters, granted {granted:b}, refused {refused:b}");
            }
        }
    }
}

fn acknowledgements() -> impl Strategy<Value = Vec<Option<u64>>> {
    let value = prop_oneof![1 => Just(None), 6 => (0..6u64).prop_map(Some), 1 => any::<u64>().prop_map(Some)];
    prop::collection::vec(value, 9)
}

proptest! {
    #[test]
    fn a_majority_commits_what_some_quorum_reached(size in 0..=9u32, acked in acknowledgements()) {
        let voters = (1 << size) - 1;
        let acked = |id: NodeId| acked[id.get() as usize - 1];
        prop_assert_eq!(majority(voters).committed_index(acked), committed([voters, 0], acked));
    }

    #[test]
    fn a_joint_quorum_commits_what_a_quorum_of_both_halves_reached(
        incoming in 0..512u16, outgoing in 0..512u16, acked in acknowledgements()
    ) {
        let acked = |id: NodeId| acked[id.get() as usize - 1];
        prop_assert_eq!(joint(incoming, outgoing).committed_index(acked), committed([incoming, outgoing], acked));
    }

    #[test]
    fn a_joint_vote_needs_both_halves(incoming in 0..512u16, outgoing in 0..512u16, a in 0..512u16, b in 0..512u16) {
        let (granted, refused) = (a, b & !a);
        let result = joint(incoming, outgoing).vote_result(vote(granted, refused));
        prop_assert_eq!(result, decided([incoming, outgoing], granted, refused));
    }

    #[test]
    fn the_voters_of_both_halves_come_once_and_in_order(incoming in 0..512u16, outgoing in 0..512u16) {
        let config = joint(incoming, outgoing);
        prop_assert!(config.ids().eq(majority(incoming | outgoing).iter()));
        for id in majority(511).iter() {
            prop_assert_eq!(config.contains(id), (incoming | outgoing) & bit(id) != 0);
        }
    }
}

#[test]
fn voters_of_whom_nothing_is_known_count_as_zero_in_a_large_cluster_too() {
    let table = [
        (1, vec![7], 7),
        (2, vec![7, 9], 7),
        (3, vec![7, 9], 7),
        (3, vec![9], 0),
        (4, vec![9, 8, 7], 7),
        (5, vec![5, 1, 4, 2, 3], 3),
        (8, vec![8, 1, 7, 2, 6, 3, 5, 4], 4),
        (16, (1..=9).collect(), 1),
        (16, (1..=8).collect(), 0),
    ];
    for (size, acked, expected) in table {
        let voters = majority(u16::MAX >> (16 - size));
        let committed = voters.committed_index(|id| acked.get(id.get() as usize - 1).copied());
        assert_eq!(committed, expected, "{voters} acknowledged {acked:?}");
    }
}

#[test]
fn a_configuration_without_voters_decides_nothing_and_stops_nothing() {
    assert_eq!(MajorityConfig::default().committed_index(|_| Some(3)), u64::MAX);
    assert_eq!(MajorityConfig::default().vote_result(|_| Some(false)), VoteResult::Won);
}

#[test]
fn configurations_say_what_they_are() {
    let table = [(0b111, 0, "(1 2 3)"), (0b111, 0b11000, "(1 2 3)&&(4 5)"), (0, 0, "()"), (1 << 11, 0, "(c)")];
    for (incoming, outgoing, expected) in table {
        assert_eq!(joint(incoming, outgoing).to_string(), expected);
        assert_eq!(joint(incoming, outgoing).is_joint(), outgoing != 0, "{expected}");
    }
    assert!(joint(0b1, 0).is_singleton());
    for (incoming, outgoing) in [(0, 0), (0b11, 0), (0b1, 0b1), (0b1, 0b10)] {
        assert!(!joint(incoming, outgoing).is_singleton(), "{}", joint(incoming, outgoing));
    }
}

#[test]
fn voters_are_a_set() {
    let mut voters = majority(0b1);
    let two = NodeId::new(2).unwrap();
    assert!(voters.insert(two) && !voters.insert(two));
    assert_eq!((voters.len(), voters.contains(two)), (2, true));
    assert!(voters.remove(two) && !voters.remove(two));
    assert_eq!((voters.len(), voters.contains(two), voters.is_empty()), (1, false, false));
}
