//! No step leads from one configuration to another with a majority apart from a majority of the first, or two leaders
//! could be elected in one term. Majorities are counted here, by the definition, with every set of nodes tried.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Whether these nodes, a bit each, decide: more than half of the voters, in a joint configuration of both halves.
fn decide(nodes: u64, state: &ConfState) -> bool {
    [&state.voters, &state.voters_outgoing].into_iter().filter(|half| !half.is_empty()).all(|half| {
        let among = half.iter().filter(|id| nodes >> id.get() & 1 == 1).count();
        2 * among > half.len()
    })
}

/// Whether no nodes, of those from 1 to 5, decide in the one while the others decide in the other.
pub(super) fn majorities_meet(one: &ConfState, other: &ConfState) -> bool {
    (0..1 << 5).map(|nodes: u64| nodes << 1).all(|nodes| !(decide(nodes, one) && decide(!nodes, other)))
}

fn voters(ids: &[u64]) -> ConfState {
    ConfState { voters: ids.iter().copied().map(id).collect(), ..ConfState::default() }
}

fn joint(incoming: &[u64], outgoing: &[u64]) -> ConfState {
    ConfState { voters_outgoing: voters(outgoing).voters, ..voters(incoming) }
}

#[test]
fn majorities_of_unrelated_configurations_need_not_meet() {
    let table = [
        (voters(&[1, 2, 3]), voters(&[1, 2, 3, 4]), true),
        (voters(&[1, 2, 3]), voters(&[2, 3, 4]), false),
        (voters(&[1]), voters(&[1, 2, 3]), false),
        (voters(&[1, 2, 3]), joint(&[4, 5], &[1, 2, 3]), true),
        (joint(&[4, 5], &[1, 2, 3]), voters(&[4, 5]), true),
        (joint(&[4], &[1, 2, 3]), voters(&[3]), false),
    ];
    for (one, other, expected) in table {
        assert_eq!(majorities_meet(&one, &other), expected, "{one:?} and {other:?}");
        assert_eq!(majorities_meet(&other, &one), expected, "{other:?} and {one:?}");
    }
}

/// All that may be done to four nodes at once, each being left alone, or made a voter, a learner or nothing; in each form.
fn all_changes() -> impl Iterator<Item = ConfChangeV2> {
    let kinds = [None, Some(ChangeKind::AddVoter), Some(ChangeKind::AddLearner), Some(ChangeKind::Remove)];
    (0..4usize.pow(4)).flat_map(move |number| {
        let kind = move |node: u64| kinds[number / 4usize.pow(node as u32 - 1) % 4];
        let changes =
            move || (1..=4).filter_map(move |node| kind(node).map(|kind| Change::new(kind, id(node)))).collect();
        let transitions = [Transition::Auto, Transition::Implicit, Transition::Explicit];
        transitions.map(|transition| ConfChangeV2::new(transition, changes()))
    })
}

/// Every configuration of four nodes that can be reached from node 1 alone, with those that may follow it.
fn reachable() -> BTreeMap<String, (ConfState, BTreeSet<String>)> {
    let changes: Vec<ConfChangeV2> = all_changes().collect();
    let mut reached = BTreeMap::new();
    let mut ahead = vec![Configuration::from_conf_state(&voters(&[1])).expect("it has a voter")];
    while let Some(configuration) = ahead.pop() {
        let (name, state) = (configuration.to_string(), configuration.conf_state());
        if reached.contains_key(&name) {
            continue;
        }
        let applied = changes.iter().filter_map(|change| configuration.apply(change).ok());
        let simple = changes.iter().filter_map(|change| configuration.simple(&change.changes).ok());
        let next = applied.chain(simple).map(|changed| (changed.configuration.to_string(), changed.configuration));
        let next: BTreeMap<String, Configuration> = next.collect();
        reached.insert(name, (state, next.keys().cloned().collect()));
        ahead.extend(next.into_values());
    }
    reached
}

#[test]
fn majorities_of_a_configuration_and_of_all_that_may_follow_it_meet() {
    let reached = reachable();
    let state = |name: &String| &reached[name].0;
    for (name, (before, followers)) in &reached {
        for follower in followers {
            assert!(majorities_meet(before, state(follower)), "{name} then {follower}");
        }
    }
    // Four nodes: 65 sets of voters and learners with a voter; and each of those beside each set of outgoing voters.
    let joint = reached.values().filter(|(state, _)| !state.voters_outgoing.is_empty()).count();
    assert_eq!((reached.len() - joint, joint), (65, 2 * 65 * 15));
    // What follows the follower has no such claim on the first: that is what the steps are for.
    let second = |(_, followers): &(ConfState, BTreeSet<String>)| {
        followers.iter().flat_map(|name| &reached[name].1).cloned().collect::<Vec<_>>()
    };
    assert!(reached.values().any(|first| second(first).iter().any(|second| !majorities_meet(&first.0, state(second)))));
}
