//! The log's files as real files in a directory.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use std::collections::BTreeMap;

use crate::files::{DiskError, Files, Segment};

/// The files of one log in one directory, named `00000000000000000001.log` and so on. Other files there are left alone.
#[derive(Debug)]
pub struct RealFiles {
    directory: PathBuf,
    open: BTreeMap<Segment, File>,
}

impl RealFiles {
    /// The log in this directory, which is created where it does not exist. Nothing keeps two processes from opening the
    /// same one; a host that cannot rule that out locks the directory.
    ///
    /// ```
    /// use raft_wal::{Files, RealFiles, Segment};
    ///
    /// let directory = tempfile::tempdir()?;
    /// let mut files = RealFiles::open(directory.path().join("log"))?;
    /// files.create(Segment::FIRST)?;
    /// files.append(Segment::FIRST, b"bytes")?;
    /// files.sync(Segment::FIRST)?;
    /// assert_eq!(*files.read(Segment::FIRST)?, *b"bytes");
    /// assert!(directory.path().join("log/00000000000000000001.log").exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The directory or a file in it cannot be opened.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, DiskError> {
        let directory = directory.into();
        fs::create_dir_all(&directory).map_err(disk_error)?;
        let mut files = Self { directory, open: BTreeMap::new() };
        for segment in segments_in(&files.directory)? {
            let file = OpenOptions::new().append(true).open(files.path(segment)).map_err(disk_error)?;
            files.open.insert(segment, file);
        }
        Ok(files)
    }

    fn path(&self, file: Segment) -> PathBuf {
        self.directory.join(format!("{:020}.log", file.0))
    }

    fn opened(&self, file: Segment) -> Result<&File, DiskError> {
        self.open.get(&file).ok_or(DiskError::NoSuchFile(file))
    }

    /// Makes creations and removals durable: they are changes to the directory, not to the file.
    fn sync_directory(&self) -> Result<(), DiskError> {
        if cfg!(unix) { File::open(&self.directory).and_then(|d| d.sync_all()).map_err(disk_error) } else { Ok(()) }
    }
}

impl Files for RealFiles {
    fn list(&self) -> Result<Vec<Segment>, DiskError> {
        Ok(self.open.keys().copied().collect())
    }

    fn read(&self, file: Segment) -> Result<Cow<'_, [u8]>, DiskError> {
        self.opened(file)?;
        fs::read(self.path(file)).map(Cow::Owned).map_err(disk_error)
    }

    fn create(&mut self, file: Segment) -> Result<(), DiskError> {
        let created = OpenOptions::new().append(true).create_new(true).open(self.path(file));
        let created = created.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => DiskError::Exists(file),
            _ => disk_error(error),
        })?;
        self.open.insert(file, created);
        self.sync_directory()
    }

    fn append(&mut self, file: Segment, bytes: &[u8]) -> Result<(), DiskError> {
        self.opened(file)?.write_all(bytes).map_err(disk_error)
    }

    fn sync(&mut self, file: Segment) -> Result<(), DiskError> {
        self.opened(file)?.sync_all().map_err(disk_error)
    }

    fn rewrite(&mut self, file: Segment, from: u64) -> Result<(), DiskError> {
        let bytes = self.read(file)?;
        let bytes = usize::try_from(from).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
        // What is open appends.
        let mut again = OpenOptions::new().write(true).open(self.path(file)).map_err(disk_error)?;
        again.seek(SeekFrom::Start(from)).and_then(|_| again.write_all(bytes)).map_err(disk_error)
    }

    fn truncate(&mut self, file: Segment, length: u64) -> Result<(), DiskError> {
        let opened = self.opened(file)?;
        if opened.metadata().map_err(disk_error)?.len() > length {
            opened.set_len(length).and_then(|()| opened.sync_all()).map_err(disk_error)?;
        }
        Ok(())
    }

    fn remove(&mut self, file: Segment) -> Result<(), DiskError> {
        self.opened(file)?;
        fs::remove_file(self.path(file)).map_err(disk_error)?;
        self.open.remove(&file);
        self.sync_directory()
    }
}

fn segments_in(directory: &Path) -> Result<Vec<Segment>, DiskError> {
    let mut segments = Vec::new();
    for found in fs::read_dir(directory).map_err(disk_error)? {
        let name = found.map_err(disk_error)?.file_name();
        segments.extend(name.to_str().and_then(segment_named));
    }
    Ok(segments)
}

fn segment_named(name: &str) -> Option<Segment> {
    let digits = name.strip_suffix(".log")?;
    if digits.len() != 20 {
        return None;
    }
    digits.parse().ok().map(Segment)
}

fn disk_error(error: io::Error) -> DiskError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => DiskError::Full,
        kind => DiskError::Failed(kind),
    }
}
