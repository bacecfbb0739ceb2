//! What one side says comes back from the other as it was.

use bytes::Bytes;
use proptest::prelude::*;
use raft::{
    Body, Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Entry, EntryId, EntryKind, Index,
    Message, NodeId, Snapshot, Term, Transition,
};
use raft_rs::eraftpb::{self, MessageType};
use sim_raft_rs::convert::{
    NoCounterpart, entry_to_ours, entry_to_theirs, message_to_ours, message_to_theirs, ridden, with_rider,
};

fn node() -> impl Strategy<Value = NodeId> {
    (1..u64::MAX).prop_map(|id| NodeId::new(id).unwrap())
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn id() -> impl Strategy<Value = EntryId> {
    (any::<u64>(), any::<u64>()).prop_map(|(term, index)| EntryId::new(Term(term), Index(index)))
}

fn change() -> impl Strategy<Value = Change> {
    let kind = prop_oneof![Just(ChangeKind::AddVoter), Just(ChangeKind::Remove), Just(ChangeKind::AddLearner)];
    (kind, prop::option::of(node())).prop_map(|(kind, node)| Change { kind, node })
}

fn conf_change() -> impl Strategy<Value = ConfChange> {
    let transition = prop_oneof![Just(Transition::Auto), Just(Transition::Implicit), Just(Transition::Explicit)];
    let v1 = (change(), bytes()).prop_map(|(change, context)| ConfChange::V1(ConfChangeV1 { change, context }));
    let v2 = (transition, prop::collection::vec(change(), 0..4), bytes())
        .prop_map(|(transition, changes, context)| ConfChange::V2(ConfChangeV2 { transition, changes, context }));
    prop_oneof![v1, v2]
}

fn entry() -> impl Strategy<Value = Entry> {
    let normal = bytes().prop_map(|data| (EntryKind::Normal, data));
    let content = prop_oneof![3 => normal, 1 => conf_change().prop_map(spelled)];
    (id(), content).prop_map(|(EntryId { term, index }, (kind, data))| Entry { term, index, kind, data })
}

/// As raft-rs spells it: a change that says nothing has no data there, see
/// `a_change_that_says_nothing_comes_back_without_data`.
fn spelled(change: ConfChange) -> (EntryKind, Bytes) {
    if change == ConfChange::V2(ConfChangeV2::default()) {
        (EntryKind::ConfChangeV2, Bytes::new())
    } else {
        change.encode()
    }
}

fn conf_state() -> impl Strategy<Value = ConfState> {
    let set = || prop::collection::btree_set(node(), 0..4);
    (set(), set(), set(), set(), any::<bool>()).prop_map(
        |(voters, voters_outgoing, learners, learners_next, auto_leave)| ConfState {
            voters,
            voters_outgoing,
            learners,
            learners_next,
            auto_leave,
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let entries = || prop::collection::vec(entry(), 1..4);
    let index = || any::<u64>().prop_map(Index);
    prop_oneof![
        entries().prop_map(|entries| Body::Propose { entries }),
        (id(), entries(), index()).prop_map(|(previous, entries, commit)| Body::Append { previous, entries, commit }),
        index().prop_map(|index| Body::AppendAccepted { index }),
        (index(), id()).prop_map(|(index, hint)| Body::AppendRejected { index, hint }),
        (index(), bytes()).prop_map(|(commit, context)| Body::Heartbeat { commit, context }),
        bytes().prop_map(|context| Body::HeartbeatResponse { context }),
        id().prop_map(|last| Body::RequestPreVote { last }),
        any::<bool>().prop_map(|granted| Body::PreVoteResponse { granted }),
        (id(), any::<bool>()).prop_map(|(last, transfer)| Body::RequestVote { last, transfer }),
        any::<bool>().prop_map(|granted| Body::VoteResponse { granted }),
        (id(), conf_state(), bytes()).prop_map(|(id, conf_state, data)| {
            Body::InstallSnapshot { snapshot: Box::new(Snapshot { id, conf_state, data }) }
        }),
        Just(Body::TransferLeader),
        Just(Body::TimeoutNow),
        bytes().prop_map(|context| Body::ReadIndex { context }),
        (index(), bytes()).prop_map(|(index, context)| Body::ReadIndexResponse { index, context }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let term = prop::option::of((1..u64::MAX).prop_map(Term));
    (node(), node(), term, body()).prop_map(|(from, to, term, body)| Message { from, to, term, body })
}

proptest! {
    #[test]
    fn an_entry_comes_back(entry in entry()) {
        prop_assert_eq!(entry_to_ours(&entry_to_theirs(&entry).unwrap()).unwrap(), entry);
    }

    #[test]
    fn a_message_comes_back_and_needs_no_rider(message in message()) {
        let theirs = message_to_theirs(&message).unwrap();
        prop_assert_eq!(with_rider(&theirs).unwrap(), (message, None));
    }

    #[test]
    fn what_only_raft_rs_says_rides_along(message in message(), commit in 1..u64::MAX, priority in any::<i64>()) {
        let mut theirs = message_to_theirs(&message).unwrap();
        theirs.commit_term = commit;
        theirs.priority = priority;
        let (ours, rider) = with_rider(&theirs).unwrap();
        prop_assert_eq!(ours, message);
        prop_assert_eq!(ridden(&rider.unwrap()).unwrap(), theirs);
    }
}

/// Etcd writes each field, even one that is zero; raft-rs leaves such fields out. Both mean the same: leave the joint
/// configuration.
#[test]
fn a_change_that_says_nothing_comes_back_without_data() {
    let nothing = ConfChange::V2(ConfChangeV2::default());
    let (kind, data) = nothing.encode();
    assert_eq!(data, Bytes::from_static(b"\x08\0"));

    let proposed = Entry { term: Term(1), index: Index(1), kind, data };
    let back = entry_to_ours(&entry_to_theirs(&proposed).unwrap()).unwrap();
    assert_eq!(back, Entry { data: Bytes::new(), ..proposed });
    assert_eq!(back.conf_change(), Ok(Some(nothing)));
}

#[test]
fn what_has_no_counterpart_is_named() {
    let mut hup = eraftpb::Message::default();
    hup.set_msg_type(MessageType::MsgHup);
    assert_eq!(message_to_ours(&hup), Err(NoCounterpart::Kind("MsgHup".to_owned())));
    let mut with_context = eraftpb::Entry::default();
    with_context.context = Bytes::from_static(b"context");
    assert_eq!(entry_to_ours(&with_context), Err(NoCounterpart::Field("a context")));
    let id = NodeId::new(7).unwrap();
    let (kind, data) = ConfChange::V1(ConfChangeV1::new(ChangeKind::Update, id)).encode();
    let update = Entry { kind, data, ..Entry::default() };
    assert_eq!(entry_to_theirs(&update), Err(NoCounterpart::Update(7)));
}
