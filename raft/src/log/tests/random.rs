//! Random histories of one node's log, with the writes that are under way, against the model.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::Model;
use super::{NO_LIMIT, compact, snapshot};
use crate::log::RaftLog;
use crate::snapshot::Snapshot;
use crate::storage::{MemStorage, Storage, StorageError};
use crate::types::{Entry, EntryId, EntryKind, Index, Term};

/// What happens next. The numbers are taken modulo what is possible at that time.
#[derive(Clone, Debug)]
enum Step {
    /// A leader appends, in a new term or in the old one.
    Append { sizes: Vec<u8>, new_term: bool },
    /// A follower receives an append that builds on an entry `back` before the last and repeats some that are there.
    Receive { back: u8, repeat: u8, sizes: Vec<u8>, new_term: bool, commit: u8 },
    /// A follower receives an append that builds on what it does not hold.
    ReceiveMismatch { back: u8, sizes: Vec<u8> },
    /// The next leader sends again what the last one overwrote.
    ReceiveOverwritten,
    /// A leader commits.
    Commit { ahead: u8 },
    /// The node hands out what is to be written.
    HandOutWrites,
    /// The oldest write is done.
    Written,
    /// The node hands out what is to be applied.
    HandOutCommitted { allow_unstable: bool },
    /// The oldest entries that were handed out are applied.
    Applied,
    /// All of the last four at once, as with synchronous writes.
    Synchronous,
    /// A follower receives a snapshot.
    Restore { ahead: u8 },
    /// The host compacts its storage.
    Compact { ahead: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let sizes = || vec(any::<u8>(), 1..4);
    prop_oneof![
        3 => (sizes(), any::<bool>()).prop_map(|(sizes, new_term)| Step::Append { sizes, new_term }),
        6 => (any::<u8>(), any::<u8>(), vec(any::<u8>(), 0..4), any::<bool>(), any::<u8>()).prop_map(
            |(back, repeat, sizes, new_term, commit)| Step::Receive { back, repeat, sizes, new_term, commit }
        ),
        1 => (any::<u8>(), sizes()).prop_map(|(back, sizes)| Step::ReceiveMismatch { back, sizes }),
        2 => Just(Step::ReceiveOverwritten),
        3 => any::<u8>().prop_map(|ahead| Step::Commit { ahead }),
        4 => Just(Step::HandOutWrites),
        4 => Just(Step::Written),
        4 => any::<bool>().prop_map(|allow_unstable| Step::HandOutCommitted { allow_unstable }),
        4 => Just(Step::Applied),
        2 => Just(Step::Synchronous),
        1 => any::<u8>().prop_map(|ahead| Step::Restore { ahead }),
        1 => any::<u8>().prop_map(|ahead| Step::Compact { ahead }),
    ]
}

/// A write that was handed out and is not done.
struct Write {
    term: Term,
    last: EntryId,
    snapshot: Option<Snapshot>,
    entries: Vec<Entry>,
}

/// The log, the model, and a host with its queues of work.
struct Node {
    log: RaftLog<MemStorage>,
    model: Model,
    max_applying_size: u64,
    term: Term,
    writes: VecDeque<Write>,
    applies: VecDeque<Vec<Entry>>,
    /// What was overwritten last, and the entry that it followed.
    overwritten: (EntryId, Vec<Entry>),
}

impl Node {
    fn new(max_applying_size: u64) -> Self {
        Self {
            log: RaftLog::new(MemStorage::new(), max_applying_size),
            model: Model::default(),
            max_applying_size,
            term: Term(1),
            writes: VecDeque::new(),
            applies: VecDeque::new(),
            overwritten: Default::default(),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Append { sizes, new_term } => self.append(sizes, *new_term),
            Step::Receive { back, repeat, sizes, new_term, commit } => {
                self.receive(*back, *repeat, sizes, *new_term, *commit);
            }
            Step::ReceiveMismatch { back, sizes } => self.receive_mismatch(*back, sizes),
            Step::ReceiveOverwritten => self.receive_overwritten(),
            Step::Commit { ahead } => self.commit(*ahead),
            Step::HandOutWrites => self.hand_out_writes(),
            Step::Written => self.written(),
            Step::HandOutCommitted { allow_unstable } => self.hand_out_committed(*allow_unstable),
            Step::Applied => self.applied(),
            Step::Synchronous => self.synchronous(),
            Step::Restore { ahead } => self.restore(*ahead),
            Step::Compact { ahead } => self.compact(*ahead),
        }
    }

    fn new_entries(&self, first: Index, sizes: &[u8]) -> Vec<Entry> {
        let entry = |(offset, &size): (u64, &u8)| Entry {
            term: self.term,
            index: first.plus(offset),
            kind: if size % 16 == 0 { EntryKind::ConfChange } else { EntryKind::Normal },
            data: vec![size; size as usize].into(),
        };
        (0..).zip(sizes).map(entry).collect()
    }

    fn append(&mut self, sizes: &[u8], new_term: bool) {
        self.raise_term(new_term);
        let entries = self.new_entries(self.model.last().index.next(), sizes);
        entries.iter().for_each(|entry| self.model.put(entry));
        assert_eq!(self.log.append(entries), self.model.last().index);
    }

    fn receive(&mut self, back: u8, repeat: u8, sizes: &[u8], new_term: bool, commit: u8) {
        let last = self.model.last().index;
        let previous = Index(last.0 - u64::from(back) % (last.since(self.model.base.index) + 1));
        // What is committed is repeated, since no leader contradicts it.
        let least = previous.max(self.model.committed);
        let repeated = least.plus(u64::from(repeat) % (last.since(least) + 1));
        // A leader never sends two entries of one term for one index.
        self.raise_term(new_term || repeated < last);
        let mut entries = self.model.range(previous, repeated);
        entries.extend(self.new_entries(repeated.next(), sizes));
        let previous = EntryId::new(self.model.term(previous).unwrap(), previous);
        let commit = Index(previous.index.0 + u64::from(commit) % 8);
        self.take_append(previous, commit, entries);
    }

    fn receive_overwritten(&mut self) {
        let (previous, entries) = self.overwritten.clone();
        if !entries.is_empty() && previous.index >= self.model.committed && self.model.holds(previous) {
            self.raise_term(true);
            self.take_append(previous, Index::ZERO, entries);
        }
    }

    fn take_append(&mut self, previous: EntryId, commit: Index, entries: Vec<Entry>) {
        let conflict = entries.iter().find(|entry| !self.model.holds(entry.id())).map(|entry| entry.index);
        assert_eq!(self.log.find_conflict(&entries), conflict);
        if let Some(kept) = conflict.map(Index::previous).filter(|kept| *kept < self.model.last().index) {
            let id = EntryId::new(self.model.term(kept).unwrap(), kept);
            self.overwritten = (id, self.model.range(kept, self.model.last().index));
        }
        let expected = self.model.receive(previous, commit, &entries);
        assert_eq!(self.log.maybe_append(previous, commit, entries), expected);
    }

    fn receive_mismatch(&mut self, back: u8, sizes: &[u8]) {
        let index = Index((self.model.last().index.0 + 2).saturating_sub(u64::from(back) % 8));
        let previous = EntryId::new(self.term.next(), index);
        let entries = self.new_entries(index.next(), sizes);
        assert_eq!(self.model.receive(previous, Index(u64::MAX), &entries), None);
        assert_eq!(self.log.maybe_append(previous, Index(u64::MAX), entries), None);
    }

    fn commit(&mut self, ahead: u8) {
        let committed = self.model.committed;
        let ahead = u64::from(ahead) % (self.model.last().index.since(committed) + 1);
        let index = committed.plus(ahead);
        let term = self.model.term(index).unwrap();
        assert!(!self.log.maybe_commit(EntryId::new(term.next(), index)), "another entry commits nothing");
        assert_eq!(self.log.maybe_commit(EntryId::new(term, index)), ahead > 0);
        self.model.committed = index;
    }

    fn hand_out_writes(&mut self) {
        if !self.log.has_next_or_in_progress_unstable_entries() && !self.log.has_next_or_in_progress_snapshot() {
            return;
        }
        self.writes.push_back(Write {
            term: self.term,
            last: self.log.last_id(),
            snapshot: self.log.next_unstable_snapshot().cloned(),
            entries: self.log.next_unstable_entries().to_vec(),
        });
        self.log.accept_unstable();
        self.model.hand_out_writes();
    }

    fn written(&mut self) {
        let Some(write) = self.writes.pop_front() else { return };
        if let Some(snapshot) = &write.snapshot {
            self.log.storage_mut().apply_snapshot(snapshot.clone()).unwrap();
        }
        self.log.storage_mut().append(&write.entries).unwrap();
        // What an earlier term's write made durable may be overwritten by one that is still under way.
        if write.term == self.term {
            self.log.stable_to(write.last);
            self.model.written(write.last);
        }
        if let Some(snapshot) = write.snapshot {
            self.log.stable_snapshot_to(snapshot.id.index);
            self.model.snapshot_written(snapshot.id.index);
            self.apply(snapshot.id.index, 0);
        }
    }

    fn hand_out_committed(&mut self, allow_unstable: bool) {
        let page = self.log.next_committed_entries(allow_unstable);
        if let Some(last) = page.last() {
            let size = page.iter().map(Entry::encoded_size).sum();
            self.log.accept_applying(last.index, size, allow_unstable);
            self.model.hand_out_committed(&page, allow_unstable, self.max_applying_size);
            self.applies.push_back(page);
        }
    }

    fn applied(&mut self) {
        let Some(page) = self.applies.pop_front() else { return };
        let size = page.iter().map(Entry::encoded_size).sum();
        self.apply(page[page.len() - 1].index, size);
    }

    fn apply(&mut self, index: Index, size: u64) {
        // A snapshot may have overtaken the entries.
        let index = index.max(self.model.applied);
        self.log.applied_to(index, size);
        self.model.apply(index, size, self.max_applying_size);
    }

    fn synchronous(&mut self) {
        while !self.writes.is_empty() {
            self.written();
        }
        self.hand_out_writes();
        self.hand_out_committed(true);
        self.written();
        while !self.applies.is_empty() {
            self.applied();
        }
        assert!(!self.log.has_next_or_in_progress_unstable_entries() && !self.log.has_next_or_in_progress_snapshot());
    }

    fn restore(&mut self, ahead: u8) {
        self.raise_term(true);
        let snapshot = snapshot(self.term.0, self.model.committed.0 + 1 + u64::from(ahead) % 8);
        self.model.restore(snapshot.clone());
        self.log.restore(snapshot);
    }

    fn compact(&mut self, ahead: u8) {
        let most = self.model.applied.min(self.model.stable);
        let index = self.model.base.index.plus(u64::from(ahead) % 8);
        if self.model.snapshot.is_none() && index > self.model.base.index && index <= most {
            compact(&mut self.log, index.0);
            self.model.compact(index);
        }
    }

    fn raise_term(&mut self, raise: bool) {
        if raise {
            self.term = self.term.next();
        }
    }

    fn check(&self) {
        self.check_bounds();
        self.check_terms();
        self.check_pages();
        self.check_writes();
        self.check_applying();
        self.check_durable();
    }

    fn check_bounds(&self) {
        let (log, model) = (&self.log, &self.model);
        assert_eq!((log.first_index(), log.last_id()), (model.base.index.next(), model.last()));
        assert_eq!(log.last_index(), model.last().index);
        let positions = (log.applied(), log.applying(), log.committed());
        assert_eq!(positions, (model.applied, model.applying, model.committed));
        assert!(positions.0 <= positions.1 && positions.1 <= positions.2 && positions.2 <= log.last_index());
    }

    fn check_terms(&self) {
        for index in (0..=self.model.last().index.0 + 2).map(Index) {
            assert_eq!(self.log.term(index), self.model.term(index), "the term at {index}");
            let term = Term(self.term.0 / 2);
            let guess =
                (0..=index.0).rev().map(Index).find(|&guess| self.model.term(guess).is_ok_and(|own| own <= term));
            let unknown = (0..=index.0).rev().map(Index).find(|&guess| self.model.term(guess).is_err());
            let expected = match guess.max(unknown) {
                Some(found) => EntryId::new(self.model.term(found).unwrap_or(Term::ZERO), found),
                None => EntryId::ZERO,
            };
            assert_eq!(self.log.find_conflict_by_term(index, term), expected, "{term}/{index}");
        }
    }

    fn check_pages(&self) {
        let last = self.model.last().index;
        for after in (self.model.base.index.0..=last.0).map(Index) {
            for max_size in [0, 100, 400, NO_LIMIT] {
                let page = self.log.entries(after.next(), max_size);
                assert_eq!(page, Ok(self.model.page(after, last, max_size)), "{max_size} bytes after {after}");
            }
            let changes = self.model.range(after, last).iter().any(|entry| entry.kind == EntryKind::ConfChange);
            assert_eq!(self.log.has_conf_change_in(after.next(), last.next()), changes, "changes after {after}");
        }
        if self.model.base.index > Index::ZERO {
            assert_eq!(self.log.entries(self.model.base.index, NO_LIMIT), Err(StorageError::Compacted));
        }
    }

    fn check_writes(&self) {
        let (log, model) = (&self.log, &self.model);
        let next = model.range(model.handed_out, model.last().index);
        assert_eq!(log.next_unstable_entries(), next);
        assert_eq!(log.has_next_unstable_entries(), !next.is_empty());
        assert_eq!(log.has_next_or_in_progress_unstable_entries(), model.stable < model.last().index);
        let waiting = model.snapshot.as_ref().filter(|(_, handed_out)| !handed_out);
        assert_eq!(log.next_unstable_snapshot(), waiting.map(|(snapshot, _)| snapshot));
        assert_eq!(log.has_next_or_in_progress_snapshot(), model.snapshot.is_some());
        let newest = model.snapshot.as_ref().map_or_else(|| log.storage().snapshot(), |(it, _)| Ok(it.clone()));
        assert_eq!(log.snapshot(), newest);
    }

    fn check_applying(&self) {
        for allow_unstable in [false, true] {
            let expected = self.model.next_committed(allow_unstable, self.max_applying_size);
            assert_eq!(self.log.has_next_committed_entries(allow_unstable), !expected.is_empty());
            assert_eq!(self.log.next_committed_entries(allow_unstable), expected);
        }
    }

    /// Whatever the log takes for durable, the storage holds.
    fn check_durable(&self) {
        if self.model.snapshot.is_none() {
            let stable = self.model.range(Index::ZERO, self.model.stable);
            let stored: Vec<_> = self.log.storage().stored().take(stable.len()).cloned().collect();
            assert_eq!(stored, stable);
        }
    }
}

proptest! {
    #[test]
    fn the_log_behaves_like_a_plain_list_of_entries(
        max_applying_size in prop_oneof![Just(1u64), 100..600u64, Just(NO_LIMIT)],
        steps in vec(step(), 1..60),
    ) {
        let mut node = Node::new(max_applying_size);
        for step in &steps {
            node.step(step);
            node.check();
        }
    }
}

/// Entries that are overwritten and come back, while the writes of both are under way: the first write says that they
/// are durable, and the second takes them away again.
#[test]
fn a_write_of_an_earlier_term_makes_nothing_stable() {
    let overwrite = Step::Receive { back: 2, repeat: 0, sizes: vec![1, 1], new_term: true, commit: 0 };
    let mut node = Node::new(NO_LIMIT);
    for step in [
        Step::Append { sizes: vec![1, 1], new_term: false },
        Step::HandOutWrites,
        overwrite,
        Step::HandOutWrites,
        Step::ReceiveOverwritten,
        Step::HandOutWrites,
        Step::Written,
        Step::Written,
        Step::Written,
    ] {
        node.step(&step);
        node.check();
    }
    assert_eq!(node.model.stable, Index(2), "the write of the present term does");
}
