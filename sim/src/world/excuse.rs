//! Why a cluster that does not converge may be excused.

/// A stall that the protocol has by design, as etcd has it: an operator has to help.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Excuse {
    /// Nobody leads and nobody who may campaign could win: for each candidate a quorum of its own configuration is up,
    /// but so many of these nodes refuse it, because they know more than it does, that the others are no quorum.
    ///
    /// The protocol gets there when a change takes effect on the nodes one by one: a leader that is demoted or removed may
    /// hold the longest log, while those who may campaign have not applied that change and still need its vote. The thesis
    /// (section 4.2.2) lets a removed leader go on leading for this reason.
    NobodyCanWin,
    /// Nobody leads, and whoever could win needs the vote of a node whose term it never learns: somebody who has not
    /// applied the newest changes campaigns in vain, raises that node's term, and does not ask the candidate. etcd's
    /// nodes do not answer a vote request of a lower term. With pre-vote, terms do not rise in vain, and the candidate
    /// is told.
    TermOutOfReach,
    /// A leader without a quorum goes on leading, because without check-quorum it does not look for one. Either so many
    /// voters have a higher term, from a candidacy that failed, that those who still listen are too few, and the others
    /// neither answer nor campaign where the leader hears it. Or links work in one direction only, so that the heartbeats
    /// of the leader keep the others quiet, and it does not hear them. With check-quorum it steps down.
    LeaderWithoutQuorum,
    /// A node does not hear the leader in time, campaigns, and deposes every leader, since somebody listens to it. It
    /// may be cut off in one direction, or from some nodes only; or the network loses what leaders send to it, or
    /// delivers that after more than an election timeout. With check-quorum, those who hear from a leader do not listen
    /// to it; without, they do, even if it asks for pre-votes first. But a node with check-quorum and without pre-vote
    /// that hears a leader at times tells it of its own, higher term.
    Disrupted,
}

impl Excuse {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NobodyCanWin, Self::TermOutOfReach, Self::LeaderWithoutQuorum, Self::Disrupted];

    /// Their names, in the same order.
    pub const NAMES: [&str; 4] = ["nobody-can-win", "term-out-of-reach", "leader-without-quorum", "disrupted"];

    /// Its name.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}
