//! The folders that are merged.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::campaign::share::{Merged, Summary, Work};
use crate::output::tell;

use super::super::explore::folder;

/// The shares, and in which folder each is.
#[derive(Default)]
pub(super) struct Shares {
    pub(super) merged: Merged,
    places: BTreeMap<(Work, u64), (PathBuf, Summary)>,
}

impl Shares {
    /// Reads all of these folders.
    ///
    /// # Errors
    /// One cannot be read, is damaged, or holds no share.
    pub(super) fn read(folders: &[PathBuf]) -> Result<Self, String> {
        let mut shares = Self::default();
        for folder in folders {
            let found = found_in(folder)?;
            if found.is_empty() {
                let (folder, name) = (folder.display(), folder::SUMMARY);
                return Err(format!("{folder}: there is no {name} in it, nor in a folder of it: nothing was checked"));
            }
            found.into_iter().for_each(|(path, summary)| shares.add(path, summary));
        }
        Ok(shares)
    }

    fn add(&mut self, path: PathBuf, summary: Summary) {
        let key = (summary.work.clone(), summary.share);
        if let Some((other, found)) = self.places.get(&key)
            && (&found.done, *other != path) == (&summary.done, true)
            && found.explored != summary.explored
        {
            let (other, path) = (other.display(), path.display());
            tell(format_args!("{other} and {path}: two results of the same seeds, which differ; only one counts"));
        }
        if self.merged.add(summary.clone()) {
            self.places.insert(key, (path, summary));
        }
    }

    /// The folder of a share.
    pub(super) fn folder(&self, summary: &Summary) -> &Path {
        self.places.get(&(summary.work.clone(), summary.share)).map_or(Path::new(""), |(path, _)| path)
    }

    /// The trace of a failure of a share, if it is there.
    pub(super) fn trace(&self, summary: &Summary, seed: u64) -> Option<PathBuf> {
        let name = format!("violation-{seed}.jsonl");
        Some(self.folder(summary).join(name)).filter(|path| path.is_file())
    }
}

/// The share in a folder, or those in its folders.
fn found_in(folder: &Path) -> Result<Vec<(PathBuf, Summary)>, String> {
    if let Some(summary) = folder::read(folder)? {
        return Ok(vec![(folder.to_owned(), summary)]);
    }
    let failed = |error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    paths.retain(|path| path.is_dir());
    paths.sort();
    let read = |path: PathBuf| Ok(folder::read(&path)?.map(|summary| (path, summary)));
    paths.into_iter().filter_map(|path| read(path).transpose()).collect()
}
