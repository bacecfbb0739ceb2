//! What a run prints: what was drawn, what happened, and what was violated.

use std::fmt::Write;

use super::theme;
use crate::driver::swarm::Ended;
use crate::plan::{Heals, LinkPlan, Plan, TICK, Time};
use crate::world::consensus::{Engine, Supports};
use crate::world::{EventKind, Excuse, Front, NodeOptions, Statistics, World};
use raft::node::Limits;
use raft::{Config, ReadOnlyOption};
use serde_json::{Map, Value, json};

/// What the seed decided.
pub(super) fn of_plan(plan: &Plan, world: &World) -> String {
    let Plan { seed, steps, settles, heals, cluster, network, links, hosts, clients, faults, disks, clocks } = plan;
    let mut out = Text::default();
    out.line("seed", format_args!("{seed} ({seed:#x}), {steps} events{}", if *settles { rests(*heals) } else { "" }));
    out.line(
        "cluster",
        format_args!(
            "{} nodes, {} of them learners, {} spare; from {}{}",
            cluster.nodes,
            cluster.learners,
            cluster.spares,
            if cluster.from_snapshot { "a snapshot" } else { "peers" },
            if cluster.changes_options { "; options change on restart" } else { "" },
        ),
    );
    out.line("options", options(&cluster.options));
    if let Some(engine) = world.engine() {
        out.line("engine", of_engine(engine));
    }
    out.line(
        "network",
        format_args!(
            "latency {} to {}{}; of 1000 lost {}, doubled {}, late {} (up to {})",
            ticks(network.latency),
            ticks(network.latency + network.jitter),
            if network.in_order { " in order" } else { "" },
            network.loss,
            network.duplication,
            network.late,
            ticks(network.lateness),
        ),
    );
    if let Some(links) = of_links(links) {
        out.line("links", links);
    }
    out.line(
        "hosts",
        format_args!(
            "step {}, write {}, fsync {}, apply {}, of 1000 slow {}; snapshot {}, keeping {}",
            ticks(hosts.step),
            ticks(hosts.write),
            ticks(hosts.sync),
            ticks(hosts.apply),
            hosts.hiccups,
            hosts.snapshot_every.map_or("of a long log".to_owned(), |entries| format!("every {entries} entries")),
            hosts.keep_entries,
        ),
    );
    out.line(
        "clients",
        format_args!(
            "{} on {} keys, one request each {}; of 1000 reads {}, compare-and-set {}, anywhere {}, repeated {}, \
             given up {}, raw {}; values to {} bytes",
            clients.clients,
            clients.keys,
            ticks(clients.pause),
            clients.reads,
            clients.compare_and_sets,
            clients.anywhere,
            clients.repeats,
            clients.gives_up,
            clients.raw,
            clients.value,
        ),
    );
    let kinds = [
        ("crash", faults.crash),
        ("partition", faults.partition),
        ("membership", faults.membership),
        ("transfer", faults.transfer),
        ("campaign", faults.campaign),
        ("forget-leader", faults.forget_leader),
        ("report", faults.report),
        ("node loss", faults.node_loss),
        ("foreign log", faults.foreign),
        ("failing fsync", disks.fail_sync),
        ("full disk", disks.fill),
        ("slow disk", disks.slow),
        ("damaged disk", disks.damage),
        ("lost disk", disks.loss),
        ("pause", clocks.pause),
        ("jump of a clock", clocks.jump),
        ("drift of a clock", clocks.drift),
    ];
    let kinds = kinds.iter().filter_map(|(name, mean)| mean.map(|mean| format!("{name} each {}", ticks(mean))));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let kinds = if kinds.is_empty() { "none".to_owned() } else { kinds };
    let (burst, healed, isolations) = (ticks(faults.burst), ticks(faults.healed), faults.leader_isolation);
    out.line(
        "faults",
        format_args!("{kinds}; of 1000 partitions {isolations} isolate leaders; burst {burst}, healed {healed}"),
    );
    if let Some(theme) = theme::of_plan(plan) {
        out.line("theme", theme);
    }
    out.0
}

/// Whose nodes run, and what is checked of them.
pub(super) fn of_engine(engine: &dyn Engine) -> String {
    let Supports { unchecked, unchecked_parts, bootstrap: _, forget_leader: _, lost_data } = engine.supports();
    let parts = unchecked_parts.iter().map(|(invariant, part)| format!("{part} ({invariant})"));
    let unchecked: Vec<String> = unchecked.iter().map(ToString::to_string).chain(parts).collect();
    let but = if unchecked.is_empty() { String::new() } else { format!(" but {}", unchecked.join(", ")) };
    let lost = if lost_data { "" } else { "; disks lose nothing that was acknowledged" };
    format!("{}; every property is checked{but}{lost}", engine.name())
}

const fn rests(heals: Heals) -> &'static str {
    match heals {
        Heals::Everything => ", then the cluster has to converge",
        Heals::Quorum => ", then a quorum has to converge, the others stay as they are",
        Heals::QuorumBesideCuts => ", then a quorum has to converge, beside others that are cut off in part",
    }
}

/// What is wrong with links, if anything is.
fn of_links(links: &LinkPlan) -> Option<String> {
    let LinkPlan { clog, flap, length, queue, lossy_kinds, kind_loss, snapshot_loss, snapshot_crawl } = links;
    let mut parts = Vec::new();
    parts.extend(clog.map(|mean| format!("clogged each {}", ticks(mean))));
    parts.extend(flap.map(|mean| format!("flapping each {}", ticks(mean))));
    if !parts.is_empty() {
        parts.push(format!("for {}", ticks(*length)));
    }
    parts.extend(queue.map(|messages| format!("holding {messages} messages")));
    if *kind_loss > 0 {
        parts.push(format!("of 1000 lost {kind_loss} {lossy_kinds:?}"));
    }
    if *snapshot_loss > 0 {
        parts.push(format!("of 1000 snapshots lost {snapshot_loss}"));
    }
    if *snapshot_crawl > 0 {
        parts.push(format!("snapshots up to {} longer", ticks(*snapshot_crawl)));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn options(nodes: &[NodeOptions]) -> String {
    let count = |holds: fn(&NodeOptions) -> bool| nodes.iter().filter(|options| holds(options)).count();
    let on = [
        ("async writes", count(|options| options.async_storage_writes)),
        ("pre-vote", count(|options| options.pre_vote)),
        ("check-quorum", count(|options| options.check_quorum)),
        ("lease reads", count(|options| options.read_only_option == ReadOnlyOption::LeaseBased)),
        ("no forwarding", count(|options| options.disable_proposal_forwarding)),
        ("step down on removal", count(|options| options.step_down_on_removal)),
        ("joined appends", count(|options| options.batch_append.0)),
        ("loops", count(|options| !options.front.is_raw())),
    ];
    let on = on.iter().filter(|(_, count)| *count > 0).map(|(name, count)| match count {
        count if *count == nodes.len() => (*name).to_owned(),
        count => format!("{name} on {count}"),
    });
    let mut parts: Vec<String> = on.collect();
    if let Some(first) = nodes.first() {
        parts.push(format!("election {} ticks, heartbeat {}", first.election_tick, first.heartbeat_tick));
        let or_bytes = match first.max_inflight_bytes {
            Config::NO_LIMIT => String::new(),
            bytes => format!(" or {bytes} bytes"),
        };
        parts.push(format!("in flight to a member {} messages{or_bytes}", first.max_inflight_messages));
        let limits = [
            ("a message", first.max_size_per_message),
            ("applied at once", first.max_committed_size_per_ready),
            ("uncommitted", first.max_uncommitted_size),
        ];
        let limited = limits.iter().filter(|(_, bytes)| *bytes != Config::NO_LIMIT);
        parts.extend(limited.map(|(name, bytes)| format!("{name} {bytes} bytes")));
        if let Front::Loop(Limits { proposals, messages, ticks }) = first.front {
            parts.push(format!("queues of {proposals} proposals, {messages} messages, {ticks} ticks"));
        }
    }
    parts.join(", ")
}

fn ticks(time: Time) -> String {
    format!("{}.{:03}", time / TICK, time % TICK)
}

/// What happened.
pub(super) fn of_end(ended: &Ended) -> String {
    let world = &ended.world;
    let mut out = Text::default();
    out.line("events", format_args!("{} in {} ticks", world.step(), ticks(ended.time)));
    out.0.push_str(&of_statistics(world.statistics()));
    out.line("digest", format_args!("{:016x}", world.digest()));
    out.0
}

/// What happened, as JSON. A digest is text: many readers do not hold numbers of 64 bits.
pub(super) fn as_json(ended: &Ended) -> Value {
    let (world, statistics) = (&ended.world, ended.world.statistics());
    let kinds = EventKind::ALL.iter().map(|kind| (format!("{kind:?}"), json!(statistics.events(*kind))));
    let situations = statistics.situations.iter().filter(|(_, times)| *times > 0);
    json!({
        "events": world.step(),
        "ticks": ended.time / TICK,
        "digest": format!("{:016x}", world.digest()),
        "kinds": kinds.filter(|(_, count)| *count != 0).collect::<Map<_, _>>(),
        "situations": situations.map(|(situation, times)| (situation.to_string(), json!(times))).collect::<Map<_, _>>(),
    })
}

/// What happened, counted.
pub(super) fn of_statistics(statistics: &Statistics) -> String {
    let mut out = Text::default();
    let kinds = EventKind::ALL.iter().map(|kind| (format!("{kind:?}"), statistics.events(*kind)));
    let kinds = kinds.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}"));
    out.wrapped(&kinds.collect::<Vec<_>>());
    let s = statistics;
    out.line(
        "elections",
        format_args!(
            "{} won, {} candidacies, {} pre-votes, highest term {}",
            s.elections, s.candidacies, s.pre_candidacies, s.highest_term
        ),
    );
    out.line(
        "log",
        format_args!(
            "commit index {}, {} entries applied, {} commands executed, {} filtered as repetitions",
            s.committed, s.applied, s.executed, s.repeated
        ),
    );
    out.line("answers", format_args!("{} to clients, {} of them stale and excused", s.answered, s.stale_reads));
    let malformed = match s.messages_malformed {
        0 => String::new(),
        some => format!(" ({some} of them as no correct node's)"),
    };
    out.line(
        "messages",
        format_args!(
            "{} sent, {} arrived, {} lost at a cut or down node, {} refused{}; {} proposals dropped",
            s.messages, s.delivered, s.lost, s.messages_refused, malformed, s.proposals_dropped
        ),
    );
    out.line(
        "snapshots",
        format_args!(
            "{} taken, {} sent, {} installed; {} compactions",
            s.snapshots_taken, s.snapshots_sent, s.snapshots_installed, s.compactions
        ),
    );
    out.line(
        "crashes",
        format_args!(
            "{}, {} of leaders, {} at work, {} in a joint configuration; {} bytes lost, {} torn bytes cut; {} fsyncs",
            s.events(EventKind::Crash),
            s.leaders_crashed,
            s.crashes_at_work,
            s.crashes_in_joint,
            s.bytes_lost,
            s.bytes_cut,
            s.syncs
        ),
    );
    out.line(
        "membership",
        format_args!(
            "{} changes applied, {} into and {} out of joint configurations, {} skipped",
            s.conf_changes, s.joint_entered, s.joint_left, s.conf_changes_skipped
        ),
    );
    out.line("disks", format_args!("{} stopped a node, {} recoveries refused", s.disks_failed, s.recoveries_refused));
    out.line("reads", format_args!("{} answered", s.reads));
    out.line("transfers", format_args!("{} handed over", s.transfers));
    if s.events(EventKind::ExpectSettled) > 0 {
        let excused = Excuse::ALL.map(|excuse| format!("{} {}", s.stalls(excuse), excuse.name()));
        let (rests, beside) = (s.converged, s.converged_beside_faults);
        let excused = excused.join(", ");
        out.line(
            "converged",
            format_args!("{rests} in the end, {beside} beside members that stay cut off or down; excused: {excused}"),
        );
    }
    out.0
}

/// Lines with a name each.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    const NAME: usize = 11;
    const WIDTH: usize = 110;

    pub(super) fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        writeln!(self.0, "{name:<width$}{value}", width = Self::NAME).expect("text grows");
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn wrapped(&mut self, parts: &[String]) {
        let mut line = String::new();
        for part in parts {
            if line.len() + part.len() > Self::WIDTH - Self::NAME {
                self.line("", line.trim_end());
                line.clear();
            }
            line.push_str(part);
            line.push_str("  ");
        }
        self.line("", line.trim_end());
    }
}
