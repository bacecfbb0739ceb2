//! What a node tells about itself.

use std::collections::BTreeMap;

use crate::membership::Configuration;
use crate::progress::Progress;
use crate::types::{EntryId, HardState, Index, NodeId, SoftState};

/// The part of a node's status that costs nothing to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BasicStatus {
    /// The node.
    pub id: NodeId,
    /// Its term, vote and commit index, stored or about to be.
    pub hard_state: HardState,
    /// The leader it knows and its role.
    pub soft_state: SoftState,
    /// Up to where the application has applied.
    pub applied: Index,
    /// To whom it hands leadership over, if it leads and does.
    pub lead_transferee: Option<NodeId>,
    /// The first index of its log.
    pub first_index: Index,
    /// The last entry of its log, stored or about to be.
    pub last: EntryId,
}

/// A node's status with its membership and, where it leads, what it knows of each member.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The basics.
    pub basic: BasicStatus,
    /// The membership in force on this node.
    pub configuration: Configuration,
    /// Empty unless the node leads. A follower that cannot catch up, since the storage lacks the snapshot that it needs,
    /// shows here by [`Progress::lacks_snapshot`].
    pub progress: BTreeMap<NodeId, Progress>,
}
