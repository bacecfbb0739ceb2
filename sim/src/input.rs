//! The one way in which files come in: however long they are or whatever stands in them, reading them ends, and what is wrong
//! is said with its line.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// No scenario, transcript, snapshot or fuzz input is longer, in bytes: 16 MiB.
pub const LONGEST: u64 = 1 << 24;

/// Folders are looked through no deeper than this.
pub const DEEPEST: usize = 64;

/// How long to wait until somebody begins to write to a named pipe.
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens a file, a device or a pipe for reading.
///
/// # Errors
/// Those of the file system, also where it is a folder; and where nobody writes to a named pipe.
pub fn open(path: &Path) -> io::Result<File> {
    let found = fs::metadata(path)?;
    if found.is_dir() {
        // Says why it cannot be listed, if that is so.
        fs::read_dir(path)?;
        return Err(io::Error::new(ErrorKind::IsADirectory, "is a folder"));
    }
    if found.is_file() { File::open(path) } else { open_in_time(path) }
}

/// To open a pipe waits for who writes to it, perhaps for ever.
fn open_in_time(path: &Path) -> io::Result<File> {
    let (sender, receiver) = mpsc::channel();
    let name = path.to_path_buf();
    std::thread::spawn(move || sender.send(File::open(name)));
    let late = |_| io::Error::new(ErrorKind::TimedOut, "is a pipe to which nobody writes");
    receiver.recv_timeout(PATIENCE).map_err(late)?
}

/// All of a file.
///
/// # Errors
/// It cannot be read, or is longer than [`LONGEST`].
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    at_most(open(path)?, LONGEST)
}

/// All that a reader gives.
///
/// # Errors
/// It cannot be read, or is longer than `longest` bytes.
pub fn at_most(reader: impl Read, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(longest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        let what = format!("is longer than {longest} bytes, which is the most that is read");
        return Err(io::Error::new(ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// All of a text file, with lines that end as Unix has it, and without a byte order mark.
///
/// # Errors
/// It cannot be read, is longer than [`LONGEST`], or is no text.
pub fn text(path: &Path) -> io::Result<String> {
    as_text(bytes(path)?)
}

fn as_text(bytes: Vec<u8>) -> io::Result<String> {
    let text = String::from_utf8(bytes).map_err(|error| no_text(error.as_bytes(), error.utf8_error().valid_up_to()))?;
    if let Some(position) = text.find('\0') {
        return Err(no_text(text.as_bytes(), position));
    }
    let text = text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned);
    Ok(if text.contains('\r') { text.replace("\r\n", "\n") } else { text })
}

fn no_text(bytes: &[u8], position: usize) -> io::Error {
    let line = bytes[..position].iter().filter(|byte| **byte == b'\n').count() + 1;
    let what = format!("line {line}: is no text: there is a byte {:#04x}", bytes[position]);
    io::Error::new(ErrorKind::InvalidData, what)
}

/// The files that paths stand for: files as they are, folders with all files of this extension below them, by name. Links to
/// folders are followed only where they are named, so that none leads round and round. What cannot be looked through stands
/// for itself, and reading it says why.
pub fn files(paths: &[PathBuf], extension: &str) -> Vec<PathBuf> {
    paths.iter().flat_map(|path| if path.is_dir() { below(path, extension, 0) } else { vec![path.clone()] }).collect()
}

fn below(folder: &Path, extension: &str, depth: usize) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let Ok(mut entries) = listed else { return vec![folder.to_owned()] };
    entries.sort_by_key(fs::DirEntry::path);
    let of_entry = |entry: fs::DirEntry| {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            return if depth < DEEPEST { below(&path, extension, depth + 1) } else { vec![path] };
        }
        let is_wanted = path.extension().is_some_and(|found| found == extension) && !path.is_dir();
        if is_wanted { vec![path] } else { Vec::new() }
    };
    entries.into_iter().flat_map(of_entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        as_text(bytes.to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn text_is_the_same_whatever_editor_wrote_it() {
        for bytes in ["a\nb\n", "a\r\nb\r\n", "\u{feff}a\nb\n", "\u{feff}a\r\nb\r\n"] {
            assert_eq!(as_text(bytes.as_bytes().to_vec()).unwrap(), "a\nb\n", "{bytes:?}");
        }
        assert_eq!(as_text(Vec::new()).unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_said_with_its_line() {
        assert_eq!(said(b"a\nb\xff"), "line 2: is no text: there is a byte 0xff");
        assert_eq!(said(b"\0"), "line 1: is no text: there is a byte 0x00");
    }

    #[test]
    fn what_never_ends_is_too_long() {
        assert_eq!(at_most(io::repeat(b'a'), 10).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(at_most(&b"0123456789"[..], 10).unwrap().len(), 10);
    }

    #[test]
    fn folders_are_looked_through_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        fs::create_dir_all(name("b/c")).unwrap();
        for file in ["z.txt", "a.txt", "b/c/d.txt", "b/e.snap"] {
            fs::write(name(file), "").unwrap();
        }
        let found = files(&[folder.path().to_owned(), name("b/e.snap"), name("none")], "txt");
        assert_eq!(found, ["a.txt", "b/c/d.txt", "z.txt", "b/e.snap", "none"].map(name));
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_round() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        fs::write(name("a.txt"), "").unwrap();
        std::os::unix::fs::symlink(".", name("round")).unwrap();
        std::os::unix::fs::symlink("a.txt", name("b.txt")).unwrap();
        std::os::unix::fs::symlink(".", name("c.txt")).unwrap();
        assert_eq!(files(&[folder.path().to_owned()], "txt"), ["a.txt", "b.txt"].map(name));
    }

    #[test]
    fn deep_folders_stand_for_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let mut deep = folder.path().to_owned();
        (0..DEEPEST + 3).for_each(|_| deep.push("d"));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("a.txt"), "").unwrap();
        let found = files(&[folder.path().to_owned()], "txt");
        assert_eq!(found.len(), 1);
        assert_eq!(open(&found[0]).unwrap_err().kind(), ErrorKind::IsADirectory);
    }
}
