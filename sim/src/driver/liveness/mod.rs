//! What happens once faults are over: [`Event::ExpectLiveness`], event by event, in a way that the state alone decides.
//!
//! All links work again, nodes come back, disks have room, operators do what the protocol leaves to them, hosts do
//! their work at once, and messages arrive in the order in which they were sent, long before the next clock ticks.
//! Clocks tick one after another. While nobody leads, one clock at a time is faster than the others, so that everybody
//! who may lead gets a chance to, and elections do not fail for ever because timeouts happen to be the same.
//!
//! This ends when the cluster has converged, or when it has come no nearer to that for so long that it has to be
//! [judged](World::stalled). A cluster that still gets nearer when the longest time is over is not judged.

mod operators;
mod progress;

use std::collections::{BTreeSet, VecDeque};

use raft::{ConfChange, NodeId, Storage, VoteResult};

pub(crate) use self::operators::{Operators, members_down};
pub(crate) use self::progress::Progress;
use crate::disk::{DiskFault, Keep};
use crate::invariant::Violation;
use crate::panics::caught;
use crate::world::consensus::Node;
use crate::world::{Event, Halt, Inapplicable, MessageId, Refusal, Replica, World};

/// Checks that the cluster would converge if faults ended now, for these nodes or for all. The world stays as it is.
///
/// # Errors
/// Inapplicable where these nodes are no quorum, or the cluster stalls for lack of one. A violation where it stalls
/// although it has one, or breaks something on the way; the violation bears the step that the world has reached.
pub(super) fn check(world: &World, core: Option<&BTreeSet<NodeId>>) -> Result<(), Halt> {
    let mut nodes = world.native_replicas().filter_map(Replica::node);
    if core.is_some_and(|core| nodes.any(is_changing) || !is_quorum(core, world)) {
        return Err(Inapplicable::NoQuorum.into());
    }
    Phase::new(world.clone(), core, &mut |_| {}).run().map_err(|halt| match halt {
        Halt::Violation(violation) => violation.at(world.step()).into(),
        Halt::Inapplicable(reason) => reason.into(),
    })
}

/// The events of the liveness phase that `event` expects to end well, up to where the cluster is judged or breaks
/// something; `None` if it expects none. Some of them may not fit.
pub(crate) fn events_of(event: &Event, world: &World) -> Option<Vec<Event>> {
    let Event::ExpectLiveness { core } = event else { return None };
    let mut events = Vec::new();
    let mut record = |event: &Event| events.push(event.clone());
    let phase = Phase::new(world.clone(), core.as_ref(), &mut record);
    // Whoever runs the events finds the failure again.
    drop(caught(|| phase.run()));
    Some(events)
}

/// Whether these nodes are a quorum of every configuration in force, and there is one.
fn is_quorum(nodes: &BTreeSet<NodeId>, world: &World) -> bool {
    let exists = |voter| nodes.contains(&voter) && world.replica(voter).is_some();
    let configurations = world.native_replicas().filter_map(Replica::node).map(|node| node.configuration().voters());
    let mut configurations = configurations.filter(|voters| voters.ids().next().is_some()).peekable();
    configurations.peek().is_some()
        && configurations.all(|voters| voters.vote_result(|voter| Some(exists(voter))) == VoteResult::Won)
}

/// Whether a node's configuration is joint, or about to change. If so, a quorum of now need not be one later.
fn is_changing(node: &dyn Node) -> bool {
    node.configuration().is_joint() || expects_change(node)
}

/// Whether a change that the node has not applied is in its log, or may be there.
pub(crate) fn expects_change(node: &dyn Node) -> bool {
    unapplied_changes(node).is_none_or(|mut changes| changes.next().is_some())
}

/// The changes of the membership in a node's log that it has not applied. `None` where part of the log is not stored yet, and
/// may hold some.
fn unapplied_changes(node: &dyn Node) -> Option<impl Iterator<Item = ConfChange>> {
    let status = node.status().view;
    let unapplied = node.storage().stored().rev().take_while(move |entry| entry.index > status.applied);
    // An entry that is stored there may be of an earlier term, and about to be overwritten.
    let is_stored = node.storage().last_index() == status.last.index
        && node.storage().term(status.last.index) == Ok(status.last.term);
    is_stored.then(|| unapplied.filter_map(|entry| entry.conf_change().ok().flatten()))
}

/// A liveness phase that is going on.
struct Phase<'a> {
    world: World,
    /// The nodes that are healed, if not all.
    core: Option<&'a BTreeSet<NodeId>>,
    record: &'a mut dyn FnMut(&Event),
    operators: Operators,
    /// The nodes whose disks have failed since the operators last looked.
    stopped: Vec<NodeId>,
    /// How many ticks of the fastest clock have passed.
    now: u64,
    progress: Progress,
    /// When progress was last made.
    moved: u64,
}

impl<'a> Phase<'a> {
    /// How many ticks pass between two looks of the operators.
    const ROUND: u64 = 5;
    /// For how many election timeouts one node's clock is the fastest.
    const TURN: u64 = 6;
    /// How many times slower the others are then.
    const SLOWNESS: u64 = 4;
    /// How many times, at most, all messages in flight arrive before the next clock ticks.
    const EXCHANGES: usize = 4;
    /// The most steps that a host takes in a row, in case work makes more work.
    const WORK: usize = 200;
    /// The longest time, as a multiple of [`patience`](Self::patience).
    const LONGEST: u64 = 20;

    fn new(world: World, core: Option<&'a BTreeSet<NodeId>>, record: &'a mut dyn FnMut(&Event)) -> Self {
        let operators = Operators::new("liveness");
        Self { world, core, record, operators, stopped: Vec::new(), now: 0, progress: Progress::default(), moved: 0 }
    }

    /// Goes on until the cluster has converged, or has to be judged.
    fn run(mut self) -> Result<(), Halt> {
        self.begin()?;
        loop {
            if self.now.is_multiple_of(Self::ROUND) {
                if self.operators.are_content(&self.world) {
                    return self.judge();
                }
                // A node that was down needs some time to come back before anybody is judged.
                if self.now >= 2 * Self::ROUND {
                    self.operate()?;
                }
            }
            if self.progress.is_made(&self.world, self.operators.have_written()) {
                self.moved = self.now;
            }
            if self.now > self.moved + self.patience() {
                return self.judge();
            }
            if self.now > Self::LONGEST * self.patience() {
                return Ok(());
            }
            self.tick()?;
        }
    }

    fn judge(&mut self) -> Result<(), Halt> {
        let up = self.world.replicas().filter(|replica| replica.is_up()).map(Replica::id).collect();
        if !self.operators.are_content(&self.world) && !is_quorum(&up, &self.world) {
            return Err(Inapplicable::NoQuorum.into());
        }
        let expectation = self.operators.expectation(&self.world);
        Ok(self.apply(&expectation)?)
    }

    /// Faults end.
    fn begin(&mut self) -> Result<(), Violation> {
        let healed: Vec<NodeId> = self.world.replicas().map(Replica::id).filter(|node| self.is_healed(*node)).collect();
        let links = healed.iter().flat_map(|from| healed.iter().map(move |to| (*from, *to)));
        let cut = links.filter(|(from, to)| from != to && self.world.network().is_cut(*from, *to));
        let mut at_once: VecDeque<Event> = cut.map(|(from, to)| Event::HealLink { from, to }).collect();
        let full = self.world.replicas().filter(|replica| replica.disk().is_limited());
        at_once.extend(full.map(|replica| Event::DiskFault { node: replica.id(), fault: DiskFault::Free }));
        let down = healed.iter().filter(|node| self.world.replica(**node).is_some_and(|replica| !replica.is_up()));
        at_once.extend(down.map(|node| restart(*node)));
        // An fsync that is about to fail does so now: later nobody would expect it.
        let fails = |node: &&NodeId| self.world.replica(**node).is_some_and(|replica| replica.disk().fails_next_sync());
        let failing = healed.iter().filter(fails);
        at_once.extend(failing.flat_map(|node| [Event::Crash { node: *node, keep: Keep::Nothing }, restart(*node)]));
        Operators::begin(&self.world, &mut at_once);
        self.all(at_once)
    }

    fn is_healed(&self, node: NodeId) -> bool {
        self.core.is_none_or(|core| core.contains(&node))
    }

    fn operate(&mut self) -> Result<(), Violation> {
        let stopped = std::mem::take(&mut self.stopped);
        let down: BTreeSet<NodeId> = stopped.into_iter().chain(members_down(&self.world)).collect();
        let mut at_once = VecDeque::new();
        self.operators.look(&self.world, self.now, self.patience(), &mut at_once);
        at_once.extend(down.into_iter().filter(|node| self.is_healed(*node)).map(restart));
        self.all(at_once)
    }

    /// Time enough for everybody who may lead to get a turn, and more.
    fn patience(&self) -> u64 {
        let up = self.world.replicas().filter(|replica| replica.is_up()).count() as u64;
        (up + 4) * self.turn()
    }

    fn turn(&self) -> u64 {
        let timeouts = self.world.replicas().map(|replica| replica.options().election_tick);
        Self::TURN * u64::from(timeouts.max().unwrap_or(1))
    }

    /// One tick of every clock, or of those that are not slow.
    fn tick(&mut self) -> Result<(), Violation> {
        let up: Vec<NodeId> = self.world.replicas().filter(|replica| replica.is_up()).map(Replica::id).collect();
        let favoured = usize::try_from(self.now / self.turn()).unwrap_or(0) % up.len().max(1);
        let all = self.world.leader().is_some() || self.now.is_multiple_of(Self::SLOWNESS);
        for (position, node) in up.into_iter().enumerate() {
            if all || position == favoured {
                self.apply(&Event::Tick { node })?;
                self.exchange()?;
            }
        }
        self.now += 1;
        Ok(())
    }

    /// Hosts work, and messages arrive, until nothing is left to do or it goes on for too long.
    fn exchange(&mut self) -> Result<(), Violation> {
        for _ in 0..Self::EXCHANGES {
            self.work()?;
            if self.world.network().in_flight() == 0 {
                break;
            }
            self.deliver()?;
        }
        self.work()
    }

    fn work(&mut self) -> Result<(), Violation> {
        let nodes: Vec<NodeId> =
            self.world.replicas().filter(|replica| !replica.to_do().is_empty()).map(Replica::id).collect();
        for node in nodes {
            for _ in 0..Self::WORK {
                let Some(event) = self.world.replica(node).and_then(next_work) else { break };
                self.apply(&event)?;
            }
        }
        Ok(())
    }

    /// All messages in flight arrive, in the order in which they were sent. A node without room gets the rest later.
    fn deliver(&mut self) -> Result<(), Violation> {
        let in_flight = self.world.network().iter().map(|(message, envelope)| (message, envelope.to()));
        let in_flight: Vec<(MessageId, NodeId)> = in_flight.collect();
        let mut full = BTreeSet::new();
        for (message, to) in in_flight {
            if full.contains(&to) || self.world.waits_for_room(message).is_some() {
                full.insert(to);
            } else {
                self.apply(&Event::Deliver { message })?;
            }
        }
        Ok(())
    }

    fn all(&mut self, events: VecDeque<Event>) -> Result<(), Violation> {
        events.iter().try_for_each(|event| self.apply(event))
    }

    fn apply(&mut self, event: &Event) -> Result<(), Violation> {
        (self.record)(event);
        match self.world.apply(event) {
            Ok(outcome) => {
                self.progress.note(event, &outcome);
                if let (Some(node), Some(Refusal::Disk(_))) = (outcome.node, &outcome.refused) {
                    self.stopped.push(node);
                }
                self.operators.note(event, &outcome, &self.world, self.now);
                Ok(())
            }
            Err(Halt::Inapplicable(_)) => Ok(()),
            Err(Halt::Violation(violation)) => Err(violation),
        }
    }
}

/// What the host of a node does next.
fn next_work(replica: &Replica) -> Option<Event> {
    let node = replica.id();
    let turn = || replica.run_loop()?.available().next().map(|arm| Event::Take { node, arm });
    replica.to_do().next_event(node, u32::MAX).or_else(turn)
}

/// A node comes back, with timeouts of its own.
const fn restart(node: NodeId) -> Event {
    Event::Restart { node, options: None, seed: Some(node.get()) }
}
