//! What a follower does with what its leader sends.

use raft::{Body, EntryId, Index, Role};

use crate::host::*;

/// A follower of node 2 in term 6 with entries of these terms, the first two committed.
fn follower() -> Host {
    let mut host = Host::over(config(), stored(&[1, 2, 3], &[1, 1, 3, 3, 5], 2));
    host.hear_in(2, 6, heartbeat(0));
    host
}

#[test]
fn an_append_is_acknowledged_up_to_its_last_entry_or_refused_with_where_the_logs_may_match() {
    let table = [
        // behind which entry, the entries' terms; the answer and the last index then
        ("nothing new", entry_id(5, 5), vec![], accepted(5), 5),
        ("an old one, of which all is in the log", entry_id(3, 3), vec![3], accepted(4), 5),
        ("one behind the last", entry_id(5, 5), vec![5, 5], accepted(7), 7),
        ("a conflict", entry_id(3, 3), vec![5], accepted(4), 4),
        ("one behind what is committed", entry_id(1, 2), vec![5], accepted(3), 3),
        ("one before what is committed", entry_id(1, 1), vec![1, 5, 5], accepted(2), 5),
        ("a gap", entry_id(5, 9), vec![5], rejected(9, entry_id(5, 5)), 5),
        ("another entry there", entry_id(4, 5), vec![], rejected(5, entry_id(3, 4)), 5),
        ("another one, of an early term", entry_id(2, 4), vec![], rejected(4, entry_id(1, 2)), 5),
    ];
    for (case, previous, terms, answer, last) in table {
        let mut host = follower();
        let entries = (previous.index.0 + 1..).zip(terms).map(|(index, term)| entry(term, index)).collect();
        assert_eq!(host.hear(2, append(previous, entries, 0)).sent(), [(2, 6, answer)], "{case}");
        assert_eq!((host.last(), host.commit()), (last, 2), "{case}");
    }
}

#[test]
fn an_old_append_is_answered_with_what_is_committed_by_now() {
    let mut host = follower();
    assert_eq!(host.hear(2, heartbeat(4)).applied(), [3, 4]);
    assert_eq!(host.hear(2, append(entry_id(1, 1), vec![entry(1, 2)], 2)).sent(), [(2, 6, accepted(4))]);
}

#[test]
fn a_heartbeat_commits_what_it_says_and_its_context_comes_back() {
    let mut host = follower();
    let beat = |commit: u64| Body::Heartbeat { commit: Index(commit), context: "12345678".into() };
    let work = host.hear(2, beat(4));
    assert_eq!(work.sent(), [(2, 6, Body::HeartbeatResponse { context: "12345678".into() })]);
    assert_eq!((work.applied(), host.commit()), (vec![3, 4], 4));
    host.hear(2, beat(3));
    assert_eq!(host.commit(), 4, "never back");
}

#[test]
fn a_snapshot_is_restored_only_where_it_brings_something_and_is_meant_for_this_node() {
    let all = [1, 2, 3];
    let table = [
        ("an old one", snapshot(1, 2, &all), 2, 2, 5),
        ("one whose end is in the log", snapshot(3, 4, &all), 4, 4, 5),
        ("one beyond the log", snapshot(5, 9, &all), 9, 9, 9),
        ("one with another end", snapshot(4, 4, &all), 4, 4, 4),
        ("one without this node", snapshot(5, 9, &[2, 3]), 2, 2, 5),
    ];
    for (case, snapshot, acknowledged, commit, last) in table {
        let mut host = follower();
        let work = host.hear(2, install(snapshot));
        assert_eq!(work.sent(), [(2, 6, accepted(acknowledged))], "{case}");
        assert_eq!((host.commit(), host.last()), (commit, last), "{case}");
    }
}

#[test]
fn a_restored_snapshot_brings_its_membership() {
    let mut host = follower();
    host.hear(2, install(snapshot(5, 9, &[1, 2, 3, 4])));
    assert_eq!(host.node.configuration().to_string(), "voters=(1 2 3 4)");
    let status = host.node.basic_status();
    assert_eq!((status.first_index, status.last, status.applied), (Index(10), entry_id(5, 9), Index(9)));
}

#[test]
fn a_follower_has_no_use_for_what_only_leaders_and_candidates_ask_for() {
    let useless = [
        accepted(9),
        rejected(5, EntryId::ZERO),
        heartbeat_response(),
        granted(),
        Body::PreVoteResponse { granted: true },
    ];
    for body in useless {
        let mut host = follower();
        assert_eq!(host.hear(3, body.clone()).messages, [], "{body:?}");
        assert_eq!((host.role(), host.leader_known()), (Role::Follower, 2));
    }
}

#[test]
fn a_follower_hears_of_its_leader_by_whatever_that_sends() {
    let words: [fn() -> Body; 3] =
        [|| heartbeat(0), || append(entry_id(5, 5), vec![], 0), || install(snapshot(1, 2, &[1, 2, 3]))];
    for word in words {
        let mut host = follower();
        host.node.forget_leader();
        host.hear(3, word());
        assert_eq!(host.leader_known(), 3, "{:?}", word());
    }
}
