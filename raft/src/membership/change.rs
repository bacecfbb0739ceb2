//! Requests to change the membership, as they are proposed and stored in the log.

use bytes::Bytes;

use crate::types::NodeId;

/// What happens to one node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ChangeKind {
    /// It becomes a voter, from outside or from a learner.
    #[default]
    AddVoter,
    /// It leaves. Keep what it has stored until the commit index of this change is durable on a quorum of those who stay:
    /// until then a crash may take them back to the membership before, and they need its vote again.
    Remove,
    /// Nothing happens to the membership; the application's context changes.
    Update,
    /// It becomes a learner, from outside or from a voter.
    AddLearner,
}

/// One step of a membership change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    /// What happens.
    pub kind: ChangeKind,
    /// To whom. An application that decides against a committed change clears it, and the step does nothing.
    pub node: Option<NodeId>,
}

impl Change {
    /// This happens to this node.
    pub const fn new(kind: ChangeKind, node: NodeId) -> Self {
        Self { kind, node: Some(node) }
    }
}

/// A change of one node at a time (thesis, section 4.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfChangeV1 {
    /// The one step.
    pub change: Change,
    /// The application's bytes, such as an address.
    pub context: Bytes,
}

impl ConfChangeV1 {
    /// This happens to this node, without context.
    pub const fn new(kind: ChangeKind, node: NodeId) -> Self {
        Self { change: Change::new(kind, node), context: Bytes::new() }
    }

    /// The node becomes a voter.
    pub const fn add_voter(node: NodeId) -> Self {
        Self::new(ChangeKind::AddVoter, node)
    }

    /// The node becomes a learner.
    pub const fn add_learner(node: NodeId) -> Self {
        Self::new(ChangeKind::AddLearner, node)
    }

    /// The node leaves.
    pub const fn remove(node: NodeId) -> Self {
        Self::new(ChangeKind::Remove, node)
    }
}

/// How a change passes through a joint configuration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Transition {
    /// Directly where at most one step is asked for; otherwise as [`Self::Implicit`].
    #[default]
    Auto,
    /// Through a joint configuration that is left by itself.
    Implicit,
    /// Through a joint configuration that is left when the application proposes an empty change.
    Explicit,
}

/// A change of any number of nodes (thesis, section 4.3). Without steps, and with [`Transition::Auto`], it leaves a
/// joint configuration.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfChangeV2 {
    /// How to pass through a joint configuration.
    pub transition: Transition,
    /// The steps, in order.
    pub changes: Vec<Change>,
    /// The application's bytes.
    pub context: Bytes,
}

impl ConfChangeV2 {
    /// These steps, without context.
    pub const fn new(transition: Transition, changes: Vec<Change>) -> Self {
        Self { transition, changes, context: Bytes::new() }
    }

    /// The change that leaves a joint configuration.
    pub const fn leave_joint() -> Self {
        Self::new(Transition::Auto, Vec::new())
    }

    /// Whether it leaves a joint configuration: whatever its context, it asks for nothing.
    pub fn leaves_joint(&self) -> bool {
        self.changes.is_empty() && self.transition == Transition::Auto
    }

    /// Whether it enters a joint configuration, and if so, whether that is left by itself.
    ///
    /// ```
    /// use raft::{ConfChangeV2, Transition};
    /// assert_eq!(ConfChangeV2::new(Transition::Explicit, vec![]).enters_joint(), Some(false));
    /// assert_eq!(ConfChangeV2::leave_joint().enters_joint(), None);
    /// ```
    pub fn enters_joint(&self) -> Option<bool> {
        match self.transition {
            Transition::Auto => (self.changes.len() > 1).then_some(true),
            Transition::Implicit => Some(true),
            Transition::Explicit => Some(false),
        }
    }
}

impl From<ConfChangeV1> for ConfChangeV2 {
    fn from(change: ConfChangeV1) -> Self {
        Self { transition: Transition::Auto, changes: vec![change.change], context: change.context }
    }
}

/// A membership change of either version, as the log keeps it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ConfChange {
    /// One node at a time.
    V1(ConfChangeV1),
    /// Any number, through joint consensus.
    V2(ConfChangeV2),
}

impl ConfChange {
    /// The same change as one of any number of nodes.
    pub fn into_v2(self) -> ConfChangeV2 {
        match self {
            Self::V1(change) => change.into(),
            Self::V2(change) => change,
        }
    }

    /// As [`Self::into_v2`], of a copy.
    pub fn as_v2(&self) -> ConfChangeV2 {
        self.clone().into_v2()
    }
}

impl From<ConfChangeV1> for ConfChange {
    fn from(change: ConfChangeV1) -> Self {
        Self::V1(change)
    }
}

impl From<ConfChangeV2> for ConfChange {
    fn from(change: ConfChangeV2) -> Self {
        Self::V2(change)
    }
}

/// Why a configuration does not allow a change, or contradicts itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// A joint configuration has to be left before another is entered.
    #[error("config is already joint")]
    AlreadyJoint,
    /// There is no joint configuration to leave.
    #[error("can't leave a non-joint config")]
    NotJoint,
    /// Nobody could decide anything in a joint configuration whose outgoing half is empty.
    #[error("can't make a zero-voter config joint")]
    NoVotersToJoin,
    /// A simple change came while the configuration is joint.
    #[error("can't apply simple config change in joint config")]
    SimpleInJoint,
    /// A simple change moves the majority by more than one voter, so that two majorities could be disjoint.
    #[error("more than one voter changed without entering joint config")]
    MoreThanOneVoter,
    /// Nobody would be left to decide.
    #[error("removed all voters")]
    NoVoters,
    /// A node is voter and learner at once.
    #[error("node {0} is a voter and a learner")]
    VoterAndLearner(NodeId),
    /// A node waits to become a learner but is no voter of the outgoing half.
    #[error("node {0} is in learners_next, but not in the outgoing voters")]
    StagedOutsideOutgoing(NodeId),
    /// A field that only a joint configuration has is set.
    #[error("{0} must be empty when not joint")]
    OnlyWhenJoint(&'static str),
    /// The node has taken up a snapshot that replaces the entry of the change, and the membership of the snapshot with it.
    #[error("a snapshot has overtaken the change")]
    Overtaken,
}
