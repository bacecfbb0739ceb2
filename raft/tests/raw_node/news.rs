//! When there is a Ready, and what is in it.

use raft::{AdvanceError, Body, Config, Index, NodeId, ProposeError, Ready, Role, Term};

use crate::host::*;

/// The parts of a Ready that say something.
fn parts(ready: &Ready) -> Vec<&'static str> {
    let parts = [
        ("soft state", ready.soft_state.is_some()),
        ("hard state", ready.hard_state.is_some()),
        ("read states", !ready.read_states.is_empty()),
        ("entries", !ready.entries.is_empty()),
        ("snapshot", ready.snapshot.is_some()),
        ("committed entries", !ready.committed_entries.is_empty()),
        ("messages", !ready.messages.is_empty()),
    ];
    parts.into_iter().filter(|(_, says)| *says).map(|(name, _)| name).collect()
}

/// A follower of node 2 that holds two entries of term 1, not committed.
fn follower_with_log() -> Host {
    let mut host = Host::follower();
    host.hear(2, append(entry_id(0, 0), vec![entry(1, 1), entry(1, 2)], 0));
    host
}

fn take(host: &mut Host, from: u64, term: u64, body: Body) {
    host.node.step(message(from, term, body)).expect("the message is taken");
}

#[test]
fn each_kind_of_news_makes_a_ready_by_itself() {
    type Event = fn(&mut Host);
    let table: [(Event, &[&str]); 8] = [
        (|_| {}, &[]),
        (|host| host.node.forget_leader(), &["soft state"]),
        (|host| take(host, 2, 1, Body::ReadIndexResponse { index: Index(0), context: "r".into() }), &["read states"]),
        (|host| take(host, 2, 1, heartbeat(0)), &["messages"]),
        (|host| take(host, 2, 1, append(entry_id(1, 2), vec![], 0)), &["messages"]),
        (|host| take(host, 2, 1, append(entry_id(1, 2), vec![entry(1, 3)], 0)), &["entries", "messages"]),
        (|host| take(host, 2, 1, heartbeat(2)), &["hard state", "committed entries", "messages"]),
        (|host| take(host, 2, 1, install(snapshot(1, 9, &[1, 2, 3]))), &["hard state", "snapshot", "messages"]),
    ];
    for (event, expected) in table {
        let mut host = follower_with_log();
        event(&mut host);
        assert_eq!(host.node.has_ready(), !expected.is_empty(), "{expected:?}");
        assert_eq!(host.node.ready().as_ref().map(parts).unwrap_or_default(), expected);
    }
}

#[test]
fn a_new_term_alone_makes_a_ready() {
    let mut host = Host::new(config(), voters(&[1, 2, 3]));
    take(&mut host, 2, 5, Body::VoteResponse { granted: false });
    assert!(host.node.has_ready());
    assert_eq!(host.node.ready().as_ref().map(parts), Some(vec!["hard state"]));
}

#[test]
fn what_the_application_could_not_be_given_yet_makes_a_ready_by_itself() {
    let config = Config { max_committed_size_per_ready: 1, ..config() };
    let mut host = Host::over(config, stored(&[1, 2, 3], &[1, 1], 2));
    for index in [1, 2] {
        assert!(host.node.has_ready());
        let ready = host.node.ready().expect("an entry to apply");
        assert_eq!((parts(&ready), ready.committed_entries[0].index), (vec!["committed entries"], Index(index)));
        host.node.advance(ready).expect("the outstanding Ready");
    }
    assert!(!host.node.has_ready());
}

#[test]
fn writes_must_be_durable_where_term_vote_or_log_changed_but_not_for_the_commit_index() {
    type Event = fn(&mut Host);
    let table: [(&str, Event, bool); 6] = [
        ("nothing", |host| take(host, 2, 1, append(entry_id(1, 2), vec![], 0)), false),
        ("the commit index", |host| take(host, 2, 1, heartbeat(2)), false),
        ("the term", |host| take(host, 2, 5, heartbeat(0)), true),
        (
            "the vote",
            |host| {
                host.hear_in(2, 2, Body::VoteResponse { granted: false });
                take(host, 3, 2, request_vote(entry_id(1, 2)));
            },
            true,
        ),
        ("term and vote", |host| take(host, 3, 5, request_vote(entry_id(1, 2))), true),
        ("the log", |host| take(host, 2, 1, append(entry_id(1, 2), vec![entry(1, 3)], 0)), true),
    ];
    for (changed, event, expected) in table {
        let mut host = follower_with_log();
        event(&mut host);
        let ready = host.node.ready().expect("at least an answer");
        assert_eq!(ready.must_sync, expected, "{changed} changed");
    }
}

#[test]
fn a_ready_tells_role_and_leader_only_where_they_changed() {
    let mut host = Host::new(config(), voters(&[1, 2, 3]));
    take(&mut host, 2, 1, heartbeat(0));
    let ready = host.node.ready().expect("a leader appeared");
    assert_eq!(ready.soft_state.map(|soft| (soft.leader, soft.role)), Some((NodeId::new(2), Role::Follower)));
    host.node.advance(ready).expect("the outstanding Ready");
    take(&mut host, 2, 1, heartbeat(0));
    let ready = host.node.ready().expect("an answer to the heartbeat");
    assert_eq!((ready.soft_state, ready.hard_state), (None, None));
}

#[test]
fn an_old_ready_is_not_taken_for_the_outstanding_one() {
    let mut host = Host::follower();
    take(&mut host, 2, 1, heartbeat(0));
    let old = host.node.ready().expect("an answer");
    host.node.advance(old.clone()).expect("the outstanding Ready");
    take(&mut host, 2, 1, heartbeat(0));
    let new = host.node.ready().expect("an answer");
    assert_eq!(host.node.advance(old), Err(AdvanceError::NotOutstanding));
    assert_eq!(host.node.advance(new), Ok(()), "it is still outstanding");
}

#[test]
fn a_membership_change_is_proposed_or_dropped_like_data() {
    let change = raft::ConfChange::V1(raft::ConfChangeV1::add_learner(id(4)));
    let mut alone = Host::new(config(), voters(&[1, 2, 3]));
    assert_eq!(alone.node.propose_conf_change(&change), Err(ProposeError::NoLeader));

    let mut leader = Host::leader();
    assert_eq!(leader.node.propose_conf_change(&change), Ok(()));
    leader.hear(2, accepted(2));
    assert!(leader.node.configuration().is_learner(id(4)));
}

#[test]
fn the_term_of_every_entry_of_the_log_is_known() {
    let host = Host::over(config(), stored(&[1, 2, 3], &[1, 1, 3], 0));
    let terms: Vec<_> = (0..5).map(|index| host.node.entry_term(Index(index))).collect();
    assert_eq!(terms, [Some(Term(0)), Some(Term(1)), Some(Term(1)), Some(Term(3)), None]);
}

#[test]
fn only_a_leader_knows_the_progress_of_the_members() {
    let known = |host: &Host| host.node.progress().map(|(member, _)| member.get()).collect::<Vec<_>>();
    assert_eq!(known(&Host::leader()), [1, 2, 3]);
    assert_eq!(known(&Host::follower()), []);
    assert_eq!(Host::leader().node.status().progress.len(), 3);
}
