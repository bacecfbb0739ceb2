//! What is done to a storage.

use std::fmt;

use raft::{Entry, HardState, Index, Snapshot};

/// One thing that a host does.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Operation {
    Write(Write),
    Sync,
    /// Closes it, with all that was written synced, and opens it again.
    Reopen,
    CreateSnapshot(Snapshot),
    Compact(Index),
}

/// What a Ready says.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Write {
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) hard_state: Option<HardState>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(write) => write.fmt(f),
            Self::Sync => write!(f, "sync"),
            Self::Reopen => write!(f, "sync and reopen"),
            Self::CreateSnapshot(snapshot) => write!(f, "create a {}", Shown(snapshot)),
            Self::Compact(index) => write!(f, "compact up to {index}"),
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.snapshot.as_ref().map(|snapshot| format!("a {} of a leader", Shown(snapshot))));
        if !self.entries.is_empty() {
            let shown = |entry: &Entry| format!("{} of term {} ({} bytes)", entry.index, entry.term, entry.data.len());
            parts.push(format!("entries {}", self.entries.iter().map(shown).collect::<Vec<_>>().join(", ")));
        }
        parts.extend(self.hard_state.map(|state| {
            let vote = state.vote.map_or("nobody".to_owned(), |node| node.to_string());
            format!("hard state term {} vote {vote} commit {}", state.term, state.commit)
        }));
        match parts.is_empty() {
            true => write!(f, "write nothing"),
            false => write!(f, "write {}", parts.join("; ")),
        }
    }
}

/// A snapshot in a few words.
struct Shown<'a>(&'a Snapshot);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot { id, data, .. } = self.0;
        write!(f, "snapshot at {} of term {} ({} bytes)", id.index, id.term, data.len())
    }
}
