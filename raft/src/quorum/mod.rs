//! How a set of voters decides: which index is committed, who has won. Pure functions, without any state of a node.
//!
//! A decision needs a majority of the voters (Raft paper, section 5.1); while a membership change is under way it
//! needs a majority of the old and one of the new voters (thesis, section 4.3). Upstream: etcd's package `quorum`.

mod joint;
mod majority;
#[cfg(test)]
mod tests;

pub use joint::JointConfig;
pub use majority::MajorityConfig;
pub(crate) use majority::parenthesized;

/// What the votes cast so far decide.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum VoteResult {
    /// The missing votes can still turn it either way.
    Pending,
    /// No quorum can be reached any more.
    Lost,
    /// A quorum has voted in favour.
    Won,
}
