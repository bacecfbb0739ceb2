//! Messages.
//!
//! raft-rs fills in fields that etcd does not have: the commit index and its term in votes, which a voter or a candidate may commit
//! by, a follower's commit index in its answers, priorities, and requests for a snapshot. A message that has any of them carries
//! all of itself, encoded, as its rider.

use bytes::Bytes;
use protobuf::Message as _;
use raft::{Body, Entry, EntryId, Index, Message, Term};
use raft_rs::CAMPAIGN_TRANSFER;
use raft_rs::eraftpb::{self, MessageType};
use sim::world::consensus::Rider;

use super::{NoCounterpart, entry_to_ours, entry_to_theirs, node, snapshot_to_ours, snapshot_to_theirs};

/// A message, and all of it as a rider where the project's message says less.
///
/// # Errors
/// A kind of message that no node sends, or an entry without a counterpart.
pub fn with_rider(theirs: &eraftpb::Message) -> Result<(Message, Option<Rider>), NoCounterpart> {
    let ours = message_to_ours(theirs)?;
    let says_all = message_to_theirs(&ours).is_ok_and(|back| back == *theirs);
    let encoded = || theirs.write_to_bytes().map_err(|error| NoCounterpart::Undecodable(error.to_string()));
    let rider = if says_all { None } else { Some(Rider(encoded()?.into())) };
    Ok((ours, rider))
}

/// A message, without what has no counterpart.
///
/// # Errors
/// As [`with_rider`].
pub fn message_to_ours(theirs: &eraftpb::Message) -> Result<Message, NoCounterpart> {
    let term = (theirs.term > 0).then_some(Term(theirs.term));
    let last = EntryId::new(Term(theirs.log_term), Index(theirs.index));
    let granted = !theirs.reject;
    let body = match theirs.get_msg_type() {
        MessageType::MsgPropose => Body::Propose { entries: entries_to_ours(theirs)? },
        MessageType::MsgAppend => {
            Body::Append { previous: last, entries: entries_to_ours(theirs)?, commit: Index(theirs.commit) }
        }
        MessageType::MsgAppendResponse if theirs.reject => Body::AppendRejected {
            index: Index(theirs.index),
            hint: EntryId::new(Term(theirs.log_term), Index(theirs.reject_hint)),
        },
        MessageType::MsgAppendResponse => Body::AppendAccepted { index: Index(theirs.index) },
        MessageType::MsgHeartbeat => Body::Heartbeat { commit: Index(theirs.commit), context: theirs.context.clone() },
        MessageType::MsgHeartbeatResponse => Body::HeartbeatResponse { context: theirs.context.clone() },
        MessageType::MsgRequestPreVote => Body::RequestPreVote { last },
        MessageType::MsgRequestPreVoteResponse => Body::PreVoteResponse { granted },
        MessageType::MsgRequestVote => Body::RequestVote { last, transfer: *theirs.context == *CAMPAIGN_TRANSFER },
        MessageType::MsgRequestVoteResponse => Body::VoteResponse { granted },
        MessageType::MsgSnapshot => {
            Body::InstallSnapshot { snapshot: Box::new(snapshot_to_ours(theirs.get_snapshot())) }
        }
        MessageType::MsgTransferLeader => Body::TransferLeader,
        MessageType::MsgTimeoutNow => Body::TimeoutNow,
        MessageType::MsgReadIndex => Body::ReadIndex { context: context_of_read(theirs) },
        MessageType::MsgReadIndexResp => {
            Body::ReadIndexResponse { index: Index(theirs.index), context: context_of_read(theirs) }
        }
        kind @ (MessageType::MsgHup
        | MessageType::MsgBeat
        | MessageType::MsgUnreachable
        | MessageType::MsgSnapStatus
        | MessageType::MsgCheckQuorum) => return Err(NoCounterpart::Kind(format!("{kind:?}"))),
    };
    let end = |id, which| node(id).ok_or(NoCounterpart::Missing(which));
    Ok(Message { from: end(theirs.from, "a sender")?, to: end(theirs.to, "a receiver")?, term, body })
}

/// A message, the other way.
///
/// # Errors
/// An entry without a counterpart.
pub fn message_to_theirs(ours: &Message) -> Result<eraftpb::Message, NoCounterpart> {
    let mut theirs = eraftpb::Message::default();
    theirs.from = ours.from.get();
    theirs.to = ours.to.get();
    theirs.term = ours.term.map_or(0, |term| term.0);
    theirs.set_msg_type(kind(&ours.body));
    match &ours.body {
        Body::Propose { entries } => theirs.set_entries(entries_to_theirs(entries)?.into()),
        Body::Append { previous, entries, commit } => {
            (theirs.log_term, theirs.index, theirs.commit) = (previous.term.0, previous.index.0, commit.0);
            theirs.set_entries(entries_to_theirs(entries)?.into());
        }
        Body::AppendAccepted { index } => theirs.index = index.0,
        Body::AppendRejected { index, hint } => {
            theirs.reject = true;
            (theirs.index, theirs.log_term, theirs.reject_hint) = (index.0, hint.term.0, hint.index.0);
        }
        Body::Heartbeat { commit, context } => {
            theirs.commit = commit.0;
            theirs.context = context.clone();
        }
        Body::HeartbeatResponse { context } => theirs.context = context.clone(),
        Body::RequestPreVote { last } => (theirs.log_term, theirs.index) = (last.term.0, last.index.0),
        Body::RequestVote { last, transfer } => {
            (theirs.log_term, theirs.index) = (last.term.0, last.index.0);
            if *transfer {
                theirs.context = Bytes::from_static(CAMPAIGN_TRANSFER);
            }
        }
        Body::PreVoteResponse { granted } | Body::VoteResponse { granted } => theirs.reject = !granted,
        Body::InstallSnapshot { snapshot } => theirs.set_snapshot(snapshot_to_theirs(snapshot)),
        Body::TransferLeader | Body::TimeoutNow => {}
        Body::ReadIndex { context } => theirs.set_entries(vec![entry_of_read(context)].into()),
        Body::ReadIndexResponse { index, context } => {
            theirs.index = index.0;
            theirs.set_entries(vec![entry_of_read(context)].into());
        }
    }
    Ok(theirs)
}

const fn kind(body: &Body) -> MessageType {
    match body {
        Body::Propose { .. } => MessageType::MsgPropose,
        Body::Append { .. } => MessageType::MsgAppend,
        Body::AppendAccepted { .. } | Body::AppendRejected { .. } => MessageType::MsgAppendResponse,
        Body::Heartbeat { .. } => MessageType::MsgHeartbeat,
        Body::HeartbeatResponse { .. } => MessageType::MsgHeartbeatResponse,
        Body::RequestPreVote { .. } => MessageType::MsgRequestPreVote,
        Body::PreVoteResponse { .. } => MessageType::MsgRequestPreVoteResponse,
        Body::RequestVote { .. } => MessageType::MsgRequestVote,
        Body::VoteResponse { .. } => MessageType::MsgRequestVoteResponse,
        Body::InstallSnapshot { .. } => MessageType::MsgSnapshot,
        Body::TransferLeader => MessageType::MsgTransferLeader,
        Body::TimeoutNow => MessageType::MsgTimeoutNow,
        Body::ReadIndex { .. } => MessageType::MsgReadIndex,
        Body::ReadIndexResponse { .. } => MessageType::MsgReadIndexResp,
    }
}

fn entries_to_ours(theirs: &eraftpb::Message) -> Result<Vec<Entry>, NoCounterpart> {
    theirs.entries.iter().map(entry_to_ours).collect()
}

fn entries_to_theirs(ours: &[Entry]) -> Result<Vec<eraftpb::Entry>, NoCounterpart> {
    ours.iter().map(entry_to_theirs).collect()
}

/// What a read is named by travels as the data of an entry.
fn context_of_read(theirs: &eraftpb::Message) -> Bytes {
    theirs.entries.first().map(|entry| entry.data.clone()).unwrap_or_default()
}

fn entry_of_read(context: &Bytes) -> eraftpb::Entry {
    let mut entry = eraftpb::Entry::default();
    entry.data = context.clone();
    entry
}

/// A message of raft-rs as it rides.
///
/// # Errors
/// It cannot be decoded.
pub fn ridden(rider: &Rider) -> Result<eraftpb::Message, NoCounterpart> {
    let mut theirs = eraftpb::Message::default();
    theirs.merge_from_bytes(&rider.0).map_err(|error| NoCounterpart::Undecodable(error.to_string()))?;
    Ok(theirs)
}
