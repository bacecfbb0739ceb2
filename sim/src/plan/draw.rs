//! Drawing a plan from a seed.

use raft::node::Limits;
use raft::{Config, ReadOnlyOption};

use super::theme::Theme;
use super::{
    ClientPlan, ClockPlan, ClusterPlan, DiskPlan, FaultPlan, Heals, HostPlan, LinkPlan, NetworkPlan, Plan, TICK, Time,
};
use crate::history::Command;
use crate::random::{Concern, Stream};
use crate::world::{ApplicationKind, Front, NodeOptions, SeldomOn, World};

/// What the caller decides instead of the seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Overrides {
    /// How many events happen.
    pub steps: Option<u64>,
    /// How many nodes the cluster begins with, from 1 to [`Plan::MOST_NODES`].
    pub nodes: Option<u64>,
    /// Whether storage writes are asynchronous, on every node.
    pub async_storage_writes: Option<bool>,
    /// Nothing goes wrong.
    pub no_faults: bool,
    /// The run ends with its last step, and the cluster need not converge.
    pub no_settle: bool,
}

impl Plan {
    /// The largest cluster to begin with.
    pub const MOST_NODES: u64 = 7;

    /// How soon everything that works well answers: a tenth of the shortest election timeout. Raft promises a leader
    /// only if answers come much sooner than elections time out (thesis, section 3.9).
    pub(crate) fn timely(&self) -> Time {
        let shortest = self.cluster.options.iter().map(|options| options.election_tick).min();
        TICK * Time::from(shortest.unwrap_or(1)) / 10
    }

    /// The plan of this seed.
    pub fn draw(seed: u64, overrides: &Overrides) -> Self {
        let mut stream = Stream::new(seed, Concern::Plan);
        let theme = Theme::of(seed);
        // Even what an override replaces is drawn, so that the rest of the plan stays as it is.
        let mut plan = Self {
            seed,
            steps: overrides.steps.unwrap_or_else(|| Self::length(seed)),
            settles: !overrides.no_settle,
            heals: Heals::default(),
            cluster: cluster(&mut stream, overrides, theme),
            network: network(&mut stream),
            links: LinkPlan::draw(seed),
            hosts: hosts(&mut stream),
            clients: clients(&mut stream),
            faults: faults(&mut stream),
            disks: DiskPlan::default(),
            clocks: ClockPlan::default(),
        };
        let late_answers = stream.magnitude(10, 20 * TICK);
        if stream.chance(300) {
            plan.hosts.answer = late_answers;
        }
        let keeps_leases = stream.chance(500);
        let (is_lost, node_loss) = (stream.chance(200), stream.magnitude(30 * TICK, 300 * TICK));
        plan.faults.node_loss = is_lost.then_some(node_loss);
        plan.heals = *stream.pick(&[Heals::Everything, Heals::Everything, Heals::Quorum, Heals::QuorumBesideCuts]);
        (plan.disks, plan.clocks) = (disks(&mut stream), clocks(&mut stream));
        plan.faults.leader_isolation = *stream.pick(&[0, 0, 300, 700]);
        let (loses, loss) = (stream.chance(250), stream.magnitude(8 * TICK, 60 * TICK));
        plan.disks.loss = loses.then_some(loss);
        let is_about_leases = theme == Some(Theme::Leases);
        if is_about_leases {
            plan.read_by_lease();
        }
        if (keeps_leases || is_about_leases) && plan.cluster.serves_by_lease() {
            plan.keep_leases(is_about_leases);
        }
        plan.run_loops();
        plan.join_appends();
        plan.take_up(theme);
        if overrides.no_faults {
            plan.heals = Heals::Everything;
            plan.faults = plan.faults.without_any();
            plan.links = LinkPlan::default();
            (plan.disks, plan.clocks) = (DiskPlan::default(), ClockPlan::default());
            plan.network = NetworkPlan { loss: 0, duplication: 0, late: 0, ..plan.network };
            plan.hosts.hiccups = 0;
        } else {
            plan.add_foreign_node();
        }
        plan
    }

    /// The plan as it can be followed in this world. Nodes that have started there are those of the plan. What its engine does
    /// not have is off: another plan than that of the same seed for the project's own nodes, which can follow them all.
    #[must_use]
    pub fn fit(mut self, world: &World) -> Self {
        self.go_on_from(world);
        let Some(engine) = world.engine() else { return self };
        let supports = engine.supports();
        self.cluster.options.iter_mut().for_each(|options| engine.fit(options));
        self.cluster.from_snapshot |= !supports.bootstrap;
        if !supports.forget_leader {
            self.faults.forget_leader = None;
        }
        if !supports.lost_data {
            (self.faults.foreign, self.disks.loss, self.disks.damage) = (None, None, None);
        }
        self
    }

    /// In a share of all seeds, run loops run the nodes; but not where leases must hold, since ticks that wait in
    /// queues make clocks differ.
    fn run_loops(&mut self) {
        let mut stream = Stream::new(self.seed, Concern::Loops);
        let (happens, limits) = (stream.chance(250), limits(&mut stream));
        if happens && !self.cluster.keeps_leases {
            for options in &mut self.cluster.options {
                options.front = Front::Loop(limits);
            }
        }
    }

    /// In a share of all seeds, leaders join what they have for a follower.
    fn join_appends(&mut self) {
        let joins = Stream::new(self.seed, Concern::Joining).chance(150);
        self.cluster.options.iter_mut().for_each(|options| options.batch_append = SeldomOn(joins));
    }

    /// In a share of all seeds, operators add a node with the log of another cluster; but not where leases must hold,
    /// since a term of that cluster may depose a leader.
    fn add_foreign_node(&mut self) {
        let mut stream = Stream::new(self.seed, Concern::Foreign);
        let (happens, mean) = (stream.chance(150), stream.magnitude(8 * TICK, 100 * TICK));
        if happens && !self.cluster.keeps_leases {
            self.faults.foreign = Some(mean);
            self.cluster.options.push(self.cluster.options[0].clone());
            self.cluster.tick.push(TICK);
        }
    }

    /// Leaves out what a lease of etcd's kind does not survive. A leader looks for its quorum once in each election
    /// timeout, so that its lease can last for nearly two of them after it was last heard; a follower waits for one.
    /// The lease holds only if no follower misses the leader for so long while the leader runs: clocks keep the same
    /// pace, the timeout is long, nothing is lost or slow, and nobody deposes the leader. Crashes may happen. Or else the leader is
    /// [fast](Self::cut_fast_leaders_off).
    fn keep_leases(&mut self, cuts_leaders_off: bool) {
        const LONG: u32 = 20;
        self.heals = Heals::Everything;
        let Self { cluster, network, links, hosts, faults, disks, clocks, .. } = self;
        *links = LinkPlan::default();
        cluster.keeps_leases = true;
        cluster.tick.fill(TICK);
        for options in &mut cluster.options {
            options.election_tick = LONG * options.heartbeat_tick;
        }
        network.latency = network.latency.min(TICK / 4);
        network.jitter = network.jitter.min(TICK / 2);
        (network.loss, network.late, hosts.hiccups, hosts.answer) = (0, 0, 0, 10);
        (faults.partition, faults.membership, faults.transfer) = (None, None, None);
        (faults.campaign, faults.forget_leader, faults.node_loss) = (None, None, None);
        (disks.slow, *clocks) = (None, ClockPlan::default());
        if cuts_leaders_off {
            self.cut_fast_leaders_off();
        }
    }
}

fn cluster(stream: &mut Stream, overrides: &Overrides, theme: Option<Theme>) -> ClusterPlan {
    let drawn = *stream.pick(&[1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7]);
    let nodes = overrides.nodes.unwrap_or_else(|| theme.map_or(drawn, |theme| theme.nodes(drawn)));
    let from_snapshot = stream.chance(500);
    let learners =
        if from_snapshot && stream.chance(250) { stream.between(0, nodes.saturating_sub(1).min(2)) } else { 0 };
    let spares = stream.between(1, 3);
    let most = Plan::MOST_NODES + 3;
    let common = options(stream);
    let mixed = stream.chance(150);
    let drifts = stream.chance(250);
    // Drawn for as many as there can ever be, so that the number of nodes does not shift what follows.
    let mut options = Vec::new();
    let mut tick = Vec::new();
    for _ in 0..most {
        let (other_async, other_prevote) = (stream.chance(500), stream.chance(500));
        let mut own = common.clone();
        if mixed {
            own.async_storage_writes = other_async;
            own.pre_vote = other_prevote;
        }
        own.async_storage_writes = overrides.async_storage_writes.unwrap_or(own.async_storage_writes);
        options.push(own);
        let drift = stream.between(TICK * 9 / 10, TICK * 11 / 10);
        tick.push(if drifts { drift } else { TICK });
    }
    options.truncate((nodes + spares) as usize);
    tick.truncate((nodes + spares) as usize);
    ClusterPlan {
        nodes,
        learners,
        spares,
        from_snapshot,
        options,
        changes_options: stream.chance(150),
        tick,
        keeps_leases: false,
    }
}

fn options(stream: &mut Stream) -> NodeOptions {
    let check_quorum = stream.chance(500);
    let lease = stream.chance(250);
    let heartbeat_tick = *stream.pick(&[1, 1, 1, 2]);
    let size_per_message = limit(stream, &[0, 1, 64, 256, 4096]);
    NodeOptions {
        application: ApplicationKind::KeyValue,
        election_tick: *stream.pick(&[3, 5, 10, 10, 20]) + heartbeat_tick - 1,
        heartbeat_tick,
        async_storage_writes: stream.chance(450),
        max_size_per_message: size_per_message,
        max_committed_size_per_ready: limit(stream, &[1, 64, 512, 4096]),
        max_uncommitted_size: limit(stream, &[256, 4096]),
        max_inflight_messages: *stream.pick(&[1, 2, 4, 16, 256]),
        max_inflight_bytes: inflight_bytes(size_per_message, limit(stream, &[64, 1024, 16_384])),
        check_quorum,
        pre_vote: stream.chance(500),
        // This is drawn without check-quorum as well: that the node refuses the combination is a promise like any
        // other.
        read_only_option: if lease { ReadOnlyOption::LeaseBased } else { ReadOnlyOption::Safe },
        disable_proposal_forwarding: stream.chance(200),
        disable_conf_change_validation: false,
        step_down_on_removal: stream.chance(500),
        allow_missing_term: false,
        immediate_singleton_reads: false,
        lead_before_own_vote: false,
        waits_as_etcd: SeldomOn::default(),
        batch_append: SeldomOn::default(),
        front: Front::Raw,
    }
}

fn limits(stream: &mut Stream) -> Limits {
    let Limits { proposals, messages, ticks } = Limits::default();
    Limits {
        proposals: *stream.pick(&[1, 4, 32, proposals]),
        messages: *stream.pick(&[1, 4, 32, messages]),
        ticks: *stream.pick(&[1, 2, 8, ticks]),
    }
}

/// No limit in half of the cases, else one of these.
fn limit(stream: &mut Stream, choices: &[u64]) -> u64 {
    let chosen = *stream.pick(choices);
    if stream.chance(500) { Config::NO_LIMIT } else { chosen }
}

/// A window holds at least one message.
fn inflight_bytes(size_per_message: u64, drawn: u64) -> u64 {
    if size_per_message == Config::NO_LIMIT { drawn } else { drawn.max(size_per_message) }
}

fn network(stream: &mut Stream) -> NetworkPlan {
    let [lossy, doubling, late] = [stream.chance(600), stream.chance(400), stream.chance(400)];
    NetworkPlan {
        latency: stream.magnitude(1, 600),
        jitter: stream.magnitude(1, 1500),
        in_order: stream.chance(250),
        loss: on(lossy, stream.magnitude(1, 200)),
        duplication: on(doubling, stream.magnitude(1, 100)),
        late: on(late, stream.magnitude(1, 30)),
        lateness: stream.magnitude(10 * TICK, 100 * TICK),
        reports: stream.between(0, 1000),
    }
}

fn hosts(stream: &mut Stream) -> HostPlan {
    let [hiccups, compacts] = [stream.chance(400), stream.chance(850)];
    let every = stream.magnitude(4, 256);
    HostPlan {
        step: stream.magnitude(1, 100),
        write: stream.magnitude(1, 30),
        sync: stream.magnitude(1, 500),
        apply: stream.magnitude(1, 200),
        hiccups: on(hiccups, stream.magnitude(1, 20)),
        answer: 10,
        page: *stream.pick(&[1, 4, 64, u32::MAX]),
        snapshot_every: compacts.then_some(every),
        keep_entries: stream.between(0, every),
    }
}

fn clients(stream: &mut Stream) -> ClientPlan {
    ClientPlan {
        clients: stream.magnitude(1, 16),
        pause: stream.magnitude(TICK / 4, 8 * TICK),
        reads: stream.between(0, 500),
        anywhere: stream.between(0, 600),
        repeats: stream.between(20, 300),
        value: stream.magnitude(1, 512),
        keys: stream.magnitude(1, Command::KEYS / 2),
        compare_and_sets: stream.between(0, 500),
        gives_up: stream.between(0, 100),
        raw: stream.between(0, 300),
        stays: 0,
    }
}

fn faults(stream: &mut Stream) -> FaultPlan {
    let mut mean = |per_mille| {
        let (happens, mean) = (stream.chance(per_mille), stream.magnitude(8 * TICK, 200 * TICK));
        happens.then_some(mean)
    };
    let [crash, partition, membership] = [mean(700), mean(600), mean(600)];
    let [transfer, campaign, forget_leader, report] = [mean(400), mean(250), mean(250), mean(250)];
    FaultPlan {
        burst: stream.magnitude(50 * TICK, 400 * TICK),
        healed: stream.magnitude(30 * TICK, 120 * TICK),
        crash,
        downtime: stream.magnitude(TICK, 60 * TICK),
        crash_all: *stream.pick(&[0, 0, 50, 300]),
        ambush: *stream.pick(&[0, 500, 800]),
        partition,
        partition_length: stream.magnitude(5 * TICK, 80 * TICK),
        leader_isolation: 0,
        hurries_isolation: false,
        stranding: 0,
        stranded: 64,
        membership,
        transfer,
        campaign,
        forget_leader,
        report,
        node_loss: None,
        foreign: None,
    }
}

fn disks(stream: &mut Stream) -> DiskPlan {
    let [fail_sync, fill, slow, damage] = [250, 200, 250, 250].map(|per_mille| mean(stream, per_mille));
    DiskPlan { fail_sync, fill, slow, slowness: stream.magnitude(TICK / 8, 16 * TICK), damage, loss: None }
}

fn clocks(stream: &mut Stream) -> ClockPlan {
    let [pause, jump, drift] = [250, 200, 250].map(|per_mille| mean(stream, per_mille));
    let (pause_length, jump_ticks) = (stream.magnitude(TICK, 40 * TICK), stream.magnitude(4, 64));
    ClockPlan { pause, pause_length, jump, jump_ticks, drift, ..ClockPlan::default() }
}

fn mean(stream: &mut Stream, per_mille: u64) -> Option<Time> {
    let (happens, mean) = (stream.chance(per_mille), stream.magnitude(8 * TICK, 200 * TICK));
    happens.then_some(mean)
}

impl FaultPlan {
    /// The same plan without any faults and operators.
    pub(super) fn without_any(self) -> Self {
        Self {
            crash: None,
            partition: None,
            membership: None,
            transfer: None,
            campaign: None,
            forget_leader: None,
            report: None,
            node_loss: None,
            foreign: None,
            ..self
        }
    }
}

const fn on(happens: bool, much: Time) -> Time {
    if happens { much } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::node_id;
    use raft::Index;

    #[test]
    fn every_plan_has_options_that_make_sense() {
        for seed in 0..2000 {
            let plan = Plan::draw(seed, &Overrides::default());
            let cluster = &plan.cluster;
            assert!((1..=Plan::MOST_NODES).contains(&cluster.nodes) && cluster.learners < cluster.nodes);
            let foreign = u64::from(plan.faults.foreign.is_some());
            assert_eq!(cluster.options.len() as u64, cluster.nodes + cluster.spares + foreign);
            for options in &cluster.options {
                options.clone().as_accepted().config(node_id(1), Index::ZERO, Some(seed)).validate().unwrap();
            }
        }
    }

    #[test]
    fn an_override_leaves_the_rest_of_the_plan_alone() {
        for seed in 0..100 {
            let drawn = Plan::draw(seed, &Overrides::default());
            let overrides = Overrides { nodes: Some(drawn.cluster.nodes % 7 + 1), ..Overrides::default() };
            let other = Plan::draw(seed, &overrides);
            assert_eq!(
                (drawn.network, drawn.hosts, drawn.clients, drawn.faults),
                (other.network, other.hosts, other.clients, other.faults)
            );
        }
    }
}
