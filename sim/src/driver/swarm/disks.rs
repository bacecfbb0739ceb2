//! Disks that fail, fill up, slow down, or do not keep what they were given.
//!
//! Damage stays within a budget: every membership is left a quorum of nodes whose disks nobody touched. A damaged part
//! may never be read again, but the budget counts it all the same.
//!
//! A disk that is lost takes with it what its node promised, and Raft has no way to live with that: a node that forgot
//! its vote votes twice, and what it acknowledged may be missing from every quorum. So it only
//! [happens](Swarm::forgettable) to a node whose promises nobody relies on. It comes back under its old name, and
//! nobody counts on it any more. A node with the log of another cluster comes back with what it had at first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use raft::{ConfState, HardState, NodeId};

#[cfg(doc)]
use super::Swarm;
use super::event_queue::EventQueue;
use super::intent::{DiskTrouble, Intent};
use super::position;
use crate::disk::{DiskFault, Keep};
use crate::plan::{DiskPlan, Plan, TICK, Time};
use crate::random::{Concern, Stream};
use crate::wal::SECTOR;
use crate::world::{Event, EventKind, Replica, World};

/// The disks.
#[derive(Clone, Debug)]
pub(super) struct Disks {
    plan: DiskPlan,
    stream: Stream,
    healed: bool,
    /// For each node until when its disk is slow.
    slow_until: Vec<Time>,
    /// For each node whose disk was copied, what it knew then.
    copied: BTreeMap<NodeId, Copied>,
}

/// What a node knew when its disk was copied.
#[derive(Clone, PartialEq, Debug)]
struct Copied {
    hard_state: HardState,
    membership: ConfState,
}

impl Copied {
    /// What the node knows now and must not forget. The commit index may be forgotten.
    fn now(replica: &Replica) -> Option<Self> {
        let hard_state = HardState { commit: raft::Index::ZERO, ..replica.view().hard_state };
        Some(Self { hard_state, membership: replica.node()?.configuration().conf_state() })
    }
}

impl Disks {
    /// How many of a thousand snapshots find a disk full that may fill up.
    const FULL: u64 = 200;

    pub(super) fn new(plan: &Plan) -> Self {
        let stream = Stream::new(plan.seed, Concern::Disks);
        let slow_until = vec![0; plan.cluster.options.len()];
        Self { plan: plan.disks.clone(), stream, healed: false, slow_until, copied: BTreeMap::new() }
    }

    pub(super) fn begin(&mut self, queue: &mut EventQueue) {
        for trouble in DiskTrouble::ALL {
            self.plan_next(trouble, queue);
        }
    }

    fn plan_next(&mut self, trouble: DiskTrouble, queue: &mut EventQueue) {
        let mean = match trouble {
            DiskTrouble::FailSync => self.plan.fail_sync,
            DiskTrouble::Fill => self.plan.fill,
            DiskTrouble::Slow => self.plan.slow,
            DiskTrouble::Damage => self.plan.damage,
            DiskTrouble::Loss => self.plan.loss,
        };
        if let Some(mean) = mean {
            queue.after(self.stream.between(1, 2 * mean), Intent::Disk(trouble));
        }
    }

    /// How much longer this node's disk takes for each write and each fsync, on average.
    pub(super) fn slowness(&self, node: NodeId, now: Time) -> Time {
        if self.slow_for(node, now) > 0 { self.plan.slowness } else { 0 }
    }

    /// How long this node's disk stays slow. Its answers may be held up as long.
    pub(super) fn slow_for(&self, node: NodeId, now: Time) -> Time {
        self.slow_until[position(node)].saturating_sub(now)
    }

    /// A node's disk is slow from now on, for this length of time.
    pub(super) fn slow_down(&mut self, node: NodeId, length: Time, now: Time) {
        self.slow_until[position(node)] = now + length;
    }

    /// Lets this trouble happen, unless all is healed, and plans the next of its kind.
    pub(super) fn strike(
        &mut self,
        trouble: DiskTrouble,
        world: &World,
        dispensable: &BTreeSet<NodeId>,
        queue: &mut EventQueue,
        at_once: &mut VecDeque<Event>,
    ) {
        self.plan_next(trouble, queue);
        let up: Vec<&Replica> = world.replicas().filter(|replica| replica.is_up()).collect();
        if self.healed || up.is_empty() {
            return;
        }
        let replica = *self.stream.pick(&up);
        let node = replica.id();
        match trouble {
            DiskTrouble::FailSync => {
                let forgets = self.stream.chance(500);
                let fault = if forgets { DiskFault::ForgetSync } else { DiskFault::FailSync };
                at_once.push_back(Event::DiskFault { node, fault });
            }
            DiskTrouble::Fill => {
                let room = self.stream.magnitude(1, 4096);
                self.fill(node, room, queue, at_once);
            }
            DiskTrouble::Slow => {
                let length = self.stream.magnitude(TICK, 60 * TICK);
                self.slow_down(node, length, queue.now());
            }
            DiskTrouble::Damage if dispensable.contains(&node) => self.damage(replica, queue, at_once),
            DiskTrouble::Loss if dispensable.contains(&node) || replica.is_foreign() => {
                self.lose(replica, queue, at_once);
            }
            DiskTrouble::Damage | DiskTrouble::Loss => {}
        }
    }

    /// A disk that may fill up is full now and then just when its node has to store a snapshot that it received.
    pub(super) fn after_event(
        &mut self,
        replica: &Replica,
        kind: EventKind,
        queue: &mut EventQueue,
        at_once: &mut VecDeque<Event>,
    ) {
        let takes = matches!(kind, EventKind::TakeReady | EventKind::Take);
        let fills = takes && !self.healed && self.plan.fill.is_some();
        if fills && receives_snapshot(replica) && self.stream.chance(Self::FULL) {
            let room = self.stream.below(SECTOR as u64);
            self.fill(replica.id(), room, queue, at_once);
        }
    }

    fn fill(&mut self, node: NodeId, room: u64, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        at_once.push_back(Event::DiskFault { node, fault: DiskFault::Fill { room } });
        queue.after(self.stream.between(TICK, 60 * TICK), Intent::FreeDisk(node));
    }

    /// Damages the newest file. Mostly the node crashes as well, so that it has to read what it has stored.
    fn damage(&mut self, replica: &Replica, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        let node = replica.id();
        let Some((file, bytes)) = replica.disk().newest_durable() else { return };
        let fault = if self.stream.chance(700) {
            DiskFault::FlipBit { file, bit: self.stream.below(8 * bytes) }
        } else {
            let blocks = bytes.div_ceil(SECTOR as u64);
            DiskFault::MisplaceBlock { file, from: self.stream.below(blocks), to: self.stream.below(blocks) }
        };
        at_once.push_back(Event::DiskFault { node, fault });
        if self.stream.chance(800) {
            at_once.push_back(Event::Crash { node, keep: Keep::Nothing });
            queue.after(self.stream.between(1, 10 * TICK), Intent::Restart(node));
        }
    }

    /// Copies a disk for later, or replaces it: with the copy, if the node's vote and membership have not changed
    /// since, or else with an empty one.
    fn lose(&mut self, replica: &Replica, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        let node = replica.id();
        let knows = Copied::now(replica);
        let is_good = knows.is_some() && self.copied.get(&node) == knows.as_ref();
        let fault = match self.stream.below(3) {
            0 => DiskFault::BackUp,
            1 if is_good => DiskFault::PutBack,
            _ => DiskFault::Lose,
        };
        if fault.replaces() {
            at_once.push_back(Event::Crash { node, keep: Keep::Nothing });
            queue.after(self.stream.between(1, 10 * TICK), Intent::Restart(node));
        } else if let Some(knows) = knows.filter(|knows| is_durable(replica, knows.hard_state)) {
            self.copied.insert(node, knows);
        } else {
            self.copied.remove(&node);
        }
        at_once.push_back(Event::DiskFault { node, fault });
    }

    /// A node stopped because its disk failed: somebody will look after it.
    pub(super) fn stopped(&mut self, node: NodeId, queue: &mut EventQueue) {
        queue.after(self.stream.between(1, 60 * TICK), Intent::Restart(node));
    }

    /// Where an fsync was about to fail, the power fails at once: that leaves the node as the failed fsync would.
    pub(super) fn fail_now(world: &World, at_once: &mut VecDeque<Event>) {
        let failing = world.replicas().filter(|replica| replica.is_up() && replica.disk().fails_next_sync());
        at_once.extend(failing.map(|replica| Event::Crash { node: replica.id(), keep: Keep::Nothing }));
    }

    /// Full disks have room again.
    pub(super) fn free(&self, world: &World, at_once: &mut VecDeque<Event>) {
        let full = world.replicas().filter(|replica| replica.disk().is_limited());
        at_once.extend(full.map(|replica| Event::DiskFault { node: replica.id(), fault: DiskFault::Free }));
    }

    /// The fault burst ends: no disk is full or slow.
    pub(super) fn end_burst(&mut self, world: &World, at_once: &mut VecDeque<Event>) {
        self.healed = true;
        self.slow_until.fill(0);
        self.free(world, at_once);
    }

    /// The next fault burst begins.
    pub(super) fn begin_burst(&mut self) {
        self.healed = false;
    }
}

/// Whether the node has just handed out a snapshot that it received.
fn receives_snapshot(replica: &Replica) -> bool {
    replica.ready().is_some_and(|ready| ready.snapshot.is_some())
        || replica.appends().last().is_some_and(|append| append.snapshot.is_some())
}

/// Whether no crash makes the node forget this term and vote.
fn is_durable(replica: &Replica, HardState { term, vote, .. }: HardState) -> bool {
    let kept = replica.after_worst_crash().map(|recovered| recovered.hard_state);
    kept.is_some_and(|kept| (kept.term, kept.vote) == (term, vote))
}
