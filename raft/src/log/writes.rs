//! Which of the writes that were handed out still say what is durable.

use std::collections::VecDeque;

use crate::types::{EntryId, Index, Term};

/// The writes of entries that were handed out and whose end was not reported, oldest first.
///
/// A write is reported by the last entry of the log when it was handed out. If entries of the write are overwritten
/// before that, its report says nothing about those that stand in their place, even if the log by then ends with an
/// entry of the same identity again. No correct leader makes that happen within a term; two that claim the same term
/// may.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Writes(VecDeque<Write>);

#[derive(Clone, Hash, Debug)]
struct Write {
    term: Term,
    last: EntryId,
    /// Whether the log was changed since, at or before `last`.
    overwritten: bool,
}

impl Writes {
    /// Notes a write that was handed out in `term`, when the log ended with `last`.
    pub(super) fn hand_out(&mut self, term: Term, last: EntryId) {
        self.0.push_back(Write { term, last, overwritten: false });
    }

    /// Gives memory back where nothing is under way.
    pub(super) fn release_memory(&mut self) {
        if self.0.is_empty() {
            self.0 = VecDeque::new();
        }
    }

    /// Notes that the log changes from the entry `first` on.
    pub(super) fn overwrite(&mut self, first: Index) {
        self.0.iter_mut().for_each(|write| write.overwritten |= write.last.index >= first);
    }

    /// Takes a report, which also stands for those before it that the host left out. Returns whether the log still
    /// holds what was written; it does not if no such write was handed out.
    pub(super) fn report(&mut self, term: Term, last: EntryId) -> bool {
        let Some(position) = self.0.iter().position(|write| write.term == term && write.last == last) else {
            return false;
        };
        self.0.drain(..=position).next_back().is_some_and(|write| !write.overwritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(term: u64, index: u64) -> EntryId {
        EntryId::new(Term(term), Index(index))
    }

    fn handed_out(lasts: &[EntryId]) -> Writes {
        let mut writes = Writes::default();
        lasts.iter().for_each(|last| writes.hand_out(Term(3), *last));
        writes
    }

    #[test]
    fn a_write_counts_once_and_in_its_term() {
        let mut writes = handed_out(&[id(2, 7)]);
        assert!(!writes.report(Term(4), id(2, 7)) && !writes.report(Term(3), id(1, 7)));
        assert!(writes.report(Term(3), id(2, 7)));
        assert!(!writes.report(Term(3), id(2, 7)));
    }

    #[test]
    fn what_was_overwritten_says_nothing_even_where_the_log_ends_alike_again() {
        let mut writes = handed_out(&[id(2, 5), id(2, 7)]);
        writes.overwrite(Index(6));
        writes.hand_out(Term(3), id(2, 7));
        let reports = [id(2, 5), id(2, 7), id(2, 7)].map(|last| writes.report(Term(3), last));
        assert_eq!(reports, [true, false, true]);
    }

    #[test]
    fn a_report_stands_for_those_before_it() {
        let mut writes = handed_out(&[id(2, 5), id(2, 6), id(2, 7)]);
        assert!(writes.report(Term(3), id(2, 6)) && !writes.report(Term(3), id(2, 5)));
        assert!(writes.report(Term(3), id(2, 7)));
    }
}
