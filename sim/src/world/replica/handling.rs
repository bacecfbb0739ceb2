//! The stages in which a host handles Readys: one at a time with synchronous storage writes, two threads with queues
//! with asynchronous ones.

use std::collections::VecDeque;

use raft::{Entry, Message, NodeId, Ready, Snapshot, StorageAppend, StorageApply};

use super::log_file::LogFile;
use super::to_do::ToDo;
use super::writing::{ToPersist, Written};
use crate::invariant::{Check, Checkers};
use crate::wal::Write;
use crate::world::consensus::Rider;

/// The Readys that the host is handling, arranged as the node's mode of storage writes needs them.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one for each running node, which is boxed")]
pub(super) enum Handling {
    /// Synchronous storage writes: the outstanding Ready.
    OneByOne(Option<Box<InHand>>),
    /// Asynchronous storage writes.
    Threads(Threads),
}

/// The outstanding Ready.
#[derive(Clone, Debug)]
pub(super) struct InHand {
    pub(super) ready: Ready,
    /// What rides on its messages.
    pub(super) riders: Vec<Option<Rider>>,
    pub(super) written: Written,
    /// Whether all is as durable as the Ready asks.
    pub(super) persisted: bool,
    pub(super) sent: bool,
    pub(super) restored: bool,
    /// How many of the committed entries are applied.
    pub(super) applied: usize,
}

/// The queues of the storage threads, and what waits to be sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Threads {
    /// Readys whose messages have not been sent, and the one taken last.
    pub(super) unsent: Vec<Ready>,
    pub(super) appends: VecDeque<Append>,
    pub(super) applies: VecDeque<StorageApply>,
    /// How many entries of the first of `applies` are applied.
    pub(super) applied: usize,
}

/// Work of the append thread.
#[derive(Clone, Debug)]
pub(super) struct Append {
    pub(super) work: StorageAppend,
    pub(super) written: Written,
    /// Whether all is as durable as the work asks.
    pub(super) persisted: bool,
}

impl InHand {
    pub(super) fn new(ready: Ready, riders: Vec<Option<Rider>>) -> Self {
        let sent = ready.messages.is_empty();
        let restored = ready.snapshot.is_none();
        Self { ready, riders, written: Written::default(), persisted: false, sent, restored, applied: 0 }
    }

    pub(super) fn is_applied(&self) -> bool {
        self.restored && self.applied == self.ready.committed_entries.len()
    }

    pub(super) fn snapshot_to_restore(&self) -> Option<&Snapshot> {
        self.ready.snapshot.as_ref().filter(|_| !self.restored)
    }
}

impl Append {
    fn is_written(&self) -> bool {
        ToPersist::from(&self.work).record(self.written.records).is_none()
    }
}

impl Threads {
    /// Whether there are messages to send.
    fn may_send(&self) -> bool {
        self.unsent.iter().any(|ready| !ready.messages.is_empty())
    }
}

impl Handling {
    pub(super) fn new(asynchronous: bool) -> Self {
        if asynchronous { Self::Threads(Threads::default()) } else { Self::OneByOne(None) }
    }

    /// Whether anything is in hand.
    pub(super) fn is_at_work(&self) -> bool {
        match self {
            Self::OneByOne(in_hand) => in_hand.is_some(),
            Self::Threads(threads) => !threads.appends.is_empty() || !threads.applies.is_empty(),
        }
    }

    /// The messages of Readys that were taken, until they are in flight.
    pub(super) fn unsent(&self) -> impl Iterator<Item = &Message> {
        let (readys, appends) = match self {
            Self::OneByOne(in_hand) => (in_hand.as_ref().map(|one| std::slice::from_ref(&one.ready)), None),
            Self::Threads(threads) => (Some(threads.unsent.as_slice()), Some(&threads.appends)),
        };
        let messages = readys.into_iter().flatten().flat_map(|ready| &ready.messages);
        messages.chain(appends.into_iter().flatten().flat_map(|append| &append.work.responses))
    }

    /// What is to be persisted together of which some records are written, and some are not.
    pub(super) fn between_writes(&self) -> Option<ToPersist<'_>> {
        let is_between = |to_persist: &ToPersist<'_>, written: Written| {
            written.records > 0 && to_persist.record(written.records).is_some()
        };
        let between = |to_persist, written| Some(to_persist).filter(|to_persist| is_between(to_persist, written));
        match self {
            Self::OneByOne(in_hand) => {
                in_hand.as_ref().and_then(|one| between(ToPersist::from(&one.ready), one.written))
            }
            Self::Threads(threads) => {
                threads.appends.iter().find_map(|append| between(ToPersist::from(&append.work), append.written))
            }
        }
    }

    /// Whether a record is to be written.
    pub(super) fn has_records(&self) -> bool {
        self.upcoming().is_some()
    }

    /// The next record to be written.
    pub(super) fn upcoming(&self) -> Option<Write<'_>> {
        let (to_persist, written) = match self {
            Self::OneByOne(in_hand) => in_hand.as_ref().map(|one| (ToPersist::from(&one.ready), one.written))?,
            Self::Threads(threads) => {
                let append = threads.appends.iter().find(|append| !append.is_written())?;
                (ToPersist::from(&append.work), append.written)
            }
        };
        to_persist.record(written.records)
    }

    /// The next record to be written, and where to note that it was.
    pub(super) fn next_record(&mut self) -> Option<(Write<'_>, &mut Written)> {
        let (to_persist, written) = match self {
            Self::OneByOne(in_hand) => in_hand.as_mut().map(|one| (ToPersist::from(&one.ready), &mut one.written))?,
            Self::Threads(threads) => {
                let append = threads.appends.iter_mut().find(|append| !append.is_written())?;
                (ToPersist::from(&append.work), &mut append.written)
            }
        };
        to_persist.record(written.records).map(|record| (record, written))
    }

    /// Notes what has become as durable as it has to be, and tells the checkers. What is only written and need not be
    /// durable counts as persisted once everything before it does.
    pub(super) fn settle(&mut self, node: NodeId, log: &mut LogFile, checkers: &mut Checkers) -> Check {
        match self {
            Self::OneByOne(None) => Ok(()),
            Self::OneByOne(Some(one)) => {
                settle(node, ToPersist::from(&one.ready), one.written, &mut one.persisted, log, checkers)
            }
            Self::Threads(threads) => {
                for append in &mut threads.appends {
                    let to_persist = ToPersist::from(&append.work);
                    settle(node, to_persist, append.written, &mut append.persisted, log, checkers)?;
                    if !append.persisted {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Adds the rest of the host's work to `to_do`, the work on the log.
    pub(super) fn add_to(&self, to_do: ToDo) -> ToDo {
        match self {
            Self::OneByOne(None) => to_do,
            Self::OneByOne(Some(one)) => ToDo {
                send: one.persisted && !one.sent,
                apply: one.persisted && !one.is_applied(),
                advance: one.persisted && one.sent && one.is_applied(),
                ..to_do
            },
            Self::Threads(threads) => ToDo {
                send: threads.may_send(),
                release: threads.appends.front().is_some_and(|append| append.persisted),
                apply: !threads.applies.is_empty(),
                ..to_do
            },
        }
    }

    /// The committed entries to apply next.
    pub(super) fn next_entry(&self) -> Option<&Entry> {
        match self {
            Self::OneByOne(in_hand) => {
                let in_hand = in_hand.as_ref().filter(|in_hand| in_hand.persisted)?;
                in_hand.ready.committed_entries.get(in_hand.applied)
            }
            Self::Threads(threads) => threads.applies.front()?.entries.get(threads.applied),
        }
    }

    /// Notes that an entry is applied.
    pub(super) fn count_applied(&mut self) {
        match self {
            Self::OneByOne(None) => {}
            Self::OneByOne(Some(in_hand)) => in_hand.applied += 1,
            Self::Threads(threads) => threads.applied += 1,
        }
    }
}

fn settle(
    node: NodeId,
    to_persist: ToPersist<'_>,
    written: Written,
    persisted: &mut bool,
    log: &mut LogFile,
    checkers: &mut Checkers,
) -> Check {
    if *persisted || to_persist.record(written.records).is_some() {
        return Ok(());
    }
    let ToPersist { hard_state, entries, snapshot, .. } = to_persist;
    if to_persist.needs_sync() {
        log.want(written.count);
        if !log.is_durable(written.count) {
            return Ok(());
        }
        checkers.persisted(node, hard_state, snapshot, entries)?;
    } else if hard_state.is_some() {
        checkers.persisted(node, None, None, &[])?;
    }
    *persisted = true;
    Ok(())
}
