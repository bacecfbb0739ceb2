//! Files of traces: compressed where their name ends in `.zst`, and never seen half written under their name.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// What a trace is written to. [`finish`](Self::finish) completes the file.
pub struct Sink {
    to: To,
    /// The name that the file gets when it is complete, where it has another one until then.
    rename: Option<(PathBuf, PathBuf)>,
}

enum To {
    Plain(File),
    Compressed(zstd::Encoder<'static, File>),
}

impl Sink {
    /// A new file in the place of the one of this name. It has its name from the start: what is recorded of a run that
    /// does not come to its end is there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { to: To::new(path, path)?, rename: None })
    }

    /// A new file that takes the place of the one of this name once it is complete, all at once.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn replace(path: &Path) -> io::Result<Self> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        Ok(Self { to: To::new(&partial, path)?, rename: Some((partial, path.to_path_buf())) })
    }

    /// Completes the file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(self) -> io::Result<()> {
        match self.to {
            To::Plain(mut file) => file.flush()?,
            To::Compressed(encoder) => encoder.finish()?.flush()?,
        }
        match self.rename {
            Some((partial, path)) => fs::rename(partial, path),
            None => Ok(()),
        }
    }
}

impl To {
    fn new(path: &Path, name: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        // Level 1: the fastest one already makes a tenth of events.
        Ok(if is_compressed(name) { Self::Compressed(zstd::Encoder::new(file, 1)?) } else { Self::Plain(file) })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Plain(file) => file.write(bytes),
            To::Compressed(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Plain(file) => file.flush(),
            To::Compressed(encoder) => encoder.flush(),
        }
    }
}

/// What a trace is read from.
pub struct Source(Box<dyn BufRead>);

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self(if is_compressed(path) {
            Box::new(BufReader::new(zstd::Decoder::new(file)?))
        } else {
            Box::new(BufReader::new(file))
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
