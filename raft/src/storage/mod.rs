//! Where a node reads its stable log from: the [`Storage`] trait, and [`MemStorage`], which keeps it in memory.

mod failure;
mod memory;

use crate::membership::ConfState;
use crate::snapshot::Snapshot;
use crate::types::{Entry, HardState, Index, Term};
pub use failure::StorageFailure;
pub use memory::{MemStorage, MemStorageError};

/// Why a [`Storage`] has no answer. All but the last are answers about the log, and no failures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The index lies before the first entry; a snapshot stands in its place.
    #[error("requested index is unavailable due to compaction")]
    Compacted,
    /// The index lies beyond the last entry.
    #[error("requested entry at index is unavailable")]
    Unavailable,
    /// There is no snapshot to hand out yet; the node asks again later.
    #[error("snapshot is temporarily unavailable")]
    SnapshotTemporarilyUnavailable,
    /// The storage could not be read. The node [takes part no more](Storage#failure).
    #[error("the storage failed: {0}")]
    Failed(#[source] StorageFailure),
}

impl StorageError {
    /// The storage could not be read, because of an error of whatever lies below it.
    ///
    /// ```
    /// use raft::StorageError;
    /// let broken = StorageError::failed(std::io::Error::other("the device is gone"));
    /// assert_eq!(broken.to_string(), "the storage failed: the device is gone");
    /// ```
    pub fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(StorageFailure::new(cause))
    }
}

/// The stable log as the node reads it. The host writes it: what a Ready says, before the Ready is advanced.
///
/// # Compaction
/// The host decides when the log is compacted, but not how far: no further than what the node was told is applied,
/// which [`RawNode::basic_status`](crate::RawNode::basic_status) shows as `applied`, and no further than a durable
/// snapshot covers. An application may be ahead of its node: until a Ready is advanced, or, with asynchronous storage
/// writes, until [`RawNode::storage_applied`](crate::RawNode::storage_applied) is called. In between, the node still
/// reads its log from `applied` on: before it campaigns it looks there for committed membership changes, by which it
/// would have to count votes (etcd issue 7625). Where the entries are gone it has to assume that there was one, and
/// does not campaign.
///
/// # Failure
/// A read that fails says so with [`StorageError::Failed`], never with a guess and not by a panic. What the node was about
/// to do is not completed then, and nothing of it leaves the node: it hands out no Ready and sends nothing any more, and
/// every call that can tell so returns an error. [`RawNode::failure`](crate::RawNode::failure) has the cause. A
/// [`Node`](crate::Node) stops by itself, and [`Node::failure`](crate::Node::failure) says why. What left it before stays true: it
/// rests on what was durable by then. To the others the node is like one that crashed. Its host ends it, repairs or
/// replaces the storage, and starts it again; it must not start over with an empty one under the same identity. etcd's node
/// panics instead.
///
/// The node asks all the time how far the log reaches, so a storage has to know that without reading anything.
///
/// A *write* that fails does not concern the node. The host then does not advance the Ready, so the node goes on
/// waiting and promises nothing that rests on the write.
pub trait Storage {
    /// The hard state and the membership that a starting node begins with.
    ///
    /// The membership has to be the one after the last entry that is applied ([`Config::applied`](crate::Config::applied)),
    /// or a newer one that was stored with it. Changes up to there are not handed out again: a node that began with an
    /// older membership would go on with it, and might lead without a quorum of the newest. It is therefore refused, as
    /// far as the log shows it; what is compacted shows nothing. So a host that keeps its application's state beside the
    /// log stores the membership that [`RawNode::apply_conf_change`](crate::RawNode::apply_conf_change) returns with that
    /// state, and returns it here.
    ///
    /// # Errors
    /// [`StorageError::Failed`]: the node does not start.
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError>;

    /// The entry up to which the membership of [`initial_state`](Self::initial_state) contains all changes; `None` if
    /// that is not known. A node that starts looks for missing changes only after this entry. Without it, the node
    /// looks at the whole log, and tells by the members whether a change is contained.
    fn conf_state_index(&self) -> Option<Index> {
        None
    }

    /// The entries in `[low, high)`, cut so that their encoded size stays within `max_size` bytes, but never fewer
    /// than one.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] or [`StorageError::Unavailable`] where an end of the range is not stored, or
    /// [`StorageError::Failed`].
    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError>;

    /// The same, added to a list whose memory is used again and again, which is what the node asks for. A storage in memory has
    /// a reason to implement it. Where it fails the list is as it was.
    ///
    /// # Errors
    /// As [`entries`](Self::entries).
    fn read_entries(&self, low: Index, high: Index, max_size: u64, into: &mut Vec<Entry>) -> Result<(), StorageError> {
        into.append(&mut self.entries(low, high, max_size)?);
        Ok(())
    }

    /// The term of the entry at `index`, which may be the one before the first entry.
    ///
    /// # Errors
    /// [`StorageError::Compacted`] or [`StorageError::Unavailable`] where it is not stored, or [`StorageError::Failed`].
    fn term(&self, index: Index) -> Result<Term, StorageError>;

    /// The first index that [`entries`](Self::entries) can return; one beyond the last where the log is empty.
    fn first_index(&self) -> Index;

    /// The last index of the log.
    fn last_index(&self) -> Index;

    /// The newest snapshot. It has to reach at least to where the log was compacted: a follower that is further behind can
    /// catch up by nothing else, and shows by [`Progress::lacks_snapshot`](crate::Progress::lacks_snapshot) that it waits.
    ///
    /// # Errors
    /// [`StorageError::SnapshotTemporarilyUnavailable`] where it is still being made, or [`StorageError::Failed`].
    fn snapshot(&self) -> Result<Snapshot, StorageError>;
}

/// How many of `entries`, from the first on, fit into `max_size` encoded bytes; one always does. This is the cut that
/// [`Storage::entries`] makes.
///
/// ```
/// use raft::{Entry, storage::prefix_within};
/// let entries = [Entry::default(), Entry::default(), Entry::default()];
/// let size = entries[0].encoded_size();
/// assert_eq!(prefix_within(&entries, 2 * size), 2);
/// assert_eq!(prefix_within(&entries, 0), 1);
/// assert_eq!(prefix_within(&[], 0), 0);
/// ```
pub fn prefix_within<'a>(entries: impl IntoIterator<Item = &'a Entry>, max_size: u64) -> usize {
    let mut size = 0u64;
    let fits = |(position, entry): &(usize, &Entry)| {
        size = size.saturating_add(entry.encoded_size());
        *position == 0 || size <= max_size
    };
    entries.into_iter().enumerate().take_while(fits).count()
}
