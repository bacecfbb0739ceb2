//! Messages that contradict what this node knows for certain. Each is refused and changes nothing, and stands beside one
//! that a correct peer may say.

use bytes::Bytes;
use raft::{
    Body, ChangeError, ConfState, Config, Entry, EntryId, EntryKind, HardState, Index, Malformed, MemStorage, Message,
    NodeId, RawNode, Role, Snapshot, StepError, Term,
};

fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
}

fn entry_id(term: u64, index: u64) -> EntryId {
    EntryId::new(Term(term), Index(index))
}

fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), ..Entry::default() }
}

fn message(from: u64, term: u64, body: Body) -> Message {
    Message { from: id(from), to: id(1), term: Some(Term(term)), body }
}

fn voters(ids: &[u64]) -> ConfState {
    ConfState { voters: ids.iter().map(|number| id(*number)).collect(), ..ConfState::default() }
}

/// One of three nodes, in term 4, whose log has entries of the terms 1, 1, 2 and 2, the first two committed.
fn node(lenient: bool) -> RawNode<MemStorage> {
    let mut storage = MemStorage::with_conf_state(voters(&[1, 2, 3]));
    storage.append(&[entry(1, 1), entry(1, 2), entry(2, 3), entry(2, 4)]).expect("they follow");
    storage.set_hard_state(HardState { term: Term(4), vote: None, commit: Index(2) });
    let config = Config { lenient_as_etcd: lenient, ..Config::new(id(1)) };
    RawNode::new(config, storage).expect("a sensible configuration")
}

/// That node in term 5, following node 2, of which it has a fifth entry.
fn follower(lenient: bool) -> RawNode<MemStorage> {
    let mut node = node(lenient);
    node.step(message(2, 5, append(entry_id(2, 4), vec![entry(5, 5)], 0))).expect("a leader's first append");
    work_off(&mut node);
    node
}

/// That node leading in term 5, with an entry of that term.
fn leader(lenient: bool) -> RawNode<MemStorage> {
    let mut node = node(lenient);
    node.campaign();
    work_off(&mut node);
    node.step(message(2, 5, Body::VoteResponse { granted: true })).expect("a vote");
    work_off(&mut node);
    assert_eq!((node.soft_state().role, node.basic_status().last), (Role::Leader, entry_id(5, 5)));
    node
}

fn work_off(node: &mut RawNode<MemStorage>) {
    while let Some(ready) = node.ready() {
        node.storage_mut().append(&ready.entries).expect("entries follow the log");
        if let Some(hard_state) = ready.hard_state {
            node.storage_mut().set_hard_state(hard_state);
        }
        node.advance(ready).expect("the outstanding Ready");
    }
}

fn append(previous: EntryId, entries: Vec<Entry>, commit: u64) -> Body {
    Body::Append { previous, entries, commit: Index(commit) }
}

fn heartbeat() -> Body {
    Body::Heartbeat { commit: Index::ZERO, context: Bytes::new() }
}

fn install(term: u64, index: u64) -> Body {
    let snapshot = Snapshot { id: entry_id(term, index), conf_state: voters(&[1, 2, 3]), data: Bytes::new() };
    Body::InstallSnapshot { snapshot: Box::new(snapshot) }
}

fn vote(term: u64, index: u64) -> Body {
    Body::RequestVote { last: entry_id(term, index), transfer: false }
}

fn accepted(index: u64) -> Body {
    Body::AppendAccepted { index: Index(index) }
}

fn rejected(index: u64, hint: EntryId) -> Body {
    Body::AppendRejected { index: Index(index), hint }
}

fn contradicts(claimed: EntryId, held: EntryId) -> Malformed {
    Malformed::ContradictsLog { claimed, held }
}

type Make = fn(bool) -> RawNode<MemStorage>;

fn check_refused(make: Make, message: Message, expected: Malformed) {
    let mut strict = make(false);
    let before = format!("{strict:?}");
    assert_eq!(strict.step(message.clone()), Err(StepError::Malformed(expected)), "{message:?}");
    assert_eq!(format!("{strict:?}"), before, "{message:?} changed the node");
    let lenient = make(true).step(message.clone());
    assert!(!matches!(lenient, Err(StepError::Malformed(_))), "{message:?} is refused as malformed: {lenient:?}");
}

fn check_taken(make: Make, message: Message) {
    assert_eq!(make(false).step(message.clone()), Ok(()), "{message:?}");
}

#[test]
fn an_answer_to_what_this_leader_never_sent_counts_nothing() {
    let beyond = |index| Malformed::AnswerBeyondLog { index: Index(index), last: Index(5) };
    check_refused(leader, message(2, 5, accepted(6)), beyond(6));
    check_refused(leader, message(1, 5, accepted(6)), beyond(6));
    check_refused(leader, message(2, 5, rejected(6, entry_id(2, 4))), beyond(6));
    for index in [0, 4, 5] {
        check_taken(leader, message(2, 5, accepted(index)));
        check_taken(leader, message(2, 5, rejected(index, EntryId::ZERO)));
    }
    // Nothing is known of what other leaders sent, in other terms or before this node came up.
    check_taken(leader, message(2, 4, accepted(9)));
    check_taken(leader, message(2, 6, accepted(9)));
    check_taken(follower, message(2, 5, accepted(9)));
}

#[test]
fn a_hint_lies_before_what_was_rejected_and_in_no_later_term() {
    let impossible = |index, hint| Malformed::ImpossibleHint { index: Index(index), hint };
    for (index, hint) in [(4, entry_id(2, 4)), (4, entry_id(3, 4)), (4, entry_id(3, 1)), (3, entry_id(1, 4))] {
        check_refused(leader, message(2, 5, rejected(index, hint)), impossible(index, hint));
    }
    for (index, hint) in [(4, entry_id(1, 4)), (4, entry_id(2, 3)), (4, entry_id(0, 4)), (4, EntryId::ZERO)] {
        check_taken(leader, message(2, 5, rejected(index, hint)));
    }
}

#[test]
fn a_term_has_one_leader() {
    let another = |known, from| Malformed::AnotherLeader { known: id(known), from: id(from) };
    let read = || Body::ReadIndexResponse { index: Index(1), context: Bytes::new() };
    let words: [fn() -> Body; 4] =
        [heartbeat, || append(entry_id(2, 4), vec![], 0), || install(2, 4), || Body::TimeoutNow];
    for body in words.into_iter().map(|word| word()).chain([read()]) {
        check_refused(follower, message(3, 5, body.clone()), another(2, 3));
        check_refused(leader, message(3, 5, body.clone()), another(1, 3));
        check_taken(follower, message(2, 5, body.clone()));
        check_taken(follower, message(3, 4, body.clone()));
    }
    check_taken(follower, message(3, 6, heartbeat()));
    let mut forgetful = follower(false);
    forgetful.forget_leader();
    assert_eq!(forgetful.step(message(3, 5, heartbeat())), Ok(()), "it does not know better");
}

#[test]
fn a_leaders_log_holds_what_is_committed() {
    let (second, third) = (entry_id(1, 2), entry_id(2, 3));
    for claimed in [entry_id(2, 2), entry_id(2, 1)] {
        let held = entry_id(1, claimed.index.0);
        check_refused(node, message(2, 4, append(claimed, vec![], 0)), contradicts(claimed, held));
        check_refused(node, message(2, 4, install(2, claimed.index.0)), contradicts(claimed, held));
    }
    let claims_another = append(entry_id(1, 1), vec![entry(2, 2)], 0);
    check_refused(node, message(2, 4, claims_another), contradicts(entry_id(2, 2), second));
    check_refused(node, message(2, 4, append(entry_id(0, 3), vec![], 0)), contradicts(entry_id(0, 3), second));
    check_refused(node, message(2, 4, install(0, 9)), contradicts(entry_id(0, 9), second));
    // What is not committed may differ, and an earlier leader is not obeyed anyway.
    for body in [append(second, vec![entry(3, 3)], 0), append(entry_id(1, 3), vec![], 0), install(3, 3), install(1, 2)]
    {
        check_taken(node, message(2, 4, body));
    }
    check_taken(node, message(2, 3, append(entry_id(2, 2), vec![], 0)));
    check_taken(leader, message(2, 4, append(third, vec![], 0)));
}

#[test]
fn a_leader_never_takes_back_what_it_sent_in_its_term() {
    // It sent 5/5 behind 2/4, so that its log holds all of that.
    for (claims, claimed, held) in [
        (append(entry_id(2, 4), vec![entry(4, 5)], 0), entry_id(4, 5), entry_id(5, 5)),
        (append(entry_id(2, 3), vec![entry(3, 4)], 0), entry_id(3, 4), entry_id(2, 4)),
        (append(entry_id(4, 7), vec![], 0), entry_id(4, 7), entry_id(5, 5)),
        (install(1, 4), entry_id(1, 4), entry_id(2, 4)),
        (install(4, 9), entry_id(4, 9), entry_id(5, 5)),
    ] {
        check_refused(follower, message(2, 5, claims), contradicts(claimed, held));
    }
    for body in [append(entry_id(2, 3), vec![entry(2, 4), entry(5, 5), entry(5, 6)], 9), install(5, 9)] {
        check_taken(follower, message(2, 5, body));
    }
    check_taken(follower, message(3, 6, append(entry_id(2, 4), vec![entry(6, 5)], 0)));
}

#[test]
fn terms_do_not_go_back_along_a_log_nor_beyond_its_leaders() {
    let follows = |previous, found| Malformed::EntriesOutOfOrder { previous, found };
    let new = |entry, term| Malformed::EntryTooNew { entry, term: Term(term) };
    let back = append(entry_id(2, 4), vec![entry(4, 5), entry(3, 6)], 0);
    check_refused(node, message(2, 4, back), follows(entry_id(4, 5), entry_id(3, 6)));
    let none = append(EntryId::ZERO, vec![entry(0, 1)], 0);
    check_refused(node, message(2, 4, none), Malformed::EntryWithoutTerm(entry_id(0, 1)));
    check_refused(node, message(2, 4, append(entry_id(5, 4), vec![], 0)), new(entry_id(5, 4), 4));
    check_refused(node, message(2, 4, append(entry_id(2, 4), vec![entry(5, 5)], 0)), new(entry_id(5, 5), 4));
    check_refused(node, message(2, 4, install(5, 9)), new(entry_id(5, 9), 4));
    check_taken(node, message(2, 4, append(entry_id(2, 4), vec![entry(2, 5), entry(4, 6)], 0)));
    check_taken(node, message(2, 4, install(4, 9)));
}

#[test]
fn a_candidate_may_have_newer_entries_than_its_term() {
    // It wrote them, and crashed before it wrote the term in which it got them.
    for term in [4, 5, 6] {
        check_taken(node, message(2, 5, vote(term, 7)));
        check_taken(node, message(2, 5, Body::RequestPreVote { last: entry_id(term, 7) }));
    }
}

#[test]
fn a_cluster_may_begin_with_a_snapshot_of_a_later_term() {
    let snapshot = || Snapshot { id: entry_id(7, 9), conf_state: voters(&[1, 2, 3]), data: Bytes::new() };
    let begin = || RawNode::new(Config::new(id(1)), MemStorage::from_snapshot(snapshot())).expect("no term is stored");
    assert_eq!(begin().step(message(2, 1, append(entry_id(7, 9), vec![entry(1, 10)], 0))), Ok(()), "all begin with it");
    assert_eq!(begin().step(message(2, 1, append(entry_id(7, 8), vec![], 0))), Ok(()), "it may be compacted here");
    let mut newcomer = RawNode::new(Config::new(id(1)), MemStorage::new()).expect("an empty storage");
    let install = Body::InstallSnapshot { snapshot: Box::new(snapshot()) };
    assert_eq!(newcomer.step(message(2, 1, install)), Ok(()));
}

#[test]
fn a_snapshot_is_of_something_and_has_voters() {
    check_refused(node, message(2, 4, install(0, 0)), Malformed::EmptySnapshot);
    let snapshot = Snapshot { id: entry_id(4, 9), conf_state: ConfState::default(), data: Bytes::new() };
    let nobody = Body::InstallSnapshot { snapshot: Box::new(snapshot) };
    check_refused(node, message(2, 4, nobody), Malformed::ConfState(ChangeError::NoVoters));
}

#[test]
fn no_leader_takes_a_membership_change_that_nobody_can_read() {
    let broken = Entry { kind: EntryKind::ConfChange, data: Bytes::from_static(b"\xff"), ..entry(4, 5) };
    let refused = Entry { kind: EntryKind::RefusedConfChange, ..entry(4, 5) };
    let body = append(entry_id(2, 4), vec![broken], 0);
    check_refused(node, message(2, 4, body), Malformed::UndecodableConfChange);
    check_taken(node, message(2, 4, append(entry_id(2, 4), vec![refused], 0)));
}

#[test]
fn what_is_forwarded_has_no_term() {
    let propose = || Body::Propose { entries: vec![Entry::default()] };
    let read = || Body::ReadIndex { context: Bytes::new() };
    for (body, term) in [(propose(), 5), (propose(), 9), (read(), 5), (read(), 9)] {
        check_refused(leader, message(2, term, body), Malformed::UnexpectedTerm(Term(term)));
    }
    for term in [None, Some(Term::ZERO)] {
        check_taken(leader, Message { term, ..message(2, 0, propose()) });
        check_taken(leader, Message { term, ..message(2, 0, read()) });
    }
}

#[test]
fn a_node_tells_itself_only_its_own_vote_and_acknowledgement_and_hears_again_what_it_forwarded() {
    let never = [
        heartbeat(),
        append(entry_id(2, 4), vec![], 0),
        install(4, 9),
        vote(2, 4),
        Body::RequestPreVote { last: entry_id(2, 4) },
        Body::VoteResponse { granted: false },
        Body::PreVoteResponse { granted: false },
        rejected(4, EntryId::ZERO),
        Body::HeartbeatResponse { context: Bytes::new() },
        Body::TimeoutNow,
        Body::ReadIndexResponse { index: Index(1), context: Bytes::new() },
    ];
    for body in never {
        check_refused(node, message(1, 4, body), Malformed::FromItself);
    }
    for body in [accepted(4), Body::VoteResponse { granted: true }, Body::PreVoteResponse { granted: true }] {
        check_taken(node, message(1, 4, body));
    }
    check_taken(leader, message(1, 5, Body::TransferLeader));
    let read = Body::ReadIndex { context: Bytes::new() };
    check_taken(leader, Message { term: None, ..message(1, 0, read) });
}

#[test]
fn nobody_forwards_to_itself() {
    // Or a node that takes itself for its leader would send itself what is proposed, again and again.
    let mut node = node(false);
    assert!(node.step(message(1, 4, heartbeat())).is_err());
    assert!(node.propose("x".into()).is_err(), "it has no leader");
}
