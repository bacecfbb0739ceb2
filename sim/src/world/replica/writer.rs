//! The log of a running node: the project's, or one that a user has brought.
//!
//! They differ in how an fsync goes. The project's begins, and completes with a later event; what is written meanwhile waits for the
//! next. To a user's log the fsync is one call, which comes with the second of the two events: until then a crash finds it
//! not begun, which leaves the disk as an fsync under way would.

use std::sync::Arc;

use raft::Index;

use crate::disk::{Disk, SyncId};
use crate::planted::{Bug, planted};
use crate::wal::{Checkpoint, DiskError, Mark, RecoveryError, Wal, Write};
use crate::world::log::{Log, LogContents};

#[derive(Clone, Debug)]
pub(super) enum Writer {
    Project(Wal),
    Brought(Brought),
}

/// A user's log, and what it leads to.
#[derive(Clone, Debug)]
pub(super) struct Brought {
    log: Box<dyn Log>,
    /// The commit index that the records lead to, and the one that no crash takes away.
    commit: Index,
    durable_commit: Index,
    checkpoint: Replacement,
}

/// How far a checkpoint is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Replacement {
    /// There is none.
    None,
    /// It is being written.
    Open,
    /// All of it is written.
    Written,
    /// All of it is durable, and what it replaces is there yet.
    Durable,
}

/// An fsync under way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sync {
    Project {
        id: SyncId,
        mark: Mark,
    },
    Brought {
        /// The commit index that it makes durable.
        commit: Index,
        /// Whether it makes a whole checkpoint durable.
        closes: bool,
    },
}

impl Writer {
    /// A new log, all of which is durable.
    pub(super) fn create(
        brought: Option<&Arc<dyn Log>>,
        disk: &mut Disk,
        checkpoint: Checkpoint<'_>,
    ) -> Result<Self, DiskError> {
        let Some(log) = brought else { return Wal::create(disk, checkpoint).map(Self::Project) };
        let mut log = log.clone_boxed();
        log.create(disk, checkpoint)?;
        let covered = checkpoint.snapshot.map_or(Index::ZERO, |snapshot| snapshot.id.index);
        Ok(Self::Brought(Brought::new(log, checkpoint.hard_state.commit.max(covered))))
    }

    /// The log that is on the disk, and what it holds.
    pub(super) fn open(brought: Option<&Arc<dyn Log>>, disk: &mut Disk) -> Result<(Self, LogContents), RecoveryError> {
        let Some(log) = brought else {
            let (wal, recovered) = Wal::open(disk)?;
            return Ok((Self::Project(wal), recovered.into()));
        };
        let mut log = log.clone_boxed();
        let contents = log.open(disk)?;
        Ok((Self::Brought(Brought::new(log, contents.hard_state.commit)), contents))
    }

    pub(super) fn write(&mut self, disk: &mut Disk, record: Write<'_>) -> Result<(), DiskError> {
        match self {
            Self::Project(wal) => wal.write(disk, record),
            Self::Brought(brought) => brought.write(disk, record),
        }
    }

    /// The commit index that the worst of crashes leaves.
    pub(super) fn durable_commit(&self) -> Index {
        match self {
            Self::Project(wal) => wal.durable_commit(),
            Self::Brought(brought) => brought.durable_commit,
        }
    }

    pub(super) fn begin_sync(&self, disk: &mut Disk) -> Result<Sync, DiskError> {
        Ok(match self {
            Self::Project(wal) => Sync::Project { id: disk.begin_sync(wal.segment())?, mark: wal.mark() },
            Self::Brought(brought) => {
                Sync::Brought { commit: brought.commit, closes: brought.checkpoint == Replacement::Written }
            }
        })
    }

    /// Completes the oldest fsync under way, which is this one.
    pub(super) fn complete_sync(&mut self, disk: &mut Disk, sync: Sync) -> Result<(), DiskError> {
        match (self, sync) {
            (Self::Project(wal), Sync::Project { id, mark }) => {
                let completed = match disk.complete_sync() {
                    Err(_) if planted(Bug::FsyncErrorIgnored) => Some(id),
                    completed => completed?,
                };
                assert_eq!(completed, Some(id), "the log and the disk disagree on the oldest fsync");
                wal.synced(mark);
                Ok(())
            }
            (Self::Brought(brought), Sync::Brought { commit, closes }) => {
                // What it covers became durable when the checkpoint began.
                if brought.checkpoint != Replacement::Open {
                    brought.log.sync(disk)?;
                }
                brought.durable_commit = brought.durable_commit.max(commit);
                if closes && brought.checkpoint == Replacement::Written {
                    brought.checkpoint = Replacement::Durable;
                }
                Ok(())
            }
            (Self::Project(_) | Self::Brought(_), _) => unreachable!("a log completes only what it began"),
        }
    }

    /// Whether something is there yet that a checkpoint replaces.
    pub(super) fn has_older(&self) -> bool {
        match self {
            Self::Project(wal) => !wal.older().is_empty(),
            Self::Brought(brought) => brought.checkpoint != Replacement::None,
        }
    }

    /// Removes what a checkpoint replaces, if that is durable.
    pub(super) fn remove_older(&mut self, disk: &mut Disk) -> Result<(), DiskError> {
        match self {
            Self::Project(wal) => while wal.remove_older(disk)?.is_some() {},
            Self::Brought(brought) if brought.checkpoint == Replacement::Durable => {
                brought.log.replaced(disk)?;
                brought.checkpoint = Replacement::None;
            }
            Self::Brought(_) => {}
        }
        Ok(())
    }
}

impl Brought {
    fn new(log: Box<dyn Log>, commit: Index) -> Self {
        Self { log, commit, durable_commit: commit, checkpoint: Replacement::None }
    }

    fn write(&mut self, disk: &mut Disk, record: Write<'_>) -> Result<(), DiskError> {
        // An fsync under way would come upon half a checkpoint.
        if record == Write::Segment {
            self.log.sync(disk)?;
        }
        self.log.write(disk, record)?;
        match record {
            Write::Segment => self.checkpoint = Replacement::Open,
            Write::Entry(_) => {}
            Write::Snapshot { snapshot, .. } => self.commit = self.commit.max(snapshot.id.index),
            Write::HardState(hard_state) => {
                self.commit = self.commit.max(hard_state.commit);
                if self.checkpoint == Replacement::Open {
                    self.checkpoint = Replacement::Written;
                }
            }
        }
        Ok(())
    }
}
