//! One membership change at a time, so that the quorums of leaders that follow each other meet.
//!
//! ```text
//! n campaigns                                  ⇒  no change lies in (applied, commit], at most one above       (1)
//! n campaigns                                  ⇒  n restored the snapshot that its log begins with, if any      (1)
//! n leads and appends a change                 ⇒  n applied every earlier change in its log, and the change
//!                                                 leaves a joint configuration exactly if n is in one           (2)
//! l is elected after l', in the order of terms ⇒  no quorum of l's configuration misses one of l's'           (3)
//! ```
//!
//! Source: thesis, sections 4.1 and 4.3 and the erratum on single-server changes; etcd issues 7625 and 12359;
//! `etcdraft.tla`. (2) keeps one change at a time on its way. So a node that holds a second change knows from the
//! leader's commit index that the first is committed, and does not campaign before it has applied the first: (1). So no
//! two leaders that follow each other are more than one change apart: (3). All of it is a part of
//! [`Invariant::ConfigurationAgreement`].
//!
//! One excuse: a host that writes the entries of a Ready before its hard state may in a crash keep a second change and
//! lose the commit index that came with it. etcd's write-ahead log does so; then (1) says nothing about what came back
//! without having been durable, and leader completeness has to find what comes of it.
//!
//! If a node runs with `disable_conf_change_validation`, its host has to keep changes apart, and (2) and the second
//! half of the first line of (1) do not apply to the node.

use std::collections::BTreeMap;
use std::sync::Arc;

use raft::{ConfState, Entry, Index, NodeId, Role, Term};

use super::cluster::{self, Node};
use super::configuration::broken;
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::words;

/// By which configurations the newest leaders decided, and what excuses a second change.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct SuccessiveChanges {
    leaders: BTreeMap<Term, (NodeId, Arc<ConfState>)>,
    /// Whether a host keeps changes apart itself.
    unvalidated: bool,
    /// Changes up to here may have been spread by a node whose disk had lost what it knew to be committed.
    spread: Index,
}

impl SuccessiveChanges {
    /// How many leaders are remembered.
    const REMEMBERED: usize = 64;

    /// A node starts, with its picture taken already.
    pub fn started(&mut self, node: &Node) {
        self.unvalidated |= node.config.as_ref().is_some_and(|config| config.disable_conf_change_validation);
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
            return Err(broken(id, what));
        }
        let unapplied = node.changes.iter().find(|&&index| index > applied && index <= commit);
        if let Some(index) = unapplied {
            return Err(broken(
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
        Err(broken(
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
            return Err(broken(id, what));
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
                Err(broken(id, what))
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

#[cfg(test)]
mod tests {
    use raft::ConfChangeV2;

    use super::super::testing::{Bench, breaks, change, configuration, entry, node};
    use super::*;

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

    #[test]
    fn campaigning_with_a_snapshot_that_is_not_restored_is_found() {
        for (applied, right) in [(Index(3), true), (Index::ZERO, false)] {
            let mut bench = Bench::committed();
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
            bench.checkers.configuration_applied(node(2), Index(1), &configuration(voters)).unwrap();
            bench.append(2, &[entry(1, 1)]).unwrap();
            let check = bench.elect(2, 2, &[3, 4]);
            match right {
                true => check.unwrap(),
                false => breaks(Invariant::ConfigurationAgreement, check),
            }
        }
    }
}
