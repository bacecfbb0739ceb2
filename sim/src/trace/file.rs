//! Files of traces: written compressed where their name ends in `.zst`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use crate::input;
use crate::output::NewFile;

/// What a compressed file begins with.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The file that a trace is written to, as a [`NewFile`]. [`finish`](Self::finish) completes it.
pub struct Sink(To);

enum To {
    Plain(NewFile),
    Compressed(zstd::Encoder<'static, NewFile>),
}

impl Sink {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = NewFile::create(path)?;
        // Level 1, the fastest, already compresses events to a tenth.
        Ok(Self(if is_compressed(path) { To::Compressed(zstd::Encoder::new(file, 1)?) } else { To::Plain(file) }))
    }

    /// Completes the file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            To::Plain(file) => file.finish(),
            To::Compressed(encoder) => encoder.finish()?.finish(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            To::Plain(file) => file.write(bytes),
            To::Compressed(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            To::Plain(file) => file.flush(),
            To::Compressed(encoder) => encoder.flush(),
        }
    }
}

/// The file that a trace is read from. Its first bytes tell whether it is compressed.
pub struct Source(Box<dyn BufRead + Send>);

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::new(input::open(path)?);
        let is_compressed = file.fill_buf()?.starts_with(&ZSTD);
        Ok(Self(match is_compressed {
            true => Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?)),
            false => Box::new(file),
        }))
    }
}

impl Read for Source {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}
