//! Runs a transcript and compares: does a node behave as etcd's does?

use super::command::Command;
use super::compare::{self, Difference};
use super::environment::Environment;
use super::error::ScriptError;
use super::parse::{Block, Line, transcript};

/// A command that printed something else than its transcript says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The command.
    pub command: Line,
    /// Where its output first differs.
    pub difference: Difference,
}

/// Runs a transcript from its first command to its last. What differs, in order: nothing where it is identical. One
/// difference usually leads to others.
///
/// # Errors
/// The transcript cannot be understood, or a command of it cannot be carried out.
pub fn check(text: &str) -> Result<Vec<Mismatch>, ScriptError> {
    let blocks = transcript(text)?;
    let commands = blocks.iter().map(Command::parse).collect::<Result<Vec<_>, _>>()?;
    let mut environment = Environment::unchecked();
    let mut mismatches = Vec::new();
    for (Block { command: line, expected, .. }, command) in blocks.into_iter().zip(commands) {
        let actual = environment.run(&command).map_err(|trouble| ScriptError::new(line.number, trouble.to_string()))?;
        if let Some(difference) = compare::difference(&line, &expected, &actual) {
            mismatches.push(Mismatch { command: line, difference });
        }
    }
    Ok(mismatches)
}
