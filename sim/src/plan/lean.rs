//! Lean plans: few nodes, short logs, and everything that can go wrong at once. What takes thousands of events in a usual run may
//! take a hundred in one of these.

use super::theme::Theme;
use super::{ClusterPlan, Overrides, Plan, TICK};
use crate::random::{Concern, Stream};

impl Plan {
    /// The lean plan of this seed, with so many events and no second phase.
    #[must_use]
    pub fn lean(seed: u64, steps: u64) -> Self {
        let mut stream = Stream::new(seed, Concern::Lean);
        let (theme, nodes) = match stream.below(10) {
            0..3 => (Some(Theme::LongTails), *stream.pick(&[3, 3, 5])),
            3..5 => (Some(Theme::Rewrites), 5),
            _ => (None, *stream.pick(&[1, 2, 3, 3, 3, 3, 4, 5])),
        };
        let overrides = Overrides { steps: Some(steps), nodes: Some(nodes), no_settle: true, ..Overrides::default() };
        let mut plan = Self::draw(seed, &overrides);
        plan.take_up(theme);
        let Self { cluster, network, hosts, clients, faults, .. } = &mut plan;
        (cluster.from_snapshot, faults.foreign) = (true, None);
        hasten_elections(cluster);
        (network.latency, network.jitter) = (network.latency.min(TICK / 10), network.jitter.min(TICK / 4));
        hosts.hiccups = 0;
        (hosts.snapshot_every, hosts.keep_entries) = (Some(stream.magnitude(1, 4)), stream.between(0, 1));
        (clients.clients, clients.keys, clients.value) = (stream.between(1, 3), 1, 1);
        clients.pause = stream.magnitude(TICK / 4, 8 * TICK);
        faults.stranded = stream.magnitude(1, 4);
        faults.downtime = stream.magnitude(TICK, 8 * TICK);
        // What must not happen where leases have to hold is not drawn there.
        if !cluster.keeps_leases {
            plan.hasten_faults(&mut stream, theme.is_some());
        }
        plan
    }

    fn hasten_faults(&mut self, stream: &mut Stream, has_theme: bool) {
        let Self { faults, disks, .. } = self;
        faults.burst = 1000 * TICK;
        faults.partition_length = stream.magnitude(TICK, 32 * TICK);
        let often = [
            &mut faults.crash,
            &mut faults.partition,
            &mut faults.membership,
            &mut faults.transfer,
            &mut faults.campaign,
        ];
        for mean in often {
            let soon = stream.magnitude(TICK / 2, 16 * TICK);
            *mean = mean.or(stream.chance(200).then_some(soon)).map(|mean| mean.min(soon));
        }
        if stream.chance(200) {
            disks.fill = Some(stream.magnitude(TICK, 16 * TICK));
        }
        if has_theme {
            // Seldom by itself, as in every plan with a theme.
            faults.crash = faults.crash.map(|_| 400 * TICK);
            faults.partition = Some(stream.magnitude(TICK / 2, 8 * TICK));
        }
    }
}

/// Nobody waits for long, unless leases have to hold.
fn hasten_elections(cluster: &mut ClusterPlan) {
    if !cluster.keeps_leases {
        for options in &mut cluster.options {
            (options.heartbeat_tick, options.election_tick) = (1, 3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A partition, a transfer or a member that joins may depose a leader while its lease lasts.
    #[test]
    fn where_leases_have_to_hold_a_lean_plan_has_nothing_that_breaks_them() {
        let plans = (0..3000).map(|seed| Plan::lean(seed, 480)).filter(|plan| plan.cluster.keeps_leases);
        let mut seen = 0;
        for plan in plans {
            let faults = &plan.faults;
            let deposes = [faults.membership, faults.transfer, faults.campaign, faults.node_loss, faults.foreign];
            assert_eq!(deposes, [None; 5], "seed {}", plan.seed);
            assert_eq!(faults.partition.is_some(), plan.clocks.leader_pace.is_some(), "seed {}", plan.seed);
            seen += 1;
        }
        assert!(seen > 100, "{seen} plans");
    }
}
