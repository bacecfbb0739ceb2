//! Who takes a proposal, what becomes of it, and which membership changes are refused.

use raft::{
    Body, Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, Config, Entry, EntryKind, HardState, Index,
    MemStorage, Message, ProposeError, Role, StepError, Term, Transition,
};

use crate::host::*;

const NO_LEADER: ProposeError = ProposeError::NoLeader;

fn data(payload: &'static str) -> Entry {
    Entry { data: payload.into(), ..Entry::default() }
}

fn add(node: u64) -> ConfChange {
    ConfChange::V1(ConfChangeV1::add_learner(id(node)))
}

fn joint(transition: Transition) -> ConfChange {
    ConfChange::V2(ConfChangeV2::new(transition, vec![Change::new(ChangeKind::AddVoter, id(4))]))
}

fn leave() -> ConfChange {
    ConfChange::V2(ConfChangeV2::leave_joint())
}

fn kinds(host: &Host) -> Vec<EntryKind> {
    host.node.storage().stored().map(|entry| entry.kind).collect()
}

/// The last entry's kind after this proposal to a leader.
fn proposed(host: &mut Host, change: &ConfChange) -> EntryKind {
    host.node.propose_conf_change(change).expect("it leads");
    host.work_off();
    *kinds(host).last().expect("an entry")
}

#[test]
fn a_follower_sends_a_proposal_on_to_its_leader_unless_it_may_not() {
    let mut host = Host::follower();
    host.node.propose("x".into()).expect("there is a leader");
    let body = || Body::Propose { entries: vec![data("x")] };
    assert_eq!(host.work_off().messages, [Message { from: id(1), to: id(2), term: None, body: body() }]);

    let work = host.hear_forwarded(3, body()).expect("there is a leader");
    assert_eq!(work.messages, [Message { from: id(3), to: id(2), term: None, body: body() }], "in the name of node 3");

    host.node.forget_leader();
    host.work_off();
    assert_eq!(host.node.propose("x".into()), Err(NO_LEADER));
    let refused = host.hear_forwarded(3, body()).map(|_| ());
    assert_eq!(refused, Err(StepError::Propose(NO_LEADER)));

    let mut host = Host::new(Config { disable_proposal_forwarding: true, ..config() }, voters(&[1, 2, 3]));
    host.hear_in(2, 1, heartbeat(0));
    let sent_elsewhere = Err(ProposeError::NotLeader { leader: id(2) });
    assert_eq!((host.node.propose("x".into()), host.work_off().messages), (sent_elsewhere, vec![]));
}

#[test]
fn a_candidate_drops_proposals() {
    let mut host = Host::new(config(), voters(&[1, 2, 3]));
    host.node.campaign();
    assert_eq!(host.node.propose("x".into()), Err(NO_LEADER));
}

#[test]
fn a_leader_appends_what_is_proposed_in_its_term_and_sends_it_out() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    let entries = vec![data("a"), data("b")];
    let work = host.hear_forwarded(3, Body::Propose { entries }).expect("it leads");
    let appended: Vec<_> =
        [(2, "a"), (3, "b")].map(|(index, payload)| Entry { data: payload.into(), ..entry(1, index) }).into();
    assert_eq!(work.sent(), [(2, 1, append(entry_id(1, 1), appended, 1))]);
    assert_eq!((host.last(), host.commit()), (3, 1));
}

#[test]
fn a_log_ends_at_the_largest_index() {
    // A voter that is alone, and whose log has room for so many entries.
    let host = |room| {
        let base = Index(Index::MAX.0 - room);
        let storage = MemStorage::from_snapshot(snapshot(1, base.0, &[1]));
        let mut host = Host::over(Config { applied: base, ..config() }, storage);
        host.node.campaign();
        host.work_off();
        host
    };
    let mut full = host(2);
    assert_eq!((full.role(), full.last()), (Role::Leader, Index::MAX.0 - 1));
    full.node.propose("x".into()).expect("there is room for one");
    full.work_off();
    assert_eq!((full.node.propose("x".into()), full.last()), (Err(ProposeError::LogFull), Index::MAX.0));
    assert_eq!(host(0).role(), Role::Follower, "there is no room for the first entry of a leader");
}

#[test]
fn a_leader_holds_only_so_much_uncommitted_data() {
    let limited = Config { max_uncommitted_size: 10, ..config() };
    let mut host = Host::leading(limited, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    host.hear(2, accepted(1));
    assert_eq!(host.node.propose("123456".into()), Ok(()));
    let beyond = |uncommitted, proposed| {
        let limit = 10;
        Err(ProposeError::TooMuchUncommitted { uncommitted, proposed, limit })
    };
    assert_eq!(host.node.propose("12345".into()), beyond(6, 5));
    assert_eq!(host.node.propose("1234".into()), Ok(()), "up to the bound");
    assert_eq!(host.node.propose("1".into()), beyond(10, 1));
    assert_eq!(host.node.propose("".into()), Ok(()), "what is empty counts nothing");
    assert_eq!(host.node.uncommitted_size(), 10);
    host.work_off();
    host.hear(2, accepted(2));
    assert_eq!(host.node.uncommitted_size(), 4);
    host.hear(2, accepted(4));
    assert_eq!(host.node.uncommitted_size(), 0);
    assert_eq!(host.node.propose("12345678901".into()), Ok(()), "one of any size");
    assert_eq!(host.node.propose("1".into()), beyond(11, 1));
    assert_eq!(host.node.propose("".into()), Ok(()), "what is empty is never too much");
    host.hear_in(2, 2, heartbeat(0));
    assert_eq!(host.node.uncommitted_size(), 0, "a follower counts nothing");
}

#[test]
fn one_membership_change_waits_for_the_other_to_be_applied() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    assert_eq!(proposed(&mut host, &add(4)), EntryKind::ConfChange);
    assert_eq!(proposed(&mut host, &add(5)), EntryKind::RefusedConfChange);
    host.hear(2, accepted(3));
    assert_eq!(proposed(&mut host, &add(5)), EntryKind::ConfChange);
    assert_eq!(host.node.configuration().to_string(), "voters=(1 2 3) learners=(4)");
}

#[test]
fn of_several_changes_in_one_proposal_only_the_first_is_taken() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    let change = |node| {
        let (kind, data) = add(node).encode();
        Entry { kind, data, ..Entry::default() }
    };
    let entries = vec![data("a"), change(4), data("b"), change(5)];
    host.hear_forwarded(3, Body::Propose { entries }).expect("it leads");
    use EntryKind::{ConfChange, Normal, RefusedConfChange};
    assert_eq!(kinds(&host), [Normal, Normal, ConfChange, Normal, RefusedConfChange]);
    host.hear(2, accepted(3));
    assert_eq!(proposed(&mut host, &add(5)), ConfChange, "the change itself is applied");
}

#[test]
fn a_new_leader_takes_no_change_before_it_has_applied_what_it_began_with() {
    let mut storage = stored(&[1, 2, 3], &[1, 1], 1);
    storage.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(1) });
    let mut host = Host::leading(config(), storage);
    assert_eq!(proposed(&mut host, &add(4)), EntryKind::RefusedConfChange);
    host.hear(2, accepted(3));
    assert_eq!(proposed(&mut host, &add(4)), EntryKind::ConfChange);
}

#[test]
fn joint_configurations_are_entered_and_left_in_turn() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    assert_eq!(proposed(&mut host, &leave()), EntryKind::RefusedConfChange);
    assert_eq!(proposed(&mut host, &joint(Transition::Explicit)), EntryKind::ConfChangeV2);
    host.hear(2, accepted(host.last()));
    assert_eq!(host.node.configuration().to_string(), "voters=(1 2 3 4)&&(1 2 3)");
    assert_eq!(proposed(&mut host, &add(5)), EntryKind::RefusedConfChange);
    assert_eq!(proposed(&mut host, &leave()), EntryKind::ConfChangeV2);
}

#[test]
fn nothing_is_refused_where_the_host_orders_the_changes_itself() {
    let trusting = Config { disable_conf_change_validation: true, ..config() };
    let mut host = Host::leading(trusting, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    host.hear(2, accepted(1));
    assert_eq!(proposed(&mut host, &add(4)), EntryKind::ConfChange);
    assert_eq!(proposed(&mut host, &add(5)), EntryKind::ConfChange);
}

#[test]
fn a_leader_leaves_by_itself_the_joint_configurations_that_ask_for_it() {
    for (transition, last, kind) in
        [(Transition::Implicit, 3, EntryKind::ConfChangeV2), (Transition::Explicit, 2, EntryKind::ConfChangeV2)]
    {
        let mut host = Host::leader();
        host.hear(2, accepted(1));
        proposed(&mut host, &joint(transition));
        host.hear(2, accepted(2));
        assert!(host.node.configuration().is_joint());
        assert_eq!((host.last(), *kinds(&host).last().expect("an entry")), (last, kind), "{transition:?}");
    }
}

/// A leader of three that enters a joint configuration, to be left by itself, while it hands leadership over to node 3.
fn joint_while_handing_over(waits_as_etcd: bool) -> Host {
    let config = Config { waits_as_etcd, ..config() };
    let mut host = Host::leading(config, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    host.hear(2, accepted(1));
    proposed(&mut host, &joint(Transition::Implicit));
    host.node.transfer_leadership(id(3));
    host.hear(2, accepted(2));
    assert!(host.node.configuration().is_joint());
    host
}

#[test]
fn a_joint_configuration_is_left_once_a_hand_over_that_held_it_up_is_given_up() {
    for (waits_as_etcd, last) in [(false, 3), (true, 2)] {
        let mut host = joint_while_handing_over(waits_as_etcd);
        host.wait(9);
        assert_eq!(host.last(), 2, "it may still hand over");
        host.wait(1);
        assert_eq!(host.last(), last, "as etcd: {waits_as_etcd}");
        host.wait(30);
        assert_eq!(host.last(), last, "it is proposed once");
    }
}

#[test]
fn a_change_that_was_dropped_for_its_size_holds_no_other_up() {
    for (waits_as_etcd, then) in [(false, EntryKind::ConfChange), (true, EntryKind::RefusedConfChange)] {
        let config = Config { waits_as_etcd, max_uncommitted_size: 4, ..config() };
        let mut host = Host::leading(config, MemStorage::with_conf_state(voters(&[1, 2, 3])));
        host.hear(2, accepted(1));
        host.node.propose("data".into()).expect("it is the first");
        host.work_off();
        assert!(host.node.propose_conf_change(&add(4)).is_err(), "there is no room");
        // An empty proposal is never refused, and lies where the change would have been.
        host.hear_forwarded(2, Body::Propose { entries: vec![data("")] }).expect("it leads");
        host.hear(2, accepted(2));
        assert_eq!(proposed(&mut host, &add(4)), then, "as etcd: {waits_as_etcd}");
    }
}

#[test]
fn who_is_refused_learns_where_to_go_or_what_to_wait_for() {
    let errors = [
        ProposeError::NoLeader,
        ProposeError::NotLeader { leader: id(2) },
        ProposeError::TransferringLeadership { to: id(2) },
        ProposeError::Removed,
        ProposeError::TooMuchUncommitted { uncommitted: 6, proposed: 5, limit: 10 },
        ProposeError::LogFull,
    ];
    let messages = [
        "no leader is known: propose again once there is one",
        "this node does not lead: propose to the leader, node 2",
        "leadership is being transferred to node 2: propose again once that has ended",
        "this leader was removed from the cluster: propose to another member",
        "5 bytes on top of 6 that are not applied yet exceed the limit of 10: propose again once some of them are",
        "the log is full: it has no room below the largest index",
    ];
    assert_eq!(errors.map(|error| error.to_string()), messages);
}

#[test]
fn a_leader_that_appends_a_proposal_itself_tells_which_entry_it_is() {
    let mut host = Host::leader();
    assert_eq!(host.node.propose_as_leader("x".into()), Ok(entry_id(1, 2)));
    assert_eq!(host.node.propose_conf_change_as_leader(&add(4)), Ok(entry_id(1, 3)));
    assert_eq!(host.node.propose_conf_change_as_leader(&add(5)), Ok(entry_id(1, 4)), "which refuses the change");
    host.work_off();
    assert_eq!(kinds(&host)[1..], [EntryKind::Normal, EntryKind::ConfChange, EntryKind::RefusedConfChange]);
}

#[test]
fn who_does_not_lead_appends_nothing_itself_and_names_the_leader() {
    let mut host = Host::follower();
    assert_eq!(host.node.propose_as_leader("x".into()), Err(ProposeError::NotLeader { leader: id(2) }));
    assert_eq!(host.node.propose_conf_change_as_leader(&add(4)), Err(ProposeError::NotLeader { leader: id(2) }));
    host.node.campaign();
    assert_eq!(host.node.propose_as_leader("x".into()), Err(NO_LEADER));
}
