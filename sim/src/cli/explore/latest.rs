//! The state of a share after each seed, for the next start after a kill.
//!
//! The summary is flushed to the disk, which takes too long to be done for each seed. So after each seed the same text is written into one
//! of two files by turns, over what stood there, and left to the operating system, which keeps it when the process dies. One of the two is
//! whole at any moment; a checksum says which.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use crate::campaign::share::Summary;
use crate::input;
use xxhash_rust::xxh3::xxh3_64;

/// The names of the files.
const NAMES: [&str; 2] = ["latest-0", "latest-1"];

/// The two files of a folder.
pub(super) struct Latest {
    files: [File; 2],
    paths: [PathBuf; 2],
    turn: usize,
}

impl Latest {
    /// Makes the files, or opens those that are there.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let paths = NAMES.map(|name| folder.join(name));
        let open = |path: &PathBuf| File::options().create(true).write(true).truncate(false).open(path);
        Ok(Self { files: [open(&paths[0])?, open(&paths[1])?], paths, turn: 0 })
    }

    /// Writes the state.
    pub(super) fn write(&mut self, summary: &Summary) -> io::Result<()> {
        let text = summary.as_line();
        let whole = format!("{:016x} {:016x}\n{text}", xxh3_64(text.as_bytes()), text.len());
        let file = &mut self.files[self.turn];
        self.turn = 1 - self.turn;
        file.rewind()?;
        file.write_all(whole.as_bytes())
    }

    /// Removes the files: the summary says all that they do.
    pub(super) fn remove(self) -> io::Result<()> {
        self.paths.iter().try_for_each(fs::remove_file)
    }
}

/// The latest state of this share in a folder: this one, or one with more seeds that was written after it.
pub(super) fn latest(folder: &Path, summary: Summary) -> Summary {
    let is_later = |other: &Summary| (&other.work, other.share) == (&summary.work, summary.share);
    let written = NAMES.iter().filter_map(|name| read(&folder.join(name))).filter(is_later);
    let later = written.max_by_key(|other| other.done.count());
    match later {
        Some(later) if later.done.count() > summary.done.count() => later,
        Some(_) | None => summary,
    }
}

/// What is in a file, unless it was cut off in the middle of writing.
fn read(path: &Path) -> Option<Summary> {
    let bytes = input::bytes(path).ok()?;
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (sum, length) = std::str::from_utf8(head).ok()?.trim_end().split_once(' ')?;
    let [sum, length] = [sum, length].map(|digits| u64::from_str_radix(digits, 16).ok());
    // What stood there before may have been longer.
    let text = rest.get(..usize::try_from(length?).ok()?).filter(|text| Some(xxh3_64(text)) == sum)?;
    Summary::read(std::str::from_utf8(text).ok()?).ok()
}

/// How long the line is that stands before the text.
const HEAD: usize = 16 + 1 + 16 + 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::explore::run_seed;
    use crate::campaign::share::Work;
    use crate::plan::Overrides;

    fn summary(seeds: u64) -> Summary {
        let work = Work { revision: "a".to_owned(), from: 0, to: 9, shares: 1, options: String::new(), start: None };
        let overrides = Overrides { steps: Some(50), no_settle: true, ..Overrides::default() };
        let mut summary = Summary::new(work, "1/1".parse().expect("a share"));
        (0..seeds).for_each(|seed| summary.add(&run_seed(seed, &overrides)));
        summary
    }

    #[test]
    fn wherever_the_last_write_was_cut_off_the_state_before_it_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut latest_files = Latest::open(folder.path()).expect("files");
        latest_files.write(&summary(2)).expect("it is written");
        latest_files.write(&summary(1)).expect("it is written");
        let path = folder.path().join(NAMES[1]);
        let before = fs::read(&path).expect("a file");
        latest_files.write(&summary(0)).expect("it is written");
        latest_files.write(&summary(3)).expect("it is written");
        let after = fs::read(&path).expect("a file");
        fs::write(folder.path().join(NAMES[0]), format!("{}\n", "0".repeat(33))).expect("it is written");
        for cut in (0..after.len()).step_by(7) {
            let rest = before.get(cut..).unwrap_or_default();
            fs::write(&path, [&after[..cut], rest].concat()).expect("it is written");
            let found = latest(folder.path(), summary(0));
            assert!([summary(0), summary(1)].contains(&found), "cut off after {cut} bytes: {found:?}");
        }
        fs::write(&path, after).expect("it is written");
        assert_eq!(latest(folder.path(), summary(0)), summary(3));
    }

    #[test]
    fn only_a_later_state_of_the_same_share_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(latest(folder.path(), summary(1)), summary(1), "there are no files");
        let mut files = Latest::open(folder.path()).expect("files");
        files.write(&summary(2)).expect("it is written");
        assert_eq!(latest(folder.path(), summary(1)), summary(2));
        assert_eq!(latest(folder.path(), summary(3)), summary(3));
        let mut other = summary(1);
        other.work.to = 8;
        assert_eq!(latest(folder.path(), other.clone()), other);
        files.remove().expect("they are there");
        assert_eq!(latest(folder.path(), summary(1)), summary(1));
    }
}
