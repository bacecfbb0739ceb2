//! What is wrong behind the adapter is found.

use std::sync::Arc;

use raft::{Config, HardState, MemStorage};
use sim::driver::swarm::run_in;
use sim::plan::{Overrides, Plan};
use sim::world::consensus::{CannotStart, Consensus, Engine, Supports};
use sim::world::{NodeOptions, Setup, World};
use sim_raft_rs::RaftRs;

/// raft-rs, but each node forgets its vote when it restarts.
#[derive(Debug)]
struct Forgetful;

impl Engine for Forgetful {
    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn supports(&self) -> Supports {
        RaftRs.supports()
    }

    fn fit(&self, options: &mut NodeOptions) {
        RaftRs.fit(options);
    }

    fn accepts(&self, config: &Config) -> Result<(), CannotStart> {
        RaftRs.accepts(config)
    }

    fn start(&self, config: &Config, mut storage: MemStorage) -> Result<Box<dyn Consensus>, CannotStart> {
        let hard_state = storage.hard_state();
        storage.set_hard_state(HardState { vote: None, ..hard_state });
        RaftRs.start(config, storage)
    }
}

#[test]
fn a_vote_that_is_forgotten_in_a_restart_is_found() {
    let engine: Arc<dyn Engine> = Arc::new(Forgetful);
    let world = World::with(Setup::new().engine(engine));
    let overrides = Overrides { steps: Some(2000), no_settle: true, ..Overrides::default() };
    let broken = (1..20).find_map(|seed| run_in(&world, &Plan::draw(seed, &overrides).fit(&world), |_| {}).violation);
    let broken = broken.expect("some seed restarts a node that has voted");
    assert_eq!(broken.invariant.name(), "vote-once", "{broken}");
}

#[test]
fn an_option_that_raft_rs_does_not_have_is_refused_by_name() {
    let id = raft::NodeId::new(1).unwrap();
    let config = Config { step_down_on_removal: true, ..Config::new(id) };
    let refused = RaftRs.accepts(&config).unwrap_err();
    assert_eq!(refused.to_string(), "raft-rs has no step_down_on_removal");
}

#[test]
fn a_plan_that_fits_starts_every_node() {
    let world = sim_raft_rs::world();
    for seed in 0..200 {
        let plan = Plan::draw(seed, &Overrides::default()).fit(&world);
        for options in &plan.cluster.options {
            let config = options.config(raft::NodeId::new(1).unwrap(), raft::Index::ZERO, Some(seed));
            RaftRs.accepts(&config).unwrap();
            RaftRs.start(&config, MemStorage::new()).unwrap();
        }
    }
}
