//! The lines of the table: none is wider than [`WIDTH`] as long as the numbers have five digits.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use raft::NodeId;

use super::View;
use super::state::{COLUMNS, Cells, cells, changed, colour};
use crate::driver::{Stop, apply};
use crate::explain::{Influence, describe};
use crate::trace::Ending;
use crate::world::{Event, Replica, World};

/// How wide the table is.
pub(super) const WIDTH: usize = 100;
const STEP: usize = 7;
/// How wide the text of an event is where something changed, and numbers are small. Where nothing did, it has the whole line.
const EVENT: usize = 38;

/// What stands before the step of an event that cannot have influenced the failure.
const MARK: char = '·';
const OUTSIDE: &str = "cannot have influenced the failure";

/// A table as it grows.
pub(super) struct Table {
    view: View,
    world: World,
    /// Which events can have influenced the failure, if the run fails.
    past: Option<Vec<Influence>>,
    /// What was last shown of each node.
    shown: BTreeMap<NodeId, Cells>,
    step: u64,
    has_header: bool,
}

impl Table {
    pub(super) const fn new(view: View, world: World, past: Option<Vec<Influence>>) -> Self {
        Self { view, world, past, shown: BTreeMap::new(), step: 0, has_header: false }
    }

    /// What is to be known before the first line: how many events made no difference to the failure.
    pub(super) fn legend(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(past) = &self.past else {
            return if self.view.past { writeln!(out, "nothing breaks, so --past leaves nothing out") } else { Ok(()) };
        };
        let outside = past.iter().filter(|influence| **influence == Influence::None).count();
        match (outside, self.view.past) {
            (0, _) => Ok(()),
            (_, true) => writeln!(out, "left out: {outside} of {} events, which {OUTSIDE}", past.len()),
            (_, false) => {
                let line = format!("{MARK} marks {outside} of {} events, which {OUTSIDE}", past.len());
                writeln!(out, "{}", self.paint("2", &line))
            }
        }
    }

    /// Whether what follows is not shown any more.
    pub(super) const fn is_over(&self) -> bool {
        self.step > self.view.to
    }

    /// Lets the event happen, and writes its line. Returns what it broke, if it did.
    pub(super) fn event(&mut self, event: &Event, out: &mut dyn Write) -> io::Result<Option<Ending>> {
        let text = describe::event(event, &self.world);
        let is_left_out = self.view.past && self.is_outside();
        let is_asked_for = self.is_asked_for(event);
        let before = if is_left_out || (self.view.changes && is_asked_for) { self.states() } else { BTreeMap::new() };
        let (text, broken) = match apply(&mut self.world, event) {
            Ok(outcome) => match outcome.refused {
                Some(refusal) => (format!("{text}: {refusal}"), None),
                None => (text, None),
            },
            Err(Stop::Inapplicable(reason)) => (format!("does not fit: {reason}"), None),
            Err(Stop::Broken(ending)) => (text, Some(ending)),
        };
        if is_left_out {
            // Nothing that happens at its node later is shown, so this is not news of it.
            let changed = self.states().into_iter().filter(|(node, cells)| before.get(node) != Some(cells));
            self.shown.extend(changed);
        } else if is_asked_for || (broken.is_some() && self.is_within()) {
            let now = self.states();
            if !self.view.changes || broken.is_some() || now != before {
                self.line(&text, now, out)?;
            }
        }
        self.step += 1;
        Ok(broken)
    }

    /// The last line: what broke.
    pub(super) fn broke(&self, event: &Event, ending: &Ending, out: &mut dyn Write) -> io::Result<()> {
        for line in wrapped(&ending.clone().to_string(), WIDTH) {
            writeln!(out, "{}", self.paint("31;1", &line))?;
        }
        match event {
            Event::ExpectLiveness { .. } => {
                writeln!(out, "that is how it ends; --liveness shows event by event what happens before")
            }
            _ => Ok(()),
        }
    }

    fn is_within(&self) -> bool {
        (self.view.from..=self.view.to).contains(&self.step)
    }

    /// Whether the event that happens now cannot have influenced the failure.
    fn is_outside(&self) -> bool {
        let influence =
            |past: &Vec<Influence>| usize::try_from(self.step).ok().and_then(|step| past.get(step).copied());
        self.past.as_ref().and_then(influence) == Some(Influence::None)
    }

    fn is_asked_for(&self, event: &Event) -> bool {
        let View { node, kinds, .. } = &self.view;
        let is_about = |node| self.world.network().concerned(event).contains(&Some(node));
        let is_of_kind = kinds.is_empty() || kinds.iter().any(|kind| kind.is_of(event, &self.world));
        self.is_within() && is_of_kind && node.is_none_or(is_about)
    }

    /// The state of each node that is shown.
    fn states(&self) -> BTreeMap<NodeId, Cells> {
        let is_shown = |replica: &&Replica| self.view.node.is_none_or(|node| replica.id() == node);
        self.world.replicas().filter(is_shown).map(|replica| (replica.id(), cells(replica))).collect()
    }

    /// A line for the event, with the first node that differs from what was shown of it; one more for each other node.
    fn line(&mut self, text: &str, now: BTreeMap<NodeId, Cells>, out: &mut dyn Write) -> io::Result<()> {
        self.header(out)?;
        let differ = now.iter().filter(|(node, cells)| self.shown.get(node) != Some(cells));
        let parts: Vec<String> =
            differ.map(|(node, cells)| self.state(*node, &changed(cells, self.shown.get(node)))).collect();
        let mark = if self.is_outside() { MARK } else { ' ' };
        let step = format!("{mark}{:>width$}  ", self.step, width = STEP - 1);
        let Some((first, others)) = parts.split_first() else {
            return self.put(&format!("{step}{}", cut(text, WIDTH - STEP - 2)), out);
        };
        self.put(&format!("{step}{}", beside(text, first)), out)?;
        for part in others {
            self.put(&format!("{:width$}{}", "", beside("", part), width = STEP + 2), out)?;
        }
        self.shown = now;
        Ok(())
    }

    /// A line about the event that happens now.
    fn put(&self, line: &str, out: &mut dyn Write) -> io::Result<()> {
        if self.is_outside() { writeln!(out, "{}", self.paint("2", line)) } else { writeln!(out, "{line}") }
    }

    /// The names of the columns, once.
    fn header(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::replace(&mut self.has_header, true) {
            return Ok(());
        }
        let names: Cells = COLUMNS.map(|(name, _)| name.to_owned());
        let line = format!("{:>STEP$}  {}", "step", beside("event", &joined("node", &names, |_, text| text)));
        writeln!(out, "{}", self.paint("1", &line))
    }

    fn state(&self, node: NodeId, cells: &Cells) -> String {
        joined(&node.to_string(), cells, |column, padded| match cells[column].strip_prefix('*') {
            // The whole line is dimmed.
            _ if self.is_outside() => padded,
            Some(role) if column == 0 => self.paint(colour(role), &padded),
            Some(_) => self.paint("1", &padded),
            None => padded,
        })
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.view.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The cells side by side, each painted once it has its width.
pub(super) fn joined(node: &str, cells: &Cells, paint: impl Fn(usize, String) -> String) -> String {
    let mut line = format!("{node:<4}");
    for (column, cell) in cells.iter().enumerate() {
        let width = COLUMNS[column].1;
        write!(line, " {}", paint(column, format!("{cell:<width$}"))).expect("text grows");
    }
    line.truncate(line.trim_end().len());
    line
}

/// An event and the state of a node. What the state needs more than usual, the event has less.
fn beside(text: &str, state: &str) -> String {
    let room = WIDTH.saturating_sub(STEP + 2 + 3 + visible(state)).min(EVENT);
    let text = cut(text, room);
    format!("{text}{:space$} │ {state}", "", space = room - text.chars().count())
}

/// How wide a text is, its colours left out.
pub(super) fn visible(text: &str) -> usize {
    text.split('\x1b').enumerate().fold(0, |width, (part, text)| {
        let text = if part == 0 { text } else { text.split_once('m').map_or(text, |(_, text)| text) };
        width + text.chars().count()
    })
}

/// The text, cut so that it is no wider than this.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// The text in lines that are no wider than this, except for words that are.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_take_no_room() {
        assert_eq!(visible("\x1b[32;1mleader\x1b[0m  ab"), 10);
        assert_eq!(visible("plain"), 5);
    }

    #[test]
    fn a_wide_state_takes_from_the_event_and_never_from_itself() {
        let state = "1    *candidate *12345 -    *(12345,12399] *12345 *12345";
        let line = beside(&"event ".repeat(20), state);
        assert!(line.ends_with(state) && line.contains('…'), "{line}");
        assert_eq!(line.chars().count() + STEP + 2, WIDTH, "{line}");
    }

    #[test]
    fn long_text_is_broken_between_words() {
        assert_eq!(wrapped("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrapped("", 9), [""]);
    }
}
