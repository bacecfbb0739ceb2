//! A line of a file for etcd's trace validation: its fields, in its order, under its names.
//!
//! The names and the fields are those of `state_trace.go` in etcd-io/raft; what they mean is in the README of its folder `tla`.

use raft::{Body, Index, Message, NodeId, Role, Term};
use serde::Serialize;

/// What a line tells of. Two more names, `SendSnapshot` and `ReceiveSnapshot`, are known to the format and written by nobody:
/// snapshots are appends there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Name {
    /// A node starts, or starts again.
    InitState,
    /// A node campaigns.
    BecomeCandidate,
    /// A node follows, which did not, or in a later term.
    BecomeFollower,
    /// A candidate leads.
    BecomeLeader,
    /// A leader's commit index is looked at.
    Commit,
    /// A leader appends an entry that changes no membership.
    Replicate,
    /// A leader appends a change of the membership.
    ChangeConf,
    /// A change of the membership is in force at a node.
    ApplyConfChange,
    /// All that a node holds is durable, and its messages are under way.
    Ready,
    /// An append, a heartbeat.
    SendAppendEntriesRequest,
    /// The same arrives.
    ReceiveAppendEntriesRequest,
    /// The answer to it.
    SendAppendEntriesResponse,
    /// The same arrives.
    ReceiveAppendEntriesResponse,
    /// A node asks for a vote.
    SendRequestVoteRequest,
    /// The same arrives.
    ReceiveRequestVoteRequest,
    /// A node gives its vote, or does not.
    SendRequestVoteResponse,
    /// The same arrives.
    ReceiveRequestVoteResponse,
}

impl Name {
    /// The names for a message that is sent, and that arrives; none for those of which the specification knows nothing.
    pub fn of(body: &Body) -> Option<[Self; 2]> {
        match body {
            Body::Append { .. } | Body::Heartbeat { .. } | Body::InstallSnapshot { .. } => {
                Some([Self::SendAppendEntriesRequest, Self::ReceiveAppendEntriesRequest])
            }
            Body::AppendAccepted { .. } | Body::AppendRejected { .. } | Body::HeartbeatResponse { .. } => {
                Some([Self::SendAppendEntriesResponse, Self::ReceiveAppendEntriesResponse])
            }
            Body::RequestVote { .. } => Some([Self::SendRequestVoteRequest, Self::ReceiveRequestVoteRequest]),
            Body::VoteResponse { .. } => Some([Self::SendRequestVoteResponse, Self::ReceiveRequestVoteResponse]),
            Body::RequestPreVote { .. }
            | Body::PreVoteResponse { .. }
            | Body::Propose { .. }
            | Body::TransferLeader
            | Body::TimeoutNow
            | Body::ReadIndex { .. }
            | Body::ReadIndexResponse { .. } => None,
        }
    }
}

/// A line without what loggers add.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    name: Name,
    nid: String,
    state: Kept,
    role: &'static str,
    log: u64,
    conf: [Vec<String>; 2],
    #[serde(rename = "msg", skip_serializing_if = "Option::is_none")]
    message: Option<Said>,
    #[serde(rename = "prop", skip_serializing_if = "Option::is_none")]
    property: Option<Property>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Kept {
    term: u64,
    vote: String,
    commit: u64,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said {
    r#type: &'static str,
    term: u64,
    from: String,
    to: String,
    entries: u64,
    log_term: u64,
    index: u64,
    commit: u64,
    vote: String,
    reject: bool,
    reject_hint: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Property {
    cc: Changed,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
struct Changed {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Single>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    newconf: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Single {
    nid: String,
    action: &'static str,
}

/// What a node shows of itself in a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Shown {
    pub(super) term: Term,
    pub(super) vote: Option<NodeId>,
    pub(super) commit: Index,
    pub(super) role: Role,
    pub(super) last: Index,
    pub(super) voters: Vec<NodeId>,
    pub(super) learners: Vec<NodeId>,
}

impl Line {
    pub(super) fn new(name: Name, node: NodeId, shown: &Shown) -> Self {
        Self {
            name,
            nid: text(Some(node)),
            state: Kept { term: shown.term.0, vote: text(shown.vote), commit: shown.commit.0 },
            role: role(shown.role),
            log: shown.last.0,
            conf: [texts(&shown.voters), Vec::new()],
            message: None,
            property: None,
        }
    }

    pub(super) fn with_message(self, message: Said) -> Self {
        Self { message: Some(message), ..self }
    }

    /// The change that a leader appends.
    pub(super) fn with_change(self, node: NodeId, action: &'static str) -> Self {
        let changes = vec![Single { nid: text(Some(node)), action }];
        Self { property: Some(Property { cc: Changed { changes, ..Changed::default() } }), ..self }
    }

    /// The voters that are in force.
    pub(super) fn with_new_voters(self, voters: &[NodeId]) -> Self {
        Self { property: Some(Property { cc: Changed { newconf: texts(voters), ..Changed::default() } }), ..self }
    }

    /// What it tells of.
    pub const fn name(&self) -> Name {
        self.name
    }
}

impl Said {
    /// A message as the specification speaks of it. An append says how far its receiver may commit, which is no further than its
    /// last entry. `refuses` says so of an answer that acknowledges nothing.
    pub(super) fn new(message: &Message, refuses: bool) -> Self {
        let none = Self {
            r#type: message.body.name(),
            term: message.term.unwrap_or(Term::ZERO).0,
            from: text(Some(message.from)),
            to: text(Some(message.to)),
            entries: 0,
            log_term: 0,
            index: 0,
            commit: 0,
            vote: text(None),
            reject: refuses,
            reject_hint: 0,
        };
        match &message.body {
            Body::Append { previous, entries, commit } => {
                let entries = entries.len() as u64;
                let (index, log_term) = (previous.index.0, previous.term.0);
                Self { entries, log_term, index, commit: commit.0.min(index + entries), ..none }
            }
            Body::Heartbeat { commit, .. } => Self { commit: commit.0, ..none },
            Body::AppendAccepted { index } => Self { index: index.0, ..none },
            Body::AppendRejected { index, hint } => {
                Self { index: index.0, log_term: hint.term.0, reject: true, reject_hint: hint.index.0, ..none }
            }
            Body::RequestVote { last, .. } => Self { index: last.index.0, log_term: last.term.0, ..none },
            Body::VoteResponse { granted } => Self { reject: !granted, ..none },
            Body::InstallSnapshot { snapshot } => Self { entries: snapshot.id.index.0, ..none },
            Body::HeartbeatResponse { .. }
            | Body::RequestPreVote { .. }
            | Body::PreVoteResponse { .. }
            | Body::Propose { .. }
            | Body::TransferLeader
            | Body::TimeoutNow
            | Body::ReadIndex { .. }
            | Body::ReadIndexResponse { .. } => none,
        }
    }
}

/// The number of a node as text; nobody is zero.
fn text(node: Option<NodeId>) -> String {
    node.map_or(0, NodeId::get).to_string()
}

fn texts(nodes: &[NodeId]) -> Vec<String> {
    nodes.iter().map(|node| text(Some(*node))).collect()
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "StateFollower",
        Role::PreCandidate => "StatePreCandidate",
        Role::Candidate => "StateCandidate",
        Role::Leader => "StateLeader",
    }
}

/// Lines as a file: what validation reads, and a time for whoever sorts by it. There is no clock here: it counts lines.
pub(super) fn written(lines: &[Line]) -> String {
    #[derive(Serialize)]
    struct Logged<'a> {
        level: &'static str,
        ts: u64,
        msg: &'static str,
        tag: &'static str,
        event: &'a Line,
    }
    /// All numbers have as many digits, so that they sort as text too.
    const FIRST: u64 = 100_000_000;
    let logged = |(ts, event)| Logged { level: "debug", ts, msg: "trace", tag: "trace", event };
    let lines = (FIRST..).zip(lines).map(logged).map(|line| serde_json::to_string(&line));
    lines.map(|line| line.expect("lines are plain data") + "\n").collect()
}
