//! Bugs that real Raft implementations had, each of which can be switched on to see whether the checks catch it.
//!
//! Only a build with the feature `planted-bugs` contains them: without it [`planted`] is the constant `false` and the
//! compiler removes every branch that asks.
//!
//! A feature is on for everybody in a workspace as soon as anybody there asks for it, and a node that is meant for
//! production must not get these bugs that way. So such a build fails unless the environment variable
//! `RAFT_PLANTED_BUGS` is set where it is built, as `.cargo/config.toml` does in the repository of this crate, and nowhere
//! else. Even then each of them is off until it is switched on, for one thread.

#[cfg(feature = "planted-bugs")]
const _: () = assert!(
    option_env!("RAFT_PLANTED_BUGS").is_some(),
    "the feature `planted-bugs` of raft is on, perhaps because another package of the workspace asks for it: it puts bugs \
     into the node, for testing what catches them; if that is meant, set RAFT_PLANTED_BUGS=1 where this is built"
);

/// Declares the bugs; what each does is said once, for the documentation and for the command line.
macro_rules! bugs {
    ($($(#[doc = $does:literal])+ $name:ident,)+) => {
        /// A planted bug. The name of each, in kebab case, is the one it goes by on the command line.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Bug {
            $($(#[doc = $does])+ $name,)+
        }

        #[cfg(feature = "planted-bugs")]
        impl Bug {
            /// All of them, in the order of their declaration.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// What it does wrong, in one line.
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($does),+).trim_start(),)+
                }
            }
        }
    };
}

bugs! {
    /// A leader commits by counting replicas of an entry of an earlier term.
    CommitPriorTerm,
    /// A vote is granted although another candidate has it in this term.
    VoteDoubleGrant,
    /// The up-to-date check uses the candidate's commit index, not its last entry.
    VoteComparesCommit,
    /// MustSync ignores a changed vote or term.
    MustsyncDropsVote,
    /// MustSync ignores new entries.
    MustsyncDropsEntries,
    /// A candidate counts its own vote when it campaigns, not when it is durable.
    SelfVoteBeforeDurable,
    /// A restarted node forgets the stored term and vote.
    TermLostOnRestart,
    /// A vote response of an earlier term counts.
    StaleVoteRespCounted,
    /// An even-sized quorum needs one replica too few.
    CommitQuorumOffByOne,
    /// Learners count towards commit.
    QuorumCountsLearners,
    /// A follower commits up to its last index, not to the last entry of this append.
    AppendCommitMinLastindex,
    /// A heartbeat carries the leader's commit, not what the follower acknowledged of it.
    HeartbeatCommitUncapped,
    /// An append is acknowledged with the follower's last index, not the append's.
    AckLastIndex,
    /// An append truncates behind the entry it builds on, not at the first conflict.
    AppendAlwaysTruncates,
    /// The commit index is assigned, not raised.
    CommitRegress,
    /// A follower's append response leaves before the append is durable.
    AckBeforeDurable,
    /// A leader counts its own entries before they are durable.
    LeaderSelfAckUnstable,
    /// A storage response of an earlier term makes unstable entries stable.
    AsyncAppendAba,
    /// Applied jumps to the commit index rather than to the last entry handed out.
    AppliedCursorIsCommit,
    /// A node campaigns with a committed, unapplied membership change.
    CampaignUnappliedConf,
    /// A second membership change is accepted while one is pending.
    ConfWhilePending,
    /// A new leader does not treat its unapplied tail as a pending change.
    NewLeaderPendingConfZero,
    /// A joint decision needs a majority of the union, not of both halves.
    JointUnionQuorum,
    /// A restart or a snapshot forgets the outgoing voters.
    JointLostOnRestore,
    /// A snapshot at an index records the newest configuration, not the one at that index.
    SnapshotConfstateLatest,
    /// Installing a snapshot keeps conflicting local entries.
    SnapshotKeepsConflictTail,
    /// A leader serves reads before it has committed in its term.
    ReadindexNoOwnCommit,
    /// Lease reads are accepted without check-quorum.
    LeaseNoCheckquorum,
    /// A learner campaigns.
    LearnerCampaigns,
    /// A node that thinks itself a learner refuses to vote.
    LearnerRefusesVote,
    /// A leader that removed itself stays and drops proposals.
    RemovedLeaderLingers,
    /// A pre-vote grant carries the local term.
    PrevoteTermWedge,
    /// Becoming a pre-candidate keeps old votes.
    PrecandidateStaleState,
    /// Appends of a lower term are ignored silently with check-quorum or pre-vote.
    CheckquorumStuckPeer,
    /// A transfer never times out.
    TransferWedge,
    /// The in-flight bytes are not reset with the window.
    InflightsLeak,
    /// A follower in snapshot state leaves it only on an explicit report.
    ProgressStuck,
    /// The concurrent node takes messages and requests before a proposal that came earlier and could be taken.
    LoopPassesProposals,
    /// (Host) Term and vote are two writes; a crash can fall between.
    TermVoteNonatomic,
    /// (Host) The log forgets entries before the snapshot that covers them is durable.
    SnapshotWalOrder,
    /// (Host) The applied index is stored apart from the state it describes.
    AppliedIndexNonatomic,
    /// A leader numbers a proposal after its last stable entry, and overwrites those that are being written.
    LeaderOverwritesUnstable,
    /// With check-quorum, a node that hears its leader refuses pre-votes but not votes.
    VoteInLease,
    /// An append that a follower refuses is repeated at once, also where it brings nothing new.
    RejectionStorm,
    /// Election timeouts are drawn from one stream for the whole process, not from one for each node.
    TimeoutsShareAStream,
    /// (Application) A snapshot lacks the newest command of each client, so that a repeated one takes effect again.
    SnapshotWithoutSessions,
    /// (Application) A confirmed read is answered before its index is applied.
    ReadBeforeApplied,
    /// A leader ignores the higher term in the answer to a heartbeat.
    HeartbeatAnswerTermIgnored,
    /// A leader without a quorum leads on, and those who hear it refuse their votes for ever.
    LeaseBlocksBridge,
    /// The concurrent node takes proposals while no leader is known.
    LoopAcceptsWithoutLeader,
    /// A membership change that waits to be applied is applied after a snapshot that contains it.
    ChangeAfterSnapshot,
    /// (Host) Of a Ready with a snapshot the hard state is written first.
    HardStateBeforeSnapshot,
    /// (Log) After a snapshot took the log's place, a longer old tail is read back.
    WalResurrectsTail,
    /// (Log) Recovery leaves a torn tail, and what is written next comes behind it.
    WalAppendAfterTornTail,
    /// (Log) What is read back counts as durable, even where an fsync of it failed.
    WalTrustsWhatItReads,
    /// (Host) A failed fsync counts as done.
    FsyncErrorIgnored,
    /// (Host) A snapshot that could not be written is taken for installed.
    SnapshotSaveErrorSwallowed,
    /// A candidate that hears from the leader of its term campaigns on.
    CandidateIgnoresLeader,
    /// A leader does not take the answer to a heartbeat for a sign of life.
    AnswersForgotten,
    /// A leader that is told of a heartbeat's arrival gives up what it had in flight, and probes.
    ProbesWithoutReason,
    /// What a leader applies while it hands leadership over stays counted as uncommitted.
    UncommittedSizeLeaks,
}

#[cfg(feature = "planted-bugs")]
impl Bug {
    /// Its name, in kebab case.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// The bug of this name.
    ///
    /// ```
    /// use raft::planted::Bug;
    /// assert_eq!(Bug::named("vote-double-grant"), Some(Bug::VoteDoubleGrant));
    /// assert_eq!(Bug::named("none"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| bug.name() == name)
    }
}

#[cfg(not(feature = "planted-bugs"))]
/// Whether this bug is on: in this build none can be.
#[inline(always)]
pub const fn planted(_: Bug) -> bool {
    false
}

#[cfg(feature = "planted-bugs")]
pub use switch::{planted, switch_on};

#[cfg(feature = "planted-bugs")]
pub(crate) use switch::draw_for_everybody;

#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn draw_for_everybody() -> u64 {
    0
}

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static ON: Cell<Option<Bug>> = const { Cell::new(None) };
        static DRAWN: Cell<u64> = const { Cell::new(0) };
    }

    /// Switches a bug on for every node that this thread drives, or all of them off.
    pub fn switch_on(bug: Option<Bug>) {
        ON.set(bug);
        DRAWN.set(0);
    }

    /// The next number of a stream that all nodes share, and all runs, for [`Bug::TimeoutsShareAStream`]. It begins anew
    /// when a bug is switched on, so that a hunt finds the same each time.
    pub(crate) fn draw_for_everybody() -> u64 {
        DRAWN.set(DRAWN.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        DRAWN.get().wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
    }

    /// Whether this bug is on in this thread.
    #[inline]
    pub fn planted(bug: Bug) -> bool {
        ON.get() == Some(bug)
    }
}
