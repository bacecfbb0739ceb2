//! What a leader does when the membership changes.

use raft::{ConfChange, ConfChangeV1, Config, Index, MemStorage, Role};

use crate::host::*;

/// A leader of these voters that has committed in its term.
fn leader_of(config: Config, voting: &[u64]) -> Host {
    let mut host = Host::leading(config, MemStorage::with_conf_state(voters(voting)));
    for peer in &voting[1..] {
        host.hear(*peer, accepted(1));
    }
    host
}

/// Commits this change with the acknowledgement of node 2, which makes the leader apply it.
fn change(host: &mut Host, change: ConfChangeV1) -> Work {
    host.node.propose_conf_change(&ConfChange::V1(change)).expect("it leads");
    host.work_off();
    let last = host.last();
    host.hear(2, accepted(last))
}

#[test]
fn who_joins_is_sent_the_log_at_once_and_counts_as_heard_from() {
    for joining in [ConfChangeV1::add_voter(id(4)), ConfChangeV1::add_learner(id(4))] {
        let mut host = leader_of(config(), &[1, 2]);
        let work = change(&mut host, joining);
        assert_eq!(work.to(4), [append(entry_id(1, 1), host.node.storage().stored().skip(1).cloned().collect(), 2)]);
        assert_eq!(host.shown(4), "StateProbe match=0 next=2 paused");
    }
}

#[test]
fn who_leaves_is_forgotten() {
    let mut host = leader_of(config(), &[1, 2, 3]);
    change(&mut host, ConfChangeV1::remove(id(3)));
    let members: Vec<_> = host.node.progress().map(|(member, _)| member.get()).collect();
    assert_eq!(members, [1, 2]);
    assert_eq!(host.wait(1).to(3), []);
}

#[test]
fn a_smaller_quorum_commits_what_it_holds() {
    let mut host = leader_of(config(), &[1, 2, 3, 4]);
    let removal = ConfChange::V1(ConfChangeV1::remove(id(4)));
    host.node.propose_conf_change(&removal).expect("it leads");
    host.node.propose("x".into()).expect("it leads");
    host.work_off();
    host.hear(2, accepted(3));
    assert_eq!(host.commit(), 1);
    let work = host.hear(3, accepted(2));
    assert_eq!(work.applied(), [2, 3], "two of three hold the last entry");
    assert!(work.to(2).contains(&append(entry_id(1, 3), vec![], 3)), "and the others hear of it at once");
}

#[test]
fn a_leader_that_is_removed_or_demoted_leads_on_unless_configured_otherwise() {
    for (step_down_on_removal, role) in [(false, Role::Leader), (true, Role::Follower)] {
        for leaving in [ConfChangeV1::remove(id(1)), ConfChangeV1::add_learner(id(1))] {
            let mut host = leader_of(Config { step_down_on_removal, ..config() }, &[1, 2, 3]);
            change(&mut host, leaving.clone());
            assert_eq!((host.role(), host.term()), (role, 1), "{leaving:?}");
        }
        let mut host = leader_of(Config { step_down_on_removal, ..config() }, &[1, 2, 3]);
        change(&mut host, ConfChangeV1::remove(id(3)));
        assert_eq!(host.role(), Role::Leader, "somebody else was removed");
    }
}

#[test]
fn a_removed_leader_takes_no_proposals() {
    let mut host = leader_of(config(), &[1, 2, 3]);
    change(&mut host, ConfChangeV1::remove(id(1)));
    assert_eq!(host.node.propose("x".into()), Err(raft::ProposeError::Removed));
    assert_eq!(host.wait(1).to(2), [heartbeat(2)], "but keeps the others from campaigning");
}

#[test]
fn a_transfer_to_who_can_no_longer_lead_is_given_up() {
    let table = [
        (ConfChangeV1::remove(id(3)), None),
        (ConfChangeV1::add_learner(id(3)), None),
        (ConfChangeV1::add_learner(id(4)), Some(id(3))),
    ];
    for (leaving, expected) in table {
        let mut host = leader_of(config(), &[1, 2, 3]);
        host.node.propose_conf_change(&ConfChange::V1(leaving.clone())).expect("it leads");
        host.node.transfer_leadership(id(3));
        host.work_off();
        host.hear(2, accepted(2));
        assert_eq!(host.node.basic_status().lead_transferee, expected, "{leaving:?}");
    }
}

#[test]
fn a_first_start_gives_every_peer_the_same_log() {
    let mut host = Host::over(config(), MemStorage::new());
    host.node.bootstrap(&[(id(1), "one".into()), (id(2), "two".into())]).expect("an empty node");
    let ready = host.node.ready().expect("everything is to be written");
    let said: Vec<_> = ready
        .entries
        .iter()
        .map(|entry| (entry.id(), entry.conf_change().expect("it decodes").expect("a change").into_v2()))
        .map(|(id, change)| (id, change.changes[0].node, change.context))
        .collect();
    assert_eq!(said, [(entry_id(1, 1), Some(id(1)), "one".into()), (entry_id(1, 2), Some(id(2)), "two".into())]);
    let state = ready.hard_state.expect("nothing is stored yet");
    assert_eq!((state.term.0, state.vote, state.commit), (1, None, Index(2)));
    assert_eq!(ready.committed_entries, ready.entries);
    assert_eq!(host.node.configuration().to_string(), "voters=(1 2)", "in force before it is applied");
}
