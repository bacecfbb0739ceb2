//! What a line asks for: a command of the session, or one of the scenario language.

use std::path::PathBuf;

use super::forms;
use crate::script::{Block, Command, ScriptError};

/// What a line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Undo(usize),
    Redo(usize),
    Events,
    /// The event of this number.
    Pick(usize),
    Nodes,
    Messages,
    Check,
    Output,
    List,
    Save {
        file: PathBuf,
        replaces: bool,
    },
    Help(Option<String>),
    Quit,
    /// A command of the scenario language.
    Command,
}

impl Asked {
    /// What this block asks for.
    ///
    /// # Errors
    /// There is no such command, or its arguments make no sense.
    pub(super) fn by(block: &Block) -> Result<Self, ScriptError> {
        let text = &block.command.text;
        let (name, rest) = text.split_once([' ', '\t']).map_or((text.as_str(), ""), |(name, rest)| (name, rest.trim()));
        let asked = match name {
            "undo" => Self::Undo(times(block, name, rest)?),
            "redo" => Self::Redo(times(block, name, rest)?),
            "pick" => Self::Pick(position(block, rest)?),
            "save" | "save!" if rest.is_empty() => {
                return Err(error(block, format!("\"{name}\" needs the name of a file, such as {name} mine.txt")));
            }
            "save" | "save!" => Self::Save { file: rest.into(), replaces: name == "save!" },
            "help" => Self::Help(Some(rest.to_owned()).filter(|topic| !topic.is_empty())),
            "events" => alone(block, rest, Self::Events)?,
            "nodes" => alone(block, rest, Self::Nodes)?,
            "messages" => alone(block, rest, Self::Messages)?,
            "check" => alone(block, rest, Self::Check)?,
            "output" => alone(block, rest, Self::Output)?,
            "list" => alone(block, rest, Self::List)?,
            "quit" | "exit" => alone(block, rest, Self::Quit)?,
            _ if rest.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self::Pick(position(block, name)?)
            }
            name if Command::names().any(|known| known == name) => Self::Command,
            name => {
                let problem = format!("there is no command \"{name}\", and help lists them all");
                return Err(error(block, problem).suggesting(name, forms::names()));
            }
        };
        match block.input.first() {
            Some(line) if asked != Self::Command => {
                Err(ScriptError::new(line.number, format!("\"{name}\" takes no input: \"{}\"", line.text)))
            }
            Some(_) | None => Ok(asked),
        }
    }
}

fn error(block: &Block, problem: String) -> ScriptError {
    ScriptError::new(block.command.number, problem)
}

fn alone(block: &Block, rest: &str, asked: Asked) -> Result<Asked, ScriptError> {
    if rest.is_empty() {
        Ok(asked)
    } else {
        Err(error(block, format!("\"{rest}\" is too much: that command stands alone")))
    }
}

fn times(block: &Block, name: &str, rest: &str) -> Result<usize, ScriptError> {
    let count = if rest.is_empty() { Some(1) } else { rest.parse().ok().filter(|count| *count > 0) };
    count.ok_or_else(|| error(block, format!("\"{name}\" takes a number above 0, or nothing, not \"{rest}\"")))
}

fn position(block: &Block, rest: &str) -> Result<usize, ScriptError> {
    rest.parse().map_err(|_| error(block, "\"pick\" needs the number of an event: events lists them".to_owned()))
}
