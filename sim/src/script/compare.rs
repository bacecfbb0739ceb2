//! Where what a script printed differs from what its transcript says.
//!
//! etcd's log lines are not compared: they are for people, and another implementation has other things to say.

use super::parse::Line;

/// The words that begin a log line.
const LOG_LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/// How many lines around a difference are shown.
const CONTEXT: usize = 3;

/// The first line of one command's output that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line of the transcript: that of the expected line or, if more was printed than expected, that of the last
    /// one.
    pub line: usize,
    /// The expected lines around it; the one in question is absent where more was printed than expected.
    pub expected: Excerpt,
    /// What was printed there.
    pub actual: Excerpt,
}

/// Some lines, one of which is in question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Up to three lines before it.
    pub before: Vec<String>,
    /// The line, unless the output ends before it.
    pub line: Option<String>,
    /// Up to three lines after it.
    pub after: Vec<String>,
}

/// The first difference between what `command` was expected to print and what it printed, log lines aside.
#[must_use]
pub fn difference(command: &Line, expected: &[Line], actual: &str) -> Option<Difference> {
    let expected = without_logs(command, expected);
    let actual: Vec<&str> = if actual.is_empty() { vec!["ok"] } else { actual.lines().collect() };
    let texts: Vec<&str> = expected.iter().map(|line| line.text.as_str()).collect();
    let at = (0..texts.len().max(actual.len())).find(|&at| texts.get(at) != actual.get(at))?;
    Some(Difference {
        line: expected[at.min(expected.len() - 1)].number,
        expected: Excerpt::around(&texts, at),
        actual: Excerpt::around(&actual, at),
    })
}

/// The lines that count. There is at least one, since a command that prints nothing prints `ok`.
fn without_logs(command: &Line, expected: &[Line]) -> Vec<Line> {
    let mut kept: Vec<Line> = expected.iter().filter(|line| !is_log(&line.text)).cloned().collect();
    // etcd's older transcripts mark output that the log level silences.
    if kept.is_empty() || (kept.len() == 1 && kept[0].text == "ok (quiet)") {
        let number = expected.first().unwrap_or(command).number;
        kept = vec![Line { number, text: "ok".to_owned() }];
    }
    kept
}

fn is_log(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| LOG_LEVELS.contains(&word))
}

impl Excerpt {
    fn around(lines: &[&str], at: usize) -> Self {
        let owned = |range: &[&str]| range.iter().map(|line| (*line).to_owned()).collect();
        let end = at.min(lines.len());
        Self {
            before: owned(&lines[end.saturating_sub(CONTEXT)..end]),
            line: lines.get(at).map(|line| (*line).to_owned()),
            after: owned(lines.get(at + 1..(at + 1 + CONTEXT).min(lines.len())).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(expected: &str, actual: &str) -> Option<Difference> {
        let lines = |(at, text): (usize, &str)| Line { number: 11 + at, text: text.to_owned() };
        let expected: Vec<Line> = expected.lines().enumerate().map(lines).collect();
        difference(&Line { number: 9, text: "status 1".to_owned() }, &expected, actual)
    }

    #[test]
    fn equal_output_has_no_difference() {
        assert_eq!(compare("a\n b", "a\n b\n"), None);
    }

    #[test]
    fn silence_is_ok() {
        assert_eq!(compare("ok", ""), None);
        assert_eq!(compare("ok (quiet)", ""), None);
        assert_eq!(compare("", ""), None);
        assert!(compare("a", "").is_some());
    }

    #[test]
    fn log_lines_do_not_count() {
        assert_eq!(
            compare("> 1 receiving messages\n  INFO 1 became leader\nERROR x\n  b", "> 1 receiving messages\n  b\n"),
            None
        );
        assert_eq!(compare("INFO only\n  DEBUG logs", ""), None);
        assert!(compare("INFORMED 1", "").is_some());
    }

    #[test]
    fn the_first_different_line_is_found_with_three_around_it() {
        let difference = compare("a\nb\nc\nd\ne\nf\ng\nh\ni", "a\nb\nc\nd\nE\nf").unwrap();
        assert_eq!(difference.line, 15);
        assert_eq!(difference.expected.before, ["b", "c", "d"]);
        assert_eq!(difference.expected.line.as_deref(), Some("e"));
        assert_eq!(difference.expected.after, ["f", "g", "h"]);
        assert_eq!(difference.actual.line.as_deref(), Some("E"));
        assert_eq!(difference.actual.after, ["f"]);
    }

    #[test]
    fn indentation_counts() {
        assert!(compare("  a", "a").is_some());
    }

    #[test]
    fn missing_and_surplus_lines_are_differences() {
        let missing = compare("a\nb", "a").unwrap();
        assert_eq!((missing.line, missing.expected.line.as_deref(), missing.actual.line), (12, Some("b"), None));
        let surplus = compare("a", "a\nb").unwrap();
        assert_eq!((surplus.line, surplus.expected.line, surplus.actual.line.as_deref()), (11, None, Some("b")));
    }
}
