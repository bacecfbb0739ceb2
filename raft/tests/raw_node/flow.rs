//! How much a leader sends at once, and snapshots for those who are too far behind.

use raft::{Body, Config, Index, MemStorage, Snapshot, SnapshotStatus};

use crate::host::*;

/// A leader of three voters to which node 2 has acknowledged everything.
fn leader(config: Config) -> Host {
    let mut host = Host::leading(config, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    host.hear(2, accepted(1));
    host
}

fn propose(host: &mut Host, payload: &'static str) -> Vec<Body> {
    host.node.propose(payload.into()).expect("it leads");
    host.work_off().to(2)
}

/// How many entries each append holds.
fn lengths(bodies: &[Body]) -> Vec<usize> {
    let entries = |body: &Body| match body {
        Body::Append { entries, .. } => entries.len(),
        other => panic!("{other:?} is no append"),
    };
    bodies.iter().map(entries).collect()
}

#[test]
fn appends_follow_one_another_until_the_window_is_full() {
    let by_count = Config { max_inflight_messages: 2, ..config() };
    let by_bytes = Config { max_inflight_bytes: 6, max_size_per_message: 6, ..config() };
    for config in [by_count, by_bytes] {
        let mut host = leader(config);
        assert_eq!(lengths(&propose(&mut host, "abc")), [1]);
        assert_eq!(lengths(&propose(&mut host, "abc")), [1]);
        assert_eq!(propose(&mut host, "abc"), []);
        assert_eq!(host.shown(2), "StateReplicate match=1 next=4 paused inflight=2[full]");
        assert_eq!(lengths(&host.hear(2, heartbeat_response()).to(2)), [0], "to learn whether the window was lost");
        assert_eq!(lengths(&host.hear(2, accepted(2)).to(2)), [1], "there is room again");
    }
}

#[test]
fn whatever_there_is_room_for_goes_out_after_an_acknowledgement() {
    let one_by_one = Config { max_size_per_message: 0, max_inflight_messages: 3, ..config() };
    let mut host = leader(one_by_one);
    for _ in 0..5 {
        host.node.propose("x".into()).expect("it leads");
    }
    host.work_off();
    assert_eq!(lengths(&host.hear(3, accepted(1)).to(3)), [1, 1, 1]);
}

#[test]
fn an_append_holds_as_many_entries_as_fit() {
    let size = entry(1, 2).encoded_size();
    let mut host = leader(Config { max_size_per_message: 2 * size, ..config() });
    for _ in 0..3 {
        host.node.propose("".into()).expect("it leads");
    }
    host.work_off();
    assert_eq!(lengths(&host.hear(3, accepted(1)).to(3)), [2, 1]);
}

/// A leader in term 2 whose log begins behind the snapshot at 5; node 3 has rejected its probe, being empty.
fn leader_with_snapshot() -> Host {
    let mut storage = MemStorage::from_snapshot(snapshot(1, 5, &[1, 2, 3]));
    storage.set_hard_state(raft::HardState { term: raft::Term(1), vote: None, commit: Index(5) });
    let mut host = Host::leading(config(), storage);
    let sent = host.hear(3, rejected(5, entry_id(0, 0))).sent();
    assert_eq!(sent, [(3, 2, install(snapshot(1, 5, &[1, 2, 3])))]);
    assert_eq!(host.shown(3), "StateSnapshot match=0 next=6 paused pendingSnap=5");
    host
}

#[test]
fn who_lacks_what_is_compacted_gets_a_snapshot_and_nothing_else_until_it_answers() {
    let mut host = leader_with_snapshot();
    host.node.propose("x".into()).expect("it leads");
    assert_eq!(host.work_off().to(3), []);
    assert_eq!(host.hear(3, heartbeat_response()).to(3), []);
    let work = host.hear(3, accepted(5));
    assert_eq!(lengths(&work.to(3)), [2]);
    assert_eq!(host.shown(3), "StateReplicate match=5 next=8 inflight=1");
}

#[test]
fn an_answer_that_does_not_reach_the_log_leaves_the_snapshot_pending() {
    let mut host = leader_with_snapshot();
    assert_eq!(host.hear(3, accepted(4)).to(3), [], "another snapshot would not help");
    assert_eq!(host.shown(3), "StateSnapshot match=4 next=6 paused pendingSnap=5");
}

#[test]
fn a_snapshot_goes_only_to_whom_the_leader_has_heard_of() {
    let mut storage = MemStorage::from_snapshot(snapshot(1, 5, &[1, 2, 3]));
    storage.append(&[entry(1, 6), entry(1, 7)]).expect("entries follow the snapshot");
    storage.set_hard_state(raft::HardState { term: raft::Term(1), vote: None, commit: Index(7) });
    let mut host = Host::leading(config(), storage);
    let storage = host.node.storage_mut();
    storage.create_snapshot(Index(7), voters(&[1, 2, 3]), "state".into()).expect("it is committed");
    storage.compact(Index(7)).expect("the snapshot covers it");
    host.hear(2, rejected(7, entry_id(1, 6)));
    assert!(host.shown(2).starts_with("StateSnapshot"));
    assert!(host.shown(3).starts_with("StateProbe"));
}

#[test]
fn where_no_snapshot_was_made_none_is_sent() {
    let mut host = leader_without_snapshot();
    assert_eq!(host.hear(3, rejected(2, entry_id(0, 0))).messages, []);
    assert_eq!(host.shown(3), "StateProbe match=0 next=1");
}

/// A leader whose log begins behind 2, and whose application has mislaid the snapshot.
fn leader_without_snapshot() -> Host {
    let mut host = Host::leading(config(), stored(&[1, 2, 3], &[1, 1], 2));
    let storage = host.node.storage_mut();
    storage.create_snapshot(Index(2), voters(&[1, 2, 3]), "state".into()).expect("it is committed");
    storage.compact(Index(2)).expect("the snapshot covers it");
    storage.set_snapshot(Snapshot::default());
    host
}

#[test]
fn a_follower_that_needs_a_snapshot_that_was_not_made_shows_until_it_gets_one() {
    let mut host = leader_without_snapshot();
    let lacks = |host: &Host| host.node.status().progress[&id(3)].lacks_snapshot();
    assert!(!lacks(&host));
    host.hear(3, rejected(2, entry_id(0, 0)));
    assert!(lacks(&host));
    assert!(!host.progress_of(2).lacks_snapshot());
    host.hear(3, heartbeat_response());
    assert!(lacks(&host), "nothing has changed");

    host.node.storage_mut().set_snapshot(snapshot(1, 2, &[1, 2, 3]));
    let sent = host.hear(3, heartbeat_response()).to(3);
    assert_eq!((sent, lacks(&host)), (vec![install(snapshot(1, 2, &[1, 2, 3]))], false));
}

#[test]
fn a_snapshot_that_ends_before_the_log_begins_is_sent_and_is_not_enough() {
    let mut host = leader_without_snapshot();
    host.node.storage_mut().set_snapshot(snapshot(1, 1, &[1, 2, 3]));
    assert_eq!(host.hear(3, rejected(2, entry_id(0, 0))).to(3), [install(snapshot(1, 1, &[1, 2, 3]))]);
    assert!(host.progress_of(3).lacks_snapshot());
    host.hear(3, accepted(1));
    assert!(host.progress_of(3).lacks_snapshot(), "it has come no nearer to the log");
    host.hear(3, accepted(2));
    assert!(!host.progress_of(3).lacks_snapshot());
}

#[test]
fn the_host_tells_how_a_snapshot_ended() {
    let table = [
        (SnapshotStatus::Finish, "StateProbe match=0 next=6 paused"),
        (SnapshotStatus::Failure, "StateProbe match=0 next=1 paused"),
    ];
    for (status, expected) in table {
        let mut host = leader_with_snapshot();
        host.node.report_snapshot(id(3), status);
        assert_eq!(host.shown(3), expected);
        host.node.report_snapshot(id(9), status);
    }
    let mut host = leader_with_snapshot();
    host.node.report_unreachable(id(3));
    assert!(host.shown(3).starts_with("StateSnapshot"), "a report of another kind says nothing of it");
}
