//! What the host reports back: entries and snapshots that are durable, and entries that are applied.

use crate::planted::{Bug, planted};
use crate::ready::StorageAppended;
use crate::snapshot::Snapshot;
use crate::storage::Storage;
use crate::types::{Entry, Index, Term};

use super::{Raft, RoleState};

/// How far the application is, and the sizes by which limits shrink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// term says that entries are stable; every write of a new term is answered by one. Where two claim to lead the
    /// same term the log can go from A to B to A within it, so what was overwritten does not count either. A snapshot is
    /// committed state and stays valid in any term.
    pub(crate) fn storage_appended(&mut self, appended: StorageAppended) {
        let passes = self.config.allow_missing_term && self.recall_term(appended.term);
        let current = appended.term == self.term || passes;
        if let Some(last) = appended.last {
            let intact = self.log.report_write(appended.term, last) || self.config.lenient_as_etcd;
            if (current && intact) || planted(Bug::AsyncAppendAba) {
                self.log.stable_to(last);
            }
        }
        if let Some(snapshot) = appended.snapshot {
            self.snapshot_is_stable(&snapshot);
        }
    }

    /// Only a node that has fallen back to term zero, which a message without a term can bring about, finds that it asked
    /// in a higher term than it is in: it returns to that term. What it asked in term zero counts in any term. Whether it
    /// is either; in etcd a storage response passes the check of terms like every other message.
    fn recall_term(&mut self, asked_in: Term) -> bool {
        if asked_in > self.term {
            self.become_follower(asked_in, None);
        }
        asked_in == self.term || asked_in == Term::ZERO
    }

    fn snapshot_is_stable(&mut self, snapshot: &Snapshot) {
        let index = snapshot.id.index;
        if index <= self.log.committed() {
            self.log.stable_snapshot_to(index);
            self.applied_to(index, 0);
        }
    }

    /// Takes note that entries are applied. A report beyond what was handed out is nobody's and is ignored.
    pub(crate) fn entries_applied(&mut self, applied: AppliedThrough) {
        if applied.index > self.log.applying() {
            return;
        }
        self.applied_to(applied.index, applied.encoded_size);
        if let RoleState::Leader(leader) = &mut self.role {
            leader.uncommitted_size = leader.uncommitted_size.saturating_sub(applied.payload_size);
        }
    }

    fn applied_to(&mut self, index: Index, encoded_size: u64) {
        self.log.applied_to(index.max(self.log.applied()), encoded_size);
        self.maybe_leave_joint();
    }
}
