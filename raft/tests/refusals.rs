//! What a node refuses, with which words, and that it is then exactly as it was.

use bytes::Bytes;
use raft::{
    AdvanceError, Body, BootstrapError, ConfState, Config, ConfigError, Entry, EntryId, EntryKind, HardState, Index,
    Malformed, MemStorage, Message, NodeId, ProposeError, RawNode, ReadOnlyOption, Role, Snapshot, StepError, Term,
};

fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
}

fn voters(ids: &[u64]) -> ConfState {
    ConfState { voters: ids.iter().map(|number| id(*number)).collect(), ..ConfState::default() }
}

fn node(voting: &[u64]) -> RawNode<MemStorage> {
    RawNode::new(Config::new(id(1)), MemStorage::with_conf_state(voters(voting))).expect("a sensible configuration")
}

fn work_off(node: &mut RawNode<MemStorage>) {
    while let Some(ready) = node.ready() {
        node.storage_mut().write(&ready).expect("entries follow the log");
        node.advance(ready).expect("the outstanding Ready");
    }
}

fn leader() -> RawNode<MemStorage> {
    let mut node = node(&[1, 2, 3]);
    node.campaign();
    work_off(&mut node);
    node.step(message(2, 1, Body::VoteResponse { granted: true })).expect("a vote");
    work_off(&mut node);
    assert_eq!(node.basic_status().soft_state.role, Role::Leader);
    node
}

fn message(from: u64, term: u64, body: Body) -> Message {
    Message { from: id(from), to: id(1), term: Some(Term(term)), body }
}

fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), ..Entry::default() }
}

fn assert_refused(node: &mut RawNode<MemStorage>, message: Message, expected: impl Into<StepError>) {
    let before = format!("{node:?}");
    assert_eq!(node.step(message), Err(expected.into()));
    assert_eq!(format!("{node:?}"), before, "a refused message changes nothing");
}

#[test]
fn a_message_that_no_correct_node_sends_is_refused_and_changes_nothing() {
    let beyond = Index(Index::MAX.0 + 1);
    let heartbeat = |commit| Body::Heartbeat { commit, context: Bytes::new() };
    let append = |entries| Body::Append { previous: EntryId::ZERO, entries, commit: Index::ZERO };
    let propose = |entries| Body::Propose { entries };
    let undecodable = Entry { kind: EntryKind::ConfChange, data: Bytes::from_static(b"\xff"), ..Entry::default() };
    let contradiction = ConfState { learners: [id(1)].into(), ..voters(&[1]) };
    let snapshot = Snapshot { id: EntryId::new(Term(1), Index(5)), conf_state: contradiction, data: Bytes::new() };
    let cases = [
        (Message { to: id(9), ..message(2, 1, Body::TimeoutNow) }, Malformed::NotForThisNode(id(9))),
        (message(2, 0, heartbeat(Index::ZERO)), Malformed::MissingTerm),
        (Message { term: None, ..message(2, 1, Body::TimeoutNow) }, Malformed::MissingTerm),
        (message(2, Term::MAX.0 + 1, Body::TimeoutNow), Malformed::TermOutOfRange(Term(Term::MAX.0 + 1))),
        (message(2, 1, heartbeat(beyond)), Malformed::IndexOutOfRange(beyond)),
        (message(2, 1, propose(vec![])), Malformed::EmptyProposal),
        (message(2, 1, propose(vec![undecodable])), Malformed::UndecodableConfChange),
        (
            message(2, 1, append(vec![entry(1, 1), entry(1, 3)])),
            Malformed::EntriesOutOfOrder {
                previous: EntryId::new(Term(1), Index(1)),
                found: EntryId::new(Term(1), Index(3)),
            },
        ),
        (message(2, 1, heartbeat(Index(4))), Malformed::CommitBeyondLog { commit: Index(4), last: Index::ZERO }),
        (
            message(2, 1, Body::HeartbeatResponse { context: Bytes::from_static(b"abc") }),
            Malformed::ReadPositionLength(3),
        ),
        (
            message(2, 1, Body::InstallSnapshot { snapshot: Box::new(snapshot) }),
            Malformed::ConfState(raft::ChangeError::VoterAndLearner(id(1))),
        ),
    ];
    for (message, expected) in cases {
        assert_refused(&mut node(&[1, 2, 3]), message, expected);
    }
}

#[test]
fn terms_and_indexes_are_taken_up_to_the_largest_wherever_they_stand() {
    let (term, index) = (Term::MAX, Index::MAX);
    let (late, far) = (Term(term.0 + 1), Index(index.0 + 1));
    let bad_term = || Err(StepError::Malformed(Malformed::TermOutOfRange(late)));
    let bad_index = || Err(StepError::Malformed(Malformed::IndexOutOfRange(far)));
    let largest = EntryId::new(term, index);
    let append = |previous, entry: EntryId, commit| {
        let entry = Entry { term: entry.term, index: entry.index, ..Entry::default() };
        Body::Append { previous, entries: vec![entry], commit }
    };
    let before = EntryId::new(term, Index(index.0 - 1));
    let install = |id| {
        let conf_state = voters(&[2, 3]);
        Body::InstallSnapshot { snapshot: Box::new(Snapshot { id, conf_state, data: Bytes::new() }) }
    };
    let read = |index| Body::ReadIndexResponse { index, context: Bytes::new() };
    let vote = |last| Body::RequestVote { last, transfer: false };
    let (earlier, early) = (Term(term.0 - 1), EntryId::new(Term(term.0 - 1), index));
    let rejected = |index, hint| Body::AppendRejected { index, hint };
    let cases = [
        (Body::AppendAccepted { index }, Ok(())),
        (Body::AppendAccepted { index: far }, bad_index()),
        (rejected(index, largest), Ok(())),
        (rejected(far, largest), bad_index()),
        (rejected(index, EntryId::new(late, index)), bad_term()),
        (rejected(index, EntryId::new(term, far)), bad_index()),
        (read(index), Ok(())),
        (read(far), bad_index()),
        (vote(early), Ok(())),
        (vote(EntryId::new(late, index)), bad_term()),
        (Body::RequestPreVote { last: EntryId::new(earlier, far) }, bad_index()),
        (append(before, largest, index), Ok(())),
        (append(EntryId::new(late, before.index), largest, index), bad_term()),
        (append(before, EntryId::new(late, index), index), bad_term()),
        (append(before, largest, far), bad_index()),
        (install(largest), Ok(())),
        (install(EntryId::new(late, index)), bad_term()),
        (install(EntryId::new(term, far)), bad_index()),
    ];
    for (body, expected) in cases {
        assert_eq!(node(&[1, 2, 3]).step(message(2, term.0, body.clone())), expected, "{body:?}");
    }
    let at_term = |term| node(&[1, 2, 3]).step(message(2, term, Body::VoteResponse { granted: false }));
    assert_eq!((at_term(term.0), at_term(late.0)), (Ok(()), bad_term()));
}

#[test]
fn a_heartbeat_that_commits_beyond_the_log_is_refused_only_where_it_would_be_obeyed() {
    let follower = || node(&[1, 2, 3]);
    let in_later_term = || {
        let mut node = follower();
        node.step(message(3, 2, Body::VoteResponse { granted: false })).expect("a later term");
        node
    };
    let table = [
        (follower(), Some(1), false),
        (in_later_term(), Some(2), false),
        (in_later_term(), Some(1), true),
        (leader(), Some(1), false),
        (leader(), Some(2), false),
    ];
    for (mut node, term, taken) in table {
        let body = Body::Heartbeat { commit: Index(9), context: Bytes::new() };
        let message = Message { term: term.map(Term), ..message(2, 1, body) };
        assert_eq!(node.step(message.clone()).is_ok(), taken, "{message:?}");
        assert_ne!(node.basic_status().hard_state.commit, Index(9));
    }
    let config = Config { allow_missing_term: true, ..Config::new(id(1)) };
    let mut node = RawNode::new(config, MemStorage::with_conf_state(voters(&[1, 2, 3]))).expect("a configuration");
    node.step(message(3, 2, Body::VoteResponse { granted: false })).expect("a later term");
    for term in [None, Some(Term(0))] {
        let without_term = |commit| {
            let body = Body::Heartbeat { commit: Index(commit), context: Bytes::new() };
            Message { term, ..message(2, 1, body) }
        };
        assert!(node.step(without_term(9)).is_err());
        assert_eq!(node.step(without_term(0)), Ok(()));
    }
}

#[test]
fn a_confirmation_is_refused_only_beyond_what_this_leader_has_asked_for() {
    let confirmation = |term, position: u64| {
        let context = Bytes::copy_from_slice(&position.to_le_bytes());
        message(2, term, Body::HeartbeatResponse { context })
    };
    let mut leader = leader();
    leader.step(message(2, 1, Body::AppendAccepted { index: Index(1) })).expect("an acknowledgement");
    work_off(&mut leader);
    leader.read_index("read".into());
    assert_refused(&mut leader, confirmation(1, 2), Malformed::ReadPositionOutOfRange(2));
    assert_eq!(leader.step(confirmation(1, 1)), Ok(()));

    let mut later = node(&[1, 2, 3]);
    later.step(message(3, 2, Body::VoteResponse { granted: false })).expect("a later term");
    assert_eq!(later.step(confirmation(2, 7)), Ok(()), "this node asked for nothing, and does not lead");
    assert_eq!(later.step(confirmation(1, 7)), Ok(()), "it comes too late");
}

#[test]
fn a_leader_refuses_the_confirmation_of_a_read_that_nobody_asked_for() {
    let context = Bytes::copy_from_slice(&7_u64.to_le_bytes());
    let confirmation = message(2, 1, Body::HeartbeatResponse { context });
    assert_refused(&mut leader(), confirmation, Malformed::ReadPositionOutOfRange(7));
}

#[test]
fn a_response_from_a_stranger_is_refused_and_changes_nothing() {
    let response = message(7, 1, Body::AppendAccepted { index: Index(1) });
    assert_refused(&mut node(&[1, 2, 3]), response, StepError::PeerNotFound(id(7)));
}

#[test]
fn a_stranger_may_ask_but_not_answer() {
    let last = EntryId::ZERO;
    let (yes, no) = (true, false);
    let table = [
        (Body::AppendAccepted { index: Index(1) }, no),
        (Body::AppendRejected { index: Index(1), hint: last }, no),
        (Body::HeartbeatResponse { context: Bytes::new() }, no),
        (Body::VoteResponse { granted: true }, no),
        (Body::PreVoteResponse { granted: true }, no),
        (Body::ReadIndexResponse { index: Index(1), context: Bytes::new() }, no),
        (Body::Heartbeat { commit: Index(0), context: Bytes::new() }, yes),
        (Body::Append { previous: last, entries: vec![], commit: Index(0) }, yes),
        (Body::RequestVote { last, transfer: false }, yes),
        (Body::RequestPreVote { last }, yes),
        (Body::TimeoutNow, yes),
    ];
    for (body, taken) in table {
        let expected = if taken { Ok(()) } else { Err(StepError::PeerNotFound(id(7))) };
        assert_eq!(node(&[1, 2, 3]).step(message(7, 1, body.clone())), expected, "{body:?}");
    }
}

#[test]
fn a_proposal_is_dropped_where_there_is_no_leader_to_take_it() {
    let mut node = node(&[1, 2, 3]);
    let before = format!("{node:?}");
    assert_eq!(node.propose(Bytes::from_static(b"x")), Err(ProposeError::NoLeader));
    assert_eq!(format!("{node:?}"), before);
}

#[test]
fn a_ready_is_advanced_once_and_only_while_it_is_outstanding() {
    let mut node = node(&[1]);
    node.campaign();
    let ready = node.ready().expect("a campaign makes work");
    assert!(!node.has_ready() && node.ready().is_none(), "one Ready is outstanding at a time");
    assert_eq!(node.advance(ready.clone()), Ok(()));
    assert_eq!(node.advance(ready), Err(AdvanceError::NotOutstanding));
}

#[test]
fn each_senseless_option_is_refused_by_name() {
    let sensible = Config::new(id(1));
    let cases = [
        (Config { id: id(u64::MAX), ..sensible.clone() }, "id "),
        (Config { id: id(u64::MAX - 1), ..sensible.clone() }, "id "),
        (Config { heartbeat_tick: 0, ..sensible.clone() }, "heartbeat_tick"),
        (Config { election_tick: 1, ..sensible.clone() }, "election_tick"),
        (Config { max_committed_size_per_ready: 0, ..sensible.clone() }, "max_committed_size_per_ready"),
        (Config { max_uncommitted_size: 0, ..sensible.clone() }, "max_uncommitted_size"),
        (Config { max_waiting_reads: 0, ..sensible.clone() }, "max_waiting_reads"),
        (Config { max_inflight_messages: 0, ..sensible.clone() }, "max_inflight_messages"),
        (Config { max_inflight_bytes: 0, ..sensible.clone() }, "max_inflight_bytes"),
        (Config { max_inflight_bytes: 9, max_size_per_message: 10, ..sensible.clone() }, "max_inflight_bytes"),
        (Config { read_only_option: ReadOnlyOption::LeaseBased, ..sensible.clone() }, "check_quorum"),
    ];
    for (config, named) in cases {
        let error = config.validate().expect_err(named).to_string();
        assert!(error.contains(named), "{error:?} names {named}");
    }
    let just_sensible = [
        Config { id: id(u64::MAX - 2), ..sensible.clone() },
        Config { heartbeat_tick: 1, election_tick: 2, ..sensible.clone() },
        Config { max_inflight_bytes: 10, max_size_per_message: 10, ..sensible.clone() },
        Config { max_inflight_bytes: 11, max_size_per_message: 10, ..sensible.clone() },
        Config { max_inflight_bytes: 1, ..sensible.clone() },
        Config { read_only_option: ReadOnlyOption::LeaseBased, check_quorum: true, ..sensible.clone() },
        sensible,
    ];
    for config in just_sensible {
        assert_eq!(config.validate(), Ok(()), "{config:?}");
    }
}

#[test]
fn a_storage_that_contradicts_the_options_is_refused() {
    let mut storage = MemStorage::with_conf_state(voters(&[1]));
    storage.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(3) });
    let beyond = RawNode::new(Config::new(id(1)), storage).expect_err("nothing is stored at 3");
    assert!(matches!(beyond, ConfigError::CommitOutOfRange { commit: Index(3), .. }));

    let config = Config { applied: Index(2), ..Config::new(id(1)) };
    let ahead = RawNode::new(config, MemStorage::new()).expect_err("nothing is committed at 2");
    assert!(matches!(ahead, ConfigError::AppliedOutOfRange { applied: Index(2), .. }));
}

#[test]
fn a_bootstrap_is_refused_without_peers_with_a_peer_twice_and_over_a_log() {
    let mut empty = RawNode::new(Config::new(id(1)), MemStorage::new()).expect("an empty node");
    assert_eq!(empty.bootstrap(&[]), Err(BootstrapError::NoPeers));
    let twice = [(id(1), Bytes::new()), (id(1), Bytes::new())];
    assert_eq!(empty.bootstrap(&twice), Err(BootstrapError::DuplicatePeer(id(1))));
    assert_eq!(empty.bootstrap(&twice[..1]), Ok(()));
    work_off(&mut empty);
    assert_eq!(empty.bootstrap(&twice[..1]), Err(BootstrapError::NonEmptyStorage));
}

#[test]
fn what_is_committed_and_applied_at_the_start_lies_within_the_log() {
    let start = |commit: u64, applied: u64| {
        let snapshot = Snapshot { id: EntryId::new(Term(1), Index(5)), conf_state: voters(&[1]), data: Bytes::new() };
        let mut storage = MemStorage::from_snapshot(snapshot);
        storage.append(&[entry(1, 6), entry(1, 7), entry(1, 8)]).expect("entries follow the snapshot");
        storage.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(commit) });
        RawNode::new(Config { applied: Index(applied), ..Config::new(id(1)) }, storage).map(|_| ())
    };
    let beyond = |commit| {
        let (first_minus_one, last) = (Index(5), Index(8));
        Err(ConfigError::CommitOutOfRange { commit: Index(commit), first_minus_one, last })
    };
    let ahead = |applied| {
        let (first_minus_one, commit) = (Index(5), Index(7));
        Err(ConfigError::AppliedOutOfRange { applied: Index(applied), first_minus_one, commit })
    };
    assert_eq!([4, 5, 8, 9].map(|commit| start(commit, 0)), [beyond(4), Ok(()), Ok(()), beyond(9)]);
    assert_eq!([4, 5, 7, 8].map(|applied| start(7, applied)), [ahead(4), Ok(()), Ok(()), ahead(8)]);
}

/// A "leader" of one term sends one log, then another, then the end of the first. What it sent last is then taken for what
/// the storage was asked to write at first, and has overwritten since.
fn lied_to(config: Config) -> RawNode<MemStorage> {
    let snapshot = Snapshot { id: EntryId::new(Term(1), Index(5)), conf_state: voters(&[1, 2]), data: Bytes::new() };
    let config = Config { async_storage_writes: true, ..config };
    let mut node = RawNode::new(config, MemStorage::from_snapshot(snapshot)).expect("a sensible storage");
    let append = |term, index, entries| {
        let previous = EntryId::new(Term(term), Index(index));
        message(2, 2, Body::Append { previous, entries, commit: Index(5) })
    };
    let mut work = Vec::new();
    for sent in [append(1, 5, vec![entry(2, 6), entry(2, 7)]), append(1, 5, vec![entry(1, 6)])] {
        node.step(sent).expect("an append");
        work.push(node.ready().expect("entries to write").storage_append.expect("entries to write"));
    }
    node.step(append(1, 6, vec![entry(2, 7)])).expect("an append");
    node.storage_mut().write_append(&work[0]).expect("entries follow the log");
    node.storage_appended(work[0].appended.clone().expect("it tells of the entries"));
    node.storage_mut().write_append(&work[1]).expect("entries follow the log");
    node
}

#[test]
fn a_status_can_be_asked_for_whatever_a_leader_that_contradicts_itself_has_sent() {
    // Any other node refuses what contradicts what it was sent before.
    let mut as_etcd = lied_to(Config { lenient_as_etcd: true, ..Config::new(id(1)) });
    assert_eq!(as_etcd.status().basic.last, as_etcd.basic_status().last);
    assert_eq!(as_etcd.basic_status().last, EntryId::new(Term(1), Index(6)), "what the storage has");
    as_etcd.campaign();
    assert_eq!(as_etcd.soft_state().role, Role::Candidate);
}

/// A storage that has forgotten the terms of its log.
struct Forgetful(MemStorage);

impl raft::Storage for Forgetful {
    fn initial_state(&self) -> Result<(HardState, ConfState), raft::StorageError> {
        self.0.initial_state()
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, raft::StorageError> {
        self.0.entries(low, high, max_size)
    }

    fn term(&self, _: Index) -> Result<Term, raft::StorageError> {
        Err(raft::StorageError::Unavailable)
    }

    fn first_index(&self) -> Index {
        self.0.first_index()
    }

    fn last_index(&self) -> Index {
        self.0.last_index()
    }

    fn snapshot(&self) -> Result<Snapshot, raft::StorageError> {
        self.0.snapshot()
    }
}

#[test]
fn a_status_can_be_asked_for_even_where_the_storage_forgot_the_terms() {
    let mut storage = MemStorage::with_conf_state(voters(&[1]));
    storage.append(&[entry(1, 1)]).expect("the first entry");
    let node = RawNode::new(Config::new(id(1)), Forgetful(storage)).expect("a configuration");
    assert_eq!(node.basic_status().last, EntryId::new(Term(0), Index(1)));
    assert_eq!((node.status().basic.last.index, node.entry_term(Index(1))), (Index(1), None));
}

#[test]
fn a_storage_response_reminds_a_node_that_fell_back_to_term_zero_of_its_term() {
    let config = Config { async_storage_writes: true, pre_vote: true, allow_missing_term: true, ..Config::new(id(1)) };
    let storage = || MemStorage::with_conf_state(voters(&[1, 2, 3]));
    let mut node = RawNode::new(config.clone(), storage()).expect("a sensible configuration");
    let append = Body::Append { previous: EntryId::ZERO, entries: vec![entry(2, 1)], commit: Index(0) };
    node.step(message(2, 2, append.clone())).expect("an append");
    let work = node.ready().expect("an entry to write").storage_append.expect("an entry to write");
    node.storage_mut().write_append(&work).expect("it follows the log");
    node.campaign();
    let heartbeat = Body::Heartbeat { commit: Index(0), context: Bytes::new() };
    node.step(Message { term: None, ..message(2, 1, heartbeat) }).expect("as in etcd");
    assert_eq!(node.basic_status().hard_state.term, Term(0));
    node.storage_appended(work.appended.expect("it tells of the entry"));
    assert_eq!((node.basic_status().hard_state.term, node.soft_state().leader), (Term(2), None));

    // What was asked in term zero counts in any.
    let mut node = RawNode::new(config, storage()).expect("a sensible configuration");
    node.step(Message { term: None, ..message(2, 1, append) }).expect("as in etcd");
    let work = node.ready().expect("an entry to write").storage_append.expect("an entry to write");
    node.storage_mut().write_append(&work).expect("it follows the log");
    node.step(message(3, 2, Body::VoteResponse { granted: false })).expect("a later term");
    node.storage_appended(work.appended.expect("it tells of the entry"));
    let again = node.ready().and_then(|ready| ready.storage_append).expect("the new term");
    assert_eq!(again.appended, None, "no entry waits to become durable");
}

#[test]
fn what_was_proposed_as_a_refused_change_is_a_normal_entry() {
    let mut leader = leader();
    let refused = Entry { kind: EntryKind::RefusedConfChange, data: "data".into(), ..Entry::default() };
    let body = Body::Propose { entries: vec![refused] };
    assert_eq!(leader.step(Message { term: None, ..message(2, 1, body) }), Ok(()));
    let ready = leader.ready().expect("an entry to write");
    assert_eq!(
        ready.entries.last().map(|entry| (entry.kind, entry.data.clone())),
        Some((EntryKind::Normal, "data".into()))
    );
}

#[test]
fn proposals_without_data_are_not_dropped_for_their_size() {
    let config = Config { max_uncommitted_size: 4, ..Config::new(id(1)) };
    let mut node = RawNode::new(config, MemStorage::with_conf_state(voters(&[1, 2, 3]))).expect("a configuration");
    node.campaign();
    work_off(&mut node);
    node.step(message(2, 1, Body::VoteResponse { granted: true })).expect("a vote");
    assert_eq!(node.propose("four".into()), Ok(()));
    assert!(node.propose("one more".into()).is_err());
    assert!((0..100).all(|_| node.propose(Bytes::new()).is_ok()));
    assert_eq!(node.uncommitted_size(), 4);
}
