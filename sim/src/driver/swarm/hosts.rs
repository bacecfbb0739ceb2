//! The hosts of the nodes: each does what its node asks for, in its own time.

use std::collections::{BTreeSet, VecDeque};

use raft::node::Arm;
use raft::{Index, NodeId, Storage};

use super::event_queue::EventQueue;
use super::intent::{HostStep, Intent};
use super::position;
use crate::plan::{HostPlan, Plan, Time};
use crate::random::{Concern, Stream};
use crate::world::{Event, EventKind, Replica, World};

/// The hosts.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    plan: HostPlan,
    /// The hosts that are timely, once some are.
    timely: Option<Timely>,
    stream: Stream,
    /// Whether a loop takes its next input or hands out a Ready.
    turns: Stream,
    /// For each node a bit for each step that is in the queue.
    planned: Vec<u16>,
    /// For each node the applied index at which it takes its next snapshot.
    next_snapshot: Vec<Index>,
}

/// Hosts that are quick, whatever the plan has for the others.
#[derive(Clone, Debug)]
struct Timely {
    among: Option<BTreeSet<NodeId>>,
    plan: HostPlan,
}

impl Hosts {
    /// How many turns of its loop a node has in the time of one step of its application.
    const TURNS: Time = 8;
    /// The bytes of a log at which it is compacted even where the plan has no regular compaction: no disk is endless, and
    /// each restart reads all of it.
    const LONGEST_LOG: u64 = 64 << 10;
    /// How many entries such a compaction waits for after the one before.
    const ENTRIES_BETWEEN: u64 = 256;

    pub(super) fn new(plan: &Plan) -> Self {
        let nodes = plan.cluster.options.len();
        let first_snapshot = Index(plan.hosts.snapshot_every.unwrap_or(0));
        Self {
            plan: plan.hosts.clone(),
            timely: None,
            stream: Stream::new(plan.seed, Concern::Hosts),
            turns: Stream::new(plan.seed, Concern::Loops),
            planned: vec![0; nodes],
            next_snapshot: vec![first_snapshot; nodes],
        }
    }

    /// From now on the hosts among these nodes are timely, or all hosts if `among` is `None`.
    pub(super) fn be_timely(&mut self, plan: &Plan, among: Option<BTreeSet<NodeId>>) {
        self.timely = Some(Timely { among, plan: timely(plan) });
    }

    /// The plan of a timely host.
    fn timely(&self, node: NodeId) -> Option<&HostPlan> {
        let Timely { among, plan } = self.timely.as_ref()?;
        among.as_ref().is_none_or(|among| among.contains(&node)).then_some(plan)
    }

    fn plan_of(&self, node: NodeId) -> &HostPlan {
        self.timely(node).unwrap_or(&self.plan)
    }

    /// Queues what a node has to do after an event and did not have to do before. `slowness` is how much longer than
    /// planned the disk takes for each step.
    pub(super) fn plan_work(&mut self, replica: &Replica, event: &Event, slowness: Time, queue: &mut EventQueue) {
        let (node, to_do) = (replica.id(), replica.to_do());
        let is_timely = self.timely(node).is_some();
        let HostPlan { step, write, sync, apply, hiccups, .. } = *self.plan_of(node);
        for (wanted, host_step, mean) in [
            (to_do.ready, HostStep::TakeReady, step),
            (to_do.write, HostStep::Write, write),
            (to_do.sync, HostStep::Sync, step),
            (to_do.sync_done, HostStep::SyncDone, sync),
            (to_do.release, HostStep::Release, step),
            (to_do.send, HostStep::Send, step),
            (to_do.apply, HostStep::Apply, apply),
            (to_do.advance, HostStep::Advance, step),
            (self.wants_snapshot(replica, event), HostStep::Compact, apply),
            (to_do.take, HostStep::Turn, step),
        ] {
            let bit = 1 << host_step as u16;
            let planned = &mut self.planned[position(node)];
            if wanted && *planned & bit == 0 {
                *planned |= bit;
                let slowness = if host_step.is_on_disk() { slowness } else { 0 };
                let delay = self.delay(mean, slowness, hiccups);
                let delay = match host_step {
                    // A leader gets hundreds of answers for each round of messages that it has in flight, and must not be
                    // deaf until its followers give it up.
                    HostStep::Turn if is_timely => 0,
                    HostStep::Turn => Self::between_turns(delay, mean),
                    HostStep::TakeReady
                    | HostStep::Write
                    | HostStep::Sync
                    | HostStep::SyncDone
                    | HostStep::Release
                    | HostStep::Send
                    | HostStep::Apply
                    | HostStep::Advance
                    | HostStep::Compact
                    | HostStep::Snapshot => delay,
                };
                queue.after(delay, Intent::Host(node, host_step));
            }
        }
    }

    fn wants_snapshot(&self, replica: &Replica, event: &Event) -> bool {
        let next = self.next_snapshot[position(replica.id())];
        event.kind() == EventKind::Apply
            && (self.plan.snapshot_every.is_some() || replica.disk().used() >= Self::LONGEST_LOG)
            && replica.state_machine().is_some_and(|machine| machine.applied().index >= next)
    }

    /// The host of `node` learns that a snapshot which it sent does not help its receiver, and takes a newer one.
    pub(super) fn renew_snapshot(&mut self, node: NodeId, queue: &mut EventQueue) {
        let HostPlan { apply, hiccups, .. } = *self.plan_of(node);
        let delay = self.delay(apply, 0, hiccups);
        queue.after(delay, Intent::Host(node, HostStep::Snapshot));
    }

    /// A loop is quick. But where hosts are slow at times, its thread sometimes does not run, and ticks pile up.
    const fn between_turns(delay: Time, mean: Time) -> Time {
        if delay > 2 * mean { delay } else { delay / Self::TURNS }
    }

    fn delay(&mut self, mean: Time, slowness: Time, hiccups: u64) -> Time {
        let number = self.stream.number();
        // One draw for all: the low bits decide on the hiccup, the others on the times.
        let hiccup = if number % 1000 < hiccups { 50 } else { 1 };
        (number >> 10) % (2 * mean + 1) * hiccup + (number >> 32) % (2 * slowness + 1)
    }

    /// The event of a step that is due.
    pub(super) fn event(
        &mut self,
        node: NodeId,
        step: HostStep,
        world: &World,
        at_once: &mut VecDeque<Event>,
    ) -> Option<Event> {
        self.planned[position(node)] &= !(1 << step as u16);
        match step {
            HostStep::TakeReady => Some(Event::TakeReady { node }),
            HostStep::Write => Some(Event::Write { node }),
            HostStep::Sync => Some(Event::Sync { node }),
            HostStep::SyncDone => Some(Event::SyncDone { node }),
            HostStep::Release => Some(Event::Release { node }),
            HostStep::Send => Some(Event::Send { node }),
            HostStep::Apply => Some(Event::Apply { node, entries: self.plan.page }),
            HostStep::Advance => Some(Event::Advance { node }),
            HostStep::Compact => self.compact(world.replica(node)?, at_once),
            HostStep::Snapshot => world.replica(node)?.is_up().then_some(Event::TakeSnapshot { node }),
            HostStep::Turn => self.turn(world.replica(node)?),
        }
    }

    fn turn(&mut self, replica: &Replica) -> Option<Event> {
        let arms: Vec<Arm> = replica.run_loop()?.available().collect();
        if arms.is_empty() {
            return None;
        }
        Some(Event::Take { node: replica.id(), arm: *self.turns.pick(&arms) })
    }

    /// Takes a snapshot of what is applied, and then compacts the log, except for entries that the node was not told
    /// are applied: it still looks for membership changes there.
    fn compact(&mut self, replica: &Replica, at_once: &mut VecDeque<Event>) -> Option<Event> {
        let node = replica.id();
        let applied = replica.state_machine()?.applied().index;
        self.next_snapshot[position(node)] = applied.plus(self.plan.snapshot_every.unwrap_or(Self::ENTRIES_BETWEEN));
        let first = replica.node()?.storage().first_index();
        let told = replica.node()?.status().view.applied;
        let index = Index(applied.min(told).0.saturating_sub(self.plan.keep_entries)).max(first);
        at_once.push_back(Event::Compact { node, index });
        Some(Event::TakeSnapshot { node })
    }
}

/// A plan by which no host stands still, and each does what lies between a question and its answer [in time](Plan::timely).
fn timely(plan: &Plan) -> HostPlan {
    /// How many steps lie between a message and the answer to it, about.
    const STEPS: Time = 8;
    let longest = plan.timely() / STEPS;
    let HostPlan { step, write, sync, apply, .. } = plan.hosts;
    let [step, write, sync, apply] = [step, write, sync, apply].map(|mean| mean.min(longest));
    HostPlan { step, write, sync, apply, hiccups: 0, ..plan.hosts.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::swarm::run;
    use crate::plan::{Overrides, node_id};

    /// In such clusters members that joined never came up: the only snapshot that there was did not mention them.
    #[test]
    fn members_that_join_come_up_and_logs_stay_short_where_the_plan_never_compacts() {
        let overrides = Overrides { nodes: Some(5), steps: Some(60_000), no_settle: true, ..Overrides::default() };
        let fits = |plan: &Plan| plan.cluster.from_snapshot && plan.hosts.snapshot_every.is_none();
        let plans = (0..).map(|seed| Plan::draw(seed, &overrides)).filter(fits).take(3);
        let mut installed = 0;
        for world in plans.map(|plan| run(&plan, |_| {}).world) {
            installed += world.statistics().snapshots_installed;
            for replica in world.replicas() {
                let used = replica.disk().used();
                assert!(used < 4 * Hosts::LONGEST_LOG, "the log of {} takes {used} bytes", replica.id());
            }
        }
        assert!(installed > 0);
    }

    #[test]
    fn a_timely_host_never_stands_still_and_the_others_stay_as_they_are() {
        let mut plan = Plan::draw(1, &Overrides { nodes: Some(3), ..Overrides::default() });
        plan.cluster.options.iter_mut().for_each(|options| options.election_tick = 4);
        plan.hosts = HostPlan { step: 100, write: 1, sync: 500, apply: 200, hiccups: 20, ..plan.hosts };
        let mut hosts = Hosts::new(&plan);
        assert_eq!(hosts.plan_of(node_id(1)), &plan.hosts);

        hosts.be_timely(&plan, Some(BTreeSet::from([node_id(1), node_id(2)])));
        let quick = HostPlan { step: 50, write: 1, sync: 50, apply: 50, hiccups: 0, ..plan.hosts.clone() };
        assert_eq!(
            [1, 2, 3].map(|node| hosts.plan_of(node_id(node)).clone()),
            [quick.clone(), quick.clone(), plan.hosts.clone()]
        );
        hosts.be_timely(&plan, None);
        assert_eq!(hosts.plan_of(node_id(3)), &quick);
    }
}
