//! The membership in force, and what makes one valid.

use std::collections::BTreeSet;
use std::fmt;

use crate::membership::{ChangeError, ConfState};
use crate::planted::{Bug, planted};
use crate::quorum::{JointConfig, parenthesized};
use crate::types::NodeId;

/// Who votes and who learns. Either entirely empty, which is a node before it hears of its cluster, or one in which
///
/// - there is an incoming voter;
/// - no learner votes in either half;
/// - a node that waits to become a learner is a voter of the outgoing half, and not of the incoming one;
/// - only a joint configuration has such nodes, and only a joint one is left by itself.
///
/// Upstream: `Config` of etcd's package `tracker`, and `Restore` of its package `confchange`.
///
/// ```
/// use raft::{ConfChangeV1, Configuration, NodeId};
/// let id = |number| NodeId::new(number).unwrap();
/// let alone = Configuration::default().apply(&ConfChangeV1::add_voter(id(1)).into())?.configuration;
/// let observed = alone.apply(&ConfChangeV1::add_learner(id(2)).into())?.configuration;
/// assert_eq!(observed.to_string(), "voters=(1) learners=(2)");
/// # Ok::<(), raft::ChangeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Configuration {
    pub(crate) voters: JointConfig,
    pub(crate) learners: BTreeSet<NodeId>,
    pub(crate) learners_next: BTreeSet<NodeId>,
    pub(crate) auto_leave: bool,
}

impl Configuration {
    /// The configuration that was stored like this.
    ///
    /// # Errors
    /// The first contradiction found; see [`Configuration`].
    pub fn from_conf_state(state: &ConfState) -> Result<Self, ChangeError> {
        let mut configuration = Self {
            voters: JointConfig {
                incoming: state.voters.clone().into(),
                outgoing: state.voters_outgoing.clone().into(),
            },
            learners: state.learners.clone(),
            learners_next: state.learners_next.clone(),
            auto_leave: state.auto_leave,
        };
        if planted(Bug::JointLostOnRestore) {
            configuration.voters.outgoing = Default::default();
            configuration.learners_next.clear();
            configuration.auto_leave = false;
        }
        configuration.validate()?;
        Ok(configuration)
    }

    fn validate(&self) -> Result<(), ChangeError> {
        if *self == Self::default() {
            return Ok(());
        }
        if !self.is_joint() && !self.learners_next.is_empty() {
            return Err(ChangeError::OnlyWhenJoint("learners_next"));
        }
        if !self.is_joint() && self.auto_leave {
            return Err(ChangeError::OnlyWhenJoint("auto_leave"));
        }
        if self.voters.incoming.is_empty() {
            return Err(ChangeError::NoVoters);
        }
        if let Some(id) = self.learners.iter().find(|id| self.is_voter(**id)) {
            return Err(ChangeError::VoterAndLearner(*id));
        }
        self.learners_next.iter().try_for_each(|id| self.validate_staged(*id))
    }

    fn validate_staged(&self, id: NodeId) -> Result<(), ChangeError> {
        if !self.voters.outgoing.contains(id) {
            Err(ChangeError::StagedOutsideOutgoing(id))
        } else if self.voters.incoming.contains(id) {
            Err(ChangeError::VoterAndLearner(id))
        } else {
            Ok(())
        }
    }

    /// The form in which it is stored and shown to the application.
    pub fn conf_state(&self) -> ConfState {
        ConfState {
            voters: self.voters.incoming.as_set().clone(),
            voters_outgoing: self.voters.outgoing.as_set().clone(),
            learners: self.learners.clone(),
            learners_next: self.learners_next.clone(),
            auto_leave: self.auto_leave,
        }
    }

    /// Everybody who receives the log, in ascending order: the voters of both halves and the learners.
    pub fn members(&self) -> impl Iterator<Item = NodeId> + '_ {
        // Those in `learners_next` are voters of the outgoing half, and no learner is a voter: nobody comes twice.
        let mut voters = self.voters.ids().peekable();
        let mut learners = self.learners.iter().copied().peekable();
        std::iter::from_fn(move || match (voters.peek(), learners.peek()) {
            (Some(voter), Some(learner)) if learner < voter => learners.next(),
            (Some(_), _) => voters.next(),
            (None, _) => learners.next(),
        })
    }

    /// Whether this node receives the log.
    pub fn contains(&self, id: NodeId) -> bool {
        self.is_voter(id) || self.is_learner(id)
    }

    /// Whether this node is a voter of either half.
    pub fn is_voter(&self, id: NodeId) -> bool {
        self.voters.contains(id)
    }

    /// Whether this node is a learner now. One that only waits to become a learner is still a voter.
    pub fn is_learner(&self, id: NodeId) -> bool {
        self.learners.contains(&id)
    }

    /// Whether a membership change is under way.
    pub fn is_joint(&self) -> bool {
        self.voters.is_joint()
    }

    /// Who votes, in both halves.
    pub fn voters(&self) -> &JointConfig {
        &self.voters
    }

    /// Who receives the log and does not vote.
    pub fn learners(&self) -> &BTreeSet<NodeId> {
        &self.learners
    }

    /// The outgoing voters who become learners when the joint configuration is left.
    pub fn learners_next(&self) -> &BTreeSet<NodeId> {
        &self.learners_next
    }

    /// Whether the joint configuration is left as soon as it is applied, without being asked.
    pub fn auto_leave(&self) -> bool {
        self.auto_leave
    }
}

/// Etcd's form, with the nodes in hexadecimal, such as `voters=(1 2 3)&&(1 2 5) learners=(4) learners_next=(5) autoleave`.
impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "voters={}", self.voters)?;
        if !self.learners.is_empty() {
            write!(f, " learners={}", parenthesized(&self.learners))?;
        }
        if !self.learners_next.is_empty() {
            write!(f, " learners_next={}", parenthesized(&self.learners_next))?;
        }
        if self.auto_leave {
            f.write_str(" autoleave")?;
        }
        Ok(())
    }
}
