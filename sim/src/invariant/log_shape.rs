//! The identities of a log's entries, without the entries: runs of equal terms.
//!
//! By Log Matching, which is itself checked, an entry's term and index say what is in it. A log of any length is then a
//! few runs, so that looking up, comparing and cloning cost in proportion to the number of terms in it.

use std::collections::VecDeque;

use raft::{EntryId, Index, Term};

/// The term at each position of a log.
#[derive(Clone, Hash, Debug, Default, PartialEq, Eq)]
pub(super) struct LogShape {
    /// The position before the first entry.
    base: EntryId,
    last: Index,
    /// Where each run of equal terms begins, and its term; in order, all above the base.
    runs: VecDeque<(Index, Term)>,
}

impl LogShape {
    /// An empty log after this position.
    pub fn starting_after(base: EntryId) -> Self {
        Self { base, last: base.index, runs: VecDeque::new() }
    }

    /// The position before the first entry.
    pub fn base(&self) -> EntryId {
        self.base
    }

    /// The last entry; the base where the log is empty.
    pub fn last(&self) -> EntryId {
        match self.runs.back() {
            Some(&(_, term)) => EntryId::new(term, self.last),
            None => self.base,
        }
    }

    /// The term at `index`, where it lies between the base and the last entry, both included.
    pub fn term(&self, index: Index) -> Option<Term> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        if index < self.base.index || index > self.last {
            return None;
        }
        // Nearly every question is about the newest term.
        match self.runs.back() {
            Some(&(first, term)) if first <= index => Some(term),
            _ => self.runs.get(self.run_of(index)).map(|&(_, term)| term),
        }
    }

    /// Whether this entry is in the log, or lies so far back that a snapshot stands in its place.
    pub fn holds(&self, id: EntryId) -> bool {
        id.index < self.base.index || self.term(id.index) == Some(id.term)
    }

    /// Adds an entry of this term at the end.
    pub fn push(&mut self, term: Term) {
        self.last = self.last.next();
        if self.runs.back().is_none_or(|&(_, newest)| newest != term) {
            self.runs.push_back((self.last, term));
        }
    }

    /// Removes the entries from `index` on.
    pub fn truncate(&mut self, index: Index) {
        if index > self.last {
            return;
        }
        self.last = index.previous().max(self.base.index);
        while self.runs.back().is_some_and(|&(first, _)| first > self.last) {
            self.runs.pop_back();
        }
    }

    /// Forgets the entries up to `through`, or as many as there are.
    pub fn compact(&mut self, through: Index) {
        let through = through.min(self.last);
        let Some(term) = self.term(through).filter(|_| through > self.base.index) else { return };
        self.base = EntryId::new(term, through);
        while self.runs.get(1).is_some_and(|&(first, _)| first <= through.next()) {
            self.runs.pop_front();
        }
        if self.last == through {
            self.runs.clear();
        } else if let Some((first, _)) = self.runs.front_mut() {
            *first = (*first).max(through.next());
        }
    }

    /// The first index in `(after, through]` where both logs know the term and differ, with the two terms.
    pub fn first_difference(&self, other: &Self, after: Index, through: Index) -> Option<(Index, Term, Term)> {
        let mut index = after.next().max(self.base.index).max(other.base.index);
        let through = through.min(self.last).min(other.last);
        while index <= through {
            if let (Some(ours), Some(theirs)) = (self.term(index), other.term(index))
                && ours != theirs
            {
                return Some((index, ours, theirs));
            }
            index = self.end_of_run(index).min(other.end_of_run(index)).next();
        }
        None
    }

    fn end_of_run(&self, index: Index) -> Index {
        let next = if index <= self.base.index { 0 } else { self.run_of(index) + 1 };
        self.runs.get(next).map_or(self.last, |&(first, _)| first.previous())
    }

    fn run_of(&self, index: Index) -> usize {
        self.runs.partition_point(|&(first, _)| first <= index).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(base: EntryId, terms: &[u64]) -> LogShape {
        let mut shape = LogShape::starting_after(base);
        terms.iter().for_each(|&term| shape.push(Term(term)));
        shape
    }

    fn terms() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(1..4_u64, 0..12)
    }

    proptest! {
        #[test]
        fn a_shape_answers_like_the_log_it_stands_for(
            log in terms(), cut in 0..14_u64, through in 0..14_u64, more in terms(), probe in 0..30_u64,
        ) {
            let mut shape = shape(EntryId::ZERO, &log);
            let mut log: Vec<u64> = log;
            shape.truncate(Index(cut).max(Index(1)));
            log.truncate(cut.max(1) as usize - 1);
            shape.compact(Index(through));
            let base = through.min(log.len() as u64);
            more.iter().for_each(|&term| shape.push(Term(term)));
            log.extend(&more);

            let expected = match probe {
                0 if base == 0 => Some(Term::ZERO),
                index if index < base || index == 0 => None,
                index => log.get(index as usize - 1).map(|&term| Term(term)),
            };
            prop_assert_eq!(shape.term(Index(probe)), expected);
            prop_assert_eq!(shape.last().index, Index(log.len() as u64));
            prop_assert_eq!(shape.base().index, Index(base));
        }

        #[test]
        fn the_first_difference_is_the_one_that_a_walk_finds(left in terms(), right in terms(), after in 0..12_u64) {
            let walked = (after as usize..left.len().min(right.len())).find(|&i| left[i] != right[i]);
            let found = shape(EntryId::ZERO, &left).first_difference(&shape(EntryId::ZERO, &right), Index(after), Index(99));
            prop_assert_eq!(found.map(|(index, ..)| index), walked.map(|i| Index(i as u64 + 1)));
        }
    }

    #[test]
    fn an_entry_before_the_base_counts_as_held() {
        let shape = shape(EntryId::new(Term(2), Index(5)), &[3]);
        assert!(shape.holds(EntryId::new(Term(1), Index(4))));
        assert!(shape.holds(EntryId::new(Term(2), Index(5))));
        assert!(!shape.holds(EntryId::new(Term(1), Index(5))));
        assert!(!shape.holds(EntryId::new(Term(3), Index(7))));
    }
}
