//! All that a node was told since it started, in order, cheap to copy.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use raft::{ConfChange, ConfChangeV2, Entry, HardState, Index, Message, NodeId, Snapshot, SnapshotStatus};
use sim::world::consensus::{Rider, Stored};

use crate::live::Live;

/// What a node was told. Copies share all but the newest of it.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    full: Vec<Arc<[Input]>>,
    newest: Vec<Input>,
}

impl Journal {
    /// So much at a time is shared.
    const CHUNK: usize = 128;

    pub(crate) fn push(&mut self, input: Input) {
        self.newest.push(input);
        if self.newest.len() == Self::CHUNK {
            self.full.push(std::mem::take(&mut self.newest).into());
        }
    }

    /// All of it: nodes that were told the same are the same.
    pub(crate) fn hash(&self, mut state: &mut dyn Hasher) {
        self.each(|input| input.hash(&mut state));
    }

    pub(crate) fn each(&self, tell: impl FnMut(&Input)) {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(&self.newest).for_each(tell);
    }
}

/// Something that a node was told.
#[derive(Clone, Hash)]
pub(crate) enum Input {
    Tick,
    Campaign,
    Propose(Bytes),
    ProposeConfChange(ConfChange),
    TransferLeadership(NodeId),
    ReadIndex(Bytes),
    ReportUnreachable(NodeId),
    ReportSnapshot(NodeId, SnapshotStatus),
    SetElectionTimeout(u32),
    Step(Box<Message>, Option<Rider>),
    Ready,
    Advance,
    ApplyConfChange(ConfChangeV2),
    Store(Kept),
}

impl Input {
    /// Tells it another node. What that answers is what the first one answered.
    pub(crate) fn tell(&self, live: &mut Live) {
        match self {
            Self::Tick => live.tick(),
            Self::Campaign => live.campaign(),
            Self::Propose(data) => drop(live.propose(data)),
            Self::ProposeConfChange(change) => drop(live.propose_conf_change(change)),
            Self::TransferLeadership(target) => live.transfer_leadership(*target),
            Self::ReadIndex(context) => live.read_index(context),
            Self::ReportUnreachable(peer) => live.report_unreachable(*peer),
            Self::ReportSnapshot(peer, status) => live.report_snapshot(*peer, *status),
            Self::SetElectionTimeout(ticks) => drop(live.set_election_timeout(*ticks)),
            Self::Step(message, rider) => drop(live.step(message, rider.as_ref())),
            Self::Ready => drop(live.ready()),
            Self::Advance => live.advance(),
            Self::ApplyConfChange(change) => drop(live.apply_conf_change(change)),
            Self::Store(kept) => drop(live.store(kept.as_change())),
        }
    }
}

/// A change of the storage, kept.
#[derive(Clone, Hash)]
pub(crate) enum Kept {
    Restored(Box<Snapshot>),
    Entry(Entry),
    HardState(HardState),
    Taken(Box<Snapshot>),
    Offered(Box<Snapshot>),
    Compacted(Index),
}

impl From<Stored<'_>> for Kept {
    fn from(change: Stored<'_>) -> Self {
        match change {
            Stored::Restored(snapshot) => Self::Restored(Box::new(snapshot.clone())),
            Stored::Entry(entry) => Self::Entry(entry.clone()),
            Stored::HardState(hard_state) => Self::HardState(hard_state),
            Stored::Taken(snapshot) => Self::Taken(Box::new(snapshot.clone())),
            Stored::Offered(snapshot) => Self::Offered(Box::new(snapshot.clone())),
            Stored::Compacted(through) => Self::Compacted(through),
        }
    }
}

impl Kept {
    const fn as_change(&self) -> Stored<'_> {
        match self {
            Self::Restored(snapshot) => Stored::Restored(snapshot),
            Self::Entry(entry) => Stored::Entry(entry),
            Self::HardState(hard_state) => Stored::HardState(*hard_state),
            Self::Taken(snapshot) => Stored::Taken(snapshot),
            Self::Offered(snapshot) => Stored::Offered(snapshot),
            Self::Compacted(through) => Stored::Compacted(*through),
        }
    }
}
