//! Handing leadership over.

use raft::{Body, ConfState, Config, MemStorage, Message, ProposeError, Term};

use crate::host::*;

/// A leader of three voters and a learner, of which node 2 holds the whole log and node 3 nothing.
fn leader() -> Host {
    let conf_state = ConfState { learners: [id(4)].into(), ..voters(&[1, 2, 3]) };
    let mut host = Host::leading(config(), MemStorage::with_conf_state(conf_state));
    host.hear(2, accepted(1));
    host.hear(4, accepted(1));
    host
}

fn transfer(host: &mut Host, target: u64) -> Work {
    host.node.transfer_leadership(id(target));
    host.work_off()
}

fn transferee(host: &Host) -> u64 {
    host.node.basic_status().lead_transferee.map_or(0, raft::NodeId::get)
}

#[test]
fn who_holds_the_whole_log_is_told_to_campaign_at_once() {
    let mut host = leader();
    assert_eq!(transfer(&mut host, 2).sent(), [(2, 1, Body::TimeoutNow)]);
    assert_eq!(transferee(&host), 2);
    assert_eq!(transfer(&mut host, 2).messages, [], "it was told");
}

#[test]
fn who_lacks_entries_is_told_to_campaign_when_it_has_them() {
    let mut host = leader();
    host.hear(3, accepted(1));
    host.node.propose("x".into()).expect("it leads");
    host.work_off();
    assert!(!transfer(&mut host, 3).to(3).contains(&Body::TimeoutNow));
    assert_eq!(transferee(&host), 3);
    assert!(!host.hear(2, accepted(2)).messages.iter().any(|message| message.body == Body::TimeoutNow));
    assert!(host.hear(3, accepted(2)).to(3).contains(&Body::TimeoutNow));
}

#[test]
fn leadership_goes_to_another_voter_only() {
    for target in [1, 4, 9] {
        let mut host = leader();
        assert_eq!((transfer(&mut host, target).messages, transferee(&host)), (vec![], 0), "to {target}");
    }
}

#[test]
fn a_leader_told_to_keep_its_leadership_gives_the_transfer_up() {
    let mut host = leader();
    transfer(&mut host, 2);
    transfer(&mut host, 4);
    assert_eq!(transferee(&host), 2, "a learner changes nothing");
    transfer(&mut host, 1);
    assert_eq!(transferee(&host), 0);
    transfer(&mut host, 2);
    transfer(&mut host, 3);
    assert_eq!(transferee(&host), 3, "the last request counts");
}

#[test]
fn nothing_is_proposed_during_a_transfer_which_ends_after_an_election_timeout() {
    let mut host = leader();
    host.wait(5);
    transfer(&mut host, 2);
    assert_eq!(host.node.propose("x".into()), Err(ProposeError::TransferringLeadership { to: id(2) }));
    host.wait(9);
    assert_eq!(transferee(&host), 2);
    host.wait(1);
    assert_eq!(transferee(&host), 0);
    assert_eq!(host.node.propose("x".into()), Ok(()));
}

#[test]
fn a_follower_sends_the_request_on_in_the_name_of_the_target() {
    let mut host = Host::follower();
    let request = |from| Message { from: id(from), to: id(2), term: Some(Term(1)), body: Body::TransferLeader };
    assert_eq!(transfer(&mut host, 3).messages, [request(3)]);
    assert_eq!(host.hear(3, Body::TransferLeader).messages, [request(3)]);
    host.node.forget_leader();
    assert_eq!(transfer(&mut host, 3).messages, []);
    host.node.campaign();
    host.work_off();
    assert_eq!(transfer(&mut host, 3).messages, []);

    let mut host = leader();
    assert_eq!(host.hear(2, Body::TransferLeader).sent(), [(2, 1, Body::TimeoutNow)]);
}

#[test]
fn a_transfer_ends_with_the_leadership() {
    let mut host = Host::leading(Config { check_quorum: true, ..config() }, stored(&[1, 2, 3], &[], 0));
    host.hear(2, accepted(1));
    transfer(&mut host, 2);
    host.hear_in(3, 2, heartbeat(0));
    assert_eq!(transferee(&host), 0);
}
