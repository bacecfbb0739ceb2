//! The properties that must hold whatever happens, checked while it happens.
//!
//! [`Checkers`] is the only door: the world tells it what each node did, in the order in which it happened, and gets the
//! first [`Violation`] back. It never looks into a node; it keeps a picture of its own of what each node said, promised
//! and made durable, and finds the contradictions. It draws nothing, counts nothing that is printed, and changes
//! nothing, so that a run with checks has the digest of the run without.

mod input;
mod violation;

pub use input::{Limits, ProgressView, Recovered, View};
pub use violation::{Check, Invariant, Violation};

use bytes::Bytes;
use raft::{ConfState, Entry, EntryId, HardState, Index, Message, NodeId, ReadState, Snapshot};

/// Every check, behind one door.
///
/// For one node the calls come in this order:
///
/// | when | call |
/// |---|---|
/// | it starts (read its disk, made the `RawNode`, bootstrapped it) | [`started`](Self::started) |
/// | after every call on the node: tick, step, propose, advance, apply_conf_change, storage response … | [`observed`](Self::observed) |
/// | a Ready was taken | [`handed_out`](Self::handed_out), with its snapshot and entries, then `observed` |
/// | what a Ready wrote is durable: no crash can lose it any more | [`persisted`](Self::persisted), in the order of the writes |
/// | a message leaves, also one to the node itself | [`sent`](Self::sent) |
/// | a committed entry was applied | [`applied`](Self::applied), and [`executed`](Self::executed) if it held a client's command |
/// | … and changed the membership | [`configuration_applied`](Self::configuration_applied) before the `observed` after `apply_conf_change` |
/// | a page of entries was applied | [`state`](Self::state) |
/// | the application was restored from a received snapshot | [`snapshot_restored`](Self::snapshot_restored), before the node is told |
/// | the application took a snapshot | [`snapshot_taken`](Self::snapshot_taken); when durable [`snapshot_persisted`](Self::snapshot_persisted) |
/// | its log was compacted | [`compacted`](Self::compacted) |
/// | it crashed | [`crashed`](Self::crashed) |
#[derive(Clone, Debug, Default)]
pub struct Checkers {}

impl Checkers {
    /// Checkers that know of no node yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A node started, from what its disk kept.
    ///
    /// # Errors
    /// The property that this breaks; so for every call.
    pub fn started(&mut self, _node: NodeId, _limits: Limits, _recovered: &Recovered<'_>, _view: &View) -> Check {
        Ok(())
    }

    /// A node lost its memory. Its disk is heard of again with the next [`started`](Self::started), if ever.
    pub fn crashed(&mut self, _node: NodeId) {}

    /// How a node shows itself, after any call on it. Costs next to nothing where nothing changed.
    pub fn observed(&mut self, _node: NodeId, _view: &View) -> Check {
        Ok(())
    }

    /// A Ready was taken; these are its snapshot and entries, empty or not.
    pub fn handed_out(
        &mut self,
        _node: NodeId,
        _snapshot: Option<&Snapshot>,
        _entries: &[Entry],
        _view: &View,
    ) -> Check {
        Ok(())
    }

    /// What a Ready said is durable now. Also to be called for a commit index that was never synced: with `None`.
    pub fn persisted(
        &mut self,
        _node: NodeId,
        _hard_state: Option<HardState>,
        _snapshot: Option<&Snapshot>,
        _entries: &[Entry],
    ) -> Check {
        Ok(())
    }

    /// A message leaves its sender.
    pub fn sent(&mut self, _message: &Message) -> Check {
        Ok(())
    }

    /// A node's application applied an entry.
    pub fn applied(&mut self, _node: NodeId, _entry: &Entry) -> Check {
        Ok(())
    }

    /// A command that `client` numbered took effect (and was not filtered out as a duplicate) at `index`.
    pub fn executed(&mut self, _node: NodeId, _index: Index, _client: u64, _sequence: u64) -> Check {
        Ok(())
    }

    /// The entry at `index` changed the membership to `configuration`, as `apply_conf_change` returned it.
    pub fn configuration_applied(&mut self, _node: NodeId, _index: Index, _configuration: &ConfState) -> Check {
        Ok(())
    }

    /// The hash of the application's state after `index`, the same on all nodes.
    pub fn state(&mut self, _node: NodeId, _index: Index, _hash: u64) -> Check {
        Ok(())
    }

    /// The application's state was replaced by that of a received snapshot.
    pub fn snapshot_restored(&mut self, _node: NodeId, _snapshot: &Snapshot) -> Check {
        Ok(())
    }

    /// The application took a snapshot of itself, not yet durable.
    pub fn snapshot_taken(&mut self, _node: NodeId, _snapshot: &Snapshot) -> Check {
        Ok(())
    }

    /// A snapshot that the node took itself is durable.
    pub fn snapshot_persisted(&mut self, _node: NodeId, _snapshot: EntryId) {}

    /// The node's log forgot its entries up to `through`.
    pub fn compacted(&mut self, _node: NodeId, _through: Index) -> Check {
        Ok(())
    }

    /// A client asked for a read; contexts are never used twice. A retry is a new request with a new context.
    pub fn read_requested(&mut self, _context: &Bytes) {}

    /// A node says that a read may be answered. `excused`: the plan broke what lease reads rely on, so that this one
    /// may be stale.
    pub fn read_ready(&mut self, _node: NodeId, _read: &ReadState, _excused: bool) -> Check {
        Ok(())
    }

    /// What the leader `node` knows of `peer`, after it may have changed.
    pub fn progress(&mut self, _node: NodeId, _peer: NodeId, _progress: &ProgressView) -> Check {
        Ok(())
    }
}
