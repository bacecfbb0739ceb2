//! Runs of raft-rs are the same whenever, wherever and however often they happen.

use sim::driver::swarm::{Swarm, run_in};
use sim::plan::{Overrides, Plan};
use sim_raft_rs::world;

fn plan(seed: u64, steps: u64) -> Plan {
    Plan::draw(seed, &Overrides { steps: Some(steps), no_settle: true, ..Overrides::default() }).fit(&world())
}

/// What these seeds lead to. It is the same in debug and release builds, where this test runs as well.
const DIGESTS: [(u64, u64); 4] =
    [(1, 0xcea5_e820_a3e8_551b), (2, 0xe01d_4408_f13d_0c31), (3, 0x4360_cb82_e2ea_c936), (5, 0xf639_b911_6325_1ee4)];

#[test]
fn a_seed_leads_to_the_same_digest_twice_and_in_every_build() {
    let digest = |seed| run_in(&world(), &plan(seed, 1500), |_| {}).world.digest();
    let run: Vec<(u64, u64)> = DIGESTS.iter().map(|(seed, _)| (*seed, digest(*seed))).collect();
    let again: Vec<(u64, u64)> = DIGESTS.iter().map(|(seed, _)| (*seed, digest(*seed))).collect();
    assert_eq!(run, again);
    assert_eq!(run, DIGESTS);
}

#[test]
fn a_copy_of_a_world_goes_on_as_the_world_does() {
    let plan = plan(2, 1200);
    let world = world();
    let mut swarm = Swarm::new_in(&world, &plan);
    while swarm.world().step() < 600 && swarm.go_on(&mut |_| {}).is_none() {}
    let mut copy = swarm.clone();
    while swarm.go_on(&mut |_| {}).is_none() && swarm.world().step() < 1200 {}
    while copy.go_on(&mut |_| {}).is_none() && copy.world().step() < 1200 {}
    assert_eq!(copy.world().digest(), swarm.world().digest());
    for (one, other) in copy.world().replicas().zip(swarm.world().replicas()) {
        let state = |replica: &sim::world::Replica| {
            replica
                .node()
                .map(|node| (node.status(), node.followers().collect::<Vec<_>>(), node.storage().hard_state()))
        };
        assert_eq!(state(one), state(other));
    }
}
