//! What a change makes of a configuration, as the checkers see it. It is written independently of the raft crate, so
//! that a fault there, which every node would share, cannot hide here.
//!
//! Source: thesis, sections 4.1 and 4.3; etcd's package `confchange`.

use raft::{ChangeKind, ConfChangeV2, ConfState, NodeId, Transition};

/// The configuration after a change that the configuration before it allows. For a change that is not allowed, the
/// result is `None`, or a configuration by which no node may decide.
pub(super) fn after(before: &ConfState, change: &ConfChangeV2) -> Option<ConfState> {
    let joint = !before.voters_outgoing.is_empty();
    if change.changes.is_empty() && change.transition == Transition::Auto {
        return joint.then(|| left(before));
    }
    if joint {
        return None;
    }
    let mut after = before.clone();
    let enters = change.changes.len() > 1 || change.transition != Transition::Auto;
    if enters {
        after.voters_outgoing = before.voters.clone();
        after.auto_leave = change.transition != Transition::Explicit;
    }
    for change in &change.changes {
        if let Some(node) = change.node {
            step(&mut after, change.kind, node);
        }
    }
    let moved = before.voters.symmetric_difference(&after.voters).count();
    let allowed = !after.voters.is_empty() && (enters || moved <= 1);
    allowed.then_some(after)
}

/// The outgoing half is dropped, and members that waited for that become learners.
fn left(joint: &ConfState) -> ConfState {
    ConfState {
        voters: joint.voters.clone(),
        learners: joint.learners.union(&joint.learners_next).copied().collect(),
        ..ConfState::default()
    }
}

/// A member is in one place only, or in none, apart from the outgoing half.
fn step(after: &mut ConfState, kind: ChangeKind, node: NodeId) {
    if kind == ChangeKind::Update {
        return;
    }
    let ConfState { voters, learners, learners_next, voters_outgoing, .. } = after;
    for place in [&mut *voters, &mut *learners, &mut *learners_next] {
        place.remove(&node);
    }
    let place = match kind {
        ChangeKind::AddVoter => voters,
        // A voter of the outgoing half votes on until the joint configuration is left.
        ChangeKind::AddLearner if voters_outgoing.contains(&node) => learners_next,
        ChangeKind::AddLearner => learners,
        ChangeKind::Remove | ChangeKind::Update => return,
    };
    place.insert(node);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use raft::Change;

    use super::super::testing::{configuration, node};
    use super::*;

    fn change(transition: Transition, changes: &[(ChangeKind, u64)]) -> ConfChangeV2 {
        let change = |&(kind, id): &(ChangeKind, u64)| Change { kind, node: Some(node(id)) };
        ConfChangeV2::new(transition, changes.iter().map(change).collect())
    }

    fn ids(ids: &[u64]) -> BTreeSet<NodeId> {
        ids.iter().map(|&id| node(id)).collect()
    }

    #[test]
    fn one_voter_is_added_or_removed_at_once() {
        let before = configuration(&[1, 2, 3]);
        let one = |kind, id| after(&before, &change(Transition::Auto, &[(kind, id)]));
        assert_eq!(one(ChangeKind::AddVoter, 4), Some(configuration(&[1, 2, 3, 4])));
        assert_eq!(one(ChangeKind::Remove, 3), Some(configuration(&[1, 2])));
        assert_eq!(one(ChangeKind::Update, 3), Some(before.clone()));
        let demoted = ConfState { learners: ids(&[3]), ..configuration(&[1, 2]) };
        assert_eq!(one(ChangeKind::AddLearner, 3), Some(demoted));
    }

    #[test]
    fn greater_changes_pass_through_both_halves() {
        let before = ConfState { learners: ids(&[7]), ..configuration(&[1, 2, 3]) };
        let both = change(Transition::Auto, &[(ChangeKind::AddVoter, 4), (ChangeKind::AddLearner, 3)]);
        let joint = ConfState {
            voters_outgoing: ids(&[1, 2, 3]),
            learners: ids(&[7]),
            learners_next: ids(&[3]),
            auto_leave: true,
            ..configuration(&[1, 2, 4])
        };
        assert_eq!(after(&before, &both), Some(joint.clone()));
        assert_eq!(after(&joint, &both), None);
        let left = ConfState { learners: ids(&[3, 7]), ..configuration(&[1, 2, 4]) };
        assert_eq!(after(&joint, &ConfChangeV2::leave_joint()), Some(left.clone()));
        assert_eq!(after(&left, &ConfChangeV2::leave_joint()), None);
    }

    #[test]
    fn nobody_removes_the_last_voter() {
        let last = change(Transition::Auto, &[(ChangeKind::Remove, 1)]);
        assert_eq!(after(&configuration(&[1]), &last), None);
    }

    /// Which changes are tried: all pairs of kinds and a few nodes, in each transition.
    #[test]
    fn it_agrees_with_the_node_on_every_pair_of_changes() {
        let kinds = [ChangeKind::AddVoter, ChangeKind::AddLearner, ChangeKind::Remove, ChangeKind::Update];
        let single: Vec<(ChangeKind, u64)> =
            kinds.into_iter().flat_map(|kind| (1..=5).map(move |id| (kind, id))).collect();
        let before = ConfState { learners: ids(&[3]), ..configuration(&[1, 2]) };
        for (first, second) in single.iter().flat_map(|first| single.iter().map(move |second| (*first, *second))) {
            for transition in [Transition::Auto, Transition::Implicit, Transition::Explicit] {
                for changes in [&[first][..], &[first, second]] {
                    let change = change(transition, changes);
                    let node = raft::Configuration::from_conf_state(&before).unwrap();
                    let theirs = node.apply(&change).ok().map(|changed| changed.configuration.conf_state());
                    assert_eq!(after(&before, &change), theirs, "{change:?}");
                }
            }
        }
    }
}
