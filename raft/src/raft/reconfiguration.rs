//! Taking up a new membership: from an applied change, and from a snapshot.

use crate::events::Event;
use crate::membership::{ChangeError, Changed, ConfChangeV2, ConfState, Configuration};
use crate::planted::{Bug, planted};
use crate::snapshot::Snapshot;
use crate::storage::Storage;

use super::{Raft, RoleState};

impl<S: Storage> Raft<S> {
    /// Takes up a committed change, at the moment when the application applies it.
    ///
    /// # Errors
    /// A change that the current configuration does not allow; nothing changes then.
    pub(crate) fn apply_conf_change(&mut self, change: &ConfChangeV2) -> Result<ConfState, ChangeError> {
        let changed = self.configuration.apply(change)?;
        Ok(self.switch_to(changed))
    }

    fn switch_to(&mut self, changed: Changed) -> ConfState {
        let limits = self.inflight_limits();
        if let RoleState::Leader(leader) = &mut self.role {
            leader.follow(&changed, self.log.last_index(), limits);
        }
        self.configuration = changed.configuration.into();
        self.tell(|raft| Event::ChangesMembership { members: raft.configuration() });
        if matches!(self.role, RoleState::Leader(_)) {
            self.lead_changed_configuration();
            self.look_at_reads_again();
        }
        self.configuration.conf_state()
    }

    fn lead_changed_configuration(&mut self) {
        let id = self.id();
        if !self.configuration.contains(id) || self.configuration.is_learner(id) {
            // Otherwise it leads on until another node is elected (thesis, section 4.2.2).
            if self.config.step_down_on_removal && !planted(Bug::RemovedLeaderLingers) {
                self.become_follower(self.term, None);
            }
            return;
        }
        if self.maybe_commit() {
            // A smaller quorum may have committed more.
            self.broadcast_append();
        } else {
            // A node that joined need not wait for the next heartbeat or proposal.
            self.broadcast_entries();
        }
        if self.transferee().is_some_and(|target| !self.configuration.voters().contains(target)) {
            self.give_up_transfer();
        }
    }

    /// Replaces log and membership by those of a snapshot. Returns whether it did. It does not if the snapshot brings
    /// nothing new, if the log already holds its last entry, which is then committed, or if the snapshot is not meant
    /// for this node.
    pub(super) fn restore(&mut self, snapshot: Snapshot) -> bool {
        if snapshot.id.index <= self.log.committed() {
            return false;
        }
        let Ok(configuration) = Configuration::from_conf_state(&snapshot.conf_state) else { return false };
        if !snapshot.conf_state.contains(self.id()) {
            return false;
        }
        if self.log.matches(snapshot.id) {
            self.log.commit_to(snapshot.id.index);
            return false;
        }
        self.log.restore(snapshot);
        self.configuration = configuration.into();
        true
    }
}
