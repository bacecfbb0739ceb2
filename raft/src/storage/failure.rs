//! Why a storage could not be read: the error of whatever lies below it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a storage could not be read: an error of a file, a device or a database. Clones are equal to each other, and no
/// other two failures are equal.
#[derive(Clone, Debug)]
pub struct StorageFailure(Arc<dyn Error + Send + Sync>);

impl StorageFailure {
    /// A failure with this cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(cause.into()))
    }

    /// The cause, for callers that know its type.
    ///
    /// ```
    /// use raft::storage::StorageFailure;
    /// let failure = StorageFailure::new(std::io::Error::other("the device is gone"));
    /// assert!(failure.cause().is::<std::io::Error>());
    /// ```
    pub fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl PartialEq for StorageFailure {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for StorageFailure {}

impl fmt::Display for StorageFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for StorageFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
