//! What nodes say to each other. One variant of [`Body`] for each kind of message, with only that kind's fields; what it is
//! for and who takes it is said by the methods of [`Body`], once for everybody.
//!
//! Local input (ticks, campaigns, reports, storage responses) has methods of its own on the node and no variant here,
//! so that it cannot arrive from the network.

mod purpose;

use bytes::Bytes;

use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryId, Index, NodeId, Role, Term};

pub use purpose::Purpose;

/// A message from one node to another. A node addresses its own vote and its own acknowledgement to itself: they
/// count only when what they promise is durable.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Message {
    /// Who sent it. A forwarded proposal or read keeps the name of the node where it began, and a forwarded transfer
    /// bears that of the node that shall lead.
    pub from: NodeId,
    /// Whom it is for.
    pub to: NodeId,
    /// The sender's term, or for pre-votes the term that is asked about. Forwarded proposals and reads carry none and
    /// pass the receiver's term check.
    pub term: Option<Term>,
    /// What it says.
    pub body: Body,
}

impl Message {
    /// Whether it carries a change of the membership, proposed or as an entry of a leader's log. One that does not decode
    /// counts as well; a snapshot, whose membership is in force already, does not.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use raft::{Body, Entry, EntryKind, Index, Message, NodeId, Term};
    ///
    /// let (from, to) = (NodeId::new(1).unwrap(), NodeId::new(2).unwrap());
    /// let proposes = |kind| {
    ///     let entry = Entry { term: Term(0), index: Index(0), kind, data: Bytes::new() };
    ///     Message { from, to, term: None, body: Body::Propose { entries: vec![entry] } }
    /// };
    /// assert!(proposes(EntryKind::ConfChangeV2).brings_conf_change());
    /// assert!(!proposes(EntryKind::Normal).brings_conf_change());
    /// ```
    pub fn brings_conf_change(&self) -> bool {
        let (Body::Propose { entries } | Body::Append { entries, .. }) = &self.body else { return false };
        entries.iter().any(|entry| !matches!(entry.conf_change(), Ok(None)))
    }
}

/// What a [`Message`] says; the etcd name of each kind stands with it.
///
/// It is exhaustive on purpose: whoever encodes, checks or simulates messages matches kind by kind, and a new kind has
/// to be a compiler error there. It would be a new version of what nodes say to each other, too.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Body {
    /// `MsgProp`: a follower forwards entries to the leader, which sets their terms and indexes.
    Propose {
        /// The entries, at least one.
        entries: Vec<Entry>,
    },
    /// `MsgApp`: AppendEntries (Raft paper, section 5.3).
    Append {
        /// The entry before the first one sent.
        previous: EntryId,
        /// The entries that follow it, without a gap; may be empty.
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
    },
    /// `MsgAppResp`: the log matches the leader's up to `index`, durably.
    AppendAccepted {
        /// Up to where.
        index: Index,
    },
    /// `MsgAppResp` with `Reject`: the log does not hold the entry that the append builds on.
    AppendRejected {
        /// The index of that entry.
        index: Index,
        /// Where the logs may match: the follower's latest entry whose term is not above that of the append. Its term
        /// is zero where the follower does not know it.
        hint: EntryId,
    },
    /// `MsgHeartbeat`: the leader is alive.
    Heartbeat {
        /// What the follower may commit: never beyond what it acknowledged.
        commit: Index,
        /// The position of the latest unconfirmed read, echoed by the response; empty without one.
        context: Bytes,
    },
    /// `MsgHeartbeatResp`.
    HeartbeatResponse {
        /// The heartbeat's context.
        context: Bytes,
    },
    /// `MsgPreVote`: would you vote for me in this (the next) term?
    RequestPreVote {
        /// The candidate's last entry.
        last: EntryId,
    },
    /// `MsgPreVoteResp`. A grant carries the term asked about, a rejection the voter's own.
    PreVoteResponse {
        /// Whether it would.
        granted: bool,
    },
    /// `MsgVote`: RequestVote (Raft paper, section 5.2).
    RequestVote {
        /// The candidate's last entry.
        last: EntryId,
        /// The leader asked for this election, so its lease does not stand against it.
        transfer: bool,
    },
    /// `MsgVoteResp`.
    VoteResponse {
        /// Whether the vote was given.
        granted: bool,
    },
    /// `MsgSnap`: a snapshot for a follower whose next entry is no longer in the leader's log.
    InstallSnapshot {
        /// The snapshot.
        snapshot: Box<Snapshot>,
    },
    /// `MsgTransferLeader`: a follower forwards the request to hand leadership to the node in `from`.
    TransferLeader,
    /// `MsgTimeoutNow`: the leader hands over; campaign at once.
    TimeoutNow,
    /// `MsgReadIndex`: a follower forwards a read request.
    ReadIndex {
        /// What the answer will come with.
        context: Bytes,
    },
    /// `MsgReadIndexResp`.
    ReadIndexResponse {
        /// The index to wait for.
        index: Index,
        /// The request's context.
        context: Bytes,
    },
}

impl Body {
    /// What it is for.
    ///
    /// ```
    /// use raft::{Body, Purpose};
    /// assert_eq!(Body::VoteResponse { granted: true }.purpose(), Purpose::VoteResponse);
    /// assert_eq!(Body::TransferLeader.purpose(), Purpose::Forwarded);
    /// ```
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::Append { .. } | Self::Heartbeat { .. } | Self::InstallSnapshot { .. } => Purpose::Replication,
            Self::AppendAccepted { .. } | Self::AppendRejected { .. } | Self::HeartbeatResponse { .. } => {
                Purpose::ReplicationResponse
            }
            Self::RequestPreVote { .. } | Self::RequestVote { .. } => Purpose::VoteRequest,
            Self::PreVoteResponse { .. } | Self::VoteResponse { .. } => Purpose::VoteResponse,
            Self::Propose { .. } | Self::ReadIndex { .. } | Self::TransferLeader => Purpose::Forwarded,
            Self::ReadIndexResponse { .. } => Purpose::ForwardedResponse,
            Self::TimeoutNow => Purpose::Handover,
        }
    }

    /// Whether it answers a request, so that only a member's makes sense.
    ///
    /// ```
    /// use raft::Body;
    /// assert!(Body::VoteResponse { granted: true }.is_response());
    /// assert!(!Body::TimeoutNow.is_response());
    /// ```
    pub const fn is_response(&self) -> bool {
        self.purpose().is_response()
    }

    /// Whether a node in this role takes it, in the term of the message. In any other role it ignores the message, which
    /// comes too late or was not sent by a correct node. A follower takes what is forwarded so that it can pass it on.
    ///
    /// ```
    /// use raft::{Body, Role};
    /// assert!(Body::TimeoutNow.is_for(Role::Follower));
    /// assert!(!Body::TimeoutNow.is_for(Role::Leader));
    /// ```
    pub const fn is_for(&self, role: Role) -> bool {
        match self.purpose() {
            Purpose::VoteRequest | Purpose::Forwarded => true,
            // A candidate that hears from the leader of its term becomes a follower. A term has only one leader.
            Purpose::Replication => !matches!(role, Role::Leader),
            Purpose::ReplicationResponse => matches!(role, Role::Leader),
            Purpose::VoteResponse => match self {
                Self::PreVoteResponse { .. } => matches!(role, Role::PreCandidate),
                _ => matches!(role, Role::Candidate),
            },
            Purpose::ForwardedResponse | Purpose::Handover => matches!(role, Role::Follower),
        }
    }

    /// Whether the term of the message is one that is only asked about, so that nobody has to be in it yet: the term of a
    /// pre-vote, and of a grant of one (thesis, section 9.6). A rejection carries the voter's own term.
    ///
    /// ```
    /// use raft::Body;
    /// assert!(Body::PreVoteResponse { granted: true }.asks_about_term());
    /// assert!(!Body::PreVoteResponse { granted: false }.asks_about_term());
    /// ```
    pub const fn asks_about_term(&self) -> bool {
        matches!(self, Self::RequestPreVote { .. } | Self::PreVoteResponse { granted: true })
    }

    /// Whether it travels without a term, so that it passes the receiver's term check: a forwarded proposal or read. A
    /// transfer that is forwarded has one, as in etcd.
    ///
    /// ```
    /// use raft::Body;
    /// assert!(Body::ReadIndex { context: "read".into() }.is_without_term());
    /// assert!(!Body::TransferLeader.is_without_term());
    /// ```
    pub const fn is_without_term(&self) -> bool {
        matches!(self, Self::Propose { .. } | Self::ReadIndex { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::{ConfChange, ConfChangeV1};
    use crate::types::EntryKind;

    #[test]
    fn a_message_brings_a_membership_change_where_an_entry_of_it_is_one_or_may_be() {
        let node = NodeId::new(1).expect("not zero");
        let (kind, data) = ConfChange::V1(ConfChangeV1::add_voter(node)).encode();
        let change = Entry { kind, data, ..Entry::default() };
        let leave = Entry { kind: EntryKind::ConfChangeV2, ..Entry::default() };
        let undecodable = Entry { kind, data: "\u{7f}".into(), ..Entry::default() };
        let refused = Entry { kind: EntryKind::RefusedConfChange, ..Entry::default() };
        let data = Entry { data: "data".into(), ..Entry::default() };
        let message = |body| Message { from: node, to: node, term: None, body };
        let table = [
            (vec![], false),
            (vec![data.clone()], false),
            (vec![refused], false),
            (vec![data.clone(), change, data], true),
            (vec![leave], true),
            (vec![undecodable], true),
        ];
        for (entries, expected) in table {
            let append = Body::Append { previous: EntryId::ZERO, entries: entries.clone(), commit: Index::ZERO };
            assert_eq!(message(append).brings_conf_change(), expected, "{entries:?}");
            assert_eq!(message(Body::Propose { entries }).brings_conf_change(), expected);
        }
        assert!(!message(Body::InstallSnapshot { snapshot: Box::default() }).brings_conf_change());
        assert!(!message(Body::TimeoutNow).brings_conf_change());
    }

    /// One message of each kind, and for those whose meaning hangs on a field, of each meaning.
    fn every_kind() -> [Body; 17] {
        let (context, last, index) = (Bytes::new(), EntryId::ZERO, Index::ZERO);
        [
            Body::Propose { entries: vec![Entry::default()] },
            Body::Append { previous: last, entries: vec![], commit: index },
            Body::AppendAccepted { index },
            Body::AppendRejected { index, hint: last },
            Body::Heartbeat { commit: index, context: context.clone() },
            Body::HeartbeatResponse { context: context.clone() },
            Body::RequestPreVote { last },
            Body::PreVoteResponse { granted: true },
            Body::PreVoteResponse { granted: false },
            Body::RequestVote { last, transfer: false },
            Body::VoteResponse { granted: true },
            Body::VoteResponse { granted: false },
            Body::InstallSnapshot { snapshot: Box::default() },
            Body::TransferLeader,
            Body::TimeoutNow,
            Body::ReadIndex { context: context.clone() },
            Body::ReadIndexResponse { index, context },
        ]
    }

    #[test]
    fn an_answer_is_taken_by_the_role_that_asked_and_what_a_leader_says_by_no_leader() {
        use Role::{Candidate, Follower, Leader, PreCandidate};
        for body in every_kind() {
            let roles: Vec<Role> =
                [Follower, PreCandidate, Candidate, Leader].into_iter().filter(|role| body.is_for(*role)).collect();
            let expected: &[Role] = match body.name() {
                "MsgApp" | "MsgHeartbeat" | "MsgSnap" => &[Follower, PreCandidate, Candidate],
                "MsgAppResp" | "MsgHeartbeatResp" => &[Leader],
                "MsgPreVoteResp" => &[PreCandidate],
                "MsgVoteResp" => &[Candidate],
                "MsgReadIndexResp" | "MsgTimeoutNow" => &[Follower],
                _ => &[Follower, PreCandidate, Candidate, Leader],
            };
            assert_eq!(roles, expected, "{body:?}");
            assert!(!body.purpose().is_from_leader() || !body.is_for(Leader), "{body:?}");
            assert_eq!(body.is_response(), body.name().ends_with("Resp"), "{body:?}");
        }
    }

    #[test]
    fn only_pre_votes_ask_about_a_term_and_only_what_is_forwarded_has_none() {
        let named = |holds: fn(&Body) -> bool| -> Vec<Body> { every_kind().into_iter().filter(holds).collect() };
        let asking = named(Body::asks_about_term);
        assert_eq!(asking, [Body::RequestPreVote { last: EntryId::ZERO }, Body::PreVoteResponse { granted: true }]);
        let without = named(Body::is_without_term);
        assert!(without.iter().all(|body| body.purpose() == Purpose::Forwarded), "{without:?}");
        assert_eq!(without.iter().map(Body::name).collect::<Vec<_>>(), ["MsgProp", "MsgReadIndex"]);
    }
}
