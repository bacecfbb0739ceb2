//! The form of each command and what it means: those of a session, which stand here, and those of the scenario language, which stand in
//! the tables of its description.

use std::sync::LazyLock;

use crate::script::Command;

/// The description of the scenario language.
const LANGUAGE: &str = include_str!("../../../scenarios/README.md");

/// The commands of a session.
pub(super) const SESSION: &[(&str, &str)] = &[
    (
        "events",
        "what can happen next, numbered: by itself, then campaigns, crashes and restarts, then losses and doubles",
    ),
    ("pick N", "lets event N of that list happen; so does the number alone"),
    (
        "run N [seed=S]",
        "N events that are no faults, in an order that the seed decides: the number of events so far, if none is named",
    ),
    ("undo [N]", "takes back the last command, or the last N"),
    ("redo [N]", "does again what was undone"),
    ("nodes", "the state of each node"),
    ("messages", "what is in flight, with the words that select it"),
    ("output", "all that the last command printed"),
    ("check", "whether the clients' histories have an order, and whether the cluster would converge: tried on copies"),
    ("list", "the scenario so far"),
    ("save FILE", "writes the scenario; to FILE.jsonl, a trace"),
    ("save! FILE", "the same, also where there is such a file already"),
    ("help [COMMAND]", "what a command does; without one, all there are"),
    ("quit", "ends the session, as the end of the input does"),
];

/// Some forms of commands with one meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// The heading that it stands under.
    pub(super) topic: &'static str,
    /// The names of the commands.
    pub(super) names: Vec<&'static str>,
    /// How they are written. One that begins with no name goes on with what those above it say.
    pub(super) forms: Vec<String>,
    pub(super) meaning: String,
}

/// All rows of the description.
pub(super) fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(read);
    &ROWS
}

fn read() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut topic = "";
    for line in LANGUAGE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            topic = heading;
        }
        let cells =
            line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")).and_then(|row| row.split_once(" | "));
        let Some((forms, meaning)) = cells.filter(|(forms, _)| forms.contains('`')) else { continue };
        let goes_on = forms.starts_with('…');
        let forms: Vec<&'static str> = forms.split('`').skip(1).step_by(2).collect();
        let is_name = |word: &&'static str| Command::names().any(|name| name == *word);
        let mut names: Vec<&'static str> =
            forms.iter().filter_map(|form| form.split(' ').next()).filter(is_name).collect();
        names.dedup();
        if goes_on {
            names = rows.last().map(|row| row.names.clone()).unwrap_or_default();
        }
        let plain = |text: &str| text.replace("\\|", "|").replace('`', "");
        let forms = forms.into_iter().map(plain).collect();
        rows.push(Row { topic, names, forms, meaning: plain(meaning) });
    }
    rows
}

/// A paragraph of the description that begins like this, on one line.
pub(super) fn paragraph(beginning: &str) -> Option<String> {
    let paragraph = LANGUAGE.split("\n\n").find(|paragraph| paragraph.starts_with(beginning))?;
    Some(paragraph.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" "))
}

/// All commands, those of a session first.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SESSION.iter().filter_map(|(form, _)| form.split(' ').next()).chain(language())
}

/// The commands of the language that are described, without those of the same name that a session has.
fn language() -> impl Iterator<Item = &'static str> {
    let is_of_session = |name: &str| SESSION.iter().any(|(form, _)| form.split(' ').next() == Some(name));
    let is_described = |name: &str| rows().iter().any(|row| row.names.contains(&name));
    Command::names().filter(move |name| is_described(name) && !is_of_session(name))
}

/// How a command is written: each way in which it begins, then what can go with it.
pub(super) fn of(name: &str) -> Vec<String> {
    let session = SESSION.iter().map(|(form, _)| *form).filter(|form| form.split(' ').next() == Some(name));
    let session: Vec<String> = session.map(str::to_owned).collect();
    if !session.is_empty() {
        return session;
    }
    let is_of = |form: &&String| {
        let first = form.split(' ').next().unwrap_or_default();
        first == name || !Command::names().any(|known| known == first)
    };
    let rows = rows().iter().filter(|row| row.names.contains(&name));
    rows.flat_map(|row| row.forms.iter().filter(is_of).cloned()).collect()
}

/// Whether the lines below a command are its input, in a session as in a file.
#[must_use]
pub fn takes_input(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(Command::takes_input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_has_a_form_of_each_command_and_of_no_other() {
        let missing: Vec<&str> = Command::names().filter(|name| of(name).is_empty()).collect();
        // The old name of `liveness`, which old scenarios may have.
        assert_eq!(missing, ["calm"]);
        for row in rows() {
            assert!(!row.names.is_empty(), "{row:?} is about no command");
        }
    }

    #[test]
    fn a_row_that_goes_on_belongs_to_the_command_above_it() {
        assert_eq!(of("add-nodes")[0], "add-nodes N voters=(…) learners=(…) index=I");
        assert!(of("add-nodes").contains(&"seed=S".to_owned()));
        assert_eq!(of("tick-election"), ["tick-election I"]);
    }
}
