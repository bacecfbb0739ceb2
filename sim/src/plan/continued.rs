//! The plan of a run that begins where another one has come to: its nodes are there already.

use raft::NodeId;

use super::Plan;
use crate::world::{ApplicationKind, NodeOptions, World};

/// Why no run can go on at random from a world.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotGoOn {
    /// A node has a number that is too high.
    #[error("node {0} has a number above {most}, the highest with which runs go on at random", most = Plan::HIGHEST)]
    TooHigh(NodeId),
    /// Clients cannot use what its entries are applied to.
    #[error("clients cannot use the application of node {0}: runs go on at random where it is the key-value store")]
    NoKeys(NodeId),
}

impl Plan {
    /// The highest number of a node with which a run goes on.
    pub const HIGHEST: u64 = 32;

    /// Whether a plan [fits](Self::fit) what has happened in this world.
    ///
    /// # Errors
    /// It does not, for this reason.
    pub fn can_go_on(world: &World) -> Result<(), CannotGoOn> {
        let has_keys = |options: &NodeOptions| options.application == ApplicationKind::KeyValue;
        world.replicas().try_for_each(|replica| match replica.id() {
            node if node.get() > Self::HIGHEST => Err(CannotGoOn::TooHigh(node)),
            node if !has_keys(replica.options()) => Err(CannotGoOn::NoKeys(node)),
            _ => Ok(()),
        })
    }

    /// Takes the nodes that this world has, if it has any, for those of the plan. The events of the run come on top of those
    /// that have happened.
    pub(super) fn go_on_from(&mut self, world: &World) {
        let Some(highest) = world.replicas().map(|replica| replica.id().get()).max() else { return };
        self.steps += world.step();
        let cluster = &mut self.cluster;
        (cluster.nodes, cluster.learners, cluster.keeps_leases) = (highest, 0, false);
        // A membership may name nodes that have not started.
        let ids = || (1..=World::MAX_NODES).map(super::node_id);
        let existing = |node: NodeId| world.replica(node).map(|replica| replica.options().clone());
        let usual = existing(super::node_id(highest)).expect("the node with the highest number exists");
        cluster.options = ids().map(|node| existing(node).unwrap_or_else(|| usual.clone())).collect();
        cluster.tick = cluster.tick.iter().copied().cycle().take(ids().count()).collect();
    }
}
