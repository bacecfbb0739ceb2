//! What the host of a node can do next.

use raft::NodeId;

use crate::world::Event;

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
    /// [`Event::Take`](crate::world::Event::Take), for a node that a loop runs.
    pub take: bool,
}

/// What a host is in the middle of. Everything is false for a node that is down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::world) struct AtWork {
    /// Some records of a Ready or an append are written, and some are not.
    pub(in crate::world) between_writes: bool,
    /// They are those of a received snapshot, and of what comes with it.
    pub(in crate::world) installing: bool,
    /// Its log is being compacted.
    pub(in crate::world) compacting: bool,
}

impl ToDo {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the host of this node does next if it finishes what it has begun before it takes another Ready, and applies
    /// at most `entries` entries at a time. Somebody else has to choose when a loop takes its next input.
    pub fn next_event(&self, node: NodeId, entries: u32) -> Option<Event> {
        let stages = [
            (self.write, Event::Write { node }),
            (self.sync, Event::Sync { node }),
            (self.sync_done, Event::SyncDone { node }),
            (self.release, Event::Release { node }),
            (self.send, Event::Send { node }),
            (self.apply, Event::Apply { node, entries }),
            (self.advance, Event::Advance { node }),
            (self.ready, Event::TakeReady { node }),
        ];
        stages.into_iter().find_map(|(fits, event)| fits.then_some(event))
    }
}
