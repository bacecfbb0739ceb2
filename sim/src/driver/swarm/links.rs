//! Links that are worse than the rest of the network: clogged, full, flapping, or bad for some kinds of messages. All of
//! it ends with the fault burst.

use std::collections::VecDeque;

use raft::{Message, NodeId};

use super::event_queue::EventQueue;
use super::intent::Intent;
use super::position;
use crate::plan::{LinkPlan, MessageKind, Plan, TICK, Time};
use crate::random::{Concern, Stream};
use crate::world::{Event, World};

/// The links.
#[derive(Clone, Debug)]
pub(super) struct Links {
    plan: LinkPlan,
    stream: Stream,
    healed: bool,
    nodes: usize,
    /// For each link, how many messages are on it, and until when it is clogged.
    links: Vec<(u64, Time)>,
    /// The two nodes whose links flap, and how often they still change.
    flapping: Option<(NodeId, NodeId, u64)>,
}

impl Links {
    pub(super) fn new(plan: &Plan) -> Self {
        let nodes = plan.cluster.options.len();
        Self {
            plan: plan.links.clone(),
            stream: Stream::new(plan.seed, Concern::Links),
            healed: false,
            nodes,
            links: vec![(0, 0); nodes * nodes],
            flapping: None,
        }
    }

    pub(super) fn begin(&mut self, queue: &mut EventQueue) {
        self.plan_next(self.plan.clog, Intent::Clog, queue);
        self.plan_next(self.plan.flap, Intent::Flap, queue);
    }

    fn plan_next(&mut self, mean: Option<Time>, intent: Intent, queue: &mut EventQueue) {
        if let Some(mean) = mean {
            queue.after(self.stream.between(1, 2 * mean), intent);
        }
    }

    fn link(&mut self, message: &Message) -> &mut (u64, Time) {
        &mut self.links[position(message.from) * self.nodes + position(message.to)]
    }

    /// While the network is healed no link is clogged, full or flapping.
    pub(super) fn set_healed(&mut self, healed: bool, at_once: &mut VecDeque<Event>) {
        self.healed = healed;
        if healed {
            self.links.iter_mut().for_each(|(_, clogged)| *clogged = 0);
            if let Some((one, other, _)) = self.flapping.take() {
                at_once.extend([(one, other), (other, one)].map(|(from, to)| Event::HealLink { from, to }));
            }
        }
    }

    /// A message sets out. `None` if it gets lost because of the link, or else how much longer it takes.
    pub(super) fn set_out(&mut self, message: &Message, now: Time) -> Option<Time> {
        let kind = MessageKind::of(&message.body);
        let loss = self.plan.loss_of(kind);
        let is_lost = loss > 0 && self.stream.chance(loss);
        let crawls = kind == MessageKind::Snapshot && self.plan.snapshot_crawl > 0;
        let crawl = if crawls { self.stream.below(self.plan.snapshot_crawl) } else { 0 };
        // A link that is full for good starves: heartbeats leave no room for anything else.
        let most = self.plan.queue.filter(|_| !self.healed).unwrap_or(u64::MAX);
        let (on_it, clogged) = *self.link(message);
        (!is_lost && on_it < most).then_some(crawl.max(clogged.saturating_sub(now)))
    }

    /// A message is on the link.
    pub(super) fn enter(&mut self, message: &Message) {
        self.link(message).0 += 1;
    }

    /// A message has left the link.
    pub(super) fn leave(&mut self, message: &Message) {
        let (on_it, _) = self.link(message);
        *on_it = on_it.saturating_sub(1);
    }

    /// Clogs one link, or all from or to a node.
    pub(super) fn clog(&mut self, world: &World, queue: &mut EventQueue) {
        self.plan_next(self.plan.clog, Intent::Clog, queue);
        let Some((one, other)) = self.two_nodes(world).filter(|_| !self.healed) else { return };
        let until = queue.now() + self.stream.between(1, 2 * self.plan.length);
        let kind = self.stream.below(3);
        let (one, other, nodes) = (position(one), position(other), self.nodes);
        for (at, (_, clogged)) in self.links.iter_mut().enumerate() {
            let (from, to) = (at / nodes, at % nodes);
            let is_hit = match kind {
                0 => from == one,
                1 => to == one,
                _ => from == one && to == other,
            };
            if is_hit {
                *clogged = until;
            }
        }
    }

    /// Two nodes begin to flap.
    pub(super) fn flap(&mut self, world: &World, queue: &mut EventQueue) {
        self.plan_next(self.plan.flap, Intent::Flap, queue);
        let Some((one, other)) = self.two_nodes(world).filter(|_| !self.healed && self.flapping.is_none()) else {
            return;
        };
        let changes = 2 * self.stream.between(1, self.plan.length / TICK);
        self.flapping = Some((one, other, changes));
        queue.after(0, Intent::Toggle);
    }

    /// The links between the nodes that flap change.
    pub(super) fn toggle(&mut self, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        let Some((one, other, changes)) = &mut self.flapping else { return };
        let links = [(*one, *other), (*other, *one)];
        *changes -= 1;
        if *changes % 2 == 1 {
            at_once.extend(links.map(|(from, to)| Event::Cut { from, to }));
        } else {
            at_once.extend(links.map(|(from, to)| Event::HealLink { from, to }));
        }
        if *changes == 0 {
            self.flapping = None;
        } else {
            queue.after(self.stream.between(1, 2 * TICK), Intent::Toggle);
        }
    }

    fn two_nodes(&mut self, world: &World) -> Option<(NodeId, NodeId)> {
        let nodes: Vec<NodeId> = world.replicas().map(|replica| replica.id()).collect();
        let (one, other) = (*self.stream.pick(&nodes), *self.stream.pick(&nodes));
        (one != other).then_some((one, other))
    }
}

#[cfg(test)]
mod tests {
    use raft::{Body, Term};

    use super::*;
    use crate::plan::{Overrides, node_id};

    fn links(plan: LinkPlan) -> Links {
        Links::new(&Plan { links: plan, ..Plan::draw(1, &Overrides { nodes: Some(3), ..Overrides::default() }) })
    }

    fn message(from: u64, to: u64) -> Message {
        Message { from: node_id(from), to: node_id(to), term: Some(Term(1)), body: Body::TimeoutNow }
    }

    #[test]
    fn a_full_link_loses_what_comes_next_until_something_arrives() {
        let mut links = links(LinkPlan { queue: Some(2), ..LinkPlan::default() });
        links.enter(&message(1, 2));
        assert_eq!(links.set_out(&message(1, 2), 0), Some(0));
        links.enter(&message(1, 2));
        assert_eq!(links.set_out(&message(1, 2), 0), None);
        assert_eq!(links.set_out(&message(2, 1), 0), Some(0));
        links.leave(&message(1, 2));
        assert_eq!(links.set_out(&message(1, 2), 0), Some(0));
    }

    #[test]
    fn only_the_kinds_that_the_plan_names_are_lost() {
        let kinds = vec![MessageKind::Transfer];
        let mut links = links(LinkPlan { lossy_kinds: kinds, kind_loss: 1000, ..LinkPlan::default() });
        let vote = Message { body: Body::VoteResponse { granted: true }, ..message(1, 2) };
        assert_eq!((links.set_out(&message(1, 2), 0), links.set_out(&vote, 0)), (None, Some(0)));
    }

    #[test]
    fn what_is_sent_on_a_clogged_link_arrives_when_the_clog_is_over() {
        let mut links = links(LinkPlan::default());
        *links.link(&message(1, 2)) = (0, 500);
        assert_eq!((links.set_out(&message(1, 2), 200), links.set_out(&message(2, 1), 200)), (Some(300), Some(0)));
        links.set_healed(true, &mut VecDeque::new());
        assert_eq!(links.set_out(&message(1, 2), 200), Some(0));
    }

    #[test]
    fn links_that_flap_end_up_healed_by_themselves_or_when_the_network_is_healed() {
        let both = |event: fn(NodeId, NodeId) -> Event| [event(node_id(1), node_id(2)), event(node_id(2), node_id(1))];
        let cut = both(|from, to| Event::Cut { from, to });
        let heal = both(|from, to| Event::HealLink { from, to });
        for healed in [false, true] {
            let mut links = links(LinkPlan::default());
            let (mut queue, mut at_once) = (EventQueue::default(), VecDeque::new());
            links.flapping = Some((node_id(1), node_id(2), 2));
            links.toggle(&mut queue, &mut at_once);
            if healed {
                links.set_healed(true, &mut at_once);
            }
            links.toggle(&mut queue, &mut at_once);
            links.toggle(&mut queue, &mut at_once);
            assert_eq!(at_once, [cut.clone(), heal.clone()].concat());
        }
    }
}
