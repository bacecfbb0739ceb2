//! Switching on one of the bugs that `raft::planted` re-creates, by its name.

pub(crate) use raft::planted::{Bug, planted};

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
    Ok(switched_on(bug))
}

/// Switches a bug on, in this thread, or all of them off.
#[cfg(feature = "planted-bugs")]
pub fn switched_on(bug: Option<Bug>) -> Switched {
    raft::planted::switch_on(bug);
    Switched(())
}

/// The bug of this name, or else what to tell whoever asked for it.
///
/// # Errors
/// There is none of this name.
#[cfg(feature = "planted-bugs")]
pub fn named(name: &str) -> Result<Bug, String> {
    Bug::named(name).ok_or_else(|| {
        let names: Vec<String> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        match crate::script::nearest(name, names.iter().map(String::as_str)) {
            Some(nearest) => format!("there is no planted bug {name:?}; did you mean {nearest:?}?"),
            None => format!("there is no planted bug {name:?}; `sim bugs --list` names them all"),
        }
    })
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
