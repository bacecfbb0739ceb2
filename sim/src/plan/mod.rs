//! What a seed decides before a run begins: how long it is, the cluster, its options, and how much of what goes wrong.
//!
//! Seeds differ on purpose, not only in their events but in which kinds of events there are at all: a fault that is
//! always there hides what happens without it (swarm testing, Groce et al., 2012).

mod continued;
mod draw;
mod lean;
mod length;
mod links;
mod quiet;
mod specified;
mod theme;

pub use continued::CannotGoOn;
pub use draw::Overrides;
pub use links::{LinkPlan, MessageKind};

use raft::{NodeId, ReadOnlyOption};
use serde::{Deserialize, Serialize};

use crate::world::NodeOptions;

/// Simulated time. A node's clock ticks about once every [`TICK`].
pub type Time = u64;

/// The time between two ticks of a clock that is right.
pub const TICK: Time = 1000;

/// Everything that a seed decides before its run begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The seed, from which the run draws all that the plan leaves open.
    #[serde(with = "crate::number::any")]
    pub seed: u64,
    /// How many events happen.
    #[serde(with = "crate::number")]
    pub steps: u64,
    /// Whether the faults end after that, and the cluster has to converge.
    #[serde(default)]
    pub settles: bool,
    /// Which nodes are healed then.
    #[serde(default)]
    pub heals: Heals,
    /// The cluster.
    pub cluster: ClusterPlan,
    /// The network.
    pub network: NetworkPlan,
    /// What goes wrong with links and messages during fault bursts.
    #[serde(default)]
    pub links: LinkPlan,
    /// The hosts and their disks.
    pub hosts: HostPlan,
    /// What clients do.
    pub clients: ClientPlan,
    /// What goes wrong, and what operators do.
    pub faults: FaultPlan,
    /// What goes wrong with disks.
    #[serde(default)]
    pub disks: DiskPlan,
    /// What goes wrong with clocks and processes.
    #[serde(default)]
    pub clocks: ClockPlan,
}

/// Which nodes are healed when the faults end. If the membership is changing at that moment, all are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Heals {
    /// Every node and every link, except nodes that are lost for good.
    #[default]
    Everything,
    /// A quorum of the voters and the links between them. The others stay cut off, slow or down, as they are, and some go
    /// down for good.
    Quorum,
    /// A quorum as well, and the others are cut off in part: they reach some of the quorum, or are reached by some.
    QuorumBesideCuts,
}

/// The cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClusterPlan {
    /// How many nodes it begins with, with identities from 1.
    pub nodes: u64,
    /// How many of them, the last ones, begin as learners. Only where the cluster begins from a snapshot.
    pub learners: u64,
    /// How many more nodes may join, with the identities that follow.
    pub spares: u64,
    /// Whether it begins from a snapshot that holds the membership. If not, it begins from the first entries of the
    /// log.
    pub from_snapshot: bool,
    /// The options of each node, those of spares and of the foreign one included.
    pub options: Vec<NodeOptions>,
    /// Whether nodes change their options when they restart: pre-vote and check-quorum.
    pub changes_options: bool,
    /// The time between two ticks, for each node.
    pub tick: Vec<Time>,
    /// Whether nothing happens that breaks a lease, so that reads by lease must be right.
    pub keeps_leases: bool,
}

impl ClusterPlan {
    /// Whether reads are served by leases that need not hold.
    pub fn breaks_leases(&self) -> bool {
        self.serves_by_lease() && !self.keeps_leases
    }

    /// Whether some node serves reads by its lease.
    pub fn serves_by_lease(&self) -> bool {
        self.options.iter().any(|options| options.read_only_option == ReadOnlyOption::LeaseBased)
    }

    /// Every node that can exist, except the [foreign](Self::foreign) one.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.nodes + self.spares).map(node_id)
    }

    /// The node with the log of another cluster, if one may be added.
    pub fn foreign(&self) -> NodeId {
        node_id(self.nodes + self.spares + 1)
    }
}

/// The node with this number, from 1.
pub(crate) fn node_id(number: u64) -> NodeId {
    NodeId::new(number).expect("nodes are counted from 1")
}

/// The network.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NetworkPlan {
    /// The least time that a message takes.
    pub latency: Time,
    /// How much more it may take.
    pub jitter: Time,
    /// Whether messages of one link never overtake each other.
    pub in_order: bool,
    /// How many of a thousand messages are lost.
    pub loss: u64,
    /// How many of a thousand messages are doubled.
    pub duplication: u64,
    /// How many of a thousand messages come very late.
    pub late: u64,
    /// How late they come, at most.
    pub lateness: Time,
    /// How many of a thousand losses the sender is told of.
    pub reports: u64,
}

/// The hosts and their disks: how long they take. Each time is drawn between zero and twice the number given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HostPlan {
    /// The time to take a Ready, to send, or to hand back.
    pub step: Time,
    /// The time to write a record.
    pub write: Time,
    /// The time to make the log durable.
    pub sync: Time,
    /// The time to apply some entries.
    pub apply: Time,
    /// How many of a thousand of these take fifty times as long.
    pub hiccups: u64,
    /// The time until its storage's answer reaches the node.
    pub answer: Time,
    /// How many entries are applied at once, at most.
    pub page: u32,
    /// After how many applied entries a snapshot is taken and the log compacted; `None` for only when the log has grown
    /// long.
    pub snapshot_every: Option<u64>,
    /// How many entries a compaction leaves before the snapshot.
    pub keep_entries: u64,
}

/// What clients do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClientPlan {
    /// How many there are.
    pub clients: u64,
    /// How many keys they use.
    pub keys: u64,
    /// The mean time between two requests of one.
    pub pause: Time,
    /// How many of a thousand requests are reads.
    pub reads: u64,
    /// How many of a thousand other requests are compare-and-sets, not writes.
    pub compare_and_sets: u64,
    /// How many of a thousand requests go to any node; the others go to the leader.
    pub anywhere: u64,
    /// How many of a thousand of those requests go to the node that was the leader when the client last looked, though another
    /// may lead by now.
    #[serde(default)]
    pub stays: u64,
    /// How many of a thousand times a client that may still be answered sends again.
    pub repeats: u64,
    /// How many of a thousand times a client that waits gives up instead, and asks for something else.
    pub gives_up: u64,
    /// How many of a thousand requests are raw: data is proposed or a read asked for, and no client waits.
    pub raw: u64,
    /// The bytes of a value, at most.
    pub value: u64,
}

/// What goes wrong, and what operators do: for each kind the mean time between two, `None` for never. Faults come in
/// bursts; between them everything is healed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FaultPlan {
    /// How long a burst lasts.
    #[serde(alias = "storm")]
    pub burst: Time,
    /// How long everything is healed after it.
    #[serde(alias = "calm")]
    pub healed: Time,
    /// A node crashes.
    pub crash: Option<Time>,
    /// How long it stays down, on average.
    pub downtime: Time,
    /// How many of a thousand crashes take all nodes.
    pub crash_all: u64,
    /// How many of a thousand crashes wait until a node is at work.
    pub ambush: u64,
    /// Links are cut.
    pub partition: Option<Time>,
    /// How long they stay cut, on average.
    pub partition_length: Time,
    /// How many of a thousand partitions isolate leaders: each new one is cut off with one companion.
    #[serde(default)]
    #[serde(alias = "siege")]
    pub leader_isolation: u64,
    /// Whether the next leader campaigns at once where leaders are isolated, and need not wait for an election timeout.
    #[serde(default)]
    pub hurries_isolation: bool,
    /// How many of a thousand partitions strand the leader: it is cut off with one companion and asked for many entries, until
    /// the others have compacted their logs.
    #[serde(default)]
    pub stranding: u64,
    /// How many entries a stranded leader is asked for, at most.
    #[serde(default)]
    pub stranded: u64,
    /// The membership changes.
    pub membership: Option<Time>,
    /// Somebody asks for another leader.
    pub transfer: Option<Time>,
    /// A node campaigns out of turn.
    pub campaign: Option<Time>,
    /// A node forgets its leader.
    pub forget_leader: Option<Time>,
    /// A transport complains about a peer for no reason.
    pub report: Option<Time>,
    /// A voter is lost for good, and operators put a node with a new identity in its place.
    #[serde(default)]
    #[serde(alias = "ruin")]
    pub node_loss: Option<Time>,
    /// Operators add a node with the log of another cluster as a learner, or remove it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Time>,
}

/// What goes wrong with disks: for each kind the mean time between two, `None` for never.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DiskPlan {
    /// An fsync fails.
    pub fail_sync: Option<Time>,
    /// A disk fills up.
    pub fill: Option<Time>,
    /// A disk is slow for a while.
    pub slow: Option<Time>,
    /// How much longer each of its writes and fsyncs takes then, on average.
    pub slowness: Time,
    /// Something that is durable is damaged.
    pub damage: Option<Time>,
    /// A disk is copied, or lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Time>,
}

/// What goes wrong with time: for each kind the mean time between two, `None` for never.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClockPlan {
    /// A process stands still.
    pub pause: Option<Time>,
    /// How long it stands still, on average.
    pub pause_length: Time,
    /// A clock jumps ahead.
    pub jump: Option<Time>,
    /// By how many ticks, at most.
    pub jump_ticks: u64,
    /// A clock goes on at another rate.
    pub drift: Option<Time>,
    /// How many times as fast as planned the clock of a node runs while it leads, if it does; at least 1. Then no partition
    /// separates others than the leader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_pace: Option<u64>,
}
