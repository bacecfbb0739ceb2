//! What a scenario has to lead to, to say the same as a trace.

use raft::NodeId;

use super::phrase::Phrase;
use crate::invariant::View;
use crate::script::environment::{Environment, Trouble};
use crate::trace::Failure;
use crate::world::World;

/// How a scenario has to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// It fails in this way.
    Fails(Failure),
    /// It comes to its end, and leaves the nodes like this.
    Rests(Vec<State>),
}

/// A node, whether it is up, and what it shows.
type State = (NodeId, bool, View);

impl Goal {
    /// The goal to leave all nodes as they are in this world.
    pub(super) fn rests(world: &World) -> Self {
        Self::Rests(world.replicas().map(|replica| (replica.id(), replica.is_up(), *replica.view())).collect())
    }

    /// Plays the phrases. Returns how many of them it takes to reach the goal, if they reach it.
    pub(super) fn reached_by(&self, start: &World, phrases: &[Phrase]) -> Option<usize> {
        let mut environment = Environment::new_in(start);
        for (position, phrase) in phrases.iter().enumerate() {
            if let Err(trouble) = environment.run(phrase.command()) {
                return (Self::Fails(failure(trouble)?) == *self).then_some(position + 1);
            }
        }
        (Self::rests(environment.world()) == *self).then_some(phrases.len())
    }
}

fn failure(trouble: Trouble) -> Option<Failure> {
    Failure::of(&trouble.ending()?)
}
