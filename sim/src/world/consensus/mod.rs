//! The seam for another Raft: what the world asks of a node that takes part in a cluster.
//!
//! The vocabulary is that of Ready and Advance, in the plain types of the `raft` crate. The project's node and its run loop are two
//! implementations; the package in `sim/engines/raft-rs` has a third, which is raft-rs as it was released.

mod engine;
mod node;
mod stored;

use std::fmt::Debug;
use std::hash::Hasher;
use std::sync::Arc;

use bytes::Bytes;
use raft::{
    ChangeError, ConfChange, ConfChangeV2, ConfState, Entry, Message, NodeId, Ready, SnapshotStatus, StorageAppended,
    StorageApplied,
};

pub use self::engine::{CannotStart, Engine, Supports};
pub use self::node::{Follower, FollowerState, Node, Status};
pub use self::stored::Stored;
use super::outcome::Refusal;

/// What came of something that a node was told.
pub type Told = Result<(), Refusal>;

/// A node of a cluster, as its host deals with it.
///
/// It must be deterministic: the same calls lead to the same state, and what it draws comes from the seed that its
/// [`Engine`] was given. A copy goes on exactly as the original does. Nothing here may block, or look at a clock.
///
/// A host tells it things in any order, also while a Ready is out. It takes one Ready at a time: it stores what that asks for, as it
/// says in [`store`](Self::store), sends the messages when all is durable, applies the entries, and hands the Ready back.
pub trait Consensus: Debug + Send + Sync {
    /// How it shows itself.
    fn seen(&self) -> &dyn Node;

    /// The same once more.
    fn cloned(&self) -> Box<dyn Consensus>;

    /// Its clock ticks.
    fn tick(&mut self);

    /// It shall campaign.
    ///
    /// # Errors
    /// It does not take that now; the same for all that follows.
    fn campaign(&mut self) -> Told;

    /// Data is proposed.
    ///
    /// # Errors
    /// The proposal is dropped.
    fn propose(&mut self, data: Bytes) -> Told;

    /// A membership change is proposed.
    ///
    /// # Errors
    /// The proposal is dropped.
    fn propose_conf_change(&mut self, change: &ConfChange) -> Told;

    /// It shall hand leadership over.
    ///
    /// # Errors
    /// It does not take that now.
    fn transfer_leadership(&mut self, target: NodeId) -> Told;

    /// It shall forget its leader.
    ///
    /// # Errors
    /// It does not take that now, or never.
    fn forget_leader(&mut self) -> Told;

    /// A client reads. The Ready that says from where on it may be answered brings this context back.
    ///
    /// # Errors
    /// It does not take that now.
    fn read_index(&mut self, context: Bytes) -> Told;

    /// The transport says that a peer is not reached.
    ///
    /// # Errors
    /// It does not take that now.
    fn report_unreachable(&mut self, peer: NodeId) -> Told;

    /// The transport says what became of a snapshot.
    ///
    /// # Errors
    /// It does not take that now.
    fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) -> Told;

    /// The election timeout is so many ticks, until it is drawn again.
    ///
    /// # Errors
    /// It cannot be.
    fn set_election_timeout(&mut self, ticks: u32) -> Told;

    /// A message arrives, with what [rides](Rider) on it.
    ///
    /// # Errors
    /// It is refused.
    fn step(&mut self, message: Message, rider: Option<Rider>) -> Told;

    /// With asynchronous storage writes: the append thread answers.
    fn storage_appended(&mut self, appended: StorageAppended);

    /// With asynchronous storage writes: the apply thread answers.
    fn storage_applied(&mut self, applied: StorageApplied);

    /// The next Ready. `None` where there is none, where one is out, and where it comes later, as it does from a run loop.
    fn ready(&mut self) -> Option<Handed>;

    /// The Ready that is out has been done: stored as durably as it asks, its messages sent, its entries applied.
    fn advance(&mut self, ready: Ready);

    /// A committed entry with this membership change is applied. `None` where the answer comes later, as it does from a run loop.
    ///
    /// # Errors
    /// The configuration does not allow it.
    fn apply_conf_change(&mut self, entry: &Entry, change: &ConfChangeV2) -> Option<Result<ConfState, ChangeError>>;

    /// Feeds all of its state, so that two nodes of one engine that do not go on in the same way differ.
    fn hash_state(&self, state: &mut dyn Hasher);

    /// What the node reads of its storage changes. Whether it could.
    fn store(&mut self, change: Stored<'_>) -> bool;
}

impl Clone for Box<dyn Consensus> {
    fn clone(&self) -> Self {
        self.cloned()
    }
}

/// A Ready, and what rides on its messages.
#[derive(Clone, Debug, Default)]
pub struct Handed {
    /// The Ready.
    pub ready: Ready,
    /// For each of its messages, in order, what rides on it. Those beyond the end have nothing.
    pub riders: Vec<Option<Rider>>,
}

impl From<Ready> for Handed {
    fn from(ready: Ready) -> Self {
        Self { ready, riders: Vec::new() }
    }
}

/// What a message of an [`Engine`] says beyond what a [`Message`] has words for, in whatever form the engine likes. It arrives
/// with the message, and is lost and doubled with it. Checks do not see it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rider(pub Arc<[u8]>);
