//! Messages, and the storage work that etcd dresses as messages to and from a node's two storage threads.
//!
//! etcd has one message type whose many fields print by one rule, whatever the kind; [`Envelope`] is that view.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use bytes::Bytes;

use crate::message::{Body, Message};
use crate::ready::{StorageAppend, StorageAppended, StorageApplied, StorageApply};
use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryId, HardState, Index, NodeId, Term};

/// `1->2 MsgApp Term:1 Log:1/3 Commit:3 Entries:[1/4 EntryNormal "foo"]`. Several entries and a snapshot take lines of
/// their own, indented by two.
impl Display for Message {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Envelope::from(self).fmt(f)
    }
}

impl StorageAppend {
    /// As etcd prints it for this node, without the responses: `1->AppendThread MsgStorageAppend Term:1 Log:0/0 Commit:4`.
    pub fn describe(&self, node: NodeId) -> impl Display {
        Envelope::storage_append(Some(node), self)
    }
}

impl StorageAppended {
    /// As etcd prints it for this node: `AppendThread->1 MsgStorageAppendResp Term:1 Log:1/11`.
    pub fn describe(&self, node: NodeId) -> impl Display {
        Envelope::storage_appended(Some(node), self)
    }
}

impl StorageApply {
    /// As etcd prints it for this node, without the response: `1->ApplyThread MsgStorageApply Term:0 Log:0/0 Entries:[…]`.
    pub fn describe(&self, node: NodeId) -> impl Display {
        Envelope::storage_apply(Some(node), &self.entries)
    }
}

impl StorageApplied {
    /// As etcd prints it for this node: `ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0 Entries:[…]`.
    pub fn describe(&self, node: NodeId) -> impl Display {
        Envelope::storage_applied(Some(node), &self.entries)
    }
}

impl Body {
    /// etcd's name of this kind of message.
    ///
    /// ```
    /// assert_eq!(raft::Body::TimeoutNow.name(), "MsgTimeoutNow");
    /// ```
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Propose { .. } => "MsgProp",
            Self::Append { .. } => "MsgApp",
            Self::AppendAccepted { .. } | Self::AppendRejected { .. } => "MsgAppResp",
            Self::Heartbeat { .. } => "MsgHeartbeat",
            Self::HeartbeatResponse { .. } => "MsgHeartbeatResp",
            Self::RequestPreVote { .. } => "MsgPreVote",
            Self::PreVoteResponse { .. } => "MsgPreVoteResp",
            Self::RequestVote { .. } => "MsgVote",
            Self::VoteResponse { .. } => "MsgVoteResp",
            Self::InstallSnapshot { .. } => "MsgSnap",
            Self::TransferLeader => "MsgTransferLeader",
            Self::TimeoutNow => "MsgTimeoutNow",
            Self::ReadIndex { .. } => "MsgReadIndex",
            Self::ReadIndexResponse { .. } => "MsgReadIndexResp",
        }
    }
}

/// One end of a message.
#[derive(Clone, Copy)]
enum Party {
    /// A node, where it is known.
    Node(Option<NodeId>),
    AppendThread,
    ApplyThread,
}

/// A message as etcd's flat type has it, so far as it prints.
pub(super) struct Envelope<'a> {
    from: Party,
    to: Party,
    kind: &'static str,
    term: Term,
    log: EntryId,
    /// The hint of a rejection.
    rejected: Option<Index>,
    commit: Index,
    vote: Option<NodeId>,
    entries: Cow<'a, [Entry]>,
    snapshot: Option<&'a Snapshot>,
    responses: Vec<Self>,
}

impl<'a> Envelope<'a> {
    fn new(from: Party, to: Party, kind: &'static str) -> Self {
        Self {
            from,
            to,
            kind,
            term: Term::ZERO,
            log: EntryId::ZERO,
            rejected: None,
            commit: Index::ZERO,
            vote: None,
            entries: Cow::Borrowed(&[]),
            snapshot: None,
            responses: Vec::new(),
        }
    }

    pub(super) fn storage_append(node: Option<NodeId>, append: &'a StorageAppend) -> Self {
        let HardState { term, vote, commit } = append.hard_state.unwrap_or_default();
        let entries = Cow::Borrowed(append.entries.as_slice());
        let snapshot = append.snapshot.as_ref();
        let plain = Self::new(Party::Node(node), Party::AppendThread, "MsgStorageAppend");
        Self { term, vote, commit, entries, snapshot, ..plain }
    }

    pub(super) fn storage_appended(node: Option<NodeId>, appended: &'a StorageAppended) -> Self {
        let plain = Self::new(Party::AppendThread, Party::Node(node), "MsgStorageAppendResp");
        let log = appended.last.unwrap_or_default();
        Self { term: appended.term, log, snapshot: appended.snapshot.as_ref(), ..plain }
    }

    pub(super) fn storage_apply(node: Option<NodeId>, entries: &'a [Entry]) -> Self {
        let plain = Self::new(Party::Node(node), Party::ApplyThread, "MsgStorageApply");
        Self { entries: Cow::Borrowed(entries), ..plain }
    }

    pub(super) fn storage_applied(node: Option<NodeId>, entries: &'a [Entry]) -> Self {
        let plain = Self::new(Party::ApplyThread, Party::Node(node), "MsgStorageApplyResp");
        Self { entries: Cow::Borrowed(entries), ..plain }
    }

    /// The same with the messages that are to be delivered once the work is done.
    pub(super) fn with_responses(self, responses: Vec<Self>) -> Self {
        Self { responses, ..self }
    }

    fn print(&self, f: &mut Formatter<'_>, indent: &str) -> fmt::Result {
        let Self { from, to, kind, term, log, .. } = self;
        write!(f, "{indent}{from}->{to} {kind} Term:{term} Log:{log}")?;
        if let Some(hint) = self.rejected {
            write!(f, " Rejected (Hint: {hint})")?;
        }
        if self.commit != Index::ZERO {
            write!(f, " Commit:{}", self.commit)?;
        }
        if let Some(vote) = self.vote {
            write!(f, " Vote:{}", vote.get())?;
        }
        self.print_entries(f, indent)?;
        // A snapshot of nothing prints as no snapshot.
        if let Some(snapshot) = self.snapshot.filter(|snapshot| snapshot.id.index != Index::ZERO) {
            write!(f, "\n{indent}  Snapshot: {snapshot}")?;
        }
        self.print_responses(f, indent)
    }

    fn print_entries(&self, f: &mut Formatter<'_>, indent: &str) -> fmt::Result {
        match self.entries.as_ref() {
            [] => Ok(()),
            [one] => write!(f, " Entries:[{one}]"),
            several => {
                f.write_str(" Entries:[")?;
                several.iter().try_for_each(|entry| write!(f, "\n{indent}  {entry}"))?;
                write!(f, "\n{indent}]")
            }
        }
    }

    fn print_responses(&self, f: &mut Formatter<'_>, indent: &str) -> fmt::Result {
        if self.responses.is_empty() {
            return Ok(());
        }
        f.write_str(" Responses:[")?;
        for response in &self.responses {
            f.write_str("\n")?;
            response.print(f, &format!("{indent}  "))?;
        }
        write!(f, "\n{indent}]")
    }
}

impl Display for Envelope<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.print(f, "")
    }
}

impl Display for Party {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(Some(node)) => node.fmt(f),
            Self::Node(None) => f.write_str("0"),
            Self::AppendThread => f.write_str("AppendThread"),
            Self::ApplyThread => f.write_str("ApplyThread"),
        }
    }
}

impl<'a> From<&'a Message> for Envelope<'a> {
    fn from(message: &'a Message) -> Self {
        let term = message.term.unwrap_or_default();
        let plain =
            |kind| Self { term, ..Self::new(Party::Node(Some(message.from)), Party::Node(Some(message.to)), kind) };
        let answer = |kind, granted: bool| Self { rejected: (!granted).then_some(Index::ZERO), ..plain(kind) };
        let at = |index| EntryId::new(Term::ZERO, index);
        // etcd carries the context of a read as the data of an entry.
        let read = |context: &Bytes| Cow::Owned(vec![Entry { data: context.clone(), ..Entry::default() }]);
        let kind = message.body.name();
        // Lists every body for its fields: a new one does not compile before it is said here how it is printed.
        match &message.body {
            Body::Propose { entries } => Self { entries: entries.into(), ..plain(kind) },
            Body::Append { previous, entries, commit } => {
                Self { log: *previous, commit: *commit, entries: entries.into(), ..plain(kind) }
            }
            Body::AppendAccepted { index } => Self { log: at(*index), ..plain(kind) },
            Body::AppendRejected { index, hint } => {
                Self { log: EntryId::new(hint.term, *index), rejected: Some(hint.index), ..plain(kind) }
            }
            Body::Heartbeat { commit, context: _ } => Self { commit: *commit, ..plain(kind) },
            Body::RequestPreVote { last } | Body::RequestVote { last, transfer: _ } => {
                Self { log: *last, ..plain(kind) }
            }
            Body::PreVoteResponse { granted } | Body::VoteResponse { granted } => answer(kind, *granted),
            Body::InstallSnapshot { snapshot } => Self { snapshot: Some(snapshot), ..plain(kind) },
            Body::HeartbeatResponse { context: _ } | Body::TransferLeader | Body::TimeoutNow => plain(kind),
            Body::ReadIndex { context } => Self { entries: read(context), ..plain(kind) },
            Body::ReadIndexResponse { index, context } => {
                Self { log: at(*index), entries: read(context), ..plain(kind) }
            }
        }
    }
}
