//! The isolation of leaders: whoever comes to lead is at once cut off from everybody but one companion, always the same.
//!
//! A minority then holds what each leader begins, the others elect the next, and leaders come back to what others have
//! overwritten meanwhile (Raft paper, figure 8). At the companion, entries are written, overwritten, and written again.

use raft::{NodeId, Role, Term};

use crate::random::Stream;
use crate::world::{Event, Replica, World};

/// An isolation that is going on.
#[derive(Clone, Debug)]
pub(super) struct LeaderIsolation {
    companion: NodeId,
    /// Who was cut off last, and as leader of which term.
    leader: Option<(Term, NodeId)>,
    /// Who was cut off before.
    previous: Option<NodeId>,
    /// Whether the next leader need not wait for an election timeout.
    hurries: bool,
    /// Whether the companion has yet to hear of the leader that was cut off last.
    waits: bool,
}

impl LeaderIsolation {
    /// How many of a thousand times the leader before the last is to lead again: it brings back what it had written.
    const RETURNS: u64 = 600;

    /// One that waits for the next leader. If it hurries, somebody else campaigns as soon as the companion has what a leader
    /// wrote.
    pub(super) const fn new(companion: NodeId, hurries: bool) -> Self {
        Self { companion, leader: None, previous: None, hurries, waits: false }
    }

    /// The links to cut in place of those that are cut, if this node has come to lead since it was last asked about.
    pub(super) fn isolates(&mut self, replica: &Replica, world: &World) -> Option<Vec<(NodeId, NodeId)>> {
        let view = replica.view();
        let leads = Some((view.hard_state.term, replica.id()));
        if view.soft_state.role != Role::Leader || self.leader >= leads {
            return None;
        }
        self.previous = self.leader.map(|(_, node)| node);
        (self.leader, self.waits) = (leads, self.hurries);
        let inside = [replica.id(), self.companion];
        let nodes = || world.replicas().map(Replica::id);
        let links = nodes().flat_map(|from| nodes().map(move |to| (from, to)));
        Some(links.filter(|(from, to)| inside.contains(from) != inside.contains(to)).collect())
    }

    /// Who is to campaign, if this node is the companion, and has just come to have what the leader wrote.
    pub(super) fn hurries_on(&mut self, replica: &Replica, world: &World, stream: &mut Stream) -> Option<Event> {
        let (term, leader) = self.leader.filter(|_| self.waits && replica.id() == self.companion)?;
        if replica.view().last.term != term {
            return None;
        }
        self.waits = false;
        let others: Vec<NodeId> =
            world.native_replicas().map(Replica::id).filter(|node| ![leader, self.companion].contains(node)).collect();
        let returns = self.previous.filter(|previous| others.contains(previous) && stream.chance(Self::RETURNS));
        let node = returns.or_else(|| (!others.is_empty()).then(|| *stream.pick(&others)))?;
        Some(Event::Campaign { node })
    }
}
