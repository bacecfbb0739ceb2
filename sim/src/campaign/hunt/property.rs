//! Which properties are expected to catch each bug.

use raft::planted::Bug;

use crate::invariant::Invariant;
use crate::trace::Property;

/// A property that has one name in the literature, and the checks that stand for it here: of the property itself, and
/// of the statements from which it follows by induction, which break first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Family {
    name: &'static str,
    checks: &'static [Invariant],
}

const fn family(name: &'static str, checks: &'static [Invariant]) -> Family {
    Family { name, checks }
}

const ELECTION_SAFETY: Family = family("election safety", &[Invariant::ElectionSafety, Invariant::VoteOnce]);
const LEADER_IS_VOTER: Family = family("leader is voter", &[Invariant::LeaderIsVoter]);
const LOG_MATCHING: Family = family("log matching", &[Invariant::LogMatching]);
const LEADER_COMPLETENESS: Family =
    family("leader completeness", &[Invariant::LeaderCompleteness, Invariant::CommitQuorum]);
const STATE_MACHINE_SAFETY: Family = family("state-machine safety", &[Invariant::StateMachineSafety]);
const DURABLE_BEFORE_SEND: Family = family("durable before send", &[Invariant::DurableBeforeSend]);
const CONFIGURATION: Family = family("configuration agreement", &[Invariant::ConfigurationAgreement]);
const LINEARIZABLE_READS: Family = family("linearizable read", &[Invariant::LinearizableRead]);
const LEADER_APPEND_ONLY: Family = family("leader append-only", &[Invariant::LeaderAppendOnly]);
const LINEARIZABILITY: Family = family("linearizability", &[Invariant::Linearizability]);
const ELECTION_TIMEOUT: Family = family("election timeout", &[Invariant::ElectionTimeout]);
const MESSAGE_ECONOMY: Family = family("message economy", &[Invariant::MessageEconomy]);
const MONOTONIC: Family = family("monotonic", &[Invariant::Monotonic]);
const EXACTLY_ONCE: Family = family("exactly once", &[Invariant::ExactlyOnce]);
const LIVENESS: Family = family("liveness", &[Invariant::Liveness]);
const RUN_LOOP: Family = family("run loop", &[Invariant::RunLoop]);
const BOUNDED_MEMORY: Family = family("bounded memory", &[Invariant::BoundedMemory]);
/// A host that cannot read back what it made durable.
const RECOVERY: Family = family("recovery", &[Invariant::DurableBeforeSend]);

/// The properties that this bug breaks. Being caught by another one, or by a panic, does not count.
const fn families(bug: Bug) -> &'static [Family] {
    match bug {
        Bug::CommitPriorTerm => &[LEADER_COMPLETENESS, STATE_MACHINE_SAFETY],
        Bug::VoteDoubleGrant => &[ELECTION_SAFETY],
        Bug::VoteComparesCommit => &[LEADER_COMPLETENESS, STATE_MACHINE_SAFETY],
        Bug::MustsyncDropsVote => &[DURABLE_BEFORE_SEND, ELECTION_SAFETY],
        Bug::MustsyncDropsEntries => &[DURABLE_BEFORE_SEND, LEADER_COMPLETENESS],
        Bug::SelfVoteBeforeDurable => &[DURABLE_BEFORE_SEND, ELECTION_SAFETY],
        Bug::TermLostOnRestart | Bug::StaleVoteRespCounted => &[ELECTION_SAFETY],
        Bug::CommitQuorumOffByOne | Bug::QuorumCountsLearners | Bug::AckLastIndex | Bug::AppendAlwaysTruncates => {
            &[LEADER_COMPLETENESS]
        }
        Bug::AppendCommitMinLastindex | Bug::HeartbeatCommitUncapped => &[STATE_MACHINE_SAFETY],
        Bug::CommitRegress => &[MONOTONIC],
        Bug::AckBeforeDurable | Bug::LeaderSelfAckUnstable => &[DURABLE_BEFORE_SEND, LEADER_COMPLETENESS],
        Bug::AsyncAppendAba | Bug::SnapshotKeepsConflictTail => &[LOG_MATCHING, STATE_MACHINE_SAFETY],
        Bug::AppliedCursorIsCommit => &[STATE_MACHINE_SAFETY, MONOTONIC],
        Bug::CampaignUnappliedConf | Bug::ConfWhilePending | Bug::NewLeaderPendingConfZero => {
            &[ELECTION_SAFETY, CONFIGURATION]
        }
        Bug::JointUnionQuorum => &[ELECTION_SAFETY, LEADER_COMPLETENESS],
        Bug::JointLostOnRestore => &[CONFIGURATION, ELECTION_SAFETY],
        Bug::SnapshotConfstateLatest | Bug::ChangeAfterSnapshot => &[CONFIGURATION],
        Bug::ReadindexNoOwnCommit | Bug::LeaseNoCheckquorum => &[LINEARIZABLE_READS],
        Bug::LearnerCampaigns => &[ELECTION_SAFETY, LEADER_IS_VOTER],
        Bug::LearnerRefusesVote
        | Bug::RemovedLeaderLingers
        | Bug::PrevoteTermWedge
        | Bug::CheckquorumStuckPeer
        | Bug::TransferWedge
        | Bug::ProgressStuck => &[LIVENESS],
        Bug::PrecandidateStaleState => &[LIVENESS, ELECTION_SAFETY],
        Bug::InflightsLeak => &[LIVENESS, BOUNDED_MEMORY],
        Bug::LoopPassesProposals => &[RUN_LOOP],
        Bug::TermVoteNonatomic => &[ELECTION_SAFETY, DURABLE_BEFORE_SEND],
        Bug::SnapshotWalOrder => &[STATE_MACHINE_SAFETY, RECOVERY],
        Bug::AppliedIndexNonatomic => &[STATE_MACHINE_SAFETY, EXACTLY_ONCE],
        Bug::LeaderOverwritesUnstable => &[LEADER_APPEND_ONLY],
        Bug::VoteInLease => &[ELECTION_TIMEOUT],
        Bug::RejectionStorm => &[MESSAGE_ECONOMY],
        Bug::SnapshotWithoutSessions => &[EXACTLY_ONCE],
        Bug::ReadBeforeApplied => &[LINEARIZABILITY],
        Bug::HeartbeatAnswerTermIgnored => &[ELECTION_SAFETY, LIVENESS],
        Bug::CandidateIgnoresLeader => &[ELECTION_SAFETY],
        Bug::AnswersForgotten => &[ELECTION_TIMEOUT],
        Bug::ProbesWithoutReason | Bug::UncommittedSizeLeaks => &[BOUNDED_MEMORY],
        Bug::LeaseBlocksBridge => &[ELECTION_TIMEOUT, LIVENESS],
        Bug::LoopAcceptsWithoutLeader => &[RUN_LOOP],
        Bug::HardStateBeforeSnapshot => &[DURABLE_BEFORE_SEND],
        Bug::WalResurrectsTail => &[LOG_MATCHING],
        Bug::WalAppendAfterTornTail | Bug::WalTrustsWhatItReads | Bug::FsyncErrorIgnored => &[DURABLE_BEFORE_SEND],
        Bug::SnapshotSaveErrorSwallowed => &[DURABLE_BEFORE_SEND, STATE_MACHINE_SAFETY],
        // No single run breaks anything because of it.
        Bug::TimeoutsShareAStream => &[],
    }
}

/// The name under which the property is named for the bug, if it is.
pub fn named_for(property: Property, bug: Bug) -> Option<&'static str> {
    match property {
        Property::Holds(invariant) => {
            families(bug).iter().find(|family| family.checks.contains(&invariant)).map(|family| family.name)
        }
        // A follower that is told to commit beyond the end of its log detects that by itself.
        Property::NoPanic => (bug == Bug::HeartbeatCommitUncapped).then_some("panic"),
        Property::RunsRepeat => differs_between_runs(bug).then_some("determinism"),
        Property::EventsEnd => None,
    }
}

/// Whether only a second run of the same seed shows the bug, so that no trace can.
pub const fn differs_between_runs(bug: Bug) -> bool {
    matches!(bug, Bug::TimeoutsShareAStream)
}

/// Whether runs meet the bug only where they go on from a scenario, so that it is hunted only if it is named.
pub const fn no_seed_meets(bug: Bug) -> bool {
    matches!(bug, Bug::ChangeAfterSnapshot)
}

/// Whether the bug takes more than about a hundred seeds, so that there is no time to look for it with every submission.
pub const fn takes_long(bug: Bug) -> bool {
    matches!(
        bug,
        Bug::AsyncAppendAba
            | Bug::ChangeAfterSnapshot
            | Bug::CheckquorumStuckPeer
            | Bug::HardStateBeforeSnapshot
            | Bug::LeaseNoCheckquorum
            | Bug::PrecandidateStaleState
            | Bug::RejectionStorm
            | Bug::SnapshotKeepsConflictTail
            | Bug::StaleVoteRespCounted
            | Bug::WalResurrectsTail
    )
}
