//! What the table shows of a node.

use raft::{HardState, Role, Storage};

use crate::world::Replica;

/// What the columns are called, and how wide they are where numbers are small.
pub(super) const COLUMNS: [(&str, usize); 6] =
    [("role", 10), ("term", 4), ("vote", 4), ("log", 11), ("commit", 6), ("applied", 7)];

/// The state of a node, a cell a column. A node that is down has a role only.
pub(super) type Cells = [String; COLUMNS.len()];

/// The state of a node after the last event.
pub(super) fn cells(replica: &Replica) -> Cells {
    let Some(node) = replica.node() else {
        let mut cells = Cells::default();
        cells[0] = "down".to_owned();
        return cells;
    };
    let view = replica.view();
    let HardState { term, vote, commit } = view.hard_state;
    let before = node.storage().first_index().previous();
    [
        role(view.soft_state.role).to_owned(),
        term.to_string(),
        vote.map_or_else(|| "-".to_owned(), |node| node.to_string()),
        format!("({before},{}]", view.last.index),
        commit.to_string(),
        view.applied.to_string(),
    ]
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-cand.",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

/// The colour of a role on a terminal.
pub(super) fn colour(role: &str) -> &'static str {
    match role {
        "leader" => "32;1",
        "candidate" => "33;1",
        "pre-cand." => "35;1",
        "down" => "31;1",
        _ => "36;1",
    }
}

/// What is shown of a node's state: what differs from its line before, marked; all of it, unmarked, where there is none.
pub(super) fn changed(now: &Cells, before: Option<&Cells>) -> Cells {
    let Some(before) = before else { return now.clone() };
    std::array::from_fn(|column| match &now[column] {
        same if *same == before[column] => String::new(),
        gone if gone.is_empty() => String::new(),
        new => format!("*{new}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_marked_and_what_did_not_is_blank() {
        let before = ["follower", "1", "-", "(0,3]", "3", "2"].map(str::to_owned);
        let now = ["leader", "2", "-", "(0,4]", "3", "2"].map(str::to_owned);
        assert_eq!(changed(&now, Some(&before)), ["*leader", "*2", "", "*(0,4]", "", ""]);
        assert_eq!(changed(&now, None), now, "a first line has nothing to differ from");
        let down = ["down", "", "", "", "", ""].map(str::to_owned);
        assert_eq!(changed(&down, Some(&now)), ["*down", "", "", "", "", ""]);
        assert_eq!(changed(&now, Some(&down))[1], "*2", "a node that comes back is shown whole");
    }
}
