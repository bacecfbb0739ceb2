//! A run as a table for the terminal: a line an event, with the node whose state it changed.
//!
//! An event changes one node at most, so that a line has room for its whole state, however many nodes there are.
//!
//! What can have influenced a failure is known at its end only. So the run happens twice: to find that out, and to be shown.

mod kind;
mod nodes;
mod run;
mod state;
mod table;

use std::io::{self, BufRead, Write};

use raft::NodeId;

pub use self::kind::Kind;
pub use self::nodes::{NodesView, nodes};
use self::run::Run;
use self::table::Table;
use crate::planted;
use crate::trace::{End, Ending, Line, ReadError, Reader, Trouble};
use crate::world::World;

/// Which lines to show, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// The first step.
    pub from: u64,
    /// The last step.
    pub to: u64,
    /// Only events of this node: those at it, and messages from and to it.
    pub node: Option<NodeId>,
    /// Only events of these kinds; of all, if there are none.
    pub kinds: Vec<Kind>,
    /// Only events that changed the state of a node, and what breaks.
    pub changes: bool,
    /// Only events that can have influenced the failure, if there is one.
    pub past: bool,
    /// Whether to use colours.
    pub colours: bool,
    /// Whether to show a liveness phase event by event.
    pub liveness: bool,
}

/// Everything, without colours.
impl Default for View {
    fn default() -> Self {
        let (from, to) = (0, u64::MAX);
        let kinds = Vec::new();
        Self { from, to, node: None, kinds, changes: false, past: false, colours: false, liveness: false }
    }
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
    reader: Reader<R>,
    view: View,
    out: &mut dyn Write,
) -> Result<Ending, CannotShow> {
    reader.fits(world)?;
    let bug = reader.header().bug.clone();
    let _switched =
        planted::switch_on(bug.as_deref()).map_err(|unknown| reader.trouble(Trouble::NeedsBug(unknown.to_string())))?;
    let seed = reader.header().seed.map_or(String::new(), |seed| format!("seed {seed}, "));
    writeln!(out, "{seed}recorded by version {}", reader.header().recorder())?;
    let Run { lines, past, trouble } = Run::of(world, reader, view.liveness);
    let mut table = Table::new(view, world.clone(), past);
    table.legend(out)?;
    for line in lines {
        match line {
            Line::Event(event) => {
                if let Some(ending) = table.event(&event, out)? {
                    table.broke(&event, &ending, out)?;
                    return Ok(ending);
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
        if table.is_over() {
            return Ok(Ending::Completed);
        }
    }
    trouble.map_or(Ok(Ending::Completed), |error| Err(error.into()))
}
