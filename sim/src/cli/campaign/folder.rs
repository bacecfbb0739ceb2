//! The folder of a record: the lines of `record.jsonl`, to which each unit adds one when it ends, and the traces of what failed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::campaign::record::{self, History, Known, Old, Unit, in_order};
use crate::trace::Trace;
use crate::{input, output};

use super::super::lock;

/// The name of the file with the lines.
const RECORD: &str = "record.jsonl";

/// The name of the folder with the traces.
const FAILURES: &str = "failures";

/// The longest record that is read: 1 GiB.
const LONGEST: u64 = 1 << 30;

/// A record that belongs to this process for as long as it lives.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
    file: File,
    /// How long the file is.
    length: u64,
    pub(super) history: History,
}

impl Folder {
    /// Takes the folder for this process, reads what is in it, and cuts off what a killed process had begun to write.
    ///
    /// # Errors
    /// It cannot be made, read or written, another process has it, or it holds something else.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let file = path.join(RECORD);
        let failed = |error| format!("{}: {error}", path.display());
        fs::create_dir_all(path.join(FAILURES)).map_err(failed)?;
        let lock = lock::taken(path)?;
        remove_unfinished(path).map_err(failed)?;
        remove_unfinished(&path.join(FAILURES)).map_err(failed)?;
        let (mut history, mut length) = read_file(&file)?.unwrap_or_default();
        if length == 0 {
            let head = record::head();
            output::write_durably(&file, head.as_bytes()).map_err(|error| unwritten(&file, &error))?;
            (history, length) = (History::default(), head.len() as u64);
        }
        let opened =
            File::options().append(true).open(&file).and_then(|opened| opened.set_len(length).map(|()| opened));
        let opened = opened.map_err(|error| unwritten(&file, &error))?;
        Ok(Self { path: path.to_owned(), _lock: lock, file: opened, length, history })
    }

    /// Adds a unit. When this returns, it would be there after the machine stopped.
    ///
    /// # Errors
    /// It cannot be written. What was there before still is.
    pub(super) fn add(&mut self, unit: &Unit) -> Result<(), String> {
        let line = record::line(unit);
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // If this fails too, the next start does it.
            drop(self.file.set_len(self.length));
            return Err(unwritten(&self.path.join(RECORD), &error));
        }
        self.length += line.len() as u64;
        self.history.add(unit);
        Ok(())
    }

    /// Where the trace of something that failed goes, and its name in the record.
    pub(super) fn trace(&self, name: &str) -> (PathBuf, String) {
        let name = format!("{FAILURES}/{name}.jsonl");
        (self.path.join(&name), name)
    }

    /// Where a trace with this name in the record is: one of the corpus has its path for a name.
    pub(super) fn whole(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        if path.is_file() { path } else { name.into() }
    }

    /// The traces of what failed, in the order in which they run. Where there are too many, the last are removed.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(super) fn failures(&self) -> Result<Vec<Old>, String> {
        let mut paths = files(&self.path.join(FAILURES))?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        let old = paths.into_iter().map(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let name = format!("{FAILURES}/{name}");
            // One of which the record says nothing was written just before a kill.
            Old { known: self.known(&name, &path, true), name, path }
        });
        let mut old: Vec<Old> = old.collect();
        in_order(&mut old);
        for gone in old.drain(record::KEPT.min(old.len())..) {
            // Somebody may have taken it away already.
            drop(fs::remove_file(gone.path));
        }
        Ok(old)
    }

    /// What is known of a trace; of a new one, that it fails or that it does not.
    pub(super) fn known(&self, name: &str, path: &Path, fails: bool) -> Known {
        let new = || Known { fails, events: Trace::open(path).map_or(0, |trace| trace.events.len() as u64), round: 0 };
        self.history.traces.get(name).copied().unwrap_or_else(new)
    }
}

/// What a folder records, whoever is at work on it.
///
/// # Errors
/// It cannot be read, or holds something else.
pub(super) fn read(path: &Path) -> Result<History, String> {
    let file = path.join(RECORD);
    let found = read_file(&file)?;
    found.map(|(history, _)| history).ok_or_else(|| format!("{}: there is no record in it", path.display()))
}

/// What a record says, and how long its whole lines are, if there is one.
fn read_file(path: &Path) -> Result<Option<(History, u64)>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = match input::open(path).and_then(|file| input::at_most(file, LONGEST)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let read = record::read(&bytes).map_err(|error| failed(&error))?;
    Ok(Some((read.history, read.whole as u64)))
}

/// The files in a folder, by their names.
///
/// # Errors
/// It cannot be read.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = entries.map_err(|error: std::io::Error| format!("{}: {error}", folder.display()))?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

/// Removes what a process that was killed had begun to write.
fn remove_unfinished(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".partial") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn unwritten(path: &Path, error: &std::io::Error) -> String {
    let kept = "what was written before is still there, and a second start goes on from it";
    format!("{}: {error}; {kept}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::record::Driver;

    fn unit(round: u64) -> Unit {
        Unit::new("a", round, Driver::Canary, "nothing")
    }

    #[test]
    fn a_record_belongs_to_one_process_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = Folder::open(folder.path()).expect("it is free");
        let refused = Folder::open(folder.path()).err().expect("it is taken");
        assert!(refused.contains("another process is at work on it"), "{refused}");
        drop(opened);
        assert!(Folder::open(folder.path()).is_ok());
    }

    #[test]
    fn a_torn_line_is_cut_off_and_the_next_unit_stands_on_a_line_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        Folder::open(folder.path()).and_then(|mut opened| opened.add(&unit(1))).expect("it is written");
        let path = folder.path().join(RECORD);
        let whole = fs::read_to_string(&path).expect("a record");
        fs::write(&path, format!("{whole}{{\"revision\":\"a\",\"rou")).expect("it is written");
        assert_eq!(read(folder.path()).expect("a record").next_round(), 2);
        let mut opened = Folder::open(folder.path()).expect("it is free");
        assert_eq!((fs::read_to_string(&path).expect("a record"), opened.history.next_round()), (whole.clone(), 2));
        opened.add(&unit(2)).expect("it is written");
        assert_eq!(fs::read_to_string(&path).expect("a record"), whole + &record::line(&unit(2)));
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(RECORD);
        fs::write(&path, "{}\n").expect("it is written");
        let refused = Folder::open(folder.path()).err().expect("it is something else");
        assert!(refused.contains("record.jsonl: line 1 is not one of a record"), "{refused}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "{}\n");
    }

    #[test]
    fn more_traces_than_are_kept_are_removed_from_the_end_of_the_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = Folder::open(folder.path()).expect("it is free");
        for number in 100..record::KEPT + 102 {
            fs::write(opened.trace(&number.to_string()).0, "").expect("it is written");
        }
        let kept = opened.failures().expect("they can be read");
        assert_eq!((kept.len(), &*kept[0].name), (record::KEPT, "failures/100.jsonl"));
        assert!(!opened.trace("201").0.exists());
    }
}
