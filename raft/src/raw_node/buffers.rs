//! What of the Readys that were handed back serves the next ones.

use std::fmt;

use crate::message::Message;
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

    /// A burst must not hold its memory for ever: to be called at each tick.
    pub(super) fn release_memory(&mut self) {
        let Self { entries, committed_entries, messages, own_messages, origin: _ } = self;
        release(entries);
        release(committed_entries);
        release(messages);
        release(own_messages);
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

/// A few places are kept, since they are used all the time.
fn release<T>(list: &mut Vec<T>) {
    const KEPT: usize = 64;
    if list.capacity() > KEPT {
        *list = Vec::new();
    }
}
