//! Events a second of a whole run: driver, nodes, disks, all checks and the digest, on one core. Besides, what a copy of a world
//! costs, and how many states an exhaustive search meets in a second.
//!
//! A run must not slow down as its history grows, so the same cluster is measured after 10,000 and after 1,000,000
//! events.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sim::campaign::explore::run_seed;
use sim::driver::exhaust::{Act, Alone, Bounds, Unwatched, search};
use sim::driver::swarm::{Swarm, run};
use sim::invariant::Invariant;
use sim::plan::{Overrides, Plan};
use sim::trace::Ending;
use sim::world::{Digest, Event, World};

/// How many events are measured at once.
const EVENTS: u64 = 10_000;

/// Seeds with different plans, so that no one mix of events decides.
const SEEDS: [u64; 3] = [3, 23, 41];

fn plan(seed: u64, nodes: u64) -> Plan {
    let overrides = Overrides { steps: Some(u64::MAX), nodes: Some(nodes), ..Overrides::default() };
    let mut plan = Plan::draw(seed, &overrides);
    // A log that is never compacted grows, and so would the time of a snapshot of the world.
    plan.hosts.snapshot_every.get_or_insert(100);
    // So does one of which less is committed than proposed.
    for options in &mut plan.cluster.options {
        options.max_uncommitted_size = options.max_uncommitted_size.min(4096);
    }
    plan
}

fn advance(swarm: &mut Swarm<'_>, events: u64) {
    for _ in 0..events {
        let ending = swarm.step(&mut |event| {
            black_box(event);
        });
        assert_eq!(ending, Ending::Completed);
    }
}

fn events(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(20);
    for (nodes, before) in [(1, 10_000), (3, 10_000), (5, 10_000), (5, 1_000_000), (7, 10_000)] {
        for seed in SEEDS {
            let plan = plan(seed, nodes);
            let mut swarm = Swarm::new(&plan);
            advance(&mut swarm, before);
            group.bench_function(format!("{nodes} nodes/after {before}/seed {seed}"), |bencher| {
                // The run goes on from one measurement to the next: a clone would first have to grow its buffers.
                bencher.iter(|| advance(&mut swarm, EVENTS));
            });
        }
    }
    group.finish();
}

/// Plans as they are drawn, the slow ones too: the figure that stands for all.
fn mix(criterion: &mut Criterion) {
    const PLANS: u64 = 40;
    const STEPS: u64 = 50_000;
    let overrides = Overrides { steps: Some(STEPS), nodes: Some(5), no_settle: true, ..Overrides::default() };
    let mut group = criterion.benchmark_group("mix");
    group.throughput(Throughput::Elements(PLANS * STEPS)).sample_size(10);
    group.bench_function(format!("5 nodes/the first {PLANS} plans"), |bencher| {
        bencher.iter(|| (0..PLANS).map(|seed| run_seed(seed, &overrides).digest).fold(0, u64::wrapping_add));
    });
    group.finish();
}

fn clone(criterion: &mut Criterion) {
    let plan = plan(SEEDS[0], 5);
    let mut swarm = Swarm::new(&plan);
    advance(&mut swarm, 10_000);
    criterion.bench_function("World::clone/5 nodes", |bencher| bencher.iter(|| black_box(swarm.world().clone())));
}

/// A search from beginning to end: copies of worlds, moves, hashes, and what is remembered of the states that were met.
fn exhaust(criterion: &mut Criterion) {
    let small = Bounds { nodes: 4, ..Bounds::default() }.with(Act::Propose, 0);
    let states = || search(&small, &Alone, &mut Unwatched).states;
    let mut group = criterion.benchmark_group("exhaust");
    group.throughput(Throughput::Elements(states())).sample_size(10);
    group.bench_function(format!("{small}"), |bencher| bencher.iter(|| black_box(states())));
    group.finish();
}

/// The world alone, on events that were recorded: with every check, with each check alone (and what it goes by), with
/// only the picture of the cluster that checks go by, and without that. What the digest of the events costs stands beside it.
fn checks(criterion: &mut Criterion) {
    let plan = Plan { steps: EVENTS, settles: false, ..plan(SEEDS[0], 5) };
    let mut events: Vec<Event> = Vec::new();
    run(&plan, |event| events.push(event.clone()));
    let replay = |mut world: World| {
        for event in &events {
            black_box(world.apply(event).expect("it was recorded"));
        }
        world.digest()
    };
    let mut group = criterion.benchmark_group("recorded");
    group.throughput(Throughput::Elements(events.len() as u64)).sample_size(20);
    group.bench_function("all checks", |bencher| bencher.iter(|| replay(World::new())));
    for invariant in Invariant::ALL {
        let name = format!("only {}", invariant.name());
        group.bench_function(name, |bencher| bencher.iter(|| replay(World::watching(Some(invariant)))));
    }
    group.bench_function("only the picture", |bencher| bencher.iter(|| replay(World::watching(None))));
    group.bench_function("no checks", |bencher| bencher.iter(|| replay(World::unchecked())));
    group.bench_function("digest of the events alone", |bencher| {
        bencher.iter(|| {
            let mut digest = Digest::new();
            events.iter().for_each(|event| digest.value(event));
            digest.get()
        });
    });
    group.finish();
}

/// Whole runs, as an exploration does them.
fn seeds(criterion: &mut Criterion) {
    const RUNS: u64 = 10;
    let mut group = criterion.benchmark_group("seeds");
    group.throughput(Throughput::Elements(RUNS)).sample_size(10);
    group.bench_function("of usual length", |bencher| {
        bencher.iter(|| (0..RUNS).map(|seed| run_seed(seed, &Overrides::default()).digest).fold(0, u64::wrapping_add));
    });
    group.finish();
}

criterion_group!(benches, events, mix, checks, clone, exhaust, seeds);
criterion_main!(benches);
