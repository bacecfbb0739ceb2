//! The words of a command, read one by one. A word that is missing, malformed or left over is reported with its line.

use super::error::ScriptError;
use super::meaning::{Meaning, Wanted};
use super::parse::{Block, Line};
use super::words::{Argument, split};

/// The arguments of one command that have not been read yet.
///
/// A command reads what it knows and then calls [`finish`](Self::finish), which refuses the rest. The keys it asked for
/// on the way are those that a misspelt one is compared with.
#[derive(Clone, Debug)]
pub struct Arguments<'a> {
    block: &'a Block,
    name: String,
    unread: Vec<Argument>,
    asked: Vec<&'static str>,
}

impl<'a> Arguments<'a> {
    /// Splits the command's line.
    ///
    /// # Errors
    /// A parenthesis or a quotation mark that is not closed.
    pub fn new(block: &'a Block) -> Result<Self, ScriptError> {
        let mut unread = split(&block.command)?;
        let name = if unread.is_empty() { String::new() } else { unread.remove(0).key };
        Ok(Self { block, name, unread, asked: Vec::new() })
    }

    /// The command's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line the command stands in.
    pub fn line(&self) -> usize {
        self.block.command.number
    }

    /// The command's lines of input.
    pub fn input(&self) -> &'a [Line] {
        &self.block.input
    }

    /// An error in the command's line.
    pub fn error(&self, problem: impl Into<String>) -> ScriptError {
        ScriptError::new(self.line(), problem)
    }

    /// The next plain word, where there is one.
    pub fn word(&mut self) -> Option<String> {
        let position = self.unread.iter().position(|argument| argument.values.is_none())?;
        Some(self.unread.remove(position).key)
    }

    /// The next plain word, parsed; `what` says what it means.
    ///
    /// # Errors
    /// There is none, or it does not parse.
    pub fn required<T: Meaning>(&mut self, what: &str) -> Result<T, ScriptError> {
        let word = self.word().ok_or_else(|| self.error(format!("\"{}\" needs {what}", self.name)))?;
        self.parse(&word, what)
    }

    /// The other plain words, each parsed.
    ///
    /// # Errors
    /// One does not parse.
    pub fn rest<T: Meaning>(&mut self, what: &str) -> Result<Vec<T>, ScriptError> {
        std::iter::from_fn(|| self.word()).collect::<Vec<_>>().iter().map(|word| self.parse(word, what)).collect()
    }

    /// The next `key=value` whose key nobody asked for, as it stands: for commands whose keys are data.
    pub fn pair(&mut self) -> Option<(String, String)> {
        let position = self.unread.iter().position(|argument| argument.values.is_some())?;
        let argument = self.unread.remove(position);
        argument.values.map(|values| (argument.key, values.join(",")))
    }

    /// Whether a `key=value` is left that nobody asked for.
    pub fn has_pairs(&self) -> bool {
        self.unread.iter().any(|argument| argument.values.is_some())
    }

    /// The plain words and the values of `key`, in the order in which they stand. `true` marks the values of `key`.
    ///
    /// # Errors
    /// One does not parse.
    pub fn rest_and_values<T: Meaning>(
        &mut self,
        what: &str,
        key: &'static str,
    ) -> Result<Vec<(bool, T)>, ScriptError> {
        self.asked.push(key);
        let is_read = |argument: &Argument| argument.values.is_none() || argument.key == key;
        let (read, unread) = std::mem::take(&mut self.unread).into_iter().partition::<Vec<_>, _>(is_read);
        self.unread = unread;
        let mut parsed = Vec::new();
        for argument in read {
            match argument.values {
                None => parsed.push((false, self.parse(&argument.key, what)?)),
                Some(values) => {
                    for value in values {
                        parsed.push((true, self.parse(&value, key)?));
                    }
                }
            }
        }
        Ok(parsed)
    }

    /// The value of `key=value`, where it stands.
    ///
    /// # Errors
    /// It does not parse, or more than one is given.
    pub fn value<T: Meaning>(&mut self, key: &'static str) -> Result<Option<T>, ScriptError> {
        let mut values = self.values(key)?;
        match values.len() {
            0 => Ok(None),
            1 => Ok(values.pop()),
            count => Err(self.error(format!("\"{key}\" takes one value, not {count}"))),
        }
    }

    /// The value of `key=value`.
    ///
    /// # Errors
    /// It is missing or does not parse.
    pub fn required_value<T: Meaning>(&mut self, key: &'static str) -> Result<T, ScriptError> {
        let value = self.value(key)?;
        value.ok_or_else(|| self.error(format!("\"{}\" needs {key}=", self.name)))
    }

    /// Like [`values`](Self::values), but tells a key that is absent from the empty list `key=()`.
    ///
    /// # Errors
    /// One does not parse.
    pub fn list<T: Meaning>(&mut self, key: &'static str) -> Result<Option<Vec<T>>, ScriptError> {
        let stands = self.unread.iter().any(|argument| argument.values.is_some() && argument.key == key);
        self.values(key).map(|values| stands.then_some(values))
    }

    /// The values of `key=value` or `key=(value, value)`; none where it does not stand.
    ///
    /// # Errors
    /// One does not parse.
    pub fn values<T: Meaning>(&mut self, key: &'static str) -> Result<Vec<T>, ScriptError> {
        self.asked.push(key);
        let position = self.unread.iter().position(|argument| argument.values.is_some() && argument.key == key);
        let Some(position) = position else { return Ok(Vec::new()) };
        let values = self.unread.remove(position).values.unwrap_or_default();
        values.iter().map(|value| self.parse(value, key)).collect()
    }

    /// Refuses what has not been read.
    ///
    /// # Errors
    /// Something has not been read.
    pub fn finish(&self) -> Result<(), ScriptError> {
        let Some(argument) = self.unread.first() else { return Ok(()) };
        let error = self.error(format!("\"{}\" does not know the argument \"{}\"", self.name, argument.key));
        Err(error.suggesting(&argument.key, self.asked.iter().copied()))
    }

    /// Refuses input, for a command that takes none.
    ///
    /// # Errors
    /// There is some.
    pub fn no_input(&self) -> Result<(), ScriptError> {
        match self.input().first() {
            Some(line) => {
                Err(ScriptError::new(line.number, format!("\"{}\" takes no input: \"{}\"", self.name, line.text)))
            }
            None => Ok(()),
        }
    }

    fn parse<T: Meaning>(&self, word: &str, what: &str) -> Result<T, ScriptError> {
        T::from_word(word).map_err(|wanted| match wanted {
            Wanted::Kind(kind) => self.error(format!("{what}: \"{word}\" is not {kind}")),
            Wanted::Number { least, most } => {
                self.error(format!("{what}: \"{word}\" is not a number from {least} to {most}"))
            }
            Wanted::OneOf(known) => self
                .error(format!("{what}: \"{word}\" is none of {}", known.join(", ")))
                .suggesting(word, known.iter().copied()),
        })
    }
}

#[cfg(test)]
mod tests {
    use raft::NodeId;

    use super::super::words::word;
    use super::*;

    fn block(text: &str) -> Block {
        Block {
            comments: Vec::new(),
            command: Line { number: 7, text: text.to_owned() },
            input: Vec::new(),
            expected: Vec::new(),
        }
    }

    #[test]
    fn words_and_keys_are_read_in_any_order() {
        let block = block("deliver-msgs type=MsgApp 1  2 drop=(3, 4) x=(a)");
        let mut arguments = Arguments::new(&block).unwrap();
        assert_eq!(arguments.name(), "deliver-msgs");
        assert_eq!(arguments.rest::<u64>("a node").unwrap(), [1, 2]);
        assert_eq!(arguments.values::<u64>("drop").unwrap(), [3, 4]);
        assert_eq!(arguments.value::<String>("type").unwrap().as_deref(), Some("MsgApp"));
        assert_eq!(arguments.values::<String>("x").unwrap(), ["a"]);
        assert!(arguments.values::<u64>("absent").unwrap().is_empty());
        assert_eq!(arguments.finish(), Ok(()));
    }

    #[test]
    fn every_text_of_one_line_can_be_written_as_a_word() {
        for text in ["", "plain", "c1.2 k3=a b", "\"", "a\\", "(", "key=value", " ", "#", "ä"] {
            let block = block(&format!("propose {}", word(text).unwrap()));
            let mut arguments = Arguments::new(&block).unwrap();
            assert_eq!(arguments.word().as_deref(), Some(text));
            assert_eq!(arguments.finish(), Ok(()));
        }
        assert_eq!(word("two\nlines"), None);
    }

    #[test]
    fn a_quotation_mark_must_be_closed() {
        let block = block("propose 1 \"a b");
        let error = Arguments::new(&block).unwrap_err();
        assert_eq!(error.to_string(), "line 7: a quotation mark is not closed in \"propose 1 \"a b\"");
    }

    #[test]
    fn what_no_one_reads_is_refused_with_the_nearest_key() {
        let block = block("step 1 trem=3");
        let mut arguments = Arguments::new(&block).unwrap();
        let _: Option<u64> = arguments.value("term").unwrap();
        let _: Option<u64> = arguments.value("index").unwrap();
        let _: NodeId = arguments.required("a node").unwrap();
        let error = arguments.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 7: \"step\" does not know the argument \"trem\"; the nearest known word is \"term\""
        );
    }

    #[test]
    fn a_bad_value_is_named_with_what_it_should_be() {
        let block = block("tick 0 many validate=flase");
        let mut arguments = Arguments::new(&block).unwrap();
        let message = |result: Result<(), ScriptError>| result.unwrap_err().to_string();
        assert_eq!(
            message(arguments.required::<NodeId>("the node").map(drop)),
            "line 7: the node: \"0\" is not the number of a node"
        );
        assert_eq!(
            message(arguments.required::<u64>("the ticks").map(drop)),
            "line 7: the ticks: \"many\" is not a number from 0 to 18446744073709551615"
        );
        assert_eq!(message(arguments.required::<u64>("more").map(drop)), "line 7: \"tick\" needs more");
        assert_eq!(
            message(arguments.value::<bool>("validate").map(drop)),
            "line 7: validate: \"flase\" is none of true, false; the nearest known word is \"false\""
        );
    }

    #[test]
    fn words_and_one_key_can_be_read_in_their_order() {
        let block = block("deliver-msgs 3 type=MsgApp drop=(1,2) 4");
        let mut arguments = Arguments::new(&block).unwrap();
        let read: Vec<(bool, u64)> = arguments.rest_and_values("a node", "drop").unwrap();
        assert_eq!(read, [(false, 3), (true, 1), (true, 2), (false, 4)]);
        assert_eq!(arguments.pair(), Some(("type".to_owned(), "MsgApp".to_owned())));
        assert_eq!(arguments.pair(), None);
    }

    #[test]
    fn an_open_parenthesis_is_refused() {
        let error = Arguments::new(&block("add-nodes 3 voters=(1,2")).unwrap_err();
        assert_eq!(error.to_string(), "line 7: a parenthesis is not closed in \"add-nodes 3 voters=(1,2\"");
    }
}
