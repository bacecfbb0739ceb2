//! The window of appends that a leader has sent to a follower and that are not yet answered.

use std::collections::VecDeque;

use crate::types::Index;

/// How much may be in flight to one follower.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InflightLimits {
    /// The number of appends.
    pub messages: usize,
    /// The payload bytes of their entries; `u64::MAX` for no limit.
    pub bytes: u64,
}

/// The appends in flight to one follower, oldest first (thesis, section 10.2.1, "pipelining"). Grows with use.
///
/// Upstream: `Inflights` of etcd's package `tracker`.
///
/// ```
/// use raft::{Index, InflightLimits, Inflights};
/// let mut inflights = Inflights::new(InflightLimits { messages: 2, bytes: u64::MAX });
/// inflights.add(Index(5), 100);
/// inflights.add(Index(9), 50);
/// assert!(inflights.is_full());
/// inflights.free_to(Index(7));
/// assert_eq!((inflights.count(), inflights.bytes()), (1, 50));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inflights {
    limits: InflightLimits,
    appends: VecDeque<Append>,
    bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Append {
    last: Index,
    bytes: u64,
}

impl Inflights {
    /// An empty window.
    pub const fn new(limits: InflightLimits) -> Self {
        Self { limits, appends: VecDeque::new(), bytes: 0 }
    }

    /// Adds an append whose last entry is at `last` and whose entries hold this many payload bytes. The byte limit
    /// may be exceeded by the append that reaches it.
    ///
    /// # Panics
    /// If the window is full, or if `last` does not follow what is in flight: the caller's mistake.
    pub fn add(&mut self, last: Index, bytes: u64) {
        assert!(
            !self.is_full(),
            "{} appends of {} bytes are in flight, limits {:?}",
            self.count(),
            self.bytes,
            self.limits
        );
        let newest = self.appends.back().map_or(Index::ZERO, |append| append.last);
        assert!(last > newest, "an append up to {last} sent after one up to {newest}");
        self.appends.push_back(Append { last, bytes });
        self.bytes += bytes;
    }

    /// Frees every append whose last entry is at `index` or before.
    pub fn free_to(&mut self, index: Index) {
        while let Some(append) = self.appends.pop_front_if(|append| append.last <= index) {
            self.bytes -= append.bytes;
        }
    }

    /// Whether no further append may be sent.
    pub fn is_full(&self) -> bool {
        self.count() >= self.limits.messages || self.bytes >= self.limits.bytes
    }

    /// How many appends are in flight.
    pub fn count(&self) -> usize {
        self.appends.len()
    }

    /// The payload bytes in flight.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.appends.clear();
        self.bytes = 0;
    }
}
