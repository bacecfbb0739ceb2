//! When a node campaigns, and what its campaign comes to.

use std::collections::BTreeSet;

use raft::{Body, ConfState, Config, Role, Term};

use crate::host::*;

fn pre_vote(granted: bool) -> Body {
    Body::PreVoteResponse { granted }
}

fn with_pre_vote() -> Config {
    Config { pre_vote: true, ..config() }
}

/// Node 1 in a campaign among these voters.
fn campaigning(config: Config, voting: &[u64]) -> Host {
    let mut host = Host::new(config, voters(voting));
    host.node.campaign();
    host.work_off();
    host
}

#[test]
fn a_follower_asks_all_other_voters_for_their_vote_when_its_timeout_is_over() {
    let mut host = Host::over(config(), stored(&[1, 2, 3], &[1, 1], 0));
    assert_eq!((host.wait(9).sent(), host.role()), (vec![], Role::Follower));
    let request = || request_vote(entry_id(1, 2));
    assert_eq!(host.wait(1).sent(), [(2, 2, request()), (3, 2, request())]);
    assert_eq!((host.role(), host.term(), host.vote()), (Role::Candidate, 2, 1));
    assert_eq!(host.wait(9).sent(), []);
    assert_eq!(host.wait(1).sent(), [(2, 3, request()), (3, 3, request())], "and again in the next term");
}

#[test]
fn election_timeouts_are_drawn_from_one_to_two_times_the_configured_one() {
    let patience = |seed| {
        let mut host = Host::new(Config { election_seed: Some(seed), ..Config::new(id(1)) }, voters(&[1, 2, 3]));
        (1..50).find(|_| !host.wait(1).messages.is_empty()).expect("it campaigns")
    };
    let drawn: BTreeSet<u32> = (0..200).map(patience).collect();
    assert_eq!(drawn, (10..20).collect());
}

#[test]
fn an_election_timeout_that_is_set_holds_until_the_next_term() {
    let mut host = Host::new(config(), voters(&[1, 2, 3]));
    host.node.set_randomized_election_timeout(13);
    host.wait(12);
    assert_eq!(host.role(), Role::Follower);
    host.wait(1);
    assert_eq!((host.role(), host.term()), (Role::Candidate, 1));
    host.wait(10);
    assert_eq!(host.term(), 2);
}

#[test]
fn only_a_voter_that_owns_its_whole_log_campaigns() {
    let learner = ConfState { learners: [id(1)].into(), ..voters(&[2, 3]) };
    let table = [
        ("a voter", voters(&[1, 2, 3]), Role::Candidate),
        ("a learner", learner, Role::Follower),
        ("a stranger", voters(&[2, 3]), Role::Follower),
    ];
    for (who, conf_state, expected) in table {
        let mut host = Host::new(config(), conf_state.clone());
        host.node.campaign();
        assert_eq!(host.role(), expected, "{who} that is told to campaign");
        let mut host = Host::new(config(), conf_state.clone());
        host.wait(30);
        assert_eq!(host.role(), expected, "{who} whose timeout is over");
        let mut host = Host::new(config(), conf_state);
        host.hear_in(2, 1, Body::TimeoutNow);
        assert_eq!(host.role(), expected, "{who} that shall lead");
    }

    let mut host = Host::follower();
    host.node.step(message(2, 1, install(snapshot(1, 9, &[1, 2, 3])))).expect("the message is taken");
    host.node.campaign();
    assert_eq!(host.role(), Role::Follower, "a snapshot is still to be written");
    host.work_off();
    host.node.campaign();
    assert_eq!(host.role(), Role::Candidate);
}

#[test]
fn a_node_that_has_not_applied_a_committed_membership_change_does_not_campaign() {
    let (kind, data) = raft::ConfChange::V1(raft::ConfChangeV1::add_voter(id(4))).encode();
    let change = |index| raft::Entry { kind, data: data.clone(), ..entry(1, index) };
    let table = [
        ("nothing is committed", vec![entry(1, 1), change(2)], 0, 0, Role::Candidate),
        ("the change is committed", vec![entry(1, 1), change(2), entry(1, 3)], 2, 0, Role::Follower),
        ("the change is applied", vec![change(1), entry(1, 2), entry(1, 3)], 2, 1, Role::Candidate),
        ("the change is the next", vec![entry(1, 1), change(2), entry(1, 3)], 2, 1, Role::Follower),
        ("the change is not committed", vec![entry(1, 1), entry(1, 2), change(3)], 2, 0, Role::Candidate),
        ("all is applied", vec![entry(1, 1), change(2)], 2, 2, Role::Candidate),
    ];
    for (case, entries, commit, applied, expected) in table {
        let mut storage = stored(&[1, 2, 3], &[], 0);
        storage.append(&entries).expect("entries without a gap");
        storage.set_hard_state(raft::HardState { term: Term(1), vote: None, commit: raft::Index(commit) });
        if entries[..applied as usize].iter().any(|entry| entry.kind == kind) {
            storage.set_conf_state(raft::Index(applied), voters(&[1, 2, 3, 4]));
        }
        let mut host = Host::over(Config { applied: raft::Index(applied), ..config() }, storage);
        host.node.campaign();
        assert_eq!(host.role(), expected, "{case}");
    }
}

#[test]
fn nobody_campaigns_beyond_the_last_term() {
    let campaigns_in = |term| {
        let mut storage = stored(&[1, 2, 3], &[], 0);
        storage.set_hard_state(raft::HardState { term, vote: None, commit: raft::Index(0) });
        let mut host = Host::over(config(), storage);
        host.node.campaign();
        host.role()
    };
    assert_eq!(campaigns_in(Term(Term::MAX.0 - 1)), Role::Candidate);
    assert_eq!(campaigns_in(Term::MAX), Role::Follower);
}

#[test]
fn a_leader_goes_on_leading_when_told_to_campaign() {
    let mut host = Host::leader();
    host.node.campaign();
    host.work_off();
    assert_eq!((host.role(), host.term()), (Role::Leader, 1));
}

#[test]
fn a_word_from_the_leader_puts_off_the_election() {
    let words: [fn() -> Body; 3] =
        [|| heartbeat(0), || append(entry_id(0, 0), vec![entry(1, 1)], 0), || install(snapshot(1, 9, &[1, 2, 3]))];
    for word in words {
        let mut host = Host::follower();
        host.wait(9);
        host.hear(2, word());
        host.wait(9);
        assert_eq!(host.role(), Role::Follower, "{:?}", word());
        host.wait(1);
        assert_eq!(host.role(), Role::Candidate, "{:?}", word());
    }
}

#[test]
fn a_candidate_leads_with_a_majority_and_gives_up_without_one() {
    let (yes, no) = (true, false);
    let table: [(&[(u64, bool)], Role); 7] = [
        (&[(2, yes)], Role::Candidate),
        (&[(2, yes), (2, yes)], Role::Candidate),
        (&[(2, yes), (3, yes)], Role::Leader),
        (&[(2, no), (3, no)], Role::Candidate),
        (&[(2, no), (3, no), (4, no)], Role::Follower),
        (&[(2, no), (3, no), (4, yes), (5, yes)], Role::Leader),
        (&[(2, no), (2, yes), (3, yes)], Role::Candidate),
    ];
    for (answers, expected) in table {
        let mut host = campaigning(config(), &[1, 2, 3, 4, 5]);
        for (voter, granted) in answers {
            host.hear_in(*voter, 1, Body::VoteResponse { granted: *granted });
        }
        assert_eq!((host.role(), host.term()), (expected, 1), "{answers:?}");
    }
}

#[test]
fn the_only_voter_leads_at_once() {
    for config in [config(), with_pre_vote()] {
        let host = campaigning(config, &[1]);
        assert_eq!((host.role(), host.term(), host.leader_known(), host.commit()), (Role::Leader, 1, 1, 1));
    }
}

#[test]
fn a_pre_candidate_asks_about_the_next_term_and_enters_it_when_a_majority_would_vote() {
    let mut host = Host::over(with_pre_vote(), stored(&[1, 2, 3], &[4], 0));
    let ask = || Body::RequestPreVote { last: entry_id(4, 1) };
    assert_eq!(host.wait(10).sent(), [(2, 5, ask()), (3, 5, ask())]);
    assert_eq!((host.role(), host.term(), host.vote(), host.leader_known()), (Role::PreCandidate, 4, 0, 0));
    let request = || request_vote(entry_id(4, 1));
    assert_eq!(host.hear_in(2, 5, pre_vote(true)).sent(), [(2, 5, request()), (3, 5, request())]);
    assert_eq!((host.role(), host.term(), host.vote()), (Role::Candidate, 5, 1));
}

#[test]
fn a_pre_candidate_without_a_majority_stays_in_its_term_as_a_follower() {
    let mut host = Host::over(with_pre_vote(), stored(&[1, 2, 3], &[4], 0));
    host.wait(10);
    host.hear(2, pre_vote(false));
    assert_eq!(host.role(), Role::PreCandidate);
    host.hear(3, pre_vote(false));
    assert_eq!((host.role(), host.term()), (Role::Follower, 4));
}

#[test]
fn each_campaign_counts_only_its_own_votes() {
    for (config, answer) in [(with_pre_vote(), pre_vote(true)), (config(), granted())] {
        let mut host = campaigning(config, &[1, 2, 3, 4, 5]);
        host.hear_in(2, 1, answer.clone());
        let before = host.role();
        host.wait(10);
        assert_eq!(host.role(), before);
        let asked = if before == Role::PreCandidate { host.term() + 1 } else { host.term() };
        host.hear_in(3, asked, answer);
        assert_eq!(host.role(), before, "the grant of node 2 was for the first campaign");
    }
}

#[test]
fn a_grant_counts_only_in_the_campaign_that_asked_for_it() {
    let mut candidate = campaigning(config(), &[1, 2, 3]);
    candidate.hear(2, pre_vote(true));
    assert_eq!(candidate.role(), Role::Candidate);

    let mut pre_candidate = Host::over(with_pre_vote(), stored(&[1, 2, 3], &[4], 0));
    pre_candidate.wait(10);
    pre_candidate.hear(2, granted());
    assert_eq!(pre_candidate.role(), Role::PreCandidate);
    pre_candidate.hear(2, Body::VoteResponse { granted: false });
    pre_candidate.hear(3, Body::VoteResponse { granted: false });
    assert_eq!(pre_candidate.role(), Role::PreCandidate);
}

#[test]
fn whoever_campaigns_follows_a_leader_that_shows_up() {
    let words: [fn() -> Body; 3] =
        [|| heartbeat(0), || append(entry_id(0, 0), vec![entry(1, 1)], 0), || install(snapshot(1, 9, &[1, 2, 3]))];
    for word in words {
        let mut host = campaigning(config(), &[1, 2, 3]);
        let work = host.hear(2, word());
        assert_eq!((host.role(), host.leader_known(), host.term()), (Role::Follower, 2, 1));
        assert_eq!(work.to(2).len(), 1, "the word is answered: {:?}", word());
    }
}

#[test]
fn a_node_that_shall_lead_asks_for_votes_without_pre_votes_and_over_every_lease() {
    for config in [config(), with_pre_vote()] {
        let mut host = Host::over(config, stored(&[1, 2], &[1], 0));
        host.hear(2, heartbeat(0));
        let work = host.hear(2, Body::TimeoutNow);
        let request = Body::RequestVote { last: entry_id(1, 1), transfer: true };
        assert_eq!(work.sent(), [(2, 2, request)]);
    }
}
