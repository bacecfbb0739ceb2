//! Linearizable reads: who answers, when, and with which index.

use bytes::Bytes;
use raft::{
    Body, ConfChange, ConfChangeV1, Config, HardState, Index, MemStorage, Message, ReadError, ReadOnlyOption,
    ReadState, Role, StepError, Term,
};

use crate::host::*;

fn ask(host: &mut Host, context: &'static str) -> Work {
    host.node.read_index(context.into());
    host.work_off()
}

/// A leader of these voters that has committed in its term.
fn leader_of(config: Config, voting: &[u64]) -> Host {
    let mut host = Host::leading(config, MemStorage::with_conf_state(voters(voting)));
    for peer in &voting[1..] {
        host.hear(*peer, accepted(1));
    }
    assert_eq!(host.commit(), 1);
    host
}

fn states(work: &Work) -> Vec<(u64, &[u8])> {
    work.reads.iter().map(|ReadState { index, context }| (index.0, &context[..])).collect()
}

/// The position of the latest read, as a heartbeat bears it.
fn position(number: u64) -> Bytes {
    Bytes::copy_from_slice(&number.to_le_bytes())
}

fn confirmed(number: u64) -> Body {
    Body::HeartbeatResponse { context: position(number) }
}

#[test]
fn a_read_is_answered_once_a_quorum_confirms_the_leader() {
    let mut host = leader_of(config(), &[1, 2, 3, 4, 5]);
    let work = ask(&mut host, "r");
    let asked = || Body::Heartbeat { commit: Index(1), context: position(1) };
    assert_eq!(work.sent(), [2, 3, 4, 5].map(|peer| (peer, 1, asked())));
    assert_eq!(states(&work), []);
    assert_eq!(states(&host.hear(2, confirmed(1))), []);
    assert_eq!(states(&host.hear(2, confirmed(1))), [], "one voter counts once");
    assert_eq!(states(&host.hear(3, heartbeat_response())), [], "an answer to an earlier heartbeat confirms nothing");
    assert_eq!(states(&host.hear(3, confirmed(1))), [(1, &b"r"[..])]);
    assert_eq!(states(&host.hear(4, confirmed(1))), [], "it is answered once");
    let plain: Vec<_> = host.wait(1).to(2);
    assert_eq!(plain, [heartbeat(1)], "nothing is left to be confirmed");
}

#[test]
fn a_confirmation_holds_for_all_earlier_reads_and_no_later_one() {
    let mut host = leader_of(config(), &[1, 2, 3]);
    ask(&mut host, "a");
    host.node.propose("x".into()).expect("it leads");
    host.work_off();
    host.hear(2, accepted(2));
    ask(&mut host, "b");
    ask(&mut host, "c");
    assert_eq!(states(&host.hear(2, confirmed(2))), [(1, &b"a"[..]), (2, &b"b"[..])]);
    assert_eq!(host.wait(1).to(3), [Body::Heartbeat { commit: Index(1), context: position(3) }]);
    assert_eq!(states(&host.hear(3, confirmed(1))), []);
    assert_eq!(states(&host.hear(3, confirmed(3))), [(2, &b"c"[..])]);
}

#[test]
fn a_read_waits_for_the_first_commit_of_the_leaders_term() {
    let mut host = Host::leader();
    assert_eq!(ask(&mut host, "r").messages, []);
    let work = host.hear(2, accepted(1));
    assert!(work.to(3).contains(&Body::Heartbeat { commit: Index(0), context: position(1) }));
    assert_eq!(states(&host.hear(3, confirmed(1))), [(1, &b"r"[..])]);
}

#[test]
fn a_lease_is_believed_only_where_so_configured() {
    let lease = Config { check_quorum: true, read_only_option: ReadOnlyOption::LeaseBased, ..config() };
    let mut host = leader_of(lease, &[1, 2, 3]);
    let work = ask(&mut host, "r");
    assert_eq!((states(&work), work.messages.len()), (vec![(1, &b"r"[..])], 0));
    assert_eq!(states(&host.hear(2, confirmed(0))), []);
}

#[test]
fn the_only_voter_needs_nobody_to_confirm_it() {
    let mut host = leader_of(config(), &[1]);
    assert_eq!(states(&ask(&mut host, "r")), [(1, &b"r"[..])]);
}

#[test]
fn the_only_voter_answers_before_it_has_committed_in_its_term_only_where_so_configured() {
    for (immediate, answers) in [(true, 1), (false, 0)] {
        let config = Config { immediate_singleton_reads: immediate, async_storage_writes: true, ..config() };
        let mut storage = stored(&[1], &[1], 1);
        storage.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(1) });
        let mut node = raft::RawNode::new(config, storage).expect("a sensible configuration");
        node.campaign();
        let append = node.ready().and_then(|ready| ready.storage_append).expect("term and vote");
        append.responses.into_iter().for_each(|own| node.step(own).expect("its own vote"));
        node.read_index("r".into());
        assert_eq!(node.ready().map(|ready| ready.read_states.len()), Some(answers), "immediate {immediate}");
    }
}

#[test]
fn a_removed_leader_asks_the_voter_that_is_left_unless_configured_otherwise() {
    for (immediate, answers) in [(true, 1), (false, 0)] {
        let mut host = leader_of(Config { immediate_singleton_reads: immediate, ..config() }, &[1, 2]);
        let remove = raft::ConfChange::V1(raft::ConfChangeV1::remove(id(1)));
        host.node.propose_conf_change(&remove).expect("it leads");
        host.work_off();
        host.hear(2, accepted(2));
        assert_eq!(host.node.configuration().to_string(), "voters=(2)");
        let work = ask(&mut host, "r");
        assert_eq!((work.reads.len(), work.to(2).len()), (answers, 1 - answers), "immediate {immediate}");
        assert_eq!(host.hear(2, confirmed(1 - answers as u64)).reads.len(), 1 - answers);
    }
}

#[test]
fn a_follower_sends_a_read_on_to_its_leader_and_hands_the_answer_out() {
    let mut host = Host::follower();
    let body = || Body::ReadIndex { context: "r".into() };
    let forwarded = |from| Message { from: id(from), to: id(2), term: None, body: body() };
    assert_eq!(ask(&mut host, "r").messages, [forwarded(1)]);
    assert_eq!(host.hear_forwarded(3, body()).expect("it is sent on").messages, [forwarded(3)]);
    let answer = Body::ReadIndexResponse { index: Index(7), context: "r".into() };
    assert_eq!(states(&host.hear(2, answer)), [(7, &b"r"[..])]);

    host.node.forget_leader();
    host.work_off();
    assert_eq!(ask(&mut host, "r").messages, [], "without a leader it is lost");
    host.node.campaign();
    host.work_off();
    assert_eq!(ask(&mut host, "r").messages, [], "a candidate knows none");
}

#[test]
fn a_forwarded_read_is_answered_to_where_it_came_from() {
    let mut host = leader_of(config(), &[1, 2, 3]);
    host.hear_forwarded(3, Body::ReadIndex { context: "r".into() }).expect("it leads");
    host.hear_forwarded(1, Body::ReadIndex { context: "own".into() }).expect("it leads");
    let work = host.hear(2, confirmed(2));
    assert_eq!(work.sent(), [(3, 1, Body::ReadIndexResponse { index: Index(1), context: "r".into() })]);
    assert_eq!(states(&work), [(1, &b"own"[..])]);
}

/// Removes node 2 of the two voters, with its acknowledgement.
fn remove_the_other_voter(host: &mut Host) -> Work {
    host.hear(2, accepted(host.last()))
}

#[test]
fn a_read_that_waits_for_a_quorum_is_looked_at_again_when_the_quorum_shrinks() {
    for (waits_as_etcd, expected) in [(false, vec![(1, &b"r"[..])]), (true, vec![])] {
        let mut host = leader_of(Config { waits_as_etcd, ..config() }, &[1, 2]);
        let removal = ConfChange::V1(ConfChangeV1::remove(id(2)));
        host.node.propose_conf_change(&removal).expect("it leads");
        assert_eq!(states(&ask(&mut host, "r")), []);
        assert_eq!(states(&remove_the_other_voter(&mut host)), expected, "as etcd: {waits_as_etcd}");
        host.wait(100);
        assert_eq!(states(&ask(&mut host, "s")), [(2, &b"s"[..])]);
    }
}

#[test]
fn a_read_still_waits_where_those_who_are_left_have_not_confirmed_it() {
    let mut host = leader_of(config(), &[1, 2, 3, 4, 5]);
    ask(&mut host, "r");
    host.hear(5, confirmed(1));
    host.node.propose_conf_change(&ConfChange::V1(ConfChangeV1::remove(id(5)))).expect("it leads");
    host.work_off();
    host.hear(2, accepted(2));
    assert_eq!(states(&host.hear(3, accepted(2))), [], "who left confirmed it, and counts no more");
    host.hear(2, confirmed(1));
    assert_eq!(states(&host.hear(3, confirmed(1))), [(1, &b"r"[..])]);
}

#[test]
fn reads_that_wait_for_the_first_commit_end_with_the_leadership() {
    for waits_as_etcd in [false, true] {
        let config = Config { waits_as_etcd, ..config() };
        let mut host = Host::leading(config, MemStorage::with_conf_state(voters(&[1, 2, 3])));
        ask(&mut host, "r");
        host.hear_in(2, 2, heartbeat(0));
        assert_eq!(host.role(), Role::Follower);
        host.node.campaign();
        host.work_off();
        host.hear(2, granted());
        assert_eq!(host.role(), Role::Leader);
        let asked = host.hear(2, accepted(2)).to(3);
        let asks = asked.contains(&Body::Heartbeat { commit: Index(0), context: position(1) });
        assert_eq!(asks, waits_as_etcd, "{asked:?}");
    }
}

/// Asks for as many reads as there is room for, and for some more in each way.
fn overload(host: &mut Host) {
    for _ in 0..3 {
        assert_eq!(host.node.try_read_index("r".into()), Ok(()));
    }
    let before = format!("{:?}", host.node);
    assert_eq!(host.node.try_read_index("r".into()), Err(ReadError::TooManyWaiting));
    host.node.read_index("r".into());
    let forwarded = Message { from: id(2), to: id(1), term: None, body: Body::ReadIndex { context: "r".into() } };
    assert_eq!(host.node.step(forwarded), Err(StepError::Read(ReadError::TooManyWaiting)));
    assert_eq!((format!("{:?}", host.node), host.node.waiting_reads()), (before, 3));
}

#[test]
fn a_leader_that_cannot_confirm_that_it_leads_holds_a_bounded_number_of_reads() {
    let mut host = leader_of(Config { max_waiting_reads: 3, ..config() }, &[1, 2, 3]);
    overload(&mut host);
    host.work_off();
    assert_eq!(host.hear(2, confirmed(2)).reads.len(), 2);
    assert_eq!(host.node.waiting_reads(), 1);
    assert_eq!(host.node.try_read_index("r".into()), Ok(()), "there is room again");
}

#[test]
fn a_leader_that_has_not_committed_in_its_term_holds_a_bounded_number_of_reads() {
    let mut host =
        Host::leading(Config { max_waiting_reads: 3, ..config() }, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    overload(&mut host);
    host.hear(2, accepted(1));
    assert_eq!((host.commit(), host.node.waiting_reads()), (1, 3), "now they wait to be confirmed");
    assert_eq!(host.node.try_read_index("r".into()), Err(ReadError::TooManyWaiting));
    assert_eq!(host.hear(2, confirmed(3)).reads.len(), 3);
}

#[test]
fn reads_that_wait_for_nothing_are_not_counted() {
    let lease = Config { check_quorum: true, read_only_option: ReadOnlyOption::LeaseBased, ..config() };
    for (config, voting) in [(lease, &[1, 2, 3][..]), (config(), &[1][..])] {
        let mut host = leader_of(Config { max_waiting_reads: 1, ..config }, voting);
        for _ in 0..5 {
            assert_eq!(host.node.try_read_index("r".into()), Ok(()));
        }
        assert_eq!((host.node.waiting_reads(), host.work_off().reads.len()), (0, 5));
    }
}

#[test]
fn who_asks_where_no_leader_is_known_is_told_so() {
    let mut host = Host::new(config(), voters(&[1, 2, 3]));
    assert_eq!(host.node.try_read_index("r".into()), Err(ReadError::NoLeader));
    host.node.campaign();
    assert_eq!(host.node.try_read_index("r".into()), Err(ReadError::NoLeader));
    let forwarded = Message { from: id(2), to: id(1), term: None, body: Body::ReadIndex { context: "r".into() } };
    assert_eq!(host.node.step(forwarded), Ok(()), "it is lost on its way");
}
