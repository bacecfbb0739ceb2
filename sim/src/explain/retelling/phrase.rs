//! A command with the words that say it.

use crate::script::Command;
use crate::script::parse::{Block, Line};

/// One command of a scenario that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    words: Vec<String>,
    input: Vec<String>,
    command: Command,
}

impl Phrase {
    /// The command that these words say, if they say one.
    pub(super) fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Option<Self> {
        Self::with_input(words, Vec::new())
    }

    /// The command that these words say, with these lines below it.
    pub(super) fn with_input<W: Into<String>>(words: impl IntoIterator<Item = W>, input: Vec<String>) -> Option<Self> {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        let line = |text: &str| Line { number: 1, text: text.to_owned() };
        let block = Block {
            comments: Vec::new(),
            command: line(&words.join(" ")),
            input: input.iter().map(|text| line(text)).collect(),
            expected: Vec::new(),
        };
        let command = Command::parse(&block).ok()?;
        Some(Self { words, input, command })
    }

    /// What they mean.
    pub(crate) const fn command(&self) -> &Command {
        &self.command
    }

    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    /// The same phrase without one of its words, if that is still a command.
    pub(super) fn without(&self, position: usize) -> Option<Self> {
        let mut words = self.words.clone();
        words.remove(position);
        Self::with_input(words, self.input.clone())
    }

    /// As it stands in a scenario.
    pub(crate) fn text(&self) -> String {
        let input = self.input.iter().map(|line| format!("  {line}\n"));
        std::iter::once(self.words.join(" ") + "\n").chain(input).collect()
    }
}
