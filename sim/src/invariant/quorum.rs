//! Quorums as the checkers count them, written independently of the raft crate, so that a fault there cannot hide here.

use std::collections::BTreeSet;

use raft::{ConfState, NodeId};

/// Whether the nodes that `agrees` names decide for this configuration: more than half of its voters and, while it is
/// joint, more than half of the outgoing ones too (thesis, section 4.3). Nobody decides for a cluster without voters.
pub(super) fn decides(configuration: &ConfState, agrees: impl Fn(NodeId) -> bool) -> bool {
    let majority = |voters: &BTreeSet<NodeId>| 2 * voters.iter().filter(|&&id| agrees(id)).count() > voters.len();
    let outgoing = &configuration.voters_outgoing;
    !configuration.voters.is_empty() && majority(&configuration.voters) && (outgoing.is_empty() || majority(outgoing))
}

/// Whether the node votes in this configuration, in either half.
pub(super) fn votes(configuration: &ConfState, node: NodeId) -> bool {
    configuration.voters.contains(&node) || configuration.voters_outgoing.contains(&node)
}

/// Two disjoint sets of nodes of which one decides for `left` and the other for `right`, if there are such. Looks at
/// every way to split the voters, so it is for the rare moments; beyond 16 voters it finds nothing.
pub(super) fn disjoint_quorums(left: &ConfState, right: &ConfState) -> Option<(Vec<NodeId>, Vec<NodeId>)> {
    let halves = [&left.voters, &left.voters_outgoing, &right.voters, &right.voters_outgoing];
    let voters: Vec<NodeId> = halves.into_iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
    if voters.len() > 16 {
        return None;
    }
    (0..1_u32 << voters.len()).find_map(|split| {
        let (one, other): (Vec<_>, Vec<_>) = voters.iter().enumerate().partition(|(i, _)| split >> i & 1 == 1);
        let ids = |side: Vec<(usize, &NodeId)>| side.into_iter().map(|(_, &id)| id).collect::<Vec<_>>();
        let (one, other) = (ids(one), ids(other));
        (decides(left, |id| one.contains(&id)) && decides(right, |id| other.contains(&id))).then_some((one, other))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{configuration, node};
    use super::*;

    fn agree(configuration: &ConfState, nodes: &[u64]) -> bool {
        decides(configuration, |id| nodes.contains(&id.get()))
    }

    #[test]
    fn half_of_the_voters_decide_nothing() {
        assert!(!agree(&configuration(&[1, 2, 3, 4]), &[1, 2]));
        assert!(agree(&configuration(&[1, 2, 3, 4]), &[1, 2, 3]));
        assert!(!agree(&configuration(&[]), &[1, 2]));
    }

    #[test]
    fn a_joint_configuration_needs_both_halves() {
        let joint =
            ConfState { voters_outgoing: [1, 4, 5].into_iter().map(node).collect(), ..configuration(&[1, 2, 3]) };
        assert!(!agree(&joint, &[1, 2, 3]));
        assert!(!agree(&joint, &[2, 3, 4, 5]) || agree(&joint, &[4, 5, 2, 3]));
        assert!(agree(&joint, &[1, 2, 4]));
        assert!(votes(&joint, node(5)) && !votes(&joint, node(6)));
    }

    #[test]
    fn a_step_of_one_voter_keeps_quorums_together_and_a_step_of_two_does_not() {
        assert_eq!(disjoint_quorums(&configuration(&[1, 2, 3]), &configuration(&[1, 2, 3, 4])), None);
        let found = disjoint_quorums(&configuration(&[1, 2, 3]), &configuration(&[1, 2, 3, 4, 5]));
        let (left, right) = found.expect("2 of 3 and 3 of 5 can be disjoint");
        assert!(left.iter().all(|id| !right.contains(id)));
    }
}
