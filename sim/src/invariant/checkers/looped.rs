//! What the world tells about the loop that runs a node.

use raft::node::{Arm, Ticket};
use raft::{Index, NodeId};

use super::Checkers;
use crate::invariant::input::{LoopView, View};
use crate::invariant::violation::{Check, Invariant};
use crate::invariant::{Disorder, configuration, run_loop};

impl Checkers {
    /// The views of the loop that runs a node before and after an event, with which it took an input from this arm, if
    /// from any.
    pub fn looped(&mut self, id: NodeId, taken: Option<Arm>, before: &LoopView, after: &LoopView) -> Check {
        self.when(Invariant::RunLoop, |_| run_loop::follows(id, taken, before, after))
    }

    /// The loop that runs a node has taken a proposal, and says whether the node took it up. `before` and `after` are
    /// the views of the node.
    pub fn proposed(&mut self, id: NodeId, before: &View, after: &View, taken_up: bool) -> Check {
        self.when(Invariant::RunLoop, |_| run_loop::answers_proposal(id, before, after, taken_up))
    }

    /// The loop that runs a node has taken something from this arm, and it was its turn or not: see
    /// [`Arrivals`](crate::invariant::Arrivals).
    pub fn taken_in_turn(&mut self, id: NodeId, arm: Arm, turn: Result<(), Disorder>) -> Check {
        self.when(Invariant::RunLoop, |_| run_loop::waits_its_turn(id, arm, turn))
    }

    /// The loop that runs a node has taken a proposal. `last` is the proposal that it took before.
    pub fn taken_in_order(&mut self, id: NodeId, last: Option<Ticket>, taken: Ticket) -> Check {
        self.when(Invariant::RunLoop, |_| run_loop::keeps_order(id, last, taken))
    }

    /// The loop that runs a node has applied a change of the membership. `was_member` and `is_member` say whether the
    /// node belonged to it before and after.
    pub fn change_taken(&mut self, id: NodeId, was_member: bool, is_member: bool, accepts_proposals: bool) -> Check {
        self.when(Invariant::RunLoop, |_| run_loop::leaves(id, was_member, is_member, accepts_proposals))
    }

    /// The loop that runs a node has changed the membership by the entry at `index`, although the application was
    /// restored from a snapshot that covers the entry.
    pub fn change_came_late(&mut self, id: NodeId, index: Index) -> Check {
        self.when(Invariant::ConfigurationAgreement, |_| configuration::came_late(id, index))
    }
}
