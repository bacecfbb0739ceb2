//! A log of a user's own, on disks that fail: short, and with a switch for each of three mistakes that such logs have.
//!
//! `cargo run --release -p sim --example own_log -- [no-fsync | no-checksum | removes-first] [--seeds N]`
//!
//! A generation of the log is two files: *data*, records one after another, and *marks*, each of which says up to where the
//! data was durable. A record that does not verify was torn by a crash if it lies behind the last mark, and cut; else it was
//! damaged, and the node stays down. A checkpoint begins the next generation.

use raft::{Entry, EntryId, HardState, Index, Snapshot, Term};
use sim::campaign::explore::{Exploration, Explored, Unwatched, explore_in};
use sim::plan::Overrides;
use sim::wal::{Checkpoint, DiskError, Files, RecoveryError, Segment, Write};
use sim::world::{Log, LogContents, Setup, World};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// Appends, and returns without an fsync.
    NoFsync,
    /// Takes what it reads for what was written.
    NoChecksum,
    /// Removes the old files when a checkpoint begins, and not when it is durable: as who renames and does not sync the
    /// directory.
    RemovesFirst,
}

/// The log.
#[derive(Clone, Debug)]
pub struct OwnLog {
    mistake: Option<Mistake>,
    generation: u64,
    /// How long its data is.
    end: u64,
}

/// A record of the data: a letter, and the bytes of etcd's schema.
enum Record {
    Snapshot(Snapshot, EntryId),
    Entry(Entry),
    HardState(HardState),
}

impl Record {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Snapshot(snapshot, base) => {
                [b"s", &base.term.0.to_le_bytes()[..], &base.index.0.to_le_bytes(), &snapshot.encode()].concat()
            }
            Self::Entry(entry) => [b"e", &entry.encode()[..]].concat(),
            Self::HardState(hard_state) => [b"h", &hard_state.encode()[..]].concat(),
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match kind {
            b's' => {
                let (term, rest) = rest.split_first_chunk()?;
                let (index, rest) = rest.split_first_chunk()?;
                let base = EntryId::new(Term(u64::from_le_bytes(*term)), Index(u64::from_le_bytes(*index)));
                Some(Self::Snapshot(Snapshot::decode(rest).ok()?, base))
            }
            b'e' => Entry::decode(rest).ok().map(Self::Entry),
            b'h' => HardState::decode(rest).ok().map(Self::HardState),
            _ => None,
        }
    }
}

/// The size of what stands before a record: its length, and a checksum over that, its place and itself.
const FRONT: usize = 12;
/// The size of a mark: a length, and a checksum.
const MARK: usize = 16;

fn checksum(segment: Segment, offset: u64, bytes: &[u8]) -> [u8; 8] {
    xxh3_64_with_seed(bytes, segment.0 ^ offset.rotate_left(32)).to_le_bytes()
}

impl OwnLog {
    /// A log with this mistake.
    pub const fn new(mistake: Option<Mistake>) -> Self {
        Self { mistake, generation: 0, end: 0 }
    }

    const fn marks(&self) -> Segment {
        Segment(2 * self.generation)
    }

    const fn data(&self) -> Segment {
        Segment(2 * self.generation + 1)
    }

    fn begin(&mut self, files: &mut dyn Files) -> Result<(), DiskError> {
        (self.generation, self.end) = (self.generation + 1, 0);
        files.create(self.data())
    }

    fn append(&mut self, files: &mut dyn Files, record: &Record) -> Result<(), DiskError> {
        let body = record.encode();
        let length = u32::try_from(body.len()).expect("records are short").to_le_bytes();
        let checked = [&length[..], &body].concat();
        let front = [&checksum(self.data(), self.end, &checked)[..], &length].concat();
        files.append(self.data(), &[front, body].concat())?;
        self.end += FRONT as u64 + checked.len() as u64 - 4;
        Ok(())
    }

    /// Notes that the data is durable up to here.
    fn mark(&self, files: &mut dyn Files) -> Result<(), DiskError> {
        if !files.list()?.contains(&self.marks()) {
            files.create(self.marks())?;
        }
        let at = files.read(self.marks())?.len() as u64;
        let end = self.end.to_le_bytes();
        files.append(self.marks(), &[end, checksum(self.marks(), at, &end)].concat())?;
        files.sync(self.marks())
    }

    /// Up to where the data of this generation was durable, as far as the marks say.
    fn marked(&self, files: &dyn Files) -> Result<Option<u64>, DiskError> {
        if !files.list()?.contains(&self.marks()) {
            return Ok(None);
        }
        let bytes = files.read(self.marks())?;
        let marks = bytes.chunks_exact(MARK).zip((0u64..).step_by(MARK)).filter_map(|(mark, at)| {
            let (end, sum) = mark.split_at(8);
            let verifies = checksum(self.marks(), at, end) == *sum;
            verifies.then(|| u64::from_le_bytes(end.try_into().expect("eight bytes")))
        });
        Ok(marks.max())
    }

    /// The record at this offset, and where it ends, if it verifies.
    fn record(&self, bytes: &[u8], offset: u64) -> Option<(Record, u64)> {
        let rest = bytes.get(usize::try_from(offset).ok()?..)?;
        let (sum, checked) = rest.split_at_checked(8)?;
        let (length, body) = checked.split_at_checked(4)?;
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let body = body.get(..length)?;
        let verifies = checksum(self.data(), offset, &checked[..4 + length]) == *sum;
        if !verifies && self.mistake != Some(Mistake::NoChecksum) {
            return None;
        }
        Some((Record::decode(body)?, offset + (FRONT + length) as u64))
    }

    /// What the data holds, and where it ends.
    fn read(&self, files: &dyn Files) -> Result<(LogContents, u64), DiskError> {
        let bytes = files.read(self.data())?;
        let (mut contents, mut end) = (LogContents::default(), 0);
        while let Some((record, next)) = self.record(&bytes, end) {
            end = next;
            match record {
                Record::Snapshot(snapshot, base) => {
                    contents = LogContents { snapshot: Some(snapshot), base, entries: Vec::new(), ..contents };
                }
                Record::Entry(entry) => {
                    contents.entries.retain(|earlier| earlier.index < entry.index);
                    contents.entries.push(entry);
                }
                Record::HardState(hard_state) => contents.hard_state = hard_state,
            }
        }
        contents.cut = bytes.len() as u64 - end;
        Ok((contents, end))
    }

    fn remove_others(&self, files: &mut dyn Files) -> Result<(), DiskError> {
        let is_own = |file: &Segment| [self.data(), self.marks()].contains(file);
        files.list()?.into_iter().filter(|file| !is_own(file)).try_for_each(|file| files.remove(file))
    }
}

impl Log for OwnLog {
    fn create(&mut self, files: &mut dyn Files, checkpoint: Checkpoint<'_>) -> Result<(), DiskError> {
        self.begin(files)?;
        checkpoint.plan().skip(1).try_for_each(|write| self.write(files, write))?;
        self.sync(files)
    }

    fn open(&mut self, files: &mut dyn Files) -> Result<LogContents, RecoveryError> {
        let generations: Vec<u64> = files.list()?.iter().rev().map(|file| file.0 / 2).collect();
        for generation in generations {
            self.generation = generation;
            let Some(marked) = self.marked(files)? else { continue };
            let (mut contents, end) = self.read(files)?;
            if end < marked {
                return Err(RecoveryError::Corruption { segment: self.data(), offset: end });
            }
            self.end = end;
            files.truncate(self.data(), end)?;
            // What is read may be on no disk, where an fsync failed.
            [self.data(), self.marks()].into_iter().try_for_each(|file| files.rewrite(file, 0))?;
            // A crash may have come between the entries of a new term and the hard state that says so.
            let last = contents.entries.last().map_or(contents.base, Entry::id);
            let covered = contents.snapshot.as_ref().map_or(Index::ZERO, |snapshot| snapshot.id.index);
            let HardState { term, vote, commit } = contents.hard_state;
            let vote = vote.filter(|_| term >= last.term);
            contents.hard_state = HardState { term: term.max(last.term), vote, commit: commit.max(covered) };
            self.append(files, &Record::HardState(contents.hard_state))?;
            self.sync(files)?;
            self.remove_others(files)?;
            return Ok(contents);
        }
        match files.list()?.first() {
            None => Err(RecoveryError::Missing),
            Some(first) => Err(RecoveryError::Corruption { segment: *first, offset: 0 }),
        }
    }

    fn write(&mut self, files: &mut dyn Files, write: Write<'_>) -> Result<(), DiskError> {
        match write {
            Write::Segment => {
                self.begin(files)?;
                if self.mistake == Some(Mistake::RemovesFirst) { self.remove_others(files) } else { Ok(()) }
            }
            Write::Snapshot { snapshot, base } => self.append(files, &Record::Snapshot(snapshot.clone(), base)),
            Write::Entry(entry) => self.append(files, &Record::Entry(entry.clone())),
            Write::HardState(hard_state) => self.append(files, &Record::HardState(hard_state)),
        }
    }

    fn sync(&mut self, files: &mut dyn Files) -> Result<(), DiskError> {
        if self.mistake == Some(Mistake::NoFsync) && self.marked(files)?.is_some() {
            return Ok(());
        }
        files.sync(self.data())?;
        self.mark(files)
    }

    fn replaced(&mut self, files: &mut dyn Files) -> Result<(), DiskError> {
        self.remove_others(files)
    }
}

/// How long each run is: short ones seldom come to a checkpoint, and so not to its mistakes.
const STEPS: u64 = 20_000;

/// What becomes of so many seeds.
pub fn explored(mistake: Option<Mistake>, seeds: u64) -> Result<Explored, Box<dyn std::error::Error>> {
    let world = World::with(Setup::new().log(OwnLog::new(mistake)));
    let overrides = Overrides { steps: Some(STEPS), ..Overrides::default() };
    Ok(explore_in(&world, &Exploration { overrides, ..Exploration::of(0..seeds) }, &mut Unwatched)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let seeds = arguments.iter().skip_while(|argument| *argument != "--seeds").nth(1);
    let mistake = arguments.iter().find_map(|argument| match &argument[..] {
        "no-fsync" => Some(Mistake::NoFsync),
        "no-checksum" => Some(Mistake::NoChecksum),
        "removes-first" => Some(Mistake::RemovesFirst),
        _ => None,
    });
    let explored = explored(mistake, seeds.map_or(Ok(100), |seeds| seeds.parse())?)?;
    println!("{mistake:?}: {} of {} seeds fail", explored.failures(), explored.seeds);
    for (property, broken) in explored.broken {
        println!("{property}: {} seeds; {}", broken.seeds, property.meaning());
        if let Some(first) = broken.shortest.first() {
            println!("  seed {}, after {} events: {first}", first.seed, first.events);
        }
    }
    Ok(())
}
