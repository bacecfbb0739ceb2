//! One mistake each in a storage in memory, and the promise that has to be named for it.

use std::convert::Infallible;

use bytes::Bytes;
use raft::{ConfState, Entry, HardState, Index, MemStorage, MemStorageError, Snapshot, Storage, StorageError, Term};
use raft_storage_suite::{Promise, StorageUnderTest, check};

use crate::memory::Shared;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mistake {
    FirstIndexIsTheCompactedOne,
    LastIndexIsOneTooFar,
    TermOfTheCompactedEntryIsForgotten,
    TermBeyondTheEndIsZero,
    RangeIncludesItsEnd,
    RangeIgnoresTheLimit,
    RangeMayBeEmpty,
    RangeBelowTheFirstIsUnavailable,
    AppendKeepsWhatItOvertakes,
    OldSnapshotIsInstalled,
    InstallKeepsTheLog,
    CompactsBeyondTheSnapshot,
    SnapshotWithoutItsState,
    MembershipOfTheFirstSnapshot,
    HardStateIsLostOnReopen,
    VoteIsLostOnReopen,
    CommitFallsToTheSnapshotOnReopen,
}

struct Mistaken {
    kept: Shared,
    mistake: Mistake,
    first_members: Option<ConfState>,
}

impl Mistaken {
    fn open(kept: &Shared, mistake: Mistake) -> Self {
        let mut memory = kept.0.borrow_mut();
        let hard_state = memory.hard_state();
        match mistake {
            Mistake::HardStateIsLostOnReopen => memory.set_hard_state(HardState::default()),
            Mistake::VoteIsLostOnReopen => memory.set_hard_state(HardState { vote: None, ..hard_state }),
            Mistake::CommitFallsToTheSnapshotOnReopen => {
                let commit = memory.snapshot().expect("memory has one").id.index;
                memory.set_hard_state(HardState { commit, ..hard_state });
            }
            _ => {}
        }
        drop(memory);
        Self { kept: kept.clone(), mistake, first_members: None }
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == mistake
    }

    /// Builds memory anew of these parts, since its methods would not make such mistakes.
    fn replace(&self, snapshot: Snapshot, entries: &[Entry]) {
        let mut memory = self.kept.0.borrow_mut();
        let hard_state = memory.hard_state();
        let first = entries.first().map_or(snapshot.id.index, |entry| entry.index.previous());
        let base = raft::EntryId::new(memory.term(first).unwrap_or(snapshot.id.term), first);
        let mut next = MemStorage::from_snapshot(Snapshot { id: base, ..snapshot.clone() });
        next.append(entries).expect("they follow one another");
        if snapshot.id.index > base.index {
            next.create_snapshot(snapshot.id.index, snapshot.conf_state, snapshot.data).expect("it is in the log");
        }
        next.set_hard_state(hard_state);
        *memory = next;
    }

    fn stored(&self) -> Vec<Entry> {
        self.kept.0.borrow().stored().cloned().collect()
    }
}

impl StorageUnderTest for Mistaken {
    type Error = MemStorageError;

    fn write(
        &mut self,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
        hard_state: Option<HardState>,
    ) -> Result<(), MemStorageError> {
        let newest = self.kept.snapshot().expect("memory has one").id.index;
        let old = snapshot.filter(|snapshot| snapshot.id.index <= newest);
        if let Some(old) = old.filter(|_| self.makes(Mistake::OldSnapshotIsInstalled)) {
            self.replace(old.clone(), &[]);
            return Ok(());
        }
        if let (true, Some(new), None) = (self.makes(Mistake::InstallKeepsTheLog), snapshot, old) {
            let kept: Vec<Entry> = self.stored();
            if kept.last().is_some_and(|last| last.index >= new.id.index) {
                self.replace(new.clone(), &kept);
                return Ok(());
            }
        }
        let tail = match (self.makes(Mistake::AppendKeepsWhatItOvertakes), entries.last()) {
            (true, Some(last)) => self.stored().into_iter().filter(|entry| entry.index > last.index).collect(),
            _ => Vec::new(),
        };
        self.kept.write(snapshot, entries, hard_state)?;
        self.kept.write(None, &tail, None)
    }

    fn sync(&mut self) -> Result<(), MemStorageError> {
        Ok(())
    }

    fn create_snapshot(&mut self, index: Index, members: &ConfState, data: Bytes) -> Result<(), MemStorageError> {
        let data = if self.makes(Mistake::SnapshotWithoutItsState) { Bytes::new() } else { data };
        self.kept.create_snapshot(index, members, data)?;
        self.first_members.get_or_insert_with(|| members.clone());
        Ok(())
    }

    fn compact(&mut self, index: Index) -> Result<(), MemStorageError> {
        let snapshot = self.kept.snapshot().expect("memory has one");
        let beyond = index > snapshot.id.index && index < self.kept.last_index();
        if beyond && self.makes(Mistake::CompactsBeyondTheSnapshot) {
            let kept: Vec<Entry> = self.stored().into_iter().filter(|entry| entry.index > index).collect();
            self.replace(snapshot, &kept);
            return Ok(());
        }
        self.kept.compact(index)
    }
}

impl Storage for Mistaken {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        let (hard_state, members) = self.kept.initial_state()?;
        let first = self.first_members.clone().filter(|_| self.makes(Mistake::MembershipOfTheFirstSnapshot));
        Ok((hard_state, first.unwrap_or(members)))
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        let found = self.kept.entries(low, high, max_size);
        match self.mistake {
            Mistake::RangeIgnoresTheLimit => self.kept.entries(low, high, u64::MAX),
            Mistake::RangeIncludesItsEnd if high <= self.kept.last_index() => {
                self.kept.entries(low, high.next(), max_size)
            }
            Mistake::RangeMayBeEmpty => found.map(|entries| {
                let fits = entries.iter().map(Entry::encoded_size).sum::<u64>() <= max_size;
                if fits { entries } else { Vec::new() }
            }),
            Mistake::RangeBelowTheFirstIsUnavailable => found.map_err(|_| StorageError::Unavailable),
            _ => found,
        }
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        let found = self.kept.term(index);
        match self.mistake {
            Mistake::TermOfTheCompactedEntryIsForgotten if index < self.kept.first_index() => {
                Err(StorageError::Compacted)
            }
            Mistake::TermBeyondTheEndIsZero if found == Err(StorageError::Unavailable) => Ok(Term::ZERO),
            _ => found,
        }
    }

    fn first_index(&self) -> Index {
        let first = self.kept.first_index();
        if self.makes(Mistake::FirstIndexIsTheCompactedOne) { first.previous() } else { first }
    }

    fn last_index(&self) -> Index {
        let last = self.kept.last_index();
        if self.makes(Mistake::LastIndexIsOneTooFar) { last.next() } else { last }
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        self.kept.snapshot()
    }
}

#[test]
fn each_mistake_is_found_and_named_by_the_promise_that_it_breaks() {
    let table = [
        (Mistake::FirstIndexIsTheCompactedOne, Promise::FirstIndex),
        (Mistake::LastIndexIsOneTooFar, Promise::LastIndex),
        (Mistake::TermOfTheCompactedEntryIsForgotten, Promise::Term),
        (Mistake::TermBeyondTheEndIsZero, Promise::Term),
        (Mistake::RangeIncludesItsEnd, Promise::Entries),
        (Mistake::RangeIgnoresTheLimit, Promise::MaxSize),
        (Mistake::RangeMayBeEmpty, Promise::MaxSize),
        (Mistake::RangeBelowTheFirstIsUnavailable, Promise::Entries),
        (Mistake::AppendKeepsWhatItOvertakes, Promise::LastIndex),
        (Mistake::OldSnapshotIsInstalled, Promise::Refuses),
        (Mistake::InstallKeepsTheLog, Promise::FirstIndex),
        (Mistake::CompactsBeyondTheSnapshot, Promise::Refuses),
        (Mistake::SnapshotWithoutItsState, Promise::Snapshot),
        (Mistake::MembershipOfTheFirstSnapshot, Promise::Membership),
        (Mistake::HardStateIsLostOnReopen, Promise::Reopens),
        (Mistake::VoteIsLostOnReopen, Promise::Reopens),
        (Mistake::CommitFallsToTheSnapshotOnReopen, Promise::Reopens),
    ];
    for (mistake, promise) in table {
        let failure = check(Shared::default, |kept| Ok::<_, Infallible>(Mistaken::open(kept, mistake)))
            .expect_err(&format!("{mistake:?} is a mistake"));
        assert_eq!(failure.promise, promise, "{mistake:?}: {failure}");
        assert!(failure.operations.len() <= 5, "{mistake:?} shows in few operations: {failure}");
    }
}
