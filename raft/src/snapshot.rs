//! Snapshots, each of which stands for the beginning of a log that is no longer kept.

use bytes::Bytes;

use crate::membership::ConfState;
use crate::types::EntryId;

/// The application's state up to an entry, in the place of the log up to there.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// The last entry that it covers.
    pub id: EntryId,
    /// The membership in force after that entry, never a newer one.
    pub conf_state: ConfState,
    /// The application's bytes.
    pub data: Bytes,
}
