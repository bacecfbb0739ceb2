//! Which messages are refused because no correct node sends them. Where etcd would panic, this node says what is wrong
//! and stays as it was.
//!
//! This file judges a message by itself, and by what no message may make a node do. Messages that only contradict what
//! others have said are refused in the file `contradictions`.

use crate::error::Malformed;
use crate::membership::Configuration;
use crate::message::{Body, Message};
use crate::snapshot::Snapshot;
use crate::storage::Storage;
use crate::types::{Entry, EntryId, EntryKind, Index, Term};

use super::{Raft, RoleState, reads};

impl<S: Storage> Raft<S> {
    pub(super) fn validate(&self, message: &Message) -> Result<(), Malformed> {
        if message.to != self.id() {
            return Err(Malformed::NotForThisNode(message.to));
        }
        match message.term {
            Some(term) if term > Term::ZERO => term_in_range(term)?,
            Some(_) | None => self.validate_missing_term(&message.body)?,
        }
        self.validate_body(message)?;
        if self.config.lenient_as_etcd { Ok(()) } else { self.check_contradictions(message) }
    }

    /// Lists every body for its fields: a new one does not compile before it is said here what may be wrong with it.
    fn validate_body(&self, message: &Message) -> Result<(), Malformed> {
        match &message.body {
            Body::Propose { entries } => validate_proposal(entries),
            Body::Append { previous, entries, commit } => validate_append(*previous, entries, *commit),
            Body::Heartbeat { commit, context: _ } => {
                index_in_range(*commit)?;
                if self.will_follow(message.term) && *commit > self.log.last_index() {
                    return Err(Malformed::CommitBeyondLog { commit: *commit, last: self.log.last_index() });
                }
                Ok(())
            }
            Body::InstallSnapshot { snapshot } => validate_snapshot(snapshot),
            Body::AppendAccepted { index } | Body::ReadIndexResponse { index, context: _ } => index_in_range(*index),
            Body::AppendRejected { index, hint } => index_in_range(*index).and_then(|()| id_in_range(*hint)),
            Body::RequestVote { last, transfer: _ } | Body::RequestPreVote { last } => id_in_range(*last),
            Body::HeartbeatResponse { context } => self.validate_read_position(message.term, context),
            Body::PreVoteResponse { granted: _ }
            | Body::VoteResponse { granted: _ }
            | Body::TransferLeader
            | Body::TimeoutNow
            | Body::ReadIndex { context: _ } => Ok(()),
        }
    }

    fn validate_missing_term(&self, body: &Body) -> Result<(), Malformed> {
        if body.is_without_term() || self.config.allow_missing_term { Ok(()) } else { Err(Malformed::MissingTerm) }
    }

    /// Whether a leader's message of this term will be obeyed: not if it comes too late, and not by a leader of the same
    /// term.
    pub(super) fn will_follow(&self, term: Option<Term>) -> bool {
        match term {
            Some(term) if term > self.term => true,
            Some(term) if term < self.term && term > Term::ZERO => false,
            Some(_) | None => !matches!(self.role, RoleState::Leader(_)),
        }
    }

    fn validate_read_position(&self, term: Option<Term>, context: &[u8]) -> Result<(), Malformed> {
        let position = reads::decode_position(context)?;
        let known = self.read_position();
        if term == Some(self.term) && position > known.unwrap_or(u64::MAX) {
            return Err(Malformed::ReadPositionOutOfRange(position));
        }
        Ok(())
    }
}

fn validate_proposal(entries: &[Entry]) -> Result<(), Malformed> {
    if entries.is_empty() {
        return Err(Malformed::EmptyProposal);
    }
    if entries.iter().any(is_undecodable) {
        return Err(Malformed::UndecodableConfChange);
    }
    Ok(())
}

/// Whether it is a membership change that does not decode.
pub(super) fn is_undecodable(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::Normal | EntryKind::RefusedConfChange => false,
        EntryKind::ConfChange | EntryKind::ConfChangeV2 => entry.conf_change().is_err(),
    }
}

/// Entries have to be consecutive.
fn validate_append(previous: EntryId, entries: &[Entry], commit: Index) -> Result<(), Malformed> {
    id_in_range(previous)?;
    index_in_range(commit)?;
    let mut before = previous;
    for entry in entries {
        let found = entry.id();
        id_in_range(found)?;
        if found.index != before.index.next() {
            return Err(Malformed::EntriesOutOfOrder { previous: before, found });
        }
        before = found;
    }
    Ok(())
}

fn validate_snapshot(snapshot: &Snapshot) -> Result<(), Malformed> {
    id_in_range(snapshot.id)?;
    Configuration::from_conf_state(&snapshot.conf_state)?;
    Ok(())
}

fn id_in_range(id: EntryId) -> Result<(), Malformed> {
    term_in_range(id.term)?;
    index_in_range(id.index)
}

fn term_in_range(term: Term) -> Result<(), Malformed> {
    if term > Term::MAX { Err(Malformed::TermOutOfRange(term)) } else { Ok(()) }
}

fn index_in_range(index: Index) -> Result<(), Malformed> {
    if index > Index::MAX { Err(Malformed::IndexOutOfRange(index)) } else { Ok(()) }
}
