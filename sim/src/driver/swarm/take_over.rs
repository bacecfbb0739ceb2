//! A run that begins where another one has come to: nodes are up or down, messages are in flight, links are cut. From there on
//! it goes on as the plan says.

use std::collections::BTreeSet;

use raft::NodeId;

use super::Swarm;
use super::intent::Intent;
use crate::plan::{Plan, TICK};
use crate::random::{Concern, Stream};
use crate::world::{Event, MessageId, Replica, World};

/// The nodes that run since before this run began. Those of a script have fixed election timeouts, with which two of them could
/// take each other's votes for ever.
#[derive(Clone, Debug)]
pub(super) struct TakenOver {
    nodes: BTreeSet<NodeId>,
    stream: Stream,
}

impl TakenOver {
    /// After how many of a thousand ticks such a node waits for another time.
    const WAITS_OTHERWISE: u64 = 100;

    pub(super) fn new(world: &World, plan: &Plan) -> Self {
        let up = world.replicas().filter(|replica| replica.is_up()).map(Replica::id);
        Self { nodes: up.collect(), stream: Stream::new(!plan.seed, Concern::TakeOver) }
    }

    /// From now on the node has a seed of its own for its timeouts.
    pub(super) fn restarts(&mut self, node: NodeId) {
        self.nodes.remove(&node);
    }

    /// How long a node waits for its leader from now on, if that changes before its clock ticks.
    pub(super) fn waits_otherwise(&mut self, node: NodeId, world: &World) -> Option<Event> {
        let replica = self.nodes.contains(&node).then(|| world.replica(node))?.filter(|replica| replica.is_up())?;
        let shortest = u64::from(replica.options().election_tick);
        let ticks = u32::try_from(self.stream.between(shortest, 2 * shortest - 1)).ok()?;
        self.stream.chance(Self::WAITS_OTHERWISE).then_some(Event::SetElectionTimeout { node, ticks })
    }
}

impl Swarm<'_> {
    /// Plans what goes on by itself in a world in which something has happened: ticks, the work of hosts, messages, and the end
    /// of what is wrong there.
    pub(super) fn take_over(&mut self) {
        let mut stream = Stream::new(self.plan.seed, Concern::TakeOver);
        if self.plan.cluster.breaks_leases() {
            self.at_once.push_back(Event::BreakLeases);
        }
        let nodes: Vec<(NodeId, bool)> = self.world.replicas().map(|replica| (replica.id(), replica.is_up())).collect();
        for (node, is_up) in nodes {
            self.queue.after(stream.below(self.clocks.period(node, &self.world)), Intent::Tick(node));
            if is_up {
                self.go_on_with_work(node);
            } else {
                self.queue.after(stream.between(1, 20 * TICK), Intent::Restart(node));
            }
            if self.world.replica(node).is_some_and(|replica| replica.disk().is_limited()) {
                self.queue.after(stream.between(1, 60 * TICK), Intent::FreeDisk(node));
            }
        }
        let messages: Vec<MessageId> = self.world.network().iter().map(|(message, _)| message).collect();
        for message in messages {
            self.traffic.route(message, 0, &self.world, &mut self.queue);
        }
        self.faults.take_over(&self.world, &mut self.queue);
        self.clients.go_on_after(self.world.step());
    }

    fn go_on_with_work(&mut self, node: NodeId) {
        let Some(replica) = self.world.replica(node) else { return };
        self.hosts.plan_work(replica, &Event::Tick { node }, 0, &mut self.queue);
    }
}

#[cfg(test)]
mod tests {
    use super::super::run_in;
    use super::Plan;
    use super::World;
    use crate::driver::apply;
    use crate::plan::{CannotGoOn, Overrides, node_id};
    use crate::script;
    use crate::world::EventKind;

    fn world(scenario: &str) -> World {
        let mut world = World::new();
        for event in script::record(scenario).expect("a scenario").events {
            apply(&mut world, &event).expect("it fits");
        }
        world
    }

    /// A node is down, a link is cut, a message is in flight, a disk is full: all of it comes to an end.
    #[test]
    fn a_run_goes_on_from_a_world_in_trouble_and_converges() {
        let trouble = world(
            "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\nstabilize log-level=none\npropose 1 a\ncrash 3\ncut 1->2\n\
             fill-disk 2 room=10\nprocess-ready 1\n",
        );
        for seed in 0..20 {
            let overrides = Overrides { steps: Some(1000), ..Overrides::default() };
            let plan = Plan::draw(seed, &overrides).fit(&trouble);
            let ended = run_in(&trouble, &plan, |_| {});
            assert_eq!(ended.violation, None, "seed {seed}");
            let statistics = ended.world.statistics();
            assert!(ended.world.step() > trouble.step() + 1000 && statistics.executed > 0, "seed {seed}");
            assert_eq!(statistics.events(EventKind::Start), 3 + later_starts(&ended.world), "seed {seed}");
        }
    }

    fn later_starts(world: &World) -> u64 {
        world.replicas().filter(|replica| replica.id().get() > 3).count() as u64
    }

    #[test]
    fn no_run_goes_on_with_nodes_that_clients_cannot_use_or_that_are_too_many() {
        let appender = world("add-nodes 1 voters=(1) index=2 application=appender\n");
        assert_eq!(Plan::can_go_on(&appender), Err(CannotGoOn::NoKeys(node_id(1))));
        let high = world("add-nodes 1 voters=(40) index=2 first=40\n");
        assert_eq!(Plan::can_go_on(&high), Err(CannotGoOn::TooHigh(node_id(40))));
        assert_eq!(Plan::can_go_on(&World::new()), Ok(()));
    }
}
