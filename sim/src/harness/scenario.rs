//! Any text, read as a script.

use crate::script::{self, Block, Command, ScriptError};

/// Reads bytes as a scenario and as a transcript: each is read, or refused with an error that names one of its lines.
///
/// # Panics
/// If the error names no line of the text, or a command stands in none.
pub fn scenario(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    check(&text, script::scenario(&text));
    check(&text, script::transcript(&text));
}

fn check(text: &str, read: Result<Vec<Block>, ScriptError>) {
    match read {
        Ok(blocks) => {
            for block in &blocks {
                check_line(text, block.command.number);
                if let Err(error) = Command::parse(block) {
                    check_line(text, error.line);
                }
            }
        }
        Err(error) => check_line(text, error.line),
    }
}

fn check_line(text: &str, number: usize) {
    let lines = text.lines().count();
    assert!((1..=lines).contains(&number), "line {number} of {lines} lines is named");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_text_is_read_or_refused_with_a_line(text in "([a-z#(\\[ =,)\\]\"\\\\-]{0,12}\n|----\n|\n){0,9}") {
            scenario(text.as_bytes());
        }
    }

    #[test]
    #[should_panic(expected = "line 3 of 2 lines")]
    fn an_error_in_a_line_that_does_not_exist_is_noticed() {
        check("one\ntwo\n", Err(ScriptError::new(3, "elsewhere")));
    }
}
