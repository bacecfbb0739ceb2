//! Which planted bug is the canary of a round.

use raft::planted::Bug;

/// Bugs that fall within some dozens of short seeds, each of another kind.
const QUICK: [Bug; 8] = [
    Bug::AckBeforeDurable,
    Bug::VoteDoubleGrant,
    Bug::CommitRegress,
    Bug::AppendAlwaysTruncates,
    Bug::MustsyncDropsVote,
    Bug::TermLostOnRestart,
    Bug::LeaderSelfAckUnstable,
    Bug::HeartbeatCommitUncapped,
];

/// The bug that has to be caught in this round: another one than in the round before.
///
/// ```
/// use raft::planted::Bug;
/// use sim::campaign::record::canary;
/// assert_eq!(canary(1), Bug::AckBeforeDurable);
/// assert_ne!(canary(2), canary(1));
/// ```
pub const fn canary(round: u64) -> Bug {
    QUICK[(round.wrapping_sub(1) % QUICK.len() as u64) as usize]
}
