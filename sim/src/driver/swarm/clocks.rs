//! Clocks that run at their own rate, drift and jump, and processes that stand still for a while.

use std::collections::VecDeque;

use raft::{NodeId, Role};

use super::event_queue::EventQueue;
use super::intent::{ClockTrouble, Intent};
use super::{any_node, position};
use crate::plan::{ClockPlan, Plan, TICK, Time};
use crate::random::{Concern, Stream};
use crate::world::{Envelope, Event, Replica, World};

/// The clocks.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    plan: ClockPlan,
    stream: Stream,
    healed: bool,
    /// For each node the time between two ticks, as planned and as it is.
    planned: Vec<Time>,
    period: Vec<Time>,
    /// For each node, until when it stands still; `latest` is the latest of these times.
    paused_until: Vec<Time>,
    latest: Time,
}

impl Clocks {
    pub(super) fn new(plan: &Plan) -> Self {
        let planned = plan.cluster.tick.clone();
        Self {
            plan: plan.clocks.clone(),
            stream: Stream::new(plan.seed, Concern::Clocks),
            healed: false,
            period: planned.clone(),
            paused_until: vec![0; planned.len()],
            planned,
            latest: 0,
        }
    }

    pub(super) fn begin(&mut self, queue: &mut EventQueue) {
        for trouble in ClockTrouble::ALL {
            self.plan_next(trouble, queue);
        }
    }

    fn plan_next(&mut self, trouble: ClockTrouble, queue: &mut EventQueue) {
        let mean = match trouble {
            ClockTrouble::Pause => self.plan.pause,
            ClockTrouble::Jump => self.plan.jump,
            ClockTrouble::Drift => self.plan.drift,
        };
        if let Some(mean) = mean {
            queue.after(self.stream.between(1, 2 * mean), Intent::Clock(trouble));
        }
    }

    /// Lets this trouble happen, unless all is healed, and plans the next of its kind.
    pub(super) fn strike(
        &mut self,
        trouble: ClockTrouble,
        world: &World,
        queue: &mut EventQueue,
        at_once: &mut VecDeque<Event>,
    ) {
        self.plan_next(trouble, queue);
        let Some(node) = any_node(world, &mut self.stream).filter(|_| !self.healed) else { return };
        match trouble {
            ClockTrouble::Pause => {
                let until = queue.now() + self.stream.between(1, 2 * self.plan.pause_length);
                let paused = &mut self.paused_until[position(node)];
                *paused = until.max(*paused);
                self.latest = self.latest.max(until);
            }
            ClockTrouble::Jump => {
                let ticks = self.stream.magnitude(2, self.plan.jump_ticks);
                at_once.extend((0..ticks).map(|_| Event::Tick { node }));
            }
            ClockTrouble::Drift => {
                self.period[position(node)] = self.stream.between(TICK * 7 / 10, TICK * 15 / 10);
            }
        }
    }

    /// The time between two ticks of a node.
    pub(super) fn period(&self, node: NodeId, world: &World) -> Time {
        let period = self.period[position(node)];
        let leads = |replica: &Replica| replica.is_up() && replica.view().soft_state.role == Role::Leader;
        match self.plan.leader_pace.filter(|_| world.replica(node).is_some_and(leads)) {
            Some(pace) => (period / pace).max(1),
            None => period,
        }
    }

    /// When the node goes on, if it stands still.
    fn resumes(&self, node: NodeId, now: Time) -> Option<Time> {
        self.paused_until.get(position(node)).copied().filter(|until| now < *until)
    }

    /// What becomes of an intent that is due at a node that stands still: when it happens, and as what.
    pub(super) fn postpones(&self, intent: Intent, world: &World, now: Time) -> Option<(Time, Intent)> {
        if now >= self.latest {
            return None;
        }
        match intent {
            Intent::Tick(node) | Intent::LateTick(node) => Some((self.resumes(node, now)?, Intent::LateTick(node))),
            Intent::Host(node, _) => Some((self.resumes(node, now)?, intent)),
            Intent::Deliver(message) => {
                let to = world.network().get(message).map(Envelope::to)?;
                Some((self.resumes(to, now)?, intent))
            }
            Intent::Lose(_)
            | Intent::Double(_)
            | Intent::Flood(..)
            | Intent::Client(_)
            | Intent::Fault(_)
            | Intent::Disk(_)
            | Intent::SlowDisk(..)
            | Intent::FreeDisk(_)
            | Intent::Clock(_)
            | Intent::Restart(_)
            | Intent::Heal
            | Intent::EndBurst
            | Intent::BeginBurst
            | Intent::ChangeMembers
            | Intent::ChangeForeign
            | Intent::Clog
            | Intent::Flap
            | Intent::Toggle => None,
        }
    }

    /// Whether nobody takes a request, because the node stands still.
    pub(super) fn finds_nobody(&self, event: &Event, now: Time) -> bool {
        if now >= self.latest {
            return false;
        }
        match event {
            Event::Propose { node, .. }
            | Event::ProposeConfChange { node, .. }
            | Event::TransferLeadership { node, .. }
            | Event::ForgetLeader { node }
            | Event::ReadIndex { node, .. }
            | Event::Campaign { node } => self.resumes(*node, now).is_some(),
            _ => false,
        }
    }

    /// The fault burst ends: all clocks run as planned, and everybody goes on.
    pub(super) fn end_burst(&mut self) {
        self.healed = true;
        self.period.clone_from(&self.planned);
        self.paused_until.fill(0);
        self.latest = 0;
    }

    /// The next fault burst begins.
    pub(super) fn begin_burst(&mut self) {
        self.healed = false;
    }
}
