//! The second phase of a run: faults end, operators tidy up, and the cluster has to converge in bounded time, with a
//! leader, with fresh writes and reads that succeed, and with all members that can be reached in agreement.
//!
//! The [operators](Operators) do here what the protocol leaves to them. Some stalls are excused, since the protocol has
//! them by design: see [`Excuse`].

use std::collections::BTreeSet;

use raft::NodeId;

use super::Swarm;
use super::disks::Disks;
use super::intent::Intent;
use crate::driver::liveness::{Operators, Progress, members_down};
use crate::plan::{MessageKind, Plan, TICK, Time};
use crate::trace::Ending;
#[cfg(doc)]
use crate::world::Excuse;
use crate::world::{Event, Outcome, World};

/// How often operators look.
const ROUND: Time = 5 * TICK;

/// The longest time that it may take, as a multiple of [`patience`]: members on bad links catch up slowly.
const LONGEST: Time = 200;

/// What the second phase has achieved.
#[derive(Clone, Debug)]
pub(super) struct Settling {
    /// The nodes that are healed, if not all.
    pub(super) core: Option<BTreeSet<NodeId>>,
    operators: Operators,
    began: Time,
    next_round: Time,
    progress: Progress,
    /// When progress was last made.
    moved: Time,
}

impl Settling {
    /// Takes note of what happened at this time.
    pub(super) fn note(&mut self, event: &Event, outcome: &Outcome, world: &World, now: Time) {
        self.operators.note(event, outcome, world, now);
        self.progress.note(event, outcome);
    }
}

impl Swarm<'_> {
    /// Lets one event of the second phase happen; the last one is the expectation that the cluster has converged.
    pub(super) fn settle(&mut self, record: &mut impl FnMut(&Event)) -> Ending {
        if self.settling.is_none() {
            // A fault that is half done comes to its end first: a link cut after everything was healed would stay cut,
            // and an fsync that is about to fail would stop a node on which the others count.
            if self.at_once.is_empty() {
                Disks::fail_now(&self.world, &mut self.at_once);
            }
            if !self.at_once.is_empty() {
                return self.step(record);
            }
            self.begin_to_settle();
        }
        let looks = self.queue.now() >= self.settling_round();
        if !self.has_patience() || (looks && self.is_settled()) {
            self.expect_convergence();
        } else if looks {
            self.operate();
        }
        self.step(record)
    }

    /// A cluster that still brings to its members what they missed may take longer than one in which nothing moves.
    fn has_patience(&mut self) -> bool {
        let (now, patience) = (self.queue.now(), self.patience());
        let Some(settling) = &mut self.settling else { return false };
        if settling.progress.is_made(&self.world, settling.operators.have_written()) {
            settling.moved = now;
        }
        let (began, moved) = (settling.began, settling.moved);
        (self.anybody_is_up() || self.somebody_comes_back())
            && now < moved + patience
            && now < began + LONGEST * patience
    }

    fn anybody_is_up(&self) -> bool {
        self.world.replicas().any(|replica| replica.is_up())
    }

    /// Whether the restart of a node is planned.
    fn somebody_comes_back(&self) -> bool {
        let comes_back = |node| !self.is_up(node) && !self.stays_down(node);
        self.queue.plans(|intent| matches!(intent, Intent::Restart(node) if comes_back(node)))
    }

    fn begin_to_settle(&mut self) {
        let now = self.queue.now();
        let core = self.choose_core();
        match &core {
            Some(core) => {
                self.faults.end_isolation();
                self.heal_core(core);
            }
            None => {
                self.traffic.set_healed(true, &mut self.at_once);
                self.faults.heal(&mut self.at_once);
            }
        }
        self.traffic.be_timely(self.plan);
        self.hosts.be_timely(self.plan, core.clone());
        self.faults.end();
        self.disks.end_burst(&self.world, &mut self.at_once);
        self.clocks.end_burst();
        let operators = Operators::new("settled");
        let progress = Progress::default();
        self.settling = Some(Settling { core, operators, began: now, next_round: 0, progress, moved: now });
        for replica in self.world.replicas().filter(|replica| !replica.is_up()) {
            self.queue.after(1, Intent::Restart(replica.id()));
        }
        Operators::begin(&self.world, &mut self.at_once);
    }

    fn patience(&self) -> Time {
        let losses = if self.has_core() { patience_with_losses(self.plan) } else { 0 };
        patience(self.plan) + losses
    }

    fn settling_round(&self) -> Time {
        self.settling.as_ref().map_or(0, |settling| settling.next_round)
    }

    fn expect_convergence(&mut self) {
        if let Some(settling) = &self.settling {
            self.at_once.push_front(settling.operators.expectation(&self.world));
            self.judged = true;
        }
    }

    /// Operators look.
    fn operate(&mut self) {
        let (now, patience) = (self.queue.now(), self.patience());
        let Some(settling) = &mut self.settling else { return };
        settling.next_round = now + ROUND;
        // A node that was down needs some time to come back before anybody is judged.
        if now < settling.began + 2 * ROUND {
            return;
        }
        for node in members_down(&self.world) {
            self.queue.after(1, Intent::Restart(node));
        }
        settling.operators.look(&self.world, now, patience, &mut self.at_once);
    }

    /// Whether a node is left as it is in the second phase.
    pub(super) fn is_left_alone(&self, node: NodeId) -> bool {
        let was_switched_off = |settling: &Settling| settling.operators.have_switched_off(node);
        self.has_core() && !self.is_in_core(node) && !self.settling.as_ref().is_some_and(was_switched_off)
    }

    fn is_settled(&self) -> bool {
        self.settling.as_ref().is_some_and(|settling| settling.operators.are_content(&self.world))
    }
}

/// How often the slowest step that has to happen may fail before the cluster is judged.
const TRIES: Time = 60;

/// How long the cluster may take: many election timeouts and many rounds of everything that is slow in this plan.
fn patience(plan: &Plan) -> Time {
    let election = plan.cluster.options.iter().map(|options| options.election_tick).max().unwrap_or(1);
    let hosts = &plan.hosts;
    let round = plan.network.latency + plan.network.jitter + hosts.step + hosts.write + hosts.sync + hosts.apply;
    TICK * Time::from(election) * TRIES + plan.network.lateness + round * 1500 + hosts.answer * 100
}

/// How much longer it may take where some links go on losing messages. A leader tries once with each heartbeat to bring a
/// member what it lacks, and gets anywhere only if four messages in a row arrive.
fn patience_with_losses(plan: &Plan) -> Time {
    let heartbeat = plan.cluster.options.iter().map(|options| options.heartbeat_tick).max().unwrap_or(1);
    let arrives = |kind| (1000 - plan.network.loss) * (1000 - plan.links.loss_of(kind)) / 1000;
    let carried = arrives(MessageKind::Append).min(arrives(MessageKind::Snapshot));
    let answers = arrives(MessageKind::HeartbeatAnswer) * arrives(MessageKind::AppendAnswer);
    let of_a_billion = (arrives(MessageKind::Heartbeat) * carried * answers / 1000).max(1);
    let tries = TRIES * 1_000_000_000 / of_a_billion;
    tries * (TICK * Time::from(heartbeat) + plan.links.snapshot_crawl)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{LinkPlan, Overrides};

    /// In seed 34010398 five of six appends to a member outside the healthy quorum were lost, and as many answers: nothing
    /// arrived for as long as a cluster without losses may take.
    #[test]
    fn patience_grows_as_links_lose_more() {
        let mut plan = Plan::draw(1, &Overrides::default());
        plan.cluster.options.iter_mut().for_each(|options| options.heartbeat_tick = 2);
        let mut with = |loss, lossy_kinds, kind_loss, snapshot_loss| {
            plan.network.loss = loss;
            plan.links = LinkPlan { lossy_kinds, kind_loss, snapshot_loss, ..LinkPlan::default() };
            patience_with_losses(&plan) / (2 * TICK)
        };
        use MessageKind::{Append, AppendAnswer, Vote};
        assert_eq!(with(0, vec![], 0, 0), TRIES);
        assert_eq!(with(0, vec![Vote], 900, 0), TRIES, "no vote brings anybody what it lacks");
        assert_eq!(with(0, vec![AppendAnswer], 900, 0), 10 * TRIES);
        assert_eq!(with(0, vec![Append, AppendAnswer], 900, 700), 100 * TRIES);
        assert_eq!(with(0, vec![Append, Append], 500, 900), 10 * TRIES, "a snapshot may have to arrive");
        assert_eq!(with(500, vec![], 0, 0), 16 * TRIES);
    }

    /// In seeds 8100092 and 8106504 an fsync that was to fail did so long after faults were over, at a node that was needed.
    #[test]
    fn no_fsync_is_to_fail_any_more_once_faults_are_over() {
        let mut armed = 0;
        for seed in 0..20 {
            let mut plan = Plan::draw(seed, &Overrides { steps: Some(500), ..Overrides::default() });
            plan.disks.fail_sync = Some(TICK);
            let mut swarm = Swarm::new(&plan);
            let failing =
                |swarm: &Swarm<'_>| swarm.world.replicas().filter(|replica| replica.disk().fails_next_sync()).count();
            while swarm.world.step() < plan.steps {
                assert_eq!(swarm.go_on(&mut |_| {}), None, "seed {seed}");
            }
            armed += failing(&swarm);
            while swarm.settling.is_none() {
                assert_eq!(swarm.go_on(&mut |_| {}), None, "seed {seed}");
            }
            assert_eq!(failing(&swarm), 0, "seed {seed}");
        }
        assert!(armed > 0, "no fsync was to fail in any of them");
    }
}
