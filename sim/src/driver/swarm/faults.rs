//! What goes wrong: bursts of faults, between which everything is healed and the cluster has to recover.

use std::collections::{BTreeSet, VecDeque};

use raft::{Entry, NodeId, ReadOnlyOption, Storage};

use super::event_queue::EventQueue;
use super::intent::{Fault, Intent};
use super::leader_isolation::LeaderIsolation;
use super::stranding::Stranding;
use super::{any_node, leader};
use crate::disk::Keep;
use crate::plan::{FaultPlan, Plan, Time};
use crate::random::{Concern, Stream};
use crate::wal::SECTOR;
use crate::world::{Event, EventKind, NodeOptions, Replica, World};

/// The faults.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    plan: FaultPlan,
    stream: Stream,
    changes_options: bool,
    /// Whether only the leader is ever cut off.
    cuts_leaders_off: bool,
    healed: bool,
    /// A crash waits for a node that is at work: between two steps of handling a Ready it has the most to lose.
    ambush: bool,
    /// The links that are cut.
    cut: Vec<(NodeId, NodeId)>,
    isolation: Option<LeaderIsolation>,
    stranding: Option<Stranding>,
    /// The nodes that are lost for good.
    gone: BTreeSet<NodeId>,
}

impl Faults {
    /// How many of a thousand steps of work end in a crash while a crash waits for one.
    const AMBUSHED: u64 = 50;
    /// How many of a thousand steps of work end in a crash while that is what runs seldom come to.
    const RARE: u64 = 150;
    /// How many of a thousand partitions are followed by another one at once.
    const ANOTHER_PARTITION: u64 = 300;

    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            plan: plan.faults.clone(),
            stream: Stream::new(plan.seed, Concern::Faults),
            changes_options: plan.cluster.changes_options,
            cuts_leaders_off: plan.clocks.leader_pace.is_some(),
            healed: false,
            ambush: false,
            cut: Vec::new(),
            isolation: None,
            stranding: None,
            gone: BTreeSet::new(),
        }
    }

    /// The links that are cut in this world are so until the partition that cut them ends.
    pub(super) fn take_over(&mut self, world: &World, queue: &mut EventQueue) {
        let nodes: Vec<NodeId> = world.replicas().map(Replica::id).collect();
        let links = nodes.iter().flat_map(|from| nodes.iter().map(|to| (*from, *to)));
        self.cut = links.filter(|(from, to)| world.network().is_cut(*from, *to)).collect();
        if self.has_cut() {
            queue.after(self.stream.between(1, 2 * self.plan.partition_length), Intent::Heal);
        }
    }

    pub(super) fn begin(&mut self, queue: &mut EventQueue) {
        queue.after(self.plan.burst, Intent::EndBurst);
        for fault in Fault::ALL {
            self.plan_next(fault, queue);
        }
    }

    const fn mean(&self, fault: Fault) -> Option<Time> {
        match fault {
            Fault::Crash => self.plan.crash,
            Fault::Partition => self.plan.partition,
            Fault::Transfer => self.plan.transfer,
            Fault::Campaign => self.plan.campaign,
            Fault::ForgetLeader => self.plan.forget_leader,
            Fault::Report => self.plan.report,
            Fault::NodeLoss => self.plan.node_loss,
        }
    }

    fn plan_next(&mut self, fault: Fault, queue: &mut EventQueue) {
        if let Some(mean) = self.mean(fault) {
            queue.after(self.stream.between(1, 2 * mean), Intent::Fault(fault));
        }
    }

    /// Lets a fault happen, unless all is healed, and plans the next of its kind.
    pub(super) fn strike(
        &mut self,
        fault: Fault,
        world: &World,
        dispensable: &BTreeSet<NodeId>,
        queue: &mut EventQueue,
        at_once: &mut VecDeque<Event>,
    ) {
        self.plan_next(fault, queue);
        if self.healed {
            return;
        }
        match fault {
            Fault::Crash if self.stream.chance(self.plan.ambush) => self.ambush = true,
            Fault::Crash => self.crash_some(world, queue, at_once),
            Fault::Partition if self.strands() => self.strand_leader(world, queue, at_once),
            Fault::Partition if self.stream.chance(self.plan.leader_isolation) => self.isolate_leaders(world, queue),
            Fault::Partition => self.partition(world, queue, at_once),
            Fault::NodeLoss => self.lose_node(world, dispensable, at_once),
            Fault::Transfer | Fault::Campaign | Fault::ForgetLeader | Fault::Report => {
                at_once.extend(self.interfere(fault, world));
            }
        }
    }

    fn crash_some(&mut self, world: &World, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        let up: Vec<NodeId> = world.replicas().filter(|replica| replica.is_up()).map(|replica| replica.id()).collect();
        if up.is_empty() {
            return;
        }
        if self.stream.chance(self.plan.crash_all) {
            for node in up {
                self.crash(node, world, queue, at_once);
            }
            return;
        }
        let leader = leader(world).filter(|_| self.stream.chance(300));
        let node = leader.unwrap_or_else(|| *self.stream.pick(&up));
        self.crash(node, world, queue, at_once);
    }

    /// After an event at a node: lets what waits for it happen there and then, a crash, or the isolation of a leader.
    pub(super) fn after_event(
        &mut self,
        node: NodeId,
        kind: EventKind,
        world: &World,
        queue: &mut EventQueue,
        at_once: &mut VecDeque<Event>,
    ) {
        self.besiege(node, world, at_once);
        if kind == EventKind::Compact && self.stranding.as_ref().is_some_and(|stranding| stranding.is_over(world)) {
            self.heal(at_once);
        }
        let does_rare_work = |replica| does_rare_work(replica, kind);
        let is_rare = self.crashes() && is_work(kind) && world.replica(node).is_some_and(does_rare_work);
        if is_rare && self.stream.chance(Self::RARE) {
            self.crash(node, world, queue, at_once);
        } else if self.ambush && is_work(kind) && self.stream.chance(Self::AMBUSHED) {
            self.ambush = false;
            self.crash(node, world, queue, at_once);
        }
    }

    /// Whether nodes crash in this part of the run.
    const fn crashes(&self) -> bool {
        !self.healed && self.plan.crash.is_some()
    }

    fn crash(&mut self, node: NodeId, world: &World, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        let pending = world.replica(node).map_or(0, |replica| replica.disk().pending());
        at_once.push_back(Event::Crash { node, keep: self.keep(pending) });
        let downtime = self.stream.between(1, 2 * self.plan.downtime);
        queue.after(downtime, Intent::Restart(node));
    }

    /// The nodes that are lost for good.
    pub(super) const fn gone(&self) -> &BTreeSet<NodeId> {
        &self.gone
    }

    /// The nodes whose data nobody may count on: lost for good, or on a disk that was damaged.
    pub(super) fn lost(&self, world: &World) -> BTreeSet<NodeId> {
        let damaged = world.replicas().filter(|replica| replica.is_damaged()).map(Replica::id);
        self.gone.iter().copied().chain(damaged).collect()
    }

    /// A voter is lost for good, if the others can do without it.
    fn lose_node(&mut self, world: &World, dispensable: &BTreeSet<NodeId>, at_once: &mut VecDeque<Event>) {
        let voters =
            world.leader().and_then(|leader| leader.node()).map(|node| node.configuration().conf_state().voters);
        let choices: Vec<NodeId> = voters.unwrap_or_default().intersection(dispensable).copied().collect();
        if choices.is_empty() {
            return;
        }
        let node = *self.stream.pick(&choices);
        self.gone.insert(node);
        let pending = world.replica(node).map_or(0, |replica| replica.disk().pending());
        at_once.push_back(Event::Crash { node, keep: self.keep(pending) });
    }

    fn keep(&mut self, pending: u64) -> Keep {
        let stream = &mut self.stream;
        let zeros = stream.chance(500);
        let blocks = pending.div_ceil(SECTOR as u64) + 1;
        match stream.below(10) {
            0..2 => Keep::All,
            2..5 => Keep::Nothing,
            5..7 => Keep::Prefix { bytes: stream.below(pending + 1) },
            7 => Keep::Subset { blocks: stream.number(), zeros },
            _ => Keep::Torn { block: stream.below(blocks), bytes: stream.below(SECTOR as u64), zeros },
        }
    }

    fn isolate_leaders(&mut self, world: &World, queue: &mut EventQueue) {
        if let Some(companion) = any_node(world, &mut self.stream).filter(|_| !self.has_cut()) {
            self.isolation = Some(LeaderIsolation::new(companion, self.plan.hurries_isolation));
            let length = self.stream.between(1, 4 * self.plan.partition_length);
            queue.after(length, Intent::Heal);
            // Where its disk is slow, what is overwritten there is still under way.
            if self.stream.chance(500) {
                queue.after(0, Intent::SlowDisk(companion, length));
            }
        }
    }

    fn besiege(&mut self, node: NodeId, world: &World, at_once: &mut VecDeque<Event>) {
        let Some((isolation, replica)) = self.isolation.as_mut().zip(world.replica(node)) else { return };
        if let Some(cut) = isolation.isolates(replica, world) {
            self.mend(at_once);
            at_once.extend(cut.iter().map(|&(from, to)| Event::Cut { from, to }));
            self.cut = cut;
        } else {
            at_once.extend(isolation.hurries_on(replica, world, &mut self.stream));
        }
    }

    fn strands(&mut self) -> bool {
        self.plan.stranding > 0 && self.stream.chance(self.plan.stranding)
    }

    fn strand_leader(&mut self, world: &World, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        let companion = any_node(world, &mut self.stream);
        let Some((leader, companion)) = world.leader().zip(companion).filter(|_| !self.has_cut()) else { return };
        let stranding = Stranding::new(leader, companion);
        let nodes: Vec<NodeId> = world.replicas().map(Replica::id).collect();
        self.cut = around(&nodes, &stranding.inside);
        self.stranding = Some(stranding);
        at_once.extend(self.cut.iter().map(|&(from, to)| Event::Cut { from, to }));
        let proposals = self.stream.between(1, self.plan.stranded);
        queue.after(1, Intent::Flood(leader.id(), proposals));
        queue.after(self.stream.between(1, 2 * self.plan.partition_length), Intent::Heal);
    }

    /// Whether links are cut, or are about to be.
    const fn has_cut(&self) -> bool {
        !self.cut.is_empty() || self.isolation.is_some()
    }

    fn partition(&mut self, world: &World, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        if self.has_cut() {
            return;
        }
        let nodes: Vec<NodeId> = world.replicas().map(|replica| replica.id()).collect();
        self.cut = match leader(world) {
            Some(leader) if self.cuts_leaders_off => around(&nodes, &[leader]),
            None if self.cuts_leaders_off => return,
            leader => self.choose_cut(&nodes, leader),
        };
        at_once.extend(self.cut.iter().map(|&(from, to)| Event::Cut { from, to }));
        let length = self.stream.between(1, 2 * self.plan.partition_length);
        queue.after(length, Intent::Heal);
    }

    /// The links to cut: between two halves, around one node, in one direction only, or between two halves that share
    /// one node (a bridge).
    fn choose_cut(&mut self, nodes: &[NodeId], leader: Option<NodeId>) -> Vec<(NodeId, NodeId)> {
        let sides = self.stream.number();
        let one = leader.filter(|_| self.stream.chance(400)).unwrap_or_else(|| *self.stream.pick(nodes));
        let side = |node: NodeId| sides >> (node.get() % 64) & 1;
        let apart = |a: NodeId, b: NodeId| side(a) != side(b);
        let around = |a: NodeId, b: NodeId| (a == one) != (b == one);
        let kind = self.stream.below(6);
        let is_cut = |a: NodeId, b: NodeId| match kind {
            0 | 1 => apart(a, b),
            2 => around(a, b),
            3 => a == one && b != one,
            4 => b == one && a != one,
            _ => apart(a, b) && !around(a, b),
        };
        links(nodes, is_cut)
    }

    fn interfere(&mut self, fault: Fault, world: &World) -> Option<Event> {
        let node = any_node(world, &mut self.stream)?;
        let peer = any_node(world, &mut self.stream)?;
        let led = leader(world).filter(|_| self.stream.chance(700)).unwrap_or(node);
        match fault {
            Fault::Crash | Fault::Partition | Fault::NodeLoss => None,
            Fault::Transfer => Some(Event::TransferLeadership { node: led, target: peer }),
            Fault::Campaign => Some(Event::Campaign { node }),
            Fault::ForgetLeader => Some(Event::ForgetLeader { node }),
            Fault::Report => Some(Event::ReportUnreachable { node: led, peer }),
        }
    }

    /// Partitions follow each other at once now and then: what one began, the next may complete before all sides meet.
    pub(super) fn heal_or_cut_elsewhere(
        &mut self,
        world: &World,
        queue: &mut EventQueue,
        at_once: &mut VecDeque<Event>,
    ) {
        let goes_on = !self.healed && self.has_cut() && self.stream.chance(Self::ANOTHER_PARTITION);
        self.heal(at_once);
        if goes_on {
            self.partition(world, queue, at_once);
        }
    }

    /// Links that are cut stay cut, and no others will be.
    pub(super) fn end_isolation(&mut self) {
        self.isolation = None;
    }

    /// Lets all links work again.
    pub(super) fn heal(&mut self, at_once: &mut VecDeque<Event>) {
        self.end_isolation();
        self.mend(at_once);
    }

    fn mend(&mut self, at_once: &mut VecDeque<Event>) {
        self.stranding = None;
        at_once.extend(self.cut.drain(..).map(|(from, to)| Event::HealLink { from, to }));
    }

    /// Nothing goes wrong any more, not even what was on its way.
    pub(super) const fn end(&mut self) {
        (self.healed, self.ambush) = (true, false);
    }

    /// The fault burst ends: links are healed and nodes come back.
    pub(super) fn end_burst(&mut self, world: &World, queue: &mut EventQueue, at_once: &mut VecDeque<Event>) {
        self.healed = true;
        self.heal(at_once);
        for replica in world.replicas().filter(|replica| !replica.is_up()) {
            queue.after(self.stream.below(1000), Intent::Restart(replica.id()));
        }
        queue.after(self.plan.healed, Intent::BeginBurst);
    }

    /// The next fault burst begins.
    pub(super) fn begin_burst(&mut self, queue: &mut EventQueue) {
        self.healed = false;
        queue.after(self.plan.burst, Intent::EndBurst);
    }

    /// The options with which a node comes back, if they differ from those before.
    pub(super) fn options_after_restart(&mut self, node: NodeId, world: &World) -> Option<NodeOptions> {
        if !self.changes_options || !self.stream.chance(300) {
            return None;
        }
        let mut options = world.replica(node)?.options().clone();
        options.pre_vote = self.stream.chance(500);
        options.check_quorum = options.read_only_option == ReadOnlyOption::LeaseBased || self.stream.chance(500);
        options.async_storage_writes = self.stream.chance(500);
        world.engine().into_iter().for_each(|engine| engine.fit(&mut options));
        Some(options)
    }
}

/// The links between those inside and the others.
fn around(nodes: &[NodeId], inside: &[NodeId]) -> Vec<(NodeId, NodeId)> {
    links(nodes, |from, to| inside.contains(&from) != inside.contains(&to))
}

/// The links between two of these nodes that are such.
fn links(nodes: &[NodeId], is_such: impl Fn(NodeId, NodeId) -> bool) -> Vec<(NodeId, NodeId)> {
    let links = nodes.iter().flat_map(|&from| nodes.iter().map(move |&to| (from, to)));
    links.filter(|&(from, to)| from != to && is_such(from, to)).collect()
}

/// Whether a node has just taken up, or stores, what hosts get wrong and few runs would come to by themselves: a snapshot that it
/// received, or entries in the place of others that it has stored.
fn does_rare_work(replica: &Replica, kind: EventKind) -> bool {
    let Some(node) = replica.node() else { return false };
    let stored = node.storage().last_index();
    // Once the first of them is stored, it cannot be seen any more that it took another's place.
    let takes = matches!(kind, EventKind::TakeReady | EventKind::Take);
    let is_rare = |snapshot: bool, entries: &[Entry]| {
        snapshot || (takes && entries.first().is_some_and(|first| first.index <= stored))
    };
    replica.ready().is_some_and(|ready| is_rare(ready.snapshot.is_some(), &ready.entries))
        || replica.appends().last().is_some_and(|append| is_rare(append.snapshot.is_some(), &append.entries))
}

/// Whether events of this kind handle a Ready or are part of storage work.
const fn is_work(kind: EventKind) -> bool {
    use EventKind as Kind;
    matches!(
        kind,
        Kind::TakeReady
            | Kind::Write
            | Kind::Sync
            | Kind::SyncDone
            | Kind::Release
            | Kind::Send
            | Kind::Apply
            | Kind::Compact
            | Kind::Take
    )
}
