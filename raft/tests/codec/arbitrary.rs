//! Any message, entry and state.

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use raft::{
    Body, Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Entry, EntryId, EntryKind, HardState,
    Index, Message, NodeId, Snapshot, Term, Transition,
};

/// Numbers of every encoded length.
pub fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64u32).prop_map(|(value, shift)| value >> shift)
}

fn term() -> impl Strategy<Value = Term> {
    number().prop_map(Term)
}

fn index() -> impl Strategy<Value = Index> {
    number().prop_map(Index)
}

fn node() -> impl Strategy<Value = NodeId> {
    number().prop_filter_map("zero", NodeId::new)
}

fn nodes() -> impl Strategy<Value = BTreeSet<NodeId>> {
    btree_set(node(), 0..4)
}

fn data() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn entry_id() -> impl Strategy<Value = EntryId> {
    (term(), index()).prop_map(|(term, index)| EntryId { term, index })
}

/// Any entry that reads back as itself, which one in the place of a refused change does not.
pub fn entry() -> impl Strategy<Value = Entry> {
    let kind = prop_oneof![Just(EntryKind::Normal), Just(EntryKind::ConfChange), Just(EntryKind::ConfChangeV2)];
    (term(), index(), kind, data()).prop_map(|(term, index, kind, data)| Entry { term, index, kind, data })
}

pub fn hard_state() -> impl Strategy<Value = HardState> {
    (term(), option::of(node()), index()).prop_map(|(term, vote, commit)| HardState { term, vote, commit })
}

pub fn conf_state() -> impl Strategy<Value = ConfState> {
    (nodes(), nodes(), nodes(), nodes(), any::<bool>()).prop_map(
        |(voters, voters_outgoing, learners, learners_next, auto_leave)| ConfState {
            voters,
            voters_outgoing,
            learners,
            learners_next,
            auto_leave,
        },
    )
}

pub fn snapshot() -> impl Strategy<Value = Snapshot> {
    (entry_id(), conf_state(), data()).prop_map(|(id, conf_state, data)| Snapshot { id, conf_state, data })
}

pub fn conf_change() -> impl Strategy<Value = ConfChange> {
    let kind = || {
        prop_oneof![
            Just(ChangeKind::AddVoter),
            Just(ChangeKind::Remove),
            Just(ChangeKind::Update),
            Just(ChangeKind::AddLearner),
        ]
    };
    let change = move || (kind(), option::of(node())).prop_map(|(kind, node)| Change { kind, node });
    let transition = prop_oneof![Just(Transition::Auto), Just(Transition::Implicit), Just(Transition::Explicit)];
    prop_oneof![
        (change(), data()).prop_map(|(change, context)| ConfChange::V1(ConfChangeV1 { change, context })),
        (transition, vec(change(), 0..4), data()).prop_map(|(transition, changes, context)| {
            ConfChange::V2(ConfChangeV2 { transition, changes, context })
        }),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    let entries = || vec(entry(), 0..4);
    prop_oneof![
        entries().prop_map(|entries| Body::Propose { entries }),
        (entry_id(), entries(), index()).prop_map(|(previous, entries, commit)| Body::Append {
            previous,
            entries,
            commit
        }),
        index().prop_map(|index| Body::AppendAccepted { index }),
        (index(), entry_id()).prop_map(|(index, hint)| Body::AppendRejected { index, hint }),
        (index(), data()).prop_map(|(commit, context)| Body::Heartbeat { commit, context }),
        data().prop_map(|context| Body::HeartbeatResponse { context }),
        entry_id().prop_map(|last| Body::RequestPreVote { last }),
        any::<bool>().prop_map(|granted| Body::PreVoteResponse { granted }),
        (entry_id(), any::<bool>()).prop_map(|(last, transfer)| Body::RequestVote { last, transfer }),
        any::<bool>().prop_map(|granted| Body::VoteResponse { granted }),
        snapshot().prop_map(|snapshot| Body::InstallSnapshot { snapshot: Box::new(snapshot) }),
        Just(Body::TransferLeader),
        Just(Body::TimeoutNow),
        data().prop_map(|context| Body::ReadIndex { context }),
        (index(), data()).prop_map(|(index, context)| Body::ReadIndexResponse { index, context }),
    ]
}

/// Any message that reads back as itself, which one with a term of zero need not.
pub fn message() -> impl Strategy<Value = Message> {
    let term = option::of(number().prop_map(|number| Term(number.max(1))));
    (node(), node(), term, body()).prop_map(|(from, to, term, body)| Message { from, to, term, body })
}
