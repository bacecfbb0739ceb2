//! Proposals: who takes them, who forwards them, and which membership changes a leader refuses.

use crate::error::ProposeError;
use crate::events::Event;
use crate::message::{Body, Message};
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::types::{Entry, EntryId, EntryKind, Index, NodeId};

use super::{Raft, RoleState};

/// A list of entries that is taken over: one by itself, as most are, needs no memory of its own.
pub(crate) trait Entries: AsRef<[Entry]> + AsMut<[Entry]> + IntoIterator<Item = Entry> {}

impl Entries for Vec<Entry> {}
impl Entries for [Entry; 1] {}

impl<S: Storage> Raft<S> {
    /// Takes entries whose term and index are still to be set. `origin` is the node that forwarded them, if any did.
    ///
    /// # Errors
    /// Nothing was appended or forwarded.
    pub(crate) fn propose(&mut self, origin: Option<NodeId>, entries: impl Entries) -> Result<(), ProposeError> {
        let taken = match self.role {
            RoleState::Follower => self.forward_proposal(origin, entries.into_iter().collect()),
            RoleState::PreCandidate(_) | RoleState::Candidate(_) => Err(ProposeError::NoLeader),
            RoleState::Leader(_) => self.append_proposal(entries).map(|_last| ()),
        };
        self.tell_if_dropped(taken)
    }

    /// Takes entries as the leader, and returns the identity of the last of them in the log.
    ///
    /// # Errors
    /// Nothing was appended.
    pub(crate) fn propose_as_leader(&mut self, entries: impl Entries) -> Result<EntryId, ProposeError> {
        let taken = self.append_proposal(entries);
        self.tell_if_dropped(taken)
    }

    fn tell_if_dropped<T>(&self, taken: Result<T, ProposeError>) -> Result<T, ProposeError> {
        taken.inspect_err(|reason| self.tell(|_| Event::DropsProposal { reason }))
    }

    fn forward_proposal(&mut self, origin: Option<NodeId>, entries: Vec<Entry>) -> Result<(), ProposeError> {
        match self.leader {
            Some(to) if !self.config.disable_proposal_forwarding => {
                let from = origin.unwrap_or(self.config.id);
                self.outbox.messages.push(Message { from, to, term: None, body: Body::Propose { entries } });
                Ok(())
            }
            Some(leader) => Err(ProposeError::NotLeader { leader }),
            None => Err(ProposeError::NoLeader),
        }
    }

    fn append_proposal(&mut self, mut entries: impl Entries) -> Result<EntryId, ProposeError> {
        let RoleState::Leader(leader) = &self.role else {
            return Err(self.leader.map_or(ProposeError::NoLeader, |leader| ProposeError::NotLeader { leader }));
        };
        // A leader that a change removed keeps leading until the change is known to a quorum, but takes nothing new.
        if !self.configuration.contains(self.id()) {
            return Err(ProposeError::Removed);
        }
        if let Some(to) = leader.transferee {
            return Err(ProposeError::TransferringLeadership { to });
        }
        let pending = leader.pending_conf_index;
        let first = self.log.last_index().next();
        for (offset, entry) in entries.as_mut().iter_mut().enumerate() {
            // Only a leader marks a change as refused. An entry that is proposed with that mark may hold data that the
            // application has to see.
            if entry.kind == EntryKind::RefusedConfChange {
                entry.kind = EntryKind::Normal;
            }
            self.admit_conf_change(first.plus(offset as u64), entry);
        }
        let appended = self.append_as_leader(entries);
        match appended {
            Err(_) => self.forget_dropped_change(pending),
            Ok(last) => {
                if planted(Bug::LeaderSelfAckUnstable) {
                    self.handle_append_accepted(self.id(), last.index);
                }
                self.broadcast_append();
            }
        }
        appended
    }

    /// A proposal was dropped for its size: the change that was pending before it is pending again. In etcd a dropped
    /// change stays pending, and delays later changes and the leaving of a joint configuration until the log has grown
    /// past it.
    fn forget_dropped_change(&mut self, pending: Index) {
        if let RoleState::Leader(leader) = &mut self.role
            && !self.config.waits_as_etcd
        {
            leader.pending_conf_index = pending;
        }
    }

    /// Replaces a membership change that may not follow what is pending by an empty entry.
    fn admit_conf_change(&mut self, index: Index, entry: &mut Entry) {
        let Ok(Some(change)) = entry.conf_change() else { return };
        let RoleState::Leader(leader) = &mut self.role else { return };
        let pending = leader.pending_conf_index > self.log.applied() && !planted(Bug::ConfWhilePending);
        let joint = self.configuration.is_joint();
        let leaves = change.as_v2().changes.is_empty();
        // One change at a time, and joint configurations are entered and left in turn (thesis, section 4.3).
        let refused = pending || joint != leaves;
        if refused && !self.config.disable_conf_change_validation {
            self.tell(|_| Event::RefusesMembershipChange {
                index,
                reason: match (pending, joint) {
                    (true, _) => "an earlier one is not applied yet",
                    (false, true) => "the joint configuration has to be left first",
                    (false, false) => "there is no joint configuration to leave",
                },
            });
            *entry = Entry { kind: EntryKind::RefusedConfChange, ..Entry::default() };
        } else {
            leader.pending_conf_index = index;
        }
    }

    /// Appends to the own log, unless that exceeds the bound on uncommitted data or the largest index there can be. Returns
    /// the last entry. The leader acknowledges its own entries like any follower, once they are durable.
    ///
    /// # Errors
    /// Nothing was appended.
    pub(super) fn append_as_leader(&mut self, mut entries: impl Entries) -> Result<EntryId, ProposeError> {
        if entries.as_ref().len() as u64 > Index::MAX.since(self.log.last_index()) {
            return Err(ProposeError::LogFull);
        }
        self.reserve_uncommitted(entries.as_ref().iter().map(Entry::payload_size).sum())?;
        let mut index = self.append_after();
        for entry in entries.as_mut() {
            index = index.next();
            entry.term = self.term;
            entry.index = index;
        }
        self.log.append(entries);
        self.acknowledge_own(index);
        Ok(EntryId::new(self.term, index))
    }

    /// Acknowledges the own log up to `index`, once it is durable. One acknowledgement says what those before it say that
    /// wait for the same write.
    fn acknowledge_own(&mut self, index: Index) {
        let id = self.config.id;
        match self.outbox.after_append.last_mut() {
            Some(Message { to, term, body: Body::AppendAccepted { index: last }, .. })
                if self.config.batch_append && *to == id && *term == Some(self.term) =>
            {
                *last = index;
            }
            _ => self.send_after_append(id, self.term, Body::AppendAccepted { index }),
        }
    }

    /// The index after which a leader appends.
    fn append_after(&self) -> Index {
        let last = self.log.last_index();
        let is_being_written = || !self.log.has_next_unstable_entries() && self.log.term_or_zero(last) == self.term;
        if planted(Bug::LeaderOverwritesUnstable) && is_being_written() {
            return self.log.last_stable_index().max(self.log.committed());
        }
        last
    }

    /// Counts payload bytes as uncommitted. Empty entries are never refused, so that a new leader can begin and a joint
    /// configuration can be left; nor is the first of any size, so that nothing waits for ever.
    fn reserve_uncommitted(&mut self, proposed: u64) -> Result<(), ProposeError> {
        let RoleState::Leader(leader) = &mut self.role else { return Err(ProposeError::NoLeader) };
        let (uncommitted, limit) = (leader.uncommitted_size, self.config.max_uncommitted_size);
        let total = uncommitted.saturating_add(proposed);
        if uncommitted > 0 && proposed > 0 && total > limit {
            return Err(ProposeError::TooMuchUncommitted { uncommitted, proposed, limit });
        }
        leader.uncommitted_size = total;
        Ok(())
    }

    /// Leaves a joint configuration that is to be left automatically, once it is applied. If the proposal is dropped,
    /// the next tick tries again.
    pub(super) fn maybe_leave_joint(&mut self) {
        let RoleState::Leader(leader) = &self.role else { return };
        if self.configuration.auto_leave() && self.log.applied() >= leader.pending_conf_index {
            let leave = Entry { kind: EntryKind::ConfChangeV2, ..Entry::default() };
            // Dropped while leadership is handed over; the next leader, or this one once it has given up, will leave.
            let _ = self.propose(None, [leave]);
        }
    }
}
