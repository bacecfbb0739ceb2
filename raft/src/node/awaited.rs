//! The proposals that somebody waits for until they are applied, and what became of them.
//!
//! A proposal that this node appends as the leader is known by index and term from then on. Nothing has to be added to its
//! data, and no leadership has to last: the entry that is committed at that index, whoever leads by then, is either this
//! one, or its term differs and this one will never be committed (Raft paper, section 5.3, "log matching"). Only a snapshot
//! that takes the place of the entry leaves the question open.

use std::collections::BTreeMap;

use super::error::ApplyError;
use super::input::Ticket;
use crate::error::ProposeError;
use crate::ready::Ready;
use crate::types::{Entry, EntryId, EntryKind, Index, Term};

/// What became of a proposal that somebody waits for.
#[derive(Clone, Copy, Hash, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The proposal.
    pub ticket: Ticket,
    /// The entry that was applied, or what is known instead.
    pub result: Result<EntryId, ApplyError>,
}

/// The proposals that somebody waits for. Each is kept until it is settled or [cancelled](Self::cancel).
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Awaited {
    /// The proposals that were appended. Two at one index are of different terms, and at most one of them will be
    /// applied.
    appended: BTreeMap<(Index, Term), Ticket>,
    /// The same the other way round.
    entries: BTreeMap<Ticket, EntryId>,
    /// The index up to which the application was given entries. Proposals left at or below it were all given to it.
    handed_out: Index,
    settled: Vec<Settled>,
}

impl Awaited {
    /// A proposal was appended or refused.
    pub(super) fn proposed(&mut self, ticket: Ticket, result: Result<EntryId, ProposeError>) {
        match result {
            Ok(entry) => {
                self.appended.insert((entry.index, entry.term), ticket);
                self.entries.insert(ticket, entry);
            }
            Err(error) => self.settle(ticket, Err(error.into())),
        }
    }

    /// The application is given this Ready. It tells which proposals lost their place to other entries. Nothing more
    /// will be learned of those that a snapshot covers.
    pub(super) fn hand_out(&mut self, ready: &Ready) {
        if let Some(snapshot) = &ready.snapshot {
            for entry in self.not_handed_out(snapshot.id.index) {
                self.lose(entry, ApplyError::Unknown);
            }
        }
        let Some((first, last)) = ready.committed_entries.first().zip(ready.committed_entries.last()) else { return };
        for entry in self.not_handed_out(last.index) {
            let found = ready.committed_entries.get(entry.index.since(first.index) as usize);
            let found = found.filter(|found| found.index == entry.index);
            if let Some(error) = found.map_or(Some(ApplyError::Unknown), |found| why_lost(entry, found)) {
                self.lose(entry, error);
            }
        }
    }

    /// The proposals up to `last` that the application was not given before, and is given now.
    fn not_handed_out(&mut self, last: Index) -> Vec<EntryId> {
        let from = self.handed_out.next();
        self.handed_out = self.handed_out.max(last);
        if from > last {
            return Vec::new();
        }
        let range = (from, Term::ZERO)..(last.next(), Term::ZERO);
        self.appended.range(range).map(|(&(index, term), _)| EntryId::new(term, index)).collect()
    }

    /// The application has applied this entry: takes out the proposal of it that somebody waits for.
    pub(super) fn take(&mut self, entry: EntryId) -> Option<Ticket> {
        if entry.index > self.handed_out {
            return None;
        }
        let ticket = self.appended.remove(&(entry.index, entry.term))?;
        self.entries.remove(&ticket);
        Some(ticket)
    }

    /// The application has applied all that it was given up to this index.
    pub(super) fn applied_to(&mut self, index: Index) {
        while let Some((&(next, term), _)) = self.appended.first_key_value()
            && next <= index.min(self.handed_out)
        {
            let entry = EntryId::new(term, next);
            if let Some(ticket) = self.take(entry) {
                self.settle(ticket, Ok(entry));
            }
        }
    }

    fn lose(&mut self, entry: EntryId, error: ApplyError) {
        if let Some(ticket) = self.take(entry) {
            self.settle(ticket, Err(error));
        }
    }

    fn settle(&mut self, ticket: Ticket, result: Result<EntryId, ApplyError>) {
        self.settled.push(Settled { ticket, result });
    }

    /// Forgets one that nobody waits for any more.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        if let Some(entry) = self.entries.remove(&ticket) {
            self.appended.remove(&(entry.index, entry.term));
        }
        self.settled.retain(|settled| settled.ticket != ticket);
    }

    pub(super) fn take_settled(&mut self) -> Vec<Settled> {
        std::mem::take(&mut self.settled)
    }

    /// How many were appended and not settled.
    pub(super) fn len(&self) -> usize {
        self.appended.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Why a proposal is not what was committed in its place, if it is not.
fn why_lost(proposed: EntryId, committed: &Entry) -> Option<ApplyError> {
    if committed.id() != proposed {
        return Some(ApplyError::Overwritten { by: committed.id() });
    }
    (committed.kind == EntryKind::RefusedConfChange).then_some(ApplyError::ChangeRefused)
}
