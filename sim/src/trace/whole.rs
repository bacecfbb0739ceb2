//! A trace as a whole, in memory.

use std::io::{self, BufRead};
use std::path::Path;

use super::file::Sink;
use super::format::{End, Ending, Header};
use super::reader::{Line, ReadError, Reader, Trouble};
use super::run::{Stop, apply};
use super::writer::Writer;
use crate::world::{Event, World};

/// A header, the events, and the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// Where the run came from.
    pub header: Header,
    /// What happened.
    pub events: Vec<Event>,
    /// How it ended.
    pub ending: Ending,
}

impl Trace {
    /// No trace of more events is held in memory.
    pub const MOST_EVENTS: usize = 5_000_000;

    /// Reads a trace to its end.
    ///
    /// # Errors
    /// The file is damaged, or has more than [`MOST_EVENTS`](Self::MOST_EVENTS) events.
    pub fn read<R: BufRead>(mut reader: Reader<R>) -> Result<Self, ReadError> {
        let mut trace = Self { header: reader.header().clone(), events: Vec::new(), ending: Ending::Completed };
        while let Some(line) = reader.next_line()? {
            match line {
                Line::Event(_) if trace.events.len() >= Self::MOST_EVENTS => {
                    return Err(reader.trouble(Trouble::TooManyEvents(Self::MOST_EVENTS as u64)));
                }
                Line::Event(event) => trace.events.push(event),
                Line::Digest { .. } => {}
                Line::End(End { ending, .. }) => trace.ending = ending,
            }
        }
        Ok(trace)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::read(Reader::open(path)?)
    }

    /// Runs the events, those that do not fit left out, and records what really happened: the events that did, up to
    /// where something broke, and how it ended.
    pub fn record(header: Header, events: &[Event]) -> Self {
        let mut world = World::new();
        let mut trace = Self { header, events: Vec::new(), ending: Ending::Completed };
        for event in events {
            let applied = apply(&mut world, event);
            if !matches!(applied, Err(Stop::Misfit(_))) {
                trace.events.push(event.clone());
            }
            if let Err(Stop::Broken(ending)) = applied {
                trace.ending = ending;
                break;
            }
        }
        trace
    }

    /// Writes a file, in the place of the one of this name, all at once. Runs the events to get the digests; where they
    /// no longer lead to what is recorded, the end says what they lead to.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        self.write(Sink::create(path)?)?.finish()
    }

    /// The file's text.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write<W: io::Write>(&self, out: W) -> io::Result<W> {
        let mut world = World::new();
        let mut writer = Writer::new(out, &self.header)?;
        for event in &self.events {
            match apply(&mut world, event) {
                Ok(_) => {
                    writer.event(event)?;
                    writer.digest(&world)?;
                }
                Err(Stop::Misfit(_)) => {}
                Err(Stop::Broken(ending)) => {
                    writer.event(event)?;
                    return writer.end(&world, &ending);
                }
            }
        }
        writer.end(&world, &Ending::Completed)
    }
}
