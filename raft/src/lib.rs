//! The Raft consensus algorithm with the behaviour of etcd-io/raft.
//!
//! A node is a [`RawNode`]: a deterministic state machine without I/O, clock or thread. Its host feeds it
//! [messages](Message), proposals and ticks, and takes from it one [`Ready`] at a time: what to persist, what to send
//! and what to apply. Time passes only when the host calls [`RawNode::tick`], and randomness comes only from the seed
//! in the [`Config`], so the same input gives the same behaviour, always.
//!
//! # The loop
//! ```
//! use std::collections::BTreeMap;
//! use bytes::Bytes;
//! use raft::{Config, ConfState, EntryKind, MemStorage, NodeId, RawNode};
//!
//! let ids: Vec<NodeId> = (1..=3).filter_map(NodeId::new).collect();
//! let members = ConfState { voters: ids.iter().copied().collect(), ..ConfState::default() };
//! let mut nodes: BTreeMap<NodeId, RawNode<MemStorage>> = BTreeMap::new();
//! for &id in &ids {
//!     let config = Config { election_seed: Some(id.get()), ..Config::new(id) };
//!     nodes.insert(id, RawNode::new(config, MemStorage::with_conf_state(members.clone()))?);
//! }
//! nodes.get_mut(&ids[0]).unwrap().campaign();
//!
//! let mut applied: Vec<Bytes> = Vec::new();
//! let mut proposed = false;
//! while nodes.values().any(RawNode::has_ready) {
//!     let mut mail = Vec::new();
//!     for node in nodes.values_mut() {
//!         let Some(mut ready) = node.ready() else { continue };
//!         // 1. Persist, durably where `must_sync` says so.
//!         if let Some(hard_state) = ready.hard_state {
//!             node.storage_mut().set_hard_state(hard_state);
//!         }
//!         if let Some(snapshot) = ready.snapshot.take() {
//!             node.storage_mut().apply_snapshot(snapshot)?;
//!         }
//!         node.storage_mut().append(&ready.entries)?;
//!         // 2. Send.
//!         mail.append(&mut ready.messages);
//!         // 3. Apply.
//!         for entry in &ready.committed_entries {
//!             match entry.conf_change()? {
//!                 Some(change) => drop(node.apply_conf_change(&change.into_v2())?),
//!                 None if node.id() == ids[0] && !entry.data.is_empty() => applied.push(entry.data.clone()),
//!                 None => {}
//!             }
//!         }
//!         // 4. Go on.
//!         node.advance(ready)?;
//!     }
//!     for message in mail {
//!         // An error means that the message was not taken, as if it had been lost.
//!         let _ = nodes.get_mut(&message.to).expect("a member").step(message);
//!     }
//!     if !proposed {
//!         proposed = nodes.get_mut(&ids[0]).unwrap().propose("hello".into()).is_ok();
//!     }
//! }
//! assert_eq!(applied, ["hello"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where things are
//! [`RawNode`] and [`Ready`] are the interface, and [`Node`] the same for many tasks or threads; [`Config`] holds the options; [`Storage`] is what the node reads its log
//! through, and [`MemStorage`] one to begin with. [`Message`] has an encoding that etcd's raftpb reads. [`quorum`],
//! [`membership`] and [`progress`] are pure and useful by themselves. Sources are named where they are followed: "Raft
//! paper" is Ongaro and Ousterhout, *In Search of an Understandable Consensus Algorithm* (extended version, 2014);
//! "thesis" is Ongaro, *Consensus: Bridging Theory and Practice* (2014).

mod codec;
pub mod config;
pub mod error;
mod log;
pub mod membership;
pub mod message;
pub mod node;
#[cfg(feature = "serde")]
mod number;
#[cfg_attr(not(feature = "planted-bugs"), doc(hidden))]
pub mod planted;
pub mod progress;
pub mod quorum;
mod raft;
mod raw_node;
mod ready;
mod rng;
mod status;
pub mod storage;
pub mod types;

pub use codec::DecodeError;
pub use config::{Config, ReadOnlyOption};
pub use error::{AdvanceError, BootstrapError, ConfigError, Malformed, ProposeError, StepError};
pub use membership::{
    Change, ChangeError, ChangeKind, Changed, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Configuration,
    Transition,
};
pub use message::{Body, Message};
pub use node::{Node, NodeError, Stopped};
pub use progress::{InflightLimits, Inflights, Progress, ProgressState};
pub use quorum::{JointConfig, MajorityConfig, VoteResult};
pub use raw_node::{RawNode, SnapshotStatus};
pub use ready::{Ready, StorageAppend, StorageAppended, StorageApplied, StorageApply};
pub use status::{BasicStatus, Status};
pub use storage::{MemStorage, MemStorageError, Storage, StorageError};
pub use types::{Entry, EntryId, EntryKind, HardState, Index, NodeId, ReadState, Role, Snapshot, SoftState, Term};
