//! Which stored configurations are restored, and how one is shown.

use std::collections::BTreeSet;

use super::*;

/// Builds the stored configuration by changes alone: the outgoing voters one by one, then all else in one joint step.
fn rebuilt(state: &ConfState) -> Result<Configuration, ChangeError> {
    let all = |kind, ids: &BTreeSet<NodeId>| -> Vec<_> { ids.iter().map(|id| Change::new(kind, *id)).collect() };
    let incoming = [
        all(ChangeKind::Remove, &state.voters_outgoing),
        all(ChangeKind::AddVoter, &state.voters),
        all(ChangeKind::AddLearner, &state.learners),
        all(ChangeKind::AddLearner, &state.learners_next),
    ]
    .concat();
    let one_by_one = |configuration: Configuration, changes: Vec<Change>| {
        changes.into_iter().try_fold(configuration, |configuration, change| {
            configuration.simple(&[change]).map(|changed| changed.configuration)
        })
    };
    if state.voters_outgoing.is_empty() {
        return one_by_one(Configuration::default(), incoming);
    }
    let outgoing = one_by_one(Configuration::default(), all(ChangeKind::AddVoter, &state.voters_outgoing))?;
    Ok(outgoing.enter_joint(state.auto_leave, &incoming)?.configuration)
}

#[test]
fn exactly_what_changes_can_build_is_restored() {
    let set = |bits: u32| (1..=3).filter(|n| bits >> (n - 1) & 1 == 1).map(id).collect::<BTreeSet<_>>();
    let mut restored = 0;
    for bits in 0..1u32 << 13 {
        let state = ConfState {
            voters: set(bits),
            voters_outgoing: set(bits >> 3),
            learners: set(bits >> 6),
            learners_next: set(bits >> 9),
            auto_leave: bits >> 12 == 1,
        };
        let buildable = rebuilt(&state).ok().filter(|configuration| configuration.conf_state() == state);
        restored += u32::from(buildable.is_some());
        assert_eq!(Configuration::from_conf_state(&state).ok(), buildable, "{state:?}");
    }
    assert!(restored > 100, "only {restored} were valid");
}

#[test]
fn a_stored_contradiction_is_named() {
    let set = |ids: &[u64]| ids.iter().copied().map(id).collect::<BTreeSet<_>>();
    let joint = ConfState { voters: set(&[1]), voters_outgoing: set(&[1, 2]), ..ConfState::default() };
    let plain = ConfState { voters: set(&[1]), ..ConfState::default() };
    let table = [
        (ConfState { learners: set(&[1]), ..ConfState::default() }, ChangeError::NoVoters),
        (ConfState { voters: set(&[]), ..joint.clone() }, ChangeError::NoVoters),
        (ConfState { learners: set(&[1]), ..plain.clone() }, ChangeError::VoterAndLearner(id(1))),
        (ConfState { learners: set(&[2]), ..joint.clone() }, ChangeError::VoterAndLearner(id(2))),
        (ConfState { learners_next: set(&[1]), ..joint.clone() }, ChangeError::VoterAndLearner(id(1))),
        (ConfState { learners_next: set(&[3]), ..joint }, ChangeError::StagedOutsideOutgoing(id(3))),
        (ConfState { learners_next: set(&[2]), ..plain.clone() }, ChangeError::OnlyWhenJoint("learners_next")),
        (ConfState { auto_leave: true, ..plain }, ChangeError::OnlyWhenJoint("auto_leave")),
        (ConfState { auto_leave: true, ..ConfState::default() }, ChangeError::OnlyWhenJoint("auto_leave")),
    ];
    for (state, expected) in table {
        assert_eq!(Configuration::from_conf_state(&state), Err(expected), "{state:?}");
    }
    assert_eq!(Configuration::from_conf_state(&ConfState::default()), Ok(Configuration::default()));
}

#[test]
fn a_configuration_shows_every_part() {
    let set = |ids: &[u64]| ids.iter().copied().map(id).collect::<BTreeSet<_>>();
    let state = ConfState {
        voters: set(&[1, 2, 10]),
        voters_outgoing: set(&[1, 5]),
        learners: set(&[4, 11]),
        learners_next: set(&[5]),
        auto_leave: true,
    };
    let configuration = Configuration::from_conf_state(&state).unwrap();
    let expected = "voters=(1 2 a)&&(1 5) learners=(4 b) learners_next=(5) autoleave";
    assert_eq!(configuration.to_string(), expected);
    assert_eq!((configuration.learners(), configuration.learners_next()), (&state.learners, &state.learners_next));
    assert!(configuration.auto_leave());
    assert_eq!(Configuration::default().to_string(), "voters=()");
    assert!(!Configuration::default().auto_leave());
}
