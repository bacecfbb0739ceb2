//! Agreement on configurations: after the same change everybody has the same members.
//!
//! ```text
//! n and m applied a change at i                ⇒  their configurations after i are equal                    (1)
//! s is a snapshot at i                         ⇒  s holds the configuration after i                         (2)
//! n starts, or restores its application, at i  ⇒  n decides by the configuration after i                     (3)
//! n is the first to apply a change             ⇒  it comes to what the change makes of the one before         (4)
//! n hands a Ready out                          ⇒  n decides by what it last applied, restored or started with  (5)
//! ```
//!
//! Source: thesis, sections 4.1 and 4.3; etcd issue 10998; `etcdraft.tla`. etcd lets a node decide by a configuration
//! once it has *applied* it, not once it holds it. Whether a change may follow another is checked by
//! [`successive_changes`](super::successive_changes).

use std::collections::VecDeque;
use std::sync::Arc;

use raft::{ConfChangeV2, ConfState, Configuration, Index, NodeId};

use super::cluster::Node;
use super::next_configuration;
use super::violation::{Check, Invariant, Violation};
use super::words;

/// The committed configurations.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Configurations {
    /// The configurations, each with the index from which on it was in force. Older ones are forgotten or were never
    /// agreed on: the nodes of a new cluster bootstrap themselves with all its changes at once.
    history: VecDeque<(Index, Arc<ConfState>)>,
    /// The highest index up to which some node has applied changes.
    newest: Index,
}

impl Configurations {
    /// How many configurations are remembered.
    const REMEMBERED: usize = 64;

    /// A node starts, with its picture taken already.
    pub fn started(&mut self, id: NodeId, node: &Node) -> Check {
        let at = node.applied.max(node.bootstrapped);
        let nobody = node.configuration.voters.is_empty() && node.configuration.learners.is_empty();
        if nobody && node.log.last().index == Index::ZERO {
            return Ok(());
        }
        if self.history.is_empty() {
            self.history.push_back((at, node.configuration.clone()));
            self.newest = at;
        }
        self.agrees(id, at, &node.configuration, "started")
    }

    /// A node applied the change at `index`. Returns the configuration to share, if it is right.
    pub fn applied(
        &mut self,
        id: NodeId,
        index: Index,
        configuration: &ConfState,
    ) -> Result<Arc<ConfState>, Violation> {
        self.agrees_or_extends(id, index, configuration)?;
        match self.at(index) {
            Some(shared) if **shared == *configuration => Ok(shared.clone()),
            Some(_) | None => Ok(Arc::new(configuration.clone())),
        }
    }

    /// The change at `index` leads to this configuration. Whoever applies it first decides what it leads to; from then on
    /// the others have to agree.
    pub fn follows(&self, id: NodeId, index: Index, change: &ConfChangeV2, configuration: &ConfState) -> Check {
        let Some((_, before)) = self.history.back().filter(|_| index > self.newest) else { return Ok(()) };
        let expected = next_configuration::after(before, change);
        if expected.as_ref() == Some(configuration) {
            return Ok(());
        }
        let what = format!(
            "applied the change {} at {index} to the members {}, and came to {}; expected {}",
            words::change(change),
            words::members(before),
            words::members(configuration),
            expected.as_ref().map_or("that the change is refused".to_owned(), words::members)
        );
        Err(broken(id, what))
    }

    fn agrees_or_extends(&mut self, id: NodeId, index: Index, configuration: &ConfState) -> Check {
        if index <= self.newest {
            return self.agrees(id, index, configuration, "applied");
        }
        self.newest = index;
        if self.history.back().is_none_or(|(_, newest)| **newest != *configuration) {
            self.history.push_back((index, Arc::new(configuration.clone())));
            if self.history.len() > Self::REMEMBERED {
                self.history.pop_front();
            }
        }
        Ok(())
    }

    /// What a node holds as the configuration after `index`: `how` it came by it goes into the report.
    pub fn agrees(&self, id: NodeId, index: Index, configuration: &ConfState, how: &str) -> Check {
        match self.at(index).filter(|agreed| ***agreed != *configuration) {
            Some(agreed) => {
                let detail = format!(
                    "node {id} {how} at {index} with the members {}; expected {}, which others agreed on",
                    words::members(configuration),
                    words::members(agreed)
                );
                Err(Violation::new(Invariant::ConfigurationAgreement, &[id], detail))
            }
            None => Ok(()),
        }
    }

    fn at(&self, index: Index) -> Option<&Arc<ConfState>> {
        self.history.iter().rev().find(|(from, _)| *from <= index).map(|(_, configuration)| configuration)
    }
}

/// A node hands a Ready out, and decides by this configuration.
pub(super) fn goes_by(id: NodeId, node: &Node, configuration: &Configuration) -> Check {
    let ConfState { voters, voters_outgoing, learners, learners_next, auto_leave } = &*node.configuration;
    let is_same = configuration.voters().incoming.as_set() == voters
        && configuration.voters().outgoing.as_set() == voters_outgoing
        && configuration.learners() == learners
        && configuration.learners_next() == learners_next
        && configuration.auto_leave() == *auto_leave;
    if is_same {
        return Ok(());
    }
    Err(broken(
        id,
        format!(
            "decides by the members {}; expected {}, which the last change it applied led to",
            words::members(&configuration.conf_state()),
            words::members(&node.configuration)
        ),
    ))
}

/// A node changed its membership by the entry at `index`, although a snapshot has replaced that entry and brought its
/// own membership.
pub(super) fn came_late(id: NodeId, index: Index) -> Check {
    Err(broken(
        id,
        format!(
            "changed its membership by the entry at {index}; expected it to leave that to the snapshot it restored, which \
             covers the entry"
        ),
    ))
}

/// A node has other members than the others, or makes something else of a change.
pub(super) fn broken(id: NodeId, what: String) -> Violation {
    Violation::new(Invariant::ConfigurationAgreement, &[id], format!("node {id} {what}"))
}

#[cfg(test)]
mod tests {
    use raft::{Config, EntryId, Term};

    use super::super::testing::{Bench, breaks, configuration, entries, node};
    use super::super::{Recovered, View};
    use super::*;

    fn applied(bench: &mut Bench, id: u64, index: u64, voters: &[u64]) -> Check {
        bench.checkers.configuration_applied(node(id), Index(index), &configuration(voters))
    }

    #[test]
    fn nodes_that_apply_the_same_changes_are_fine() {
        let mut bench = Bench::new(3);
        for id in 1..=3 {
            applied(&mut bench, id, 4, &[1, 2, 3, 4]).unwrap();
            applied(&mut bench, id, 6, &[1, 2, 4]).unwrap();
        }
    }

    #[test]
    fn different_configurations_after_the_same_change_are_found() {
        let mut bench = Bench::new(3);
        applied(&mut bench, 1, 4, &[1, 2, 3, 4]).unwrap();
        breaks(Invariant::ConfigurationAgreement, applied(&mut bench, 2, 4, &[1, 2, 3]));
    }

    #[test]
    fn a_change_that_nobody_else_saw_is_found() {
        let mut bench = Bench::new(3);
        applied(&mut bench, 1, 6, &[1, 2, 3, 4]).unwrap();
        breaks(Invariant::ConfigurationAgreement, applied(&mut bench, 2, 4, &[1, 2]));
    }

    #[test]
    fn a_change_that_comes_to_something_else_is_found() {
        let add = ConfChangeV2::new(
            raft::Transition::Auto,
            vec![raft::Change { kind: raft::ChangeKind::AddVoter, node: Some(node(4)) }],
        );
        let bench = Bench::new(3);
        let comes_to = |voters: &[u64]| bench.checkers.change_applied(node(1), Index(4), &add, &configuration(voters));
        comes_to(&[1, 2, 3, 4]).unwrap();
        breaks(Invariant::ConfigurationAgreement, comes_to(&[1, 2, 3]));
        breaks(Invariant::ConfigurationAgreement, comes_to(&[1, 2, 4]));
        let leave = ConfChangeV2::leave_joint();
        breaks(
            Invariant::ConfigurationAgreement,
            bench.checkers.change_applied(node(1), Index(4), &leave, &configuration(&[1, 2, 3])),
        );
    }

    fn bench_with_snapshots() -> Bench {
        let mut bench = Bench::new(1);
        bench.elect(1, 1, &[]).unwrap();
        bench.append(1, &entries(1, 2..=9)).unwrap();
        bench.commit(1, 9).unwrap();
        applied(&mut bench, 1, 4, &[1, 2]).unwrap();
        bench
    }

    #[test]
    fn a_snapshot_with_a_newer_or_older_configuration_is_found() {
        for (index, voters, right) in
            [(3, &[1][..], true), (3, &[1, 2], false), (4, &[1, 2], true), (5, &[1, 2], true), (5, &[1], false)]
        {
            let mut bench = bench_with_snapshots();
            let snapshot = raft::Snapshot { conf_state: configuration(voters), ..bench.snapshot(index) };
            let check = bench.checkers.snapshot_taken(node(1), &snapshot);
            match right {
                true => check.unwrap(),
                false => breaks(Invariant::ConfigurationAgreement, check),
            }
        }
    }

    #[test]
    fn a_node_that_restores_another_configuration_than_the_snapshots_is_found() {
        let mut bench = bench_with_snapshots();
        let snapshot = raft::Snapshot { conf_state: configuration(&[1, 2]), ..bench.snapshot(5) };
        let view = View { last: snapshot.id, ..View::default() };
        let mut restores = |id: u64, voters: &[u64]| {
            bench.checkers.handed_out(node(id), Some((&snapshot, &configuration(voters))), &[], &view)
        };
        restores(2, &[1, 2]).unwrap();
        breaks(Invariant::ConfigurationAgreement, restores(3, &[1]));
    }

    #[test]
    fn a_node_that_starts_with_another_configuration_is_found() {
        for (voters, right) in [(&[1, 2][..], true), (&[1], false)] {
            let mut bench = bench_with_snapshots();
            let snapshot = EntryId::new(Term(1), Index(5));
            let hard_state = bench.hard_state(1, 1);
            let recovered = Recovered {
                hard_state,
                compacted: snapshot,
                entries: &[],
                snapshot,
                applied: Index(5),
                configuration: &configuration(voters),
            };
            let commit = raft::HardState { commit: Index(5), ..hard_state };
            let view = View { hard_state: commit, last: snapshot, applied: Index(5), ..View::default() };
            let check = bench.checkers.started(node(2), &Config::new(node(2)), &recovered, &view);
            match right {
                true => check.unwrap(),
                false => breaks(Invariant::ConfigurationAgreement, check),
            }
        }
    }

    #[test]
    fn a_node_that_goes_by_another_configuration_than_it_applied_is_found() {
        let goes_by = |bench: &mut Bench, state: &ConfState| {
            bench.checkers.goes_by(node(1), &Configuration::from_conf_state(state).unwrap())
        };
        let mut bench = Bench::new(3);
        goes_by(&mut bench, &configuration(&[1, 2, 3])).unwrap();
        breaks(Invariant::ConfigurationAgreement, goes_by(&mut bench, &configuration(&[1, 2])));
        let joint = ConfState {
            voters_outgoing: [node(1), node(4)].into(),
            learners: [node(5)].into(),
            learners_next: [node(4)].into(),
            auto_leave: true,
            ..configuration(&[1, 2, 3])
        };
        bench.checkers.configuration_applied(node(1), Index(3), &joint).unwrap();
        goes_by(&mut bench, &joint).unwrap();
        let others = [
            ConfState { auto_leave: false, ..joint.clone() },
            ConfState { learners_next: Default::default(), ..joint.clone() },
            ConfState { learners: Default::default(), ..joint.clone() },
            ConfState { voters_outgoing: [node(1), node(2), node(4)].into(), ..joint.clone() },
        ];
        others.iter().for_each(|other| breaks(Invariant::ConfigurationAgreement, goes_by(&mut bench, other)));
    }

    #[test]
    fn a_change_that_a_snapshot_covers_changes_nothing() {
        let mut bench = Bench::committed();
        let snapshot = bench.snapshot(3);
        let view = bench.view(3, |view| {
            view.last = snapshot.id;
            view.hard_state = raft::HardState { term: Term(1), vote: None, commit: Index(3) };
        });
        bench.checkers.handed_out(node(3), Some((&snapshot, &snapshot.conf_state)), &[], &view).unwrap();
        bench.checkers.configuration_applied(node(3), Index(2), &configuration(&[1, 2])).unwrap();
        bench.checkers.goes_by(node(3), &Configuration::from_conf_state(&snapshot.conf_state).unwrap()).unwrap();
    }

    #[test]
    fn a_change_that_comes_late_is_found() {
        breaks(Invariant::ConfigurationAgreement, Bench::new(1).checkers.change_came_late(node(1), Index(3)));
    }
}
