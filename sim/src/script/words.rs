//! A line of a command and its words: how it is split into them, and how a text is written as one of them.

use super::error::ScriptError;
use super::parse::Line;

/// One word of a command: `word`, `"any text"`, `key=value` or `key=(value, value)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    pub(super) key: String,
    /// Absent in a plain word.
    pub(super) values: Option<Vec<String>>,
}

impl Argument {
    fn new(word: &str) -> Self {
        let Some((key, value)) = word.split_once('=') else { return Self { key: word.to_owned(), values: None } };
        let values = match value.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) => {
                inner.split(',').map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
            }
            None => vec![value.to_owned()],
        };
        Self { key: key.to_owned(), values: Some(values) }
    }
}

/// Splits at blanks outside of parentheses. A quotation mark begins a plain word that goes up to the next one; in it, a
/// backslash stands before a quotation mark or a backslash that belongs to the word.
pub(super) fn split(line: &Line) -> Result<Vec<Argument>, ScriptError> {
    let unclosed = |what| ScriptError::new(line.number, format!("{what} is not closed in \"{}\"", line.text));
    let mut arguments = Vec::new();
    let mut characters = line.text.chars().peekable();
    while let Some(&first) = characters.peek() {
        match first {
            ' ' | '\t' => drop(characters.next()),
            '"' => {
                characters.next();
                let text = quoted(&mut characters).ok_or_else(|| unclosed("a quotation mark"))?;
                arguments.push(Argument { key: text, values: None });
            }
            _ => {
                let word = unquoted(&mut characters).ok_or_else(|| unclosed("a parenthesis"))?;
                arguments.push(Argument::new(&word));
            }
        }
    }
    Ok(arguments)
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn quoted(characters: &mut Characters<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
}

fn unquoted(characters: &mut Characters<'_>) -> Option<String> {
    let mut word = String::new();
    let mut depth = 0_usize;
    while let Some(character) = characters.next_if(|character| depth > 0 || !matches!(character, ' ' | '\t')) {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        word.push(character);
    }
    (depth == 0).then_some(word)
}

/// The text as a word of a command, quoted if it would otherwise be read as something else. `None` if it cannot be
/// written in one line.
pub fn word(text: &str) -> Option<String> {
    let plain = |character: char| character.is_alphanumeric() || "-_.:/".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return Some(text.to_owned());
    }
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    // A backslash at the end of a line would continue it.
    (!text.contains(char::is_control)).then(|| format!("\"{quoted}\""))
}
