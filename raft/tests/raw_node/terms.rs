//! What the term of a message decides before anything else does.

use raft::{Body, Config, EntryId, Index, Role};

use crate::host::*;

/// One message of every kind that has a term.
fn every_kind() -> Vec<Body> {
    vec![
        append(entry_id(0, 0), vec![], 0),
        heartbeat(0),
        install(snapshot(1, 9, &[1, 2, 3])),
        accepted(1),
        rejected(1, EntryId::ZERO),
        heartbeat_response(),
        request_vote(EntryId::ZERO),
        granted(),
        Body::RequestPreVote { last: EntryId::ZERO },
        Body::PreVoteResponse { granted: true },
        Body::PreVoteResponse { granted: false },
        Body::TransferLeader,
        Body::TimeoutNow,
        Body::ReadIndexResponse { index: Index(0), context: "r".into() },
    ]
}

// Which kinds the rules are about is written out here as the paper and etcd have it, so that the crate's own
// description of them is tested too.

fn comes_from_a_leader(body: &Body) -> bool {
    matches!(body, Body::Append { .. } | Body::Heartbeat { .. } | Body::InstallSnapshot { .. })
}

fn speaks_of_a_term_to_be(body: &Body) -> bool {
    matches!(body, Body::RequestPreVote { .. } | Body::PreVoteResponse { granted: true })
}

fn waits_for_an_answer(body: &Body) -> bool {
    matches!(body, Body::Append { .. } | Body::Heartbeat { .. })
}

#[test]
fn a_later_term_makes_a_follower_of_its_leader_if_a_leader_speaks_and_of_nobody_otherwise() {
    for body in every_kind() {
        let expected = if comes_from_a_leader(&body) {
            (Role::Follower, 7, 2)
        } else if speaks_of_a_term_to_be(&body) {
            (Role::Leader, 1, 1)
        } else if body == Body::TimeoutNow {
            // It shall lead, so it campaigns in the term after.
            (Role::Candidate, 8, 0)
        } else {
            (Role::Follower, 7, 0)
        };
        let mut host = Host::leader();
        host.hear_in(2, 7, body.clone());
        assert_eq!((host.role(), host.term(), host.leader_known()), expected, "{body:?}");
    }
}

#[test]
fn a_later_term_takes_back_the_vote_and_the_same_term_does_not() {
    let mut host = Host::new(config(), voters(&[1, 2, 3]));
    host.hear_in(2, 1, request_vote(EntryId::ZERO));
    host.hear_in(3, 1, heartbeat(0));
    assert_eq!((host.term(), host.vote()), (1, 2));
    host.node.campaign();
    host.hear(2, Body::VoteResponse { granted: false });
    host.hear(3, Body::VoteResponse { granted: false });
    assert_eq!((host.role(), host.term(), host.vote()), (Role::Follower, 2, 1));
    host.hear_in(3, 3, heartbeat(0));
    assert_eq!((host.term(), host.vote()), (3, 0));
}

#[test]
fn an_earlier_term_is_answered_only_where_silence_would_shut_somebody_out() {
    let plain = config();
    let pre_vote = Config { pre_vote: true, ..config() };
    let check_quorum = Config { check_quorum: true, ..config() };
    for (config, tells_leaders) in [(plain, false), (pre_vote, true), (check_quorum, true)] {
        for body in every_kind() {
            let mut host = Host::over(config.clone(), stored(&[1, 2, 3], &[5], 0));
            host.hear(3, heartbeat(0));
            let answer = if tells_leaders && waits_for_an_answer(&body) {
                Some(accepted(0))
            } else if matches!(body, Body::RequestPreVote { .. }) {
                Some(Body::PreVoteResponse { granted: false })
            } else {
                None
            };
            let expected: Vec<_> = answer.into_iter().map(|answer| (2, 5, answer)).collect();
            assert_eq!(host.hear_in(2, 4, body.clone()).sent(), expected, "{body:?}");
            assert_eq!((host.role(), host.term(), host.leader_known()), (Role::Follower, 5, 3), "{body:?}");
            assert_eq!((host.vote(), host.commit(), host.last()), (0, 0, 1), "{body:?}");
        }
    }
}

#[test]
fn a_vote_of_an_earlier_term_does_not_count() {
    let mut host = Host::new(config(), voters(&[1, 2, 3]));
    host.node.campaign();
    host.wait(10);
    assert_eq!((host.role(), host.term()), (Role::Candidate, 2));
    host.hear_in(2, 1, granted());
    assert_eq!(host.role(), Role::Candidate);
    host.hear_in(2, 2, granted());
    assert_eq!(host.role(), Role::Leader);
}
