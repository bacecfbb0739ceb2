//! What violations say: one report of each kind, to be read as a whole.

use bytes::Bytes;
use raft::{
    Body, Change, ChangeKind, ConfChangeV2, Entry, EntryId, HardState, Index, ReadState, Role, SoftState, Term,
    Transition,
};

use super::testing::{Bench, configuration, entries, entry, message, node, says};
use super::{Check, Invariant, ProgressState, ProgressView};

/// A way to break a property, the property, and the report.
type Row = (fn() -> Check, Invariant, &'static str);

fn holds(rows: &[Row]) {
    for (broken, invariant, detail) in rows {
        says(broken(), *invariant, detail);
    }
}

/// The progress of a follower that acknowledged up to `matched`.
fn matched(matched: u64) -> ProgressView {
    ProgressView { matched: Index(matched), next: Index(matched + 1), ..ProgressView::default() }
}

/// A node that claims to lead.
fn leads(bench: &mut Bench, id: u64, term: u64) -> Check {
    let view = bench.view(id, |view| {
        view.hard_state = HardState { term: Term(term), vote: Some(node(id)), commit: view.hard_state.commit };
        view.soft_state = SoftState { role: Role::Leader, leader: Some(node(id)) };
    });
    bench.checkers.observed(node(id), &view)
}

#[test]
fn elections_and_votes_are_told_in_words() {
    holds(&[
        (
            || leads(&mut Bench::new(3), 2, 4),
            Invariant::ElectionSafety,
            "node 2 became leader of term 4 with the durable votes of (nobody); expected those of a quorum of its members \
             (voters 1, 2, 3)",
        ),
        (
            || {
                let heartbeat = Body::Heartbeat { commit: Index::ZERO, context: Bytes::new() };
                Bench::led().checkers.sent(&message(2, 3, 1, heartbeat))
            },
            Invariant::ElectionSafety,
            "node 2 speaks as leader of term 1, which node 1 leads; expected one leader at most",
        ),
        (
            || Bench::with(&[1, 4], &configuration(&[1])).campaign(4, 1),
            Invariant::LeaderIsVoter,
            "node 4 became candidate in term 1; expected only voters to, and its members are (voters 1)",
        ),
        (
            || {
                let mut bench = Bench::new(3);
                bench.vote(1, 1, 2)?;
                bench.vote(1, 1, 3)
            },
            Invariant::VoteOnce,
            "node 1 shows the vote for node 3 in term 1; expected the vote for node 2, which it showed before",
        ),
    ]);
}

#[test]
fn commits_and_what_is_durable_are_told_in_words() {
    holds(&[
        (
            || Bench::led().commit(1, 4),
            Invariant::CommitQuorum,
            "node 1 leads term 1 and committed 1/4, which is durable on (1); expected it on a quorum of its members (voters 1, \
             2, 3)",
        ),
        (
            || {
                let mut bench = Bench::led();
                bench.append_unsynced(1, &entries(1, 5..=5))?;
                bench.checkers.progress(node(1), node(1), &matched(5))
            },
            Invariant::DurableBeforeSend,
            "node 1 leads term 1 and counts itself up to 5; expected that to be durable on its disk, which holds a durable log \
             that ends at 1/4 and not 1/5",
        ),
        (
            || Bench::led().checkers.sent(&message(3, 1, 1, Body::VoteResponse { granted: true })),
            Invariant::DurableBeforeSend,
            "node 3 to node 1: votes in term 1, but its disk knows term 0 and no vote; expected its vote to be durable before",
        ),
        (
            || {
                let mut bench = Bench::led();
                bench.checkers.crashed(node(1));
                bench.start(1, EntryId::ZERO, &entries(1, 1..=4), HardState::default())
            },
            Invariant::DurableBeforeSend,
            "node 1: (term 0, no vote, commit index 0) came back from the disk; expected (term 1, the vote for node 1, commit \
             index 0), which was durable",
        ),
        (
            || {
                let mut bench = Bench::led();
                bench.checkers.crashed(node(1));
                let torn = Entry { data: Bytes::from_static(b"1/"), ..entry(1, 4) };
                let hard_state = bench.hard_state(1, 1);
                bench.start(1, EntryId::ZERO, &[entries(1, 1..=3), vec![torn]].concat(), hard_state)
            },
            Invariant::DurableBeforeSend,
            "node 1: 1/4 came back from the disk as [1/]; expected [1/4], as it was written",
        ),
        (
            || {
                let mut bench = Bench::led();
                let view = bench.view(1, |view| view.hard_state.term = Term::ZERO);
                bench.checkers.observed(node(1), &view)
            },
            Invariant::Monotonic,
            "node 1: its term fell from 1 to 0; expected it never to fall",
        ),
    ]);
}

#[test]
fn logs_are_told_with_what_their_entries_say() {
    holds(&[
        (
            || {
                let mut bench = Bench::led();
                let data = Bytes::from_static(b"c3.1 k5=green");
                bench.append(2, &[Entry { data, ..entry(1, 1) }])
            },
            Invariant::LogMatching,
            "node 2 holds 1/1 as [c3.1 k5=green]; expected [nothing], as others hold it",
        ),
        (
            || Bench::led().append(2, &[entry(1, 3)]),
            Invariant::LogMatching,
            "node 2 wrote 1/3 into a log that begins after 0/0 and ends at 0/0; expected an entry within it, or the next one",
        ),
        (
            || {
                let mut bench = Bench::led();
                bench.append(2, &entries(1, 1..=3))?;
                bench.commit(1, 3)?;
                bench.checkers.applied(node(1), &entry(1, 2))
            },
            Invariant::StateMachineSafety,
            "node 1 applied 1/2 right after 0; expected the entry at 1",
        ),
        (
            || {
                let mut bench = Bench::led();
                bench.checkers.state(node(1), Index(3), 7)?;
                bench.checkers.state(node(2), Index(3), 8)
            },
            Invariant::StateMachineSafety,
            "node 2 is in another state than others were after 3; expected the same",
        ),
    ]);
}

#[test]
fn memberships_are_told_as_lists_of_members() {
    holds(&[
        (
            || {
                let mut bench = Bench::new(3);
                bench.checkers.configuration_applied(node(1), Index(2), &configuration(&[1, 2]))?;
                bench.checkers.configuration_applied(node(2), Index(2), &configuration(&[1, 2, 3]))
            },
            Invariant::ConfigurationAgreement,
            "node 2 applied at 2 with the members (voters 1, 2, 3); expected (voters 1, 2), which others agreed on",
        ),
        (
            || {
                let change = Change::new(ChangeKind::Remove, node(3));
                let change =
                    ConfChangeV2 { transition: Transition::Auto, changes: vec![change], context: Bytes::new() };
                Bench::new(3).checkers.change_applied(node(1), Index(2), &change, &configuration(&[1, 2, 3]))
            },
            Invariant::ConfigurationAgreement,
            "node 1 applied the change (removes 3) at 2 to the members (voters 1, 2, 3), and came to (voters 1, 2, 3); expected \
             (voters 1, 2)",
        ),
        (
            || {
                let mut bench = Bench::led();
                bench.tracked(1, &[1, 2])
            },
            Invariant::ConfigurationAgreement,
            "node 1 leads term 1 and keeps track of 2 nodes; expected its members (voters 1, 2, 3), each once",
        ),
    ]);
}

#[test]
fn reads_commands_and_windows_are_told_with_their_numbers() {
    holds(&[
        (
            || {
                let mut bench = Bench::led();
                bench.append(2, &entries(1, 1..=4))?;
                bench.commit(1, 4)?;
                let context = Bytes::from_static(b"r");
                bench.checkers.read_requested(node(1), &context);
                bench.checkers.read_ready(node(1), &ReadState { index: Index(3), context }, false)
            },
            Invariant::LinearizableRead,
            "node 1 answers a read; expected a quorum of its members (voters 1, 2, 3) to hear from it first, after the read was \
             asked for",
        ),
        (
            || {
                let mut bench = Bench::led();
                bench.checkers.executed(node(1), Index(2), 5, 1)?;
                bench.checkers.executed(node(1), Index(4), 5, 1)
            },
            Invariant::ExactlyOnce,
            "command 1 of client 5 takes effect at 4 on node 1, and took effect at 2 before; expected it to take effect once",
        ),
        (
            || {
                let mut bench = Bench::led();
                bench.append(2, &entries(1, 1..=4))?;
                let progress = ProgressView { next: Index(5), state: ProgressState::Replicate, ..matched(2) };
                bench.checkers.progress(node(1), node(2), &progress)
            },
            Invariant::BoundedMemory,
            "node 1 has 0 messages of 0 bytes in flight to node 2, which has acknowledged up to 2 and is sent 5 next; expected \
             messages in flight for what lies between",
        ),
    ]);
}
