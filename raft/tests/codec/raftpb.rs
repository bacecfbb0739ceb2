//! The schema as another protobuf implementation reads and writes it.

use proptest::prelude::*;
use prost::Message as _;
use raft::{Body, Change, ConfChange, EntryKind, Message, NodeId};

use crate::arbitrary::{conf_change, message};

#[derive(Clone, PartialEq, prost::Message)]
struct PbEntry {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(uint64, optional, tag = "2")]
    term: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    index: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    data: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PbConfState {
    #[prost(uint64, repeated, packed = "false", tag = "1")]
    voters: Vec<u64>,
    #[prost(uint64, repeated, packed = "false", tag = "2")]
    learners: Vec<u64>,
    #[prost(uint64, repeated, packed = "true", tag = "3")]
    voters_outgoing: Vec<u64>,
    #[prost(uint64, repeated, packed = "true", tag = "4")]
    learners_next: Vec<u64>,
    #[prost(bool, optional, tag = "5")]
    auto_leave: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PbMetadata {
    #[prost(message, optional, tag = "1")]
    conf_state: Option<PbConfState>,
    #[prost(uint64, optional, tag = "2")]
    index: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    term: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PbSnapshot {
    #[prost(bytes = "vec", optional, tag = "1")]
    data: Option<Vec<u8>>,
    #[prost(message, optional, tag = "2")]
    metadata: Option<PbMetadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PbMessage {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(uint64, optional, tag = "2")]
    to: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    from: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    term: Option<u64>,
    #[prost(uint64, optional, tag = "5")]
    log_term: Option<u64>,
    #[prost(uint64, optional, tag = "6")]
    index: Option<u64>,
    #[prost(message, repeated, tag = "7")]
    entries: Vec<PbEntry>,
    #[prost(uint64, optional, tag = "8")]
    commit: Option<u64>,
    #[prost(message, optional, tag = "9")]
    snapshot: Option<PbSnapshot>,
    #[prost(bool, optional, tag = "10")]
    reject: Option<bool>,
    #[prost(uint64, optional, tag = "11")]
    reject_hint: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "12")]
    context: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "13")]
    vote: Option<u64>,
    #[prost(message, repeated, tag = "14")]
    responses: Vec<PbMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PbChange {
    #[prost(int32, optional, tag = "1")]
    kind: Option<i32>,
    #[prost(uint64, optional, tag = "2")]
    node: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PbConfChange {
    #[prost(uint64, optional, tag = "1")]
    id: Option<u64>,
    #[prost(int32, optional, tag = "2")]
    kind: Option<i32>,
    #[prost(uint64, optional, tag = "3")]
    node: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    context: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PbConfChangeV2 {
    #[prost(int32, optional, tag = "1")]
    transition: Option<i32>,
    #[prost(message, repeated, tag = "2")]
    changes: Vec<PbChange>,
    #[prost(bytes = "vec", optional, tag = "3")]
    context: Option<Vec<u8>>,
}

fn present(bytes: &[u8]) -> Option<Vec<u8>> {
    (!bytes.is_empty()).then(|| bytes.to_vec())
}

fn pb_entry(entry: &raft::Entry) -> PbEntry {
    let kind = match entry.kind {
        EntryKind::Normal => None,
        EntryKind::RefusedConfChange => Some(0),
        EntryKind::ConfChange => Some(1),
        EntryKind::ConfChangeV2 => Some(2),
    };
    PbEntry { kind, term: Some(entry.term.0), index: Some(entry.index.0), data: present(&entry.data) }
}

fn pb_read_entry(context: &[u8]) -> Vec<PbEntry> {
    vec![PbEntry { kind: None, term: Some(0), index: Some(0), data: present(context) }]
}

fn pb_snapshot(snapshot: &raft::Snapshot) -> PbSnapshot {
    let numbers = |nodes: &std::collections::BTreeSet<NodeId>| nodes.iter().map(|node| node.get()).collect();
    let conf = &snapshot.conf_state;
    let conf_state = PbConfState {
        voters: numbers(&conf.voters),
        learners: numbers(&conf.learners),
        voters_outgoing: numbers(&conf.voters_outgoing),
        learners_next: numbers(&conf.learners_next),
        auto_leave: Some(conf.auto_leave),
    };
    let (index, term) = (Some(snapshot.id.index.0), Some(snapshot.id.term.0));
    let metadata = Some(PbMetadata { conf_state: Some(conf_state), index, term });
    PbSnapshot { data: present(&snapshot.data), metadata }
}

/// With every number present, as older versions of etcd write them.
fn pb_message(message: &Message) -> PbMessage {
    let mut pb = PbMessage {
        to: Some(message.to.get()),
        from: Some(message.from.get()),
        term: message.term.map(|term| term.0),
        log_term: Some(0),
        index: Some(0),
        commit: Some(0),
        reject: Some(false),
        reject_hint: Some(0),
        ..PbMessage::default()
    };
    let set_id = |pb: &mut PbMessage, id: raft::EntryId| {
        pb.log_term = Some(id.term.0);
        pb.index = Some(id.index.0);
    };
    let kind = match &message.body {
        Body::Propose { entries } => {
            pb.entries = entries.iter().map(pb_entry).collect();
            2
        }
        Body::Append { previous, entries, commit } => {
            set_id(&mut pb, *previous);
            pb.entries = entries.iter().map(pb_entry).collect();
            pb.commit = Some(commit.0);
            3
        }
        Body::AppendAccepted { index } => {
            pb.index = Some(index.0);
            4
        }
        Body::AppendRejected { index, hint } => {
            set_id(&mut pb, raft::EntryId::new(hint.term, *index));
            pb.reject = Some(true);
            pb.reject_hint = Some(hint.index.0);
            4
        }
        Body::RequestVote { last, transfer } => {
            set_id(&mut pb, *last);
            pb.context = transfer.then(|| b"CampaignTransfer".to_vec());
            5
        }
        Body::VoteResponse { granted } => {
            pb.reject = Some(!granted);
            6
        }
        Body::InstallSnapshot { snapshot } => {
            pb.snapshot = Some(pb_snapshot(snapshot));
            7
        }
        Body::Heartbeat { commit, context } => {
            pb.commit = Some(commit.0);
            pb.context = present(context);
            8
        }
        Body::HeartbeatResponse { context } => {
            pb.context = present(context);
            9
        }
        Body::TransferLeader => 13,
        Body::TimeoutNow => 14,
        Body::ReadIndex { context } => {
            pb.entries = pb_read_entry(context);
            15
        }
        Body::ReadIndexResponse { index, context } => {
            pb.index = Some(index.0);
            pb.entries = pb_read_entry(context);
            16
        }
        Body::RequestPreVote { last } => {
            set_id(&mut pb, *last);
            17
        }
        Body::PreVoteResponse { granted } => {
            pb.reject = Some(!granted);
            18
        }
    };
    pb.kind = Some(kind);
    pb
}

/// Zeros that need not be written, made explicit.
fn with_defaults(mut pb: PbMessage) -> PbMessage {
    for number in [&mut pb.log_term, &mut pb.index, &mut pb.commit, &mut pb.reject_hint] {
        number.get_or_insert(0);
    }
    pb.reject.get_or_insert(false);
    pb
}

fn pb_kind(change: &Change) -> Option<i32> {
    Some(match change.kind {
        raft::ChangeKind::AddVoter => 0,
        raft::ChangeKind::Remove => 1,
        raft::ChangeKind::Update => 2,
        raft::ChangeKind::AddLearner => 3,
    })
}

fn pb_node(change: &Change) -> Option<u64> {
    Some(change.node.map_or(0, NodeId::get))
}

fn pb_conf_change(change: &ConfChange) -> Vec<u8> {
    match change {
        ConfChange::V1(change) => PbConfChange {
            id: None,
            kind: pb_kind(&change.change),
            node: pb_node(&change.change),
            context: present(&change.context),
        }
        .encode_to_vec(),
        ConfChange::V2(change) => {
            let transition = match change.transition {
                raft::Transition::Auto => 0,
                raft::Transition::Implicit => 1,
                raft::Transition::Explicit => 2,
            };
            let step = |step: &Change| PbChange { kind: pb_kind(step), node: pb_node(step) };
            let changes = change.changes.iter().map(step).collect();
            PbConfChangeV2 { transition: Some(transition), changes, context: present(&change.context) }.encode_to_vec()
        }
    }
}

proptest! {
    #[test]
    fn messages_mean_the_same_to_another_reader(message in message()) {
        let read = PbMessage::decode(&message.encode()[..]).unwrap();
        prop_assert_eq!(with_defaults(read), pb_message(&message));
    }

    #[test]
    fn messages_of_another_writer_mean_the_same(message in message()) {
        let pb = PbMessage { vote: Some(7), responses: vec![PbMessage::default()], ..pb_message(&message) };
        prop_assert_eq!(Message::decode(&pb.encode_to_vec()), Ok(message));
    }

    #[test]
    fn membership_changes_have_the_bytes_of_another_writer(change in conf_change()) {
        let (_, data) = change.encode();
        prop_assert_eq!(&data[..], &pb_conf_change(&change)[..]);
    }
}
