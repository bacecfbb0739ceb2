//! Hosts that use the log wrongly, as real ones did: that the tests of this directory notice shows that they can fail.

use raft::{Entry, EntryId, HardState, Index, Snapshot, Term};
use sim::disk::Keep;
use sim::wal::{Files, RecoveryError, Segment, Wal, Write, recover};

use crate::script::{Host, State, node};

fn hard_state(term: u64, vote: u64) -> HardState {
    HardState { term: Term(term), vote: node(vote), commit: Index(0) }
}

/// The states that a crash after each number of writes can recover to.
fn after_each_crash(prepare: &[Write<'_>], writes: &[Write<'_>]) -> Vec<State> {
    let recovered = |count: usize| {
        let mut host = Host::default();
        prepare.iter().for_each(|write| host.write(*write));
        host.sync();
        writes[..count].iter().for_each(|write| host.write(*write));
        host.disk.crash(Keep::All);
        State::from(recover(&host.disk).expect("a crash leaves no corruption"))
    };
    (0..=writes.len()).map(recovered).collect()
}

#[test]
fn a_host_that_forgets_to_sync_loses_the_write() {
    let mut host = Host::default();
    host.write(Write::HardState(hard_state(1, 2)));
    // It believes that the write is durable without having asked the disk.
    host.possible.remove(0);
    host.disk.crash(Keep::Nothing);
    let recovered = State::from(recover(&host.disk).expect("a crash leaves no corruption"));
    assert!(!host.may_be(&recovered));
}

#[test]
fn term_and_vote_in_one_write_are_atomic_and_in_two_they_are_not() {
    let before = [Write::HardState(hard_state(4, 1))];
    let together = after_each_crash(&before, &[Write::HardState(hard_state(5, 2))]);
    let apart = after_each_crash(&before, &[Write::HardState(hard_state(4, 2)), Write::HardState(hard_state(5, 2))]);
    // A second vote in term 4 is what makes two leaders.
    let voted_again = |states: &[State]| states.iter().any(|state| state.hard_state == hard_state(4, 2));
    assert!(!voted_again(&together));
    assert!(voted_again(&apart));
}

#[test]
fn a_state_and_its_applied_index_in_one_record_are_atomic_and_in_two_they_are_not() {
    let entries: Vec<Entry> =
        (1..=9).map(|index| Entry { term: Term(1), index: Index(index), ..Entry::default() }).collect();
    let before: Vec<Write<'_>> = entries.iter().map(Write::Entry).collect();
    let snapshot = |index: u64, data: &'static [u8]| Snapshot {
        id: EntryId::new(Term(1), Index(index)),
        data: data.into(),
        ..Snapshot::default()
    };
    let (right, wrong) = (snapshot(9, b"nine"), snapshot(5, b"nine"));
    let write = |snapshot| Write::Snapshot { snapshot, base: right.id };
    let together = after_each_crash(&before, &[write(&right)]);
    let early = Write::Snapshot { snapshot: &wrong, base: wrong.id };
    let apart = after_each_crash(&before, &[early, write(&right)]);
    // Four entries would be applied to a state that has them already.
    let applies_twice = |states: &[State]| states.iter().any(|state| state.snapshot.as_ref() == Some(&wrong));
    assert!(!applies_twice(&together));
    assert!(applies_twice(&apart));
}

#[test]
fn a_log_that_forgets_entries_before_the_snapshot_is_durable_does_not_come_back() {
    let mut host = Host::default();
    host.sync();
    let state = host.state().clone();
    state.checkpoint().plan().for_each(|write| host.wal.write(&mut host.disk, write).expect("the disk works"));
    host.disk.remove(Segment(1)).expect("it exists");
    host.disk.crash(Keep::Nothing);
    let corruption = RecoveryError::Corruption { segment: Segment(2), offset: 0 };
    assert_eq!(Wal::open(&mut host.disk).err(), Some(corruption));
}

#[test]
fn a_hard_state_before_its_entries_would_commit_conflicting_ones() {
    let old = Entry { term: Term(1), index: Index(1), ..Entry::default() };
    let new = Entry { term: Term(2), ..old.clone() };
    let commit = HardState { term: Term(2), vote: None, commit: Index(1) };
    let before = [Write::Entry(&old)];
    let commits_old = |states: &[State]| {
        states.iter().any(|state| state.entries == [old.clone()] && state.hard_state.commit == Index(1))
    };
    let planned: Vec<Write<'_>> = sim::wal::plan(Some(commit), std::slice::from_ref(&new), None).collect();
    assert!(!commits_old(&after_each_crash(&before, &planned)));
    assert!(commits_old(&after_each_crash(&before, &[Write::HardState(commit), Write::Entry(&new)])));
}
