//! Agreement on configurations, and quorums that meet.
//!
//! ```text
//! n and m applied a change at i                ⇒  their configurations after i are equal                    (1)
//! s is a snapshot at i                         ⇒  s holds the configuration after i                         (2)
//! n starts, or restores its application, at i  ⇒  n decides by the configuration after i                     (3)
//! n campaigns                                  ⇒  no change lies in (applied, commit], at most one above       (4)
//! n campaigns                                  ⇒  n restored the snapshot that its log begins with, if any      (4)
//! n leads and appends a change                 ⇒  n applied every earlier change in its log, and the change
//!                                                 leaves a joint configuration exactly if n is in one           (5)
//! l is elected after l', in the order of terms ⇒  no quorum of l's configuration misses one of l's'           (6)
//! n is the first to apply a change             ⇒  it comes to what the change makes of the one before         (7)
//! n hands a Ready out                          ⇒  n decides by what it last applied, restored or started with  (8)
//! ```
//!
//! Source: thesis, sections 4.1 and 4.3 and the erratum on single-server changes; etcd issues 7625, 10998 and 12359;
//! `etcdraft.tla`. etcd lets a node decide by a configuration once it has *applied* it, not once it holds it. (5) keeps
//! one change at a time on its way. Who holds a second change therefore knows from the leader's commit index that the
//! first is committed, and does not campaign before it has applied it: (4). So no two leaders that follow each other are
//! more than one change apart: (6).
//!
//! One excuse: a host that writes the entries of a Ready before its hard state may in a crash keep a second change and
//! lose the commit index that came with it. etcd's write-ahead log does so; then (4) says nothing about what came back
//! without having been durable, and leader completeness has to find what comes of it.
//!
//! Where a node runs with `disable_conf_change_validation`, its host keeps changes apart, and (5) and the second half of
//! (4) say nothing about the node.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use raft::{ConfChangeV2, ConfState, Configuration, Entry, Index, NodeId, Role, Term};

use super::cluster::{self, Node};
use super::next_configuration;
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::words;

/// The committed configurations, and those that the newest leaders decided by.
#[derive(Clone, Debug, Default)]
pub(super) struct Configurations {
    /// From which index on each configuration was in force. What is older is forgotten or was never agreed on: the
    /// nodes of a new cluster bootstrap themselves with all its changes at once.
    history: VecDeque<(Index, Arc<ConfState>)>,
    /// Up to where somebody has applied changes.
    newest: Index,
    leaders: BTreeMap<Term, (NodeId, Arc<ConfState>)>,
    unvalidated: bool,
    /// Changes up to here may have been spread by a node whose disk had lost what it knew to be committed.
    spread: Index,
}

impl Configurations {
    /// How many configurations, and leaders, are remembered.
    const REMEMBERED: usize = 64;

    /// A node starts, with its picture taken already.
    pub fn started(&mut self, id: NodeId, node: &Node) -> Check {
        self.unvalidated |= node.config.as_ref().is_some_and(|config| config.disable_conf_change_validation);
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

    /// A node applied the change at `index`. Gives the configuration to share, where it is right.
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
        Err(ahead(id, what))
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

    /// A node campaigned as its picture says, and its log is known.
    pub fn campaigned(&mut self, id: NodeId, node: &Node) -> Check {
        let Some(campaign) = node.campaign else { return Ok(()) };
        let (applied, commit) = (campaign.view.applied, campaign.view.hard_state.commit);
        let base = node.log.base().index;
        if node.view.applied < base {
            let what = format!(
                "campaigned having applied up to {applied} only; expected it to apply its snapshot up to {base} first"
            );
            return Err(ahead(id, what));
        }
        let unapplied = node.changes.iter().find(|&&index| index > applied && index <= commit);
        if let Some(index) = unapplied {
            return Err(ahead(
                id,
                format!(
                    "campaigned having applied up to {applied} only; expected it to apply the membership change at {index} \
                     first, which it knows to be committed"
                ),
            ));
        }
        let mut above = node.changes.iter().copied().filter(|&index| index > commit);
        let (Some(first), Some(second)) = (above.next(), above.next()) else { return Ok(()) };
        let newest = above.next_back().unwrap_or(second);
        if node.torn.is_some_and(|torn| torn <= newest) {
            self.spread = self.spread.max(newest);
        }
        if self.unvalidated || second <= self.spread {
            return Ok(());
        }
        Err(ahead(
            id,
            format!(
                "campaigned with membership changes at {first} and {second} above its commit index {commit}; expected one at most"
            ),
        ))
    }

    /// A node is about to write entries.
    pub fn writes(&self, id: NodeId, node: &Node, entries: &[Entry]) -> Check {
        if node.view.soft_state.role != Role::Leader || self.unvalidated {
            return Ok(());
        }
        if let Some(entry) = entries.iter().find(|entry| is_out_of_turn(node, entry)) {
            let (index, configuration) = (entry.index, &node.configuration);
            let what = format!(
                "leads and appended a membership change at {index} that may not follow the members {}; expected one that \
                 leaves a joint configuration exactly where there is one",
                words::members(configuration)
            );
            return Err(ahead(id, what));
        }
        let mut changes = cluster::changes(entries).peekable();
        let Some(&first) = changes.peek() else { return Ok(()) };
        let pending = node.changes.iter().find(|&&index| index > node.view.applied && index < first);
        match pending.copied().or_else(|| changes.nth(1).map(|_| first)) {
            Some(pending) => {
                let applied = node.view.applied;
                let what = format!(
                    "leads and appended a membership change at {first} having applied up to {applied} only; expected it \
                         to wait until the one at {pending} is applied"
                );
                Err(ahead(id, what))
            }
            None => Ok(()),
        }
    }

    /// A node became leader.
    pub fn elected(&mut self, id: NodeId, node: &Node) -> Check {
        let term = node.view.hard_state.term;
        if let Some((&before, (other, theirs))) = self.leaders.range(..term).next_back()
            && !Arc::ptr_eq(theirs, &node.configuration)
            && **theirs != *node.configuration
            && let Some((quorum, opposed)) = quorum::disjoint_quorums(&node.configuration, theirs)
        {
            let detail = format!(
                "node {id} leads term {term} with the members {}, of which {} decide, and node {other} led term {before} \
                 with {}, of which {} decide; expected any two quorums to share a voter",
                words::members(&node.configuration),
                words::nodes(&quorum),
                words::members(theirs),
                words::nodes(&opposed)
            );
            return Err(Violation::new(Invariant::ConfigurationAgreement, &[id, *other], detail));
        }
        self.decides_by(id, node);
        Ok(())
    }

    /// A node's configuration changed, perhaps while it leads.
    pub fn decides_by(&mut self, id: NodeId, node: &Node) {
        let Some(term) = node.leads() else { return };
        self.leaders.insert(term, (id, node.configuration.clone()));
        if self.leaders.len() > Self::REMEMBERED {
            self.leaders.pop_first();
        }
    }
}

/// Whether a leader's entry leaves a joint configuration where there is none, or is another change where there is one.
fn is_out_of_turn(node: &Node, entry: &Entry) -> bool {
    let joint = !node.configuration.voters_outgoing.is_empty();
    let leaves = match entry.conf_change() {
        Ok(Some(change)) => change.into_v2().changes.is_empty(),
        Ok(None) | Err(_) => return false,
    };
    entry.term == node.view.hard_state.term && leaves != joint
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
    Err(ahead(
        id,
        format!(
            "decides by the members {}; expected {}, which the last change it applied led to",
            words::members(&configuration.conf_state()),
            words::members(&node.configuration)
        ),
    ))
}

/// A node changed its membership by the entry at `index`, which a snapshot has replaced: that has its membership.
pub(super) fn came_late(id: NodeId, index: Index) -> Check {
    Err(ahead(
        id,
        format!(
            "changed its membership by the entry at {index}; expected it to leave that to the snapshot it restored, which \
             covers the entry"
        ),
    ))
}

fn ahead(id: NodeId, what: String) -> Violation {
    Violation::new(Invariant::ConfigurationAgreement, &[id], format!("node {id} {what}"))
}

#[cfg(test)]
mod tests {
    use raft::{Config, EntryId};

    use super::super::testing::{Bench, breaks, change, configuration, entries, entry, node};
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

    /// Node 1 led term 1 and wrote changes; node 2 holds them too.
    fn with_changes(indexes: &[u64]) -> Bench {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        let last = *indexes.last().expect("a change");
        let log: Vec<Entry> =
            (2..=last).map(|index| if indexes.contains(&index) { change(1, index) } else { entry(1, index) }).collect();
        // One by one, each applied before the next as far as the leader is concerned.
        for written in log {
            bench.append(1, &[written]).unwrap();
            bench.checkers.cluster.node(node(1)).changes.clear();
        }
        let log: Vec<Entry> = std::iter::once(entry(1, 1))
            .chain((2..=last).map(|index| if indexes.contains(&index) { change(1, index) } else { entry(1, index) }))
            .collect();
        bench.append(2, &log).unwrap();
        bench.append(3, &log).unwrap();
        bench.commit(1, last).unwrap();
        bench
    }

    #[test]
    fn campaigning_with_a_change_that_is_not_committed_is_fine() {
        with_changes(&[2]).campaign(2, 2).unwrap();
    }

    #[test]
    fn campaigning_with_a_committed_change_that_is_not_applied_is_found() {
        let mut bench = with_changes(&[2]);
        bench.commit(2, 2).unwrap();
        breaks(Invariant::ConfigurationAgreement, bench.campaign(2, 2));
    }

    #[test]
    fn campaigning_with_two_changes_that_are_not_committed_is_found() {
        breaks(Invariant::ConfigurationAgreement, with_changes(&[2, 4]).campaign(2, 2));
    }

    /// Node 1 leads term 1, and has committed what it appended.
    fn committed() -> Bench {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.commit(1, 4).unwrap();
        bench
    }

    #[test]
    fn campaigning_with_a_snapshot_that_is_not_restored_is_found() {
        for (applied, right) in [(Index(3), true), (Index::ZERO, false)] {
            let mut bench = committed();
            let snapshot = bench.snapshot(3);
            let view = bench.view(3, |view| {
                view.last = snapshot.id;
                view.hard_state = raft::HardState { term: Term(1), vote: None, commit: Index(3) };
            });
            let handed_out = Some((&snapshot, &snapshot.conf_state));
            bench.checkers.handed_out(node(3), handed_out, &[], &view).unwrap();
            let view = bench.view(3, |view| view.applied = applied);
            bench.checkers.cluster.node(node(3)).applied = applied;
            bench.checkers.observed(node(3), &view).unwrap();
            match right {
                true => bench.campaign(3, 2).unwrap(),
                false => breaks(Invariant::ConfigurationAgreement, bench.campaign(3, 2)),
            }
        }
    }

    #[test]
    fn a_change_out_of_turn_is_found() {
        let change = |change: ConfChangeV2| {
            let (kind, data) = raft::ConfChange::V2(change).encode();
            Entry { kind, data, ..entry(1, 5) }
        };
        let leave = change(ConfChangeV2::leave_joint());
        let add = raft::Change { kind: raft::ChangeKind::AddVoter, node: Some(node(4)) };
        let add = change(ConfChangeV2::new(raft::Transition::Auto, vec![add]));
        Bench::led().append(1, std::slice::from_ref(&add)).unwrap();
        breaks(Invariant::ConfigurationAgreement, Bench::led().append(1, std::slice::from_ref(&leave)));
        let joint = || {
            let mut bench = Bench::led();
            let halves = ConfState { voters_outgoing: [node(1)].into(), ..configuration(&[1, 2, 3]) };
            bench.checkers.configuration_applied(node(1), Index(3), &halves).unwrap();
            bench
        };
        joint().append(1, &[leave]).unwrap();
        breaks(Invariant::ConfigurationAgreement, joint().append(1, &[add]));
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
        let mut bench = committed();
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

    #[test]
    fn a_campaign_with_a_log_that_is_not_handed_out_is_judged_once_it_is() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &[change(1, 2)]).unwrap();
        bench.append(3, &[entry(1, 1), change(1, 2)]).unwrap();
        bench.commit(1, 2).unwrap();
        let arrived = bench.view(2, |view| {
            view.last = change(1, 2).id();
            view.hard_state.commit = Index(2);
        });
        bench.checkers.observed(node(2), &arrived).unwrap();
        bench.campaign(2, 2).unwrap();
        let view = bench.view(2, |_| ());
        let written = [entry(1, 1), change(1, 2)];
        breaks(Invariant::ConfigurationAgreement, bench.checkers.handed_out(node(2), None, &written, &view));
    }

    #[test]
    fn a_second_change_while_the_first_is_not_applied_is_found() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &[change(1, 2)]).unwrap();
        breaks(Invariant::ConfigurationAgreement, bench.append(1, &[entry(1, 3), change(1, 4)]));
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        breaks(Invariant::ConfigurationAgreement, bench.append(1, &[change(1, 2), change(1, 3)]));
    }

    #[test]
    fn a_new_leader_that_overlooks_the_change_in_its_tail_is_found() {
        let mut bench = with_changes(&[2]);
        bench.elect(2, 2, &[3]).unwrap();
        breaks(Invariant::ConfigurationAgreement, bench.append(2, &[change(2, 4)]));
    }

    #[test]
    fn leaders_whose_quorums_can_miss_each_other_are_found() {
        for (voters, right) in [(&[1, 2, 3, 4][..], true), (&[1, 2, 3, 4, 5], false)] {
            let mut bench = Bench::with(&[1, 2, 3, 4, 5], &configuration(&[1, 2, 3]));
            bench.elect(1, 1, &[2]).unwrap();
            applied(&mut bench, 2, 1, voters).unwrap();
            bench.append(2, &[entry(1, 1)]).unwrap();
            let check = bench.elect(2, 2, &[3, 4]);
            match right {
                true => check.unwrap(),
                false => breaks(Invariant::ConfigurationAgreement, check),
            }
        }
    }
}
