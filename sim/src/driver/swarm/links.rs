//! Links that are worse than the rest of the network: clogged, full, flapping, or bad for some kinds of messages. All of
//! it ends with the storm.

use std::collections::VecDeque;

use raft::{Message, NodeId};

use super::agenda::{Agenda, Intent};
use super::position;
use crate::plan::{LinkPlan, MessageKind, Plan, TICK, Time};
use crate::random::{Concern, Stream};
use crate::world::{Event, World};

/// The links.
#[derive(Clone, Debug)]
pub(super) struct Links {
    plan: LinkPlan,
    stream: Stream,
    calm: bool,
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
            calm: false,
            nodes,
            links: vec![(0, 0); nodes * nodes],
            flapping: None,
        }
    }

    pub(super) fn begin(&mut self, agenda: &mut Agenda) {
        self.plan_next(self.plan.clog, Intent::Clog, agenda);
        self.plan_next(self.plan.flap, Intent::Flap, agenda);
    }

    fn plan_next(&mut self, mean: Option<Time>, intent: Intent, agenda: &mut Agenda) {
        if let Some(mean) = mean {
            agenda.after(self.stream.between(1, 2 * mean), intent);
        }
    }

    fn link(&mut self, message: &Message) -> &mut (u64, Time) {
        &mut self.links[position(message.from) * self.nodes + position(message.to)]
    }

    /// In the calm nothing is wrong with any link.
    pub(super) fn set_calm(&mut self, calm: bool, at_once: &mut VecDeque<Event>) {
        self.calm = calm;
        if calm {
            self.links.iter_mut().for_each(|(_, clogged)| *clogged = 0);
            if let Some((one, other, _)) = self.flapping.take() {
                at_once.extend([(one, other), (other, one)].map(|(from, to)| Event::HealLink { from, to }));
            }
        }
    }

    /// A message sets out. Whether it gets lost because of the link, or else how much longer it takes.
    pub(super) fn set_out(&mut self, message: &Message, now: Time) -> Option<Time> {
        let kind = MessageKind::of(&message.body);
        let loss = if kind == MessageKind::Snapshot {
            self.plan.snapshot_loss
        } else if self.plan.lossy_kinds.contains(&kind) {
            self.plan.kind_loss
        } else {
            0
        };
        let is_lost = loss > 0 && self.stream.chance(loss);
        let crawls = kind == MessageKind::Snapshot && self.plan.snapshot_crawl > 0;
        let crawl = if crawls { self.stream.below(self.plan.snapshot_crawl) } else { 0 };
        let most = self.plan.queue.unwrap_or(u64::MAX);
        let (on_it, clogged) = *self.link(message);
        (!is_lost && on_it < most).then_some(crawl.max(clogged.saturating_sub(now)))
    }

    /// A message is on the link.
    pub(super) fn enter(&mut self, message: &Message) {
        self.link(message).0 += 1;
    }

    /// It is not any more.
    pub(super) fn leave(&mut self, message: &Message) {
        let (on_it, _) = self.link(message);
        *on_it = on_it.saturating_sub(1);
    }

    /// Clogs one link, or all from or to a node.
    pub(super) fn clog(&mut self, world: &World, agenda: &mut Agenda) {
        self.plan_next(self.plan.clog, Intent::Clog, agenda);
        let Some((one, other)) = self.two_nodes(world).filter(|_| !self.calm) else { return };
        let until = agenda.now() + self.stream.between(1, 2 * self.plan.length);
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
    pub(super) fn flap(&mut self, world: &World, agenda: &mut Agenda) {
        self.plan_next(self.plan.flap, Intent::Flap, agenda);
        let Some((one, other)) = self.two_nodes(world).filter(|_| !self.calm && self.flapping.is_none()) else { return };
        let changes = 2 * self.stream.between(1, self.plan.length / TICK);
        self.flapping = Some((one, other, changes));
        agenda.after(0, Intent::Toggle);
    }

    /// The links between the nodes that flap change.
    pub(super) fn toggle(&mut self, agenda: &mut Agenda, at_once: &mut VecDeque<Event>) {
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
            agenda.after(self.stream.between(1, 2 * TICK), Intent::Toggle);
        }
    }

    fn two_nodes(&mut self, world: &World) -> Option<(NodeId, NodeId)> {
        let nodes: Vec<NodeId> = world.replicas().map(|replica| replica.id()).collect();
        let (one, other) = (*self.stream.pick(&nodes), *self.stream.pick(&nodes));
        (one != other).then_some((one, other))
    }
}
