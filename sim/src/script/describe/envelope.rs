//! Messages, and the storage work that etcd dresses as messages to and from a node's two storage threads.
//!
//! etcd has one message type whose many fields print by one rule, whatever the kind; [`Envelope`] is that view.

use std::borrow::Cow;

use raft::{Body, Entry, EntryId, HardState, Index, Message, NodeId, Snapshot, StorageAppend, StorageAppended};
use raft::{StorageApplied, StorageApply, Term};

use super::{entry, put, snapshot};

/// A message between nodes: `1->2 MsgApp Term:1 Log:1/3 Commit:3 Entries:[1/4 EntryNormal "foo"]`. Several entries and
/// a snapshot take lines of their own, indented by two; the last line is not ended.
#[must_use]
pub fn message(message: &Message) -> String {
    Envelope::from(message).print("")
}

/// Work for a node's append thread: `1->AppendThread MsgStorageAppend …`; with its responses where they are asked for.
#[must_use]
pub fn storage_append(node: NodeId, append: &StorageAppend, with_responses: bool) -> String {
    let mut line = Envelope::storage_append(node, append).print("");
    if with_responses && (!append.responses.is_empty() || append.appended.is_some()) {
        let responses = append.responses.iter().map(Envelope::from);
        let appended = append.appended.iter().map(|appended| Envelope::storage_appended(node, appended));
        push_responses(&mut line, responses.chain(appended));
    }
    line
}

/// A storage write's acknowledgement: `AppendThread->1 MsgStorageAppendResp Term:1 Log:1/11`.
#[must_use]
pub fn storage_appended(node: NodeId, appended: &StorageAppended) -> String {
    Envelope::storage_appended(node, appended).print("")
}

/// Work for a node's apply thread: `1->ApplyThread MsgStorageApply …`; with its response where it is asked for.
#[must_use]
pub fn storage_apply(node: NodeId, apply: &StorageApply, with_responses: bool) -> String {
    let mut line = Envelope::storage_apply(node, &apply.entries).print("");
    if with_responses {
        push_responses(&mut line, std::iter::once(Envelope::storage_applied(node, &apply.entries)));
    }
    line
}

/// The apply thread's acknowledgement: `ApplyThread->1 MsgStorageApplyResp Term:0 Log:0/0 Entries:[…]`.
#[must_use]
pub fn storage_applied(node: NodeId, applied: &StorageApplied) -> String {
    Envelope::storage_applied(node, &applied.entries).print("")
}

fn push_responses<'a>(line: &mut String, responses: impl Iterator<Item = Envelope<'a>>) {
    line.push_str(" Responses:[");
    for response in responses {
        line.push('\n');
        line.push_str(&response.print("  "));
    }
    line.push_str("\n]");
}

/// One end of a message.
#[derive(Clone, Copy)]
enum Party {
    Node(NodeId),
    AppendThread,
    ApplyThread,
}

/// A message as etcd's flat type has it, so far as it prints.
struct Envelope<'a> {
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
        }
    }

    fn storage_append(node: NodeId, append: &'a StorageAppend) -> Self {
        let HardState { term, vote, commit } = append.hard_state.unwrap_or_default();
        let entries = Cow::Borrowed(append.entries.as_slice());
        let snapshot = append.snapshot.as_ref();
        let plain = Self::new(Party::Node(node), Party::AppendThread, "MsgStorageAppend");
        Self { term, vote, commit, entries, snapshot, ..plain }
    }

    fn storage_appended(node: NodeId, appended: &'a StorageAppended) -> Self {
        let plain = Self::new(Party::AppendThread, Party::Node(node), "MsgStorageAppendResp");
        let log = appended.last.unwrap_or_default();
        Self { term: appended.term, log, snapshot: appended.snapshot.as_ref(), ..plain }
    }

    fn storage_apply(node: NodeId, entries: &'a [Entry]) -> Self {
        let plain = Self::new(Party::Node(node), Party::ApplyThread, "MsgStorageApply");
        Self { entries: Cow::Borrowed(entries), ..plain }
    }

    fn storage_applied(node: NodeId, entries: &'a [Entry]) -> Self {
        let plain = Self::new(Party::ApplyThread, Party::Node(node), "MsgStorageApplyResp");
        Self { entries: Cow::Borrowed(entries), ..plain }
    }

    fn print(&self, indent: &str) -> String {
        let Self { kind, term, log, .. } = self;
        let mut line = format!("{indent}{}->{} {kind} Term:{term} Log:{log}", self.from.print(), self.to.print());
        if let Some(hint) = self.rejected {
            put(&mut line, format_args!(" Rejected (Hint: {hint})"));
        }
        if self.commit != Index::ZERO {
            put(&mut line, format_args!(" Commit:{}", self.commit));
        }
        if let Some(vote) = self.vote {
            put(&mut line, format_args!(" Vote:{}", vote.get()));
        }
        match self.entries.as_ref() {
            [] => {}
            [one] => put(&mut line, format_args!(" Entries:[{}]", entry(one))),
            several => {
                line.push_str(" Entries:[");
                several.iter().for_each(|one| put(&mut line, format_args!("\n{indent}  {}", entry(one))));
                put(&mut line, format_args!("\n{indent}]"));
            }
        }
        // A snapshot of nothing prints as no snapshot.
        if let Some(carried) = self.snapshot.filter(|carried| carried.id.index != Index::ZERO) {
            put(&mut line, format_args!("\n{indent}  Snapshot: {}", snapshot(carried)));
        }
        line
    }
}

impl Party {
    fn print(self) -> String {
        match self {
            Self::Node(node) => node.to_string(),
            Self::AppendThread => "AppendThread".to_owned(),
            Self::ApplyThread => "ApplyThread".to_owned(),
        }
    }
}

impl<'a> From<&'a Message> for Envelope<'a> {
    fn from(message: &'a Message) -> Self {
        let term = message.term.unwrap_or_default();
        let plain = |kind| Self { term, ..Self::new(Party::Node(message.from), Party::Node(message.to), kind) };
        let answer = |kind, granted: bool| Self { rejected: (!granted).then_some(Index::ZERO), ..plain(kind) };
        let at = |index| EntryId::new(Term::ZERO, index);
        // etcd carries the context of a read as the data of an entry.
        let read = |context: &bytes::Bytes| Cow::Owned(vec![Entry { data: context.clone(), ..Entry::default() }]);
        let kind = kind(&message.body);
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

/// etcd's name of this kind of message.
#[must_use]
pub const fn kind(body: &Body) -> &'static str {
    match body {
        Body::Propose { .. } => "MsgProp",
        Body::Append { .. } => "MsgApp",
        Body::AppendAccepted { .. } | Body::AppendRejected { .. } => "MsgAppResp",
        Body::Heartbeat { .. } => "MsgHeartbeat",
        Body::HeartbeatResponse { .. } => "MsgHeartbeatResp",
        Body::RequestPreVote { .. } => "MsgPreVote",
        Body::PreVoteResponse { .. } => "MsgPreVoteResp",
        Body::RequestVote { .. } => "MsgVote",
        Body::VoteResponse { .. } => "MsgVoteResp",
        Body::InstallSnapshot { .. } => "MsgSnap",
        Body::TransferLeader => "MsgTransferLeader",
        Body::TimeoutNow => "MsgTimeoutNow",
        Body::ReadIndex { .. } => "MsgReadIndex",
        Body::ReadIndexResponse { .. } => "MsgReadIndexResp",
    }
}
