//! The seam for a user's own log: what a node writes to its disk, and reads back after a crash.

use std::fmt::Debug;

use raft::{Entry, EntryId, HardState, Snapshot};

use crate::wal::{Checkpoint, DiskError, Files, Recovered, RecoveryError, Wal, Write};

/// A durable log of a user's own. Brought into a world by [`Setup::log`](super::Setup::log), it takes the place of the
/// project's on every node, and runs on the simulated disk: writes are torn, fsyncs fail and are lost, the disk fills up, bits flip,
/// and a crash comes between any two calls.
///
/// What it gives back after a crash is held against what was promised: a record is durable once a [`sync`](Self::sync) that
/// began after it was written has returned, and from then on a node relies on it. What is lost all the same breaks
/// [`DurableBeforeSend`](crate::invariant::Invariant::DurableBeforeSend). Recovery may give back more than what was promised, but
/// nothing that was never written.
///
/// Each method is called on a copy of the log as it was brought, once it has been [created](Self::create) or
/// [opened](Self::open). After an error the node stops, and its disk is read anew.
pub trait Log: CloneLog + Debug + Send + Sync {
    /// Begins a new log on an empty disk. All of it is durable on return.
    ///
    /// # Errors
    /// The disk is full or failed.
    fn create(&mut self, files: &mut dyn Files, checkpoint: Checkpoint<'_>) -> Result<(), DiskError>;

    /// Reads the log back, and goes on with it. All that it gives back is durable on return.
    ///
    /// # Errors
    /// There is no log, it cannot be trusted, or the disk failed. The node stays down. Where nobody damaged the disk, that is a
    /// violation: a crash alone makes no log unreadable.
    fn open(&mut self, files: &mut dyn Files) -> Result<LogContents, RecoveryError>;

    /// Writes one record. From [`Write::Segment`] to the next [`Write::HardState`], the records are a checkpoint that takes the
    /// place of the whole log, once it is durable and not before.
    ///
    /// # Errors
    /// The disk is full or failed.
    fn write(&mut self, files: &mut dyn Files, write: Write<'_>) -> Result<(), DiskError>;

    /// Makes all that was written durable. It is called before a checkpoint begins, and not again until the checkpoint is whole.
    ///
    /// # Errors
    /// The disk failed.
    fn sync(&mut self, files: &mut dyn Files) -> Result<(), DiskError>;

    /// A whole checkpoint is durable: what it has replaced can go.
    ///
    /// # Errors
    /// The disk failed.
    fn replaced(&mut self, files: &mut dyn Files) -> Result<(), DiskError>;
}

/// What makes a [`Log`] cloneable behind a pointer. Everything that is [`Clone`] has it.
pub trait CloneLog {
    /// The same once more.
    fn clone_boxed(&self) -> Box<dyn Log>;
}

impl<L: Log + Clone + 'static> CloneLog for L {
    fn clone_boxed(&self) -> Box<dyn Log> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Log> {
    fn clone(&self) -> Self {
        (**self).clone_boxed()
    }
}

/// What a log gives back after a crash.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LogContents {
    /// Term, vote and commit. The term is not behind that of the last entry, and the commit index not behind the snapshot.
    pub hard_state: HardState,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// The entry before the first of `entries`: that of the snapshot, or an earlier one.
    pub base: EntryId,
    /// The log after `base`, without gaps.
    pub entries: Vec<Entry>,
    /// How many bytes a crash left torn, and were cut.
    pub cut: u64,
}

impl From<Recovered> for LogContents {
    fn from(Recovered { hard_state, snapshot, base, entries, cut, .. }: Recovered) -> Self {
        Self { hard_state, snapshot, base, entries, cut }
    }
}

/// The project's own log. A world has it anyway, and then writes on while an fsync is under way; brought, it shows what a log
/// does on this seam.
///
/// ```
/// use sim::driver::swarm::run_in;
/// use sim::plan::{Overrides, Plan};
/// use sim::world::{ProjectLog, Setup, World};
///
/// let world = World::with(Setup::new().log(ProjectLog::default()));
/// let plan = Plan::draw(1, &Overrides { steps: Some(1_000), ..Overrides::default() });
/// assert_eq!(run_in(&world, &plan, |_| {}).violation, None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ProjectLog(Option<Wal>);

impl ProjectLog {
    fn wal(&mut self) -> &mut Wal {
        self.0.as_mut().expect("a log is created or opened before it is used")
    }
}

impl Log for ProjectLog {
    fn create(&mut self, mut files: &mut dyn Files, checkpoint: Checkpoint<'_>) -> Result<(), DiskError> {
        self.0 = Some(Wal::create(&mut files, checkpoint)?);
        Ok(())
    }

    fn open(&mut self, mut files: &mut dyn Files) -> Result<LogContents, RecoveryError> {
        let (wal, recovered) = Wal::open(&mut files)?;
        self.0 = Some(wal);
        Ok(recovered.into())
    }

    fn write(&mut self, mut files: &mut dyn Files, write: Write<'_>) -> Result<(), DiskError> {
        self.wal().write(&mut files, write)
    }

    fn sync(&mut self, mut files: &mut dyn Files) -> Result<(), DiskError> {
        self.wal().sync(&mut files)
    }

    fn replaced(&mut self, mut files: &mut dyn Files) -> Result<(), DiskError> {
        while self.wal().remove_older(&mut files)?.is_some() {}
        Ok(())
    }
}
