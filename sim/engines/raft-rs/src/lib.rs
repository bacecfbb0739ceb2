//! raft-rs, as it was released, under the simulator.
//!
//! [`RaftRs`] is an [`Engine`]: a [`World`](sim::world::World) that is made with it runs nodes of raft-rs in the place of the project's
//! own, on the same disks, over the same network, under the same checks.
//!
//! ```
//! use sim::driver::swarm::run_in;
//! use sim::plan::{Overrides, Plan};
//!
//! let world = sim_raft_rs::world();
//! let plan = Plan::draw(1, &Overrides { steps: Some(500), ..Overrides::default() }).fit(&world);
//! assert!(run_in(&world, &plan, |_| {}).world.statistics().applied > 0);
//! ```
//!
//! # How raft-rs is run
//! As its documentation asks of a host that writes in the background: a Ready is taken, what it asks to be written can be read at
//! once (`advance_append_async`), it is written and synced, its messages are sent, its entries applied; then the node is told
//! (`on_persist_ready`, `advance_apply_to`). Ticks and messages come in between, as in the rest of the simulator. All messages wait until
//! what the Ready asks for is durable; a leader's own need not.
//!
//! # What it does not have
//! Asynchronous storage writes as etcd has them, a run loop, limits on bytes in flight, leaders that step down when they are removed,
//! followers that do not forward, nodes that forget their leader, and clusters whose first entries say who is in them. Plans have
//! that off. Not used are its priorities, group commit, `request_snapshot`, `batch_append` and `skip_bcast_commit`.
//!
//! # What is not checked of it
//! The rules of the run loop, which it does not have, and the two limits on uncommitted and on handed out bytes: it counts them by
//! its own encoding of membership changes. The command line says which properties are checked.
//!
//! # Reproducible runs
//! raft-rs draws election timeouts from the generator of the thread. Each is replaced before the node looks at it, by one from the
//! stream of the node's seed. Its maps are ordered by a hash that has no seed; where that order shows, in the messages of one
//! Ready to different nodes, they are sorted. What is left to the machine is the width of its words.

pub mod convert;
pub mod findings;
mod journal;
mod live;
mod node;
mod shelf;

use std::sync::Arc;

use raft::{Config, MemStorage};
use sim::invariant::Invariant;
use sim::world::consensus::{CannotStart, Consensus, Engine, Supports};
use sim::world::{NodeOptions, Setup, World};

use crate::node::RaftRsNode;

/// raft-rs 0.7.0, as it was released.
#[derive(Clone, Copy, Debug)]
pub struct RaftRs;

impl Engine for RaftRs {
    fn name(&self) -> &'static str {
        "raft-rs"
    }

    fn supports(&self) -> Supports {
        Supports {
            bootstrap: false,
            forget_leader: false,
            lost_data: false,
            unchecked: &[Invariant::RunLoop],
            unchecked_parts: &[
                (Invariant::BoundedMemory, "the limit on uncommitted bytes"),
                (Invariant::BoundedMemory, "the limit on bytes handed out at once"),
            ],
        }
    }

    fn fit(&self, options: &mut NodeOptions) {
        options.async_storage_writes = false;
        options.max_inflight_bytes = Config::NO_LIMIT;
        options.disable_proposal_forwarding = false;
        options.disable_conf_change_validation = false;
        options.step_down_on_removal = false;
        options.front = sim::world::Front::Raw;
        // It is refused otherwise.
        options.max_size_per_message = options.max_size_per_message.min(options.max_uncommitted_size);
        *options = options.clone().as_accepted();
    }

    fn accepts(&self, config: &Config) -> Result<(), CannotStart> {
        let lacks = |option| CannotStart::Option { engine: self.name(), option };
        let options = [
            (config.async_storage_writes, "async_storage_writes"),
            (config.max_inflight_bytes != Config::NO_LIMIT, "max_inflight_bytes"),
            (config.disable_proposal_forwarding, "disable_proposal_forwarding"),
            (config.disable_conf_change_validation, "disable_conf_change_validation"),
            (config.step_down_on_removal, "step_down_on_removal"),
            (config.allow_missing_term, "allow_missing_term"),
            (config.immediate_singleton_reads, "immediate_singleton_reads"),
            (config.lead_before_own_vote, "lead_before_own_vote"),
            (config.waits_as_etcd, "waits_as_etcd"),
        ];
        if let Some((_, option)) = options.into_iter().find(|(is_on, _)| *is_on) {
            return Err(lacks(option));
        }
        live::accepts(config)
    }

    fn start(&self, config: &Config, storage: MemStorage) -> Result<Box<dyn Consensus>, CannotStart> {
        Ok(Box::new(RaftRsNode::new(config, storage)?))
    }
}

/// A world whose nodes are those of raft-rs.
pub fn world() -> World {
    let engine: Arc<dyn Engine> = Arc::new(RaftRs);
    World::with(Setup::new().engine(engine))
}
