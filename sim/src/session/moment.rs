//! One moment of a session: what led to it, and the world in it.

use crate::script::Block;
use crate::script::environment::Environment;
use crate::trace::Ending;
use crate::world::Event;

/// What a command led to, or the beginning.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// Which one of all that there have been, the undone and forgotten ones included.
    pub(super) number: u64,
    /// What was typed, in one line.
    pub(super) typed: String,
    /// What a scenario says for it.
    pub(super) said: Vec<Said>,
    /// What happened.
    pub(super) events: Vec<Event>,
    /// What it led to.
    pub(super) environment: Environment,
    /// The planted bug that is on.
    pub(super) bug: Option<String>,
    /// What broke.
    pub(super) broken: Option<Ending>,
}

/// A part of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// Lines, each with its end.
    Words(String),
    /// An event for which there are no words.
    NoWords {
        /// The event, by the count of those before it.
        step: u64,
        /// What it is called.
        event: String,
        /// What is missing.
        why: &'static str,
    },
}

impl Moment {
    /// Nothing has happened.
    pub(super) fn first() -> Self {
        Self {
            number: 0,
            typed: String::new(),
            said: Vec::new(),
            events: Vec::new(),
            environment: Environment::new(),
            bug: None,
            broken: None,
        }
    }
}

/// A block as it stands in a scenario.
pub(super) fn text(block: &Block) -> String {
    let comments = block.comments.iter().map(|line| format!("{}\n", line.text.trim()));
    let input = block.input.iter().map(|line| format!("  {}\n", line.text));
    comments.chain([format!("{}\n", block.command.text)]).chain(input).collect()
}
