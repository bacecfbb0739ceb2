//! A trace as a whole, in memory.

use std::io::BufRead;
use std::path::Path;

use super::format::{End, Ending, Header};
use super::reader::{Line, ReadError, Reader, Trouble};
use crate::world::Event;

/// A header, the events, and the end.
///
/// To [record](Self::record) a trace of events, or to [write](Self::write) one with its digests, the events have to
/// run: a driver does that.
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
    /// The most events of a trace that is held in memory.
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
}
