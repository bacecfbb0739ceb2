//! What the host reports back: entries and snapshots that are durable, and entries that are applied.

use crate::planted::{Bug, planted};
use crate::ready::StorageAppended;
use crate::storage::Storage;
use crate::types::{Entry, EntryId, Index, Term};

use super::{Raft, RoleState};

/// What a write has made durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Durable {
    /// The node's term when it was handed out.
    pub(crate) term: Term,
    /// The last entry of the log then, where any was not yet durable.
    pub(crate) last: Option<EntryId>,
    /// The last entry that the written snapshot covers.
    pub(crate) snapshot: Option<Index>,
}

impl Durable {
    /// What the host reports.
    pub(crate) fn of(appended: &StorageAppended) -> Self {
        let snapshot = appended.snapshot.as_ref().map(|snapshot| snapshot.id.index);
        Self { term: appended.term, last: appended.last, snapshot }
    }
}

/// How far the application has come, and the sizes that no longer count against limits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct AppliedThrough {
    pub(crate) index: Index,
    pub(crate) encoded_size: u64,
    pub(crate) payload_size: u64,
}

impl AppliedThrough {
    /// Through the last of these entries, if there is one.
    pub(crate) fn of(entries: &[Entry]) -> Option<Self> {
        let last = entries.last()?;
        Some(Self {
            index: last.index,
            encoded_size: entries.iter().map(Entry::encoded_size).sum(),
            payload_size: entries.iter().map(Entry::payload_size).sum(),
        })
    }
}

impl<S: Storage> Raft<S> {
    /// Takes note that writes are durable.
    ///
    /// After a change of term the entries of an earlier write may have been overwritten by later ones that are still
    /// under way, possibly by entries equal to the first again (A, then B, then A). So only a response from the current
    /// term says that entries are stable; every write of a new term is answered by one. If two nodes claim to lead the
    /// same term, the log can go from A to B to A within it, so a response does not count either if anything of its
    /// write was overwritten. A snapshot is committed state and stays valid in any term.
    pub(crate) fn storage_appended(&mut self, durable: Durable) {
        let passes = self.config.allow_missing_term && self.recall_term(durable.term);
        let current = durable.term == self.term || passes;
        if let Some(last) = durable.last {
            let intact = self.log.report_write(durable.term, last) || self.config.lenient_as_etcd;
            if (current && intact) || planted(Bug::AsyncAppendAba) {
                self.log.stable_to(last);
            }
        }
        if let Some(snapshot) = durable.snapshot {
            self.snapshot_is_stable(snapshot);
        }
    }

    /// Handles a response to a write of another term, as etcd does, where a storage response passes the check of terms
    /// like every other message. Only a node that has fallen back to term zero, because of a message without a term,
    /// gets a response from a higher term than its own: it returns to that term. A response to a write of term zero
    /// counts in any term. Returns whether it is one of these cases.
    fn recall_term(&mut self, asked_in: Term) -> bool {
        if asked_in > self.term {
            self.become_follower(asked_in, None);
        }
        asked_in == self.term || asked_in == Term::ZERO
    }

    fn snapshot_is_stable(&mut self, index: Index) {
        if index <= self.log.committed() {
            self.log.stable_snapshot_to(index);
            self.applied_to(index, 0);
        }
    }

    /// Takes note that entries are applied. A report beyond what was handed out is not from this node's host, and is
    /// ignored.
    pub(crate) fn entries_applied(&mut self, applied: AppliedThrough) {
        if applied.index > self.log.applying() {
            return;
        }
        self.applied_to(applied.index, applied.encoded_size);
        if let RoleState::Leader(leader) = &mut self.role
            && !(planted(Bug::UncommittedSizeLeaks) && leader.transferee.is_some())
        {
            leader.uncommitted_size = leader.uncommitted_size.saturating_sub(applied.payload_size);
        }
    }

    fn applied_to(&mut self, index: Index, encoded_size: u64) {
        self.log.applied_to(index.max(self.log.applied()), encoded_size);
        self.maybe_leave_joint();
    }
}
