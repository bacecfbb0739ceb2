//! What the TLA+ specifications of Raft call what is checked here.
//!
//! `etcdraft.tla` is etcd's (the folder `tla` of etcd-io/raft), and states invariants. `raft.tla` is Ongaro's
//! (ongardie/raft.tla), and states none: its actions, and the history variables of its proof, are named instead.

use super::violation::Invariant;

impl Invariant {
    /// Its name there: an invariant of `etcdraft.tla` that says the same or a part of it, or else the action that obeys
    /// it. `None` if neither specification speaks of it.
    pub const fn in_tla(self) -> Option<&'static str> {
        match self {
            Self::ElectionSafety => {
                Some("`MoreThanOneLeaderInv`, `ElectionSafetyInv` (etcdraft.tla); `elections` (raft.tla)")
            }
            Self::VoteOnce => {
                Some("`MoreUpToDateCorrectInv` (etcdraft.tla); the action `HandleRequestVoteRequest` (both)")
            }
            Self::LeaderIsVoter => Some("the action `Timeout` (etcdraft.tla)"),
            Self::LogMatching => Some("`LogMatchingInv` (etcdraft.tla); `allLogs` (raft.tla)"),
            Self::LeaderCompleteness => Some("`LeaderCompletenessInv` (etcdraft.tla)"),
            Self::StateMachineSafety => Some("`LogInv` (etcdraft.tla)"),
            Self::CommitQuorum => Some("`QuorumLogInv` (etcdraft.tla); the action `AdvanceCommitIndex` (both)"),
            Self::DurableBeforeSend => Some("`CommittedIsDurableInv` (etcdraft.tla); the action `Restart` (both)"),
            Self::ConfigurationAgreement => {
                Some("the actions `AddNewServer`, `DeleteServer`, `ApplySimpleConfChange` (etcdraft.tla)")
            }
            Self::LeaderAppendOnly
            | Self::Monotonic
            | Self::LinearizableRead
            | Self::ExactlyOnce
            | Self::BoundedMemory
            | Self::Liveness
            | Self::Linearizability
            | Self::RunLoop
            | Self::ElectionTimeout
            | Self::MessageEconomy
            | Self::UserDefined(_) => None,
        }
    }
}
