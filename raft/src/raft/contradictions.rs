//! Which messages are refused because they contradict themselves, or what this node knows for certain: what the others
//! have said of the same term, and what is committed.
//!
//! Each check rests on one of the guarantees of figure 3 of the Raft paper, so that it refuses nothing of a correct
//! peer, however late it comes. Statements of peers are compared only if they are about the same term.

use crate::error::Malformed;
use crate::membership::ChangeError;
use crate::message::{Body, Message, Purpose};
use crate::snapshot::Snapshot;
use crate::storage::Storage;
use crate::types::{Entry, EntryId, EntryKind, Index, NodeId, Term};

use super::validate::is_undecodable;
use super::{Raft, RoleState};

impl<S: Storage> Raft<S> {
    pub(super) fn check_contradictions(&self, message: &Message) -> Result<(), Malformed> {
        if message.from == self.id() && !may_come_from_itself(&message.body) {
            return Err(Malformed::FromItself);
        }
        // If a message without a term is allowed, nothing is known of the sender's term.
        match message.term {
            Some(term) if term > Term::ZERO => self.check_body(message.from, term, &message.body),
            Some(_) | None => Ok(()),
        }
    }

    fn check_body(&self, from: NodeId, term: Term, body: &Body) -> Result<(), Malformed> {
        if body.is_without_term() {
            return Err(Malformed::UnexpectedTerm(term));
        }
        if body.purpose().is_from_leader() {
            self.check_leader(from, term)?;
        }
        // Lists every body for its fields: a new one does not compile before it is said here what it may contradict.
        match body {
            Body::Append { previous, entries, commit: _ } if self.goes_on(*previous, entries, term) => Ok(()),
            Body::Append { previous, entries, commit: _ } => {
                check_append(*previous, entries, term)?;
                self.check_not_later(*previous, term)?;
                entries.last().map_or(Ok(()), |newest| self.check_not_later(newest.id(), term))?;
                self.check_claims(term, std::iter::once(*previous).chain(entries.iter().map(Entry::id)))
            }
            Body::InstallSnapshot { snapshot } => {
                check_snapshot(snapshot)?;
                self.check_not_later(snapshot.id, term)?;
                self.check_claims(term, std::iter::once(snapshot.id))
            }
            Body::AppendAccepted { index } => self.check_answered(*index, term),
            Body::AppendRejected { index, hint } => {
                self.check_answered(*index, term)?;
                self.check_hint(*index, *hint, term)
            }
            Body::Heartbeat { .. }
            | Body::HeartbeatResponse { .. }
            // A candidate may have newer entries than its term: a crash may come between the write of an entry and that of
            // the term in which it was received.
            | Body::RequestVote { .. }
            | Body::RequestPreVote { .. }
            | Body::PreVoteResponse { .. }
            | Body::VoteResponse { .. }
            | Body::Propose { .. }
            | Body::TransferLeader
            | Body::TimeoutNow
            | Body::ReadIndex { .. }
            | Body::ReadIndexResponse { .. } => Ok(()),
        }
    }

    /// Whether an append only goes on where this log ends, in the term of its last entry: the usual case, in which nothing
    /// can be contradicted.
    fn goes_on(&self, previous: EntryId, entries: &[Entry], term: Term) -> bool {
        let follows = |entry: &Entry| entry.term == term && entry.kind == EntryKind::Normal;
        previous.term == term && self.log.ends_with(previous) && entries.iter().all(follows)
    }

    /// A term has at most one leader ("election safety").
    fn check_leader(&self, from: NodeId, term: Term) -> Result<(), Malformed> {
        match self.leader {
            Some(known) if term == self.term && known != from => Err(Malformed::AnotherLeader { known, from }),
            Some(_) | None => Ok(()),
        }
    }

    /// A leader has no entry of a later term: whoever elected it is in none ("election restriction", section 5.4.1).
    /// The snapshot that a cluster was begun with by hand is an exception. So an entry is believed if this log has it
    /// too, or has compacted it, or is empty.
    fn check_not_later(&self, entry: EntryId, term: Term) -> Result<(), Malformed> {
        let believed = match self.log.term(entry.index) {
            Ok(own) => own == entry.term,
            Err(_) => entry.index < self.log.first_index() || self.log.last_index() == Index::ZERO,
        };
        if entry.term <= term || believed { Ok(()) } else { Err(Malformed::EntryTooNew { entry, term }) }
    }

    /// What a leader that will be obeyed says is in its log, in the order of the log.
    fn check_claims(&self, term: Term, claims: impl Iterator<Item = EntryId>) -> Result<(), Malformed> {
        if !self.will_follow(Some(term)) {
            return Ok(());
        }
        let shared = self.shared_with_leader_of(term);
        for claimed in claims {
            self.check_claim(claimed, shared, term)?;
            if claimed.index >= shared {
                // What follows has no earlier term than this one.
                break;
            }
        }
        Ok(())
    }

    /// Up to where the log of the leader of this term has to be like this one. It holds all that was committed in earlier
    /// terms ("leader completeness"), and whoever has an entry of its term has it from this leader, with all before it
    /// ("log matching").
    fn shared_with_leader_of(&self, term: Term) -> Index {
        let last = self.log.last_index();
        if self.log.term_or_zero(last) == term { last } else { self.log.committed() }
    }

    /// The claimed entry has to be the same where the logs have to be the same, and beyond that its term must not be
    /// earlier than the last one there.
    fn check_claim(&self, claimed: EntryId, shared: Index, term: Term) -> Result<(), Malformed> {
        let at = claimed.index.min(shared);
        // What is compacted cannot be compared, and all logs begin alike.
        let Ok(held) = self.log.term(at) else { return Ok(()) };
        let differs = claimed.index == at && claimed.term != held;
        // Only a snapshot to begin with is of a later term than the leader's.
        let goes_back = claimed.term < held && held <= term;
        if at > Index::ZERO && (differs || goes_back) {
            return Err(Malformed::ContradictsLog { claimed, held: EntryId::new(held, at) });
        }
        Ok(())
    }

    /// A leader sends what is in its log, which never becomes shorter while it leads ("leader append-only"), and it
    /// holds what any follower has committed by then.
    fn check_answered(&self, index: Index, term: Term) -> Result<(), Malformed> {
        let last = self.log.last_index();
        if self.leads_in(term) && index > last { Err(Malformed::AnswerBeyondLog { index, last }) } else { Ok(()) }
    }

    /// A follower hints at the newest entry up to the rejected one that may be the leader's too: none of a later term, and
    /// not that one itself. Term zero says that the follower does not know it.
    fn check_hint(&self, index: Index, hint: EntryId, term: Term) -> Result<(), Malformed> {
        let rejected = self.log.term(index).ok().filter(|_| self.leads_in(term));
        let too_new = rejected.is_some_and(|rejected| {
            hint.term > rejected || (hint == EntryId::new(rejected, index) && rejected > Term::ZERO)
        });
        if hint.index > index || too_new { Err(Malformed::ImpossibleHint { index, hint }) } else { Ok(()) }
    }

    fn leads_in(&self, term: Term) -> bool {
        matches!(self.role, RoleState::Leader(_)) && term == self.term
    }
}

/// Whether a node may get this in its own name: a forwarded request that comes back to where it began, or what the node
/// tells itself once it is durable.
const fn may_come_from_itself(body: &Body) -> bool {
    matches!(body.purpose(), Purpose::Forwarded)
        || matches!(
            body,
            Body::AppendAccepted { .. }
                | Body::PreVoteResponse { granted: true }
                | Body::VoteResponse { granted: true }
        )
}

/// Terms never go back along a log, except behind a snapshot that a cluster was begun with by hand, whose term may be
/// later. Whoever takes a proposal reads the membership changes in it first.
fn check_append(previous: EntryId, entries: &[Entry], term: Term) -> Result<(), Malformed> {
    let mut before = previous;
    for entry in entries {
        let found = entry.id();
        if found.term == Term::ZERO {
            return Err(Malformed::EntryWithoutTerm(found));
        }
        if found.term < before.term && before.term <= term {
            return Err(Malformed::EntriesOutOfOrder { previous: before, found });
        }
        if is_undecodable(entry) {
            return Err(Malformed::UndecodableConfChange);
        }
        before = found;
    }
    Ok(())
}

fn check_snapshot(snapshot: &Snapshot) -> Result<(), Malformed> {
    if snapshot.id.index == Index::ZERO {
        return Err(Malformed::EmptySnapshot);
    }
    if snapshot.conf_state.voters.is_empty() {
        return Err(ChangeError::NoVoters.into());
    }
    Ok(())
}
