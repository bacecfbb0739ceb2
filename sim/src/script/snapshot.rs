//! The snapshots of scenarios: files of the tool insta, each beside its scenario, that hold the transcript after a
//! header.

use std::path::{Path, PathBuf};

/// Where the snapshot of a scenario is.
///
/// ```
/// use std::path::Path;
/// let scenario = Path::new("scenarios/elections/a-voter-campaigns.txt");
/// let snapshot = sim::script::snapshot_beside(scenario);
/// assert_eq!(snapshot, Path::new("scenarios/elections/a-voter-campaigns.snap"));
/// ```
#[must_use]
pub fn snapshot_beside(scenario: &Path) -> PathBuf {
    scenario.with_extension("snap")
}

/// Why a snapshot has nothing to say.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It is not there or cannot be read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// It does not begin with insta's header.
    #[error("no header between two lines of ---")]
    NoHeader,
}

/// What a snapshot says, without its header.
///
/// # Errors
/// It cannot be read, or has no header.
pub fn snapshot_contents(snapshot: &Path) -> Result<String, SnapshotError> {
    let text = crate::input::text(snapshot)?;
    let after = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    after.map(|(_, contents)| contents.to_owned()).ok_or(SnapshotError::NoHeader)
}
