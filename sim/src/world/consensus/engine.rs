//! What makes the nodes of a world, where they are not the project's own.

use std::fmt::Debug;

use raft::{Config, MemStorage};

use super::Consensus;
use crate::invariant::Invariant;
use crate::world::options::NodeOptions;

/// An implementation of Raft, by which all nodes of a world run.
pub trait Engine: Debug + Send + Sync {
    /// What it is called on the command line and in traces.
    fn name(&self) -> &'static str;

    /// What it can do, and what is checked of it.
    fn supports(&self) -> Supports;

    /// Makes the options of a plan ones that it has: what it lacks is off.
    fn fit(&self, options: &mut NodeOptions);

    /// Whether it has all of these options.
    ///
    /// # Errors
    /// The one that it lacks, or why they make no sense together.
    fn accepts(&self, config: &Config) -> Result<(), CannotStart>;

    /// A node with these options, which it [accepts](Self::accepts), that starts with what its storage holds.
    ///
    /// Its election timeouts are drawn from the stream of [`Config::election_seed`](raft::Config::election_seed), or fixed.
    ///
    /// # Errors
    /// It does not start from this.
    fn start(&self, config: &Config, storage: MemStorage) -> Result<Box<dyn Consensus>, CannotStart>;
}

/// Why an [`Engine`] starts no node.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotStart {
    /// It does not have this option.
    #[error("{engine} has no {option}")]
    Option {
        /// The engine.
        engine: &'static str,
        /// The option.
        option: &'static str,
    },
    /// What it says itself.
    #[error("{0}")]
    Refused(String),
}

/// What an [`Engine`] can do beside its options, so that plans ask for nothing else, and what is checked of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Supports {
    /// Clusters whose first log entries say who is in them. Others begin from a snapshot.
    pub bootstrap: bool,
    /// Nodes that are told to forget their leader.
    pub forget_leader: bool,
    /// Disks that lose what was acknowledged, and nodes that begin with the log of another cluster. Raft relies on neither to
    /// happen, and an engine may answer them by stopping.
    pub lost_data: bool,
    /// The properties that nothing is claimed of.
    pub unchecked: &'static [Invariant],
    /// What nothing is claimed of in the other properties, in words.
    pub unchecked_parts: &'static [(Invariant, &'static str)],
}
