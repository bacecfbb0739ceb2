//! Why a node refuses something. A refused input leaves the node as it was; the exceptions stand at
//! [`StepError::Propose`].

use crate::storage::StorageError;
use crate::types::{EntryId, Index, NodeId, Term};

/// Why a configuration makes no sense; each variant names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The identity is one that etcd reserves for its storage threads.
    #[error("id {0:x} is reserved for a storage thread")]
    ReservedId(u64),
    /// A field that must be at least one is zero.
    #[error("{0} must be greater than 0")]
    Zero(&'static str),
    /// Followers would time out before a heartbeat is due.
    #[error("election_tick ({election}) must be greater than heartbeat_tick ({heartbeat})")]
    ElectionNotAboveHeartbeat {
        /// `election_tick`.
        election: u32,
        /// `heartbeat_tick`.
        heartbeat: u32,
    },
    /// The window in bytes does not hold one message.
    #[error("max_inflight_bytes ({inflight}) must not be less than max_size_per_message ({message})")]
    InflightBelowMessage {
        /// `max_inflight_bytes`.
        inflight: u64,
        /// `max_size_per_message`.
        message: u64,
    },
    /// A lease needs a leader that notices that it lost its quorum.
    #[error("check_quorum must be on when read_only_option is LeaseBased")]
    LeaseWithoutCheckQuorum,
    /// What the storage holds contradicts itself or the configuration.
    #[error("applied ({applied}) must lie in [{first_minus_one}, {commit}], the log's compacted end and its commit")]
    AppliedOutOfRange {
        /// `applied`.
        applied: Index,
        /// The index before the storage's first entry.
        first_minus_one: Index,
        /// The stored commit index.
        commit: Index,
    },
    /// The stored commit index lies outside of the stored log.
    #[error("stored commit ({commit}) must lie in [{first_minus_one}, {last}], the bounds of the stored log")]
    CommitOutOfRange {
        /// The stored commit index.
        commit: Index,
        /// The index before the storage's first entry.
        first_minus_one: Index,
        /// The storage's last index.
        last: Index,
    },
    /// The storage begins with a membership that lacks changes which the application has applied already. They would not
    /// be handed out again, and the node would go back to members of long ago, in silence. Store the membership together
    /// with what is applied ([`MemStorage::set_conf_state`](crate::MemStorage::set_conf_state), or a snapshot), or start with an
    /// older `applied`; see [`Storage::initial_state`](crate::Storage::initial_state).
    #[error("stored conf_state lacks the change in entry {change}, but everything up to {applied} is applied")]
    OutdatedMembership {
        /// The first entry with a change that is missing.
        change: Index,
        /// `applied`.
        applied: Index,
    },
    /// The stored membership contradicts itself.
    #[error("stored conf_state: {0}")]
    ConfState(#[from] crate::membership::ChangeError),
    /// The storage could not be read; see [`Storage`](crate::Storage#failure).
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What every error says of a node whose storage has failed.
const STORAGE_FAILED: &str =
    "the storage failed, and the node takes part no more: end it, see to the storage, and start it again";

/// Why a proposal was not accepted: it was neither appended here nor sent on, so nothing comes of it, and it can be made
/// again. etcd's `ErrProposalDropped`, with the reason.
///
/// ```
/// use raft::{ConfState, Config, MemStorage, NodeId, ProposeError, RawNode};
/// let id = NodeId::new(1).unwrap();
/// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
/// let mut node = RawNode::new(Config::new(id), MemStorage::with_conf_state(alone)).unwrap();
/// assert_eq!(node.propose("early".into()), Err(ProposeError::NoLeader));
/// ```
#[derive(Clone, Copy, Hash, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// This node knows no leader, or campaigns.
    #[error("no leader is known: propose again once there is one")]
    NoLeader,
    /// Another node leads, and this one does not send proposals on: because of
    /// [`Config::disable_proposal_forwarding`](crate::Config::disable_proposal_forwarding), or because it was asked to append
    /// the proposal itself.
    #[error("this node does not lead: propose to the leader, node {leader}")]
    NotLeader {
        /// Who leads, as far as this node knows.
        leader: NodeId,
    },
    /// This node leads, and hands leadership over. That ends with another leader, or after an election timeout.
    #[error("leadership is being transferred to node {to}: propose again once that has ended")]
    TransferringLeadership {
        /// Who is to lead.
        to: NodeId,
    },
    /// This node leads, and a membership change has removed it. It leads on until it notices, and takes nothing new.
    #[error("this leader was removed from the cluster: propose to another member")]
    Removed,
    /// This node leads, and has [`Config::max_uncommitted_size`](crate::Config::max_uncommitted_size) bytes in its log
    /// that are not applied yet. If their number does not fall, it may have lost its quorum.
    #[error(
        "{proposed} bytes on top of {uncommitted} that are not applied yet exceed the limit of {limit}: propose again once \
         some of them are"
    )]
    TooMuchUncommitted {
        /// The payload bytes of this leader's proposals that are not applied yet.
        uncommitted: u64,
        /// The payload bytes of this proposal.
        proposed: u64,
        /// [`Config::max_uncommitted_size`](crate::Config::max_uncommitted_size).
        limit: u64,
    },
    /// The log ends at [`Index::MAX`], or would go beyond it. The only way on is a new cluster.
    #[error("the log is full: it has no room below the largest index")]
    LogFull,
    /// See [`Storage`](crate::Storage#failure). The proposal may have been appended, and leaves this node no more.
    #[error("{STORAGE_FAILED}")]
    StorageFailed,
}

/// Why a read was not taken. Nothing comes of it; ask again later.
#[derive(Clone, Copy, Hash, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No leader is known that could be asked.
    #[error("no leader is known that could be asked: read again once there is one")]
    NoLeader,
    /// This leader holds [`Config::max_waiting_reads`](crate::Config::max_waiting_reads) reads already that it cannot
    /// answer before they are confirmed. It may have lost its quorum.
    #[error("too many reads wait for a quorum to confirm this leader: read again once some are answered")]
    TooManyWaiting,
    /// The leadership that was asked has ended, and the answer with it, unless it was on its way already. For reads that
    /// are [waited for](crate::Node::read_index_until_applied).
    #[error("the leadership that was asked has ended: read again")]
    LeadershipChanged,
    /// A read that is [waited for](crate::Node::read_index_until_applied) has the same context, so that the two could
    /// not be told apart.
    #[error("another read waits with the same context: read again with one that was never used")]
    ContextInUse,
    /// See [`Storage`](crate::Storage#failure).
    #[error("{STORAGE_FAILED}")]
    StorageFailed,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// A response from a node that is not a member.
    #[error("raft: cannot step as peer not found")]
    PeerNotFound(NodeId),
    /// A forwarded proposal that this node drops. The node is as it was, unless it is
    /// [as lenient as etcd](crate::Config::lenient_as_etcd), where a proposal of a higher term brings it to that term, or
    /// [waits as etcd](crate::Config::waits_as_etcd), where a membership change in it delays later ones.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// A forwarded read for which this leader has no room.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A message that no correct node sends.
    #[error("malformed message: {0}")]
    Malformed(#[from] Malformed),
    /// See [`Storage`](crate::Storage#failure).
    #[error("{STORAGE_FAILED}")]
    StorageFailed,
}

/// What is wrong with a message that no correct node sends, however messages are lost, repeated, delayed and reordered, and
/// however nodes crash, as long as each finds again what it had made durable.
///
/// A node that is [as lenient as etcd](crate::Config::lenient_as_etcd) takes those that are marked *lenient*.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Addressed to somebody else.
    #[error("addressed to {0}, not to this node")]
    NotForThisNode(NodeId),
    /// A kind of message that needs a term has none, or term zero, in which nobody ever led or campaigned.
    #[error("a message without a term")]
    MissingTerm,
    /// Its term is beyond [`Term::MAX`].
    #[error("term {0} is out of range")]
    TermOutOfRange(Term),
    /// One of its indexes is beyond [`Index::MAX`].
    #[error("index {0} is out of range")]
    IndexOutOfRange(Index),
    /// *Lenient.* The message bears the name of this node itself, which sends itself nothing of the kind: only what it
    /// forwards may come back to it, and its own vote and acknowledgement.
    #[error("from this node to itself")]
    FromItself,
    /// *Lenient.* A forwarded proposal or read with a term. They pass the term check because they have none.
    #[error("a forwarded request with a term, {0}")]
    UnexpectedTerm(Term),
    /// *Lenient.* From a leader, in a term that has another (Raft paper, figure 3, "election safety").
    #[error("from {from} as leader of a term that {known} leads")]
    AnotherLeader {
        /// The leader that this node knows of that term.
        known: NodeId,
        /// Who sent the message.
        from: NodeId,
    },
    /// A proposal without entries.
    #[error("a proposal without entries")]
    EmptyProposal,
    /// A proposed membership change does not decode.
    #[error("a membership change that does not decode")]
    UndecodableConfChange,
    /// An append's entries are not consecutive; or, which is *lenient*, their terms go back.
    #[error("entry {found} does not follow {previous}")]
    EntriesOutOfOrder {
        /// The entry before.
        previous: EntryId,
        /// The entry that does not follow it.
        found: EntryId,
    },
    /// *Lenient.* An entry of term zero, in which nobody leads.
    #[error("entry {0} of a term in which nobody leads")]
    EntryWithoutTerm(EntryId),
    /// *Lenient.* An entry that is too new: a leader has none of a later term than it leads in.
    #[error("entry {entry} is too new for who leads in term {term}")]
    EntryTooNew {
        /// The entry.
        entry: EntryId,
        /// The message's term.
        term: Term,
    },
    /// *Lenient.* A leader's log differs from this one where both have to be the same: in what is committed here, or in
    /// what this log has from that leader (Raft paper, figure 3, "leader completeness" and "log matching"). Where the
    /// logs are of two clusters, this is how it shows.
    #[error("entry {claimed} contradicts entry {held} of this log")]
    ContradictsLog {
        /// What the leader says is in its log.
        claimed: EntryId,
        /// What this log has there, or before.
        held: EntryId,
    },
    /// *Lenient.* The answer to an append that this leader cannot have sent: it is beyond its last entry.
    #[error("an answer to an append at {index}, beyond the last index {last}")]
    AnswerBeyondLog {
        /// The index that is acknowledged or rejected.
        index: Index,
        /// The last index of this log.
        last: Index,
    },
    /// *Lenient.* A rejection whose hint is beyond what was rejected, or of a later term, or the very entry.
    #[error("a rejection at {index} with the hint {hint}")]
    ImpossibleHint {
        /// The index of the rejected entry.
        index: Index,
        /// Where the logs are said to match, at the most.
        hint: EntryId,
    },
    /// A message would commit what this log does not hold; etcd panics here.
    #[error("commit {commit} is beyond the last index {last}")]
    CommitBeyondLog {
        /// The commit index in the message.
        commit: Index,
        /// The last index of this log.
        last: Index,
    },
    /// A heartbeat's answer confirms reads that were never asked for, or its context is no read position.
    #[error("read position {0} was never sent")]
    ReadPositionOutOfRange(u64),
    /// A heartbeat's context is neither empty nor eight bytes.
    #[error("a read position of {0} bytes")]
    ReadPositionLength(usize),
    /// *Lenient.* A snapshot of nothing.
    #[error("a snapshot at index 0")]
    EmptySnapshot,
    /// A snapshot whose membership contradicts itself; or, which is *lenient*, has no voters.
    #[error("snapshot membership: {0}")]
    ConfState(#[from] crate::membership::ChangeError),
}

/// Why a node could not be given its first members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// There is nobody to begin with.
    #[error("must provide at least one peer to bootstrap")]
    NoPeers,
    /// The storage already holds a log.
    #[error("can't bootstrap a nonempty storage")]
    NonEmptyStorage,
    /// Two peers have the same identity.
    #[error("peer {0} is listed twice")]
    DuplicatePeer(NodeId),
}

/// Why a Ready could not be advanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdvanceError {
    /// It is not the node's outstanding Ready: it was advanced before.
    #[error("this Ready is not the outstanding one")]
    NotOutstanding,
    /// Another node handed it out, or an earlier start of this one. What it says is not what this node waits for.
    #[error("this Ready is another node's, or from before a restart")]
    Foreign,
    /// With asynchronous storage writes the responses of the storage threads take the place of advancing.
    #[error("a Ready is not advanced with asynchronous storage writes")]
    AsynchronousStorageWrites,
    /// See [`Storage`](crate::Storage#failure). There will be no other Ready.
    #[error("{STORAGE_FAILED}")]
    StorageFailed,
}
