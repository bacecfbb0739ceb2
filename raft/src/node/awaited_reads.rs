//! The reads that somebody waits for until their index is applied, and what became of them.
//!
//! A read changes nothing, so it can be asked for again without risk: if its answer may be lost, it counts as lost.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::input::Ticket;
use crate::error::ReadError;
use crate::ready::Ready;
use crate::types::{Index, NodeId, Term};

/// What became of a read that somebody waits for.
#[derive(Clone, Copy, Hash, Debug, PartialEq, Eq)]
pub struct SettledRead {
    /// The read.
    pub ticket: Ticket,
    /// The index at which it reads, which is applied, or why it will not be answered.
    pub result: Result<Index, ReadError>,
}

/// The reads that somebody waits for. Each is kept until it is settled or [cancelled](Self::cancel).
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct AwaitedReads {
    /// The reads that were taken up and not answered, by context.
    asked: BTreeMap<Bytes, Ticket>,
    /// The reads that were answered with an index that is not applied.
    answered: BTreeSet<(Index, Ticket)>,
    /// The leadership that was asked.
    leadership: (Term, Option<NodeId>),
    settled: Vec<SettledRead>,
}

impl AwaitedReads {
    /// Whether a read with this context waits, so that its answer could be taken for another's.
    pub(super) fn contains(&self, context: &Bytes) -> bool {
        self.asked.contains_key(context)
    }

    /// A read was taken up or refused.
    pub(super) fn asked(&mut self, ticket: Ticket, context: Bytes, result: Result<(), ReadError>) {
        match result {
            Ok(()) => drop(self.asked.insert(context, ticket)),
            Err(error) => self.settle(ticket, Err(error)),
        }
    }

    /// The application is given this, with the answers to reads in it.
    pub(super) fn hand_out(&mut self, ready: &Ready) {
        for read in &ready.read_states {
            if let Some(ticket) = self.asked.remove(&read.context) {
                self.answered.insert((read.index, ticket));
            }
        }
    }

    /// The application has applied everything up to this index.
    pub(super) fn applied_to(&mut self, applied: Index) {
        while let Some(&(index, ticket)) = self.answered.first()
            && index <= applied
        {
            self.answered.pop_first();
            self.settle(ticket, Ok(index));
        }
    }

    /// Takes note of the current leadership. A read that was asked of another leadership gets no answer, or one that
    /// may not arrive.
    pub(super) fn led_by(&mut self, term: Term, leader: Option<NodeId>) {
        if self.leadership != (term, leader) {
            self.leadership = (term, leader);
            for (_, ticket) in std::mem::take(&mut self.asked) {
                self.settle(ticket, Err(ReadError::LeadershipChanged));
            }
        }
    }

    fn settle(&mut self, ticket: Ticket, result: Result<Index, ReadError>) {
        self.settled.push(SettledRead { ticket, result });
    }

    /// Forgets one that nobody waits for any more.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        self.asked.retain(|_, asked| *asked != ticket);
        self.answered.retain(|(_, answered)| *answered != ticket);
        self.settled.retain(|settled| settled.ticket != ticket);
    }

    pub(super) fn take_settled(&mut self) -> Vec<SettledRead> {
        std::mem::take(&mut self.settled)
    }

    /// How many were taken up and are not settled.
    pub(super) fn len(&self) -> usize {
        self.asked.len() + self.answered.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
