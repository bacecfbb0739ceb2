//! What the host of a node can do next.

use super::running::Running;

/// Which of the events that handle a node's Readys and storage work fit now. Everything is false for a node that is down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ToDo {
    /// [`Event::TakeReady`](crate::world::Event::TakeReady).
    pub ready: bool,
    /// [`Event::Write`](crate::world::Event::Write).
    pub write: bool,
    /// [`Event::Sync`](crate::world::Event::Sync).
    pub sync: bool,
    /// [`Event::SyncDone`](crate::world::Event::SyncDone).
    pub sync_done: bool,
    /// [`Event::Release`](crate::world::Event::Release).
    pub release: bool,
    /// [`Event::Send`](crate::world::Event::Send).
    pub send: bool,
    /// [`Event::Apply`](crate::world::Event::Apply).
    pub apply: bool,
    /// [`Event::Advance`](crate::world::Event::Advance).
    pub advance: bool,
}

impl ToDo {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Running {
    pub(super) fn to_do(&self) -> ToDo {
        let storage = ToDo {
            ready: self.node.has_ready(),
            write: self.log.has_compaction_to_write() || self.handling.has_records(),
            sync: self.log.needs_sync(),
            sync_done: self.log.is_syncing(),
            ..ToDo::default()
        };
        self.handling.add_to(storage)
    }
}
