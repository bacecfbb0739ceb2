//! Whom a node votes for, and for whom it would.

use raft::{Body, Config, EntryId, HardState, Index, Term};

use crate::host::*;

/// Node 1 in term 5 with two entries, the last of term 3.
fn voter(vote: Option<u64>, leader: Option<u64>) -> Host {
    let mut storage = stored(&[1, 2, 3], &[1, 3], 0);
    storage.set_hard_state(HardState { term: Term(5), vote: vote.map(id), commit: Index(0) });
    let mut host = Host::over(config(), storage);
    if let Some(leader) = leader {
        host.hear(leader, heartbeat(0));
    }
    host
}

const UP_TO_DATE: [EntryId; 3] = [entry(3, 2), entry(3, 9), entry(4, 1)];
const OUTDATED: [EntryId; 3] = [entry(3, 1), entry(1, 9), entry(0, 0)];

const fn entry(term: u64, index: u64) -> EntryId {
    EntryId::new(Term(term), Index(index))
}

#[test]
fn a_vote_is_given_once_in_a_term_and_only_to_a_log_that_is_up_to_date() {
    let (yes, no) = (true, false);
    let table = [
        // vote and leader of term 5, the term of the request of node 2, whether it is granted
        (None, None, 5, yes),
        (Some(2), None, 5, yes),
        (Some(2), Some(2), 5, yes),
        (Some(3), None, 5, no),
        (None, Some(3), 5, no),
        (Some(3), Some(3), 5, no),
        (Some(3), Some(3), 6, yes),
    ];
    for (vote, leader, term, expected) in table {
        for last in UP_TO_DATE {
            let mut host = voter(vote, leader);
            let answer = host.hear_in(2, term, request_vote(last)).sent();
            assert_eq!(answer, [(2, term, Body::VoteResponse { granted: expected })], "{vote:?} {leader:?}");
            let kept = vote.filter(|_| term == 5).unwrap_or(0);
            assert_eq!((host.term(), host.vote()), (term, if expected { 2 } else { kept }));
        }
        for last in OUTDATED {
            let answer = voter(vote, leader).hear_in(2, term, request_vote(last)).sent();
            assert_eq!(answer, [(2, term, Body::VoteResponse { granted: false })], "{vote:?} {leader:?} {last}");
        }
    }
}

#[test]
fn a_pre_vote_changes_nothing_and_is_granted_to_whom_the_vote_could_be() {
    let (yes, no) = (true, false);
    let table = [
        // vote and leader of term 5, the term that node 2 asks about, whether it would get the vote
        (None, None, 5, yes),
        (Some(2), None, 5, yes),
        (Some(3), None, 5, no),
        (None, Some(3), 5, no),
        (Some(3), Some(3), 6, yes),
        (None, None, 6, yes),
    ];
    for (vote, leader, term, expected) in table {
        let ask = |last| {
            let mut host = voter(vote, leader);
            let answer = host.hear_in(2, term, Body::RequestPreVote { last }).sent();
            assert_eq!((host.term(), host.vote()), (5, vote.unwrap_or(0)));
            answer
        };
        // A grant speaks of the term that was asked about, a refusal of the own one.
        let granted = (2, term, Body::PreVoteResponse { granted: true });
        let refused = (2, 5, Body::PreVoteResponse { granted: false });
        for last in UP_TO_DATE {
            assert_eq!(ask(last), [if expected { granted.clone() } else { refused.clone() }], "{vote:?} {leader:?}");
        }
        for last in OUTDATED {
            assert_eq!(ask(last), std::slice::from_ref(&refused), "{vote:?} {leader:?} {last}");
        }
    }
}

#[test]
fn a_given_vote_puts_off_the_own_election_and_a_refused_one_does_not() {
    for (last, term_after) in [(entry(3, 2), 5), (entry(1, 1), 6)] {
        let mut host = voter(None, None);
        host.wait(9);
        host.hear(2, request_vote(last));
        host.wait(9);
        assert_eq!(host.term(), term_after, "last entry {last}");
    }
}

#[test]
fn a_learner_votes() {
    let learner = raft::ConfState { learners: [id(1)].into(), ..voters(&[2, 3]) };
    let mut host = Host::new(config(), learner);
    assert_eq!(host.hear_in(2, 1, request_vote(EntryId::ZERO)).sent(), [(2, 1, granted())]);
}

#[test]
fn whoever_heard_from_a_leader_lately_ignores_candidates_where_leaders_check_their_quorum() {
    let request = |transfer| Body::RequestVote { last: EntryId::ZERO, transfer };
    let pre_vote = Body::RequestPreVote { last: EntryId::ZERO };
    let table = [
        // check_quorum, ticks since the leader's word, whether it is forgotten, the request, whether it is answered
        (true, 0, false, request(false), false),
        (true, 9, false, request(false), false),
        (true, 10, false, request(false), true),
        (true, 0, true, request(false), true),
        (true, 0, false, request(true), true),
        (true, 0, false, pre_vote.clone(), false),
        (true, 10, false, pre_vote.clone(), true),
        (false, 0, false, request(false), true),
        (false, 0, false, pre_vote, true),
    ];
    for (check_quorum, ticks, forgotten, request, answered) in table {
        let mut host = Host::new(Config { check_quorum, ..config() }, voters(&[1, 2, 3]));
        host.hear_in(2, 1, heartbeat(0));
        host.node.set_randomized_election_timeout(20);
        host.wait(ticks);
        if forgotten {
            host.node.forget_leader();
        }
        let raises = answered && !matches!(request, Body::RequestPreVote { .. });
        let case = format!("check_quorum {check_quorum}, {ticks} ticks, forgotten {forgotten}, {request:?}");
        let answers = host.hear_in(3, 2, request).messages.len();
        assert_eq!((answers, host.term()), (usize::from(answered), if raises { 2 } else { 1 }), "{case}");
    }
}

#[test]
fn a_leader_is_forgotten_by_followers_that_do_not_read_by_its_lease() {
    let lease = Config { check_quorum: true, read_only_option: raft::ReadOnlyOption::LeaseBased, ..config() };
    for (config, known) in [(config(), 0), (lease, 2)] {
        let mut host = Host::new(config, voters(&[1, 2, 3]));
        host.hear_in(2, 1, heartbeat(0));
        host.node.forget_leader();
        assert_eq!(host.leader_known(), known);
    }
    let mut leader = Host::leader();
    leader.node.forget_leader();
    assert_eq!((leader.leader_known(), leader.role()), (1, raft::Role::Leader));
}
