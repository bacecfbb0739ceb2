//! The isolation of leaders: whoever comes to lead is at once cut off from everybody but one companion, always the same.
//!
//! A minority then holds what each leader begins, the others elect the next, and leaders come back to what others have
//! overwritten meanwhile (Raft paper, figure 8). At the companion, entries are written, overwritten, and written again.

use raft::{NodeId, Role, Term};

use crate::world::{Replica, World};

/// An isolation that is going on.
#[derive(Clone, Debug)]
pub(super) struct LeaderIsolation {
    companion: NodeId,
    /// Who was cut off last, and as leader of which term.
    leader: Option<(Term, NodeId)>,
}

impl LeaderIsolation {
    /// One that waits for the next leader.
    pub(super) const fn new(companion: NodeId) -> Self {
        Self { companion, leader: None }
    }

    /// The links to cut in place of those that are cut, if this node has come to lead since it was last asked about.
    pub(super) fn isolates(&mut self, replica: &Replica, world: &World) -> Option<Vec<(NodeId, NodeId)>> {
        let view = replica.view();
        let leads = Some((view.hard_state.term, replica.id()));
        if view.soft_state.role != Role::Leader || self.leader >= leads {
            return None;
        }
        self.leader = leads;
        let inside = [replica.id(), self.companion];
        let nodes = || world.replicas().map(Replica::id);
        let links = nodes().flat_map(|from| nodes().map(move |to| (from, to)));
        Some(links.filter(|(from, to)| inside.contains(from) != inside.contains(to)).collect())
    }
}
