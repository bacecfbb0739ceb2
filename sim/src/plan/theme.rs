//! Themes: some faults show only where several parts of a plan go together, which plans that draw each part by itself seldom do.
//!
//! A share of all seeds takes up a theme. It changes a few parts of the plan and keeps the rest quiet, since what takes long to
//! build up must not be torn down. Plans without a theme stay as they are: themes have a stream of random numbers of their own.

use raft::{Config, ReadOnlyOption};

use super::{ClockPlan, DiskPlan, LinkPlan, Plan, TICK};
use crate::random::{Concern, Stream};

/// What some plans are turned towards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Theme {
    /// Leaders are stranded: they are cut off with many entries that nobody else has, while the others compact their logs. Who
    /// comes back is sent a snapshot that takes the place of a longer log.
    LongTails,
    /// Each new leader is cut off together with one companion, and the next one campaigns at once: at the companion, entries are
    /// written, overwritten and written again before the first write is answered (Raft paper, figure 8).
    Rewrites,
    /// Leaders are cut off though leases have to hold.
    Leases,
}

impl Theme {
    /// How many of a thousand seeds take up each theme.
    const SHARES: [(Self, u64); 3] = [(Self::LongTails, 120), (Self::Rewrites, 150), (Self::Leases, 50)];

    /// The theme of this seed, if it has one.
    pub(super) fn of(seed: u64) -> Option<Self> {
        let mut position = Stream::new(seed, Concern::Theme).below(1000);
        let takes = |&&(_, share): &&(Self, u64)| {
            let takes = position < share;
            position = position.saturating_sub(share);
            takes
        };
        Self::SHARES.iter().find(takes).map(|(theme, _)| *theme)
    }

    /// How many nodes the cluster begins with, where so many were drawn.
    pub(super) fn nodes(self, drawn: u64) -> u64 {
        match self {
            // Whoever is cut off, the others are a quorum.
            Self::LongTails | Self::Rewrites => drawn.max(5),
            Self::Leases => drawn.max(3),
        }
    }
}

impl Plan {
    /// How many times as fast as the others a leader's clock runs where it is cut off, and its lease has to end before they elect
    /// another. A leader looks for its quorum once in each election timeout, so that its lease lasts for nearly two of its own
    /// after it was last heard; the others wait for one of theirs.
    const LEADER_PACE: u32 = 4;

    /// Takes up a theme, if there is one. Where leases hold, [they](Self::cut_fast_leaders_off) are the only one.
    pub(super) fn take_up(&mut self, theme: Option<Theme>) {
        let mut stream = Stream::new(!self.seed, Concern::Theme);
        match theme.filter(|_| !self.cluster.keeps_leases) {
            None | Some(Theme::Leases) => {}
            Some(Theme::LongTails) => self.strand_leaders(&mut stream),
            Some(Theme::Rewrites) => self.rewrite_entries(&mut stream),
        }
    }

    fn strand_leaders(&mut self, stream: &mut Stream) {
        self.keep_quiet(stream);
        let Self { cluster, hosts, clients, faults, disks, .. } = self;
        cluster.options.iter_mut().for_each(|options| options.max_uncommitted_size = Config::NO_LIMIT);
        faults.partition = Some(stream.magnitude(8 * TICK, 60 * TICK));
        faults.partition_length = stream.magnitude(10 * TICK, 80 * TICK);
        (faults.leader_isolation, faults.stranding) = (0, stream.between(500, 900));
        if stream.chance(300) {
            disks.fill = Some(200 * TICK);
        }
        // Seldom by itself, so that nodes crash where they do what runs seldom come to.
        faults.crash = Some(400 * TICK);
        (clients.clients, clients.pause) = (clients.clients.max(4), clients.pause.min(2 * TICK));
        clients.value = clients.value.min(16);
        (hosts.snapshot_every, hosts.keep_entries) = (Some(stream.magnitude(4, 16)), stream.between(0, 2));
        (hosts.step, hosts.sync) = (hosts.step.min(TICK / 50), hosts.sync.min(TICK / 10));
    }

    fn rewrite_entries(&mut self, stream: &mut Stream) {
        self.keep_quiet(stream);
        let is_async = stream.chance(800);
        let Self { cluster, hosts, faults, disks, .. } = self;
        for options in &mut cluster.options {
            options.async_storage_writes |= is_async;
            // With it nobody votes for a candidate that does not wait.
            options.check_quorum = false;
        }
        faults.partition = Some(stream.magnitude(8 * TICK, 40 * TICK));
        faults.partition_length = stream.magnitude(20 * TICK, 80 * TICK);
        (faults.leader_isolation, faults.hurries_isolation) = (stream.between(700, 1000), true);
        faults.crash = None;
        disks.slowness = stream.magnitude(TICK, 2 * TICK);
        hosts.answer = stream.magnitude(2 * TICK, 16 * TICK);
    }

    /// Leaves out what would often end what a theme builds up.
    fn keep_quiet(&mut self, stream: &mut Stream) {
        let Self { network, links, faults, disks, clocks, .. } = self;
        (faults.transfer, faults.campaign, faults.node_loss, faults.crash_all) = (None, None, None, 0);
        if stream.chance(700) {
            faults.membership = None;
        }
        faults.burst = faults.burst.max(200 * TICK);
        (*disks, *links, *clocks) = (DiskPlan::default(), LinkPlan::default(), ClockPlan::default());
        (network.latency, network.jitter) = (network.latency.min(TICK / 10), network.jitter.min(3 * TICK / 10));
        network.late = 0;
        if stream.chance(700) {
            network.loss = 0;
        }
    }

    /// Everybody reads by lease, which has to hold.
    pub(super) fn read_by_lease(&mut self) {
        self.cluster.options.iter_mut().for_each(|options| options.read_only_option = ReadOnlyOption::LeaseBased);
    }

    /// Cuts leaders off though leases have to hold. Nobody crashes then, nor stops because of a disk: who comes back does not know
    /// that there is a leader, and votes.
    pub(super) fn cut_fast_leaders_off(&mut self) {
        let mut stream = Stream::new(!self.seed, Concern::Theme);
        let Self { cluster, clients, clocks, faults, disks, .. } = self;
        *disks = DiskPlan::default();
        clocks.leader_pace = Some(u64::from(Self::LEADER_PACE));
        for options in &mut cluster.options {
            // A fast leader sends as many heartbeats as another one.
            options.heartbeat_tick = Self::LEADER_PACE;
            options.election_tick = 6 * Self::LEADER_PACE;
        }
        (clients.stays, clients.reads) = (stream.between(200, 900), stream.between(200, 700));
        (clients.pause, clients.keys) = (clients.pause.min(TICK), clients.keys.min(4));
        (faults.crash, faults.leader_isolation) = (None, 0);
        faults.partition = Some(stream.magnitude(8 * TICK, 30 * TICK));
        faults.partition_length = stream.magnitude(40 * TICK, 100 * TICK);
        faults.burst = faults.burst.max(200 * TICK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Overrides;

    #[test]
    fn each_theme_has_its_share_of_the_seeds() {
        for (theme, share) in Theme::SHARES {
            let taken = (0..20_000).filter(|seed| Theme::of(*seed) == Some(theme)).count() as u64;
            assert!((18 * share..22 * share).contains(&taken), "{theme:?}: {taken} of 20000 seeds");
        }
    }

    #[test]
    fn a_theme_leaves_a_quorum_where_two_nodes_are_cut_off() {
        let plan = |seed| Plan::draw(seed, &Overrides::default());
        let themed = |theme| (0..2000).filter(move |seed| Theme::of(*seed) == Some(theme)).map(plan);
        let cuts_two = |plan: &Plan| plan.faults.stranding > 0 || plan.faults.hurries_isolation;
        for theme in [Theme::LongTails, Theme::Rewrites] {
            let plans: Vec<Plan> = themed(theme).filter(cuts_two).collect();
            assert!(!plans.is_empty() && plans.iter().all(|plan| plan.cluster.nodes >= 5), "{theme:?}");
        }
    }

    /// Where a leader's clock were slower, the others would elect another while its lease lasts.
    #[test]
    fn a_leaders_lease_ends_before_the_others_elect_another() {
        let fast = (0..2000).map(|seed| Plan::draw(seed, &Overrides::default())).filter_map(|plan| {
            let pace = plan.clocks.leader_pace?;
            Some((pace, plan))
        });
        let mut seen = 0;
        for (pace, plan) in fast {
            assert!(plan.cluster.keeps_leases && plan.faults.crash.is_none() && plan.disks == DiskPlan::default());
            for options in &plan.cluster.options {
                let timeout = u64::from(options.election_tick) * TICK;
                // Two of its own timeouts and a tick of the others, until it has noticed that it leads.
                let lease = 2 * timeout / pace + TICK;
                let round_trip = 2 * (plan.network.latency + plan.network.jitter) + 4 * plan.hosts.sync;
                assert!(lease + round_trip < timeout - TICK, "{lease} and {round_trip} of {timeout}");
            }
            seen += 1;
        }
        assert!(seen > 50, "{seen} plans");
    }
}
