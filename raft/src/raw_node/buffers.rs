//! What of the Readys that were handed back serves the next ones.

use std::fmt;

use crate::message::Message;
use crate::raft::Outbox;
use crate::ready::{Origin, Ready};
use crate::types::Entry;

/// Lists without anything in them, of which only the memory counts. A copy has none.
#[derive(Default)]
pub(super) struct Buffers {
    pub(super) entries: Vec<Entry>,
    pub(super) committed_entries: Vec<Entry>,
    pub(super) messages: Vec<Message>,
    pub(super) own_messages: Vec<Message>,
    origin: Option<Origin>,
}

impl Buffers {
    /// Takes the lists of a Ready that is done.
    pub(super) fn take_back(&mut self, ready: Ready) {
        keep(&mut self.entries, ready.entries);
        keep(&mut self.committed_entries, ready.committed_entries);
        keep(&mut self.messages, ready.messages);
        self.origin = Some(ready.origin);
    }

    /// The mark of this start of the node that came back with the last Ready. To count who shares it takes longer than all
    /// else about it.
    pub(super) fn take_origin(&mut self) -> Option<Origin> {
        self.origin.take()
    }

    /// Gives memory back, so that neither a burst holds it for ever nor a node that has little to do: to be called at each
    /// tick. What such a node sends is kept, one list of a few places, in the outbox.
    pub(super) fn release_memory(&mut self, outbox: &mut Outbox) {
        const KEPT: usize = 64;
        if outbox.messages.capacity() == 0 && self.messages.capacity() <= KEPT {
            std::mem::swap(&mut outbox.messages, &mut self.messages);
        }
        if outbox.after_append.is_empty() {
            outbox.after_append = Vec::new();
        }
        *self = Self { origin: self.origin.take(), ..Self::default() };
    }

    /// Takes the list of the messages to the node itself that were delivered.
    pub(super) fn take_back_own(&mut self, messages: Vec<Message>) {
        keep(&mut self.own_messages, messages);
    }
}

/// What serves only speed is no part of what a node is.
impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buffers")
    }
}

impl Clone for Buffers {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[inline]
fn keep<T>(place: &mut Vec<T>, mut list: Vec<T>) {
    if !list.is_empty() {
        list.clear();
    }
    *place = list;
}
