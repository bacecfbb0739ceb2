//! The driver that a seed steers: clients at work on a cluster in which things go wrong.
//!
//! A [`Plan`] says how much of what happens; this driver lets it happen in simulated time. It looks at the world from
//! outside and hands it one event after another.

mod budget;
mod clients;
mod clocks;
mod core;
mod disks;
mod event_queue;
mod faults;
mod foreign;
mod hosts;
mod intent;
mod leader_isolation;
mod links;
mod members;
mod record;
mod settle;
mod stranding;
mod take_over;
mod traffic;

use std::collections::{BTreeSet, VecDeque};

use raft::{ConfState, Index, NodeId};

use self::clients::Clients;
use self::clocks::Clocks;
use self::disks::Disks;
use self::event_queue::EventQueue;
use self::faults::Faults;
use self::foreign::Foreign;
use self::hosts::Hosts;
use self::intent::{DiskTrouble, Fault, Intent};
use self::members::Members;
pub use self::record::{Recorded, record, record_from, record_hang, record_hang_from};
use self::settle::Settling;
use self::take_over::TakenOver;
use self::traffic::Traffic;
use crate::disk::DiskFault;
use crate::driver::{Stop, apply};
use crate::invariant::Violation;
use crate::plan::{Plan, Time, node_id};
use crate::random::{Concern, Stream};
use crate::trace::Ending;
use crate::world::{Boot, Event, Outcome, Refusal, Replica, World};

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The world as it was left.
    pub world: World,
    /// What was violated, if anything was.
    pub violation: Option<Violation>,
    /// How many events were chosen that did not fit the world, and so did not happen.
    pub inapplicable: u64,
    /// The simulated time at the end.
    pub time: u64,
}

/// Runs a plan to its end or to the first violation. `record` sees every event that happens, in order, the violating one
/// included.
///
/// # Panics
/// Where the code under test does: an assertion of its own failed.
///
/// ```
/// use sim::driver::swarm::run;
/// use sim::plan::{Overrides, Plan};
/// let plan = Plan::draw(1, &Overrides { steps: Some(500), no_settle: true, ..Overrides::default() });
/// let mut events = 0;
/// let ended = run(&plan, |_| events += 1);
/// assert_eq!((ended.violation, ended.world.step(), events), (None, 500, 500));
/// ```
pub fn run(plan: &Plan, record: impl FnMut(&Event)) -> Ended {
    run_in(&World::new(), plan, record)
}

/// The same, in a copy of this world: with what a user brings.
///
/// # Panics
/// As [`run`].
pub fn run_in(world: &World, plan: &Plan, record: impl FnMut(&Event)) -> Ended {
    match run_to_end_in(world, plan, record) {
        (ended, Ending::Completed | Ending::Violation(_)) => ended,
        (_, Ending::Panic(message)) => panic!("{message}"),
        (_, Ending::Hang(_)) => unreachable!("a run that hangs does not end"),
    }
}

/// Runs a plan as [`run`] does; an assertion of the code under test that fails ends it as a violation would.
pub fn run_to_end(plan: &Plan, record: impl FnMut(&Event)) -> (Ended, Ending) {
    run_to_end_in(&World::new(), plan, record)
}

/// The same, in a copy of this world: with what a user brings.
pub fn run_to_end_in(world: &World, plan: &Plan, mut record: impl FnMut(&Event)) -> (Ended, Ending) {
    let mut swarm = Swarm::new_in(world, plan);
    let ending = loop {
        if let Some(ending) = swarm.go_on(&mut record) {
            break ending;
        }
    };
    (swarm.end(&ending), ending)
}

/// A run under way.
#[derive(Clone, Debug)]
pub struct Swarm<'a> {
    plan: &'a Plan,
    world: World,
    queue: EventQueue,
    /// What happens at once, before anything else in the queue.
    at_once: VecDeque<Event>,
    elections: Stream,
    hosts: Hosts,
    traffic: Traffic,
    clients: Clients,
    faults: Faults,
    disks: Disks,
    clocks: Clocks,
    members: Members,
    foreign: Foreign,
    taken_over: TakenOver,
    inapplicable: u64,
    /// The second phase, once it has begun.
    settling: Option<Settling>,
    /// Whether the second phase is over.
    judged: bool,
}

impl<'a> Swarm<'a> {
    /// A run of this plan, before its first event.
    pub fn new(plan: &'a Plan) -> Self {
        Self::new_in(&World::new(), plan)
    }

    /// The same, in a copy of this world: with what a user brings. Where something has happened there, the run goes on from it;
    /// the plan [fits](Plan::fit) it.
    pub fn new_in(world: &World, plan: &'a Plan) -> Self {
        let mut swarm = Self {
            plan,
            world: world.clone(),
            queue: EventQueue::default(),
            at_once: VecDeque::new(),
            elections: Stream::new(plan.seed, Concern::Elections),
            hosts: Hosts::new(plan),
            traffic: Traffic::new(plan),
            clients: Clients::new(plan),
            faults: Faults::new(plan),
            disks: Disks::new(plan),
            clocks: Clocks::new(plan),
            members: Members::new(plan),
            foreign: Foreign::new(plan),
            taken_over: TakenOver::new(world, plan),
            inapplicable: 0,
            settling: None,
            judged: false,
        };
        if world.replicas().next().is_none() {
            swarm.start_cluster();
        } else {
            swarm.take_over();
        }
        swarm.clients.begin(&mut swarm.queue);
        swarm.faults.begin(&mut swarm.queue);
        swarm.members.begin(&mut swarm.queue);
        swarm.foreign.begin(&mut swarm.queue);
        swarm.traffic.links.begin(&mut swarm.queue);
        swarm.disks.begin(&mut swarm.queue);
        swarm.clocks.begin(&mut swarm.queue);
        swarm
    }

    /// The world as it is.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The simulated time.
    pub(in crate::driver) const fn now(&self) -> Time {
        self.queue.now()
    }

    /// Lets this event happen before whatever comes next, if it fits then.
    pub(in crate::driver) fn interpose(&mut self, event: Event) {
        self.at_once.push_back(event);
    }

    /// Lets one more event of the plan happen. Returns how the run ended, once it has.
    pub fn go_on(&mut self, record: &mut impl FnMut(&Event)) -> Option<Ending> {
        let ending = if self.world.step() < self.plan.steps {
            self.step(record)
        } else if self.plan.settles && !self.judged {
            self.settle(record)
        } else {
            return Some(Ending::Completed);
        };
        (ending != Ending::Completed).then_some(ending)
    }

    /// The run as it ended.
    pub fn end(self, ending: &Ending) -> Ended {
        let Self { world, inapplicable, queue, .. } = self;
        let violation = match ending {
            Ending::Violation(violation) => Some(violation.clone()),
            Ending::Completed | Ending::Panic(_) | Ending::Hang(_) => None,
        };
        Ended { world, violation, inapplicable, time: queue.now() }
    }

    /// Chooses events until one fits, and lets it happen. Returns how the run ends with it, if it does.
    pub fn step(&mut self, record: &mut impl FnMut(&Event)) -> Ending {
        loop {
            let event = self.next_event();
            if self.clocks.finds_nobody(&event, self.queue.now()) {
                continue;
            }
            match apply(&mut self.world, &event) {
                Ok(outcome) => {
                    record(&event);
                    self.follow_up(&event, &outcome);
                    return Ending::Completed;
                }
                Err(Stop::Inapplicable(_)) => self.inapplicable += 1,
                Err(Stop::Broken(ending)) => {
                    record(&event);
                    return ending;
                }
            }
        }
    }

    fn start_cluster(&mut self) {
        let cluster = &self.plan.cluster;
        let members: Vec<NodeId> = (1..=cluster.nodes).map(node_id).collect();
        let boot = if cluster.from_snapshot {
            let (voters, learners) = members.split_at((cluster.nodes - cluster.learners) as usize);
            let [voters, learners] = [voters, learners].map(|ids| ids.iter().copied().collect::<BTreeSet<NodeId>>());
            Boot::Snapshot { index: Index(1), conf_state: ConfState { voters, learners, ..ConfState::default() } }
        } else {
            Boot::Peers(members.clone())
        };
        for node in members {
            let start = self.start(node, boot.clone());
            self.at_once.push_back(start);
        }
        if cluster.breaks_leases() {
            self.at_once.push_back(Event::BreakLeases);
        }
    }

    fn start(&mut self, node: NodeId, boot: Boot) -> Event {
        let options = self.plan.cluster.options[position(node)].clone().as_accepted();
        self.queue.after(self.plan.cluster.tick[position(node)], Intent::Tick(node));
        Event::Start { node, boot, options, seed: Some(self.elections.number()) }
    }

    fn next_event(&mut self) -> Event {
        if self.world.step() + 1 == self.plan.steps {
            return Event::SearchHistories;
        }
        loop {
            if let Some(event) = self.at_once.pop_front() {
                return event;
            }
            let intent = self.queue.next().expect("clocks tick for ever");
            if self.is_postponed(intent) {
                continue;
            }
            if let Some(event) = self.happen(intent) {
                return event;
            }
        }
    }

    /// Whether this has to wait until a node that stands still goes on. The node's clock goes on meanwhile.
    fn is_postponed(&mut self, intent: Intent) -> bool {
        let Some((resumes, late)) = self.clocks.postpones(intent, &self.world, self.queue.now()) else { return false };
        self.queue.at(resumes, late);
        if let Intent::Tick(node) = intent {
            self.queue.after(self.clocks.period(node, &self.world), intent);
        }
        true
    }

    fn happen(&mut self, intent: Intent) -> Option<Event> {
        match intent {
            Intent::Tick(node) => {
                self.queue.after(self.clocks.period(node, &self.world), intent);
                self.at_once.extend(self.taken_over.waits_otherwise(node, &self.world));
                self.is_up(node).then_some(Event::Tick { node })
            }
            Intent::LateTick(node) => self.is_up(node).then_some(Event::Tick { node }),
            Intent::Host(node, step) => self.hosts.event(node, step, &self.world, &mut self.at_once),
            Intent::Deliver(message) if self.traffic.waits(message, &self.world, &mut self.queue) => None,
            Intent::Deliver(message) => {
                if let Some(sender) = self.traffic.before_delivery(message, &self.world, &mut self.at_once) {
                    self.hosts.renew_snapshot(sender, &mut self.queue);
                }
                Some(Event::Deliver { message })
            }
            Intent::Lose(message) => {
                self.traffic.before_loss(message, &self.world, &mut self.at_once);
                Some(Event::Drop { message })
            }
            Intent::Double(message) => Some(Event::Duplicate { message }),
            // In the second phase nobody makes trouble any more.
            Intent::Client(_)
            | Intent::Flood(..)
            | Intent::Fault(_)
            | Intent::Disk(_)
            | Intent::SlowDisk(..)
            | Intent::Clock(_)
            | Intent::EndBurst
            | Intent::BeginBurst
            | Intent::ChangeMembers
            | Intent::ChangeForeign
            | Intent::Clog
            | Intent::Flap
            | Intent::Toggle
                if self.settling.is_some() =>
            {
                None
            }
            Intent::Client(client) => self.clients.ask(client, &self.world, &mut self.queue),
            Intent::Flood(node, entries) => self.clients.flood(node, entries, &self.world, &mut self.queue),
            Intent::Fault(fault) => {
                let dispensable = if fault == Fault::NodeLoss { self.dispensable() } else { BTreeSet::new() };
                self.faults.strike(fault, &self.world, &dispensable, &mut self.queue, &mut self.at_once);
                None
            }
            Intent::Disk(trouble) => {
                let dispensable = match trouble {
                    DiskTrouble::Loss => self.forgettable(),
                    DiskTrouble::Damage => self.dispensable(),
                    DiskTrouble::FailSync | DiskTrouble::Fill | DiskTrouble::Slow => BTreeSet::new(),
                };
                self.disks.strike(trouble, &self.world, &dispensable, &mut self.queue, &mut self.at_once);
                None
            }
            Intent::SlowDisk(node, length) => {
                self.disks.slow_down(node, length, self.queue.now());
                None
            }
            Intent::FreeDisk(node) => {
                let limited = self.world.replica(node).is_some_and(|replica| replica.disk().is_limited());
                limited.then_some(Event::DiskFault { node, fault: DiskFault::Free })
            }
            Intent::Clock(trouble) => {
                self.clocks.strike(trouble, &self.world, &mut self.queue, &mut self.at_once);
                None
            }
            Intent::Restart(node) if self.stays_down(node) => None,
            Intent::Restart(node) => {
                let options = self.faults.options_after_restart(node, &self.world);
                Some(Event::Restart { node, options, seed: Some(self.elections.number()) })
            }
            Intent::Heal if self.has_core() => None,
            Intent::Heal => {
                self.faults.heal_or_cut_elsewhere(&self.world, &mut self.queue, &mut self.at_once);
                None
            }
            Intent::EndBurst => {
                self.traffic.set_healed(true, &mut self.at_once);
                self.disks.end_burst(&self.world, &mut self.at_once);
                self.clocks.end_burst();
                self.faults.end_burst(&self.world, &mut self.queue, &mut self.at_once);
                None
            }
            Intent::BeginBurst => {
                self.traffic.set_healed(false, &mut self.at_once);
                self.disks.begin_burst();
                self.clocks.begin_burst();
                self.faults.begin_burst(&mut self.queue);
                None
            }
            Intent::ChangeMembers => self.change_members(),
            Intent::ChangeForeign => self.change_foreign(),
            Intent::Clog => {
                self.traffic.links.clog(&self.world, &mut self.queue);
                None
            }
            Intent::Flap => {
                self.traffic.links.flap(&self.world, &mut self.queue);
                None
            }
            Intent::Toggle => {
                self.traffic.links.toggle(&mut self.queue, &mut self.at_once);
                None
            }
        }
    }

    fn change_members(&mut self) -> Option<Event> {
        let lost = self.lost();
        let (node, change) = self.members.change(&self.world, &lost, &mut self.queue)?;
        // Two changes that each leave a quorum may not do so together. Where nothing is lost, any number may be under way.
        if !lost.is_empty() && self.expects_change() {
            return None;
        }
        for added in self.members.to_start(&change, &self.world) {
            let start = self.start(added, Boot::Empty);
            self.at_once.push_back(start);
        }
        self.at_once.push_back(Event::ProposeConfChange { node, change });
        None
    }

    fn change_foreign(&mut self) -> Option<Event> {
        let (node, change) = self.foreign.change(&self.world, &mut self.queue)?;
        if !self.lost().is_empty() && self.expects_change() {
            return None;
        }
        if let Some((foreign, boot)) = self.foreign.boot(&self.world) {
            let start = self.start(foreign, boot);
            self.at_once.push_back(start);
        }
        self.at_once.push_back(Event::ProposeConfChange { node, change });
        None
    }

    fn follow_up(&mut self, event: &Event, outcome: &Outcome) {
        if let Some(settling) = &mut self.settling {
            settling.note(event, outcome, &self.world, self.queue.now());
        }
        if let (Some(node), Some(Refusal::Disk(_))) = (outcome.node, &outcome.refused) {
            self.disks.stopped(node, &mut self.queue);
        }
        let slow_for = outcome.node.map_or(0, |node| self.disks.slow_for(node, self.queue.now()));
        if let Event::Restart { node, .. } = event {
            self.taken_over.restarts(*node);
        }
        for message in outcome.newly_in_flight() {
            self.traffic.route(message, slow_for, &self.world, &mut self.queue);
        }
        if let Some(node) = outcome.node
            && let Some(replica) = self.world.replica(node)
        {
            let slowness = self.disks.slowness(node, self.queue.now());
            self.hosts.plan_work(replica, event, slowness, &mut self.queue);
            self.disks.after_event(replica, event.kind(), &mut self.queue, &mut self.at_once);
            self.faults.after_event(node, event.kind(), &self.world, &mut self.queue, &mut self.at_once);
        }
    }

    /// Whether a node is lost for good, or left as it is in the second phase.
    fn stays_down(&self, node: NodeId) -> bool {
        self.faults.gone().contains(&node) || self.is_left_alone(node)
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.world.replica(node).is_some_and(|replica| replica.is_up())
    }
}

/// Where a node stands in the lists of the plan.
fn position(node: NodeId) -> usize {
    usize::try_from(node.get() - 1).expect("nodes are few")
}

/// Who leads, by identity.
fn leader(world: &World) -> Option<NodeId> {
    world.leader().map(Replica::id)
}

/// Any node of the cluster that ever started, up or down.
fn any_node(world: &World, stream: &mut Stream) -> Option<NodeId> {
    let count = world.native_replicas().count() as u64;
    world.native_replicas().nth(usize::try_from(stream.below(count)).ok()?).map(|replica| replica.id())
}
