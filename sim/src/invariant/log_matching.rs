//! Log matching: if two logs hold an entry with the same index and term, they are equal up to there.
//!
//! ```text
//! ∀ n, m, i:  term(n, i) = term(m, i)  ⇒  ∀ j ≤ i:  n.log[j] = m.log[j]
//! ```
//!
//! Source: Raft paper, figure 3, "Log Matching", and section 5.3; `LogMatching` in `raft.tla` and `etcdraft.tla`
//! (`LogInv`).
//!
//! It is checked by induction, as the paper proves it, at each entry that any log takes up: who holds the same term and
//! index holds the same content, and before it an entry of the same term. Besides, only the leader of its term creates
//! an entry, and terms never fall along a log. That a node shows and sends the log that it handed out is checked by
//! [`handed_out_log`](super::handed_out_log).

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use raft::{Entry, EntryKind, Index, NodeId, Term};

use super::violation::{Check, Invariant, Violation};
use super::words;
use crate::few::Few;
use crate::shared::Shared;

/// What is in every entry that some log may still take up.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct LogMatching {
    /// The entries that were created in each term: their indexes follow each other.
    terms: Few<Term, Created>,
    /// Entries up to here are forgotten.
    floor: Index,
    /// The largest payload of any entry, in bytes.
    largest: u64,
}

#[derive(Clone, Hash, Debug)]
struct Created {
    first: Index,
    /// The term of the entry before `first`.
    previous: Term,
    /// What the entries say. The oldest one is the entry at `kept`.
    contents: VecDeque<Content>,
    kept: Index,
}

/// Whether a log that takes up an entry may be the first one to hold it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// Its node led the entry's term, or nobody knows who did.
    Creates,
    /// Another node leads or led the entry's term.
    Copies,
}

/// What an entry says. A refused membership change says nothing, like any empty entry.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Content {
    kind: EntryKind,
    data: Bytes,
}

impl Content {
    fn of(entry: &Entry) -> Self {
        Self { kind: kind(entry), data: entry.data.clone() }
    }

    /// Whether the entry says this.
    pub fn is_of(&self, entry: &Entry) -> bool {
        self.kind == kind(entry) && self.data == entry.data
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words::content(self.kind, &self.data))
    }
}

const fn kind(entry: &Entry) -> EntryKind {
    match entry.kind {
        EntryKind::Normal | EntryKind::RefusedConfChange => EntryKind::Normal,
        EntryKind::ConfChange | EntryKind::ConfChangeV2 => entry.kind,
    }
}

impl LogMatching {
    /// The largest payload of any entry so far, in bytes.
    pub fn largest_payload(&self) -> u64 {
        self.largest
    }

    /// A node's log takes up entries after one of the term `previous`. `origin` is asked for only where some are new.
    pub fn takes_up(
        all: &mut Shared<Self>,
        id: NodeId,
        mut previous: Term,
        entries: &[Entry],
        origin: impl Fn(Term) -> Origin,
    ) -> Check {
        for run in entries.chunk_by(|one, next| one.term == next.term) {
            let first = &run[0];
            if previous > first.term {
                let detail = format!(
                    "holds {} right after an entry of the later term {previous}; expected terms never to fall in a log",
                    first.id()
                );
                return Err(broken(id, detail));
            }
            Self::takes_up_run(all, id, previous, run, || origin(first.term))?;
            previous = first.term;
        }
        Ok(())
    }

    /// The same for entries of one term. Most are known, and nothing is written for those.
    fn takes_up_run(
        all: &mut Shared<Self>,
        id: NodeId,
        mut previous: Term,
        run: &[Entry],
        origin: impl Fn() -> Origin,
    ) -> Check {
        let Some(forgotten) = run.iter().position(|entry| entry.index > all.floor) else { return Ok(()) };
        let (first, term) = (&run[forgotten], run[forgotten].term);
        if forgotten > 0 {
            previous = term;
        }
        let created = match all.terms.get(term) {
            Some(created) => created,
            None if origin() == Origin::Copies => {
                let detail =
                    format!("holds {}; expected the leader of that term to have created it before", first.id());
                return Err(broken(id, detail));
            }
            None => all.terms.get_or(term, || Created::starting_at(first.index, previous)),
        };
        for (position, entry) in run.iter().enumerate().skip(forgotten) {
            if created.is_new(id, previous, entry, &origin)? {
                return all.creates(id, previous, &run[position..], origin);
            }
            previous = term;
        }
        Ok(())
    }

    /// Takes up entries of one term, which is known, of which the first one is not.
    fn creates(&mut self, id: NodeId, mut previous: Term, run: &[Entry], origin: impl Fn() -> Origin) -> Check {
        let Some(created) = run.first().and_then(|first| self.terms.get_mut(first.term)) else { return Ok(()) };
        for entry in run {
            self.largest = self.largest.max(entry.payload_size());
            if created.is_new(id, previous, entry, &origin)? {
                created.contents.push_back(Content::of(entry));
            }
            previous = entry.term;
        }
        Ok(())
    }

    /// Whether entries that a leader sends, after one of the term `previous`, come after some of its term that nobody was sent
    /// and no log holds. A new member is sent the newest entry first; the others may have had no room for those before it,
    /// when the leader is deposed. Nobody can take such entries up.
    pub fn leaves_gap(&self, previous: Term, entries: &[Entry]) -> bool {
        let Some(last) = entries.last() else { return false };
        let Some(position) = entries.iter().position(|entry| entry.term == last.term) else { return false };
        let (first, continues) = (entries[position].index, position == 0 && previous == last.term);
        match self.terms.get(last.term) {
            Some(created) => first > created.kept.plus(created.contents.len() as u64),
            None => continues && first > self.floor.next(),
        }
    }

    /// Whether what entries at this index say is remembered.
    pub fn remembers(&self, index: Index) -> bool {
        index > self.floor
    }

    /// What the entry says, where it is remembered.
    pub fn content(&self, term: Term, index: Index) -> Option<&Content> {
        let created = self.terms.get(term)?;
        let offset = index.0.checked_sub(created.kept.0)?;
        created.contents.get(usize::try_from(offset).ok()?)
    }

    /// Forgets the entries up to `floor`.
    pub fn forget(&mut self, floor: Index) {
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        self.terms.retain(|_, created| {
            let old = floor.next().since(created.kept).min(created.contents.len() as u64);
            created.contents.drain(..old as usize);
            created.kept = created.kept.plus(old);
            !created.contents.is_empty()
        });
    }
}

impl Created {
    /// Nothing yet.
    fn starting_at(first: Index, previous: Term) -> Self {
        Self { first, previous, contents: VecDeque::new(), kept: first }
    }

    /// Whether this entry, after one of the term `previous`, is the next one that its leader creates; if not, it is one that is known.
    fn is_new(
        &self,
        id: NodeId,
        previous: Term,
        entry: &Entry,
        origin: impl Fn() -> Origin,
    ) -> Result<bool, Violation> {
        let expected = if entry.index == self.first { self.previous } else { entry.term };
        if entry.index < self.first || previous != expected {
            let detail = format!(
                "holds {} right after an entry of term {previous}; expected the entries of term {} to begin at {}, after one \
                 of term {}",
                entry.id(),
                entry.term,
                self.first,
                self.previous
            );
            return Err(broken(id, detail));
        }
        // What lies before is forgotten.
        let Some(offset) = entry.index.0.checked_sub(self.kept.0) else { return Ok(false) };
        match self.contents.get(offset as usize) {
            Some(known) if known.is_of(entry) => Ok(false),
            Some(known) => {
                let (id_of, found) = (entry.id(), Content::of(entry));
                Err(broken(id, format!("holds {id_of} as {found}; expected {known}, as others hold it")))
            }
            None if offset as usize == self.contents.len() && origin() == Origin::Creates => Ok(true),
            None => {
                let last = self.kept.plus(self.contents.len() as u64).previous();
                Err(broken(
                    id,
                    format!(
                        "holds {}; expected term {} to end at {last}, where its leader did",
                        entry.id(),
                        entry.term
                    ),
                ))
            }
        }
    }
}

/// A node holds, shows or sends another log than it should.
pub(super) fn broken(id: NodeId, what: String) -> Violation {
    Violation::new(Invariant::LogMatching, &[id], format!("node {id} {what}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use raft::Body;

    use super::super::testing::{Bench, breaks, entries, entry, message, node};
    use super::*;

    #[test]
    fn a_log_that_follows_the_leaders_is_fine() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=3)).unwrap();
        bench.append(2, &entries(1, 4..=4)).unwrap();
    }

    #[test]
    fn another_content_of_the_same_entry_is_found() {
        let mut bench = Bench::led();
        let other = Entry { data: Bytes::from_static(b"other"), ..entry(1, 2) };
        breaks(Invariant::LogMatching, bench.append(2, &[entry(1, 1), other]));
    }

    #[test]
    fn the_same_entry_after_another_one_is_found() {
        let mut bench = Bench::led();
        bench.elect(2, 2, &[3]).unwrap();
        bench.append(2, &entries(2, 2..=2)).unwrap();
        bench.append(3, &entries(1, 1..=1)).unwrap();
        breaks(Invariant::LogMatching, bench.append(3, &entries(2, 2..=2)));
    }

    #[test]
    fn an_entry_that_the_leader_did_not_create_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        breaks(Invariant::LogMatching, bench.append(2, &[entry(1, 5)]));
    }

    #[test]
    fn a_log_with_falling_terms_is_found() {
        let mut bench = Bench::led();
        bench.elect(2, 2, &[3]).unwrap();
        breaks(Invariant::LogMatching, bench.append(2, &[entry(1, 2)]));
    }

    #[test]
    fn an_entry_that_a_deposed_leader_sent_and_never_wrote_is_fine() {
        let mut bench = Bench::led();
        bench.elect(2, 2, &[3]).unwrap();
        let body = Body::Append { previous: entry(1, 4).id(), entries: entries(1, 5..=5), commit: Index::ZERO };
        bench.append(1, &[entry(2, 1)]).unwrap();
        bench.checkers.sent(&message(1, 3, 1, body)).unwrap();
        bench.append(3, &entries(1, 1..=5)).unwrap();
    }

    /// In seed 62124067, of 2,000 steps, the windows of the others were full when a member joined: it alone was sent an entry, the
    /// newest, and the leader was deposed before it handed out those before.
    #[test]
    fn what_a_deposed_leader_sent_to_a_new_member_only_is_fine_until_a_log_takes_it_up() {
        let mut bench = Bench::led();
        bench.elect(2, 2, &[3]).unwrap();
        bench.append(1, &[entry(2, 1)]).unwrap();
        let newest = Body::Append { previous: entry(1, 5).id(), entries: entries(1, 6..=6), commit: Index::ZERO };
        bench.checkers.sent(&message(1, 3, 1, newest)).unwrap();
        breaks(Invariant::LogMatching, bench.append(3, &entries(1, 1..=6)));
    }

    #[test]
    fn what_every_log_forgot_is_forgotten_here_too() {
        let mut matching = Shared::<LogMatching>::default();
        for index in 1..=100 {
            let previous = Term(u64::from(index > 1));
            LogMatching::takes_up(&mut matching, node(1), previous, &[entry(1, index)], |_| Origin::Creates).unwrap();
        }
        matching.forget(Index(90));
        assert_eq!(matching.terms.get(Term(1)).unwrap().contents.len(), 10);
        LogMatching::takes_up(&mut matching, node(2), Term(1), &[entry(1, 91)], |_| Origin::Copies).unwrap();
        LogMatching::takes_up(&mut matching, node(2), Term(1), &[entry(1, 5)], |_| Origin::Copies).unwrap();
        matching.forget(Index(100));
        assert!(matching.terms.is_empty());
        LogMatching::takes_up(&mut matching, node(1), Term(1), &[entry(1, 101)], |_| Origin::Creates).unwrap();
    }
}
