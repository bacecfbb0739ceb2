//! The folder of an exploration: a summary that is as new as the last second, beside the traces. A second start goes on with it, or with
//! what was written after each seed since.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::campaign::explore::{Failure, SeedEnd, Shard};
use crate::campaign::share::{Summary, Work};
use crate::input;
use crate::output;

use super::super::lock;
use super::latest::{Latest, latest};

/// The name of the summary in a folder.
pub(in crate::cli) const SUMMARY: &str = "summary.json";

/// A folder that belongs to this process for as long as it lives.
pub(super) struct Opened {
    path: PathBuf,
    /// Held, not used.
    lock: File,
    /// What an earlier start left.
    found: Option<Summary>,
}

/// A folder, and the share of which it tells.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
    latest: Latest,
    pub(super) summary: Summary,
    /// How many seeds earlier starts ended.
    pub(super) before: u64,
    /// When the summary is to be written next.
    next: Instant,
    /// Why the summary could not be written, once it could not.
    pub(super) unwritten: Option<String>,
}

impl Opened {
    /// Takes the folder for this process, and reads what is in it.
    ///
    /// # Errors
    /// It cannot be made or read, or another process has it.
    pub(super) fn at(path: &Path) -> Result<Self, String> {
        let failed = |error| format!("{}: {error}", path.display());
        fs::create_dir_all(path).map_err(failed)?;
        let lock = lock::taken(path)?;
        remove_unfinished(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), lock, found: read(path)? })
    }

    /// The first seed, if an earlier start went from a drawn one on without end.
    pub(super) fn first_of_open(&self) -> Option<u64> {
        self.found.as_ref().filter(|found| found.work.to == u64::MAX).map(|found| found.work.from)
    }

    /// Goes on with this share of this work.
    ///
    /// # Errors
    /// The folder belongs to another one, or cannot be written.
    pub(super) fn go_on(self, work: Work, shard: Shard) -> Result<Folder, String> {
        let Self { path, lock, found } = self;
        let summary = match found {
            None => Summary::new(work, shard),
            Some(found) => {
                let mut differs = found.work.differences(&work);
                if found.shard() != shard && found.work.shares == work.shares {
                    differs.push(format!("the share {}, not {shard}", found.shard()));
                }
                if !differs.is_empty() {
                    let path = path.display();
                    return Err(format!("{path}: it holds {}; name another folder", differs.join(", and ")));
                }
                latest(&path, found)
            }
        };
        let before = summary.done.count();
        let latest = Latest::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let next = Instant::now();
        let mut folder = Folder { path, _lock: lock, latest, summary, before, next, unwritten: None };
        folder.write();
        // The first seed that ends shows at once.
        folder.next = Instant::now();
        folder.unwritten.take().map_or(Ok(folder), Err)
    }
}

impl Folder {
    /// How long a summary stays as it is.
    const EACH: Duration = Duration::from_secs(1);

    /// Counts a seed that has ended, so that a kill does not lose it. `is_kept` says that its trace is one of the shortest.
    pub(super) fn add(&mut self, end: &SeedEnd, is_kept: bool) {
        self.summary.add(end);
        if is_kept || Instant::now() >= self.next {
            self.write();
        } else if self.unwritten.is_none() {
            let written = self.latest.write(&self.summary);
            self.unwritten = written.err().map(|error| unwritten(&self.path, &error));
        }
    }

    /// Ends, with all that is known in the summary. What became of the seeds, and why that could not be written, if so.
    pub(super) fn finish(mut self) -> (Summary, Option<String>) {
        self.write();
        if self.unwritten.is_none() {
            // If they stay, the next start finds nothing new in them.
            drop(self.latest.remove());
        }
        (self.summary, self.unwritten)
    }

    /// Counts a seed that hangs.
    pub(super) fn add_failure(&mut self, failure: &Failure) {
        self.summary.add_failure(failure);
    }

    /// Writes the summary, all at once. After a failure nothing is tried any more: what was written before is still there.
    fn write(&mut self) {
        if self.unwritten.is_some() {
            return;
        }
        let began = Instant::now();
        let path = self.path.join(SUMMARY);
        let written = output::write_durably(&path, self.summary.as_json().as_bytes());
        // Where a disk takes its time, seeds do not wait for it more than a twentieth of theirs.
        self.next = Instant::now() + Self::EACH.max(began.elapsed() * 20);
        self.unwritten = written.err().map(|error| unwritten(&path, &error));
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> String {
    let kept = "what was written before is still there, and a second start goes on from it";
    format!("{}: {error}; {kept}", path.display())
}

/// The summary in a folder, if there is one.
///
/// # Errors
/// It cannot be read, or is something else.
pub(in crate::cli) fn read(folder: &Path) -> Result<Option<Summary>, String> {
    let path = folder.join(SUMMARY);
    let text = match input::text(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    Summary::read(&text).map(Some).map_err(|error| format!("{}: {error}", path.display()))
}

/// Removes what a process that was killed had begun to write.
fn remove_unfinished(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.starts_with(SUMMARY) || name.starts_with("violation-");
        if is_ours && name.ends_with(".partial") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> Work {
        Work { revision: "a".to_owned(), from: 0, to: 9, shares: 3, options: String::new(), start: None }
    }

    fn shard(text: &str) -> Shard {
        text.parse().expect("a shard")
    }

    #[test]
    fn a_folder_belongs_to_one_process_at_a_time_and_is_free_when_that_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = Opened::at(folder.path()).expect("it is free");
        let refused = Opened::at(folder.path()).err().expect("it is taken");
        assert!(refused.contains("another process is at work on it"), "{refused}");
        let folder_of_share = opened.go_on(work(), shard("1/3")).expect("it is empty");
        assert!(Opened::at(folder.path()).is_err());
        drop(folder_of_share);
        assert!(Opened::at(folder.path()).is_ok_and(|opened| opened.found.is_some()));
    }

    #[test]
    fn a_folder_of_something_else_is_refused_with_what_differs() {
        let folder = tempfile::tempdir().expect("a folder");
        let go_on = |work, shard| Opened::at(folder.path()).and_then(|opened| opened.go_on(work, shard)).map(drop);
        go_on(work(), shard("1/3")).expect("it is empty");
        go_on(work(), shard("1/3")).expect("it is the same");
        let cases = [
            (work(), "2/3", "it holds the share 1/3, not 2/3; name another folder"),
            (Work { shares: 4, ..work() }, "1/4", "it holds 3 shares, not 4 shares; name"),
            (Work { to: 8, ..work() }, "1/3", "it holds seeds 0..9, not 0..8; name"),
            (Work { revision: "b".to_owned(), ..work() }, "1/3", "it holds revision a, not b; name"),
            (
                Work { options: "--nodes 3".to_owned(), start: Some(7), ..work() },
                "1/3",
                "it holds no options, not --nodes 3, and runs that begin with nothing, not 0000000000000007; name",
            ),
        ];
        for (work, text, said) in cases {
            let refused = go_on(work, shard(text)).expect_err(said);
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn what_a_killed_process_had_begun_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["summary.json.7.partial", "violation-3.jsonl.7.partial", "other.partial", "violation-3.jsonl"];
        names.iter().for_each(|name| fs::write(folder.path().join(name), "x").expect("a file"));
        drop(Opened::at(folder.path()).expect("it is free"));
        let left = |name: &&str| folder.path().join(name).exists();
        assert_eq!(
            names.iter().filter(|name| left(name)).collect::<Vec<_>>(),
            [&"other.partial", &"violation-3.jsonl"]
        );
    }

    #[test]
    fn a_summary_that_is_damaged_is_refused_and_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(SUMMARY), "{").expect("a file");
        let refused = Opened::at(folder.path()).err().expect("it is damaged");
        assert!(refused.contains("summary.json: it is not the summary of a share"), "{refused}");
        assert_eq!(fs::read_to_string(folder.path().join(SUMMARY)).expect("it is there"), "{");
    }
}
