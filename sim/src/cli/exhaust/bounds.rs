//! The bounds, as they are typed.

use crate::driver::exhaust::{Act, Bounds, Counts};
use crate::world::NodeOptions;
use clap::Args;
use raft::ReadOnlyOption;

/// Within what to search.
#[derive(Args, Debug)]
pub(super) struct BoundsArguments {
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=7))]
    nodes: u64,
    /// How many of them are no members at first
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    outsiders: u64,
    /// How many of the members are learners at first
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    learners: u64,
    /// How often a node is told to campaign
    #[arg(long, value_name = "N", default_value_t = 1)]
    campaigns: u8,
    /// How often a clock ticks
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    ticks: u8,
    /// How often something is proposed, at any node
    #[arg(long, value_name = "N", default_value_t = 1)]
    proposals: u8,
    /// How often a membership change is proposed, at any node
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    changes: u8,
    /// How often a read is asked for, at any node
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    reads: u8,
    /// How often a node is asked to hand leadership over
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    transfers: u8,
    /// How often a node takes a snapshot and compacts its log
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    snapshots: u8,
    /// How often a node crashes; that it comes back is free
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    crashes: u8,
    /// How often a message is lost
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    losses: u8,
    /// How often a message is doubled
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    duplications: u8,
    /// No node gets beyond this term
    #[arg(long, value_name = "T", default_value_t = 20, hide_default_value = true)]
    terms: u64,
    /// How many moves a run has at most
    #[arg(long, value_name = "N", default_value_t = u32::MAX, hide_default_value = true)]
    depth: u32,
    /// Each step of a host is a move: a crash may come between any two
    #[arg(long)]
    host_steps: bool,
    /// Membership changes go through a joint configuration
    #[arg(long)]
    joint: bool,
    /// Proposals and reads are those of clients, whose histories are checked
    #[arg(long)]
    clients: bool,
    /// Nodes ask whether they could win before they campaign
    #[arg(long)]
    pre_vote: bool,
    /// Leaders step down that hear from no quorum, and who hears from one gives no vote
    #[arg(long)]
    check_quorum: bool,
    /// Reads are served by a lease, with check-quorum
    #[arg(long)]
    leases: bool,
    /// Storage writes are asynchronous
    #[arg(long)]
    async_writes: bool,
    /// The election timeout in ticks; the heartbeats' is one
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..))]
    election_tick: u32,
    /// How much memory the search may take, about, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..1 << 30))]
    memory: u64,
}

impl BoundsArguments {
    /// The same, as a search takes them.
    pub(super) fn bounds(&self) -> Result<Bounds, String> {
        if self.outsiders.saturating_add(self.learners) >= self.nodes {
            return Err("some node has to be a voter: fewer outsiders or learners, or more nodes".to_owned());
        }
        let lease = self.leases.then_some(ReadOnlyOption::LeaseBased);
        let usual = NodeOptions::default();
        let options = NodeOptions {
            election_tick: self.election_tick,
            heartbeat_tick: 1,
            pre_vote: self.pre_vote,
            check_quorum: self.check_quorum,
            read_only_option: lease.unwrap_or(usual.read_only_option),
            async_storage_writes: self.async_writes,
            ..usual
        };
        Ok(Bounds {
            nodes: self.nodes,
            outsiders: self.outsiders,
            learners: self.learners,
            most: self.most(),
            terms: self.terms,
            depth: self.depth,
            host_steps: self.host_steps,
            joint: self.joint,
            clients: self.clients,
            options: options.as_accepted(),
            memory: self.memory << 20,
        })
    }

    fn most(&self) -> Counts {
        let each = [
            (Act::Campaign, self.campaigns),
            (Act::Tick, self.ticks),
            (Act::Propose, self.proposals),
            (Act::Change, self.changes),
            (Act::Read, self.reads),
            (Act::Transfer, self.transfers),
            (Act::Snapshot, self.snapshots),
            (Act::Crash, self.crashes),
            (Act::Lose, self.losses),
            (Act::Duplicate, self.duplications),
        ];
        each.into_iter().fold(Counts::default(), |most, (act, count)| most.with(act, count))
    }
}
