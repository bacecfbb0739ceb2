//! What a message is for. The code asks this rather than listing kinds of messages, so that a kind that is new is sorted
//! in one place.

/// What a message is for, and with that who says it. [`Body::purpose`](crate::Body::purpose) gives that of a message.
///
/// It is exhaustive for the same reason as [`Body`](crate::Body).
///
/// ```
/// use raft::{Body, Purpose};
///
/// let purpose = Body::TimeoutNow.purpose();
/// assert_eq!(purpose, Purpose::Handover);
/// assert!(purpose.is_from_leader() && !purpose.is_response());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// A leader brings a follower up to date and stays its leader: an append, a heartbeat or a snapshot.
    Replication,
    /// A follower answers one of these.
    ReplicationResponse,
    /// A candidate asks for a vote, or a pre-candidate whether it would get one.
    VoteRequest,
    /// A voter answers one of these.
    VoteResponse,
    /// A node passes on to the leader what it was asked for: a proposal, a read, or a transfer of leadership.
    Forwarded,
    /// The leader answers what was forwarded. Only a read has an answer.
    ForwardedResponse,
    /// The leader hands leadership over.
    Handover,
}

impl Purpose {
    /// Whether it answers a request.
    ///
    /// ```
    /// use raft::Purpose;
    /// assert!(Purpose::VoteResponse.is_response());
    /// assert!(!Purpose::VoteRequest.is_response());
    /// ```
    pub const fn is_response(self) -> bool {
        match self {
            Self::ReplicationResponse | Self::VoteResponse | Self::ForwardedResponse => true,
            Self::Replication | Self::VoteRequest | Self::Forwarded | Self::Handover => false,
        }
    }

    /// Whether only the leader of a term says it, in its own name.
    ///
    /// ```
    /// use raft::Purpose;
    /// assert!(Purpose::Replication.is_from_leader());
    /// assert!(!Purpose::Forwarded.is_from_leader());
    /// ```
    pub const fn is_from_leader(self) -> bool {
        match self {
            Self::Replication | Self::ForwardedResponse | Self::Handover => true,
            Self::ReplicationResponse | Self::VoteRequest | Self::VoteResponse | Self::Forwarded => false,
        }
    }
}
