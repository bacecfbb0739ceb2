//! Runs transcripts and compares: does a node behave as etcd's does?

use std::fmt;
use std::path::{Path, PathBuf};

use super::command::Command;
use super::compare::{self, Difference, Excerpt};
use super::environment::Environment;
use super::error::ScriptError;
use super::parse::{Block, Line, transcript};
use crate::input;
use crate::panics::caught;

/// How a transcript compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every command printed exactly what the transcript says.
    Identical,
    /// These commands did not, in order. The first difference usually leads to the others.
    Different(Vec<Mismatch>),
    /// Why the file cannot be read or understood, or a command cannot be carried out.
    Unusable(String),
}

/// A command that printed something else than its transcript says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The command.
    pub command: Line,
    /// Where its output first differs.
    pub difference: Difference,
}

/// The transcripts that the paths stand for: files as they are, folders with all `.txt` files below them, as
/// [`input::files`] says.
#[must_use]
pub fn transcripts(paths: &[PathBuf]) -> Vec<PathBuf> {
    input::files(paths, "txt")
}

/// Reads a transcript and runs it. If a node panics, which is a bug of ours, the other files are still checked.
#[must_use]
pub fn check_file(path: &Path) -> Verdict {
    let text = match input::text(path) {
        Ok(text) => text,
        Err(error) => return Verdict::Unusable(error.to_string()),
    };
    if transcript(&text).is_ok_and(|blocks| blocks.is_empty()) {
        return Verdict::Unusable("holds no command: nothing to compare".to_owned());
    }
    match caught(|| check(&text)) {
        Ok(Ok(mismatches)) if mismatches.is_empty() => Verdict::Identical,
        Ok(Ok(mismatches)) => Verdict::Different(mismatches),
        Ok(Err(error)) => Verdict::Unusable(error.to_string()),
        Err(panic) => Verdict::Unusable(format!("a node panicked: {panic}")),
    }
}

/// Runs a transcript from its first command to its last. Returns what differs, in order; nothing if all is identical.
///
/// ```
/// let transcript = "add-nodes 1\n----\nok\n\nraft-state\n----\n1: StateLeader (Voter) Term:0 Lead:0\n";
/// let mismatches = sim::script::check(transcript)?;
/// assert_eq!(mismatches[0].difference.line, 7);
/// assert_eq!(mismatches[0].difference.actual.line.as_deref(), Some("1: StateFollower (Non-Voter) Term:0 Lead:0"));
/// # Ok::<(), sim::script::ScriptError>(())
/// ```
///
/// # Errors
/// The transcript cannot be understood, or a command of it cannot be carried out.
pub fn check(text: &str) -> Result<Vec<Mismatch>, ScriptError> {
    let blocks = transcript(text)?;
    let commands = blocks.iter().map(Command::parse).collect::<Result<Vec<_>, _>>()?;
    let mut environment = Environment::like_etcd();
    let mut mismatches = Vec::new();
    for (Block { command: line, expected, .. }, command) in blocks.into_iter().zip(commands) {
        let actual = environment.run(&command).map_err(|trouble| ScriptError::new(line.number, trouble.to_string()))?;
        if let Some(difference) = compare::difference(&line, &expected, &actual) {
            mismatches.push(Mismatch { command: line, difference });
        }
    }
    Ok(mismatches)
}

impl fmt::Display for Mismatch {
    /// The expected and the actual lines, with those around them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, difference: Difference { line: _, expected, actual } } = self;
        writeln!(f, "output of \"{}\" in line {}", command.text, command.number)?;
        write!(f, "  expected\n{expected}  actual\n{actual}")
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, line, after } = self;
        before.iter().try_for_each(|text| writeln!(f, "      {text}"))?;
        match line {
            Some(text) => writeln!(f, "    > {text}")?,
            None => writeln!(f, "    > (the output ends here)")?,
        }
        after.iter().try_for_each(|text| writeln!(f, "      {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_shows_both_sides() {
        let mismatches = check("add-nodes 1\n----\nok\n\nraft-log 1\n----\nlog is empty\nand more\n").unwrap();
        insta::assert_snapshot!(mismatches[0].to_string(), @r#"
        output of "raft-log 1" in line 5
          expected
            > log is empty
              and more
          actual
            > log is empty: first index=1, last index=0
        "#);
    }

    #[test]
    fn what_cannot_be_understood_or_done_is_an_error_with_its_line() {
        let message = |text| check(text).unwrap_err().to_string();
        assert_eq!(
            message("\ncampain 1\n----\nok\n"),
            "line 2: there is no command \"campain\"; the nearest known word is \"campaign\""
        );
        assert_eq!(message("campaign 1\n----\nok\n"), "line 1: node 1 never started");
    }

    /// Cases that etcd's implementation decides in a way that is easily missed.
    #[test]
    fn a_node_that_restarts_before_it_wrote_anything_is_in_term_zero() {
        let restarted = "add-nodes 1 voters=(1,2) index=5\n----\nok\n\nrestart 1\n----\nok\n\nraft-state\n----\n\
                         1: StateFollower (Voter) Term:0 Lead:0\n";
        assert_eq!(check(restarted), Ok(vec![]));
    }

    #[test]
    fn the_application_of_etcds_tests_hands_out_only_what_it_applied_itself() {
        let received = "\
            add-nodes 1 voters=(1,2) index=5\n----\nok\n\n\
            add-nodes 1\n----\nok\n\n\
            campaign 1\n----\nok\n\n\
            send-snapshot 1 2\n----\n1->2 MsgSnap Term:1 Log:0/0\n  \
            Snapshot: Index:5 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false\n\n\
            deliver-msgs 2\n----\n1->2 MsgSnap Term:1 Log:0/0\n  \
            Snapshot: Index:5 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false\n\n\
            process-ready 2\n----\nReady MustSync=true:\nLead:1 State:StateFollower\nHardState Term:1 Commit:5\n\
            Snapshot Index:5 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false\n\
            Messages:\n2->1 MsgAppResp Term:1 Log:0/5\n\n\
            send-snapshot 2 1\n----\n2->1 MsgSnap Term:1 Log:0/0\n";
        assert_eq!(check(received), Ok(vec![]));
    }

    #[test]
    fn a_file_that_is_not_there_is_unusable() {
        assert!(matches!(check_file(Path::new("no/such/file.txt")), Verdict::Unusable(_)));
        assert_eq!(transcripts(&["no/such/folder".into()]), [PathBuf::from("no/such/folder")]);
    }
}
