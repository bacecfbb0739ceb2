//! Ways to be wrong, for a harness that has to find each of them, and one way to make killed processes worth something.

use std::time::Duration;

/// What a node does otherwise than it should. By default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Testing {
    /// Bytes reach the kernel with the fsync that makes them durable, and not before. So killing the process loses what was not
    /// synced, as a power failure does; otherwise the page cache survives it. This is no mistake.
    pub volatile: bool,
    /// The log is never synced.
    pub no_fsync: bool,
    /// The log is synced that often at most: what is acknowledged in between is on no disk.
    pub late_fsync: Option<Duration>,
}
