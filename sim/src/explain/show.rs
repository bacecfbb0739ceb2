//! A run as a table for the terminal: a line an event, a column a node.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};

use raft::{NodeId, Role, Storage};

use super::describe;
use crate::driver::{Stop, apply, liveness};
use crate::planted;
use crate::trace::{End, Ending, Line, ReadError, Reader, Trouble};
use crate::world::{Event, Replica, World};

/// Which lines to show, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// The first step.
    pub from: u64,
    /// The last step.
    pub to: u64,
    /// Only events of this node: those at it, and messages from and to it.
    pub node: Option<NodeId>,
    /// Whether to use colours.
    pub colours: bool,
    /// Whether to show a liveness phase event by event.
    pub liveness: bool,
}

/// Why a table ended early.
#[derive(Debug, thiserror::Error)]
pub enum CannotShow {
    /// The trace cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The table cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes the table of a run. Events that do not fit are marked and left out. Returns how it ended, as far as it was shown.
///
/// # Errors
/// The trace cannot be read, or the table not written.
pub fn show<R: BufRead>(reader: Reader<R>, view: View, out: &mut dyn Write) -> Result<Ending, CannotShow> {
    show_in(&World::new(), reader, view, out)
}

/// The same, in a copy of this world: with what a user brings.
///
/// # Errors
/// As [`show`].
pub fn show_in<R: BufRead>(
    world: &World,
    mut reader: Reader<R>,
    view: View,
    out: &mut dyn Write,
) -> Result<Ending, CannotShow> {
    reader.fits(world)?;
    let bug = reader.header().bug.clone();
    let _switched =
        planted::switch_on(bug.as_deref()).map_err(|unknown| reader.trouble(Trouble::NeedsBug(unknown.to_string())))?;
    let seed = reader.header().seed.map_or(String::new(), |seed| format!("seed {seed}, "));
    writeln!(out, "{seed}recorded by version {}", reader.header().recorder())?;
    let mut table = Table { view, world: world.clone(), cells: Vec::new(), step: 0 };
    while let Some(line) = reader.next_line()? {
        match line {
            Line::Event(event) => {
                let phase = view.liveness.then(|| liveness::events_of(&event, &table.world)).flatten();
                let is_phase = phase.is_some();
                for event in phase.unwrap_or_else(|| vec![event]) {
                    if let Some(ending) = table.event(&event, out)? {
                        table.broke(&event, &ending, out)?;
                        return Ok(ending);
                    }
                }
                // A liveness phase happens to a copy of the cluster, which ends here.
                if is_phase {
                    return Ok(Ending::Completed);
                }
            }
            Line::Digest { .. } => {}
            Line::End(End { ending: Ending::Completed, .. }) => writeln!(out, "{}", Ending::Completed)?,
            Line::End(End { ending: ending @ Ending::Hang(_), .. }) => {
                writeln!(out, "recorded was {}", ending.clone())?;
                return Ok(ending);
            }
            Line::End(end) => writeln!(out, "nothing breaks now; it was recorded with this end: {}", end.ending)?,
        }
        if table.step > view.to {
            return Ok(Ending::Completed);
        }
    }
    Ok(Ending::Completed)
}

struct Table {
    view: View,
    world: World,
    /// What each column held in the line before.
    cells: Vec<(NodeId, String)>,
    step: u64,
}

impl Table {
    const STEP: usize = 7;
    const EVENT: usize = 46;
    const CELL: usize = 22;

    /// Lets the event happen, and writes its line. Returns what it broke, if it did.
    fn event(&mut self, event: &Event, out: &mut dyn Write) -> io::Result<Option<Ending>> {
        let text = describe::event(event, &self.world);
        let is_shown = self.step >= self.view.from && self.step <= self.view.to && self.is_about(event);
        let (text, broken) = match apply(&mut self.world, event) {
            Ok(outcome) => match outcome.refused {
                Some(refusal) => (format!("{text}: {refusal}"), None),
                None => (text, None),
            },
            Err(Stop::Inapplicable(reason)) => (format!("does not fit: {reason}"), None),
            Err(Stop::Broken(ending)) => (text, Some(ending)),
        };
        let cells: Vec<(NodeId, String)> = self.world.replicas().map(|replica| (replica.id(), cell(replica))).collect();
        if is_shown {
            self.header(&cells, out)?;
            writeln!(out, "{}", self.line(&text, &cells).trim_end())?;
            self.cells = cells;
        }
        self.step += 1;
        Ok(broken)
    }

    fn broke(&self, event: &Event, ending: &Ending, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.paint("31;1", &ending.clone().to_string()))?;
        match event {
            Event::ExpectLiveness { .. } => {
                writeln!(out, "that is how it ends; --liveness shows event by event what happens before")
            }
            _ => Ok(()),
        }
    }

    fn is_about(&self, event: &Event) -> bool {
        let Some(node) = self.view.node else { return true };
        self.world.network().concerned(event).contains(&Some(node))
    }

    /// The names of the columns, whenever there are new ones.
    fn header(&self, cells: &[(NodeId, String)], out: &mut dyn Write) -> io::Result<()> {
        if cells.len() == self.cells.len() {
            return Ok(());
        }
        let mut line = format!("{:>width$}  {:<event$}", "step", "event", width = Self::STEP, event = Self::EVENT);
        for (node, _) in cells {
            write!(line, " │ {:<width$}", format!("{node}: term (log] commit/applied"), width = Self::CELL + 8)
                .expect("text grows");
        }
        writeln!(out, "{}", self.paint("1", line.trim_end()))
    }

    fn line(&self, text: &str, cells: &[(NodeId, String)]) -> String {
        let mut line = format!("{:>width$}  ", self.step, width = Self::STEP);
        line.push_str(&padded(text, Self::EVENT));
        for (node, now) in cells {
            let is_new = !self.cells.iter().any(|(other, before)| other == node && before == now);
            let cell = padded(now, Self::CELL + 8);
            let colour = if is_new { colour(now) } else { "2" };
            write!(line, " │ {}", self.paint(colour, &cell)).expect("text grows");
        }
        line
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.view.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// The text, with spaces or cut so that it has this width.
fn padded(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return format!("{text}{:space$}", "", space = width - count);
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn cell(replica: &Replica) -> String {
    let Some(node) = replica.node() else { return "down".to_string() };
    let view = replica.view();
    let role = match view.soft_state.role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    };
    let before = node.storage().first_index().previous();
    let (state, last) = (view.hard_state, view.last.index);
    format!("{role} {} ({before},{last}] {}/{}", state.term, state.commit, view.applied)
}

fn colour(cell: &str) -> &'static str {
    match cell.split(' ').next() {
        Some("leader") => "32",
        Some("candidate") => "33",
        Some("pre-candidate") => "35",
        Some("down") => "31",
        Some(_) | None => "36",
    }
}
