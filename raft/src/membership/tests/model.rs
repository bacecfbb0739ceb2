//! Changes against a model of single nodes, and against what keeps two leaders from one term.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::majorities::majorities_meet;
use super::*;

/// One node in the model: a configuration is nothing but what each node is.
#[derive(Clone, Copy, PartialEq, Default)]
struct Node {
    becomes: Part,
    was_voter: bool,
    unknown: bool,
}

#[derive(Clone, Copy, PartialEq, Default)]
enum Part {
    #[default]
    Nothing,
    Learner,
    Voter,
}

#[derive(Clone, Default)]
struct Model {
    nodes: [Node; 5],
    joint: Option<bool>,
}

impl Model {
    fn ids(&self, wanted: impl Fn(&Node) -> bool) -> BTreeSet<NodeId> {
        (1..).map(id).zip(&self.nodes).filter(|(_, node)| wanted(node)).map(|(id, _)| id).collect()
    }

    fn conf_state(&self) -> ConfState {
        ConfState {
            voters: self.ids(|node| node.becomes == Part::Voter),
            voters_outgoing: self.ids(|node| node.was_voter),
            learners: self.ids(|node| node.becomes == Part::Learner && !node.was_voter),
            learners_next: self.ids(|node| node.becomes == Part::Learner && node.was_voter),
            auto_leave: self.joint == Some(true),
        }
    }

    fn set(&mut self, change: &Change) {
        let Some(id) = change.node else { return };
        let node = &mut self.nodes[id.get() as usize - 1];
        let was_member = node.was_voter || node.becomes != Part::Nothing;
        node.becomes = match change.kind {
            ChangeKind::AddVoter => Part::Voter,
            ChangeKind::AddLearner => Part::Learner,
            ChangeKind::Remove => Part::Nothing,
            ChangeKind::Update => node.becomes,
        };
        node.unknown = (node.unknown || !was_member) && node.becomes != Part::Nothing;
    }

    fn set_all(&mut self, changes: &[Change]) -> Result<(), ChangeError> {
        changes.iter().for_each(|change| self.set(change));
        let voters = self.nodes.iter().filter(|node| node.becomes == Part::Voter).count();
        if voters == 0 { Err(ChangeError::NoVoters) } else { Ok(()) }
    }

    fn simple(&mut self, changes: &[Change]) -> Result<(), ChangeError> {
        if self.joint.is_some() {
            return Err(ChangeError::SimpleInJoint);
        }
        let before = self.nodes;
        self.set_all(changes)?;
        let votes = |node: &Node| node.becomes == Part::Voter;
        let moved = before.iter().zip(&self.nodes).filter(|(before, after)| votes(before) != votes(after)).count();
        if moved > 1 { Err(ChangeError::MoreThanOneVoter) } else { Ok(()) }
    }

    fn enter(&mut self, auto_leave: bool, changes: &[Change]) -> Result<(), ChangeError> {
        if self.joint.is_some() {
            return Err(ChangeError::AlreadyJoint);
        }
        self.nodes.iter_mut().for_each(|node| node.was_voter = node.becomes == Part::Voter);
        if self.nodes.iter().all(|node| !node.was_voter) {
            return Err(ChangeError::NoVotersToJoin);
        }
        self.joint = Some(auto_leave);
        self.set_all(changes)
    }

    fn leave(&mut self) -> Result<(), ChangeError> {
        self.joint.take().ok_or(ChangeError::NotJoint)?;
        self.nodes.iter_mut().for_each(|node| node.was_voter = false);
        Ok(())
    }

    /// The model after the move, or why there is none.
    fn after(&self, step: &Move) -> Result<Self, ChangeError> {
        let mut next = self.clone();
        next.nodes.iter_mut().for_each(|node| node.unknown = false);
        match step {
            Move::Simple(changes) => next.simple(changes),
            Move::Apply(change) => match (change.transition, &change.changes[..]) {
                (Transition::Auto, []) => next.leave(),
                (Transition::Auto, [_]) => next.simple(&change.changes),
                (Transition::Auto | Transition::Implicit, _) => next.enter(true, &change.changes),
                (Transition::Explicit, _) => next.enter(false, &change.changes),
            },
        }?;
        Ok(next)
    }
}

#[derive(Clone, Debug)]
enum Move {
    Simple(Vec<Change>),
    Apply(ConfChangeV2),
}

impl Move {
    fn take(&self, configuration: &Configuration) -> Result<Changed, ChangeError> {
        match self {
            Self::Simple(changes) => configuration.simple(changes),
            Self::Apply(change) => configuration.apply(change),
        }
    }
}

fn any_steps() -> impl Strategy<Value = Vec<Change>> {
    let kind = prop_oneof![
        4 => Just(ChangeKind::AddVoter),
        2 => Just(ChangeKind::AddLearner),
        3 => Just(ChangeKind::Remove),
        1 => Just(ChangeKind::Update),
    ];
    let step = (kind, 0..=5u64).prop_map(|(kind, node)| Change { kind, node: NodeId::new(node) });
    prop::collection::vec(step, 0..5)
}

fn any_move() -> impl Strategy<Value = Move> {
    let transition = prop_oneof![
        3 => Just(Transition::Auto),
        1 => Just(Transition::Implicit),
        1 => Just(Transition::Explicit),
    ];
    let apply = (transition, any_steps()).prop_map(|(transition, changes)| ConfChangeV2::new(transition, changes));
    prop_oneof![
        2 => apply.prop_map(Move::Apply),
        1 => any_steps().prop_map(Move::Simple),
        1 => Just(Move::Apply(ConfChangeV2::leave_joint())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn changes_do_to_each_node_what_they_say_and_two_successive_configurations_share_a_quorum_member(
        moves in prop::collection::vec(any_move(), 1..20)
    ) {
        let (mut model, mut configuration) = (Model::default(), Configuration::default());
        for step in moves {
            let (expected, result) = (model.after(&step), step.take(&configuration));
            match (expected, result) {
                (Err(expected), Err(error)) => prop_assert_eq!(error, expected, "{} {:?}", configuration, step),
                (Ok(expected), Ok(changed)) => {
                    prop_assert_eq!(changed.configuration.conf_state(), expected.conf_state());
                    prop_assert_eq!(changed.joined, expected.ids(|node| node.unknown));
                    let (before, after) = (configuration.conf_state(), changed.configuration.conf_state());
                    let empty = before == ConfState::default();
                    prop_assert!(empty || majorities_meet(&before, &after), "{before:?} then {after:?}");
                    (model, configuration) = (expected, changed.configuration);
                }
                (expected, result) => prop_assert!(
                    false, "{configuration} {step:?} gives {result:?}, expected {:?}", expected.map(|m| m.conf_state())
                ),
            }
            let stored = configuration.conf_state();
            prop_assert_eq!(Configuration::from_conf_state(&stored), Ok(configuration.clone()));
        }
    }

    #[test]
    fn members_are_all_who_vote_or_learn_each_once_and_in_order(moves in prop::collection::vec(any_move(), 1..20)) {
        let mut configuration = Configuration::default();
        for step in moves {
            if let Ok(changed) = step.take(&configuration) {
                configuration = changed.configuration;
            }
        }
        let state = configuration.conf_state();
        let sets = [&state.voters, &state.voters_outgoing, &state.learners, &state.learners_next];
        let members: BTreeSet<_> = sets.into_iter().flatten().copied().collect();
        prop_assert!(configuration.members().eq(members.iter().copied()), "{}", configuration);
        for id in (1..=5).map(id) {
            prop_assert_eq!(configuration.contains(id), members.contains(&id));
            prop_assert_eq!(configuration.is_learner(id), state.learners.contains(&id));
            let votes = state.voters.contains(&id) || state.voters_outgoing.contains(&id);
            prop_assert_eq!(configuration.is_voter(id), votes);
        }
    }
}
