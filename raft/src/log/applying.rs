//! How far committed entries were handed to the application, how far it has applied them, and when further entries are
//! held back.

use crate::types::Index;

/// The application's two positions in the log, and the bytes between them.
#[derive(Clone, Hash, Debug)]
pub(super) struct Applying {
    applied: Index,
    handed_out: Index,
    /// The encoded bytes that were handed out and not yet applied.
    size: u64,
    max_size: u64,
    /// Nothing more is handed out until something is applied.
    paused: bool,
}

impl Applying {
    /// Everything up to `applied` is applied; at most `max_size` encoded bytes are handed out at once.
    pub(super) const fn new(applied: Index, max_size: u64) -> Self {
        Self { applied, handed_out: applied, size: 0, max_size, paused: false }
    }

    pub(super) const fn applied(&self) -> Index {
        self.applied
    }

    pub(super) const fn handed_out(&self) -> Index {
        self.handed_out
    }

    pub(super) const fn max_size(&self) -> u64 {
        self.max_size
    }

    /// How many bytes may be handed out now; `None` where the application has to catch up first.
    pub(super) const fn quota(&self) -> Option<u64> {
        if self.paused { None } else { Some(self.max_size.saturating_sub(self.size)) }
    }

    /// Notes that the entries up to `index`, `size` bytes, were handed out, while those up to `available` could be. If
    /// they stop short of that, the next entry exceeds the quota, so handing it out has to wait as well.
    pub(super) fn hand_out(&mut self, index: Index, size: u64, available: Index) {
        self.handed_out = index;
        self.size = self.size.saturating_add(size);
        self.paused = self.size >= self.max_size || index < available;
    }

    /// Notes that the entries up to `index`, `size` bytes of those handed out, are applied.
    pub(super) fn apply(&mut self, index: Index, size: u64) {
        self.applied = index;
        self.handed_out = self.handed_out.max(index);
        self.size = self.size.saturating_sub(size);
        self.paused = self.size >= self.max_size;
    }
}
