//! What a check reports: a broken property is data, so that it can be compared, shrunk to and printed.

use std::fmt;

use raft::NodeId;
use serde::{Deserialize, Serialize};

use super::user_defined::UserDefined;

/// The properties that are checked; each has a file of its own in this module, or in the one it names, with its formal
/// statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// At most one leader a term, elected by a quorum of its configuration.
    ElectionSafety,
    /// One vote a term, for a candidate whose log is at least as up to date.
    VoteOnce,
    /// Only a voter campaigns and leads.
    LeaderIsVoter,
    /// Equal entry identities mean equal logs up to there.
    LogMatching,
    /// A leader never changes its log but at the end.
    LeaderAppendOnly,
    /// Every leader holds what was committed before its term.
    LeaderCompleteness,
    /// No two nodes commit or apply different entries at the same index.
    StateMachineSafety,
    /// A leader commits what a quorum of its configuration holds durably.
    CommitQuorum,
    /// Nothing is sent before what it promises is durable; what was durable survives, and nothing comes back that was never
    /// written.
    DurableBeforeSend,
    /// Committed configurations agree, and successive ones have quorums that meet.
    ConfigurationAgreement,
    /// Term, commit, applied and match never go back.
    Monotonic,
    /// A read sees every write that was committed when it was asked for.
    LinearizableRead,
    /// Each command of a client takes effect once.
    ExactlyOnce,
    /// In-flight windows and uncommitted data stay within their limits.
    BoundedMemory,
    /// Once faults are over, the cluster converges with a leader, fresh writes and reads.
    Liveness,
    /// What clients are told is what one copy of the data could have told them; see [`history`](crate::history).
    Linearizability,
    /// The loop that runs a node keeps to its rules.
    RunLoop,
    /// Elections begin, votes are withheld and leaderships end by the election timeout.
    ElectionTimeout,
    /// Messages are bounded by what is new.
    MessageEconomy,
    /// A property that a user brings: see [`world::Property`](crate::world::Property).
    UserDefined(UserDefined),
}

impl Invariant {
    /// All of the project's own, in the order of the module's table.
    pub const ALL: [Self; 19] = [
        Self::ElectionSafety,
        Self::VoteOnce,
        Self::LeaderIsVoter,
        Self::LogMatching,
        Self::LeaderAppendOnly,
        Self::LeaderCompleteness,
        Self::StateMachineSafety,
        Self::CommitQuorum,
        Self::DurableBeforeSend,
        Self::ConfigurationAgreement,
        Self::Monotonic,
        Self::LinearizableRead,
        Self::ExactlyOnce,
        Self::BoundedMemory,
        Self::Liveness,
        Self::Linearizability,
        Self::RunLoop,
        Self::ElectionTimeout,
        Self::MessageEconomy,
    ];

    /// Its name, as reports and traces spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ElectionSafety => "election-safety",
            Self::VoteOnce => "vote-once",
            Self::LeaderIsVoter => "leader-is-voter",
            Self::LogMatching => "log-matching",
            Self::LeaderAppendOnly => "leader-append-only",
            Self::LeaderCompleteness => "leader-completeness",
            Self::StateMachineSafety => "state-machine-safety",
            Self::CommitQuorum => "commit-quorum",
            Self::DurableBeforeSend => "durable-before-send",
            Self::ConfigurationAgreement => "configuration-agreement",
            Self::Monotonic => "monotonic",
            Self::LinearizableRead => "linearizable-read",
            Self::ExactlyOnce => "exactly-once",
            Self::BoundedMemory => "bounded-memory",
            Self::Liveness => "liveness",
            Self::Linearizability => "linearizability",
            Self::RunLoop => "run-loop",
            Self::ElectionTimeout => "election-timeout",
            Self::MessageEconomy => "message-economy",
            Self::UserDefined(property) => property.about().name,
        }
    }

    /// What it says, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ElectionSafety => "there is at most one leader a term, elected by a quorum of its configuration.",
            Self::VoteOnce => "a node votes once a term, for a candidate whose log is at least as up to date.",
            Self::LeaderIsVoter => "only a voter campaigns and leads.",
            Self::LogMatching => "where two logs hold the same entry, they are equal up to there.",
            Self::LeaderAppendOnly => "a leader never changes its log but at the end.",
            Self::LeaderCompleteness => "every leader holds what was committed before its term.",
            Self::StateMachineSafety => "no two nodes commit or apply different entries at the same index.",
            Self::CommitQuorum => "a leader commits what a quorum of its configuration holds durably.",
            Self::DurableBeforeSend => {
                "nothing is sent before what it promises is durable; what was durable survives, and nothing comes back that was never \
                 written."
            }
            Self::ConfigurationAgreement => {
                "committed configurations agree, and successive ones have quorums that meet."
            }
            Self::Monotonic => "term, commit, applied and match never go back.",
            Self::Linearizability => "clients are told what one copy of the data could have told them.",
            Self::LinearizableRead => "a read sees every write that was committed when it was asked for.",
            Self::ExactlyOnce => "each command of a client takes effect once.",
            Self::BoundedMemory => "in-flight windows and uncommitted data stay within their limits.",
            Self::Liveness => "once faults are over, the cluster converges with a leader, fresh writes and reads.",
            Self::RunLoop => "the loop that runs a node keeps to its rules.",
            Self::ElectionTimeout => "elections begin, votes are withheld and leaderships end by the election timeout.",
            Self::MessageEconomy => "messages are bounded by what is new: an exchange that brings nothing new ends.",
            Self::UserDefined(property) => property.about().meaning,
        }
    }

    /// Where it comes from: the paper is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm"
    /// (extended version, 2014), the thesis Ongaro, "Consensus: Bridging Theory and Practice" (2014).
    pub const fn source(self) -> &'static str {
        match self {
            Self::ElectionSafety => "paper, figure 3 and 5.1; thesis, 9.6 (pre-vote)",
            Self::VoteOnce => "paper, figure 2 and 5.4.1",
            Self::LeaderIsVoter => "paper, figure 3; thesis, 4.2.1 and 4.2.2",
            Self::LogMatching => "paper, figure 3 and 5.3",
            Self::LeaderAppendOnly => "paper, figure 3 and 5.3",
            Self::LeaderCompleteness => "paper, figure 3 and 5.4",
            Self::StateMachineSafety => "paper, figure 3 and 5.4.3",
            Self::CommitQuorum => "paper, 5.4.2; thesis, 4.3",
            Self::DurableBeforeSend => "paper, figure 2; thesis, 3.8",
            Self::ConfigurationAgreement => "thesis, 4.1 and 4.3",
            Self::Monotonic => "paper, figure 2",
            Self::LinearizableRead => "thesis, 6.4",
            Self::ExactlyOnce => "thesis, 6.3",
            Self::BoundedMemory => {
                "thesis, 10.2.1; etcd's MaxInflightMsgs, MaxUncommittedEntriesSize and MaxCommittedSizePerReady"
            }
            Self::Liveness => "paper, 5.6; thesis, 3.9 and 3.10",
            Self::Linearizability => "Herlihy and Wing, \"Linearizability\" (1990); thesis, 6.3 and 6.4",
            Self::RunLoop => "etcd's node.run",
            Self::ElectionTimeout => "paper, 5.2; thesis, 3.4, 4.2.3 and 6.2",
            Self::MessageEconomy => "thesis, 10.2.1",
            Self::UserDefined(property) => property.about().source,
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A property that does not hold: which, when, on which nodes, and the states that clash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{invariant} violated at step {step}: {detail}")]
pub struct Violation {
    /// Which property.
    pub invariant: Invariant,
    /// The number of the event that broke it; the checkers do not count, [`at`](Self::at) fills it in.
    #[serde(with = "crate::number")]
    pub step: u64,
    /// The nodes whose states clash, the one just observed first.
    pub nodes: Vec<NodeId>,
    /// The clashing states, with their numbers.
    pub detail: String,
}

impl Violation {
    /// A violation on these nodes, at a step to be filled in.
    pub fn new(invariant: Invariant, nodes: &[NodeId], detail: impl Into<String>) -> Self {
        Self { invariant, step: 0, nodes: nodes.to_vec(), detail: detail.into() }
    }

    /// The same violation, at this step.
    #[must_use]
    pub fn at(mut self, step: u64) -> Self {
        self.step = step;
        self
    }
}

/// What every check returns.
pub type Check = Result<(), Violation>;
