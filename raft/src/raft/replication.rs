//! How a leader brings its log to the others: appends, heartbeats, and the commit index.

use crate::message::{Body, Message};
use crate::planted::{Bug, planted};
use crate::progress::Progress;
use crate::quorum::MajorityConfig;
use crate::storage::Storage;
use crate::types::{EntryId, Index, NodeId};

use super::leader::Leader;
use super::replicator::{Replicator, SendEmpty};
use super::{Raft, RoleState, push};

impl<S: Storage> Raft<S> {
    /// Sends an append to everybody else who can take one: at once, or with [`Config::batch_append`](crate::Config::batch_append)
    /// when the next Ready is taken.
    pub(super) fn broadcast_append(&mut self) {
        self.tell_others(|replicator, to, progress| {
            replicator.maybe_send_append(to, progress, SendEmpty::Yes);
        });
    }

    /// The same, but only entries are sent.
    pub(super) fn broadcast_entries(&mut self) {
        self.tell_others(|replicator, to, progress| {
            replicator.maybe_send_append(to, progress, SendEmpty::No);
        });
    }

    fn tell_others(&mut self, mut tell: impl FnMut(&mut Replicator<'_, S>, NodeId, &mut Progress)) {
        let id = self.id();
        let Some((leader, mut replicator)) = self.replicate() else { return };
        if replicator.config.batch_append {
            leader.appends_due = true;
            return;
        }
        for (to, progress) in leader.progress.iter_mut().filter(|(to, _)| *to != id) {
            tell(&mut replicator, to, progress);
        }
    }

    /// Sends one append with what there is for this follower. With [`Config::batch_append`](crate::Config::batch_append)
    /// entries wait for the next Ready.
    pub(super) fn send_append(&mut self, to: NodeId) {
        let Some((leader, mut replicator)) = self.replicate() else { return };
        let Some(progress) = leader.progress.get_mut(to) else { return };
        let at_hand = progress.next() >= replicator.log.first_index();
        if replicator.config.batch_append && at_hand && progress.can_take_entries(replicator.log.last_index()) {
            leader.appends_due = true;
        } else {
            replicator.maybe_send_append(to, progress, SendEmpty::Yes);
        }
    }

    /// Sends this follower what its acknowledgement lets it have: the commit index if it lacks that, and all the entries
    /// for which there is room now, which may be several messages.
    pub(super) fn send_after_acknowledgement(&mut self, to: NodeId) {
        let Some((leader, mut replicator)) = self.replicate() else { return };
        let Some(progress) = leader.progress.get_mut(to) else { return };
        if replicator.config.batch_append {
            leader.appends_due = true;
            return;
        }
        if progress.can_bump_commit(replicator.log.committed()) {
            replicator.maybe_send_append(to, progress, SendEmpty::Yes);
        }
        replicator.send_entries(to, progress);
    }

    /// Sends what was put off until the Ready is taken. All that came up for a follower since the last one is in one append,
    /// as far as its size allows.
    pub(crate) fn send_due_appends(&mut self) {
        let id = self.id();
        let Some((leader, mut replicator)) = self.replicate() else { return };
        if std::mem::take(&mut leader.appends_due) {
            for (to, progress) in leader.progress.iter_mut().filter(|(to, _)| *to != id) {
                replicator.send_news(to, progress);
            }
        }
    }

    /// Whether [`send_due_appends`](Self::send_due_appends) would send an append. Of a snapshot it cannot be known before it
    /// is tried, and it can wait for the next Ready.
    pub(crate) fn has_due_appends(&self) -> bool {
        let RoleState::Leader(leader) = &self.role else { return false };
        let (first, last, commit) = (self.log.first_index(), self.log.last_index(), self.log.committed());
        let is_due = |progress: &Progress| progress.next() >= first && progress.can_take_news(last, commit);
        leader.appends_due && leader.progress.iter().any(|(to, progress)| to != self.id() && is_due(progress))
    }

    /// What a leader knows of the followers, and what it takes to send them something.
    fn replicate(&mut self) -> Option<(&mut Leader, Replicator<'_, S>)> {
        let Self { config, term, log, role: RoleState::Leader(leader), outbox, .. } = self else { return None };
        Some((leader, Replicator { config, term: *term, log, messages: &mut outbox.messages }))
    }

    pub(super) fn broadcast_heartbeat(&mut self) {
        let RoleState::Leader(leader) = &mut self.role else { return };
        let context = leader.reads.heartbeat_context();
        for (to, progress) in leader.progress.iter_mut() {
            if to == self.config.id {
                continue;
            }
            // Beyond what the follower acknowledged, its log may differ from this one.
            let commit = match planted(Bug::HeartbeatCommitUncapped) {
                false => progress.matched().min(self.log.committed()),
                true => self.log.committed(),
            };
            progress.sent_commit(commit);
            let message = Message {
                from: self.config.id,
                to,
                term: Some(self.term),
                body: Body::Heartbeat { commit, context: context.clone() },
            };
            push(&mut self.outbox.messages, message);
        }
    }

    /// Commits what a quorum holds, if the newest entry of it is of the node's own term: an entry of an earlier term
    /// may be on a quorum and still be overwritten (Raft paper, section 5.4.2 and figure 8).
    pub(super) fn maybe_commit(&mut self) -> bool {
        let RoleState::Leader(leader) = &self.role else { return false };
        let matched = |voter| leader.progress.get(voter).map(|progress| progress.matched().0);
        let mut index = Index(self.configuration.voters().committed_index(matched));
        if planted(Bug::QuorumCountsLearners) {
            let everybody: MajorityConfig = self.configuration.members().collect();
            index = Index(everybody.committed_index(matched));
        }
        let term = if planted(Bug::CommitPriorTerm) { self.log.term_or_zero(index) } else { self.term };
        self.log.maybe_commit(EntryId::new(term, index))
    }

    /// Whether the follower is known to be replicating with everything acknowledged.
    pub(super) fn is_caught_up(&self, id: NodeId) -> bool {
        let RoleState::Leader(leader) = &self.role else { return false };
        leader.progress.get(id).is_some_and(|progress| progress.matched() == self.log.last_index())
    }
}
