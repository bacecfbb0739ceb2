//! What a node wants done: one [`Ready`] at a time, and the storage work that stands in for it where storage writes are
//! asynchronous.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::message::Message;
use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryId, HardState, NodeId, ReadState, SoftState, Term};

/// Work for the host, taken with [`RawNode::ready`](crate::RawNode::ready).
///
/// # Synchronous storage writes
/// One Ready is outstanding at a time. The host, in this order:
/// 1. writes `snapshot`, `entries` and `hard_state`, in this order, to its storage, and where `must_sync` is set makes
///    them durable. A hard state that became durable without the entries of the same Ready could call an old,
///    conflicting entry committed;
/// 2. sends `messages`. None may leave before step 1 is durable: an acknowledgement or a vote promises that it is;
/// 3. restores `snapshot` and applies `committed_entries` in order, and calls
///    [`RawNode::apply_conf_change`](crate::RawNode::apply_conf_change) for those that change the membership;
/// 4. answers the reads in `read_states` whose index is applied;
/// 5. hands the Ready back with [`RawNode::advance`](crate::RawNode::advance). One that is dropped instead leaves the node
///    mute; [`RawNode::process_ready`](crate::RawNode::process_ready) lets that happen to nobody.
///
/// [`MemStorage::write`](crate::MemStorage::write) does step 1 for a storage in memory. Steps 2 and 3 may be done in either order, and a written snapshot is restored as one unit with what it replaces.
///
/// # Asynchronous storage writes
/// `messages` may be sent at once: a candidate asks for votes while its own term is being written, but does not lead
/// before that is durable ([`Config::lead_before_own_vote`](crate::Config::lead_before_own_vote)). `storage_append` goes to the append thread's queue and `storage_apply` to the apply
/// thread's; both queues are worked off in order. There is no `advance`; further Readys may be taken meanwhile. The
/// other fields tell what the two contain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// Who handed it out.
    pub(crate) origin: Origin,
    /// Counts the Readys of a node, so that only the outstanding one can be advanced.
    pub(crate) number: u64,
    /// Leader and role, where either changed. Never needs to be stored.
    pub soft_state: Option<SoftState>,
    /// Term, vote and commit, where any changed. To be written before messages are sent.
    pub hard_state: Option<HardState>,
    /// Reads that may be answered once their index is applied.
    pub read_states: Vec<ReadState>,
    /// Entries to write to storage. They replace whatever the storage holds from the first one's index on.
    pub entries: Vec<Entry>,
    /// A snapshot to write to storage and to restore the application from; it replaces the whole log.
    pub snapshot: Option<Snapshot>,
    /// Entries to apply; all are committed, and with synchronous writes each is in storage once `entries` is written.
    pub committed_entries: Vec<Entry>,
    /// Messages to send. They may be lost, delayed, duplicated and reordered.
    pub messages: Vec<Message>,
    /// Whether `hard_state` and `entries` must be durable, and not merely written, before the host goes on: set where
    /// the term, the vote or the log changed, not where only the commit index did.
    pub must_sync: bool,
    /// With asynchronous storage writes: the next work for the append thread.
    pub storage_append: Option<Box<StorageAppend>>,
    /// With asynchronous storage writes: the next work for the apply thread.
    pub storage_apply: Option<StorageApply>,
}

/// Equal where two Readys say the same: neither who handed one out nor its number counts.
impl Hash for Ready {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { origin: _, number: _, soft_state, hard_state, read_states, entries, snapshot, .. } = self;
        (soft_state, hard_state, read_states, entries, snapshot).hash(state);
        let Self { committed_entries, messages, must_sync, storage_append, storage_apply, .. } = self;
        (committed_entries, messages, must_sync, storage_append, storage_apply).hash(state);
    }
}

/// A start of a node, which knows its own Readys by it. Copies of a node, as a simulation makes them, are one start.
///
/// It is an address that nobody else has while anything holds it: unique without a source of unique numbers. Two Readys
/// are equal when they say the same, whoever handed them out, so that runs can be compared.
#[derive(Clone, Default)]
pub(crate) struct Origin(Option<Arc<NodeId>>);

impl Origin {
    /// A new start of this node.
    pub(crate) fn new(node: NodeId) -> Self {
        Self(Some(Arc::new(node)))
    }

    /// Which node it is, where that is known.
    pub(crate) fn node(&self) -> Option<NodeId> {
        self.0.as_deref().copied()
    }

    /// Whether both are known, and not the same start.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Some(one), Some(other)) if !Arc::ptr_eq(one, other))
    }
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin")
    }
}

/// Work for the append thread (etcd's `MsgStorageAppend`): write `snapshot`, `entries` and `hard_state`, make them
/// durable where `must_sync` is set, then deliver `responses` in order, even where there is nothing to write.
#[derive(Clone, Hash, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StorageAppend {
    /// Term, vote and commit to write.
    pub hard_state: Option<HardState>,
    /// Entries to write; they replace whatever the storage holds from the first one's index on.
    pub entries: Vec<Entry>,
    /// A snapshot to write; it replaces the whole log.
    pub snapshot: Option<Snapshot>,
    /// Whether the writes, and all earlier ones, must be durable before the responses are delivered.
    pub must_sync: bool,
    /// Messages that promise that the writes are durable: to peers, and to the node itself.
    pub responses: Vec<Message>,
    /// To be given to [`RawNode::storage_appended`](crate::RawNode::storage_appended) after `responses`.
    pub appended: Option<StorageAppended>,
}

/// Tells a node that a [`StorageAppend`] is durable (etcd's `MsgStorageAppendResp`).
#[derive(Clone, Hash, Debug, PartialEq, Eq)]
pub struct StorageAppended {
    /// The node's term when it asked. A response from an earlier term says nothing about entries, since they may have
    /// been overwritten by writes that are still under way.
    pub term: Term,
    /// The last entry of the log when it asked, where any was not yet stable.
    pub last: Option<EntryId>,
    /// The snapshot that was written.
    pub snapshot: Option<Snapshot>,
}

/// Work for the apply thread (etcd's `MsgStorageApply`): apply the entries, then give `applied` back.
#[derive(Clone, Hash, Debug, Default, PartialEq, Eq)]
pub struct StorageApply {
    /// The committed entries to apply.
    pub entries: Vec<Entry>,
}

impl StorageApply {
    /// What to give to [`RawNode::storage_applied`](crate::RawNode::storage_applied) once the entries are applied.
    #[must_use]
    pub fn into_applied(self) -> StorageApplied {
        StorageApplied { entries: self.entries }
    }
}

/// Tells a node that a [`StorageApply`] is done (etcd's `MsgStorageApplyResp`).
#[derive(Clone, Hash, Debug, PartialEq, Eq)]
pub struct StorageApplied {
    /// What was applied.
    pub entries: Vec<Entry>,
}
