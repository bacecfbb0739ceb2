//! Switching on one of the bugs that `raft::planted` re-creates, by its name.

#[cfg(feature = "planted-bugs")]
pub use raft::planted::Bug;

/// There is no such bug, or this build contains none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnknownBug(
    /// The name.
    pub String,
);

/// Switches the bug off again when dropped.
#[derive(Debug)]
#[must_use = "the bug is on only as long as this lives"]
pub struct Switched(());

/// Switches a bug on, in this thread, or all of them off.
///
/// # Errors
/// There is no bug of this name in this build.
#[cfg(feature = "planted-bugs")]
pub fn switch_on(name: Option<&str>) -> Result<Switched, UnknownBug> {
    let unknown = |name: &str| UnknownBug(name.to_string());
    let bug = name.map(|name| Bug::named(name).ok_or_else(|| unknown(name))).transpose()?;
    raft::planted::switch_on(bug);
    Ok(Switched(()))
}

/// Switches a bug on, in this thread: this build contains none.
///
/// # Errors
/// A bug is asked for.
#[cfg(not(feature = "planted-bugs"))]
pub fn switch_on(name: Option<&str>) -> Result<Switched, UnknownBug> {
    name.map_or(Ok(Switched(())), |name| Err(UnknownBug(name.to_string())))
}

impl Drop for Switched {
    fn drop(&mut self) {
        #[cfg(feature = "planted-bugs")]
        raft::planted::switch_on(None);
    }
}
