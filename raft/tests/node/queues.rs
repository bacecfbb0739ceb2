//! What can be seen of what waits.

use raft::node::{Arm, Demand, Limits};
use raft::{Body, ConfChange, ConfChangeV1, Entry, EntryId, Index, Message, Role, SnapshotStatus};

use super::{Loop, heartbeat, id, limited, loop_of, message};

/// An entry that makes node 4 a voter.
fn change() -> Entry {
    let (kind, data) = ConfChange::V1(ConfChangeV1::add_voter(id(4))).encode();
    Entry { kind, data, ..Entry::default() }
}

fn forwarded(entry: Entry) -> Message {
    Message { term: None, ..message(2, 1, Body::Propose { entries: vec![entry] }) }
}

fn append(entry: Entry) -> Message {
    message(2, 1, Body::Append { previous: EntryId::ZERO, entries: vec![entry], commit: Index::ZERO })
}

#[test]
fn what_waits_and_what_there_is_room_for_make_up_the_limits() {
    let limits = Limits { proposals: 4, messages: 5, ..Limits::default() };
    let mut run_loop = limited(&[1, 2, 3], limits);
    assert_eq!(run_loop.limits(), limits);
    for count in 0..3 {
        assert_eq!((run_loop.waiting_proposals(), run_loop.waiting_messages()), (count, count));
        assert_eq!((run_loop.proposal_room(), run_loop.message_room()), (4 - count, 5 - count));
        run_loop.propose("data".into()).unwrap();
        run_loop.step(heartbeat(2, 1)).unwrap();
    }
}

#[test]
fn the_first_of_the_messages_and_requests_that_wait_is_shown() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    assert_eq!((run_loop.next_demand(), run_loop.next_message()), (None, None));
    run_loop.step(heartbeat(2, 1)).unwrap();
    run_loop.campaign().unwrap();
    run_loop.transfer_leadership(id(3)).unwrap();
    run_loop.report_snapshot(id(2), SnapshotStatus::Finish).unwrap();
    run_loop.report_unreachable(id(2)).unwrap();
    let expected = [
        (None, Some(heartbeat(2, 1))),
        (Some(Demand::Campaign), None),
        (Some(Demand::TransferLeadership { target: id(3) }), None),
        (Some(Demand::ReportSnapshot { peer: id(2) }), None),
        (Some(Demand::ReportUnreachable { peer: id(2) }), None),
        (None, None),
    ];
    run_loop.forget_leader().unwrap();
    for (demand, first) in expected {
        assert_eq!((run_loop.next_demand(), run_loop.next_message()), (demand, first.as_ref()));
        run_loop.take(Arm::Message).unwrap();
    }
}

#[test]
fn a_membership_change_is_awaited_from_whoever_proposes_or_sends_it_until_it_is_taken() {
    type Enqueue = fn(&mut Loop);
    let table: [(Enqueue, bool); 7] = [
        (|_| {}, false),
        (|run_loop| assert!(run_loop.propose("data".into()).is_ok()), false),
        (|run_loop| run_loop.step(forwarded(Entry::default())).unwrap(), false),
        (|run_loop| run_loop.step(append(Entry::default())).unwrap(), false),
        (|run_loop| assert!(run_loop.propose_conf_change(ConfChangeV1::add_voter(id(4)).into()).is_ok()), true),
        (|run_loop| run_loop.step(forwarded(change())).unwrap(), true),
        (|run_loop| run_loop.step(append(change())).unwrap(), true),
    ];
    for (row, (enqueue, expected)) in table.into_iter().enumerate() {
        let mut run_loop = loop_of(&[1, 2, 3]);
        enqueue(&mut run_loop);
        assert_eq!(run_loop.awaits_conf_change(), expected, "row {row}");
        run_loop.step(heartbeat(2, 1)).unwrap();
        while run_loop.take(Arm::Message).is_some() || run_loop.take(Arm::Proposal).is_some() {}
        assert!(!run_loop.awaits_conf_change(), "row {row}");
    }
}

#[test]
fn an_election_timeout_that_is_set_is_that_of_the_node() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    run_loop.set_randomized_election_timeout(2);
    for expected in [Role::Follower, Role::Candidate] {
        run_loop.tick().unwrap();
        run_loop.take(Arm::Tick).unwrap();
        assert_eq!(run_loop.node().soft_state().role, expected);
    }
}
