//! What is told of a storage that broke a promise.

use std::fmt;

/// What a node, or the host that restarts it, relies on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Promise {
    /// The first index is the one behind what was compacted.
    FirstIndex,
    /// The last index is that of the newest entry, or of what the log begins behind.
    LastIndex,
    /// Each stored entry has its term, and so does the one before the first; outside the storage says on which side.
    Term,
    /// A range gives the entries that were written last; outside the storage says on which side.
    Entries,
    /// A range is cut at the size that was asked for, but one entry is always there.
    MaxSize,
    /// The newest snapshot is handed out, whole.
    Snapshot,
    /// The hard state is the one that was written last.
    HardState,
    /// The membership to start with is that of the newest snapshot.
    Membership,
    /// What a host may ask for is done.
    Accepts,
    /// What nobody may ask for changes nothing.
    Refuses,
    /// What was written is there after the storage was closed and opened again.
    Reopens,
    /// After a crash the storage opens.
    Recovers,
    /// After a crash everything is there that was synced, and of what came later only a first part.
    Durable,
}

impl Promise {
    /// The promise as a sentence.
    ///
    /// ```
    /// use raft_storage_suite::Promise;
    /// assert_eq!(Promise::HardState.meaning(), "the hard state is the one that was written last");
    /// ```
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::FirstIndex => "the first index is the one behind what was compacted",
            Self::LastIndex => "the last index is that of the newest entry, or of what the log begins behind",
            Self::Term => "each entry has its term, and so does the one before the first",
            Self::Entries => "a range gives the entries that were written last",
            Self::MaxSize => "a range is cut at the size that was asked for, but one entry is always there",
            Self::Snapshot => "the newest snapshot is handed out, whole",
            Self::HardState => "the hard state is the one that was written last",
            Self::Membership => "the membership to start with is that of the newest snapshot",
            Self::Accepts => "what a host may ask for is done",
            Self::Refuses => "what nobody may ask for changes nothing",
            Self::Reopens => "what was written is there after a reopening",
            Self::Recovers => "after a crash the storage opens",
            Self::Durable => "after a crash all that was synced is there, and of what came later only a first part",
        }
    }
}

/// A read that is not as it has to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    pub(crate) promise: Promise,
    pub(crate) read: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Broken {
    /// The same, where it shows that a larger promise is broken.
    pub(crate) fn breaks(self, promise: Promise) -> Self {
        Self { promise, ..self }
    }
}

/// A broken promise, and how it came to that. It prints itself, whether displayed or debugged, so that `unwrap` in a test tells
/// all there is.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// Which promise.
    pub promise: Promise,
    /// The read that showed it, or the call that failed.
    pub read: String,
    /// What it should have been.
    pub expected: String,
    /// What it was.
    pub found: String,
    /// The operations that led there, the last one last.
    pub operations: Vec<String>,
}

impl Failure {
    pub(crate) fn new(broken: Broken, operations: Vec<String>) -> Self {
        let Broken { promise, read, expected, found } = broken;
        Self { promise, read, expected, found, operations }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the storage breaks a promise: {}", self.promise.meaning())?;
        writeln!(f, "  {}", self.read)?;
        writeln!(f, "  expected: {}", self.expected)?;
        writeln!(f, "  found:    {}", self.found)?;
        write!(f, "after these operations on a new one:")?;
        self.operations.iter().try_for_each(|operation| write!(f, "\n  {operation}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
