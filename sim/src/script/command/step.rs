//! `step`: a message made up word by word, as no node would send it.

use bytes::Bytes;
use raft::{Body, Entry, EntryId, EntryKind, Index, Message, NodeId, Term};

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::parse::Line;
use super::message_kind::MessageKind;

/// The fields of etcd's one message type.
struct Fields {
    log: EntryId,
    commit: Index,
    reject: bool,
    hint: Index,
    entries: Vec<Entry>,
}

pub(super) fn parse(arguments: &mut Arguments<'_>) -> Result<Message, ScriptError> {
    let to: NodeId = arguments.required("a node")?;
    let kind: MessageKind = arguments.required_value("type")?;
    let from: NodeId = arguments.required_value("from")?;
    let term = arguments.value("term")?.map(Term);
    let mut number = |key| arguments.value::<u64>(key).map(Option::unwrap_or_default);
    let log = EntryId::new(Term(number("log-term")?), Index(number("index")?));
    let (commit, hint) = (Index(number("commit")?), Index(number("reject-hint")?));
    let reject = arguments.value("reject")?.unwrap_or(false);
    let entries = arguments.input().iter().map(entry).collect::<Result<_, _>>()?;
    let body = body(kind, Fields { log, commit, reject, hint, entries })
        .ok_or_else(|| arguments.error(format!("\"step\" cannot make a {}", kind.0)))?;
    Ok(Message { from, to, term, body })
}

fn body(kind: MessageKind, fields: Fields) -> Option<Body> {
    let Fields { log, commit, reject, hint, entries } = fields;
    let granted = !reject;
    let context = || entries.first().map(|entry| entry.data.clone()).unwrap_or_default();
    Some(match kind.0 {
        "MsgApp" => Body::Append { previous: log, entries, commit },
        "MsgAppResp" if reject => Body::AppendRejected { index: log.index, hint: EntryId::new(log.term, hint) },
        "MsgAppResp" => Body::AppendAccepted { index: log.index },
        "MsgHeartbeat" => Body::Heartbeat { commit, context: Bytes::new() },
        "MsgHeartbeatResp" => Body::HeartbeatResponse { context: Bytes::new() },
        "MsgPreVote" => Body::RequestPreVote { last: log },
        "MsgPreVoteResp" => Body::PreVoteResponse { granted },
        "MsgProp" => Body::Propose { entries },
        "MsgReadIndex" => Body::ReadIndex { context: context() },
        "MsgReadIndexResp" => Body::ReadIndexResponse { index: log.index, context: context() },
        "MsgTimeoutNow" => Body::TimeoutNow,
        "MsgTransferLeader" => Body::TransferLeader,
        "MsgVote" => Body::RequestVote { last: log, transfer: false },
        "MsgVoteResp" => Body::VoteResponse { granted },
        _ => return None,
    })
}

/// An entry: `term/index data`.
fn entry(line: &Line) -> Result<Entry, ScriptError> {
    let (id, data) = line.text.trim().split_once(' ').unwrap_or((line.text.trim(), ""));
    let numbers = id.split_once('/').and_then(|(term, index)| Some((term.parse().ok()?, index.parse().ok()?)));
    let Some((term, index)) = numbers else {
        return Err(ScriptError::new(line.number, format!("\"{id}\" is not an entry's term/index")));
    };
    let data = Bytes::copy_from_slice(data.as_bytes());
    Ok(Entry { term: Term(term), index: Index(index), kind: EntryKind::Normal, data })
}
