//! The swarm driver over many seeds: everything happens, nothing is violated, and each run repeats itself exactly.

use raft::ReadOnlyOption;
use sim::driver::swarm::{Ended, run};
use sim::driver::swarm::{Recorded, record};
use sim::plan::{Heals, Overrides, Plan};
use sim::world::{Event, EventKind, Excuse, Statistics};

fn plan(seed: u64, steps: u64) -> Plan {
    Plan::draw(seed, &Overrides { steps: Some(steps), no_settle: true, ..Overrides::default() })
}

fn traced(plan: &Plan) -> (Ended, Vec<u8>) {
    let Recorded { ended, out, .. } = record(plan, None, Vec::new()).expect("memory does not fail");
    (ended, out)
}

#[test]
fn a_seed_gives_the_same_digest_and_the_same_trace_every_time() {
    for seed in 0..20 {
        let plan = plan(seed, 3000);
        let ((first, first_trace), (second, second_trace)) = (traced(&plan), traced(&plan));
        assert_eq!(first.world.digest(), second.world.digest(), "seed {seed}");
        assert_eq!(first.world.statistics(), second.world.statistics(), "seed {seed}");
        assert!(first_trace == second_trace, "seed {seed}");
    }
}

#[test]
fn recording_changes_nothing() {
    let plan = plan(5, 3000);
    assert_eq!(run(&plan, |_| {}).world.digest(), traced(&plan).0.world.digest());
}

#[test]
fn different_seeds_have_different_digests() {
    let digests: std::collections::BTreeSet<u64> =
        (0..50).map(|seed| run(&plan(seed, 500), |_| {}).world.digest()).collect();
    assert_eq!(digests.len(), 50);
}

/// The events of a run, given to a new world, lead to the same digest: the driver adds nothing that is not an event.
#[test]
fn a_run_is_the_list_of_its_events() {
    for seed in 0..20 {
        let plan = plan(seed, 3000);
        let mut events: Vec<Event> = Vec::new();
        let ended = run(&plan, |event| events.push(event.clone()));
        let mut world = sim::world::World::new();
        for event in &events {
            world.apply(event).unwrap_or_else(|halt| panic!("seed {seed}, step {}: {halt}", world.step()));
        }
        assert_eq!(world.digest(), ended.world.digest(), "seed {seed}");
    }
}

/// Something to be seen in a run's counts, and its name.
type Feature = (&'static str, fn(&Statistics) -> u64);

/// What has to be seen at least once in a few hundred seeds, by name, and how to see it.
const FEATURES: [Feature; 28] = [
    ("elections", |s| s.elections),
    ("candidacies", |s| s.candidacies),
    ("pre-candidacies", |s| s.pre_candidacies),
    ("terms beyond the tenth", |s| s.highest_term.saturating_sub(10)),
    ("entries committed", |s| s.committed),
    ("commands executed", |s| s.executed),
    ("commands filtered as repetitions", |s| s.repeated),
    ("membership changes", |s| s.conf_changes),
    ("joint configurations entered", |s| s.joint_entered),
    ("joint configurations left", |s| s.joint_left),
    ("snapshots taken", |s| s.snapshots_taken),
    ("snapshots sent", |s| s.snapshots_sent),
    ("snapshots installed", |s| s.snapshots_installed),
    ("compactions", |s| s.compactions),
    ("bytes lost to crashes", |s| s.bytes_lost),
    ("torn bytes cut", |s| s.bytes_cut),
    ("crashes at work", |s| s.crashes_at_work),
    ("crashes of leaders", |s| s.leaders_crashed),
    ("crashes in joint configurations", |s| s.crashes_in_joint),
    ("messages lost at cut links", |s| s.lost),
    ("messages refused", |s| s.messages_refused),
    ("proposals dropped", |s| s.proposals_dropped),
    ("reads answered", |s| s.reads),
    ("clients answered", |s| s.answered),
    ("leadership handed over", |s| s.transfers),
    ("inputs for which a loop had no room", |s| s.turned_away),
    ("ticks that loops missed", |s| s.ticks_missed),
    ("fsyncs", |s| s.syncs),
];

/// Events that only other drivers choose.
const NOT_BY_SWARM: [EventKind; 4] =
    [EventKind::ExpectSettled, EventKind::SetElectionTimeout, EventKind::Inject, EventKind::ExpectLiveness];

#[test]
fn a_few_hundred_seeds_hold_and_reach_every_event_and_every_feature() {
    let mut events = [0; EventKind::ALL.len()];
    let mut features = [0; FEATURES.len()];
    for seed in 0..300 {
        let ended = run(&plan(seed, 6000), |_| {});
        assert_eq!(ended.violation, None, "seed {seed}");
        let statistics = ended.world.statistics();
        for (count, kind) in events.iter_mut().zip(EventKind::ALL) {
            *count += statistics.events(kind);
        }
        for (count, (_, feature)) in features.iter_mut().zip(FEATURES) {
            *count += feature(statistics);
        }
    }
    for (count, kind) in events.iter().zip(EventKind::ALL) {
        assert_eq!(*count == 0, NOT_BY_SWARM.contains(&kind), "{kind:?} happened {count} times");
    }
    for (count, (name, _)) in features.iter().zip(FEATURES) {
        assert!(*count > 0, "never seen: {name}");
    }
}

#[test]
fn a_few_hundred_plans_have_every_kind_of_cluster() {
    let plans: Vec<Plan> = (0..300).map(|seed| plan(seed, 1)).collect();
    let some = |what: &str, holds: fn(&Plan) -> bool| {
        let count = plans.iter().filter(|plan| holds(plan)).count();
        assert!(0 < count && count < plans.len(), "{what}: {count} of {}", plans.len());
    };
    for nodes in 1..=Plan::MOST_NODES {
        assert!(plans.iter().any(|plan| plan.cluster.nodes == nodes), "{nodes} nodes");
    }
    some("learners", |plan| plan.cluster.learners > 0);
    some("boot from a snapshot", |plan| plan.cluster.from_snapshot);
    some("asynchronous writes", |plan| plan.cluster.options[0].async_storage_writes);
    some("pre-vote", |plan| plan.cluster.options[0].pre_vote);
    some("check-quorum", |plan| plan.cluster.options[0].check_quorum);
    some("lease reads", |plan| plan.cluster.options[0].read_only_option == ReadOnlyOption::LeaseBased);
    some("leases kept", |plan| plan.cluster.keeps_leases);
    some("leases broken", |plan| plan.cluster.breaks_leases());
    some("no forwarding", |plan| plan.cluster.options[0].disable_proposal_forwarding);
    some("step down on removal", |plan| plan.cluster.options[0].step_down_on_removal);
    some("joined appends", |plan| plan.cluster.options[0].batch_append.0);
    some("options that change", |plan| plan.cluster.changes_options);
    some("clocks that drift", |plan| plan.cluster.tick.iter().any(|tick| *tick != sim::plan::TICK));
    some("loss", |plan| plan.network.loss > 0);
    some("duplication", |plan| plan.network.duplication > 0);
    some("very late messages", |plan| plan.network.late > 0);
    some("order kept", |plan| plan.network.in_order);
    some("hiccups", |plan| plan.hosts.hiccups > 0);
    some("compaction", |plan| plan.hosts.snapshot_every.is_some());
    some("crashes", |plan| plan.faults.crash.is_some());
    some("partitions", |plan| plan.faults.partition.is_some());
    some("membership changes", |plan| plan.faults.membership.is_some());
    some("transfers", |plan| plan.faults.transfer.is_some());
    some("campaigns out of turn", |plan| plan.faults.campaign.is_some());
    some("forgotten leaders", |plan| plan.faults.forget_leader.is_some());
    some("loops", |plan| !plan.cluster.options[0].front.is_raw());
    some("failing fsyncs", |plan| plan.disks.fail_sync.is_some());
    some("full disks", |plan| plan.disks.fill.is_some());
    some("slow disks", |plan| plan.disks.slow.is_some());
    some("damaged disks", |plan| plan.disks.damage.is_some());
    some("lost disks", |plan| plan.disks.loss.is_some());
    some("processes that stand still", |plan| plan.clocks.pause.is_some());
    some("clocks that jump", |plan| plan.clocks.jump.is_some());
    some("clocks that change their rate", |plan| plan.clocks.drift.is_some());
    some("reports for no reason", |plan| plan.faults.report.is_some());
    some("voters lost for good", |plan| plan.faults.node_loss.is_some());
    some("clogs", |plan| plan.links.clog.is_some());
    some("links that flap", |plan| plan.links.flap.is_some());
    some("bounded queues", |plan| plan.links.queue.is_some());
    some("kinds of messages that are lost", |plan| plan.links.kind_loss > 0);
    some("snapshots that fail", |plan| plan.links.snapshot_loss > 0);
    some("snapshots that crawl", |plan| plan.links.snapshot_crawl > 0);
    some("all is healed", |plan| plan.heals == Heals::Everything);
    some("a quorum is healed", |plan| plan.heals == Heals::Quorum);
    some("a quorum is healed beside cuts", |plan| plan.heals == Heals::QuorumBesideCuts);
}

#[test]
fn without_faults_a_cluster_elects_once_and_works() {
    for seed in 0..30 {
        let overrides = Overrides { steps: Some(5000), nodes: Some(3), no_faults: true, ..Overrides::default() };
        let ended = run(&Plan::draw(seed, &overrides), |_| {});
        let statistics = ended.world.statistics();
        assert_eq!(ended.violation, None, "seed {seed}");
        assert!(statistics.elections >= 1 && statistics.committed >= 1, "seed {seed}: {statistics:?}");
        assert_eq!(statistics.events(EventKind::Crash) + statistics.events(EventKind::Cut), 0, "seed {seed}");
    }
}

/// What a world holds, as far as it shows: entries, bytes on disk, messages in flight.
fn size(ended: &Ended) -> (usize, u64, usize) {
    let world = &ended.world;
    let entries = world.replicas().filter_map(|replica| replica.node()).map(|node| node.storage().stored().len());
    let bytes = world.replicas().map(|replica| replica.disk().used());
    (entries.sum(), bytes.sum(), world.network().in_flight())
}

#[test]
fn a_world_that_compacts_does_not_grow_with_its_history() {
    let overrides = Overrides { nodes: Some(5), no_faults: true, no_settle: true, ..Overrides::default() };
    let mut plan = Plan::draw(23, &overrides);
    (plan.hosts.snapshot_every, plan.hosts.keep_entries) = (Some(50), 10);
    plan.steps = 10_000;
    let early = size(&run(&plan, |_| {}));
    plan.steps = 200_000;
    let late = size(&run(&plan, |_| {}));
    assert!(
        late.0 <= 2 * early.0.max(5 * 60) && late.1 <= 2 * early.1 && late.2 <= 2 * early.2.max(50),
        "{early:?} {late:?}"
    );
}

#[test]
fn a_cluster_that_nobody_leads_has_not_converged() {
    let node = raft::NodeId::new(1).expect("not zero");
    let mut world = sim::world::World::new();
    let (boot, options) = (sim::world::Boot::Peers(vec![node]), sim::world::NodeOptions::default());
    world.apply(&Event::Start { node, boot, options, seed: Some(1) }).expect("a node starts");
    let halt = world.apply(&Event::ExpectSettled { written: None, reads: 0 }).expect_err("nobody ticks");
    assert!(halt.to_string().contains("nobody leads"), "{halt}");
}

/// A leader agrees with itself: what it lacks is told as its own.
#[test]
fn a_leader_that_has_not_applied_its_log_has_not_converged() {
    let node = raft::NodeId::new(1).expect("not zero");
    let mut world = sim::world::World::new();
    let (boot, options) = (sim::world::Boot::Peers(vec![node]), sim::world::NodeOptions::default());
    world.apply(&Event::Start { node, boot, options, seed: Some(1) }).expect("a node starts");
    let next = |world: &sim::world::World| world.replica(node)?.to_do().next_event(node, 1);
    for begins in [None, Some(Event::Campaign { node })] {
        let mut happens = begins.or_else(|| next(&world));
        while let Some(event) = happens {
            world.apply(&event).expect("its host works");
            happens = next(&world);
        }
    }
    world.apply(&Event::Propose { node, data: "new".into() }).expect("it leads");
    let view = *world.replica(node).expect("it is there").view();
    let (term, last) = (view.hard_state.term, view.last.index);
    let halt = world.apply(&Event::ExpectSettled { written: Some(last), reads: 0 }).expect_err("nothing is applied");
    let expected = format!("node 1 leads term {term} and has applied up to {}; expected up to {last}", last.previous());
    assert!(halt.to_string().contains(&expected), "{halt}");
}

/// In seeds 8109441, 8113147 and 60003777 hosts forgot what their nodes still looked through for changes of the membership: the
/// last one did one thing after another, and its node was asked to campaign in the middle of a Ready.
#[test]
fn a_log_is_compacted_no_further_than_the_node_was_told_to_be_applied() {
    use sim::world::{Boot, NodeOptions, World};
    let node = raft::NodeId::new(1).expect("not zero");
    for async_storage_writes in [false, true] {
        let conf_state = raft::ConfState { voters: [node].into(), ..raft::ConfState::default() };
        let boot = Boot::Snapshot { index: raft::Index(1), conf_state };
        let options = NodeOptions { async_storage_writes, ..NodeOptions::default() };
        let mut world = World::new();
        let applied = |world: &World| world.replica(node)?.state_machine().map(|machine| machine.applied().index);
        let last = |world: &World| world.replica(node).map(|replica| replica.view().last.index);
        let go_on = |world: &mut World, until_applied: bool| {
            while !(until_applied && applied(world) == last(world)) {
                let work = world.replica(node).and_then(|replica| replica.to_do().next_event(node, 9));
                let arrives = || world.network().iter().next().map(|(message, _)| Event::Deliver { message });
                let Some(event) = work.or_else(arrives) else { break };
                world.apply(&event).expect("it fits");
            }
        };
        world.apply(&Event::Start { node, boot, options, seed: Some(1) }).expect("a node starts");
        world.apply(&Event::Campaign { node }).expect("it may");
        go_on(&mut world, false);
        world.apply(&Event::Propose { node, data: "new".into() }).expect("it leads");
        go_on(&mut world, true);
        let (index, told) = (last(&world).expect("it is up"), world.replica(node).expect("it is there").view().applied);
        assert!(applied(&world) == Some(index) && told < index, "its application is ahead of the node");
        world.apply(&Event::TakeSnapshot { node }).expect("something new was applied");
        let compacted = world.apply(&Event::Compact { node, index });
        assert!(compacted.is_err(), "{compacted:?}");
        go_on(&mut world, false);
        world.apply(&Event::Compact { node, index }).expect("it was told by now");
    }
}

/// A voter is lost in a cluster that changes for no other reason, and operators put another in its place.
#[test]
fn a_voter_that_is_lost_for_good_is_replaced_and_the_cluster_goes_on() {
    let mut replaced = 0;
    for seed in 0..20 {
        let overrides = Overrides { steps: Some(10_000), nodes: Some(5), no_faults: true, ..Overrides::default() };
        let mut plan = Plan::draw(seed, &overrides);
        plan.faults.node_loss = Some(60 * sim::plan::TICK);
        let ended = run(&plan, |_| {});
        assert_eq!(ended.violation, None, "seed {seed}");
        let world = &ended.world;
        let members = world.leader().and_then(|leader| leader.node()).map(|node| node.configuration().conf_state());
        let voters = members.map(|members| members.voters).unwrap_or_default();
        replaced += voters.iter().filter(|voter| voter.get() > 5).count();
        assert!(voters.len() >= 3, "seed {seed}: {voters:?}");
        let lost = world.statistics().events(EventKind::Crash);
        assert_eq!(world.statistics().events(EventKind::Restart), 0, "seed {seed}, {lost} lost");
    }
    assert!(replaced > 0);
}

#[test]
fn a_quorum_converges_though_others_stay_cut_off_or_down() {
    let mut beside = 0;
    for seed in 0..60 {
        let heals = [Heals::Quorum, Heals::QuorumBesideCuts][seed as usize % 2];
        let ended = run(&Plan { settles: true, heals, ..plan(seed, 3000) }, |_| {});
        assert_eq!(ended.violation, None, "seed {seed}");
        beside += ended.world.statistics().converged_beside_faults;
    }
    assert!(beside >= 10, "{beside}");
}

#[test]
fn clusters_converge_once_faults_are_over_or_have_an_excuse() {
    let (mut converged, mut excused) = (0, 0);
    for seed in 0..60 {
        let ended = run(&Plan { settles: true, ..plan(seed, 3000) }, |_| {});
        assert_eq!(ended.violation, None, "seed {seed}");
        let statistics = ended.world.statistics();
        assert_eq!(statistics.events(EventKind::ExpectSettled), 1, "seed {seed}");
        converged += statistics.converged;
        excused += Excuse::ALL.map(|excuse| statistics.stalls(excuse)).iter().sum::<u64>();
    }
    assert!(converged >= 55 && converged + excused == 60, "{converged} converged, {excused} excused");
}

/// In each of these a quorum was chosen that a change of the membership, still on its way, made none.
#[test]
fn no_quorum_is_chosen_while_a_change_is_on_its_way() {
    for (seed, way) in [(43623, "in an append of a leader that was down"), (22674, "in the queue of a loop")] {
        let ended = run(&Plan::draw(seed, &Overrides { steps: Some(1000), ..Overrides::default() }), |_| {});
        assert_eq!(ended.violation, None, "seed {seed}: {way}");
    }
}

/// Each of these ended without a leader, for what the faults or the operators had done wrong.
#[test]
fn nothing_that_faults_left_half_done_keeps_a_cluster_from_converging() {
    let causes = [
        (4926, "a cut that was on its way came after everything was healed"),
        (4356, "messages took as long as an election, and a node that could not win interrupted the others"),
        (270, "a crash waited for the only node to be at work"),
        (768, "the fsync of the only node failed, and nobody waited until it came back"),
        (130, "operators switched off the only node that knew of the other members"),
        (158, "operators switched off a removed leader, whose vote the others needed"),
        (11227, "the leader's only snapshot did not mention the member that it was for, and nobody took a newer one"),
        (2_001_152, "the node with the longest log was down when the others were first looked at"),
        (13193, "operators wrote more than a learner on a bad link could take in"),
    ];
    for (seed, cause) in causes {
        let ended = run(&Plan::draw(seed, &Overrides::default()), |_| {});
        assert_eq!(ended.violation, None, "seed {seed}: {cause}");
        assert_eq!(ended.world.statistics().converged, 1, "seed {seed}: {cause}");
    }
}

#[test]
fn damage_leaves_whoever_leads_a_quorum_of_intact_disks() {
    let mut damaged = 0;
    for seed in 0..60 {
        let mut plan = plan(seed, 3000);
        plan.disks.damage = Some(5 * sim::plan::TICK);
        let world = run(&plan, |_| {}).world;
        let is_lost = |id| world.replica(id).is_none_or(|replica| replica.is_damaged());
        damaged += world.replicas().filter(|replica| replica.is_damaged()).count();
        let Some(node) = world.leader().and_then(|leader| leader.node()) else { continue };
        let intact = node.configuration().voters().vote_result(|voter| Some(!is_lost(voter)));
        assert_eq!(intact, raft::VoteResult::Won, "seed {seed}: {}", node.configuration());
    }
    assert!(damaged > 30, "{damaged}");
}

/// A plan in which disks are lost again and again.
fn plan_of_losses(seed: u64) -> Plan {
    let mut plan = plan(seed, 3000);
    plan.disks.loss = Some(4 * sim::plan::TICK);
    plan
}

#[test]
fn nodes_that_come_back_without_what_they_promised_break_nothing_where_nobody_relies_on_it() {
    let (mut empty, mut old) = (0, 0);
    for seed in 0..60 {
        let ended = run(&plan_of_losses(seed), |_| {});
        assert_eq!(ended.violation, None, "seed {seed}");
        let came_back = |what| ended.world.replicas().filter(|replica| replica.disk().replaced() == Some(what)).count();
        empty += came_back(sim::disk::Replaced::Empty);
        old += came_back(sim::disk::Replaced::OldCopy);
    }
    assert!(empty > 10 && old > 3, "{empty} with empty disks, {old} with old ones");
}

#[test]
fn a_leader_that_repeats_as_etcds_what_is_refused_wastes_messages() {
    let found = (0..60).find(|seed| {
        let mut plan = plan_of_losses(*seed);
        plan.cluster.options.iter_mut().for_each(|options| options.waits_as_etcd = sim::world::SeldomOn(true));
        run(&plan, |_| {}).violation.is_some_and(|found| found.invariant == sim::invariant::Invariant::MessageEconomy)
    });
    assert!(found.is_some(), "nobody repeated anything");
}

/// A plan in which a node with the log of another cluster is added, soon.
fn plan_with_a_foreign_log(seed: u64) -> Option<Plan> {
    let mut plan = Plan::draw(seed, &Overrides { steps: Some(5000), ..Overrides::default() });
    plan.faults.foreign = plan.faults.foreign.map(|_| 10 * sim::plan::TICK);
    plan.faults.foreign.is_some().then_some(plan)
}

#[test]
fn a_node_with_the_log_of_another_cluster_costs_the_cluster_nothing() {
    let (mut rejected, mut converged) = (0, 0);
    for plan in (0..200).filter_map(plan_with_a_foreign_log) {
        let ended = run(&plan, |_| {});
        assert_eq!(ended.violation, None, "seed {}", plan.seed);
        let statistics = ended.world.statistics();
        rejected += u64::from(statistics.situations.times(sim::situation::Situation::ForeignLogRejected) > 0);
        let is_member = |leader: &sim::world::Replica| {
            leader.node().is_some_and(|node| node.configuration().contains(plan.cluster.foreign()))
        };
        converged += u64::from(statistics.converged > 0 && ended.world.leader().is_some_and(is_member));
    }
    assert!(rejected > 3 && converged > 5, "{rejected} were rejected by it, and {converged} converged beside it");
}

#[test]
fn leases_that_are_to_be_kept_meet_no_trouble_with_time() {
    let kept = (0..2000).map(|seed| plan(seed, 1)).filter(|plan| plan.cluster.keeps_leases);
    let troubled = |plan: &Plan| {
        // A leader that is ahead of all others gives its lease up sooner.
        let no_trouble = sim::plan::ClockPlan { leader_pace: plan.clocks.leader_pace, ..Default::default() };
        plan.disks.slow.is_some() || plan.clocks != no_trouble
    };
    assert_eq!(kept.filter(troubled).count(), 0);
}

#[test]
fn a_process_that_stands_still_makes_up_for_it_at_once() {
    let reached = |pause| {
        let overrides = Overrides { steps: Some(5000), nodes: Some(3), no_faults: true, ..Overrides::default() };
        let mut plan = Plan::draw(1, &overrides);
        (plan.clocks.pause, plan.clocks.pause_length) = (pause, 20 * sim::plan::TICK);
        let ended = run(&plan, |_| {});
        assert_eq!(ended.violation, None);
        ended.world.statistics().situations.times(sim::situation::Situation::ClockCaughtUp)
    };
    assert!(reached(Some(10 * sim::plan::TICK)) > 0);
    assert_eq!(reached(None), 0);
}

/// What kept each of them from converging was the simulator's doing: slow hosts, a quorum that could not last, shuffled messages,
/// members that stayed switched off, no name for a stall.
#[test]
fn seeds_that_once_did_not_converge_do() {
    for seed in [12_876, 22_761, 24_175, 70_776, 83_948, 284_737, 375_285, 542_535, 800_524] {
        let plan = Plan::draw(seed, &Overrides { steps: Some(500), ..Overrides::default() });
        assert_eq!(run(&plan, |_| {}).violation, None, "seed {seed}");
    }
}
