//! Clients that write while links are cut, each one thing: the first at once, and one more in each election timeout.

use raft::{NodeId, Term};

use super::PAUSE;
use crate::driver::swarm::Swarm;
use crate::history::Operation;
use crate::world::{Event, World};

/// The writes that clients wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes {
    /// For each client whom it asked, and in which term.
    asked: Vec<Option<(NodeId, Term)>>,
}

impl Writes {
    /// What clients ask for at this tick. Whoever is not answered asks again once another leads.
    pub(super) fn ask(&mut self, tick: u64, swarm: &mut Swarm<'_>) {
        if tick.is_multiple_of(PAUSE) {
            self.asked.push(None);
        }
        let Some(leader) = swarm.world().leader().map(|leader| (leader.id(), leader.view().hard_state.term)) else {
            return;
        };
        for (client, asked) in (0..).zip(&mut self.asked) {
            let event = match asked {
                None => Event::Invoke { client, node: leader.0, operation: write(client) },
                Some(before) if *before == leader || is_answered(client, swarm.world()) => continue,
                Some(_) => Event::Retry { client, node: leader.0 },
            };
            *asked = Some(leader);
            swarm.interpose(event);
        }
    }

    /// How many of them were answered.
    pub(super) fn answered(&self, world: &World) -> u64 {
        let asked = (0..).zip(&self.asked).filter(|(_, asked)| asked.is_some());
        asked.filter(|(client, _)| is_answered(*client, world)).count() as u64
    }
}

fn write(client: u64) -> Operation {
    Operation::Write { key: 0, value: client.to_string().into() }
}

fn is_answered(client: u64, world: &World) -> bool {
    world.clients().under_way(client).is_none()
}
