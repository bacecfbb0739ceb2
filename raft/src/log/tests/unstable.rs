//! What is not yet durable, case by case.

use super::{entries, id, indexes, snapshot};
use crate::log::unstable::Unstable;
use crate::types::{Index, Term};

/// Entries of term 1 with indexes 5 to `4 + count`, of which those before `in_progress` were handed out.
fn unstable(count: usize, in_progress: u64) -> Unstable {
    let all = entries(5, &vec![1; count]);
    let mut unstable = Unstable::new(Index(5));
    unstable.truncate_and_append(all[..(in_progress - 5) as usize].to_vec());
    unstable.accept_in_progress();
    unstable.truncate_and_append(all[(in_progress - 5) as usize..].to_vec());
    unstable
}

fn terms_from_offset(unstable: &Unstable) -> (u64, Vec<u64>) {
    let all = unstable.slice(unstable.offset(), unstable.end());
    (unstable.offset().0, all.iter().map(|entry| entry.term.0).collect())
}

#[test]
fn only_what_was_not_handed_out_is_next() {
    for (count, in_progress, next) in [(0, 5, vec![]), (2, 5, vec![5, 6]), (2, 6, vec![6]), (2, 7, vec![])] {
        let mut unstable = unstable(count, in_progress);
        assert_eq!(indexes(unstable.next_entries()), next, "{count} entries, in progress before {in_progress}");
        unstable.accept_in_progress();
        assert!(unstable.next_entries().is_empty());
        assert_eq!(unstable.has_entries(), count > 0);
    }
}

#[test]
fn a_snapshot_is_next_until_it_is_handed_out() {
    let mut unstable = unstable(2, 6);
    unstable.restore(snapshot(2, 9));
    assert_eq!((unstable.offset(), unstable.end()), (Index(10), Index(10)));
    assert_eq!(unstable.next_snapshot(), Some(&snapshot(2, 9)));
    unstable.accept_in_progress();
    assert_eq!((unstable.next_snapshot(), unstable.snapshot()), (None, Some(&snapshot(2, 9))));
    unstable.restore(snapshot(2, 12));
    assert_eq!(unstable.next_snapshot(), Some(&snapshot(2, 12)), "another one has to be handed out again");
}

#[test]
fn terms_are_known_of_entries_and_of_the_snapshot() {
    let mut unstable = Unstable::new(Index(5));
    assert_eq!((unstable.term(Index(4)), unstable.term(Index(5))), (None, None));
    unstable.restore(snapshot(2, 9));
    unstable.truncate_and_append(entries(10, &[3, 4]));
    let terms: Vec<_> = (8..=12).map(|index| unstable.term(Index(index)).map(|term| term.0)).collect();
    assert_eq!(terms, [None, Some(2), Some(3), Some(4), None]);
    assert_eq!(unstable.term(Index(u64::MAX)), None);
}

#[test]
fn stable_entries_are_forgotten() {
    // Entries, in progress before, what became stable, and then: offset, terms left, next.
    for (count, in_progress, stable, offset, left, next) in [
        (0, 5, id(1, 5), 5, 0, vec![]),
        (1, 6, id(1, 5), 6, 0, vec![]),
        (2, 7, id(1, 5), 6, 1, vec![]),
        (3, 6, id(1, 5), 6, 2, vec![6, 7]),
        (3, 6, id(1, 6), 7, 1, vec![7]),
        (3, 5, id(1, 7), 8, 0, vec![]),
        (2, 7, id(1, 4), 5, 2, vec![]),
        (2, 7, id(1, 9), 5, 2, vec![]),
        (2, 7, id(2, 5), 5, 2, vec![]),
    ] {
        let mut unstable = unstable(count, in_progress);
        unstable.stable_to(stable);
        assert_eq!(terms_from_offset(&unstable), (offset, vec![1; left]), "{count} entries, stable to {stable}");
        assert_eq!(indexes(unstable.next_entries()), next, "{count} entries, stable to {stable}");
    }
}

#[test]
fn a_stable_entry_of_another_leader_leaves_everything() {
    let mut unstable = unstable(3, 8);
    unstable.truncate_and_append(entries(6, &[2, 2]));
    unstable.stable_to(id(1, 7));
    assert_eq!(terms_from_offset(&unstable), (5, vec![1, 2, 2]));
}

#[test]
fn an_entry_that_the_snapshot_covers_makes_nothing_stable() {
    let mut unstable = Unstable::new(Index(5));
    unstable.restore(snapshot(1, 9));
    unstable.truncate_and_append(entries(10, &[1]));
    unstable.stable_to(id(1, 9));
    assert_eq!(unstable.snapshot(), Some(&snapshot(1, 9)));
    assert_eq!(terms_from_offset(&unstable), (10, vec![1]));
}

#[test]
fn only_the_snapshot_that_is_written_is_forgotten() {
    let mut unstable = Unstable::new(Index(5));
    unstable.restore(snapshot(1, 9));
    unstable.accept_in_progress();
    unstable.stable_snapshot_to(Index(8));
    assert_eq!(unstable.snapshot(), Some(&snapshot(1, 9)));
    unstable.stable_snapshot_to(Index(9));
    assert_eq!(unstable.snapshot(), None);
    assert_eq!(unstable.offset(), Index(10));
}

#[test]
fn new_entries_replace_those_from_their_first_index_on() {
    // Of three entries, those in progress before, what is put in, and then: offset, terms, next.
    for (in_progress, first, terms, offset, all, next) in [
        (8, 8, vec![2], 5, vec![1, 1, 1, 2], vec![8]),
        (6, 8, vec![2], 5, vec![1, 1, 1, 2], vec![6, 7, 8]),
        (8, 5, vec![2, 2], 5, vec![2, 2], vec![5, 6]),
        (8, 3, vec![2], 3, vec![2], vec![3]),
        (8, 6, vec![2, 2], 5, vec![1, 2, 2], vec![6, 7]),
        (6, 7, vec![2], 5, vec![1, 1, 2], vec![6, 7]),
        (8, 7, vec![2], 5, vec![1, 1, 2], vec![7]),
    ] {
        let mut unstable = unstable(3, in_progress);
        unstable.truncate_and_append(entries(first, &terms));
        assert_eq!(terms_from_offset(&unstable), (offset, all), "in progress before {in_progress}, from {first}");
        assert_eq!(indexes(unstable.next_entries()), next, "in progress before {in_progress}, from {first}");
    }
}

#[test]
fn nothing_changes_where_nothing_is_put_in() {
    let mut unstable = unstable(3, 6);
    unstable.truncate_and_append(Vec::new());
    assert_eq!(terms_from_offset(&unstable), (5, vec![1, 1, 1]));
    assert_eq!(unstable.term(Index(7)), Some(Term(1)));
}

#[test]
#[should_panic(expected = "entries from 9 on would leave a gap behind 8")]
fn entries_that_leave_a_gap_are_a_bug() {
    unstable(3, 5).truncate_and_append(entries(9, &[1]));
}

#[test]
#[should_panic(expected = "[4, 6) is not within [5, 8)")]
fn reading_what_is_not_unstable_is_a_bug() {
    unstable(3, 5).slice(Index(4), Index(6));
}
