//! The moves from one configuration to the next.
//!
//! Two configurations may follow each other only if every quorum of the one shares a voter with every quorum of the
//! other, or two leaders could be elected in one term. Changing a single voter keeps that (thesis, section 4.1); any
//! greater change passes through a joint configuration, which asks for quorums of both sides (section 4.3).
//! Upstream: etcd's package `confchange`.

use std::collections::BTreeSet;

use crate::membership::{Change, ChangeError, ChangeKind, ConfChangeV2, Configuration};
use crate::quorum::MajorityConfig;
use crate::types::NodeId;

/// What a change leads to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Changed {
    /// The configuration from here on.
    pub configuration: Configuration,
    /// The members of whom nothing is known yet: those that are new, and those that the change removed and added
    /// again. Whatever a leader knew of them is void.
    pub joined: BTreeSet<NodeId>,
}

impl Configuration {
    /// The configuration after this change: it enters or leaves a joint configuration or changes one voter, as
    /// [`ConfChangeV2::leaves_joint`] and [`ConfChangeV2::enters_joint`] tell. Steps without a node are skipped.
    ///
    /// # Errors
    /// Why the change may not follow; the configuration stays as it is.
    pub fn apply(&self, change: &ConfChangeV2) -> Result<Changed, ChangeError> {
        if change.leaves_joint() {
            self.leave_joint()
        } else if let Some(auto_leave) = change.enters_joint() {
            self.enter_joint(auto_leave, &change.changes)
        } else {
            self.simple(&change.changes)
        }
    }

    /// Carries out steps that together change at most one voter.
    ///
    /// # Errors
    /// If the configuration is joint, if more than one voter changes, and if no voter remains.
    pub fn simple(&self, changes: &[Change]) -> Result<Changed, ChangeError> {
        if self.is_joint() {
            return Err(ChangeError::SimpleInJoint);
        }
        let changed = self.start().steps(changes)?;
        if difference(&self.voters.incoming, &changed.configuration.voters.incoming) > 1 {
            return Err(ChangeError::MoreThanOneVoter);
        }
        Ok(changed)
    }

    /// Makes the present voters the outgoing half, and carries out any number of steps on the incoming one.
    ///
    /// # Errors
    /// If the configuration is joint already, has no voters, or would have none.
    pub fn enter_joint(&self, auto_leave: bool, changes: &[Change]) -> Result<Changed, ChangeError> {
        if self.is_joint() {
            return Err(ChangeError::AlreadyJoint);
        }
        if self.voters.incoming.is_empty() {
            return Err(ChangeError::NoVotersToJoin);
        }
        let mut changed = self.start();
        changed.configuration.voters.outgoing = self.voters.incoming.clone();
        changed.configuration.auto_leave = auto_leave;
        changed.steps(changes)
    }

    /// Drops the outgoing half, and makes learners of those of its voters that were to become some.
    ///
    /// # Errors
    /// If the configuration is not joint.
    pub fn leave_joint(&self) -> Result<Changed, ChangeError> {
        if !self.is_joint() {
            return Err(ChangeError::NotJoint);
        }
        let mut changed = self.start();
        let configuration = &mut changed.configuration;
        configuration.learners.append(&mut configuration.learners_next);
        configuration.voters.outgoing = MajorityConfig::default();
        configuration.auto_leave = false;
        Ok(changed)
    }

    fn start(&self) -> Changed {
        Changed { configuration: self.clone(), joined: BTreeSet::new() }
    }
}

impl Changed {
    fn steps(mut self, changes: &[Change]) -> Result<Self, ChangeError> {
        for change in changes {
            if let Some(id) = change.node {
                self.step(change.kind, id);
            }
        }
        if self.configuration.voters.incoming.is_empty() {
            return Err(ChangeError::NoVoters);
        }
        Ok(self)
    }

    fn step(&mut self, kind: ChangeKind, id: NodeId) {
        match kind {
            ChangeKind::AddVoter => self.make_voter(id),
            ChangeKind::AddLearner => self.make_learner(id),
            ChangeKind::Remove => self.remove(id),
            ChangeKind::Update => {}
        }
    }

    fn make_voter(&mut self, id: NodeId) {
        self.note_if_new(id);
        self.configuration.learners.remove(&id);
        self.configuration.learners_next.remove(&id);
        self.configuration.voters.incoming.insert(id);
    }

    fn make_learner(&mut self, id: NodeId) {
        self.note_if_new(id);
        let configuration = &mut self.configuration;
        configuration.voters.incoming.remove(id);
        // A voter of the outgoing half votes until that half is dropped, and nobody is voter and learner at once.
        if configuration.voters.outgoing.contains(id) {
            configuration.learners_next.insert(id);
        } else {
            configuration.learners.insert(id);
        }
    }

    fn remove(&mut self, id: NodeId) {
        self.configuration.voters.incoming.remove(id);
        self.configuration.learners.remove(&id);
        self.configuration.learners_next.remove(&id);
        self.joined.remove(&id);
    }

    fn note_if_new(&mut self, id: NodeId) {
        if !self.configuration.contains(id) {
            self.joined.insert(id);
        }
    }
}

/// How many voters only one of the two has.
fn difference(one: &MajorityConfig, other: &MajorityConfig) -> usize {
    one.as_set().symmetric_difference(other.as_set()).count()
}
