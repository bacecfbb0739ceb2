//! The Raft consensus algorithm with the behaviour of etcd-io/raft.
//!
//! A node is a `RawNode`: a deterministic state machine without I/O, clock or thread. Its host feeds it messages,
//! proposals and ticks, and takes from it one `Ready` at a time: what to persist, what to send and what to apply.

mod codec;
pub mod config;
pub mod error;
mod log;
pub mod membership;
pub mod message;
#[cfg(feature = "planted-bugs")]
pub mod planted;
#[cfg(not(feature = "planted-bugs"))]
mod planted;
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
pub use progress::{InflightLimits, Inflights, Progress, ProgressState};
pub use quorum::{JointConfig, MajorityConfig, VoteResult};
pub use raw_node::{RawNode, SnapshotStatus};
pub use ready::{Ready, StorageAppend, StorageAppended, StorageApplied, StorageApply};
pub use status::{BasicStatus, Status};
pub use storage::{MemStorage, MemStorageError, Storage, StorageError};
pub use types::{Entry, EntryId, EntryKind, HardState, Index, NodeId, ReadState, Role, Snapshot, SoftState, Term};
