//! A node's options, and which combinations make sense.

use crate::error::ConfigError;
use crate::planted::{Bug, planted};
use crate::types::{Index, NodeId};

/// How a leader makes sure that it still leads before it serves a read (thesis, section 6.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ReadOnlyOption {
    /// A quorum confirms it by answering a heartbeat. Independent of clocks.
    #[default]
    Safe,
    /// The lease that check-quorum gives is believed. Reads may be stale where clocks drift or pause without bound.
    LeaseBased,
}

/// A node's options. [`Config::recommended`] gives those for production, and [`Config::new`] the plain algorithm, with
/// everything optional off and without limits; change fields from there.
///
/// New options come with minor versions and do nothing unless they are set, so a literal has to end with one of those two.
/// The attribute `non_exhaustive` would enforce that, and take the literal away with it.
///
/// ```
/// use raft::{Config, NodeId};
/// let config = Config { election_tick: 20, heartbeat_tick: 2, ..Config::recommended(NodeId::new(1).unwrap()) };
/// assert!(config.validate().is_ok());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Config {
    /// The node's identity.
    pub id: NodeId,
    /// Ticks without a word from a leader after which a follower campaigns; the actual number is drawn from
    /// `[election_tick, 2 * election_tick)` at each change of role or term. Ten heartbeats are usual.
    pub election_tick: u32,
    /// Ticks between two heartbeats of a leader.
    pub heartbeat_tick: u32,
    /// Seeds the draws of election timeouts; give each node, and each start of a node, a different one. With `None` the
    /// seed follows from `id` and from what the storage holds at the start (term, vote, commit and last entry): nodes
    /// differ, and so do the starts of a node between which anything was stored. A host that has entropy should pass
    /// some, so that starts with the same storage differ too.
    pub election_seed: Option<u64>,
    /// Every election timeout is `election_tick`, and `election_seed` says nothing. For scripts and tests that decide who
    /// campaigns when: nodes that are ticked together campaign together, split the vote, and never elect a leader.
    #[cfg_attr(feature = "serde", serde(default))]
    pub fixed_election_timeout: bool,
    /// The last index that the application has applied; the node hands out what follows. Zero after the first start
    /// and wherever the application does not keep its state.
    ///
    /// The membership that the storage begins with ([`Storage::initial_state`](crate::Storage::initial_state)) has to
    /// contain the changes up to here, since they are not handed out again. An older one is refused where the log shows
    /// it ([`ConfigError::OutdatedMembership`]); nobody sees changes whose entries are compacted.
    pub applied: Index,
    /// Storage writes are handed out as messages to an append and an apply thread; see [`Ready`](crate::Ready).
    pub async_storage_writes: bool,
    /// The encoded bytes of the entries in one append; one entry is always sent. Zero sends one entry at a time.
    pub max_size_per_message: u64,
    /// The encoded bytes of committed entries that are handed out and not yet applied; one entry is always handed out.
    pub max_committed_size_per_ready: u64,
    /// The payload bytes of entries that a leader holds uncommitted before it drops proposals. Only data counts, as in
    /// etcd: proposals without any are never dropped for this, and their number is not bounded by it.
    pub max_uncommitted_size: u64,
    /// How many reads a leader holds that it cannot answer yet, because no quorum has confirmed that it leads, or it has
    /// not committed in its term. It refuses more, its own and forwarded ones, with
    /// [`ReadError::TooManyWaiting`](crate::ReadError::TooManyWaiting). Their number is bounded, not the length of their
    /// contexts. etcd has no such bound.
    #[cfg_attr(feature = "serde", serde(default = "max_waiting_reads"))]
    pub max_waiting_reads: usize,
    /// What a leader has for one follower is joined into one append for each Ready: proposals, and what acknowledgements
    /// allow to send, wait until the Ready is taken. Otherwise each proposal is an append by itself, as in etcd, which costs
    /// several times as much where proposals come in batches. Nothing waits longer for it, since appends leave with the Ready
    /// either way. raft-rs has the option by the same name.
    #[cfg_attr(feature = "serde", serde(default))]
    pub batch_append: bool,
    /// How many appends may be in flight to one follower.
    pub max_inflight_messages: usize,
    /// How many payload bytes may be in flight to one follower.
    pub max_inflight_bytes: u64,
    /// A leader steps down when it hears nothing from a quorum for `election_tick` ticks, and a node that hears from
    /// a leader ignores candidates (thesis, section 6.2).
    ///
    /// Without it, a leader that hears nobody, and that all hear, keeps the others from electing another: 0 of 60 writes were done
    /// in the middle of 100 seeds, and 60 with it. Alone, without [`pre_vote`](Self::pre_vote), it does not keep a node that
    /// misses the leader from raising its term: by 41 in 600 ticks where what the leader sends to one follower is lost, and
    /// that term deposes the leader once the link works again. The repository's `docs/availability.md` has the measurements.
    pub check_quorum: bool,
    /// A node asks whether it could win before it raises its term (thesis, section 9.6).
    ///
    /// Alone, without [`check_quorum`](Self::check_quorum), it hurts where the leader loses its quorum and still reaches some
    /// followers: nobody's term rises, so nothing deposes the leader, and it commits nothing. Where all nodes reach one of
    /// them and nobody else, and that one does not lead, 0 of 60 writes were done in the middle of 100 seeds of five nodes, and with
    /// neither option, or with both, 60 of 60. The repository's `docs/availability.md` has the measurements.
    pub pre_vote: bool,
    /// How reads are made safe.
    pub read_only_option: ReadOnlyOption,
    /// A follower drops proposals instead of forwarding them to the leader.
    pub disable_proposal_forwarding: bool,
    /// A leader accepts membership changes without checking that none is pending and that joint configurations are
    /// entered and left in turn. For hosts that serialise changes themselves.
    pub disable_conf_change_validation: bool,
    /// Messages that need a term and have none, or term zero, pass the term check, as in etcd, and a candidate that is
    /// sent an append, heartbeat or snapshot of that kind falls back to term zero, until a response of its storage
    /// reminds it of its term. No correct node sends them; they are refused as malformed unless this is set, which is
    /// for comparing with etcd line by line. One more thing is then as in etcd, which only a node can see whose leader
    /// contradicts itself: where its log ends afterwards.
    pub allow_missing_term: bool,
    /// Where there is only one voter a leader answers reads at once, as in etcd: even before it has committed in its term,
    /// and even if it is not that voter but was removed. Such reads can be stale: after a restart the commit index may
    /// lie behind what was answered before, since it is not synced, and beside a removed leader the voter may lead a
    /// later term. Unless this is set, reads wait for the first commit of the term, and a removed leader asks the voter.
    pub immediate_singleton_reads: bool,
    /// A candidate leads as soon as a quorum has granted its vote, even if its own vote is not among those, as in etcd.
    /// With asynchronous storage writes others may grant theirs before the candidate's own term is durable; one that then
    /// leads, crashes and forgets the term can be elected in it a second time, and write other entries at the same
    /// positions. Unless this is set, a candidate waits for its own vote, which counts once it is durable.
    pub lead_before_own_vote: bool,
    /// Waits that etcd never ends do not end here either: a probe that is refused where the follower acknowledged before
    /// is repeated at once, for as long as it is refused; reads that wait for a quorum are not looked at again when the
    /// quorum shrinks; reads that wait for the leader's first commit outlive its leadership; a joint configuration that is to
    /// be left by itself is left only when an entry is applied, and a change whose proposal is dropped counts as pending.
    /// For comparing with etcd line by line.
    pub waits_as_etcd: bool,
    /// The node starts even where the log shows that the membership it starts with is outdated, as in etcd, and goes on
    /// with the old one: it may lead without a quorum of the newest one. Otherwise a node is refused whose storage has a
    /// membership that lacks changes up to `applied`; and where the log holds several changes beyond the stored commit
    /// index, all but the last count as committed, since a leader appends a change only when it has applied those before.
    /// (With `disable_conf_change_validation` it may not have.) For comparing with etcd line by line, and for an
    /// application that decided against those changes.
    #[cfg_attr(feature = "serde", serde(default))]
    pub allow_outdated_membership: bool,
    /// The node believes what no correct peer can say, as in etcd: that an acknowledgement is of entries that were
    /// never sent, that a term has a second leader, that its log differs from what is committed here; see
    /// [`Malformed`](crate::Malformed), where each such case says so. Acknowledged writes can be lost by that. Besides,
    /// a storage response counts although what was written has been overwritten since. Such peers can bring that about,
    /// and the log may have holes afterwards. For comparing with etcd line by line.
    #[cfg_attr(feature = "serde", serde(default))]
    pub lenient_as_etcd: bool,
    /// A leader that a change removes or demotes becomes a follower when it applies that change.
    pub step_down_on_removal: bool,
}

impl Config {
    /// Stands for "no limit" wherever a limit counts bytes.
    pub const NO_LIMIT: u64 = u64::MAX;

    /// The plain algorithm for the node with this identity, as etcd's defaults have it: election timeouts are drawn at
    /// random, everything optional is off, and sizes are not limited.
    pub const fn new(id: NodeId) -> Self {
        Self {
            id,
            election_tick: 10,
            heartbeat_tick: 1,
            election_seed: None,
            fixed_election_timeout: false,
            applied: Index::ZERO,
            async_storage_writes: false,
            max_size_per_message: Self::NO_LIMIT,
            max_committed_size_per_ready: Self::NO_LIMIT,
            max_uncommitted_size: Self::NO_LIMIT,
            max_waiting_reads: max_waiting_reads(),
            batch_append: false,
            max_inflight_messages: 256,
            max_inflight_bytes: Self::NO_LIMIT,
            check_quorum: false,
            pre_vote: false,
            read_only_option: ReadOnlyOption::Safe,
            disable_proposal_forwarding: false,
            disable_conf_change_validation: false,
            allow_missing_term: false,
            immediate_singleton_reads: false,
            lead_before_own_vote: false,
            waits_as_etcd: false,
            allow_outdated_membership: false,
            lenient_as_etcd: false,
            step_down_on_removal: false,
        }
    }

    /// What a cluster in production should run with, on all of its nodes:
    ///
    /// - `pre_vote` and `check_quorum`, which belong together: a node that was cut off does not depose the leader when it
    ///   comes back, and a leader that was cut off stops being one (thesis, sections 6.2 and 9.6);
    /// - `step_down_on_removal`: a leader that was removed does not go on leading while it takes no proposals;
    /// - `batch_append`: proposals that come together travel together;
    /// - appends of up to 1 MiB, so that a heartbeat never waits long behind one, and up to 256 of them or 64 MiB in
    ///   flight to each follower, which bounds what a slow follower costs in memory and a lost append in repetition;
    /// - up to 64 MiB of uncommitted data, behind which a leader without a quorum drops proposals instead of filling its
    ///   memory with them;
    /// - committed entries in portions of up to 16 MiB, so that a node that catches up comes back to its messages in
    ///   between.
    ///
    /// Election timeouts are drawn from ten to twenty ticks, heartbeats are sent each tick. A tick should last a few
    /// times as long as a message needs to another node and its answer back, for instance 100 ms.
    ///
    /// ```
    /// use raft::{Config, NodeId};
    /// let config = Config::recommended(NodeId::new(1).unwrap());
    /// assert!(config.validate().is_ok() && config.pre_vote && config.check_quorum);
    /// ```
    pub const fn recommended(id: NodeId) -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            check_quorum: true,
            pre_vote: true,
            step_down_on_removal: true,
            batch_append: true,
            max_size_per_message: MIB,
            max_inflight_messages: 256,
            max_inflight_bytes: 64 * MIB,
            max_uncommitted_size: 64 * MIB,
            max_committed_size_per_ready: 16 * MIB,
            ..Self::new(id)
        }
    }

    /// Checks that the options make sense together.
    ///
    /// # Errors
    /// The first field found wrong, by name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        // etcd's raftpb uses the two largest numbers to address the append and the apply thread.
        if self.id.get() >= u64::MAX - 1 {
            return Err(ConfigError::ReservedId(self.id.get()));
        }
        if self.heartbeat_tick == 0 {
            return Err(ConfigError::Zero("heartbeat_tick"));
        }
        if self.election_tick <= self.heartbeat_tick {
            return Err(ConfigError::ElectionNotAboveHeartbeat {
                election: self.election_tick,
                heartbeat: self.heartbeat_tick,
            });
        }
        if self.max_committed_size_per_ready == 0 {
            return Err(ConfigError::Zero("max_committed_size_per_ready"));
        }
        if self.max_uncommitted_size == 0 {
            return Err(ConfigError::Zero("max_uncommitted_size"));
        }
        if self.max_waiting_reads == 0 {
            return Err(ConfigError::Zero("max_waiting_reads"));
        }
        if self.max_inflight_messages == 0 {
            return Err(ConfigError::Zero("max_inflight_messages"));
        }
        if self.max_inflight_bytes == 0 {
            return Err(ConfigError::Zero("max_inflight_bytes"));
        }
        if self.max_size_per_message != Self::NO_LIMIT && self.max_inflight_bytes < self.max_size_per_message {
            return Err(ConfigError::InflightBelowMessage {
                inflight: self.max_inflight_bytes,
                message: self.max_size_per_message,
            });
        }
        let lease_without_check = self.read_only_option == ReadOnlyOption::LeaseBased && !self.check_quorum;
        if lease_without_check && !planted(Bug::LeaseNoCheckquorum) {
            return Err(ConfigError::LeaseWithoutCheckQuorum);
        }
        Ok(())
    }
}

/// Enough for 100,000 reads a second over links with a round trip of 100 milliseconds, in about a megabyte.
const fn max_waiting_reads() -> usize {
    10_000
}
