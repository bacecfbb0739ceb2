//! The few file operations that the log needs, so that the same code runs on real files and on the modelled disk.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// The name of a file of the log: the number of its segment. The first is 1; later ones are newer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Segment(pub u64);

impl Segment {
    /// The first segment of every log.
    pub const FIRST: Self = Self(1);

    /// The segment that the next compaction begins.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Written as the crate `raft` writes its numbers.
#[cfg(feature = "serde")]
impl serde::Serialize for Segment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raft::Index(self.0).serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Segment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        raft::Index::deserialize(deserializer).map(|raft::Index(number)| Self(number))
    }
}

/// Why a file operation failed. After any of these the log must not be written further: what is on the disk is known
/// again only after a recovery.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// No space is left.
    #[error("the disk is full")]
    Full,
    /// The disk failed: in this fsync or write, or in an earlier one.
    #[error("the disk failed: {0}")]
    Failed(io::ErrorKind),
    /// There is no such file.
    #[error("no segment {0}")]
    NoSuchFile(Segment),
    /// A file of this name exists already.
    #[error("segment {0} exists already")]
    Exists(Segment),
    /// One record would be larger than 4 GiB.
    #[error("a record of {0} bytes is too large")]
    TooLarge(u64),
}

/// The files of one log.
///
/// Appended bytes are durable once a [`sync`](Self::sync) that began after them has succeeded. The creation, removal and
/// truncation of files are durable when the call returns, in the order of the calls.
///
/// [`RealFiles`](crate::RealFiles) is the implementation for a node in production. Another one puts the log elsewhere, or
/// under test.
pub trait Files {
    /// The files there are, in ascending order.
    ///
    /// # Errors
    /// The disk failed.
    fn list(&self) -> Result<Vec<Segment>, DiskError>;

    /// All bytes of a file, synced or not.
    ///
    /// # Errors
    /// There is no such file, or the disk failed.
    fn read(&self, file: Segment) -> Result<Cow<'_, [u8]>, DiskError>;

    /// Creates an empty file.
    ///
    /// # Errors
    /// It exists already, or the disk is full or failed.
    fn create(&mut self, file: Segment) -> Result<(), DiskError>;

    /// Adds bytes at the end of a file. After an error any part of them may have been written.
    ///
    /// # Errors
    /// There is no such file, or the disk is full or failed.
    fn append(&mut self, file: Segment, bytes: &[u8]) -> Result<(), DiskError>;

    /// Makes all that was appended to a file durable. After an error it must not be tried again: what was not durable
    /// then may be lost although a later attempt succeeds, as the kernel marks failed pages as clean.
    ///
    /// # Errors
    /// There is no such file, or the disk failed.
    fn sync(&mut self, file: Segment) -> Result<(), DiskError>;

    /// Writes the bytes from this offset on once more, as they read now, so that the next [`sync`](Self::sync) covers them. After a
    /// failed sync they can be read and are on no disk: the kernel took them for written, and a later sync alone would succeed
    /// without them. They must not be lost in between, so they are written in their place.
    ///
    /// # Errors
    /// There is no such file, or the disk failed.
    fn rewrite(&mut self, file: Segment, from: u64) -> Result<(), DiskError>;

    /// Cuts a file to its first `length` bytes; one that is shorter stays as it is.
    ///
    /// # Errors
    /// There is no such file, or the disk failed.
    fn truncate(&mut self, file: Segment, length: u64) -> Result<(), DiskError>;

    /// Removes a file.
    ///
    /// # Errors
    /// There is no such file, or the disk failed.
    fn remove(&mut self, file: Segment) -> Result<(), DiskError>;
}

/// Whoever holds files for a while can hand them on.
impl<F: Files + ?Sized> Files for &mut F {
    fn list(&self) -> Result<Vec<Segment>, DiskError> {
        (**self).list()
    }

    fn read(&self, file: Segment) -> Result<Cow<'_, [u8]>, DiskError> {
        (**self).read(file)
    }

    fn create(&mut self, file: Segment) -> Result<(), DiskError> {
        (**self).create(file)
    }

    fn append(&mut self, file: Segment, bytes: &[u8]) -> Result<(), DiskError> {
        (**self).append(file, bytes)
    }

    fn sync(&mut self, file: Segment) -> Result<(), DiskError> {
        (**self).sync(file)
    }

    fn rewrite(&mut self, file: Segment, from: u64) -> Result<(), DiskError> {
        (**self).rewrite(file, from)
    }

    fn truncate(&mut self, file: Segment, length: u64) -> Result<(), DiskError> {
        (**self).truncate(file, length)
    }

    fn remove(&mut self, file: Segment) -> Result<(), DiskError> {
        (**self).remove(file)
    }
}
