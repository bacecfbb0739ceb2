//! The shape of script files: which lines are commands, their input, and the output they are expected to print.
//!
//! There are two kinds. A *transcript* is etcd's data-driven form: a command, lines of input, `----`, the expected
//! output up to a blank line (or, where the separator is doubled, up to the next doubled one). A *scenario* holds only
//! commands and comments; the input of a command is indented below it.

use super::error::ScriptError;

/// A command as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The comments above it.
    pub comments: Vec<Line>,
    /// The command itself.
    pub command: Line,
    /// Its lines of input.
    pub input: Vec<Line>,
    /// What a transcript says it prints; nothing in a scenario.
    pub expected: Vec<Line>,
}

/// A line and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from one.
    pub number: usize,
    /// Without its end.
    pub text: String,
}

/// Reads a transcript.
///
/// # Errors
/// A command without a separator below it, or a doubled separator that is never closed.
pub fn transcript(text: &str) -> Result<Vec<Block>, ScriptError> {
    let mut lines = Lines::new(text);
    let mut blocks = Vec::new();
    while let Some(command) = lines.next_command()? {
        let input = lines.input(&command)?;
        let expected = lines.expected(&command)?;
        blocks.push(Block { comments: Vec::new(), command, input, expected });
    }
    Ok(blocks)
}

/// Reads a scenario.
///
/// # Errors
/// An indented line with no command above it, or a separator, which belongs to transcripts.
pub fn scenario(text: &str) -> Result<Vec<Block>, ScriptError> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut comments = Vec::new();
    for line in Lines::new(text).filter(|line| !line.text.trim().is_empty()) {
        if line.text.trim_end() == SEPARATOR {
            return Err(ScriptError::new(
                line.number,
                "a scenario holds only commands: its output stands in its snapshot",
            ));
        }
        if is_skipped(&line.text) {
            comments.push(line);
        } else if !line.text.starts_with([' ', '\t']) {
            let comments = std::mem::take(&mut comments);
            blocks.push(Block { comments, command: line, input: Vec::new(), expected: Vec::new() });
        } else if let Some(block) = blocks.last_mut() {
            block.input.push(Line { text: line.text.trim().to_owned(), ..line });
        } else {
            return Err(ScriptError::new(line.number, "an indented line is input, and no command stands above it"));
        }
    }
    Ok(blocks)
}

const SEPARATOR: &str = "----";

fn is_skipped(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.starts_with('#')
}

struct Lines<'a> {
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        // Some editors put a byte order mark before a text.
        Self { lines: text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() }
    }

    /// The next line that begins a block, joined with those it continues on after a backslash.
    fn next_command(&mut self) -> Result<Option<Line>, ScriptError> {
        let Some(mut command) = self.find(|line| !is_skipped(&line.text)) else { return Ok(None) };
        if command.text == SEPARATOR {
            return Err(ScriptError::new(command.number, "output without a command above it"));
        }
        while let Some(unfinished) = command.text.strip_suffix('\\') {
            let continuation = self.next().map(|line| line.text).unwrap_or_default();
            command.text = format!("{unfinished} {}", continuation.trim());
        }
        Ok(Some(command))
    }

    fn input(&mut self, command: &Line) -> Result<Vec<Line>, ScriptError> {
        let mut input = Vec::new();
        for line in self.by_ref() {
            if line.text == SEPARATOR {
                return Ok(input);
            }
            if !line.text.trim().is_empty() {
                input.push(line);
            }
        }
        Err(ScriptError::new(command.number, format!("no ---- follows \"{}\"", command.text)))
    }

    fn expected(&mut self, command: &Line) -> Result<Vec<Line>, ScriptError> {
        match self.next() {
            None => Ok(Vec::new()),
            Some(line) if line.text == SEPARATOR => self.expected_with_blank_lines(command),
            Some(line) => {
                Ok(std::iter::once(line).chain(self.by_ref()).take_while(|line| !line.text.trim().is_empty()).collect())
            }
        }
    }

    fn expected_with_blank_lines(&mut self, command: &Line) -> Result<Vec<Line>, ScriptError> {
        let mut expected: Vec<Line> = Vec::new();
        for line in self.by_ref() {
            if line.text == SEPARATOR && expected.pop_if(|last| last.text == SEPARATOR).is_some() {
                return Ok(expected);
            }
            expected.push(line);
        }
        Err(ScriptError::new(command.number, format!("the doubled ---- below \"{}\" is not closed", command.text)))
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        self.lines.next().map(|(before, text)| Line { number: before + 1, text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line]) -> Vec<(usize, &str)> {
        lines.iter().map(|line| (line.number, line.text.as_str())).collect()
    }

    #[test]
    fn a_transcript_is_commands_with_input_and_expected_output() {
        let blocks =
            transcript("# why\n\ncampaign 1\n----\nok\n\n\nstep 2 \\\n  term=3\n1/2 foo\n----\na\n b\n").unwrap();
        assert_eq!(
            texts(&[blocks[0].command.clone(), blocks[1].command.clone()]),
            [(3, "campaign 1"), (8, "step 2  term=3")]
        );
        assert_eq!((texts(&blocks[0].input), texts(&blocks[0].expected)), (vec![], vec![(5, "ok")]));
        assert_eq!(
            (texts(&blocks[1].input), texts(&blocks[1].expected)),
            (vec![(10, "1/2 foo")], vec![(12, "a"), (13, " b")])
        );
    }

    #[test]
    fn a_doubled_separator_lets_output_hold_blank_lines_and_separators() {
        let blocks = transcript("status 1\n----\n----\na\n\n----\nb\n----\n----\n\nnext\n----\n").unwrap();
        assert_eq!(texts(&blocks[0].expected), [(4, "a"), (5, ""), (6, "----"), (7, "b")]);
        assert_eq!(blocks[1].command.text, "next");
        assert_eq!(blocks[1].expected, []);
    }

    #[test]
    fn a_transcript_that_breaks_off_says_where() {
        assert_eq!(transcript("\nstatus 1\n").unwrap_err().to_string(), "line 2: no ---- follows \"status 1\"");
        assert_eq!(transcript("----\n").unwrap_err().line, 1);
        assert_eq!(
            transcript("a\n----\n----\nx\n").unwrap_err().to_string(),
            "line 1: the doubled ---- below \"a\" is not closed"
        );
    }

    #[test]
    fn a_scenario_is_commands_with_indented_input() {
        let blocks =
            scenario("# why\ncampaign 1\n\npropose-conf-change 1\n  v4 r1\n  # not input\nstatus 1\n").unwrap();
        assert_eq!(blocks.iter().map(|block| block.command.number).collect::<Vec<_>>(), [2, 4, 7]);
        assert_eq!(texts(&blocks[1].input), [(5, "v4 r1")]);
        assert_eq!(texts(&blocks[0].comments), [(1, "# why")]);
    }

    #[test]
    fn a_scenario_holds_neither_output_nor_input_without_a_command() {
        assert_eq!(scenario("status 1\n----\nok\n").unwrap_err().line, 2);
        assert_eq!(scenario("  v4\n").unwrap_err().line, 1);
    }
}
