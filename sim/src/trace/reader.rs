//! Reading a trace, line by line; whatever is wrong with the file is reported with its place.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::file::Source;
use super::format::{End, FORMAT, Header, Mark, OLDEST, VERSION};

use crate::world::{Event, World};

/// Reads a trace. Once [`next_line`](Self::next_line) has returned `None`, the trace was complete: a missing end is an
/// error.
pub struct Reader<R> {
    input: R,
    name: String,
    header: Header,
    /// The line read last, and its number.
    text: Vec<u8>,
    line: u64,
    events: u64,
    ended: bool,
    /// How many bytes may still follow.
    left: u64,
}

/// A line of a trace, after the header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// What happened next.
    Event(Event),
    /// The digest after `step` events.
    Digest {
        /// How many events come before it.
        step: u64,
        /// The digest.
        value: u64,
    },
    /// The end. Nothing follows.
    End(End),
}

/// Some editors put this before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What is wrong with a file, and where. It is displayed as `file:line: what`, or `file:line:column: what`.
#[derive(Debug)]
pub struct ReadError {
    /// The file's name.
    pub file: String,
    /// The line, counting from 1; 0 where the file cannot be opened.
    pub line: u64,
    /// The column, counting from 1, where it is known.
    pub column: Option<u64>,
    /// What is wrong there.
    pub trouble: Trouble,
}

/// What can be wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// The world has another engine than the one that was recorded.
    #[error("was recorded with nodes of another engine: {needs}, not {has}")]
    NeedsEngine {
        /// The engine of the recording.
        needs: String,
        /// That of the world.
        has: String,
    },
    /// There is nothing in it.
    #[error("is empty, not a trace")]
    Empty,
    /// The first line is not the header of a trace.
    #[error("is not a trace")]
    NotATrace,
    /// The format has another version.
    #[error("is a trace of version {0}; this program reads versions {OLDEST} to {VERSION}")]
    Version(u32),
    /// A line is damaged.
    #[error("{0}")]
    Damaged(String),
    /// A line is longer than any that is ever written.
    #[error("a line of more than {} bytes", Reader::<Source>::LONGEST)]
    TooLong,
    /// The file holds more than any trace may.
    #[error("more than {} bytes, the most that a trace may have", Reader::<Source>::LONGEST_TRACE)]
    TooMuch,
    /// There are more events than can be held in memory.
    #[error("more than {0} events, the most for which this works: `sim replay` and `sim show` take more")]
    TooManyEvents(u64),
    /// The file stops before the end of the trace.
    #[error("the trace is cut off: no end follows")]
    CutOff,
    /// Something follows the end.
    #[error("something follows the end of the trace")]
    AfterEnd,
    /// Events are missing before this line, or there are too many.
    #[error("this line stands after {expected} events, and there are {found}")]
    Count {
        /// What the line says.
        expected: u64,
        /// What was read.
        found: u64,
    },
    /// The trace needs a planted bug that this program does not have.
    #[error("needs the planted bug {0}: use a build with the feature planted-bugs that knows it")]
    NeedsBug(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, trouble } = self;
        match (line, column) {
            (0, _) => write!(f, "{file}: {trouble}"),
            (_, None) => write!(f, "{file}:{line}: {trouble}"),
            (_, Some(column)) => write!(f, "{file}:{line}:{column}: {trouble}"),
        }
    }
}

impl std::error::Error for ReadError {}

impl Reader<Source> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file cannot be read, or is not a trace of this version.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let name = path.display().to_string();
        let cannot = |error| ReadError { file: name.clone(), line: 0, column: None, trouble: Trouble::Io(error) };
        Self::new(Source::open(path).map_err(cannot)?, name.clone())
    }
}

impl<R: BufRead> Reader<R> {
    /// No line is longer than this: 64 MiB.
    const LONGEST: u64 = 1 << 26;

    /// No trace is longer than this, decompressed: 4 GiB. A small file may hold much.
    const LONGEST_TRACE: u64 = 1 << 32;

    /// Reads the header. `name` is what errors call the file.
    ///
    /// # Errors
    /// The input cannot be read, or is not a trace of this version.
    pub fn new(input: R, name: impl Into<String>) -> Result<Self, ReadError> {
        let (name, header) = (name.into(), Header::new(None));
        let mut reader =
            Self { input, name, header, text: Vec::new(), line: 0, events: 0, ended: false, left: Self::LONGEST_TRACE };
        if !reader.read_line()? {
            return Err(reader.trouble(Trouble::Empty));
        }
        reader.header = reader.parse_header()?;
        Ok(reader)
    }

    /// Where the run came from.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The number of the line read last, counting from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The next line, or `None` after the end.
    ///
    /// # Errors
    /// The line cannot be read, makes no sense, or is missing.
    pub fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        let there_is_one = self.read_line()?;
        match (there_is_one, self.ended) {
            (false, true) => return Ok(None),
            (false, false) => return Err(self.trouble(Trouble::CutOff)),
            (true, true) => return Err(self.trouble(Trouble::AfterEnd)),
            (true, false) => {}
        }
        if !Mark::is_one(&self.text) {
            self.events += 1;
            return self.parse().map(|event| Some(Line::Event(event)));
        }
        let (line, expected) = match self.parse()? {
            Mark::Digest { step, value } => (Line::Digest { step, value }, step),
            Mark::End(end) => {
                self.ended = true;
                let steps = end.steps;
                (Line::End(end), steps)
            }
        };
        if expected != self.events {
            return Err(self.trouble(Trouble::Count { expected, found: self.events }));
        }
        Ok(Some(line))
    }

    /// An error at the line read last.
    pub(crate) fn trouble(&self, trouble: Trouble) -> ReadError {
        ReadError { file: self.name.clone(), line: self.line.max(1), column: None, trouble }
    }

    /// Reads another line, and returns whether there was one. A line without its end means that the file is cut off.
    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.text.clear();
        let longest = Self::LONGEST.min(self.left);
        let read = self.input.by_ref().take(longest).read_until(b'\n', &mut self.text);
        let length = match read {
            Ok(length) => length as u64,
            // A compressed file that is cut off ends like this.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(self.trouble(Trouble::CutOff)),
            Err(error) => return Err(self.trouble(Trouble::Io(error))),
        };
        if length == 0 {
            return if self.left == 0 { self.end_of_bound() } else { Ok(false) };
        }
        self.line += 1;
        self.left -= length;
        if self.line == 1 && self.text.starts_with(BYTE_ORDER_MARK) {
            self.text.drain(..BYTE_ORDER_MARK.len());
        }
        match self.text.ends_with(b"\n") {
            true => Ok(true),
            false if length == Self::LONGEST => Err(self.trouble(Trouble::TooLong)),
            false if self.left == 0 => Err(self.trouble(Trouble::TooMuch)),
            // Only the last line may lack its line break, as some editors leave it.
            false if self.parse::<serde_json::Value>().is_ok() => Ok(true),
            false if self.line == 1 => Ok(true),
            false => Err(self.trouble(Trouble::CutOff)),
        }
    }

    /// The bound is reached: the file has to end here.
    fn end_of_bound(&mut self) -> Result<bool, ReadError> {
        match self.input.fill_buf() {
            Ok([]) => Ok(false),
            Ok(_) => Err(self.trouble(Trouble::TooMuch)),
            Err(error) => Err(self.trouble(Trouble::Io(error))),
        }
    }

    /// Whether the trace can be run in copies of this world.
    ///
    /// # Errors
    /// It was recorded with another engine.
    pub fn fits(&self, world: &World) -> Result<(), ReadError> {
        let (needs, has) = (self.header.engine.as_deref(), world.engine().map(|engine| engine.name()));
        if needs == has {
            return Ok(());
        }
        let name = |engine: Option<&str>| engine.unwrap_or("the project's own").to_owned();
        Err(self.trouble(Trouble::NeedsEngine { needs: name(needs), has: name(has) }))
    }

    fn parse_header(&self) -> Result<Header, ReadError> {
        /// The part of the header that every version has in common.
        #[derive(Deserialize)]
        struct Version {
            format: String,
            version: u32,
        }
        match serde_json::from_slice(&self.text) {
            Ok(Version { format, version: OLDEST..=VERSION }) if format == FORMAT => {}
            Ok(Version { format, version }) if format == FORMAT => return Err(self.trouble(Trouble::Version(version))),
            Ok(Version { .. }) | Err(_) => return Err(self.trouble(Trouble::NotATrace)),
        }
        let header: Header = self.parse()?;
        if header.digest_every == 0 {
            return Err(self.trouble(Trouble::Damaged("digest_every is at least 1".to_string())));
        }
        Ok(header)
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, ReadError> {
        serde_json::from_slice(&self.text).map_err(|error| {
            let column = Some(error.column() as u64).filter(|column| *column > 0);
            let place = format!(" at line {} column {}", error.line(), error.column());
            let what = error.to_string().replace(&place, "");
            ReadError { column, ..self.trouble(Trouble::Damaged(what)) }
        })
    }
}
