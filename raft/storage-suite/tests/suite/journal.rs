//! A log as somebody writes it in an afternoon: a line of JSON for each write. It keeps the contract, and each of the usual mistakes
//! in such a log is found.

use std::fmt;

use bytes::Bytes;
use raft::{ConfState, Entry, HardState, Index, MemStorage, Snapshot, Storage, StorageError, Term};
use raft_storage_suite::{Disk, Failure, Promise, StorageUnderTest, check_crashes};
use raft_wal::{Files, Segment};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mistake {
    None,
    /// What was appended is never synced.
    DoesNotSync,
    /// A line that a crash cut is taken for damage.
    DoesNotExpectATornLine,
    /// A line that a crash cut stays, and the next one is appended behind it.
    LeavesTheTornLine,
    /// Lines behind one that cannot be read count.
    SkipsWhatItCannotRead,
    /// The new file is not complete when the old one is removed.
    RemovesTheOldFileFirst,
    /// A new file counts as soon as it is there.
    TrustsAnUnfinishedFile,
}

/// The first line of each file that came of a compaction says how many lines it needs to count.
#[derive(Serialize, Deserialize)]
enum Line {
    Begin { lines: usize },
    Base { snapshot: Snapshot, index: Index, term: Term },
    Entry(Entry),
    HardState(HardState),
}

struct Journal {
    mistake: Mistake,
    files: Disk,
    file: Segment,
    memory: MemStorage,
}

impl Journal {
    fn open(mut files: Disk, mistake: Mistake) -> Result<Self, String> {
        let mut segments = files.list().map_err(text)?;
        while let Some(file) = segments.pop() {
            let bytes = files.read(file).map_err(text)?.into_owned();
            let (lines, length) = read(&bytes, mistake)?;
            let Some((Line::Begin { lines: needed }, rest)) = lines.split_first() else {
                files.remove(file).map_err(text)?;
                continue;
            };
            if rest.len() < *needed && mistake != Mistake::TrustsAnUnfinishedFile {
                files.remove(file).map_err(text)?;
                continue;
            }
            if mistake != Mistake::LeavesTheTornLine {
                files.truncate(file, length as u64).map_err(text)?;
            }
            let memory = replay(rest)?;
            let journal = Self { mistake, files, file, memory };
            // Older ones that the crash left are of no use any more.
            segments.into_iter().try_for_each(|old| journal.files.clone().remove(old)).map_err(text)?;
            return Ok(journal);
        }
        let mut journal = Self { mistake, files, file: Segment(0), memory: MemStorage::new() };
        journal.rewrite()?;
        Ok(journal)
    }

    fn put(&mut self, line: &Line) -> Result<(), String> {
        let mut bytes = serde_json::to_vec(line).map_err(text)?;
        bytes.push(b'\n');
        self.files.append(self.file, &bytes).map_err(text)
    }

    fn rewrite(&mut self) -> Result<(), String> {
        let old = self.files.list().map_err(text)?;
        let base = self.memory.first_index().previous();
        let term = self.memory.term(base).map_err(text)?;
        let mut lines = vec![Line::Base { snapshot: self.memory.snapshot().map_err(text)?, index: base, term }];
        lines.extend(self.memory.stored().cloned().map(Line::Entry));
        lines.push(Line::HardState(self.memory.hard_state()));
        self.file = self.file.next();
        self.files.create(self.file).map_err(text)?;
        self.put(&Line::Begin { lines: lines.len() })?;
        lines.iter().try_for_each(|line| self.put(line))?;
        if self.mistake != Mistake::RemovesTheOldFileFirst {
            self.sync()?;
        }
        old.into_iter().try_for_each(|segment| self.files.remove(segment)).map_err(text)?;
        self.sync()
    }
}

/// The lines that can be read, and how many bytes they are.
fn read(bytes: &[u8], mistake: Mistake) -> Result<(Vec<Line>, usize), String> {
    let (mut lines, mut length) = (Vec::new(), 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(read) if line.ends_with(b"\n") => lines.push(read),
            _ if mistake == Mistake::DoesNotExpectATornLine => return Err("a line cannot be read".to_owned()),
            _ if mistake == Mistake::SkipsWhatItCannotRead => {}
            _ => break,
        }
        length += line.len();
    }
    Ok((lines, length))
}

fn replay(lines: &[Line]) -> Result<MemStorage, String> {
    let (mut memory, mut offered) = (MemStorage::new(), None);
    for line in lines {
        match line {
            Line::Begin { .. } => return Err("a file begins twice".to_owned()),
            Line::Base { snapshot, index, term } => {
                let base = raft::EntryId::new(*term, *index);
                let hard_state = memory.hard_state();
                memory = MemStorage::from_snapshot(Snapshot { id: base, ..snapshot.clone() });
                memory.set_hard_state(hard_state);
                offered = Some(snapshot).filter(|snapshot| snapshot.id.index > base.index);
            }
            Line::Entry(entry) => memory.append(std::slice::from_ref(entry)).map_err(text)?,
            Line::HardState(hard_state) => memory.set_hard_state(*hard_state),
        }
        if let Some(snapshot) = offered.filter(|snapshot| snapshot.id.index <= memory.last_index()) {
            memory
                .create_snapshot(snapshot.id.index, snapshot.conf_state.clone(), snapshot.data.clone())
                .map_err(text)?;
            offered = None;
        }
    }
    Ok(memory)
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}

impl StorageUnderTest for Journal {
    type Error = String;

    fn write(
        &mut self,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
        hard_state: Option<HardState>,
    ) -> Result<(), String> {
        StorageUnderTest::write(&mut self.memory, snapshot, entries, hard_state).map_err(text)?;
        if let Some(snapshot) = snapshot {
            self.put(&Line::Base { snapshot: snapshot.clone(), index: snapshot.id.index, term: snapshot.id.term })?;
        }
        entries.iter().try_for_each(|entry| self.put(&Line::Entry(entry.clone())))?;
        hard_state.map_or(Ok(()), |hard_state| self.put(&Line::HardState(hard_state)))
    }

    fn sync(&mut self) -> Result<(), String> {
        match self.mistake {
            Mistake::DoesNotSync => Ok(()),
            _ => self.files.sync(self.file).map_err(text),
        }
    }

    fn create_snapshot(&mut self, index: Index, members: &ConfState, data: Bytes) -> Result<(), String> {
        StorageUnderTest::create_snapshot(&mut self.memory, index, members, data).map_err(text)?;
        self.rewrite()
    }

    fn compact(&mut self, index: Index) -> Result<(), String> {
        self.memory.compact(index).map_err(text)?;
        self.rewrite()
    }
}

impl Storage for Journal {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        self.memory.initial_state()
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        self.memory.entries(low, high, max_size)
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        self.memory.term(index)
    }

    fn first_index(&self) -> Index {
        self.memory.first_index()
    }

    fn last_index(&self) -> Index {
        self.memory.last_index()
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        self.memory.snapshot()
    }
}

fn tested(mistake: Mistake) -> Result<(), Failure> {
    check_crashes(|files| Journal::open(files, mistake))
}

#[test]
fn a_careful_journal_keeps_the_contract_through_every_crash() {
    tested(Mistake::None).unwrap();
}

#[test]
fn each_usual_mistake_in_a_journal_is_found() {
    let table = [
        (Mistake::DoesNotSync, &[Promise::Durable][..]),
        (Mistake::DoesNotExpectATornLine, &[Promise::Recovers]),
        (Mistake::LeavesTheTornLine, &[Promise::Reopens]),
        (Mistake::SkipsWhatItCannotRead, &[Promise::Durable, Promise::Recovers]),
        (Mistake::RemovesTheOldFileFirst, &[Promise::Durable]),
        (Mistake::TrustsAnUnfinishedFile, &[Promise::Durable, Promise::Recovers]),
    ];
    for (mistake, promises) in table {
        let failure = tested(mistake).expect_err(&format!("{mistake:?} is a mistake"));
        assert!(promises.contains(&failure.promise), "{mistake:?}: {failure}");
    }
}
