//! The forms, one by one, as etcd's own interaction tests show them.

use bytes::Bytes;
use raft::{
    Body, Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Entry, EntryId, EntryKind, HardState,
    Index, Message, NodeId, ReadState, Ready, Role, Snapshot, SoftState, StorageAppend, StorageAppended,
    StorageApplied, StorageApply, Term, Transition,
};

use super::*;

fn node(number: u64) -> NodeId {
    NodeId::new(number).unwrap()
}

fn id(term: u64, index: u64) -> EntryId {
    EntryId::new(Term(term), Index(index))
}

fn data(term: u64, index: u64, data: &'static str) -> Entry {
    Entry { term: Term(term), index: Index(index), kind: EntryKind::Normal, data: Bytes::from(data) }
}

fn changing(change: ConfChange) -> Entry {
    let (kind, data) = change.encode();
    Entry { term: Term(1), index: Index(4), kind, data }
}

fn restored() -> Snapshot {
    let voters = [1, 10].map(node).into();
    Snapshot { id: id(1, 4), conf_state: ConfState { voters, ..ConfState::default() }, data: Bytes::from("not shown") }
}

fn sent(term: Option<u64>, body: Body) -> String {
    message(&Message { from: node(1), to: node(10), term: term.map(Term), body })
}

#[test]
fn entries_show_data_as_go_quotes_it_and_membership_changes_in_short() {
    let changes = [ChangeKind::AddVoter, ChangeKind::AddLearner, ChangeKind::Remove, ChangeKind::Update]
        .into_iter()
        .zip(8..)
        .map(|(kind, number)| Change { kind, node: NodeId::new(number) })
        .collect();
    let several = ConfChangeV2 { transition: Transition::Explicit, changes, context: Bytes::new() };
    let one = ConfChangeV1 { change: Change { kind: ChangeKind::Remove, node: None }, context: Bytes::new() };
    let table = [
        (data(1, 3, ""), r#"1/3 EntryNormal """#),
        (data(2, 13, "a\"\n"), r#"2/13 EntryNormal "a\"\n""#),
        (Entry { kind: EntryKind::RefusedConfChange, ..data(1, 4, "") }, r#"1/4 EntryNormal """#),
        (changing(ConfChange::V2(several)), "1/4 EntryConfChangeV2 v8 l9 r10 u11"),
        (changing(ConfChange::V1(one)), "1/4 EntryConfChange r0"),
        (Entry { kind: EntryKind::ConfChangeV2, ..data(1, 4, "") }, "1/4 EntryConfChangeV2"),
    ];
    for (given, expected) in table {
        assert_eq!(entry(&given), expected);
    }
}

#[test]
fn each_kind_of_message_shows_what_it_carries() {
    let context = Bytes::from("r1");
    let table = [
        (
            None,
            Body::Propose { entries: vec![data(0, 0, "x")] },
            r#"MsgProp Term:0 Log:0/0 Entries:[0/0 EntryNormal "x"]"#,
        ),
        (Some(2), Body::Append { previous: id(1, 3), entries: vec![], commit: Index(0) }, "MsgApp Term:2 Log:1/3"),
        (Some(2), Body::AppendAccepted { index: Index(4) }, "MsgAppResp Term:2 Log:0/4"),
        (
            Some(2),
            Body::AppendRejected { index: Index(4), hint: id(1, 3) },
            "MsgAppResp Term:2 Log:1/4 Rejected (Hint: 3)",
        ),
        (
            Some(2),
            Body::Heartbeat { commit: Index(4), context: context.clone() },
            "MsgHeartbeat Term:2 Log:0/0 Commit:4",
        ),
        (Some(2), Body::HeartbeatResponse { context: context.clone() }, "MsgHeartbeatResp Term:2 Log:0/0"),
        (Some(2), Body::RequestPreVote { last: id(1, 3) }, "MsgPreVote Term:2 Log:1/3"),
        (Some(2), Body::PreVoteResponse { granted: true }, "MsgPreVoteResp Term:2 Log:0/0"),
        (Some(2), Body::RequestVote { last: id(1, 3), transfer: true }, "MsgVote Term:2 Log:1/3"),
        (Some(2), Body::VoteResponse { granted: false }, "MsgVoteResp Term:2 Log:0/0 Rejected (Hint: 0)"),
        (Some(0), Body::InstallSnapshot { snapshot: Box::default() }, "MsgSnap Term:0 Log:0/0"),
        (Some(2), Body::TransferLeader, "MsgTransferLeader Term:2 Log:0/0"),
        (Some(2), Body::TimeoutNow, "MsgTimeoutNow Term:2 Log:0/0"),
        (
            None,
            Body::ReadIndex { context: context.clone() },
            r#"MsgReadIndex Term:0 Log:0/0 Entries:[0/0 EntryNormal "r1"]"#,
        ),
        (
            Some(2),
            Body::ReadIndexResponse { index: Index(4), context },
            r#"MsgReadIndexResp Term:2 Log:0/4 Entries:[0/0 EntryNormal "r1"]"#,
        ),
    ];
    for (term, body, expected) in table {
        assert_eq!(sent(term, body), format!("1->a {expected}"));
    }
}

#[test]
fn several_entries_and_a_snapshot_take_lines_of_their_own() {
    let entries = vec![data(1, 4, "x"), data(1, 5, "y")];
    insta::assert_snapshot!(sent(Some(1), Body::Append { previous: id(1, 3), entries, commit: Index(3) }), @r#"
    1->a MsgApp Term:1 Log:1/3 Commit:3 Entries:[
      1/4 EntryNormal "x"
      1/5 EntryNormal "y"
    ]
    "#);
    insta::assert_snapshot!(sent(Some(1), Body::InstallSnapshot { snapshot: Box::new(restored()) }), @"
    1->a MsgSnap Term:1 Log:0/0
      Snapshot: Index:4 Term:1 ConfState:Voters:[1 10] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false
    ");
}

#[test]
fn a_ready_shows_its_parts_in_order() {
    let hard_state = HardState { term: Term(1), vote: Some(node(10)), commit: Index(2) };
    let mut full = Ready::default();
    full.soft_state = Some(SoftState { leader: Some(node(10)), role: Role::Leader });
    full.hard_state = Some(hard_state);
    full.read_states = vec![
        ReadState { index: Index(12), context: Bytes::from("r1") },
        ReadState { index: Index(13), context: Bytes::new() },
    ];
    full.entries = vec![data(1, 5, "x")];
    full.snapshot = Some(restored());
    full.committed_entries = vec![data(1, 3, ""), data(1, 4, "y")];
    full.messages = vec![Message { from: node(1), to: node(2), term: Some(Term(1)), body: Body::TimeoutNow }];
    full.must_sync = true;
    insta::assert_snapshot!(ready(node(1), &full), @r#"
    Ready MustSync=true:
    Lead:10 State:StateLeader
    HardState Term:1 Vote:10 Commit:2
    ReadStates [{12 [114 49]} {13 []}]
    Entries:
    1/5 EntryNormal "x"
    Snapshot Index:4 Term:1 ConfState:Voters:[1 10] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false
    CommittedEntries:
    1/3 EntryNormal ""
    1/4 EntryNormal "y"
    Messages:
    1->2 MsgTimeoutNow Term:1 Log:0/0
    "#);
    assert_eq!(ready(node(1), &Ready::default()), "<empty Ready>\n");
    let unvoted = HardState { vote: None, ..hard_state };
    assert_eq!(hard_state_line(unvoted), "Ready MustSync=false:\nHardState Term:1 Commit:2\n");
}

fn hard_state_line(state: HardState) -> String {
    let mut stated = Ready::default();
    stated.hard_state = Some(state);
    ready(node(1), &stated)
}

#[test]
fn storage_work_shows_as_messages_to_and_from_the_threads() {
    let entries = vec![data(1, 5, "x"), data(1, 6, "y")];
    let response = |index| Message {
        from: node(10),
        to: node(1),
        term: Some(Term(1)),
        body: Body::AppendAccepted { index: Index(index) },
    };
    let appended = StorageAppended { term: Term(1), last: Some(id(1, 6)), snapshot: Some(restored()) };
    let append = StorageAppend {
        hard_state: Some(HardState { term: Term(1), vote: None, commit: Index(4) }),
        entries: entries.clone(),
        snapshot: Some(restored()),
        must_sync: true,
        responses: vec![response(5), response(6)],
        appended: Some(appended.clone()),
    };
    let mut work = Ready::default();
    work.storage_append = Some(append.clone());
    work.storage_apply = Some(StorageApply { entries: entries.clone() });
    insta::assert_snapshot!(ready(node(10), &work), @r#"
    Ready MustSync=false:
    Messages:
    a->AppendThread MsgStorageAppend Term:1 Log:0/0 Commit:4 Entries:[
      1/5 EntryNormal "x"
      1/6 EntryNormal "y"
    ]
      Snapshot: Index:4 Term:1 ConfState:Voters:[1 10] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false Responses:[
      a->1 MsgAppResp Term:1 Log:0/5
      a->1 MsgAppResp Term:1 Log:0/6
      AppendThread->a MsgStorageAppendResp Term:1 Log:1/6
        Snapshot: Index:4 Term:1 ConfState:Voters:[1 10] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false
    ]
    a->ApplyThread MsgStorageApply Term:0 Log:0/0 Entries:[
      1/5 EntryNormal "x"
      1/6 EntryNormal "y"
    ] Responses:[
      ApplyThread->a MsgStorageApplyResp Term:0 Log:0/0 Entries:[
        1/5 EntryNormal "x"
        1/6 EntryNormal "y"
      ]
    ]
    "#);
    let bare = StorageAppend { entries: vec![], snapshot: None, hard_state: None, ..append };
    assert_eq!(storage_append(node(10), &bare, false), "a->AppendThread MsgStorageAppend Term:0 Log:0/0");
    let unanswered = StorageAppend { responses: vec![], appended: None, ..bare };
    assert_eq!(storage_append(node(10), &unanswered, true), "a->AppendThread MsgStorageAppend Term:0 Log:0/0");
    let unchanged = StorageAppended { last: None, snapshot: None, ..appended };
    assert_eq!(storage_appended(node(10), &unchanged), "AppendThread->a MsgStorageAppendResp Term:1 Log:0/0");
    let one = StorageApplied { entries: entries[..1].to_vec() };
    assert_eq!(
        storage_applied(node(10), &one),
        r#"ApplyThread->a MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/5 EntryNormal "x"]"#
    );
}
