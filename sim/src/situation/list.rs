//! Every situation, with the sentence that says what it is.

use std::fmt;

/// Declares the situations: one line each, the name and the sentence.
macro_rules! situations {
    ($($name:ident: $text:literal,)*) => {
        /// Something that a run can come through.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Situation {
            $(#[doc = $text] $name,)*
        }

        impl Situation {
            /// All of them, in the order of their declaration.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// What it is, in one sentence.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

situations! {
    // Elections.
    TwoCandidates: "two nodes were candidates of the same term",
    SplitVote: "a candidate gave up because another took votes in its term",
    LoneCandidate: "a candidate campaigned again, and nobody else had in its term",
    CandidatesAskedEachOther: "a candidate was asked for its vote by its rival",
    CandidateMetLeader: "a candidate met the leader of its term",
    CandidateOvertaken: "a candidate met a higher term",
    CandidateRefused: "a candidate was refused by a quorum",
    PreCandidateMetLeader: "a pre-candidate met a leader",
    PreCandidateRefused: "a pre-candidate was refused by a quorum",
    PreCandidateOvertaken: "a pre-candidate met a higher term",
    PreVoteWon: "a pre-candidate became a candidate",
    PreVoteAtLeader: "a leader was asked for a pre-vote",
    ShortLogRefused: "a candidate with an older log was refused",
    VoteAlreadyGiven: "a candidate asked a node that had voted for another",
    VoteRepeated: "a candidate asked again a node that had voted for it",
    StaleVoteRequest: "a request for votes of an earlier term arrived",
    StaleVote: "a vote of an earlier term arrived",
    LateVote: "a vote arrived at a candidate that leads by now",
    LatePreVote: "a pre-vote arrived at a node that no longer asks for it",
    LeaseKeptVote: "a node that hears from its leader ignored a candidate",
    TransferOverrodeLease: "a candidate by hand-over got a vote in spite of a lease",
    LearnerVoted: "a node that believes to be a learner gave its vote",
    OutsiderVoted: "a node that does not know to be a member gave its vote",
    RemovedNodeCampaigned: "a removed node campaigned",
    CampaignHeldBack: "a voter was told to campaign, and did not because of what it had not applied yet",
    OnlyVoterElected: "the only voter elected itself",
    ElectedInJoint: "a leader was elected in a joint configuration",
    ElectedWithUncommittedTail: "a leader was elected with entries of earlier terms that it did not know to be committed",
    TwoLeaders: "a leader was elected while another node still believed to lead",
    TermsSkipped: "a node skipped several terms at once",
    LeaderOverruled: "a leader was deposed by a candidate",
    LeaderMetSuccessor: "a leader was deposed by its successor",
    LeaderToldOfNewerTerm: "a leader was deposed by an answer of a later term",
    CheckQuorumDeposed: "a leader was deposed by check-quorum",
    RemovedLeaderSteppedDown: "a leader stepped down because a change removed or demoted it",
    DeposedWithOwnTail: "a leader was deposed with entries of its own that it had not committed",
    LeaderForgotten: "a follower forgot its leader",

    // Replication.
    StaleAppend: "an append of an earlier term arrived",
    PredecessorAppend: "a leader heard from a leader of an earlier term",
    DeposedLeaderTold: "a node told a leader of an earlier term its own",
    DuplicateAppend: "a duplicate append was accepted",
    OverlappingAppend: "an append began within a log and went beyond it",
    AppendBelowCommit: "an append began below what was committed",
    AppendBeyondLog: "an append was rejected because there was a gap before it",
    AppendConflict: "an append was rejected because the entry before it differed",
    TailTruncated: "a follower truncated a conflicting tail",
    OwnTailTruncated: "a deposed leader truncated entries of its own",
    EarlierTermSent: "a leader replicated entries of an earlier term",
    EarlierTermNotCounted: "a quorum held entries of an earlier term, and the leader did not commit them yet",
    EarlierTermCommitted: "a leader committed entries of earlier terms along with its own",
    CommitBeyondAppend: "an append told of a commit index beyond its last entry",
    CommitByEmptyAppend: "an append without entries moved a follower's commit index",
    CommitByHeartbeat: "a heartbeat moved a follower's commit index",
    RejectedTwice: "an append was rejected twice in a row",
    RejectedInReplicate: "a rejection sent a leader back to probing",
    StaleRejection: "a late rejection changed nothing",
    RejectionSkippedEntries: "a rejection let the leader skip several entries at once",
    ProbeSucceeded: "a probe found where the logs agree",
    LateAcknowledgement: "an acknowledgement arrived after a later one",
    StaleAcknowledgement: "an acknowledgement of an earlier term arrived",
    UnreachableInReplicate: "a report of an unreachable follower sent a leader back to probing",
    WindowFull: "the window of messages in flight was full",
    WindowFullOfBytes: "the window of bytes in flight was full",
    CommittedInPages: "committed entries were handed out in pages",

    // Proposals.
    UncommittedLimit: "the bound on uncommitted data dropped a proposal",
    DroppedDuringTransfer: "a proposal was dropped because leadership was being handed over",
    DroppedWithoutLeader: "a proposal was dropped because no leader was known",
    DroppedWithoutForwarding: "a proposal was dropped because it would have had to be forwarded",
    DroppedByRemovedLeader: "a proposal was dropped because the leader was no member any more",
    ForwardedDropped: "a forwarded proposal was dropped",
    ForwardedToFormerLeader: "a forwarded proposal arrived at a node that does not lead",
    StrangerAnswered: "an answer came from a node that is no member",

    // Snapshots.
    SnapshotSent: "a follower was so far behind that it was sent a snapshot",
    SnapshotReplacedLog: "a snapshot took the place of a log",
    SnapshotForNewNode: "a new node began with a snapshot",
    SnapshotThrewTailAway: "a snapshot threw a longer log away",
    SnapshotOnlyCommitted: "a snapshot found its entries in the log, and only moved the commit index",
    OldSnapshot: "a snapshot arrived that brought nothing new",
    StaleSnapshot: "a snapshot of an earlier term arrived",
    SnapshotDuringProbe: "a snapshot arrived during a probe",
    SnapshotDuringApply: "a snapshot arrived while committed entries waited to be applied",
    SnapshotOfJoint: "a snapshot restored a joint configuration",
    SnapshotWithoutReceiver: "a snapshot whose membership lacks the receiver was ignored",
    SnapshotFailed: "a snapshot that was on its way was reported as failed",
    SnapshotReportUnexpected: "a report of a snapshot came that the leader did not wait for",
    SnapshotEndedByAcknowledgement: "a follower acknowledged a snapshot before its transport did",
    ChangeBehindSnapshot: "a membership change was applied right behind a snapshot",

    // Membership.
    LearnerPromotedBehind: "a learner was promoted while behind",
    VoterDemoted: "a voter became a learner",
    VoterReplaced: "a voter was replaced in one change",
    LeaderRemoved: "a leader applied its own removal",
    LeaderDemoted: "a leader applied a change that made it a learner",
    LeftJointByItself: "a joint configuration was left by itself",
    LeftJointByRequest: "a joint configuration was left because an operator asked",
    DownToOneVoter: "a change left one voter",
    ForeignLogRejected: "a learner with the log of another cluster rejected an append",
    ChangeRefused: "a leader refused a membership change, and committed an empty entry in its place",

    // Hand-over.
    TransferToLaggard: "leadership was to be handed to a node that was behind",
    TransferForwarded: "a follower was asked to hand leadership over",
    TransferReplaced: "a hand-over was replaced by another",
    TransferGivenUp: "a hand-over was given up after an election timeout",
    TransferCampaign: "a node campaigned because it was told to take over",
    TransferTargetDied: "a transfer's target died",
    TimeoutNowIgnored: "a node that was told to take over could not or did not have to",
    StaleTimeoutNow: "a node was told to take over by a leader of an earlier term",

    // Reads.
    ReadBeforeFirstCommit: "a read waited for the first commit of the term",
    ReadForwarded: "a follower forwarded a read",
    ReadDropped: "a read was dropped because no leader was known",
    ReadAtFormerLeader: "a forwarded read arrived at a node that does not lead",
    LateReadAnswer: "the answer to a read came from a leader of an earlier term",
    LeaseRead: "a read was answered by a lease",

    // Crashes and restarts.
    LeaderCrashed: "a leader crashed",
    LeaderCrashedInJoint: "a leader crashed in a joint configuration",
    CandidateCrashed: "a candidate crashed",
    VoterCrashed: "a node crashed that had voted, and knew of no leader yet",
    LeaderDiedWithCommit: "a committed entry's leader died before telling anyone",
    LeaderDiedWithTail: "a leader died with entries that it had not committed",
    QuorumCrashed: "a crash left no quorum",
    AllCrashed: "all nodes were down",
    CrashBetweenWrites: "a node crashed between two writes of one Ready",
    CrashDuringInstall: "a node crashed between two writes of a Ready that holds a snapshot",
    CrashAfterInstall: "a node crashed after a snapshot took the place of its log, and before anything followed",
    CrashDuringSync: "a node crashed during an fsync",
    CrashBeforeSend: "a node crashed after it had persisted, and before it had sent",
    CrashBeforeApply: "a node crashed with committed entries that it had not applied",
    CrashDuringCompaction: "a node crashed while it compacted its log",
    RestartedInJoint: "a node restarted in a joint configuration",
    RestartedWithTail: "a node restarted with entries that it does not know to be committed",
    RestartForgotCommit: "a node restarted with a lower commit index than it had",
    RestartForgotEntries: "a node restarted with a shorter log than it had",
    ReplacedTailCameBack: "a node restarted with entries that it had replaced by others before it crashed",
    RestartedWithOtherOptions: "a node restarted with other options",
    TornTailCut: "a torn tail was cut at recovery",

    // Nodes that loops run.
    ProposalWaitedForLeader: "a loop kept proposals waiting, since no leader was known or the node was removed",
    TickMissed: "a loop missed a tick",
    QueueFull: "the queue of a loop had no room",
    // Disks and clocks.
    SyncFailed: "an fsync failed, and the node stopped",
    ForgottenSyncShown: "a node came back to a disk that showed what a failed fsync had not kept",
    DiskFull: "a disk was full, and the node stopped",
    LeaderDiskFailed: "a leader stopped because of its disk",
    DiskDamaged: "something of what was durable was damaged",
    CorruptionFound: "a damaged log was found out at recovery, and the node stayed down",
    DamageHarmless: "a node came back although its disk had been damaged, since nothing that counts was",
    EmptyDisk: "a node came back with an empty disk, and did not know what it had promised",
    OldDisk: "a node came back with an old copy of its disk",
    AcknowledgedLacking: "a leader found out that a member lacks what it acknowledged",
    ClockCaughtUp: "a clock ticked several times at once",

    // Network.
    LostAtCut: "a message was lost at a cut link",
    LostAtDownNode: "a message was lost at a node that was down",
    LeaderIsolated: "the leader was cut off from all others",
    CutOneWay: "a link was cut in one direction only",
    ConvergedBesideCuts: "the members that hear each other converged, though links of another one stayed cut",
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
