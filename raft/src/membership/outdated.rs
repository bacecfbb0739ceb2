//! Whether a membership is older than changes that were applied. A node that starts has to know, and only the changes
//! in its log can tell it.

use std::collections::BTreeMap;

use crate::membership::{ChangeKind, Changed, ConfChangeV2, Configuration};
use crate::types::{Index, NodeId};

/// The first of these changes, in the order of the log, that `configuration` lacks. `None` where it lacks none, or where
/// it may well be the one after all of them.
///
/// Two signs say that it is not older: carrying the changes out leads back to it, or each member is what the last
/// change that names it made of it. Except in odd histories, a configuration after the last change shows one of them,
/// and one whose members have changed since shows neither. The outgoing half of a joint configuration is judged by the
/// change that entered it.
pub(crate) fn first_missing(configuration: &Configuration, changes: &[(Index, ConfChangeV2)]) -> Option<Index> {
    let mut replayed = configuration.clone();
    let mut first = None;
    for (index, change) in changes {
        // One that is not allowed comes to nothing, as it did when it was applied.
        let Ok(changed) = replayed.apply(change) else { continue };
        replayed = changed.configuration;
        if replayed != *configuration {
            first = first.or(Some(*index));
        }
    }
    let lacks = replayed != *configuration && !Outcome::of(changes).shows_in(configuration);
    first.filter(|_| lacks)
}

/// What is left of a sequence of changes, each of which may undo what others did.
#[derive(Default)]
struct Outcome<'a> {
    members: BTreeMap<NodeId, ChangeKind>,
    joint: Joint<'a>,
}

/// Which joint configuration the last change that has to do with any leaves the cluster in.
#[derive(Default)]
enum Joint<'a> {
    #[default]
    Unchanged,
    Entered(&'a ConfChangeV2),
    Left,
}

impl<'a> Outcome<'a> {
    fn of(changes: &'a [(Index, ConfChangeV2)]) -> Self {
        let mut outcome = Self::default();
        for (_, change) in changes {
            if change.leaves_joint() {
                outcome.joint = Joint::Left;
            } else if change.enters_joint().is_some() {
                outcome.joint = Joint::Entered(change);
            }
            let named = change.changes.iter().filter_map(|step| Some((step.node?, step.kind)));
            outcome.members.extend(named.filter(|(_, kind)| *kind != ChangeKind::Update));
        }
        outcome
    }

    fn shows_in(&self, configuration: &Configuration) -> bool {
        let incoming = |id: NodeId| configuration.voters.incoming.contains(id);
        let learns = |id: &NodeId| configuration.learners.contains(id) || configuration.learners_next.contains(id);
        let as_made = |(id, kind): (&NodeId, &ChangeKind)| match kind {
            ChangeKind::AddVoter => incoming(*id),
            ChangeKind::AddLearner => learns(id),
            ChangeKind::Remove => !incoming(*id) && !learns(id),
            ChangeKind::Update => true,
        };
        self.joint.shows_in(configuration) && self.members.iter().all(as_made)
    }
}

impl Joint<'_> {
    fn shows_in(&self, configuration: &Configuration) -> bool {
        match self {
            Self::Unchanged => true,
            Self::Left => !configuration.is_joint(),
            Self::Entered(change) => {
                let mut before = Configuration { learners: configuration.learners.clone(), ..Configuration::default() };
                before.voters.incoming = configuration.voters.outgoing.clone();
                before.apply(change).is_ok_and(|Changed { configuration: entered, .. }| {
                    entered.voters == configuration.voters && entered.auto_leave == configuration.auto_leave
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::membership::{Change, ConfState, Transition};

    fn id(number: u64) -> NodeId {
        NodeId::new(number).expect("not zero")
    }

    fn with_voters(numbers: &[u64]) -> Configuration {
        let voters = numbers.iter().copied().map(id).collect();
        Configuration::from_conf_state(&ConfState { voters, ..ConfState::default() }).expect("voters only")
    }

    /// Changes at indexes 1, 2, …
    fn log(changes: &[ConfChangeV2]) -> Vec<(Index, ConfChangeV2)> {
        (1..).map(Index).zip(changes.iter().cloned()).collect()
    }

    fn change(transition: Transition, steps: &[(ChangeKind, u64)]) -> ConfChangeV2 {
        ConfChangeV2::new(transition, steps.iter().map(|(kind, number)| Change::new(*kind, id(*number))).collect())
    }

    /// The configurations before each change and after the last; what is not allowed is skipped.
    fn history(start: &Configuration, changes: &[ConfChangeV2]) -> Vec<Configuration> {
        let mut history = vec![start.clone()];
        for change in changes {
            let last = history.last().expect("it begins with one");
            let next = last.apply(change).map_or_else(|_| last.clone(), |changed| changed.configuration);
            history.push(next);
        }
        history
    }

    use ChangeKind::{AddLearner, AddVoter, Remove};
    use Transition::{Auto, Explicit};

    #[test]
    fn the_first_change_that_is_missing_is_named() {
        let one = with_voters(&[1]);
        let table = [
            (vec![], None),
            (vec![change(Auto, &[(AddVoter, 1)]), change(Auto, &[(AddVoter, 2)])], Some(2)),
            (vec![change(Auto, &[(AddLearner, 2)])], Some(1)),
            (vec![change(Explicit, &[(AddVoter, 2), (Remove, 1)])], Some(1)),
            (vec![change(Explicit, &[])], Some(1)),
            // What was undone again is not missed, nor what never was allowed.
            (vec![change(Auto, &[(AddVoter, 2)]), change(Auto, &[(Remove, 2)])], None),
            (vec![change(Auto, &[(Remove, 1)])], None),
        ];
        for (changes, missing) in table {
            assert_eq!(first_missing(&one, &log(&changes)), missing.map(Index), "{changes:?}");
        }
    }

    #[test]
    fn a_joint_configuration_that_was_not_left_is_missed() {
        let changes = [change(Explicit, &[(AddVoter, 2), (Remove, 1)]), ConfChangeV2::leave_joint()];
        let history = history(&with_voters(&[1]), &changes);
        assert_eq!(first_missing(&history[1], &log(&changes)[1..]), Some(Index(2)));
    }

    #[test]
    fn a_configuration_within_the_second_of_two_joint_changes_is_not_older_than_the_first() {
        let changes =
            [change(Explicit, &[(AddVoter, 2)]), ConfChangeV2::leave_joint(), change(Explicit, &[(Remove, 1)])];
        let history = history(&with_voters(&[1]), &changes);
        assert_eq!(first_missing(&history[3], &log(&changes)), None);
        assert_eq!(first_missing(&history[1], &log(&changes)[1..]), Some(Index(2)));
    }

    fn any_change() -> impl Strategy<Value = ConfChangeV2> {
        let kind = prop_oneof![Just(AddVoter), Just(Remove), Just(ChangeKind::Update), Just(AddLearner)];
        let steps = vec((kind, 1..5u64), 1..3);
        let transition = prop_oneof![Just(Auto), Just(Transition::Implicit), Just(Explicit)];
        prop_oneof![
            3 => (transition, steps).prop_map(|(transition, steps)| change(transition, &steps)),
            1 => Just(ConfChangeV2::leave_joint()),
        ]
    }

    /// Those changes alone that the configurations allow, as a leader that checks them lets into its log.
    fn allowed(start: &Configuration, mut changes: Vec<ConfChangeV2>) -> Vec<ConfChangeV2> {
        let mut configuration = start.clone();
        changes.retain(|change| {
            let changed = configuration.apply(change);
            changed.map(|changed| configuration = changed.configuration).is_ok()
        });
        changes
    }

    proptest! {
        #[test]
        fn the_newest_configuration_lacks_nothing(changes in vec(any_change(), 0..8), from in 0..8usize) {
            let start = with_voters(&[1, 2]);
            let changes = allowed(&start, changes);
            let history = history(&start, &changes);
            let newest = history.last().expect("it begins with one");
            prop_assert_eq!(first_missing(newest, &log(&changes)[from.min(changes.len())..]), None);
        }

        #[test]
        fn an_older_one_with_other_members_lacks_something(changes in vec(any_change(), 0..8), at in 0..8usize) {
            let start = with_voters(&[1, 2]);
            let changes = allowed(&start, changes);
            let history = history(&start, &changes);
            let at = at.min(changes.len());
            let (older, newest) = (&history[at], history.last().expect("it begins with one"));
            let missing = first_missing(older, &log(&changes)[at..]);
            let learners = |one: &Configuration| &one.learners | &one.learners_next;
            let other_members = older.voters.incoming != newest.voters.incoming || learners(older) != learners(newest);
            if other_members || older.is_joint() != newest.is_joint() {
                prop_assert!(missing.is_some(), "{older} is now {newest}");
            }
            if older == newest {
                prop_assert_eq!(missing, None, "{} is the newest", older);
            }
        }
    }
}
