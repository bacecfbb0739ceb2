//! What a leader knows and does (Raft paper, figure 2, "Rules for Servers: Leaders").

use bytes::Bytes;

use crate::events::Event;
use crate::membership::{Changed, Configuration};
use crate::planted::{Bug, planted};
use crate::progress::{InflightLimits, Progress, ProgressState, ProgressTable};
use crate::quorum::VoteResult;
use crate::storage::Storage;
use crate::types::{EntryId, Index, NodeId, Term};

use super::reads::UnconfirmedReads;
use super::{Raft, RoleState};

/// The state that only a leader has; it begins and ends with the leadership.
#[derive(Clone, Hash, Debug)]
pub(super) struct Leader {
    /// What is known of each member, this node included.
    pub(super) progress: ProgressTable,
    /// Up to this index there may be a membership change that is not applied yet; no other is accepted before it is
    /// applied.
    pub(super) pending_conf_index: Index,
    /// The payload bytes proposed to this leadership and not yet applied.
    pub(super) uncommitted_size: u64,
    pub(super) heartbeat_elapsed: u32,
    /// The node to which leadership is being handed over.
    pub(super) transferee: Option<NodeId>,
    pub(super) reads: UnconfirmedReads,
    /// With [`Config::batch_append`](crate::Config::batch_append): followers may be sent what came up since the last Ready.
    pub(super) appends_due: bool,
}

impl Leader {
    /// Knows nothing of the others yet, and takes the whole tail of its log for a pending membership change rather than
    /// searching it for one.
    pub(super) fn new(id: NodeId, configuration: &Configuration, last: Index, limits: InflightLimits) -> Self {
        let mut progress = ProgressTable::default();
        configuration.members().for_each(|member| progress.insert(member, Progress::new(last.next(), limits)));
        if let Some(own) = progress.get_mut(id) {
            own.set_matched_self(last);
            own.become_replicate();
            own.set_recent_active(true);
        }
        Self {
            progress,
            pending_conf_index: if planted(Bug::NewLeaderPendingConfZero) { Index::ZERO } else { last },
            uncommitted_size: 0,
            heartbeat_elapsed: 0,
            transferee: None,
            reads: UnconfirmedReads::default(),
            appends_due: false,
        }
    }

    /// Forgets the nodes that left and takes up those that joined. A node that leaves and joins in one change starts
    /// afresh.
    pub(super) fn follow(&mut self, changed: &Changed, last: Index, limits: InflightLimits) {
        self.progress.retain(|id| changed.configuration.contains(id));
        for id in &changed.joined {
            if changed.configuration.contains(*id) {
                self.progress.insert(*id, Progress::joining(last, limits));
            }
        }
    }

    /// Whether a quorum was heard from since the last check.
    fn quorum_is_active(&self, configuration: &Configuration) -> bool {
        let active = |voter| self.progress.get(voter).map(Progress::recent_active);
        configuration.voters().vote_result(active) == VoteResult::Won
    }

    fn forget_activity(&mut self, id: NodeId) {
        for (member, progress) in self.progress.iter_mut() {
            if member != id {
                progress.set_recent_active(false);
            }
        }
    }
}

impl<S: Storage> Raft<S> {
    /// Counts a tick: checks the quorum and gives up a transfer once in each election timeout, and sends heartbeats.
    pub(super) fn tick_leader(&mut self) {
        self.election_elapsed = self.election_elapsed.saturating_add(1);
        if self.election_elapsed >= self.config.election_tick {
            self.election_elapsed = 0;
            if self.config.check_quorum && !planted(Bug::LeaseBlocksBridge) {
                self.check_quorum();
            }
            if !planted(Bug::TransferWedge) {
                self.give_up_transfer();
            }
        }
        if !self.config.waits_as_etcd {
            self.maybe_leave_joint();
        }
        let RoleState::Leader(leader) = &mut self.role else { return };
        leader.heartbeat_elapsed = leader.heartbeat_elapsed.saturating_add(1);
        if leader.heartbeat_elapsed >= self.config.heartbeat_tick {
            leader.heartbeat_elapsed = 0;
            self.broadcast_heartbeat();
        }
    }

    /// A leader that hears from no quorum steps down, so that clients look elsewhere (thesis, section 6.2).
    fn check_quorum(&mut self) {
        let RoleState::Leader(leader) = &mut self.role else { return };
        if leader.quorum_is_active(&self.configuration) {
            leader.forget_activity(self.config.id);
        } else {
            self.become_follower(self.term, None);
        }
    }

    pub(super) fn handle_append_accepted(&mut self, from: NodeId, index: Index) {
        let first = self.log.first_index();
        let RoleState::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(from) else { return };
        progress.set_recent_active(true);
        let found_by_probe = progress.matched() == index && matches!(progress.state(), ProgressState::Probe { .. });
        if !progress.acknowledge(index) && !found_by_probe {
            return;
        }
        match progress.state() {
            ProgressState::Probe { .. } => progress.become_replicate(),
            // Whichever snapshot it installed, its log now meets this one.
            ProgressState::Snapshot { .. } if progress.matched().next() >= first && !planted(Bug::ProgressStuck) => {
                progress.become_probe();
                progress.become_replicate();
            }
            ProgressState::Snapshot { .. } => {}
            ProgressState::Replicate { .. } => progress.free_inflights_to(index),
        }
        self.follow_up_acknowledgement(from, index);
    }

    /// Commits what can be committed, tells the others, and sends the acknowledging node what it can take now.
    fn follow_up_acknowledgement(&mut self, from: NodeId, index: Index) {
        // An acknowledgement of what is committed makes nothing else so.
        if index > self.log.committed() && self.maybe_commit() {
            self.release_postponed_reads();
            self.broadcast_append();
        }
        if from != self.id() {
            self.send_after_acknowledgement(from);
        }
        self.finish_transfer(from);
    }

    /// Finds where to try next. The follower's hint skips its entries of higher terms; the search in this log skips
    /// those entries that the hint's term excludes: the follower holds that term at the hint, so nothing of a higher
    /// term can lie below it.
    pub(super) fn handle_append_rejected(&mut self, from: NodeId, rejected: Index, hint: EntryId) {
        let next_probe = if hint.term > Term::ZERO {
            self.log.find_conflict_by_term(hint.index, hint.term).index
        } else {
            hint.index
        };
        let RoleState::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(from) else { return };
        progress.set_recent_active(true);
        let repeats = self.config.waits_as_etcd || planted(Bug::RejectionStorm);
        if progress.refuses_acknowledged(rejected) && !repeats {
            return self.doubt(from);
        }
        if progress.reject(rejected, next_probe) {
            if matches!(progress.state(), ProgressState::Replicate { .. }) {
                progress.become_probe();
            }
            let next = progress.next();
            self.tell(|_| Event::AppendWasRejected { follower: from, rejected, hint, next });
            self.send_append(from);
        }
    }

    /// A follower refused an append that builds on the last entry that it acknowledged. While the leader replicates,
    /// that may be a late answer, and a probe finds out. A refused probe could only be repeated, and would be refused
    /// again as fast as the network carries it, so the next one waits until a heartbeat is answered.
    fn doubt(&mut self, follower: NodeId) {
        let RoleState::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(follower) else { return };
        match progress.state() {
            ProgressState::Replicate { .. } => {
                progress.become_probe();
                self.send_append(follower);
            }
            ProgressState::Probe { .. } | ProgressState::Snapshot { .. } => {
                progress.note_lack();
                let acknowledged = progress.matched();
                self.tell(|_| Event::FollowerLacksAcknowledged { follower, acknowledged });
            }
        }
    }

    pub(super) fn handle_heartbeat_response(&mut self, from: NodeId, context: &Bytes) {
        let last = self.log.last_index();
        let RoleState::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(from) else { return };
        progress.set_recent_active(!planted(Bug::AnswersForgotten));
        progress.resume();
        if planted(Bug::ProbesWithoutReason) && matches!(progress.state(), ProgressState::Replicate { .. }) {
            progress.become_probe();
        }
        // Even with a full window an empty append goes out: its answer tells whether the appends that fill the window
        // were lost.
        if progress.matched() < last || matches!(progress.state(), ProgressState::Probe { .. }) {
            self.send_append(from);
        }
        self.confirm_reads(from, context);
    }

    /// The host could not reach a follower: what was sent ahead is probably lost.
    pub(crate) fn report_unreachable(&mut self, peer: NodeId) {
        let RoleState::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(peer) else { return };
        if matches!(progress.state(), ProgressState::Replicate { .. }) {
            progress.become_probe();
        }
    }

    /// The host tells how sending a snapshot ended. Either way the follower is probed at its next sign of life.
    pub(crate) fn report_snapshot(&mut self, peer: NodeId, finished: bool) {
        let RoleState::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress.get_mut(peer) else { return };
        if finished {
            progress.snapshot_finished();
        } else {
            progress.snapshot_failed();
        }
    }
}
