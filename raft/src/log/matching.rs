//! Comparing this log with another node's, and appending what a leader sends (Raft paper, sections 5.3 and 5.4.1).

use super::RaftLog;
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::types::{Entry, EntryId, Index, Term};

impl<S: Storage> RaftLog<S> {
    /// Whether the entry `id` is in the log, or is what the log builds on.
    pub(crate) fn matches(&self, id: EntryId) -> bool {
        self.term(id.index) == Ok(id.term)
    }

    /// Whether `id` is the last entry, or the snapshot that nothing follows yet.
    pub(crate) fn ends_with(&self, id: EntryId) -> bool {
        id.index == self.last_index() && self.matches(id)
    }

    /// Whether a log that ends with `last` may lead this one (Raft paper, section 5.4.1).
    pub(crate) fn is_up_to_date(&self, last: EntryId) -> bool {
        let own = self.last_id();
        (last.term, last.index) >= (own.term, own.index)
    }

    /// The index of the first of `entries` that is not in the log: either another entry is there, or none is.
    pub(crate) fn find_conflict(&self, entries: &[Entry]) -> Option<Index> {
        entries.iter().find(|entry| !self.matches(entry.id())).map(|entry| entry.index)
    }

    /// Where this log may end to match one that has an entry of `term` at `index`: the largest index up to there whose
    /// term here is no larger, or is not known and then given as zero.
    ///
    /// Both sides of a refused append use it to skip whole terms (Raft paper, end of section 5.3).
    pub(crate) fn find_conflict_by_term(&self, index: Index, term: Term) -> EntryId {
        let mut guess = index;
        while guess > Index::ZERO {
            match self.term(guess) {
                Ok(own) if own > term => guess = self.before_later_terms(guess, term),
                Ok(own) => return EntryId::new(own, guess),
                Err(_) => return EntryId::new(Term::ZERO, guess),
            }
        }
        EntryId::ZERO
    }

    /// The last position before `index`, whose own term is later than `term`, that may have no later one. Terms never go back
    /// along a log, so halving finds it: a peer must not be able to ask for a walk along a million entries.
    fn before_later_terms(&self, index: Index, term: Term) -> Index {
        // Whoever believes all that a peer says, as etcd's node does, may have a log in which terms go back.
        let mut low = if self.ends_with_storage { index } else { self.first_index() };
        let mut high = index;
        while low < high {
            let middle = low.plus(high.since(low) / 2);
            if self.term(middle).is_ok_and(|own| own > term) {
                high = middle;
            } else {
                low = middle.next();
            }
        }
        high.previous()
    }

    /// Appends what follows `previous` and commits what is both committed by the leader and known to match it. Returns
    /// the index up to which the logs match, or `None` where the log does not hold `previous`.
    ///
    /// Entries that are in the log already stay, with all that follows them: the append may be an old one.
    pub(crate) fn maybe_append(&mut self, previous: EntryId, commit: Index, mut entries: Vec<Entry>) -> Option<Index> {
        if !self.matches(previous) {
            return None;
        }
        let last_new = previous.index.plus(entries.len() as u64);
        let first = entries.first().map(|entry| entry.index);
        let is_new = previous.index == self.last_index() || planted(Bug::AppendAlwaysTruncates);
        let conflict = if is_new { first } else { self.find_conflict(&entries) };
        if let Some(conflict) = conflict {
            let known = conflict.since(previous.index.next());
            entries.drain(..known as usize);
            self.append(entries);
        }
        let limit = if planted(Bug::AppendCommitMinLastindex) { self.last_index() } else { last_new };
        self.commit_to(commit.min(limit));
        Some(last_new)
    }

    /// Replaces everything from the index of the first of `entries` on, which must not be committed, by `entries`, and
    /// returns the last index.
    pub(crate) fn append<E: AsRef<[Entry]> + IntoIterator<Item = Entry>>(&mut self, entries: E) -> Index {
        if let Some(first) = entries.as_ref().first() {
            let (first, committed) = (first.index, self.committed);
            assert!(first > committed, "entry {first} would overwrite the log, which is committed up to {committed}");
            self.writes.overwrite(first);
            self.unstable.truncate_and_append(entries);
        }
        self.last_index()
    }
}
