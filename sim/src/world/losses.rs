//! Which nodes lately missed what leaders sent, or got it so late that they may have given their leader up.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use raft::{Message, NodeId, Purpose};

use super::replica::Replica;
use super::{Envelope, World};

/// Which nodes missed messages of leaders because the network lost or delayed them, and when. Cut links do not count:
/// everybody can see those.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    /// When each node missed the last one, by the ticks of all clocks.
    missed_at: BTreeMap<NodeId, u64>,
}

impl Losses {
    /// How many election timeouts a loss counts as recent.
    const RECENT: u64 = 10;

    /// Takes note that the network loses a message, or delivers it too late.
    pub(super) fn note(&mut self, message: &Message, now: u64) {
        if comes_from_leader(message) {
            self.missed_at.insert(message.to, now);
        }
    }

    /// Feeds a hash with how long ago each node missed something.
    pub(super) fn hash_state(&self, now: u64, state: &mut impl Hasher) {
        self.missed_at.len().hash(state);
        self.missed_at.iter().for_each(|(node, at)| (node, now - at).hash(state));
    }

    /// Whether this node missed something recently, measured by its election timeout and the number of clocks that
    /// tick.
    fn are_recent(&self, replica: &Replica, clocks: u64, now: u64) -> bool {
        let recent = Self::RECENT * u64::from(replica.options().election_tick) * clocks;
        self.missed_at.get(&replica.id()).is_some_and(|at| now - at <= recent)
    }
}

impl World {
    /// Whether the network lately lost what leaders sent to this node, or delivered it too late, or is about to.
    pub(super) fn hears_little(&self, replica: &Replica) -> bool {
        let clocks = self.clocks();
        let is_on_its_way = |envelope: &Envelope| match envelope {
            Envelope::Network(message) => message.to == replica.id() && comes_from_leader(message),
            Envelope::Local { .. } => false,
        };
        let mut on_its_way = self.network.iter().filter(|(_, envelope)| is_on_its_way(envelope));
        self.losses.are_recent(replica, clocks, self.network.now())
            || on_its_way
                .any(|(id, _)| is_late(replica, self.network.age(id), clocks) && self.waits_for_room(id).is_none())
    }

    /// Takes note of a message that reaches a node, if it is from a leader and comes too late.
    pub(super) fn note_if_late(&mut self, to: NodeId, message: &Message, age: u64) {
        let Some(replica) = self.replica(to).filter(|replica| replica.is_up()) else { return };
        // The first test is cheap, and rules out most messages.
        if is_late(replica, age, 1) && is_late(replica, age, self.clocks()) {
            self.losses.note(message, self.network.now());
        }
    }

    /// How many clocks tick.
    fn clocks(&self) -> u64 {
        self.replicas().filter(|replica| replica.is_up()).count() as u64
    }
}

/// Whether a node may have given its leader up when a message reaches it that has been in flight for so many ticks of
/// so many clocks: the message before it may be older by as much as lies between two heartbeats.
fn is_late(replica: &Replica, age: u64, clocks: u64) -> bool {
    let options = replica.options();
    age >= u64::from(options.election_tick.saturating_sub(options.heartbeat_tick)) * clocks
}

fn comes_from_leader(message: &Message) -> bool {
    message.body.purpose() == Purpose::Replication
}
