//! A stranded leader: it is cut off with one companion and asked for many entries, and the links heal once the others have
//! compacted their logs beyond what it has in common with them.
//!
//! Both who were cut off then have a long tail that nobody else has, and are sent a snapshot that takes its place.

use raft::{Index, NodeId, Storage};

use super::leader;
use crate::world::{Replica, World};

/// A leader that is stranded.
#[derive(Clone, Debug)]
pub(super) struct Stranding {
    /// Who is cut off: the leader and its companion.
    pub(super) inside: [NodeId; 2],
    /// How far its log is certain to be that of the others.
    common: Index,
}

impl Stranding {
    /// One that begins with this leader.
    pub(super) fn new(leader: &Replica, companion: NodeId) -> Self {
        Self { inside: [leader.id(), companion], common: leader.view().hard_state.commit }
    }

    /// Whether whoever leads the others cannot send any more what the stranded lack.
    pub(super) fn is_over(&self, world: &World) -> bool {
        let leads = leader(world).filter(|leader| !self.inside.contains(leader));
        let node = leads.and_then(|leader| world.replica(leader)?.node());
        node.is_some_and(|node| node.storage().first_index() > self.common.next())
    }
}
