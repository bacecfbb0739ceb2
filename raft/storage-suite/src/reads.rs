//! All that a node can read, beside what the model holds.

use raft::storage::prefix_within;
use raft::{Entry, HardState, Index, Storage, StorageError};

use crate::failure::{Broken, Promise};
use crate::model::Model;

/// The first read that is not as the model has it.
pub(crate) fn compare(storage: &impl Storage, model: &Model) -> Result<(), Broken> {
    let hard_state = all_but_hard_state(storage, model)?;
    expect(Promise::HardState, "the hard state of initial_state()", &model.hard_state, &hard_state)
}

/// The same after a crash, which may have taken the hard state of a write and left what came before it.
pub(crate) fn compare_recovered(storage: &impl Storage, model: &Model) -> Result<HardState, Broken> {
    let hard_state = all_but_hard_state(storage, model)?;
    if !model.recovers_to(hard_state) {
        expect(Promise::HardState, "the hard state of initial_state()", &model.hard_state, &hard_state)?;
    }
    Ok(hard_state)
}

/// The hard state, once all else is as the model has it.
fn all_but_hard_state(storage: &impl Storage, model: &Model) -> Result<HardState, Broken> {
    bounds(storage, model)?;
    terms(storage, model)?;
    entries(storage, model)?;
    snapshot(storage, model)?;
    initial_state(storage, model)
}

fn bounds(storage: &impl Storage, model: &Model) -> Result<(), Broken> {
    expect(Promise::FirstIndex, "first_index()", &model.first(), &storage.first_index())?;
    expect(Promise::LastIndex, "last_index()", &model.last().index, &storage.last_index())
}

fn terms(storage: &impl Storage, model: &Model) -> Result<(), Broken> {
    let (base, last) = (model.base.index.0, model.last().index.0);
    let outside = [0, base.saturating_sub(1), last + 1, last + 2, Index::MAX.0];
    for index in (base..=last).chain(outside).map(Index) {
        let expected = match model.term(index) {
            Some(term) => Ok(term),
            None if index < model.base.index => Err(StorageError::Compacted),
            None => Err(StorageError::Unavailable),
        };
        expect(Promise::Term, &format!("term({index})"), &expected, &storage.term(index))?;
    }
    Ok(())
}

fn entries(storage: &impl Storage, model: &Model) -> Result<(), Broken> {
    let (first, end) = (model.first().0, model.last().index.0 + 1);
    for low in first..end {
        // Each entry alone, and all that follow it: what lies in between is made of the same.
        for high in [low + 1, end] {
            range(storage, model, Index(low), Index(high))?;
        }
    }
    let outside = [
        (first - 1, end, StorageError::Compacted),
        (first - 1, first, StorageError::Compacted),
        (first, end + 1, StorageError::Unavailable),
        (end, end + 1, StorageError::Unavailable),
    ];
    for (low, high, error) in outside.into_iter().filter(|(low, high, _)| low < high) {
        let found = storage.entries(Index(low), Index(high), u64::MAX);
        expect(Promise::Entries, &format!("entries({low}, {high}, no limit)"), &Err(error), &found)?;
    }
    Ok(())
}

/// The range without a limit, and with each limit that makes a difference: none at all, just below and at each cut.
fn range(storage: &impl Storage, model: &Model, low: Index, high: Index) -> Result<(), Broken> {
    let stored = model.range(low, high);
    let found = storage.entries(low, high, u64::MAX);
    expect(Promise::Entries, &format!("entries({low}, {high}, no limit)"), &Ok(stored.to_vec()), &found)?;
    let mut size = 0;
    for entry in stored {
        size += entry.encoded_size();
        for limit in [0, size - 1, size] {
            let expected = Ok(stored[..prefix_within(stored, limit)].to_vec());
            let found = storage.entries(low, high, limit);
            expect(Promise::MaxSize, &format!("entries({low}, {high}, {limit} bytes)"), &expected, &found)?;
        }
    }
    Ok(())
}

/// One at index zero says nothing, so a storage without any may also say that it has none yet.
fn snapshot(storage: &impl Storage, model: &Model) -> Result<(), Broken> {
    let found = storage.snapshot();
    let has_none = model.snapshot.id.index == Index::ZERO && found == Err(StorageError::SnapshotTemporarilyUnavailable);
    match has_none {
        true => Ok(()),
        false => expect(Promise::Snapshot, "snapshot()", &Ok(model.snapshot.clone()), &found),
    }
}

/// The hard state, once the membership is as it has to be.
fn initial_state(storage: &impl Storage, model: &Model) -> Result<HardState, Broken> {
    let (hard_state, members) = storage.initial_state().map_err(|error| Broken {
        promise: Promise::HardState,
        read: "initial_state()".to_owned(),
        expected: model.hard_state.describe(),
        found: format!("the error \"{error}\""),
    })?;
    expect(Promise::Membership, "the membership of initial_state()", &model.snapshot.conf_state, &members)?;
    if let Some(index) = storage.conf_state_index() {
        expect(Promise::Membership, "conf_state_index()", &model.snapshot.id.index, &index)?;
    }
    Ok(hard_state)
}

fn expect<T: PartialEq + Describe>(promise: Promise, read: &str, expected: &T, found: &T) -> Result<(), Broken> {
    if expected == found {
        return Ok(());
    }
    Err(Broken { promise, read: read.to_owned(), expected: expected.describe(), found: found.describe() })
}

/// Short where the whole would hide the difference.
trait Describe {
    fn describe(&self) -> String;
}

impl<T: Describe> Describe for Result<T, StorageError> {
    fn describe(&self) -> String {
        match self {
            Ok(value) => value.describe(),
            Err(error) => format!("the error \"{error}\""),
        }
    }
}

impl Describe for Vec<Entry> {
    fn describe(&self) -> String {
        if self.is_empty() {
            return "no entries".to_owned();
        }
        let shown = |entry: &Entry| format!("{}/{} {}", entry.term, entry.index, bytes(&entry.data));
        self.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

impl Describe for raft::Snapshot {
    fn describe(&self) -> String {
        format!("{}/{} with {}, state {}", self.id.term, self.id.index, self.conf_state.describe(), bytes(&self.data))
    }
}

impl Describe for raft::ConfState {
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Describe for Index {
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Describe for raft::Term {
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Describe for HardState {
    fn describe(&self) -> String {
        self.to_string()
    }
}

/// The length and the first bytes.
fn bytes(data: &[u8]) -> String {
    match data {
        [] => "(empty)".to_owned(),
        _ => format!("({} bytes, {:02x?}…)", data.len(), &data[..data.len().min(3)]),
    }
}
