//! How what a node reads of its storage changes.

use raft::{Entry, HardState, Index, MemStorage, MemStorageError, Snapshot};

use crate::wal::Write;

/// A change of what a node reads of its storage: memory that shows what is written and not what is durable.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    /// A snapshot from a leader replaced the log.
    Restored(&'a Snapshot),
    /// An entry follows, in the place of all from its index on.
    Entry(&'a Entry),
    /// Term, vote and commit.
    HardState(HardState),
    /// The application made a snapshot.
    Taken(&'a Snapshot),
    /// The snapshot to hand out is one that the application keeps elsewhere.
    Offered(&'a Snapshot),
    /// Entries up to this one are forgotten.
    Compacted(Index),
}

impl<'a> Stored<'a> {
    /// What a record of the log changes, if anything.
    pub(in crate::world) const fn by(record: Write<'a>) -> Option<Self> {
        match record {
            Write::Segment => None,
            Write::Snapshot { snapshot, .. } => Some(Self::Restored(snapshot)),
            Write::Entry(entry) => Some(Self::Entry(entry)),
            Write::HardState(hard_state) => Some(Self::HardState(hard_state)),
        }
    }

    /// Makes the change in a storage in memory.
    ///
    /// # Errors
    /// As the storage says. It is as it was then.
    pub fn apply_to(self, storage: &mut MemStorage) -> Result<(), MemStorageError> {
        match self {
            Self::Restored(snapshot) => storage.apply_snapshot(snapshot.clone()),
            Self::Entry(entry) => storage.append(std::slice::from_ref(entry)),
            Self::HardState(hard_state) => {
                storage.set_hard_state(hard_state);
                Ok(())
            }
            Self::Taken(snapshot) => {
                let Snapshot { id, conf_state, data } = snapshot.clone();
                storage.create_snapshot(id.index, conf_state, data).map(drop)
            }
            Self::Offered(snapshot) => {
                storage.set_snapshot(snapshot.clone());
                Ok(())
            }
            Self::Compacted(through) => storage.compact(through),
        }
    }
}
