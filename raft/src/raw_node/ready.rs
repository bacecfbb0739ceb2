//! What a node hands out and what comes back: how a Ready is made, and how it is advanced.

use crate::error::AdvanceError;
use crate::planted::{Bug, planted};
use crate::raft::{AppliedThrough, Durable, Outbox};
use crate::ready::{Ready, StorageAppend, StorageAppended, StorageApplied, StorageApply};
use crate::storage::Storage;
use crate::types::HardState;

use super::{Outstanding, RawNode};

impl<S: Storage> RawNode<S> {
    /// Whether [`ready`](Self::ready) would return something, if the storage can be read.
    pub fn has_ready(&self) -> bool {
        let has_work = self.returned.is_some() || self.outstanding.is_none() && self.has_news();
        has_work && self.failure().is_none()
    }

    fn has_news(&self) -> bool {
        let log = self.raft.log();
        let outbox = self.raft.outbox();
        !outbox.messages.is_empty()
            || !outbox.after_append.is_empty()
            || log.has_next_unstable_entries()
            || self.raft.soft_state() != self.told_soft_state
            || self.changed_hard_state().is_some()
            || log.next_unstable_snapshot().is_some()
            || log.has_next_committed_entries(self.applies_unstable())
            || self.raft.has_read_states()
            || self.raft.has_due_appends()
    }

    fn changed_hard_state(&self) -> Option<HardState> {
        let hard_state = self.raft.hard_state();
        (hard_state != self.told_hard_state && hard_state != HardState::default()).then_some(hard_state)
    }

    /// With synchronous writes an entry is in storage before it is applied, because the Ready that hands it out, or an
    /// earlier one, had it written. With asynchronous ones that has to be known first.
    fn applies_unstable(&self) -> bool {
        !self.raft.config().async_storage_writes
    }

    /// Takes the work that has come up. `None` where there is none, with synchronous storage writes while a Ready is
    /// outstanding, and where the storage has [failed](Self::failure).
    ///
    /// A Ready has to come back by [`advance`](Self::advance), whatever happens. One that is dropped, for instance by an
    /// early return, leaves the node mute for good: it goes on taking input, has nothing ready any more, and says nothing
    /// of it. [`process_ready`](Self::process_ready) cannot lose one.
    #[must_use = "a Ready that is dropped leaves the node mute"]
    pub fn ready(&mut self) -> Option<Ready> {
        if !self.has_ready() {
            return None;
        }
        if let Some(returned) = self.returned.take() {
            return Some(*returned);
        }
        self.raft.send_due_appends();
        let mut ready = self.collect();
        self.readys += 1;
        ready.number = self.readys;
        let handed_out = self.handed_out(&ready);
        if self.raft.config().async_storage_writes {
            self.address_storage_threads(&mut ready);
        } else {
            self.await_advance(&mut ready, handed_out);
        }
        self.accept(&ready, handed_out);
        self.failure().is_none().then_some(ready)
    }

    fn collect(&mut self) -> Ready {
        let soft_state = self.raft.soft_state();
        let hard_state = self.changed_hard_state();
        let told = self.told_hard_state;
        let read_states = self.raft.take_read_states();
        let log = self.raft.log();
        let mut entries = std::mem::take(&mut self.buffers.entries);
        let next = log.next_unstable_entries();
        entries.reserve_exact(next.len());
        entries.extend_from_slice(next);
        let mut committed_entries = std::mem::take(&mut self.buffers.committed_entries);
        log.read_next_committed(self.applies_unstable(), &mut committed_entries);
        let voted = hard_state.is_some_and(|state| state.term != told.term || state.vote != told.vote);
        let must_sync =
            (!entries.is_empty() && !planted(Bug::MustsyncDropsEntries)) || (voted && !planted(Bug::MustsyncDropsVote));
        Ready {
            origin: self.buffers.take_origin().unwrap_or_else(|| self.origin.clone()),
            number: 0,
            soft_state: (soft_state != self.told_soft_state).then_some(soft_state),
            hard_state,
            read_states,
            entries,
            snapshot: log.next_unstable_snapshot().cloned(),
            committed_entries,
            messages: Vec::new(),
            must_sync,
            storage_append: None,
            storage_apply: None,
        }
    }

    /// What the node takes for durable once the writes of the Ready are. It speaks of the whole log and not just of this
    /// Ready's entries, because a response of an earlier term says nothing about entries: the first one of the new term has
    /// to make up for it.
    fn durable_with(&mut self, ready: &Ready) -> Option<Durable> {
        let term = self.raft.term();
        let last = self.raft.log_mut().hand_out_write(term);
        let snapshot = ready.snapshot.as_ref().map(|snapshot| snapshot.id.index);
        (last.is_some() || snapshot.is_some()).then_some(Durable { term, last, snapshot })
    }

    fn address_storage_threads(&mut self, ready: &mut Ready) {
        let durable = self.durable_with(ready);
        let outbox = self.raft.take_outbox();
        ready.messages = outbox.messages;
        let append_needed = !ready.entries.is_empty()
            || ready.hard_state.is_some()
            || ready.snapshot.is_some()
            || !outbox.after_append.is_empty();
        if append_needed {
            ready.storage_append = Some(Box::new(StorageAppend {
                hard_state: ready.hard_state,
                entries: ready.entries.clone(),
                snapshot: ready.snapshot.clone(),
                must_sync: ready.must_sync,
                responses: outbox.after_append,
                appended: durable.map(|Durable { term, last, snapshot: _ }| StorageAppended {
                    term,
                    last,
                    snapshot: ready.snapshot.clone(),
                }),
            }));
        }
        if !ready.committed_entries.is_empty() {
            ready.storage_apply = Some(StorageApply { entries: ready.committed_entries.clone() });
        }
    }

    fn await_advance(&mut self, ready: &mut Ready, applied: Option<AppliedThrough>) {
        let durable = self.durable_with(ready);
        let id = self.id();
        let Outbox { messages, after_append } = self.raft.outbox_mut();
        ready.messages = std::mem::replace(messages, std::mem::take(&mut self.buffers.messages));
        if !after_append.is_empty() {
            let to_peers = after_append.iter().filter(|message| message.to != id).count();
            ready.messages.reserve_exact(to_peers);
            ready.messages.extend(after_append.extract_if(.., |message| message.to != id));
        }
        let own_messages = std::mem::replace(after_append, std::mem::take(&mut self.buffers.own_messages));
        self.outstanding = Some(Outstanding { number: ready.number, own_messages, durable, applied });
    }

    fn accept(&mut self, ready: &Ready, handed_out: Option<AppliedThrough>) {
        if let Some(soft_state) = ready.soft_state {
            self.told_soft_state = soft_state;
        }
        if let Some(hard_state) = ready.hard_state {
            self.told_hard_state = hard_state;
        }
        let applies_unstable = self.applies_unstable();
        let log = self.raft.log_mut();
        log.accept_unstable();
        if let Some(handed_out) = handed_out {
            log.accept_applying(handed_out.index, handed_out.encoded_size, applies_unstable);
        }
    }

    /// How far the application will be once it has applied the Ready.
    fn handed_out(&self, ready: &Ready) -> Option<AppliedThrough> {
        let handed_out = AppliedThrough::of(&ready.committed_entries)?;
        match planted(Bug::AppliedCursorIsCommit) {
            false => Some(handed_out),
            true => Some(AppliedThrough { index: self.raft.log().committed(), ..handed_out }),
        }
    }

    /// Tells the node that the Ready is persisted, sent and applied.
    ///
    /// # Errors
    /// A Ready that is not the outstanding one, one that another node or an earlier start of this node handed out, or any
    /// with asynchronous storage writes; nothing changes then. Or the storage has failed.
    pub fn advance(&mut self, ready: Ready) -> Result<(), AdvanceError> {
        self.check_outstanding(&ready)?;
        let mut outstanding = self.outstanding.take().ok_or(AdvanceError::NotOutstanding)?;
        self.buffers.take_back(ready);
        for message in outstanding.own_messages.drain(..) {
            self.raft.step_own(message).expect("votes and acknowledgements are not refused");
        }
        self.buffers.take_back_own(outstanding.own_messages);
        if let Some(durable) = outstanding.durable {
            self.raft.storage_appended(durable);
        }
        if let Some(applied) = outstanding.applied {
            self.raft.entries_applied(applied);
        }
        if self.failure().is_some() { Err(AdvanceError::StorageFailed) } else { Ok(()) }
    }

    /// Whether [`advance`](Self::advance) would take this Ready.
    pub(crate) fn check_outstanding(&self, ready: &Ready) -> Result<(), AdvanceError> {
        if self.raft.config().async_storage_writes {
            return Err(AdvanceError::AsynchronousStorageWrites);
        }
        if self.is_foreign(ready) {
            return Err(AdvanceError::Foreign);
        }
        if self.failure().is_some() {
            return Err(AdvanceError::StorageFailed);
        }
        match &self.outstanding {
            Some(outstanding) if outstanding.number == ready.number && self.returned.is_none() => Ok(()),
            Some(_) | None => Err(AdvanceError::NotOutstanding),
        }
    }

    /// Whether another node handed this Ready out, or an earlier start of this one.
    pub(crate) fn is_foreign(&self, ready: &Ready) -> bool {
        ready.origin.differs_from(&self.origin)
    }

    /// With asynchronous storage writes: tells the node that a [`StorageAppend`] is done, after its responses.
    pub fn storage_appended(&mut self, appended: StorageAppended) {
        self.unless_failed(|raft| raft.storage_appended(Durable::of(&appended)));
    }

    /// With asynchronous storage writes: tells the node that a [`StorageApply`] is done. Until then the host must not compact
    /// the log beyond what the node was told before: see [`Storage`](crate::Storage#compaction).
    pub fn storage_applied(&mut self, applied: StorageApplied) {
        if let Some(applied) = AppliedThrough::of(&applied.entries) {
            self.unless_failed(|raft| raft.entries_applied(applied));
        }
    }
}
