//! Who lately missed what leaders sent.

use std::collections::BTreeMap;

use raft::{Body, Message, NodeId};

use super::replica::Replica;

/// Which nodes missed messages of leaders because the network lost them, and when. Cut links do not count: everybody can
/// see those.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    /// The ticks of all clocks so far: the time.
    ticks: u64,
    /// When each node missed the last one.
    missed_at: BTreeMap<NodeId, u64>,
}

impl Losses {
    /// For so many election timeouts a loss counts as recent.
    const RECENT: u64 = 10;

    /// A clock ticks.
    pub(super) const fn tick(&mut self) {
        self.ticks += 1;
    }

    /// The network loses a message.
    pub(super) fn note(&mut self, message: &Message) {
        if matches!(message.body, Body::Append { .. } | Body::Heartbeat { .. } | Body::InstallSnapshot { .. }) {
            self.missed_at.insert(message.to, self.ticks);
        }
    }

    /// Whether this node missed something a short while ago, as its timeout and the clocks that tick go.
    pub(super) fn are_recent(&self, replica: &Replica, clocks: usize) -> bool {
        let recent = Self::RECENT * u64::from(replica.options().election_tick) * clocks as u64;
        self.missed_at.get(&replica.id()).is_some_and(|at| self.ticks - at <= recent)
    }
}
