//! What a session answers to a line.

use std::path::PathBuf;

use crate::script::ScriptError;
use crate::trace::{Ending, Trace};

/// What to print, what went wrong, and what is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What to print: nothing, or lines each with its end.
    pub text: String,
    /// What went wrong.
    pub problem: Option<Problem>,
    /// What the session cannot do by itself.
    pub deed: Option<Deed>,
}

/// What went wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It makes no sense, or not here. Nothing has changed.
    Misunderstood(ScriptError),
    /// An expectation is not met. Nothing has changed.
    Unmet(ScriptError),
    /// A property does not hold, or an assertion failed.
    Broken(Ending),
}

/// What whoever runs a session does for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The session is over.
    Quit,
    /// A file is to be written, and the session to be told that it [was](super::Session::was_saved).
    Save {
        /// Which.
        file: PathBuf,
        /// Whether it may take the place of one.
        replaces: bool,
        /// What it is to hold.
        contents: Contents,
    },
}

/// The session, as a file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// A scenario.
    Scenario(String),
    /// A trace.
    Trace(Box<Trace>),
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        Self { problem: Some(problem), ..Self::default() }
    }
}
