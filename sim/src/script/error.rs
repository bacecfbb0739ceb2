//! What is wrong with a script, said so that its author finds the word at once.

use std::fmt;

use crate::spelling::nearest;

/// Something in a script that cannot be understood or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line it stands in, counted from one.
    pub line: usize,
    /// What is wrong, naming the word.
    pub problem: String,
    /// The known word that was most likely meant.
    pub nearest: Option<String>,
}

impl ScriptError {
    /// A problem in this line.
    pub fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into(), nearest: None }
    }

    /// Adds the word of `known` that is most like `word`, where one is like it at all.
    #[must_use]
    pub fn suggesting<'a>(mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = nearest(word, known).map(str::to_owned);
        self
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, shown(&self.problem))?;
        match &self.nearest {
            Some(nearest) => write!(f, "; the nearest known word is \"{nearest}\""),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ScriptError {}

/// The text without what a terminal would not print, cut to a length that somebody reads.
fn shown(text: &str) -> String {
    const MOST: usize = 2000;
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() >= MOST {
            return shown + "…";
        }
        match character {
            '\n' => shown.push('\n'),
            character if character.is_control() => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    shown
}
