//! A folder that belongs to one process at a time.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use crate::output::tell;

/// Takes a folder for as long as what is returned lives.
///
/// # Errors
/// Another process has it, or its file `lock` cannot be made.
pub(super) fn taken(folder: &Path) -> Result<File, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let lock = File::options().create(true).write(true).truncate(false).open(folder.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let folder = folder.display();
            return Err(format!("{folder}: another process is at work on it; let it end, or name another folder"));
        }
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            tell(format_args!("{}: it cannot be locked, so nothing keeps a second process out", folder.display()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    Ok(lock)
}
