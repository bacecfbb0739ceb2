//! The forms, one by one, as etcd's own interaction tests show them.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::membership::Configuration;
use crate::membership::{Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Transition};
use crate::message::{Body, Message};
use crate::progress::{InflightLimits, Progress};
use crate::ready::{Origin, Ready, StorageAppend, StorageAppended, StorageApplied, StorageApply};
use crate::snapshot::Snapshot;
use crate::status::{BasicStatus, Status};
use crate::types::{Entry, EntryId, EntryKind, HardState, Index, NodeId, ReadState, Role, SoftState, Term};

fn node(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
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

fn lines(lines: &[&str]) -> String {
    lines.join("\n")
}

fn sent(term: Option<u64>, body: Body) -> String {
    Message { from: node(1), to: node(10), term: term.map(Term), body }.to_string()
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
        assert_eq!(given.to_string(), expected);
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
    assert_eq!(
        sent(Some(1), Body::Append { previous: id(1, 3), entries, commit: Index(3) }),
        lines(&[
            "1->a MsgApp Term:1 Log:1/3 Commit:3 Entries:[",
            r#"  1/4 EntryNormal "x""#,
            r#"  1/5 EntryNormal "y""#,
            "]",
        ])
    );
    assert_eq!(
        sent(Some(1), Body::InstallSnapshot { snapshot: Box::new(restored()) }),
        lines(&[
            "1->a MsgSnap Term:1 Log:0/0",
            "  Snapshot: Index:4 Term:1 ConfState:Voters:[1 10] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false",
        ])
    );
}

#[test]
fn a_ready_shows_its_parts_in_order() {
    let hard_state = HardState { term: Term(1), vote: Some(node(10)), commit: Index(2) };
    let full = Ready {
        soft_state: Some(SoftState { leader: Some(node(10)), role: Role::Leader }),
        hard_state: Some(hard_state),
        read_states: vec![
            ReadState { index: Index(12), context: Bytes::from("r1") },
            ReadState { index: Index(13), context: Bytes::new() },
        ],
        entries: vec![data(1, 5, "x")],
        snapshot: Some(restored()),
        committed_entries: vec![data(1, 3, ""), data(1, 4, "y")],
        messages: vec![Message { from: node(1), to: node(2), term: Some(Term(1)), body: Body::TimeoutNow }],
        must_sync: true,
        ..Ready::default()
    };
    assert_eq!(
        full.to_string(),
        lines(&[
            "Ready MustSync=true:",
            "Lead:10 State:StateLeader",
            "HardState Term:1 Vote:10 Commit:2",
            "ReadStates [{12 [114 49]} {13 []}]",
            "Entries:",
            r#"1/5 EntryNormal "x""#,
            "Snapshot Index:4 Term:1 ConfState:Voters:[1 10] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false",
            "CommittedEntries:",
            r#"1/3 EntryNormal """#,
            r#"1/4 EntryNormal "y""#,
            "Messages:",
            "1->2 MsgTimeoutNow Term:1 Log:0/0",
        ])
    );
    assert_eq!(Ready::default().to_string(), "<empty Ready>");
    let unvoted = HardState { vote: None, ..hard_state };
    let stated = Ready { hard_state: Some(unvoted), ..Ready::default() };
    assert_eq!(stated.to_string(), "Ready MustSync=false:\nHardState Term:1 Commit:2");
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
    let mut work = Ready {
        origin: Origin::new(node(10)),
        storage_append: Some(Box::new(append.clone())),
        storage_apply: Some(StorageApply { entries: entries.clone() }),
        ..Ready::default()
    };
    assert_eq!(
        work.to_string(),
        lines(&[
            "Ready MustSync=false:",
            "Messages:",
            "a->AppendThread MsgStorageAppend Term:1 Log:0/0 Commit:4 Entries:[",
            r#"  1/5 EntryNormal "x""#,
            r#"  1/6 EntryNormal "y""#,
            "]",
            "  Snapshot: Index:4 Term:1 ConfState:Voters:[1 10] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false Responses:[",
            "  a->1 MsgAppResp Term:1 Log:0/5",
            "  a->1 MsgAppResp Term:1 Log:0/6",
            "  AppendThread->a MsgStorageAppendResp Term:1 Log:1/6",
            "    Snapshot: Index:4 Term:1 ConfState:Voters:[1 10] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false",
            "]",
            "a->ApplyThread MsgStorageApply Term:0 Log:0/0 Entries:[",
            r#"  1/5 EntryNormal "x""#,
            r#"  1/6 EntryNormal "y""#,
            "] Responses:[",
            "  ApplyThread->a MsgStorageApplyResp Term:0 Log:0/0 Entries:[",
            r#"    1/5 EntryNormal "x""#,
            r#"    1/6 EntryNormal "y""#,
            "  ]",
            "]",
        ])
    );
    let bare = StorageAppend { entries: vec![], snapshot: None, hard_state: None, ..append };
    assert_eq!(bare.describe(node(10)).to_string(), "a->AppendThread MsgStorageAppend Term:0 Log:0/0");
    work.storage_append = Some(Box::new(StorageAppend { responses: vec![], appended: None, ..bare }));
    work.storage_apply = None;
    assert_eq!(
        work.to_string(),
        lines(&["Ready MustSync=false:", "Messages:", "a->AppendThread MsgStorageAppend Term:0 Log:0/0"])
    );
    let unchanged = StorageAppended { last: None, snapshot: None, ..appended };
    assert_eq!(unchanged.describe(node(10)).to_string(), "AppendThread->a MsgStorageAppendResp Term:1 Log:0/0");
    let one = StorageApplied { entries: entries[..1].to_vec() };
    assert_eq!(
        one.describe(node(10)).to_string(),
        r#"ApplyThread->a MsgStorageApplyResp Term:0 Log:0/0 Entries:[1/5 EntryNormal "x"]"#
    );
}

#[test]
fn a_status_is_etcds_json_with_what_a_leader_knows_of_each_member() {
    let progress = |matched| {
        let mut progress = Progress::new(Index(6), InflightLimits { messages: 1, bytes: u64::MAX });
        progress.acknowledge(Index(matched));
        progress
    };
    let basic = BasicStatus {
        id: node(10),
        hard_state: HardState { term: Term(2), vote: Some(node(10)), commit: Index(4) },
        soft_state: SoftState { leader: Some(node(10)), role: Role::Leader },
        applied: Index(3),
        lead_transferee: Some(node(1)),
        first_index: Index(1),
        last: id(2, 5),
    };
    let mut replicating = progress(5);
    replicating.become_replicate();
    let leading = Status {
        basic,
        configuration: Configuration::default(),
        progress: BTreeMap::from([(node(1), progress(0)), (node(10), replicating)]),
    };
    assert_eq!(
        leading.to_string(),
        concat!(
            r#"{"id":"a","term":2,"vote":"a","commit":4,"lead":"a","raftState":"StateLeader","applied":3,"progress":{"#,
            r#""1":{"match":0,"next":6,"state":"StateProbe"},"a":{"match":5,"next":6,"state":"StateReplicate"}"#,
            r#"},"leadtransferee":"1"}"#
        )
    );
    let hard_state = HardState { vote: None, ..basic.hard_state };
    let soft_state = SoftState { leader: None, role: Role::Follower };
    let basic = BasicStatus { hard_state, soft_state, lead_transferee: None, ..basic };
    let following = Status { basic, progress: BTreeMap::new(), ..leading };
    assert_eq!(
        following.to_string(),
        concat!(
            r#"{"id":"a","term":2,"vote":"0","commit":4,"lead":"0","raftState":"StateFollower","applied":3,"#,
            r#""progress":{},"leadtransferee":"0"}"#
        )
    );
}
