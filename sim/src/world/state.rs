//! What a world is, apart from how it came there.

use std::fmt;
use std::hash::Hash;

use super::World;
use crate::state_hasher::StateHasher;

/// Tells states of worlds apart: equal for equal states, and for unequal ones as good as never.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StateHash(pub u128);

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl World {
    /// A hash of what the nodes, their disks, the network and the clients are, and of what the checks go by: two worlds
    /// with the same hash can do the same from now on, and the same is wrong with it.
    ///
    /// Messages in flight are a bag: neither their numbers nor their order count. Of clocks it counts how long ago things
    /// were, of steps in which order. Left out is what only tells how the world came there: the digest, the number of events,
    /// what was counted and covered. Disks are told apart by what is [read of them](crate::disk), not byte by byte.
    ///
    /// A user's [property](super::Property) counts by its `Debug` form, and a user's log by the bytes on its disk.
    ///
    /// What the checks remember is in it whole. Where two orders of events differ in nothing else, that tells them apart
    /// though the nodes are the same: the check that remembers could judge otherwise.
    ///
    /// ```
    /// use raft::NodeId;
    /// use sim::world::{Boot, Event, Halt, NodeOptions, World};
    ///
    /// let started = |nodes: [u64; 2]| {
    ///     let mut world = World::new();
    ///     for node in nodes.map(|number| NodeId::new(number).unwrap()) {
    ///         world.apply(&Event::Start { node, boot: Boot::Empty, options: NodeOptions::default(), seed: None })?;
    ///     }
    ///     Ok::<World, Halt>(world)
    /// };
    /// let (one, other) = (started([1, 2])?, started([2, 1])?);
    /// assert_ne!(one.digest(), other.digest());
    /// assert_eq!(one.state_hash(), other.state_hash());
    /// # Ok::<(), Halt>(())
    /// ```
    pub fn state_hash(&self) -> StateHash {
        let Self { replicas, network, losses, checkers, clients, unchecked, .. } = self;
        let Self { has_leases, leases_broken, tally: _, digest: _, step: _, .. } = self;
        let Self { setup: _, properties, .. } = self;
        let mut state = StateHasher::new();
        (replicas, checkers, clients, unchecked, has_leases, leases_broken).hash(&mut state);
        network.hash_state(&mut state);
        losses.hash_state(network.now(), &mut state);
        properties.iter().for_each(|property| format!("{property:?}").hash(&mut state));
        StateHash(state.hash())
    }
}

#[cfg(test)]
mod tests;
