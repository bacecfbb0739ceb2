//! What the line editor asks of a session: how a line goes on, and what to show behind it.

use std::borrow::Cow;

use crate::session::Vocabulary;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper, Result};

/// Completes and hints, with the words that make sense now.
pub(super) struct Assistant {
    vocabulary: Vocabulary,
    files: FilenameCompleter,
    colours: bool,
}

impl Assistant {
    pub(super) fn new(vocabulary: Vocabulary, colours: bool) -> Self {
        Self { vocabulary, files: FilenameCompleter::new(), colours }
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, context: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        if line.starts_with("save ") || line.starts_with("save! ") {
            return self.files.complete(line, at, context);
        }
        let (begins, words) = self.vocabulary.completed(&line[..at]);
        let pair = |word: String| {
            // What takes a value goes on at once.
            let ends = if word.ends_with('=') { "" } else { " " };
            Pair { replacement: format!("{word}{ends}"), display: word }
        };
        Ok((begins, words.into_iter().map(pair).collect()))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, at: usize, _: &Context<'_>) -> Option<String> {
        if at < line.len() { None } else { self.vocabulary.hint(line) }
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colours { Cow::Owned(format!("\x1b[90m{hint}\x1b[0m")) } else { Cow::Borrowed(hint) }
    }
}

impl Validator for Assistant {}

impl Helper for Assistant {}
