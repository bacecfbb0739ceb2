//! What the commands do, in words.

use super::forms::{self, SESSION};
use crate::script::ScriptError;

/// How wide a line is.
const WIDTH: usize = 100;

/// What a command does; without one, all commands.
pub(super) fn about(number: usize, topic: Option<&str>) -> Result<String, ScriptError> {
    let Some(name) = topic else { return Ok(all()) };
    let session = SESSION.iter().filter(|(form, _)| form.split(' ').next() == Some(name));
    let session: String = session.map(|(form, meaning)| entry(form, meaning)).collect();
    let rows = forms::rows().iter().filter(|row| row.names.contains(&name));
    let language: String = rows.map(|row| entry(&row.forms.join(", "), &row.meaning)).collect();
    let text = if session.is_empty() { language } else { session };
    if text.is_empty() {
        return Err(
            ScriptError::new(number, format!("there is no command \"{name}\"")).suggesting(name, forms::names())
        );
    }
    let more = [("SELECTION", "A SELECTION is"), ("FACTS", "Facts are")].into_iter();
    let more = more.filter(|(word, _)| text.contains(word)).filter_map(|(_, beginning)| forms::paragraph(beginning));
    let more: String = more.map(|paragraph| wrapped("", &paragraph)).collect();
    Ok(text + &more)
}

fn all() -> String {
    let mut text = "Commands of a session:\n".to_owned();
    for (form, meaning) in SESSION {
        text += &wrapped(&format!("  {form:<15} "), meaning);
    }
    text += "Commands of the scenario language (scenarios/README.md); help COMMAND says what one does:\n";
    let mut topics: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in forms::rows() {
        if topics.last().is_none_or(|(topic, _)| *topic != row.topic) {
            topics.push((row.topic, Vec::new()));
        }
        if let Some((_, names)) = topics.last_mut() {
            names.extend(row.names.iter().filter(|name| !names.contains(name)).copied().collect::<Vec<_>>());
        }
    }
    for (topic, names) in topics {
        text += &wrapped(&format!("  {topic:<21} "), &names.join(" "));
    }
    text + "Input of a command stands in the lines below it, which begin with a blank; # begins a comment.\n\
            In the table of nodes, which follows each command, a star marks what that command changed.\n"
}

fn entry(form: &str, meaning: &str) -> String {
    wrapped("", form) + &wrapped("    ", meaning)
}

/// The text behind a label, in lines that are no wider than a line. Those that go on are indented as far as the label is wide.
fn wrapped(label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let (mut lines, mut line, mut width) = (String::new(), label.to_owned(), indent);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > indent && width + 1 + length > WIDTH {
            lines += &format!("{line}\n");
            (line, width) = (" ".repeat(indent), indent);
        }
        if width > indent {
            line.push(' ');
            width += 1;
        }
        line += word;
        width += length;
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command_in_lines_of_a_hundred_columns() {
        let text = about(1, None).expect("help");
        for name in forms::names() {
            assert!(text.split_whitespace().any(|word| word == name), "{name}");
            let about = about(1, Some(name)).expect("help about each");
            for line in about.lines().chain(text.lines()) {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn help_about_nothing_names_the_nearest_command() {
        let error = about(1, Some("stabilise")).expect_err("there is none");
        assert_eq!(error.nearest.as_deref(), Some("stabilize"));
    }
}
