//! Switching on one of the bugs that `raft::planted` re-creates, by its name; or one of two that stand for any code that does
//! not come back, or that fails an assertion: `endless-loop` and `assertion`. They show how such runs are told of.

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
    let any = name.and_then(AnyCode::named);
    let name = name.filter(|_| any.is_none());
    let bug = name.map(|name| Bug::named(name).ok_or_else(|| unknown(name))).transpose()?;
    let switched = switched_on(bug);
    ANY_CODE.set(any);
    Ok(switched)
}

/// What any code may do.
#[cfg(feature = "planted-bugs")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AnyCode {
    LoopsForEver,
    FailsAnAssertion,
}

#[cfg(feature = "planted-bugs")]
thread_local! {
    static ANY_CODE: std::cell::Cell<Option<AnyCode>> = const { std::cell::Cell::new(None) };
}

#[cfg(feature = "planted-bugs")]
impl AnyCode {
    /// With the event after so many others.
    const STEP: u64 = 700;

    fn named(name: &str) -> Option<Self> {
        match name {
            "endless-loop" => Some(Self::LoopsForEver),
            "assertion" => Some(Self::FailsAnAssertion),
            _ => None,
        }
    }
}

/// Strikes if it is time to, in the place of the code under test.
#[cfg(feature = "planted-bugs")]
pub(crate) fn strike(step: u64) {
    match ANY_CODE.get().filter(|_| step == AnyCode::STEP) {
        None => {}
        Some(AnyCode::FailsAnAssertion) => panic!("the planted assertion fails"),
        Some(AnyCode::LoopsForEver) => loop {
            std::thread::park();
        },
    }
}

#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn strike(_: u64) {}

/// Switches a bug on, in this thread, or all of them off.
#[cfg(feature = "planted-bugs")]
pub fn switched_on(bug: Option<Bug>) -> Switched {
    ANY_CODE.set(None);
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
        match crate::spelling::nearest(name, names.iter().map(String::as_str)) {
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
        {
            ANY_CODE.set(None);
            raft::planted::switch_on(None);
        }
    }
}
