//! When messages arrive, and which do not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use raft::{Body, Message, NodeId, SnapshotStatus};

use super::event_queue::EventQueue;
use super::intent::Intent;
use super::links::Links;
use super::position;
use crate::plan::{NetworkPlan, Plan, Time};
use crate::random::{Concern, Stream};
use crate::world::{Envelope, Event, MessageId, World};

/// How long a node's storage takes to answer between fault bursts, at most.
const PROMPT: Time = 10;

/// The network's behaviour.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    plan: NetworkPlan,
    stream: Stream,
    /// How long a node's storage takes to answer.
    answer: Time,
    healed: bool,
    /// Between whom the network is healed, if not between all.
    core: Option<BTreeSet<NodeId>>,
    /// Where it is healed, once messages are timely there.
    timely: Option<Timely>,
    pub(super) links: Links,
    nodes: usize,
    /// For each link, when its latest message arrives.
    latest: Vec<Time>,
}

/// How timely messages travel.
#[derive(Clone, Debug)]
struct Timely {
    /// The longest time that one takes.
    longest: Time,
    /// For each node, the messages that wait for room there, oldest first.
    lines: BTreeMap<NodeId, VecDeque<MessageId>>,
}

impl Traffic {
    /// How long a message waits before it tries again, if its receiver had no room.
    const WAIT: Time = 20;

    pub(super) fn new(plan: &Plan) -> Self {
        let nodes = plan.cluster.options.len();
        let stream = Stream::new(plan.seed, Concern::Network);
        Self {
            plan: plan.network.clone(),
            stream,
            answer: plan.hosts.answer,
            healed: false,
            core: None,
            timely: None,
            links: Links::new(plan),
            nodes,
            latest: vec![0; nodes * nodes],
        }
    }

    /// While the network is healed no message is lost, doubled or late.
    pub(super) fn set_healed(&mut self, healed: bool, at_once: &mut VecDeque<Event>) {
        self.healed = healed;
        self.links.set_healed(healed, at_once);
    }

    /// From now on it is healed between these nodes, and only there.
    pub(super) fn heal_among(&mut self, core: BTreeSet<NodeId>, at_once: &mut VecDeque<Event>) {
        self.set_healed(true, at_once);
        self.core = Some(core);
    }

    /// From now on messages arrive [in time](Plan::timely) where the network is healed, and none overtakes another, not even where they
    /// wait for room: a leader that sends hundreds at once gets nowhere with nodes that refuse them for their order, and
    /// transports keep it.
    ///
    /// Otherwise, where an election takes as long as the timeout and there is no pre-vote, a node that cannot win may
    /// interrupt all others for any length of time.
    pub(super) fn be_timely(&mut self, plan: &Plan) {
        self.timely = Some(Timely { longest: plan.timely(), lines: BTreeMap::new() });
    }

    /// Whether a message that is about to arrive has to wait for room. Then it comes again.
    pub(super) fn waits(&mut self, id: MessageId, world: &World, queue: &mut EventQueue) -> bool {
        let Some(Timely { lines, .. }) = &mut self.timely else {
            let waits = world.waits_for_room(id).is_some();
            if waits {
                queue.after(Self::WAIT, Intent::Deliver(id));
            }
            return waits;
        };
        let Some(to) = world.network().get(id).map(Envelope::to) else {
            // A crash of its node took it away. The message behind it comes next.
            lines.values_mut().for_each(|line| step_forward(line, id, queue));
            return false;
        };
        let line = lines.entry(to).or_default();
        let is_first = line.front().is_none_or(|first| *first == id);
        if is_first && world.waits_for_room(id).is_none() {
            step_forward(line, id, queue);
            return false;
        }
        if line.front() != Some(&id) {
            line.push_back(id);
        }
        if is_first {
            queue.after(Self::WAIT, Intent::Deliver(id));
        }
        true
    }

    fn is_healed(&self, message: &Message) -> bool {
        let is_within = |core: &BTreeSet<NodeId>| core.contains(&message.from) && core.contains(&message.to);
        self.healed && self.core.as_ref().is_none_or(is_within)
    }

    /// Queues what becomes of a new message. `slow_for` is how long the disk of the node that made it stays slow.
    pub(super) fn route(&mut self, id: MessageId, slow_for: Time, world: &World, queue: &mut EventQueue) {
        match world.network().get(id) {
            None => {}
            Some(Envelope::Local { .. }) => {
                let answer = if self.healed { self.answer.min(PROMPT) } else { self.answer };
                let held_up = if slow_for > 0 { self.stream.below(slow_for) } else { 0 };
                queue.after(held_up.max(self.stream.below(2 * answer + 1)), Intent::Deliver(id));
            }
            Some(Envelope::Network(message)) => self.route_remote(id, message, queue),
        }
    }

    fn route_remote(&mut self, id: MessageId, message: &Message, queue: &mut EventQueue) {
        let NetworkPlan { latency, jitter, loss, duplication, late, lateness, .. } = self.plan;
        let mut delay = latency + self.stream.below(jitter + 1);
        if self.is_healed(message) {
            delay = self.timely.as_ref().map_or(delay, |timely| delay.min(timely.longest));
        } else {
            let Some(longer) = self.links.set_out(message, queue.now()) else {
                self.links.enter(message);
                return queue.after(0, Intent::Lose(id));
            };
            delay += longer;
            let fate = self.stream.below(1000);
            if fate < loss {
                self.links.enter(message);
                return queue.after(delay, Intent::Lose(id));
            }
            if fate < loss + duplication {
                queue.after(self.stream.below(delay + 1), Intent::Double(id));
            } else if fate < loss + duplication + late {
                delay += self.stream.below(lateness);
            }
        }
        self.links.enter(message);
        let arrival = self.in_order(message, queue.now() + delay);
        queue.at(arrival, Intent::Deliver(id));
    }

    fn in_order(&mut self, message: &Message, arrival: Time) -> Time {
        if !self.plan.in_order && (self.timely.is_none() || !self.is_healed(message)) {
            return arrival;
        }
        let link = position(message.from) * self.nodes + position(message.to);
        let latest = &mut self.latest[link];
        *latest = arrival.max(*latest);
        *latest
    }

    /// Tells the sender the fate of a message that is about to arrive, or to be lost on the way. Returns the sender if
    /// it learns that its snapshot is too old for the receiver.
    pub(super) fn before_delivery(
        &mut self,
        id: MessageId,
        world: &World,
        at_once: &mut VecDeque<Event>,
    ) -> Option<NodeId> {
        let Some(Envelope::Network(message)) = world.network().get(id) else { return None };
        self.links.leave(message);
        let is_up = world.replica(message.to).is_some_and(|replica| replica.is_up());
        if !is_up || world.network().is_cut(message.from, message.to) {
            self.report_loss(message, at_once);
        } else if is_too_old(message) {
            let (node, peer) = (message.from, message.to);
            at_once.push_back(Event::ReportSnapshot { node, peer, status: SnapshotStatus::Failure });
            return Some(node);
        } else if is_snapshot(message) && self.stream.chance(self.plan.reports) {
            let (node, peer) = (message.from, message.to);
            at_once.push_back(Event::ReportSnapshot { node, peer, status: SnapshotStatus::Finish });
        }
        None
    }

    /// Tells the sender that a message is about to be lost.
    pub(super) fn before_loss(&mut self, id: MessageId, world: &World, at_once: &mut VecDeque<Event>) {
        if let Some(Envelope::Network(message)) = world.network().get(id) {
            self.links.leave(message);
            self.report_loss(message, at_once);
        }
    }

    /// A lost snapshot is always reported, as the leader waits for it.
    fn report_loss(&mut self, message: &Message, at_once: &mut VecDeque<Event>) {
        let (node, peer) = (message.from, message.to);
        if is_snapshot(message) {
            at_once.push_back(Event::ReportSnapshot { node, peer, status: SnapshotStatus::Failure });
        } else if self.stream.chance(self.plan.reports) {
            at_once.push_back(Event::ReportUnreachable { node, peer });
        }
    }
}

/// The first message in a line leaves it, if it is `first`, and the next one tries.
fn step_forward(line: &mut VecDeque<MessageId>, first: MessageId, queue: &mut EventQueue) {
    if line.front() == Some(&first) {
        line.pop_front();
        if let Some(next) = line.front() {
            queue.after(1, Intent::Deliver(*next));
        }
    }
}

fn is_snapshot(message: &Message) -> bool {
    matches!(message.body, Body::InstallSnapshot { .. })
}

/// Whether it is a snapshot from before its receiver joined: nodes ignore a snapshot that does not mention them.
fn is_too_old(message: &Message) -> bool {
    matches!(&message.body, Body::InstallSnapshot { snapshot } if !snapshot.conf_state.contains(message.to))
}

#[cfg(test)]
mod tests {
    use raft::Term;

    use super::*;
    use crate::plan::{Overrides, TICK, node_id};

    /// In which order many messages of such a plan arrive, and when the last does.
    fn arrivals(is_timely: bool) -> (Vec<u64>, Time) {
        let mut plan = Plan::draw(1, &Overrides { nodes: Some(3), no_faults: true, ..Overrides::default() });
        plan.cluster.options.iter_mut().for_each(|options| options.election_tick = 4);
        plan.network.latency = 600;
        plan.network.jitter = 1372;
        let mut traffic = Traffic::new(&plan);
        traffic.set_healed(true, &mut VecDeque::new());
        if is_timely {
            traffic.be_timely(&plan);
        }
        let message = Message { from: node_id(1), to: node_id(2), term: Some(Term(1)), body: Body::TimeoutNow };
        let mut queue = EventQueue::default();
        (0..50).for_each(|number| traffic.route_remote(MessageId(number), &message, &mut queue));
        let arrive = |_| match queue.next() {
            Some(Intent::Deliver(message)) => message.0,
            other => panic!("no message arrives, but {other:?}"),
        };
        ((0..50).map(arrive).collect(), queue.now())
    }

    #[test]
    fn once_it_is_timely_a_message_takes_a_tenth_of_the_election_timeout_at_most() {
        assert!(arrivals(false).1 > TICK);
        assert_eq!(arrivals(true).1, 4 * TICK / 10);
    }

    #[test]
    fn once_it_is_timely_messages_arrive_in_the_order_in_which_they_were_sent() {
        assert!(!arrivals(false).0.is_sorted());
        assert!(arrivals(true).0.is_sorted());
    }
}
