//! The Raft consensus algorithm with the behaviour of etcd-io/raft.
//!
//! A node is a [`RawNode`]: a deterministic state machine without I/O, clock or thread. Its host feeds it
//! [messages](Message), proposals and ticks, and takes from it one [`Ready`] at a time: what to persist, what to send
//! and what to apply. Time passes only when the host calls [`RawNode::tick`], and randomness comes only from the seed
//! in the [`Config`], or from what the node starts with, so the same input gives the same behaviour, always.
//!
//! # The loop
//! Three nodes in one process. In a real host each has its own loop and its own clock, and messages travel.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::error::Error;
//!
//! use raft::{ConfState, Config, Index, MemStorage, Message, NodeId, RawNode, Ready, Role};
//!
//! /// What the entries of a node are applied to: all data, one after another.
//! #[derive(Default)]
//! struct Application {
//!     state: Vec<u8>,
//!     applied: Index,
//! }
//!
//! impl Application {
//!     /// Does what a Ready says, in the order that it asks for.
//!     fn work(
//!         &mut self,
//!         node: &mut RawNode<MemStorage>,
//!         ready: &Ready,
//!         mail: &mut Vec<Message>,
//!     ) -> Result<(), Box<dyn Error>> {
//!         // 1. Persist: a snapshot, entries, and the hard state last; durably where `must_sync` says so.
//!         node.storage_mut().write(ready)?;
//!         // 2. Send.
//!         mail.extend(ready.messages.iter().cloned());
//!         // 3. Apply: a snapshot replaces the state, entries continue it.
//!         if let Some(snapshot) = &ready.snapshot {
//!             self.state = snapshot.data.to_vec();
//!             self.applied = snapshot.id.index;
//!         }
//!         for entry in &ready.committed_entries {
//!             match entry.conf_change()? {
//!                 // A change that the membership does not allow comes to nothing, on every node.
//!                 Some(change) => drop(node.apply_conf_change(&change.into_v2())),
//!                 None => self.state.extend_from_slice(&entry.data),
//!             }
//!             self.applied = entry.index;
//!         }
//!         // 4. Answer the reads in `ready.read_states` whose index is applied.
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     let ids: Vec<NodeId> = (1..=3).filter_map(NodeId::new).collect();
//!     let members = ConfState { voters: ids.iter().copied().collect(), ..ConfState::default() };
//!     let mut nodes: BTreeMap<NodeId, (RawNode<MemStorage>, Application)> = BTreeMap::new();
//!     for &id in &ids {
//!         let node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(members.clone()))?;
//!         nodes.insert(id, (node, Application::default()));
//!     }
//!
//!     let mut proposed = false;
//!     for _tick in 0..1000 {
//!         nodes.values_mut().for_each(|(node, _)| node.tick());
//!         // All that the tick leads to.
//!         while nodes.values().any(|(node, _)| node.has_ready()) {
//!             let mut mail = Vec::new();
//!             for (node, application) in nodes.values_mut() {
//!                 // Where the work fails, the Ready is not lost: the next call hands it out again.
//!                 node.process_ready(|node, ready| application.work(node, ready, &mut mail))?;
//!             }
//!             for message in mail {
//!                 // An error means that the message was not taken, as if it had been lost.
//!                 let _ = nodes.get_mut(&message.to).expect("a member").0.step(message);
//!             }
//!         }
//!         let leader = nodes.values_mut().find(|(node, _)| node.soft_state().role == Role::Leader);
//!         if let Some((leader, _)) = leader.filter(|_| !proposed) {
//!             proposed = leader.propose("hello".into()).is_ok();
//!         }
//!     }
//!     assert!(nodes.values().all(|(_, application)| application.state == b"hello"));
//!     Ok(())
//! }
//! ```
//!
//! # The guide
//! [`guide`] goes on from here, one question to a page: [the loop, step by step](guide::host_loop); [a storage of one's
//! own](guide::storage); [settings for production](guide::production); [snapshots](guide::snapshots); [membership
//! changes](guide::membership); [linearizable reads](guide::reads); [asynchronous storage
//! writes](guide::asynchronous_storage); [failing disks](guide::disk_failure); [handing over and stopping](guide::shutdown);
//! [testing one's own host](guide::testing); coming [from etcd-io/raft](guide::from_etcd) or [from
//! raft-rs](guide::from_raft_rs).
//!
//! # Features
//! None is on by default.
//!
//! - `serde`: the plain data types can be serialized, for traces and configuration files.
//! - `tracing`: the node tells what it does, as [events] of the crate `tracing`. Off, it costs nothing.
//! - `planted-bugs`: contains bugs that can be switched on, for proving that checks catch them. Never for production, so it
//!   does not build unless the environment says `RAFT_PLANTED_BUGS=1`: no other package can switch it on by accident.
//!
//! # Where things are
//! [`RawNode`] and [`Ready`] are the interface, and [`Node`] the same for many tasks or threads; [`Config`] holds the options,
//! and [`Config::recommended`] those for production; [`Storage`] is what the node reads its log
//! through, and [`MemStorage`] one to begin with. [`Message`] has an encoding that etcd's raftpb reads; messages, entries,
//! Readys and statuses print as etcd describes them. [`quorum`] and [`membership`] are pure and useful by themselves.
//! Sources are named where they are followed: "Raft paper" is Ongaro and Ousterhout, *In Search of an Understandable
//! Consensus Algorithm* (extended version, 2014); "thesis" is Ongaro, *Consensus: Bridging Theory and Practice* (2014).
//!
//! # Versions
//! Versions are semantic ones, and below 1.0 the second number counts as the first. These may come with a minor version, so
//! host code must not depend on their absence:
//!
//! - options: end a literal [`Config`] with `..Config::recommended(id)` or `..Config::new(id)`, and a new one does nothing
//!   until it is switched on;
//! - errors, and fields of what a node hands out ([`Ready`], [`StorageAppend`], [`Status`], [`Progress`]): these types are
//!   `#[non_exhaustive]`, or have private fields;
//! - what events say, and how anything prints.
//!
//! A new kind of message is a new major version. Hosts, codecs and simulators match [`Body`] kind by kind, and one that is
//! not handled has to be an error of the compiler and not a message that gets lost. What of the bytes stays readable is said
//! in `docs/formats.md` of the repository.

mod codec;
pub mod config;
mod describe;
pub mod error;
pub mod events;
pub mod guide;
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
mod snapshot;
mod status;
pub mod storage;
pub mod types;

pub use codec::DecodeError;
pub use config::{Config, ReadOnlyOption};
pub use error::{AdvanceError, BootstrapError, ConfigError, Malformed, ProposeError, ReadError, StepError};
pub use membership::{
    Change, ChangeError, ChangeKind, Changed, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Configuration,
    Transition,
};
pub use message::{Body, Message, Purpose};
pub use node::{Applied, ApplyError, HeldReady, Node, NodeError, Stopped};
pub use progress::{Inflights, Progress, ProgressState};
pub use quorum::{JointConfig, MajorityConfig, VoteResult};
pub use raw_node::{RawNode, SnapshotStatus};
pub use ready::{Ready, StorageAppend, StorageAppended, StorageApplied, StorageApply};
pub use snapshot::Snapshot;
pub use status::{BasicStatus, Status};
pub use storage::{MemStorage, MemStorageError, Storage, StorageError, StorageFailure};
pub use types::{Entry, EntryId, EntryKind, HardState, Index, NodeId, ReadState, Role, SoftState, Term};
