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
        let Self { cluster, network, hosts, clients, faults, disks, .. } = &mut plan;
        (cluster.from_snapshot, faults.foreign) = (true, None);
        hasten_elections(cluster);
        (network.latency, network.jitter) = (network.latency.min(TICK / 10), network.jitter.min(TICK / 4));
        hosts.hiccups = 0;
        (hosts.snapshot_every, hosts.keep_entries) = (Some(stream.magnitude(1, 4)), stream.between(0, 1));
        (clients.clients, clients.keys, clients.value) = (stream.between(1, 3), 1, 1);
        clients.pause = stream.magnitude(TICK / 4, 8 * TICK);
        faults.stranded = stream.magnitude(1, 4);
        (faults.burst, faults.downtime) = (1000 * TICK, stream.magnitude(TICK, 8 * TICK));
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
        if theme.is_some() {
            // Seldom by itself, as in every plan with a theme.
            faults.crash = faults.crash.map(|_| 400 * TICK);
            faults.partition = Some(stream.magnitude(TICK / 2, 8 * TICK));
        }
        plan
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
