//! What a node tells about itself to whoever looks, without changing anything.

use raft::{Body, Config, Index, MemStorage, NodeId, Role, Term};

use crate::host::*;

#[test]
fn a_node_tells_who_it_is_what_it_runs_with_and_where_it_keeps_its_log() {
    let config = Config { max_inflight_messages: 7, ..config() };
    let mut host = Host::over(config.clone(), stored(&[1, 2, 3], &[1, 1], 1));
    assert_eq!((host.node.id(), host.node.config()), (id(1), &config));
    assert_eq!(host.node.storage().stored().len(), 2);
    host.node.storage_mut().append(&[entry(1, 3)]).unwrap();
    assert_eq!(host.node.storage().stored().len(), 3);
}

#[test]
fn the_status_of_a_leader_has_what_the_single_questions_tell() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    let status = host.node.status();
    assert_eq!(status.basic, host.node.basic_status());
    assert_eq!(status.basic.soft_state, host.node.soft_state());
    assert_eq!(&status.configuration, host.node.configuration());
    let progress: Vec<NodeId> = host.node.progress().map(|(member, _)| member).collect();
    assert_eq!(
        (status.progress.into_keys().collect(), progress),
        (vec![id(1), id(2), id(3)], vec![id(1), id(2), id(3)])
    );
    assert_eq!((status.basic.id, status.basic.soft_state.role), (id(1), Role::Leader));
    assert_eq!((status.basic.applied, status.basic.first_index), (Index(1), Index(1)));
    assert_eq!(status.basic.last, entry_id(1, 1));
}

#[test]
fn who_does_not_lead_tells_nothing_of_the_others_progress() {
    let host = Host::follower();
    assert!(host.node.status().progress.is_empty());
    assert_eq!((host.node.progress().count(), host.node.uncommitted_size(), host.node.waiting_reads()), (0, 0, 0));
}

#[test]
fn the_messages_that_wait_for_the_next_ready_can_be_seen_and_stay() {
    let mut host = Host::follower();
    assert_eq!(host.node.pending_messages().count(), 0);
    host.node.campaign();
    for _ in 0..2 {
        let asked = |peer| {
            let asks = |body: &Body| matches!(body, Body::RequestVote { .. });
            host.node.pending_messages().filter(|message| message.to == id(peer) && asks(&message.body)).count()
        };
        assert_eq!([2, 3].map(asked), [1, 1]);
        let own = |body: &Body| *body == granted();
        assert!(host.node.pending_messages().any(|message| message.to == id(1) && own(&message.body)), "its own vote");
    }
    host.work_off();
    assert_eq!(host.node.pending_messages().count(), 0);
}

#[test]
fn the_term_of_an_entry_is_told_stored_or_not_and_none_where_the_log_does_not_reach() {
    let storage = MemStorage::from_snapshot(snapshot(2, 4, &[1, 2, 3]));
    let mut host = Host::over(config(), storage);
    host.node.step(message(2, 3, append(entry_id(2, 4), vec![entry(3, 5)], 4))).unwrap();
    let terms = [3, 4, 5, 6].map(|index| host.node.entry_term(Index(index)));
    assert_eq!(terms, [None, Some(Term(2)), Some(Term(3)), None]);
    host.work_off();
    assert_eq!(host.node.entry_term(Index(5)), Some(Term(3)));
}

#[test]
fn an_election_timeout_that_is_set_holds_until_the_next_term() {
    let mut host = Host::new(Config::new(id(1)), voters(&[1, 2, 3]));
    host.node.set_randomized_election_timeout(13);
    host.wait(12);
    assert_eq!(host.role(), Role::Follower);
    host.wait(1);
    assert_eq!((host.role(), host.term()), (Role::Candidate, 1));
}
