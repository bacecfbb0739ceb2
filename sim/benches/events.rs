//! Events a second of a whole run: driver, nodes, disks, all checks and the digest, on one core.
//!
//! A run must not slow down as its history grows, so the same cluster is measured after 10,000 and after 1,000,000
//! events.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sim::driver::swarm::Swarm;
use sim::plan::{Overrides, Plan};
use sim::trace::Ending;

/// How many events are measured at once.
const EVENTS: u64 = 10_000;

/// Seeds with different plans, so that no one mix of events decides.
const SEEDS: [u64; 3] = [3, 23, 41];

fn plan(seed: u64, nodes: u64) -> Plan {
    let overrides = Overrides { steps: Some(u64::MAX), nodes: Some(nodes), ..Overrides::default() };
    let mut plan = Plan::draw(seed, &overrides);
    // A log that is never compacted grows, and so would the time of a snapshot of the world.
    plan.hosts.snapshot_every.get_or_insert(100);
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

fn clone(criterion: &mut Criterion) {
    let plan = plan(SEEDS[0], 5);
    let mut swarm = Swarm::new(&plan);
    advance(&mut swarm, 10_000);
    criterion.bench_function("World::clone/5 nodes", |bencher| bencher.iter(|| black_box(swarm.world().clone())));
}

criterion_group!(benches, events, clone);
criterion_main!(benches);
