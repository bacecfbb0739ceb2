//! How a leader brings its log to the others: appends, snapshots, heartbeats, and the commit index.

use crate::events::Event;
use crate::message::{Body, Message};
use crate::planted::{Bug, planted};
use crate::progress::ProgressState;
use crate::quorum::MajorityConfig;
use crate::storage::{Storage, StorageError};
use crate::types::{EntryId, Index, NodeId};

use super::leader::SendEmpty;
use super::{Raft, RoleState};

impl<S: Storage> Raft<S> {
    /// Sends an append to everybody else who can take one.
    pub(super) fn broadcast_append(&mut self) {
        for id in self.other_members() {
            self.send_append(id);
        }
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
            self.outbox.messages.push(Message {
                from: self.config.id,
                to,
                term: Some(self.term),
                body: Body::Heartbeat { commit, context: context.clone() },
            });
        }
    }

    pub(super) fn other_members(&self) -> Vec<NodeId> {
        match &self.role {
            RoleState::Leader(leader) => leader.progress.ids().filter(|id| *id != self.id()).collect(),
            RoleState::Follower | RoleState::PreCandidate(_) | RoleState::Candidate(_) => Vec::new(),
        }
    }

    pub(super) fn send_append(&mut self, to: NodeId) {
        self.maybe_send_append(to, SendEmpty::Yes);
    }

    /// Sends one append, or a snapshot where the entries are gone, unless flow control holds it back. Returns whether
    /// anything was sent.
    pub(super) fn maybe_send_append(&mut self, to: NodeId, send_empty: SendEmpty) -> bool {
        let RoleState::Leader(leader) = &mut self.role else { return false };
        let Some(progress) = leader.progress.get_mut(to) else { return false };
        if progress.is_paused() {
            return false;
        }
        let next = progress.next();
        let Ok(previous_term) = self.log.term(next.previous()) else { return self.maybe_send_snapshot(to) };
        // As entries replace a tail that differs, both bugs need a leader that probes without any, as many do.
        let probes_without = (planted(Bug::AppendCommitMinLastindex) || planted(Bug::AckLastIndex))
            && matches!(progress.state(), ProgressState::Probe { .. });
        // With a full window an append still goes out, without entries: see `handle_heartbeat_response`.
        let entries = if progress.inflights_full() || probes_without {
            Ok(Vec::new())
        } else {
            self.log.entries(next, self.config.max_size_per_message)
        };
        let Ok(entries) = entries else { return self.maybe_send_snapshot(to) };
        if entries.is_empty() && send_empty == SendEmpty::No {
            return false;
        }
        let commit = self.log.committed();
        progress.set_lacks_snapshot(false);
        progress.sent_entries(entries.len() as u64, entries.iter().map(|entry| entry.payload_size()).sum());
        progress.sent_commit(commit);
        let previous = EntryId::new(previous_term, next.previous());
        self.send(to, Body::Append { previous, entries, commit });
        true
    }

    /// A follower that was not heard from lately would probably not get the snapshot, and snapshots are expensive.
    fn maybe_send_snapshot(&mut self, to: NodeId) -> bool {
        let RoleState::Leader(leader) = &mut self.role else { return false };
        let Some(progress) = leader.progress.get_mut(to) else { return false };
        if !progress.recent_active() {
            return false;
        }
        let snapshot = match self.log.snapshot() {
            Ok(snapshot) if snapshot.id.index > EntryId::ZERO.index => snapshot,
            Ok(_)
            | Err(
                StorageError::SnapshotTemporarilyUnavailable
                | StorageError::Compacted
                | StorageError::Unavailable
                | StorageError::Failed(_),
            ) => {
                let (known, next) = (progress.lacks_snapshot(), progress.next());
                progress.set_lacks_snapshot(true);
                self.tell(|_| (!known).then_some(Event::HasNoSnapshot { follower: to, next }));
                return false;
            }
        };
        // A snapshot that ends before the log begins is sent as well, as in etcd, but the follower then needs another
        // one.
        progress.set_lacks_snapshot(snapshot.id.index.next() < self.log.first_index());
        progress.become_snapshot(snapshot.id.index);
        self.tell(|_| Event::SendsSnapshot { follower: to, snapshot: snapshot.id });
        self.send(to, Body::InstallSnapshot { snapshot: Box::new(snapshot) });
        true
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
