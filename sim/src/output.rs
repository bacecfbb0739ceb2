//! The one way in which anything leaves the simulator: text for people, and files.
//!
//! Whoever closes a pipe has seen enough, and that is no error: what follows is lost, and nothing is said. Everything else
//! that keeps text from being written is an error.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file that is being written.
///
/// Where there is a plain file of this name or none, a temporary one beside it takes its place once it is
/// [finished](Self::finish), all at once: whoever reads it finds the old one or the new one, whole. Until then that one is
/// called `NAME.PID.partial`, and it stays there only where the process is killed. Links are followed, and go on leading to
/// the file. A device or a pipe is written into directly.
pub struct NewFile {
    file: File,
    /// The temporary file, and whose place it takes.
    replaces: Option<(PathBuf, PathBuf)>,
    /// It is a pipe that nobody reads any more.
    is_closed: bool,
}

impl NewFile {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of the file system; also where the file that is there must not be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let replaces = match fs::metadata(path) {
            Ok(_) if is_stream(path) => None,
            Ok(found) => {
                let target = through_links(path)?;
                // Says why a folder, or a file that must not be written, cannot be: renaming would not ask.
                File::options().write(true).open(&target)?;
                Some((target, Some(found.permissions())))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Some((through_links(path)?, None)),
            Err(error) => return Err(error),
        };
        let Some((target, permissions)) = replaces else {
            return Ok(Self { file: File::options().append(true).open(path)?, replaces: None, is_closed: false });
        };
        let temporary = partial(&target);
        // One that a killed process of the same number left.
        drop(fs::remove_file(&temporary));
        let file = File::create_new(&temporary)?;
        let new = Self { file, replaces: Some((temporary, target)), is_closed: false };
        permissions.map_or(Ok(()), |permissions| new.file.set_permissions(permissions))?;
        Ok(new)
    }

    /// Completes the file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        if let Some((temporary, target)) = &self.replaces {
            fs::rename(temporary, target)?;
        }
        self.replaces = None;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some((temporary, _)) = &self.replaces {
            // Whatever kept the file from being finished is an error elsewhere.
            drop(fs::remove_file(temporary));
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let written = self.file.write(bytes);
        self.is_closed = written.as_ref().is_err_and(is_closed_pipe);
        if self.is_closed { Ok(bytes.len()) } else { written }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file as [`NewFile`] does.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes)?;
    file.finish()
}

/// The same, and returns only when the file would be there after the machine stopped.
///
/// # Errors
/// Those of the file system. The old file is there then, as it was.
pub fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes)?;
    file.file.sync_all()?;
    file.finish()?;
    // The name is in the folder, which is a file of its own. Not every system can write one out, and the contents are safe.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    drop(File::open(folder).and_then(|folder| folder.sync_all()));
    Ok(())
}

/// Whether what is written to this path cannot be taken back: a device, a pipe, or a file that the process was given open,
/// such as `/dev/stdout`.
pub fn is_stream(path: &Path) -> bool {
    let is_other = |found: fs::Metadata| !found.is_file() && !found.is_dir();
    fs::metadata(path).is_ok_and(is_other) || hops(path).any(|hop| is_open_file(&hop))
}

/// Prints to standard output, as it stands.
///
/// # Errors
/// It cannot be written, for another reason than a closed pipe.
pub fn print(text: impl Display) -> Result<(), String> {
    let mut out = io::stdout().lock();
    printed(write!(out, "{text}").and_then(|()| out.flush()))
}

/// Prints to standard output, and ends the line.
///
/// # Errors
/// It cannot be written, for another reason than a closed pipe.
pub fn say(text: impl Display) -> Result<(), String> {
    print(format_args!("{text}\n"))
}

/// What writing to standard output came to, for whoever does so without [`print()`].
///
/// # Errors
/// It could not be written, for another reason than a closed pipe.
pub fn printed(written: io::Result<()>) -> Result<(), String> {
    match written {
        Err(error) if !is_closed_pipe(&error) => Err(format!("standard output: {error}")),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a line to standard error. Where that cannot be written there is nobody to be told.
pub fn tell(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

fn partial(target: &Path) -> PathBuf {
    let mut name = OsString::from(target);
    name.push(format!(".{}.partial", std::process::id()));
    name.into()
}

/// The file that a path leads to, whether or not it exists.
fn through_links(path: &Path) -> io::Result<PathBuf> {
    hops(path).last().ok_or_else(|| ErrorKind::InvalidInput.into())
}

/// The path, and then what one link after another leads to. Links that lead round and round end somewhere: nobody can open
/// them, which the file system says.
fn hops(path: &Path) -> impl Iterator<Item = PathBuf> {
    const MOST: usize = 40;
    let next = |path: &PathBuf| {
        let leads_to = fs::read_link(path).ok()?;
        Some(path.parent().unwrap_or(Path::new("")).join(leads_to))
    };
    std::iter::successors(Some(path.to_path_buf()), next).take(MOST)
}

/// Whether this names a file of a process that is open already.
fn is_open_file(path: &Path) -> bool {
    (path.starts_with("/dev") || path.starts_with("/proc")) && fs::read_link(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder, and a file in it.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out");
        (folder, path)
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("a text")
    }

    fn names(folder: &tempfile::TempDir) -> usize {
        fs::read_dir(folder.path()).expect("a folder").count()
    }

    #[test]
    fn a_file_is_there_only_when_it_is_finished_and_the_old_one_until_then() {
        let (folder, path) = place();
        write(&path, b"old").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!((read(&path).as_str(), names(&folder)), ("old", 2));
        file.finish().unwrap();
        assert_eq!((read(&path).as_str(), names(&folder)), ("new", 1));
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing() {
        let (folder, path) = place();
        drop(NewFile::create(&path).unwrap());
        assert_eq!(names(&folder), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_goes_on_leading_to_the_file_whether_or_not_there_was_one() {
        let (folder, path) = place();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        std::os::unix::fs::symlink("out", &second).unwrap();
        std::os::unix::fs::symlink(&second, &first).unwrap();
        for text in ["new", "newer"] {
            write(&first, text.as_bytes()).unwrap();
            assert_eq!(read(&path), text);
            assert!(
                fs::symlink_metadata(&first).unwrap().is_symlink()
                    && fs::symlink_metadata(&second).unwrap().is_symlink()
            );
        }
        assert_eq!(names(&folder), 3);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_round_and_folders_are_refused() {
        let (folder, path) = place();
        std::os::unix::fs::symlink("out", &path).unwrap();
        assert!(write(&path, b"x").is_err());
        assert_eq!(write(folder.path(), b"x").unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(names(&folder), 1);
    }

    #[cfg(unix)]
    #[test]
    fn who_may_read_a_file_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = place();
        write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_stays_a_device_and_says_when_it_is_full() {
        let (_folder, path) = place();
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        assert_eq!(write(&path, b"x").unwrap_err().kind(), ErrorKind::StorageFull);
        assert!(is_stream(&path) && is_stream(Path::new("/dev/full")) && is_stream(Path::new("/dev/stdout")));
        assert!(!is_stream(Path::new("no-such-file")) && !is_stream(Path::new("/tmp")));
    }

    #[test]
    fn only_a_closed_pipe_is_no_error() {
        assert_eq!(printed(Err(ErrorKind::BrokenPipe.into())), Ok(()));
        assert_eq!(printed(Err(ErrorKind::StorageFull.into())), Err("standard output: no storage space".to_owned()));
    }
}
