//! The Raft state machine. This file holds what every role shares: term, vote, log, membership and timers, the ways
//! from one role to another, and sending. What a role does with its input is in the file of that name.
//!
//! State that only one role has lives in that role's value inside [`RoleState`], so a change of role is a move and
//! nothing of the old role can be left behind.

mod candidate;
mod contradictions;
mod election;
mod follower;
mod leader;
mod proposal;
mod reads;
mod reconfiguration;
mod replication;
mod replicator;
mod stable;
mod step;
mod transfer;
mod validate;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::config::Config;
use crate::error::ConfigError;
use crate::events::Event;
use crate::log::RaftLog;
use crate::membership::{Configuration, first_missing};
use crate::message::{Body, Message};
use crate::planted::{Bug, planted};
use crate::progress::{InflightLimits, ProgressTable};
use crate::rng::TimeoutRng;
use crate::storage::{Storage, StorageError};
use crate::types::{Entry, HardState, Index, NodeId, ReadState, Role, SoftState, Term};

use candidate::Votes;
use leader::Leader;
use reads::ReadRequest;

pub(crate) use stable::{AppliedThrough, Durable};

/// A node's volatile and durable Raft state (Raft paper, figure 2).
#[derive(Clone, Debug)]
pub(crate) struct Raft<S: Storage> {
    config: Config,
    term: Term,
    vote: Option<NodeId>,
    /// The leader of the current term, where known.
    leader: Option<NodeId>,
    log: RaftLog<S>,
    /// Copies of a node share it: it seldom changes.
    configuration: Arc<Configuration>,
    role: RoleState,
    /// Ticks since the last word from a leader, or for a leader since the last check of its quorum.
    election_elapsed: u32,
    /// The current draw from `[election_tick, 2 * election_tick)`.
    randomized_election_timeout: u32,
    rng: TimeoutRng,
    outbox: Outbox,
    read_states: Vec<ReadState>,
    /// Reads that arrived at a leader before it had committed in its term. They end with its leadership; etcd's outlive it and
    /// are answered by the next leadership of this node, if there is one.
    postponed_reads: Vec<ReadRequest>,
}

/// Everything but the options, which whoever started the node has given it and does not change.
impl<S: Storage + Hash> Hash for Raft<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { config: _, term, vote, leader, log, configuration, role, .. } = self;
        (term, vote, leader, log, configuration, role).hash(state);
        let Self { election_elapsed, randomized_election_timeout, rng, outbox, read_states, postponed_reads, .. } =
            self;
        (election_elapsed, randomized_election_timeout, rng, outbox, read_states, postponed_reads).hash(state);
    }
}

/// The role, with the state that only this role has.
#[derive(Clone, Hash, Debug)]
enum RoleState {
    Follower,
    PreCandidate(Votes),
    Candidate(Votes),
    Leader(Box<Leader>),
}

/// Messages that wait for the next Ready.
#[derive(Clone, Hash, Debug, Default)]
pub(crate) struct Outbox {
    /// Messages that may leave at any time.
    pub(crate) messages: Vec<Message>,
    /// Messages that promise that everything the node knows by now is durable, so they leave only when it is. Some are
    /// addressed to the node itself: its own vote, and as a leader its own acknowledgement.
    pub(crate) after_append: Vec<Message>,
}

/// Adds to a list that has room for one at first, and then for twice as many each time: most nodes of many have one message to
/// send, and a usual list begins with room for four.
fn push(list: &mut Vec<Message>, message: Message) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(1));
    }
    list.push(message);
}

impl<S: Storage> Raft<S> {
    /// A follower that continues from what the storage holds.
    ///
    /// # Errors
    /// A configuration that makes no sense, by itself or with what the storage holds, or a storage that cannot be read.
    pub(crate) fn new(config: Config, storage: S) -> Result<Self, ConfigError> {
        config.validate()?;
        let (hard_state, conf_state) = storage.initial_state()?;
        let mut log = RaftLog::new(storage, config.max_committed_size_per_ready);
        if config.lenient_as_etcd {
            log.end_with_storage();
        }
        let rng = TimeoutRng::new(&config, hard_state, log.last_known_id());
        let mut raft = Self {
            term: Term::ZERO,
            vote: None,
            leader: None,
            log,
            configuration: Arc::new(Configuration::from_conf_state(&conf_state)?),
            role: RoleState::Follower,
            election_elapsed: 0,
            randomized_election_timeout: 0,
            rng,
            outbox: Outbox::default(),
            read_states: Vec::new(),
            postponed_reads: Vec::new(),
            config,
        };
        raft.load(hard_state)?;
        raft.commit_overtaken_changes();
        raft.check_membership()?;
        raft.become_follower(raft.term, None);
        match raft.log.failure() {
            Some(failure) => Err(StorageError::Failed(failure.clone()).into()),
            None => Ok(raft),
        }
    }

    fn load(&mut self, hard_state: HardState) -> Result<(), ConfigError> {
        let compacted = self.log.committed();
        if hard_state != HardState::default() {
            let last = self.log.last_index();
            if hard_state.commit < compacted || hard_state.commit > last {
                return Err(ConfigError::CommitOutOfRange {
                    commit: hard_state.commit,
                    first_minus_one: compacted,
                    last,
                });
            }
            self.log.load(hard_state.commit);
            if !planted(Bug::TermLostOnRestart) {
                self.term = hard_state.term;
                self.vote = hard_state.vote;
            }
        }
        let applied = self.config.applied;
        if applied > Index::ZERO {
            if applied < compacted || applied > self.log.committed() {
                return Err(ConfigError::AppliedOutOfRange {
                    applied,
                    first_minus_one: compacted,
                    commit: self.log.committed(),
                });
            }
            self.log.start_applied(applied);
        }
        Ok(())
    }

    /// Commits what the log shows to be committed, whatever the hard state says: every membership change but the last.
    /// A leader appends a change only when it has applied all those before it, so the log shows that those are
    /// committed.
    ///
    /// A node that wrote the entries of a Ready, and crashed before it wrote the hard state, may find two changes
    /// beyond its commit index. With the membership before both, it could be elected without a majority of the newest
    /// one, and overwrite what is committed: majorities overlap only from one membership to the next (thesis, section
    /// 4.1). etcd's node goes on with the old membership.
    ///
    /// A bootstrap appends the first members all at once, at the beginning of the log, which shows nothing of that
    /// kind: a node that crashed in the middle of it must not lead with those members that it had written by then.
    fn commit_overtaken_changes(&mut self) {
        if self.config.allow_outdated_membership || self.config.disable_conf_change_validation {
            return;
        }
        let changes = self.log.conf_changes_in(self.log.committed().next(), self.log.last_index().next());
        let in_front = (1..).map(Index).zip(&changes).take_while(|(place, (index, _))| place == index).count();
        if let ([.., (overtaken, _), _], true) = (&changes[..], changes.len() > in_front) {
            self.log.commit_to(*overtaken);
        }
    }

    /// Changes that are applied are not handed out again, so a membership that lacks one would never catch up: the node
    /// would count the votes and acknowledgements of an old membership.
    fn check_membership(&self) -> Result<(), ConfigError> {
        if self.config.allow_outdated_membership {
            return Ok(());
        }
        let applied = self.log.applied();
        let known = self.log.storage().conf_state_index().unwrap_or(Index::ZERO);
        let changes = self.log.conf_changes_in(known.max(self.log.first_index().previous()).next(), applied.next());
        match first_missing(&self.configuration, &changes) {
            Some(change) => Err(ConfigError::OutdatedMembership { change, applied }),
            None => Ok(()),
        }
    }

    pub(crate) const fn id(&self) -> NodeId {
        self.config.id
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) const fn log(&self) -> &RaftLog<S> {
        &self.log
    }

    pub(crate) const fn log_mut(&mut self) -> &mut RaftLog<S> {
        &mut self.log
    }

    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    pub(crate) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(crate) const fn outbox_mut(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    pub(crate) fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    pub(crate) fn has_read_states(&self) -> bool {
        !self.read_states.is_empty()
    }

    pub(crate) fn take_read_states(&mut self) -> Vec<ReadState> {
        std::mem::take(&mut self.read_states)
    }

    pub(crate) const fn term(&self) -> Term {
        self.term
    }

    pub(crate) fn hard_state(&self) -> HardState {
        HardState { term: self.term, vote: self.vote, commit: self.log.committed() }
    }

    pub(crate) const fn soft_state(&self) -> SoftState {
        SoftState { leader: self.leader, role: self.role() }
    }

    pub(crate) const fn role(&self) -> Role {
        match self.role {
            RoleState::Follower => Role::Follower,
            RoleState::PreCandidate(_) => Role::PreCandidate,
            RoleState::Candidate(_) => Role::Candidate,
            RoleState::Leader(_) => Role::Leader,
        }
    }

    /// What this node, as a leader, knows of each member.
    pub(crate) fn progress(&self) -> Option<&ProgressTable> {
        match &self.role {
            RoleState::Leader(leader) => Some(&leader.progress),
            RoleState::Follower | RoleState::PreCandidate(_) | RoleState::Candidate(_) => None,
        }
    }

    /// The payload bytes that this node, as a leader, counts against its bound on uncommitted data.
    pub(crate) fn uncommitted_size(&self) -> u64 {
        match &self.role {
            RoleState::Leader(leader) => leader.uncommitted_size,
            RoleState::Follower | RoleState::PreCandidate(_) | RoleState::Candidate(_) => 0,
        }
    }

    pub(crate) fn set_randomized_election_timeout(&mut self, ticks: u32) {
        self.randomized_election_timeout = ticks;
    }

    fn inflight_limits(&self) -> InflightLimits {
        InflightLimits { messages: self.config.max_inflight_messages, bytes: self.config.max_inflight_bytes }
    }

    /// Whether this node may lead: a voter, as far as it knows, with nothing of a snapshot still to be written.
    fn promotable(&self) -> bool {
        let id = self.id();
        self.configuration.contains(id)
            && (!self.configuration.is_learner(id) || planted(Bug::LearnerCampaigns))
            && !self.log.has_next_or_in_progress_snapshot()
    }

    /// One tick of the host's clock.
    pub(crate) fn tick(&mut self) {
        self.log.release_memory();
        match self.role {
            RoleState::Follower | RoleState::PreCandidate(_) | RoleState::Candidate(_) => self.tick_election(),
            RoleState::Leader(_) => self.tick_leader(),
        }
    }

    pub(crate) fn become_follower(&mut self, term: Term, leader: Option<NodeId>) {
        self.tell(|raft| raft.steps_down(term, leader));
        self.reset(term);
        self.role = RoleState::Follower;
        self.leader = leader;
        self.tell(|_| leader.map(|leader| Event::Follows { leader }));
    }

    /// The event that tells of a node that becomes a follower; `None` if it was one.
    fn steps_down(&self, new_term: Term, leader: Option<NodeId>) -> Option<Event<'_>> {
        let reason = match self.role {
            RoleState::Follower => return None,
            _ if new_term > self.term => "there is a higher term",
            _ if leader.is_some() => "another node leads this term",
            RoleState::Leader(_) if self.configuration.voters().contains(self.id()) => "it heard from no quorum",
            RoleState::Leader(_) => "it is no voter any more",
            RoleState::PreCandidate(_) | RoleState::Candidate(_) => "a quorum refused its vote",
        };
        Some(Event::StepsDown { role: self.role(), reason, new_term })
    }

    /// Tells the listener of an event. In a build in which nobody can listen, the event is not even computed.
    #[cfg(feature = "tracing")]
    fn tell<'a, E: Into<Option<Event<'a>>>>(&'a self, event: impl FnOnce(&'a Self) -> E) {
        if let Some(event) = event(self).into() {
            event.tell(self.id(), self.term);
        }
    }

    /// Tells nobody: this build has no listener.
    #[cfg(not(feature = "tracing"))]
    #[inline(always)]
    fn tell<'a, E: Into<Option<Event<'a>>>>(&'a self, _: impl FnOnce(&'a Self) -> E) {}

    /// Asking for pre-votes changes neither term nor vote, and the timer runs on.
    fn become_pre_candidate(&mut self) {
        let votes = match std::mem::replace(&mut self.role, RoleState::Follower) {
            RoleState::PreCandidate(votes) | RoleState::Candidate(votes) if planted(Bug::PrecandidateStaleState) => {
                votes
            }
            RoleState::Follower | RoleState::PreCandidate(_) | RoleState::Candidate(_) | RoleState::Leader(_) => {
                Votes::default()
            }
        };
        self.role = RoleState::PreCandidate(votes);
        self.leader = None;
    }

    fn become_candidate(&mut self) {
        self.reset(self.term.next());
        self.role = RoleState::Candidate(Votes::default());
        self.vote = Some(self.id());
    }

    fn become_leader(&mut self) {
        self.reset(self.term);
        self.leader = Some(self.id());
        let last = self.log.last_index();
        self.role =
            RoleState::Leader(Box::new(Leader::new(self.id(), &self.configuration, last, self.inflight_limits())));
        // Only an entry of its own term lets the leader commit anything at all (Raft paper, section 5.4.2).
        let appended = self.append_as_leader([Entry::default()]);
        assert!(appended.is_ok(), "an empty entry counts nothing against the bound on uncommitted data");
        self.tell(|raft| Event::Leads { last: raft.log.last_id() });
    }

    /// Resets what every change of role or term resets, except the change to pre-candidate.
    fn reset(&mut self, term: Term) {
        if self.term != term {
            self.term = term;
            self.vote = None;
        }
        self.leader = None;
        self.election_elapsed = 0;
        if !self.config.waits_as_etcd {
            self.postponed_reads = Vec::new();
        }
        let election_tick = self.config.election_tick;
        let extra = self.rng.below(u64::from(election_tick));
        self.randomized_election_timeout =
            election_tick.saturating_add(u32::try_from(extra).expect("below a u32 bound"));
    }

    /// Sends with the node's own term, at any time.
    fn send(&mut self, to: NodeId, body: Body) {
        let term = Some(self.term);
        self.send_with_term(to, term, body);
    }

    /// Sends with another term than the node's own, or without one, at any time.
    fn send_with_term(&mut self, to: NodeId, term: Option<Term>, body: Body) {
        push(&mut self.outbox.messages, Message { from: self.config.id, to, term, body });
    }

    /// Sends once all that the node knows by now is durable (thesis, section 3.8). Rejections wait too: they may rest
    /// on a vote or on entries that are still being written.
    fn send_after_append(&mut self, to: NodeId, term: Term, body: Body) {
        let message = Message { from: self.config.id, to, term: Some(term), body };
        let acknowledges = matches!(message.body, Body::AppendAccepted { .. }) && to != self.config.id;
        if planted(Bug::AckBeforeDurable) && acknowledges {
            push(&mut self.outbox.messages, message);
        } else {
            push(&mut self.outbox.after_append, message);
        }
    }
}
