//! What a leader sends one follower: an append, or a snapshot where the entries are gone.

use crate::config::Config;
use crate::events::Event;
use crate::log::RaftLog;
use crate::message::{Body, Message};
use crate::planted::{Bug, planted};
use crate::progress::{Progress, ProgressState};
use crate::storage::{Storage, StorageError};
use crate::types::{Entry, EntryId, NodeId, Term};

use super::push;

/// A leader without what it knows of the followers, which is lent to it one by one.
pub(super) struct Replicator<'a, S: Storage> {
    pub(super) config: &'a Config,
    pub(super) term: Term,
    pub(super) log: &'a RaftLog<S>,
    pub(super) messages: &'a mut Vec<Message>,
}

/// Whether an append without entries is worth sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SendEmpty {
    /// It tells the commit index.
    Yes,
    /// Only entries count.
    No,
}

impl<S: Storage> Replicator<'_, S> {
    /// Sends one append, or a snapshot where the entries are gone, unless flow control holds it back. Returns whether
    /// anything was sent.
    pub(super) fn maybe_send_append(&mut self, to: NodeId, progress: &mut Progress, send_empty: SendEmpty) -> bool {
        if progress.is_paused() {
            return false;
        }
        let next = progress.next();
        let Ok(previous_term) = self.log.term(next.previous()) else { return self.maybe_send_snapshot(to, progress) };
        // As entries replace a tail that differs, both bugs need a leader that probes without any, as many do.
        let probes_without = (planted(Bug::AppendCommitMinLastindex) || planted(Bug::AckLastIndex))
            && matches!(progress.state(), ProgressState::Probe { .. });
        // With a full window an append still goes out, without entries: see `handle_heartbeat_response`.
        let entries = if progress.inflights_full() || probes_without {
            Ok(Vec::new())
        } else {
            self.log.entries(next, self.config.max_size_per_message)
        };
        let Ok(entries) = entries else { return self.maybe_send_snapshot(to, progress) };
        if entries.is_empty() && send_empty == SendEmpty::No {
            return false;
        }
        let commit = self.log.committed();
        progress.set_lacks_snapshot(false);
        progress.sent_entries(entries.len() as u64, entries.iter().map(Entry::payload_size).sum());
        progress.sent_commit(commit);
        let previous = EntryId::new(previous_term, next.previous());
        self.send(to, Body::Append { previous, entries, commit });
        true
    }

    /// Sends all the entries that the follower can take now, where there are none the commit index, and where that is no
    /// news nothing.
    pub(super) fn send_news(&mut self, to: NodeId, progress: &mut Progress) {
        if progress.can_take_news(self.log.last_index(), self.log.committed()) {
            self.maybe_send_append(to, progress, SendEmpty::Yes);
            self.send_entries(to, progress);
        }
    }

    /// Sends all the entries that the follower can take now.
    pub(super) fn send_entries(&mut self, to: NodeId, progress: &mut Progress) {
        let last = self.log.last_index();
        while progress.can_take_entries(last) && self.maybe_send_append(to, progress, SendEmpty::No) {}
    }

    /// A follower that was not heard from lately would probably not get the snapshot, and snapshots are expensive.
    fn maybe_send_snapshot(&mut self, to: NodeId, progress: &mut Progress) -> bool {
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
                if !known {
                    self.tell(|| Event::HasNoSnapshot { follower: to, next });
                }
                return false;
            }
        };
        // A snapshot that ends before the log begins is sent as well, as in etcd, but the follower then needs another
        // one.
        progress.set_lacks_snapshot(snapshot.id.index.next() < self.log.first_index());
        progress.become_snapshot(snapshot.id.index);
        self.tell(|| Event::SendsSnapshot { follower: to, snapshot: snapshot.id });
        self.send(to, Body::InstallSnapshot { snapshot: Box::new(snapshot) });
        true
    }

    fn send(&mut self, to: NodeId, body: Body) {
        push(self.messages, Message { from: self.config.id, to, term: Some(self.term), body });
    }

    #[cfg(feature = "tracing")]
    fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        event().tell(self.config.id, self.term);
    }

    /// Tells nobody: this build has no listener.
    #[cfg(not(feature = "tracing"))]
    #[inline(always)]
    fn tell<'a>(&self, _: impl FnOnce() -> Event<'a>) {}
}
