//! Many events for one choice, where no order is more interesting than another.

use raft::NodeId;

use super::choices::{arms, is_in_turn, node_id};
use crate::world::{Event, World};

/// Something that is done event by event until nothing of it is left.
#[derive(Clone, Debug)]
pub(super) enum Chore {
    /// A node does what its Readys and its storage ask for.
    Work {
        node: NodeId,
        /// The most steps, in case work makes more work.
        at_most: u32,
    },
    /// The messages with smaller numbers that are in flight arrive, the oldest first.
    Deliver { below: u64 },
}

impl Chore {
    /// All the work of a node.
    pub(super) const fn work(node: NodeId) -> Self {
        Self::Work { node, at_most: 200 }
    }

    pub(super) fn next_event(&mut self, world: &World) -> Option<Event> {
        match self {
            Self::Work { at_most: 0, .. } => None,
            Self::Work { node, at_most } => {
                *at_most -= 1;
                work(*node, world)
            }
            Self::Deliver { below } => {
                let mut due = world.network().iter().map(|(id, _)| id).take_while(|id| id.0 < *below);
                let message = due.find(|id| world.waits_for_room(*id).is_none() && is_in_turn(*id, world))?;
                Some(Event::Deliver { message })
            }
        }
    }
}

/// Everybody works, the messages that are in flight then arrive, and everybody works again.
pub(super) fn round(nodes: u64, world: &World) -> impl Iterator<Item = Chore> + use<> {
    let below = world.network().next_id();
    let work = move || (0..nodes).map(node_id).map(Chore::work);
    work().chain([Chore::Deliver { below }]).chain(work())
}

/// What the node's host does next.
pub(super) fn work(node: NodeId, world: &World) -> Option<Event> {
    let turn = || arms(node, world).first().map(|&arm| Event::Take { node, arm });
    world.replica(node)?.to_do().next_event(node, u32::MAX).or_else(turn)
}
