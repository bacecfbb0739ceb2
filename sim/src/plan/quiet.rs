//! A plan in which nothing goes wrong but clocks: what else does, somebody brings about on purpose.

use super::{
    ClientPlan, ClockPlan, ClusterPlan, DiskPlan, FaultPlan, Heals, HostPlan, LinkPlan, NetworkPlan, Overrides, Plan,
    TICK, Time,
};
use crate::world::NodeOptions;

/// Later than any run lasts.
const NEVER: Time = Time::MAX / 4;

impl Plan {
    /// A cluster of so many nodes, all with these options, whose clocks are those of this seed: at rates of their own, and
    /// where the seed has it so, they drift, jump, and nodes stand still. Messages and hosts are timely, and nobody asks for
    /// anything. It goes on for as long as somebody lets it.
    ///
    /// A theme of a seed in which [leaders' clocks](ClockPlan::leader_pace) are fast is about leases, and is left out.
    ///
    /// ```
    /// use sim::plan::{Overrides, Plan};
    /// use sim::world::NodeOptions;
    /// let (quiet, drawn) = (Plan::quiet(7, 5, &NodeOptions::default()), Plan::draw(7, &Overrides::default()));
    /// assert_eq!(quiet.clocks.drift, drawn.clocks.drift);
    /// assert_eq!(quiet.faults.partition, None);
    /// ```
    pub fn quiet(seed: u64, nodes: u64, options: &NodeOptions) -> Self {
        let drawn = Self::draw(seed, &Overrides { nodes: Some(nodes), ..Overrides::default() });
        let count = usize::try_from(nodes).unwrap_or(usize::MAX);
        Self {
            seed,
            steps: u64::MAX,
            settles: false,
            heals: Heals::default(),
            cluster: ClusterPlan {
                nodes,
                learners: 0,
                spares: 0,
                from_snapshot: true,
                options: vec![options.clone(); count],
                changes_options: false,
                tick: drawn.cluster.tick.into_iter().take(count).collect(),
                keeps_leases: false,
            },
            network: NetworkPlan {
                latency: TICK / 20,
                jitter: TICK / 10,
                in_order: true,
                loss: 0,
                duplication: 0,
                late: 0,
                lateness: 0,
                reports: 0,
            },
            links: LinkPlan::default(),
            hosts: HostPlan {
                step: TICK / 100,
                write: TICK / 100,
                sync: TICK / 20,
                apply: TICK / 100,
                hiccups: 0,
                answer: TICK / 100,
                page: u32::MAX,
                snapshot_every: None,
                keep_entries: 0,
            },
            clients: ClientPlan {
                clients: 0,
                keys: 1,
                pause: NEVER,
                reads: 0,
                compare_and_sets: 0,
                anywhere: 0,
                stays: 0,
                repeats: 0,
                gives_up: 0,
                raw: 0,
                value: 1,
            },
            faults: FaultPlan { burst: NEVER, healed: NEVER, ..drawn.faults.without_any() },
            disks: DiskPlan::default(),
            clocks: ClockPlan { leader_pace: None, ..drawn.clocks },
        }
    }
}
