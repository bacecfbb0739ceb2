//! The nodes of a world as a table for the terminal: a line a node.

use super::state::{COLUMNS, Cells, cells, changed, colour};
use super::table::{WIDTH, cut, joined};
use crate::world::{Replica, ToDo, World};

/// How a table of nodes is to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodesView<'a> {
    /// What differs from this world bears a star; nothing does without one.
    pub before: Option<&'a World>,
    /// Whether to use colours.
    pub colours: bool,
}

/// The table: role, term, vote, the range of the log, commit index, what is applied, and what the node's host can do next, in the
/// words of the commands for it. No line is wider than 100 columns as long as the numbers have five digits. Nothing where there is
/// no node.
///
/// ```
/// use sim::explain::{NodesView, nodes};
/// use sim::world::World;
/// assert_eq!(nodes(&World::new(), NodesView::default()), "");
/// ```
#[must_use]
pub fn nodes(world: &World, view: NodesView<'_>) -> String {
    let lines: Vec<String> = world.replicas().map(|replica| line(replica, view)).collect();
    if lines.is_empty() {
        return String::new();
    }
    let names: Cells = COLUMNS.map(|(name, _)| name.to_owned());
    let header = with_host(&joined("node", &names, |_, text| text), "host can");
    [vec![paint(view, "1", &header)], lines].concat().into_iter().map(|line| line + "\n").collect()
}

fn line(replica: &Replica, view: NodesView<'_>) -> String {
    let now = cells(replica);
    let stars = view.before.map(|world| stars(&now, world.replica(replica.id()).map(cells).as_ref()));
    let shown = stars.unwrap_or_else(|| now.clone());
    let state = joined(&replica.id().to_string(), &shown, |column, padded| match column {
        0 => paint(view, colour(&now[0]), &padded),
        _ if shown[column].starts_with('*') => paint(view, "1", &padded),
        _ => padded,
    });
    with_host(&state, &host(replica.to_do()).join(" "))
}

/// All of the state; what differs from before bears a star. A node that was not there before is new as a whole.
fn stars(now: &Cells, before: Option<&Cells>) -> Cells {
    let marked = before.map(|before| changed(now, Some(before)));
    std::array::from_fn(|column| match &marked {
        Some(marked) if marked[column].is_empty() => now[column].clone(),
        Some(marked) => marked[column].clone(),
        None if column == 0 => format!("*{}", now[0]),
        None => now[column].clone(),
    })
}

fn paint(view: NodesView<'_>, code: &str, text: &str) -> String {
    if view.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// How wide the state of a node is where numbers are small.
const STATE: usize = 52;

fn with_host(state: &str, host: &str) -> String {
    let space = STATE.saturating_sub(super::table::visible(state));
    let room = WIDTH.saturating_sub(STATE.max(super::table::visible(state)) + 2);
    format!("{state}{:space$}  {}", "", cut(host, room)).trim_end().to_owned()
}

/// The commands for what a host can do.
fn host(to_do: ToDo) -> Vec<&'static str> {
    // All fields are named, so that a new one does not compile before there are words for it.
    let ToDo { ready, write, sync, sync_done, release, send, apply, advance, take } = to_do;
    let commands = [
        (write, "write-log"),
        (sync, "sync-log"),
        (sync_done, "end-fsync"),
        (release, "release"),
        (send, "send"),
        (apply, "apply"),
        (advance, "advance"),
        (ready, "take-ready"),
        (take, "take"),
    ];
    commands.into_iter().filter_map(|(fits, command)| fits.then_some(command)).collect()
}
