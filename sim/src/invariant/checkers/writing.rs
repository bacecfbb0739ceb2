//! What nodes hand out to be stored, and how much of it is stored.

use raft::{ConfState, Entry, EntryId, HardState, Index, NodeId, Snapshot, Term};

use super::super::input::View;
use super::super::log_matching::{LogMatching, Origin};
use super::super::violation::{Check, Invariant};
use super::super::vote_once::VoteOnce;
use super::super::{handed_out_log, leader_append_only, leader_completeness, leader_leaves, state_machine_safety};
use super::Checkers;

impl Checkers {
    /// A Ready was taken; these are its snapshot, with the configuration that the node decides by from then on, and its
    /// entries, empty or not.
    pub fn handed_out(
        &mut self,
        id: NodeId,
        snapshot: Option<(&Snapshot, &ConfState)>,
        entries: &[Entry],
        view: &View,
    ) -> Check {
        if self.off {
            return Ok(());
        }
        self.observed(id, view)?;
        if let Some((snapshot, configuration)) = snapshot {
            self.agreed(id, snapshot, "received a snapshot")?;
            self.when(Invariant::ConfigurationAgreement, |all| {
                all.configurations.agrees(id, snapshot.id.index, configuration, "restored a snapshot")
            })?;
            self.cluster.replace_log(id, snapshot);
            self.reads.configured(id);
            self.unapplied.get_or_default(id).restored();
        }
        if !entries.is_empty() {
            self.writes(id, entries)?;
        }
        let node = self.cluster.look(id);
        let leads = node.leads();
        if node.led != leads {
            self.cluster.node(id).led = leads;
        }
        self.when(Invariant::LogMatching, |all| handed_out_log::shows_what_it_wrote(id, all.cluster.look(id)))?;
        self.when(Invariant::LeaderCompleteness, |all| {
            leader_completeness::begins_with_own_entry(id, all.cluster.look(id))
        })?;
        self.when(Invariant::Liveness, |all| leader_leaves::steps_down(id, all.cluster.look(id)))?;
        self.judge_campaign(id)?;
        self.commits(id)
    }

    /// The committed entries of the Ready that was [handed out](Self::handed_out).
    pub fn to_apply(&mut self, id: NodeId, entries: &[Entry]) -> Check {
        if entries.is_empty() {
            return Ok(());
        }
        self.when(Invariant::BoundedMemory, |all| {
            all.to_apply.get_or_default(id).handed_out(id, all.cluster.look(id), entries)
        })
    }

    /// What a Ready wrote is durable now.
    pub fn persisted(
        &mut self,
        id: NodeId,
        hard_state: Option<HardState>,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
    ) -> Check {
        if self.off {
            return Ok(());
        }
        self.cluster.persist(id, hard_state, snapshot, entries);
        self.voted(id, hard_state)
    }

    /// The storage answered a node. `before` and `after` are the ends of its log: an answer changes what is stable, not
    /// the log.
    pub fn storage_answered(&mut self, id: NodeId, before: EntryId, after: EntryId) -> Check {
        if self.off {
            return Ok(());
        }
        self.when(Invariant::LogMatching, |_| handed_out_log::stays(id, before, after))
    }

    /// What a node shows as the term of an entry, after the storage wrote there or answered.
    pub fn shows(&mut self, id: NodeId, index: Index, term: Option<Term>) -> Check {
        if self.off {
            return Ok(());
        }
        self.when(Invariant::LogMatching, |all| handed_out_log::shows(id, all.cluster.look(id), index, term))
    }

    fn writes(&mut self, id: NodeId, entries: &[Entry]) -> Check {
        self.when(Invariant::LeaderAppendOnly, |all| {
            let node = all.cluster.look(id);
            leader_append_only::writes(id, node, node.led, entries)
        })?;
        self.when(Invariant::LeaderCompleteness, |all| leader_completeness::writes(id, all.cluster.look(id), entries))?;
        self.when(Invariant::StateMachineSafety, |all| {
            state_machine_safety::writes(id, all.cluster.look(id), entries)
        })?;
        self.when(Invariant::LogMatching, |all| handed_out_log::writes(id, all.cluster.look(id), entries))?;
        self.when(Invariant::ConfigurationAgreement, |all| all.changes.writes(id, all.cluster.look(id), entries))?;
        let log = &self.cluster.look(id).log;
        let previous = entries.first().and_then(|first| log.term(first.index.previous())).unwrap_or(Term::ZERO);
        self.takes_up(id, previous, entries, |leader| match leader {
            Some(leader) if leader != id => Origin::Copies,
            Some(_) | None => Origin::Creates,
        })?;
        self.when(Invariant::BoundedMemory, |all| {
            let largest = all.matching.largest_payload();
            all.unapplied.get_or_default(id).wrote(id, all.cluster.look(id), entries, largest)
        })?;
        self.cluster.write(id, entries);
        Ok(())
    }

    /// A leader that was deposed before it handed its newest entries out has created them all the same, if it sends them.
    pub(super) fn creates(&mut self, id: NodeId, previous: Term, entries: &[Entry]) -> Check {
        let Some(last) = entries.last() else { return Ok(()) };
        let is_led_by_another = self.elections.leader(last.term) != Some(id);
        let is_known = self.matching.content(last.term, last.index).is_some();
        if is_led_by_another || is_known || self.matching.leaves_gap(previous, entries) {
            return Ok(());
        }
        self.takes_up(id, previous, entries, |leader| match leader {
            Some(leader) if leader == id => Origin::Creates,
            Some(_) | None => Origin::Copies,
        })
    }

    /// A log takes up entries after one of the term `previous`. `origin` tells, by the leader of its term, whether an entry
    /// may be new.
    pub(super) fn takes_up(
        &mut self,
        id: NodeId,
        previous: Term,
        entries: &[Entry],
        origin: impl Fn(Option<NodeId>) -> Origin,
    ) -> Check {
        self.when(Invariant::LogMatching, |all| {
            LogMatching::takes_up(&mut all.matching, id, previous, entries, |term| origin(all.elections.leader(term)))
        })
    }

    /// A vote that is durable.
    pub(super) fn voted(&mut self, id: NodeId, hard_state: Option<HardState>) -> Check {
        match hard_state {
            Some(HardState { term, vote: Some(candidate), .. }) => {
                self.when(Invariant::VoteOnce, |all| VoteOnce::given(&mut all.votes, id, term, candidate))
            }
            Some(HardState { vote: None, .. }) | None => Ok(()),
        }
    }
}
