//! How a node of the world is set up: its options, its application, and what it first starts from.

use std::hash::{Hash, Hasher};

use raft::node::Limits;
use raft::{ConfState, Config, ConfigError, Index, NodeId, ReadOnlyOption, Term};
use serde::{Deserialize, Serialize};

/// What the entries of a node are applied to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum ApplicationKind {
    /// The application of etcd's interaction tests. The state is all applied data, one after another. After each entry
    /// it records a snapshot, which survives crashes and is what the storage hands out; a received snapshot changes
    /// neither, and the membership that a restart begins with is that of the log's own snapshot. For scripts.
    Appender,
    /// A few keys, written by clients that number their commands; bounded in size. Its snapshots are taken by event.
    #[default]
    KeyValue,
}

/// The options of a node: those of [`raft::Config`], which describes them, and its application.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "described at the fields of raft::Config")]
pub struct NodeOptions {
    /// What entries are applied to.
    pub application: ApplicationKind,
    pub election_tick: u32,
    pub heartbeat_tick: u32,
    pub async_storage_writes: bool,
    #[serde(with = "crate::number::limit")]
    pub max_size_per_message: u64,
    #[serde(with = "crate::number::limit")]
    pub max_committed_size_per_ready: u64,
    #[serde(with = "crate::number::limit")]
    pub max_uncommitted_size: u64,
    #[serde(with = "crate::number::limit")]
    pub max_inflight_messages: usize,
    #[serde(with = "crate::number::limit")]
    pub max_inflight_bytes: u64,
    pub check_quorum: bool,
    pub pre_vote: bool,
    pub read_only_option: ReadOnlyOption,
    pub disable_proposal_forwarding: bool,
    pub disable_conf_change_validation: bool,
    pub step_down_on_removal: bool,
    pub allow_missing_term: bool,
    pub immediate_singleton_reads: bool,
    #[serde(default)]
    pub lead_before_own_vote: bool,
    #[serde(default, skip_serializing_if = "SeldomOn::is_off")]
    pub waits_as_etcd: SeldomOn,
    #[serde(default, skip_serializing_if = "SeldomOn::is_off")]
    pub batch_append: SeldomOn,
    /// What runs the node.
    #[serde(default, skip_serializing_if = "Front::is_raw")]
    pub front: Front,
}

/// An option that came later, or that few runs have on. Like the usual [`Front`], one that is off adds nothing to the digest of a
/// world, nor to a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeldomOn(pub bool);

impl SeldomOn {
    /// Whether the node goes without it.
    pub const fn is_off(&self) -> bool {
        !self.0
    }
}

impl Hash for SeldomOn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.0 {
            self.0.hash(state);
        }
    }
}

/// What runs a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Front {
    /// Its host calls it directly: the node does at once what it is told.
    #[default]
    Raw,
    /// The run loop of the concurrent front end: what it is told waits in queues, of which
    /// [`Take`](super::Event::Take) takes the next input.
    Loop(Limits),
}

impl Front {
    /// Whether it is [`Raw`](Self::Raw).
    pub fn is_raw(&self) -> bool {
        *self == Self::Raw
    }
}

/// A raw node adds nothing, so that the digests of worlds without loops are what they were before there were any.
impl Hash for Front {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Raw => {}
            Self::Loop(limits) => limits.hash(state),
        }
    }
}

impl NodeOptions {
    /// The configuration of the node with this identity, which has applied the log up to `applied`. The seed is for its
    /// election timeouts; without one they are fixed, as scripts want them.
    pub fn config(&self, id: NodeId, applied: Index, election_seed: Option<u64>) -> Config {
        let usual = Config::new(id);
        Config {
            id,
            applied,
            election_seed,
            fixed_election_timeout: election_seed.is_none(),
            election_tick: self.election_tick,
            heartbeat_tick: self.heartbeat_tick,
            async_storage_writes: self.async_storage_writes,
            max_size_per_message: self.max_size_per_message,
            max_committed_size_per_ready: self.max_committed_size_per_ready,
            max_uncommitted_size: self.max_uncommitted_size,
            max_inflight_messages: self.max_inflight_messages,
            max_inflight_bytes: self.max_inflight_bytes,
            max_waiting_reads: usual.max_waiting_reads,
            batch_append: self.batch_append.0,
            check_quorum: self.check_quorum,
            pre_vote: self.pre_vote,
            read_only_option: self.read_only_option,
            disable_proposal_forwarding: self.disable_proposal_forwarding,
            disable_conf_change_validation: self.disable_conf_change_validation,
            step_down_on_removal: self.step_down_on_removal,
            allow_missing_term: self.allow_missing_term,
            immediate_singleton_reads: self.immediate_singleton_reads,
            lead_before_own_vote: self.lead_before_own_vote,
            waits_as_etcd: self.waits_as_etcd.0,
            // What the appender applied survives, but with an older membership: etcd's tests restart it like that.
            allow_outdated_membership: self.application == ApplicationKind::Appender,
            // Both are for comparing with etcd line by line, and recorded runs have one word for them.
            lenient_as_etcd: self.allow_missing_term,
        }
    }
}

impl NodeOptions {
    /// The options as a node accepts them: with check-quorum where reads are served by a lease, since a node refuses
    /// the one without the other.
    #[must_use]
    pub fn as_accepted(mut self) -> Self {
        let anybody = NodeId::new(1).expect("one is not zero");
        let refused = self.config(anybody, Index::ZERO, None).validate() == Err(ConfigError::LeaseWithoutCheckQuorum);
        self.check_quorum |= refused;
        self
    }
}

impl Default for NodeOptions {
    /// The usual options of a node, as [`Config::new`] has them.
    fn default() -> Self {
        let usual = Config::new(NodeId::new(1).expect("one is not zero"));
        Self {
            application: ApplicationKind::default(),
            election_tick: usual.election_tick,
            heartbeat_tick: usual.heartbeat_tick,
            async_storage_writes: usual.async_storage_writes,
            max_size_per_message: usual.max_size_per_message,
            max_committed_size_per_ready: usual.max_committed_size_per_ready,
            max_uncommitted_size: usual.max_uncommitted_size,
            max_inflight_messages: usual.max_inflight_messages,
            max_inflight_bytes: usual.max_inflight_bytes,
            check_quorum: usual.check_quorum,
            pre_vote: usual.pre_vote,
            read_only_option: usual.read_only_option,
            disable_proposal_forwarding: usual.disable_proposal_forwarding,
            disable_conf_change_validation: usual.disable_conf_change_validation,
            step_down_on_removal: usual.step_down_on_removal,
            allow_missing_term: usual.allow_missing_term,
            immediate_singleton_reads: usual.immediate_singleton_reads,
            lead_before_own_vote: usual.lead_before_own_vote,
            waits_as_etcd: SeldomOn(usual.waits_as_etcd),
            batch_append: SeldomOn(usual.batch_append),
            front: Front::default(),
        }
    }
}

/// What a node that never ran starts from.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Boot {
    /// Nothing. It joins a cluster that will send it what it needs, or stays alone.
    Empty,
    /// The first entries of the log say who is in the cluster; each of these nodes starts with the same list.
    Peers(
        /// The members, all of them voters.
        Vec<NodeId>,
    ),
    /// A snapshot of term 1 that says who is in the cluster and holds an empty state.
    Snapshot {
        /// The snapshot's index.
        index: Index,
        /// The members.
        conf_state: ConfState,
    },
    /// The log of another cluster, in which the node never was a voter: a snapshot of term 1, as above, and empty
    /// entries that follow it. What such a node shows says nothing about this cluster, and no check is held against it.
    /// It must not become a voter, since it does not have what it acknowledges.
    Foreign {
        /// The snapshot's index.
        index: Index,
        /// The members of the other cluster.
        conf_state: ConfState,
        /// The node's term, and that of the entries.
        term: Term,
        /// How many entries there are, at most [`MOST_FOREIGN_ENTRIES`](Self::MOST_FOREIGN_ENTRIES).
        #[serde(with = "crate::number")]
        entries: u64,
        /// The commit index, from the snapshot's index to that of the last entry.
        commit: Index,
    },
}

impl Boot {
    /// The most entries that a foreign log can have after its snapshot.
    pub const MOST_FOREIGN_ENTRIES: u64 = 10_000;

    /// Whether it is a [foreign](Self::Foreign) log.
    pub const fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign { .. })
    }

    /// The index of the snapshot, where there is one.
    pub const fn snapshot_index(&self) -> Option<Index> {
        match self {
            Self::Empty | Self::Peers(_) => None,
            Self::Snapshot { index, .. } | Self::Foreign { index, .. } => Some(*index),
        }
    }

    /// Whether a node can start from it: a foreign log has to make sense, and the node must be no voter by it.
    pub(super) fn makes_sense_for(&self, node: NodeId) -> bool {
        match self {
            Self::Empty | Self::Peers(_) | Self::Snapshot { .. } => true,
            Self::Foreign { index, conf_state, term, entries, commit } => {
                let ConfState { voters, voters_outgoing, .. } = conf_state;
                let is_voter = voters.contains(&node) || voters_outgoing.contains(&node);
                let last = index.plus((*entries).min(Self::MOST_FOREIGN_ENTRIES));
                !is_voter
                    && *term > Term::ZERO
                    && *entries <= Self::MOST_FOREIGN_ENTRIES
                    && (*index..=last).contains(commit)
            }
        }
    }
}
