//! The door to all checks: which call concerns which property, and in which order.

mod applying;
mod leading;
mod looped;
mod membership;
mod reads;
mod writing;

use raft::{Body, Config, EntryId, Message, NodeId, Role};

use super::applying_quota::ToApply;
use super::bounded_memory::Unapplied;
use super::cluster::{Campaign, Cluster, Durable};
use super::configuration::Configurations;
use super::election_safety::{self, ElectionSafety};
use super::election_timeout::ElectionTimeouts;
use super::exactly_once::ExactlyOnce;
use super::flow_control::FlowControl;
use super::heartbeats::Heartbeats;
use super::input::{Recovered, View};
use super::leader_completeness::LeaderCompleteness;
use super::linearizable_read::LinearizableRead;
use super::log_matching::{LogMatching, Origin};
use super::message_economy::MessageEconomy;
use super::monotonic::{self, Matched};
use super::pre_vote::PreVotes;
use super::state_machine_safety::StateMachineSafety;
use super::successive_changes::SuccessiveChanges;
use super::term_gate::TermGate;
use super::transfer_ends::Transfers;
use super::violation::{Check, Invariant};
use super::vote_once::{self, VoteOnce};
use super::watched::Watched;
use super::{commit_quorum, durability, handed_out_log, leader_leaves, recovery};
use crate::few::Few;
use crate::shared::Shared;

/// Every check, behind one door.
///
/// For one node the calls come in this order:
///
/// | when | call |
/// |---|---|
/// | it starts (read its disk, made the `RawNode`, bootstrapped it) | [`started`](Self::started) |
/// | … with the log of another cluster | [`has_foreign_log`](Self::has_foreign_log), instead, and no other call |
/// | after every call on the node: tick, step, propose, advance, apply_conf_change, storage response … | [`observed`](Self::observed) |
/// | a Ready was taken | [`handed_out`](Self::handed_out), with its snapshot and entries, in the place of `observed` |
/// | … and it holds committed entries | [`to_apply`](Self::to_apply) |
/// | … and the node goes by a configuration | [`goes_by`](Self::goes_by) |
/// | … and it holds messages | [`hands_out`](Self::hands_out) |
/// | what a Ready wrote is durable: no crash can lose it any more | [`persisted`](Self::persisted), in the order of the writes |
/// | an asynchronous write was answered to the node | [`storage_answered`](Self::storage_answered), then `observed` |
/// | a message arrives | [`received`](Self::received) |
/// | its clock ticked | [`ticked`](Self::ticked) |
/// | … or a record was written | [`shows`](Self::shows) |
/// | a message leaves, also one to the node itself | [`sent`](Self::sent) |
/// | a committed entry was applied | [`applied`](Self::applied), and [`executed`](Self::executed) if it held a client's command |
/// | … and is to change the membership | [`change_applied`](Self::change_applied) |
/// | … and changed the membership | [`configuration_applied`](Self::configuration_applied), before the `observed` after `apply_conf_change` |
/// | a page of entries was applied | [`state`](Self::state) |
/// | the application was restored from a received snapshot | [`snapshot_restored`](Self::snapshot_restored), before the node is told |
/// | the application took a snapshot | [`snapshot_taken`](Self::snapshot_taken); when durable [`snapshot_persisted`](Self::snapshot_persisted) |
/// | its log was compacted | [`compacted`](Self::compacted) |
/// | what it was given was refused | [`refused`](Self::refused), before `observed` |
/// | it led, and a progress changed | [`progress`](Self::progress) |
/// | … and has taken a Ready | [`tracked`](Self::tracked), [`uncommitted`](Self::uncommitted) |
/// | the loop that runs it took a proposal, or a change of the membership | [`proposed`](Self::proposed), [`change_taken`](Self::change_taken), [`change_came_late`](Self::change_came_late) |
/// | the loop that runs it went on | [`looped`](Self::looped) |
/// | it crashed | [`crashed`](Self::crashed) |
///
/// ```
/// use raft::{Config, ConfState, EntryId, HardState, Index, NodeId, Role, SoftState, Term};
/// use sim::invariant::{Checkers, Invariant, Recovered, View};
///
/// let (one, two) = (NodeId::new(1).unwrap(), NodeId::new(2).unwrap());
/// let configuration = ConfState { voters: [one, two].into(), ..ConfState::default() };
/// let recovered = Recovered {
///     hard_state: HardState::default(),
///     compacted: EntryId::ZERO,
///     entries: &[],
///     snapshot: EntryId::ZERO,
///     applied: Index::ZERO,
///     configuration: &configuration,
/// };
/// let mut checkers = Checkers::new();
/// checkers.started(one, &Config::new(one), &recovered, &View::default())?;
///
/// // It claims to lead, and nobody voted for it.
/// let hard_state = HardState { term: Term(1), vote: Some(one), commit: Index::ZERO };
/// let soft_state = SoftState { role: Role::Leader, leader: Some(one) };
/// let violation = checkers.observed(one, &View { hard_state, soft_state, ..View::default() }).unwrap_err();
/// assert_eq!(violation.invariant, Invariant::ElectionSafety);
/// # Ok::<(), sim::invariant::Violation>(())
/// ```
///
/// Copies share what each check remembers until one of them writes it. So a check that seldom learns anything new is handed its
/// shared state, looks first, and writes only what differs.
#[derive(Clone, Hash, Debug, Default)]
pub struct Checkers {
    watched: Watched,
    /// Nothing is looked at, not even to keep a picture of the cluster.
    off: bool,
    pub(super) cluster: Cluster,
    elections: Shared<ElectionSafety>,
    votes: Shared<VoteOnce>,
    pre_votes: Shared<PreVotes>,
    transfers: Shared<Transfers>,
    timeouts: Shared<ElectionTimeouts>,
    heartbeats: Shared<Heartbeats>,
    matching: Shared<LogMatching>,
    pub(super) completeness: Shared<LeaderCompleteness>,
    state_machines: Shared<StateMachineSafety>,
    configurations: Shared<Configurations>,
    changes: Shared<SuccessiveChanges>,
    matched: Shared<Matched>,
    reads: Shared<LinearizableRead>,
    commands: Shared<ExactlyOnce>,
    unapplied: Shared<Few<NodeId, Unapplied>>,
    to_apply: Shared<Few<NodeId, ToApply>>,
    terms: TermGate,
    flow: Shared<FlowControl>,
    economy: Shared<MessageEconomy>,
}

impl Checkers {
    /// Checkers that know of no node yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checkers that look at nothing and find nothing: for scripts that show what a node does when it is told what no
    /// correct node would tell it.
    pub fn off() -> Self {
        Self { off: true, watched: Watched::NONE, ..Self::default() }
    }

    /// Checkers that keep their picture of the cluster, and check one property, or none: for measuring what that costs.
    /// The properties on which it rests are checked as well.
    ///
    /// ```
    /// use sim::invariant::{Checkers, Invariant};
    /// let checkers = Checkers::only(Some(Invariant::VoteOnce));
    /// ```
    pub fn only(invariant: Option<Invariant>) -> Self {
        Self { watched: invariant.map_or(Watched::NONE, Watched::only), ..Self::default() }
    }

    /// Checkers of everything but these properties: of a node about which they know nothing.
    ///
    /// ```
    /// use sim::invariant::{Checkers, Invariant};
    /// let checkers = Checkers::without(&[Invariant::RunLoop]);
    /// assert!(checkers.check(Invariant::VoteOnce) && !checkers.check(Invariant::RunLoop));
    /// ```
    pub fn without(unchecked: &[Invariant]) -> Self {
        let watched = unchecked.iter().fold(Watched::ALL, |watched, invariant| watched.but(*invariant));
        Self { watched, ..Self::default() }
    }

    /// Whether they check this property.
    pub const fn check(&self, invariant: Invariant) -> bool {
        self.watched.contains(invariant)
    }

    /// Checks a property, if it is watched.
    fn when(&mut self, invariant: Invariant, check: impl FnOnce(&mut Self) -> Check) -> Check {
        if self.watched.contains(invariant) { check(self) } else { Ok(()) }
    }

    /// A node started, from what its disk kept.
    ///
    /// # Errors
    /// The property that this breaks, as for every call.
    pub fn started(&mut self, id: NodeId, config: &Config, recovered: &Recovered<'_>, view: &View) -> Check {
        if self.off {
            return Ok(());
        }
        let durable = recovered.hard_state;
        self.when(Invariant::DurableBeforeSend, |all| all.comes_back(id, recovered))?;
        self.when(Invariant::VoteOnce, |_| vote_once::begins(id, durable, view.hard_state))?;
        self.when(Invariant::DurableBeforeSend, |_| recovery::begins(id, durable, view.hard_state))?;
        self.voted(id, Some(durable))?;
        self.when(Invariant::StateMachineSafety, |all| all.state_machines.started(id, recovered.compacted))?;
        let origin = if self.cluster.get(id).is_some() { Origin::Copies } else { Origin::Creates };
        self.takes_up(id, recovered.compacted.term, recovered.entries, |_| origin)?;
        self.cluster.start(id, config, recovered, view);
        self.timeouts.started(id);
        self.transfers.started(id);
        self.reads.configured(id);
        self.when(Invariant::ConfigurationAgreement, |all| {
            let node = all.cluster.look(id);
            all.changes.started(node);
            all.configurations.started(id, node)
        })?;
        self.when(Invariant::BoundedMemory, |all| {
            let unapplied = all.unapplied.get_or_default(id);
            all.to_apply.get_or_default(id).started();
            unapplied.started();
            unapplied.wrote(id, all.cluster.look(id), recovered.entries, all.matching.largest_payload())
        })?;
        self.counts_as_applied(id)?;
        self.commits(id)
    }

    fn comes_back(&mut self, id: NodeId, recovered: &Recovered<'_>) -> Check {
        recovery::recovers(&self.cluster, id, recovered)?;
        let is_new = self.cluster.get(id).is_none();
        // What entries say is known only where that is watched.
        if is_new || !self.watched.contains(Invariant::LogMatching) {
            return Ok(());
        }
        recovery::gives_back_what_was_written(id, &self.matching, recovered.entries)
    }

    /// A node began with the log of another cluster. It acknowledges what it does not have, and a node that relies on
    /// that is not at fault.
    pub fn has_foreign_log(&mut self, id: NodeId) {
        self.cluster.has_foreign_log(id);
    }

    /// A node lost its memory. Its disk matters again with the next [`started`](Self::started), if there is one.
    pub fn crashed(&mut self, id: NodeId) {
        if self.off {
            return;
        }
        self.cluster.node(id).up = false;
        self.terms.refused(id);
        self.matched.forget(id);
    }

    /// A copy of what is durable on a node's disk is put aside.
    pub fn disk_copied(&mut self, id: NodeId) {
        let node = self.cluster.node(id);
        node.copied = Some(node.durable.clone());
    }

    /// A node that is down lost its disk. The one that takes its place is empty.
    pub fn disk_lost(&mut self, id: NodeId) {
        self.votes.lost(id);
        self.cluster.node(id).lose_disk(Durable::default());
    }

    /// A node that is down lost its disk. The copy that was put aside takes its place.
    pub fn disk_put_back(&mut self, id: NodeId) {
        self.votes.lost(id);
        let node = self.cluster.node(id);
        let copied = node.copied.clone().unwrap_or_default();
        node.lose_disk(copied);
    }

    /// A node is about to show itself as a leader. It counts `bytes` of payload as applied whose reports have not
    /// reached it, because others overtook them.
    pub fn not_reported(&mut self, id: NodeId, bytes: u64) {
        self.unapplied.get_or_default(id).not_reported = bytes;
    }

    /// The view of a node after any call on it. Costs next to nothing if nothing changed.
    pub fn observed(&mut self, id: NodeId, view: &View) -> Check {
        if self.off {
            return Ok(());
        }
        self.shown(id, view)?;
        self.when(Invariant::ElectionSafety, |all| all.terms.shows(id, view))
    }

    fn shown(&mut self, id: NodeId, view: &View) -> Check {
        if self.cluster.look(id).view == *view {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.cluster.node(id).view, *view);
        self.when(Invariant::Monotonic, |_| monotonic::changed(id, &before, view))?;
        self.when(Invariant::VoteOnce, |all| vote_once::changed(&all.cluster, id, &before, view))?;
        self.when(Invariant::ElectionTimeout, |all| {
            ElectionTimeouts::changed(&mut all.timeouts, id, all.cluster.look(id), &before, view)
        })?;
        self.when(Invariant::ConfigurationAgreement, |all| {
            leader_leaves::adds_nothing(id, all.cluster.look(id), &before, view)
        })?;
        if before.applied != view.applied {
            self.counts_as_applied(id)?;
            self.forget_applied_changes(id);
        }
        let part = |view: &View| (view.hard_state.term, view.soft_state.role);
        if part(&before) != part(view) {
            self.takes_part(id, view)?;
        }
        self.commits(id)
    }

    /// A message leaves its sender.
    pub fn sent(&mut self, message: &Message) -> Check {
        if self.off {
            return Ok(());
        }
        self.when(Invariant::ElectionSafety, |all| {
            all.elections.sent(message)?;
            PreVotes::sent(&mut all.pre_votes, &all.cluster, message)
        })?;
        self.when(Invariant::Liveness, |all| all.transfers.sent(&all.cluster, message))?;
        self.when(Invariant::ElectionTimeout, |all| all.timeouts.sent(message))?;
        self.when(Invariant::MessageEconomy, |all| MessageEconomy::sent(&mut all.economy, message))?;
        self.when(Invariant::LogMatching, |all| handed_out_log::sent(&all.cluster, message))?;
        self.when(Invariant::DurableBeforeSend, |all| durability::sent(&all.cluster, message))?;
        if let Body::Append { previous, entries, .. } = &message.body {
            self.creates(message.from, previous.term, entries)?;
        }
        if let (Body::VoteResponse { granted: true }, Some(term)) = (&message.body, message.term) {
            self.when(Invariant::VoteOnce, |all| VoteOnce::given(&mut all.votes, message.from, term, message.to))?;
        }
        if let Body::ReadIndexResponse { index, context } = &message.body {
            if self.answers_unconfirmed(message.from, *index) {
                self.reads.excuse(context);
            }
            self.when(Invariant::LinearizableRead, |all| all.reads.answered(&all.cluster, message.from, context))?;
        }
        if let Body::InstallSnapshot { snapshot } = &message.body {
            self.agreed(message.from, snapshot, "sends a snapshot")?;
        }
        Ok(())
    }

    /// A message arrives at its receiver, which is up and takes it next.
    pub fn received(&mut self, message: &Message) {
        if self.off {
            return;
        }
        if self.watched.contains(Invariant::ElectionSafety) {
            PreVotes::received(&mut self.pre_votes, &self.cluster, message);
            self.terms.received(&self.cluster, message);
        }
        if self.watched.contains(Invariant::ElectionTimeout) {
            ElectionTimeouts::received(&mut self.timeouts, &self.cluster, message);
        }
        if self.watched.contains(Invariant::BoundedMemory) {
            FlowControl::received(&mut self.flow, &self.cluster, message);
        }
        if self.watched.contains(Invariant::MessageEconomy) {
            self.economy.received(&self.cluster, message);
        }
        LinearizableRead::received(&mut self.reads, &self.cluster, message);
        if message.body == Body::TransferLeader {
            self.transfer_requested(message.to, message.from);
        }
    }

    /// The message that a node was taking, or another input, is refused.
    pub fn refused(&mut self, id: NodeId) {
        self.terms.refused(id);
    }

    /// A node is asked to hand leadership over to `target`.
    pub fn transfer_requested(&mut self, id: NodeId, target: NodeId) {
        self.transfers.asked(&self.cluster, id, target);
        self.timeouts.leads_anew(id);
        self.economy.has_reason(id, target);
    }

    /// A node's host asks it to campaign, or sets its election timer.
    pub fn campaign_requested(&mut self, id: NodeId) {
        self.timeouts.told_to_campaign(id);
    }

    /// A clock tick of a node is over. `transferee` is the node to which it hands leadership over, if it does.
    pub fn ticked(&mut self, id: NodeId, transferee: Option<NodeId>) -> Check {
        if self.off {
            return Ok(());
        }
        self.when(Invariant::Liveness, |all| Transfers::ticked(&mut all.transfers, &all.cluster, id, transferee))?;
        MessageEconomy::ticked(&mut self.economy, id, self.cluster.look(id));
        self.when(Invariant::ElectionTimeout, |all| {
            Heartbeats::ticked(&mut all.heartbeats, id, all.cluster.look(id));
            all.timeouts.ticked(&all.cluster, id, transferee)
        })
    }

    fn takes_part(&mut self, id: NodeId, view: &View) -> Check {
        self.when(Invariant::LeaderIsVoter, |all| election_safety::takes_part_as_voter(&all.cluster, id))?;
        if self.watched.contains(Invariant::ElectionSafety) {
            PreVotes::takes_part(&mut self.pre_votes, &self.cluster, id);
        }
        match view.soft_state.role {
            Role::Follower => Ok(()),
            Role::PreCandidate | Role::Candidate => {
                self.cluster.node(id).campaign = Some(Campaign { view: *view, judged: false });
                self.judge_campaign(id)
            }
            Role::Leader => {
                self.when(Invariant::ElectionSafety, |all| all.elections.elected(&all.cluster, &all.votes, id))?;
                self.when(Invariant::LeaderCompleteness, |all| all.completeness.elected(&all.cluster, id))?;
                self.unapplied.get_or_default(id).elected(self.cluster.look(id));
                self.when(Invariant::ConfigurationAgreement, |all| all.changes.elected(id, all.cluster.look(id)))
            }
        }
    }

    fn forget_applied_changes(&mut self, id: NodeId) {
        if self.cluster.look(id).has_applied_changes() {
            self.cluster.node(id).forget_applied_changes();
        }
    }

    /// Judges the configuration by which a node campaigned, as soon as the log with which it did so is known.
    fn judge_campaign(&mut self, id: NodeId) -> Check {
        let node = self.cluster.look(id);
        let unjudged = node.campaign.filter(|campaign| !campaign.judged && campaign.view.last == node.log.last());
        let Some(campaign) = unjudged else { return Ok(()) };
        self.cluster.node(id).campaign = Some(Campaign { judged: true, ..campaign });
        self.when(Invariant::ConfigurationAgreement, |all| all.changes.campaigned(id, all.cluster.look(id)))
    }

    /// Checks a commit index that rose, as soon as the log up to there is known. A leader's log always is.
    fn commits(&mut self, id: NodeId) -> Check {
        let node = self.cluster.look(id);
        let commit = node.view.hard_state.commit;
        let leads = node.leads();
        if commit <= node.checked || (leads.is_none() && !node.is_handed_out()) {
            return Ok(());
        }
        if let Some(term) = leads {
            self.when(Invariant::CommitQuorum, |all| commit_quorum::commits(&all.cluster, id))?;
            self.when(Invariant::LeaderCompleteness, |all| {
                all.completeness.committed(&all.cluster, term, EntryId::new(term, commit))
            })?;
        }
        self.when(Invariant::StateMachineSafety, |all| {
            StateMachineSafety::commits(&mut all.state_machines, id, all.cluster.look(id))
        })?;
        self.cluster.node(id).checked = commit;
        Ok(())
    }
}
