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
    /// It leaves.
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

/// A change of one node at a time (thesis, section 4.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfChangeV1 {
    /// The one step.
    pub change: Change,
    /// The application's bytes, such as an address.
    pub context: Bytes,
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

/// A membership change of either version, as the log keeps it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ConfChange {
    /// One node at a time.
    V1(ConfChangeV1),
    /// Any number, through joint consensus.
    V2(ConfChangeV2),
}

/// Why a configuration does not allow a change, or contradicts itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
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
}
