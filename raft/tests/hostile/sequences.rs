//! Sequences of messages, each of which makes sense by itself, of peers that contradict one another and themselves: two
//! that lead one term, leaders that take back what they sent, answers to nothing. Numbers are few and near what the node
//! has, so that they meet.

use bytes::Bytes;
use proptest::prelude::*;
use raft::{
    Body, Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Config, Entry, EntryId, EntryKind,
    Index, Message, Snapshot, SnapshotStatus, Term,
};

use crate::host::{Host, id};

#[derive(Clone, Debug)]
enum Action {
    Hear(Word),
    Work(u8),
    Settle,
    Tick,
    Campaign,
    Propose,
    ProposeChange(u8),
    Read,
    Transfer(u64),
    ForgetLeader,
    Report(u64, bool),
    Compact(u64),
    Restart,
}

/// A message of some node, whose numbers are offsets from the node's own.
#[derive(Clone, Debug)]
struct Word {
    from: u64,
    term: i64,
    kind: Kind,
    /// The index, from the commit index.
    index: i64,
    /// The term there, back from the message's; none where it is what the node has there.
    back: Option<u64>,
    /// How much the terms of entries rise from there, at most to the message's.
    rises: Vec<u64>,
    commit: i64,
    flag: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Append,
    Snapshot,
    Heartbeat,
    Accepted,
    Rejected,
    HeartbeatResponse,
    RequestVote,
    RequestPreVote,
    VoteResponse,
    PreVoteResponse,
    TimeoutNow,
    TransferLeader,
    Propose,
    ReadIndex,
    ReadIndexResponse,
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        24 => Just(Kind::Append),
        8 => Just(Kind::Snapshot),
        4 => Just(Kind::Heartbeat),
        4 => Just(Kind::Accepted),
        2 => Just(Kind::Rejected),
        1 => Just(Kind::HeartbeatResponse),
        1 => Just(Kind::RequestVote),
        1 => Just(Kind::RequestPreVote),
        3 => Just(Kind::VoteResponse),
        1 => Just(Kind::PreVoteResponse),
        1 => Just(Kind::TimeoutNow),
        1 => Just(Kind::TransferLeader),
        1 => Just(Kind::Propose),
        1 => Just(Kind::ReadIndex),
        1 => Just(Kind::ReadIndexResponse),
    ]
}

fn any_word() -> impl Strategy<Value = Word> {
    let from = prop_oneof![8 => Just(2), 8 => Just(3), 1 => Just(1), 1 => Just(4)];
    let term = prop_oneof![16 => Just(0), 3 => Just(1), 1 => Just(-1)];
    let back = prop_oneof![2 => Just(None), 3 => (0..3_u64).prop_map(Some)];
    let rises = prop::collection::vec(prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2)], 0..3);
    (from, term, any_kind(), -1..4_i64, back, rises, -2..4_i64, prop::bool::weighted(0.1)).prop_map(
        |(from, term, kind, index, back, rises, commit, flag)| Word {
            from,
            term,
            kind,
            index,
            back,
            rises,
            commit,
            flag,
        },
    )
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        20 => any_word().prop_map(Action::Hear),
        16 => any::<u8>().prop_map(Action::Work),
        3 => Just(Action::Settle),
        1 => Just(Action::Tick),
        1 => Just(Action::Campaign),
        1 => Just(Action::Propose),
        1 => (0..4_u8).prop_map(Action::ProposeChange),
        1 => Just(Action::Read),
        1 => (1..4_u64).prop_map(Action::Transfer),
        2 => Just(Action::ForgetLeader),
        1 => (2..4_u64, any::<bool>()).prop_map(|(peer, finished)| Action::Report(peer, finished)),
        1 => (0..3_u64).prop_map(Action::Compact),
        1 => Just(Action::Restart),
    ]
}

fn any_config() -> impl Strategy<Value = Config> {
    (any::<[bool; 7]>(), 0..100_u64).prop_map(|([asynchronous, check, pre_vote, page, flow, step_down, join], seed)| {
        Config {
            election_seed: Some(seed),
            async_storage_writes: asynchronous,
            check_quorum: check,
            pre_vote,
            max_committed_size_per_ready: if page { 8 } else { Config::NO_LIMIT },
            max_inflight_messages: if flow { 1 } else { 256 },
            max_size_per_message: if flow { 0 } else { Config::NO_LIMIT },
            step_down_on_removal: step_down,
            batch_append: join,
            max_waiting_reads: 2,
            max_uncommitted_size: if flow { 8 } else { Config::NO_LIMIT },
            ..Config::new(id(1))
        }
    })
}

impl Word {
    fn message(&self, host: &Host) -> Message {
        let status = host.node.basic_status();
        let term = Term(status.hard_state.term.0.saturating_add_signed(self.term).max(1));
        let forwarded = matches!(self.kind, Kind::Propose | Kind::ReadIndex);
        Message { from: id(self.from), to: id(1), term: (!forwarded).then_some(term), body: self.body(host, term) }
    }

    fn body(&self, host: &Host, term: Term) -> Body {
        let near = |offset| Index(host.node.basic_status().hard_state.commit.0.saturating_add_signed(offset));
        let index = near(self.index);
        let there = self.back.map(|back| Term(term.0.saturating_sub(back)));
        let claimed = EntryId::new(there.or_else(|| host.node.entry_term(index)).unwrap_or(term), index);
        let context = || Bytes::copy_from_slice(&1_u64.to_le_bytes());
        match self.kind {
            Kind::Append => {
                Body::Append { previous: claimed, entries: self.entries(claimed, term), commit: near(self.commit) }
            }
            Kind::Snapshot => {
                let voters = if self.flag { vec![1, 2] } else { vec![1, 2, 3] };
                let conf_state = ConfState { voters: voters.into_iter().map(id).collect(), ..ConfState::default() };
                let snapshot = Snapshot { id: claimed, conf_state, data: Bytes::new() };
                Body::InstallSnapshot { snapshot: Box::new(snapshot) }
            }
            Kind::Heartbeat => Body::Heartbeat { commit: near(self.commit), context: Bytes::new() },
            Kind::Accepted => Body::AppendAccepted { index },
            Kind::Rejected => Body::AppendRejected { index: near(self.commit), hint: claimed },
            Kind::HeartbeatResponse => Body::HeartbeatResponse { context: context() },
            Kind::RequestVote => Body::RequestVote { last: claimed, transfer: self.flag },
            Kind::RequestPreVote => Body::RequestPreVote { last: claimed },
            Kind::VoteResponse => Body::VoteResponse { granted: !self.flag },
            Kind::PreVoteResponse => Body::PreVoteResponse { granted: !self.flag },
            Kind::TimeoutNow => Body::TimeoutNow,
            Kind::TransferLeader => Body::TransferLeader,
            Kind::Propose => Body::Propose { entries: vec![Entry { data: "hostile".into(), ..Entry::default() }] },
            Kind::ReadIndex => Body::ReadIndex { context: "read".into() },
            Kind::ReadIndexResponse => Body::ReadIndexResponse { index, context: "read".into() },
        }
    }

    fn entries(&self, previous: EntryId, term: Term) -> Vec<Entry> {
        let mut before = previous;
        let next = |rise: &u64| {
            before = EntryId::new(Term((before.term.0 + rise).min(term.0)), before.index.next());
            let (kind, data) = match self.flag {
                true => change(*rise as u8).encode(),
                false => (EntryKind::Normal, Bytes::from(vec![self.from as u8; 3])),
            };
            Entry { term: before.term, index: before.index, kind, data }
        };
        self.rises.iter().map(next).collect()
    }
}

fn change(which: u8) -> ConfChange {
    match which {
        0 => ConfChange::V1(ConfChangeV1::add_voter(id(4))),
        1 => ConfChange::V1(ConfChangeV1 { change: Change::new(ChangeKind::Remove, id(3)), context: Bytes::new() }),
        2 => ConfChange::V2(ConfChangeV2::default()),
        _ => ConfChange::V1(ConfChangeV1::add_learner(id(3))),
    }
}

/// Lets one thing happen, and looks at the node.
fn act(host: &mut Host, action: &Action) {
    match action {
        Action::Hear(word) => hear(host, word.message(host)),
        Action::Work(which) => drop(host.work(*which)),
        Action::Settle => host.settle(),
        Action::Tick => host.node.tick(),
        Action::Campaign => host.node.campaign(),
        Action::Propose => drop(host.node.propose("data".into())),
        Action::ProposeChange(which) => drop(host.node.propose_conf_change(&change(*which))),
        Action::Read => host.node.read_index("read".into()),
        Action::Transfer(target) => host.node.transfer_leadership(id(*target)),
        Action::ForgetLeader => host.node.forget_leader(),
        Action::Report(peer, true) => host.node.report_snapshot(id(*peer), SnapshotStatus::Finish),
        Action::Report(peer, false) => host.node.report_unreachable(id(*peer)),
        Action::Compact(kept) => host.compact(*kept),
        Action::Restart => host.restart(),
    }
    look(host);
}

/// What is refused leaves the node as it was.
fn hear(host: &mut Host, message: Message) {
    let before = host.node.clone();
    match host.node.step(message.clone()) {
        Ok(()) => {}
        Err(error) => {
            let (before, after) = (format!("{before:?}"), format!("{:?}", host.node));
            assert_eq!(before, after, "{message:?}, refused: {error}");
        }
    }
}

/// Asks the node everything there is to ask.
fn look(host: &Host) {
    let node = &host.node;
    let status = node.status();
    assert_eq!(status.basic, node.basic_status());
    assert_eq!(status.basic.soft_state, node.soft_state());
    let (last, commit) = (status.basic.last, status.basic.hard_state.commit);
    assert!(status.basic.applied <= commit && commit <= last.index, "{:?}", status.basic);
    assert!(node.progress().all(|(_, progress)| progress.matched() <= last.index), "{status:?}");
    for index in status.basic.first_index.previous().0..=last.index.0 {
        assert!(node.entry_term(Index(index)).is_some(), "the log has nothing at {index}: {:?}", status.basic);
    }
    for beyond in [last.index.next(), Index::MAX, Index(u64::MAX)] {
        assert_eq!(node.entry_term(beyond), None);
    }
    assert!(node.waiting_reads() <= node.config().max_waiting_reads);
    assert_eq!(node.has_ready(), node.clone().ready().is_some());
    let _ = (node.configuration().to_string(), node.uncommitted_size());
}

proptest! {
    #[test]
    fn no_sequence_of_messages_makes_a_node_panic(
        config in any_config(),
        actions in prop::collection::vec(any_action(), 0..80),
    ) {
        let mut host = Host::new(config);
        actions.iter().for_each(|action| act(&mut host, action));
        host.settle();
        look(&host);
        // What it calls durable and applied is there after a restart.
        host.restart();
        look(&host);
    }
}

/// Hears from `from` in `term`, which makes sense by itself.
fn take(host: &mut Host, from: u64, term: u64, body: Body) {
    let message = Message { from: id(from), to: id(1), term: Some(Term(term)), body };
    assert_eq!(host.node.step(message.clone()), Ok(()), "{message:?}");
    look(host);
}

fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), ..Entry::default() }
}

fn append(previous: (u64, u64), entries: Vec<Entry>) -> Body {
    let previous = EntryId::new(Term(previous.0), Index(previous.1));
    Body::Append { previous, entries, commit: Index::ZERO }
}

fn install(term: u64, index: u64) -> Body {
    let conf_state = ConfState { voters: [1, 2, 3].map(id).into(), ..ConfState::default() };
    let snapshot = Snapshot { id: EntryId::new(Term(term), Index(index)), conf_state, data: Bytes::new() };
    Body::InstallSnapshot { snapshot: Box::new(snapshot) }
}

fn stored(host: &Host) -> Vec<(u64, u64)> {
    host.node.storage().stored().map(|entry| (entry.term.0, entry.index.0)).collect()
}

const TAKE_READY: u8 = 0;
const WRITE: u8 = 1;
const DELIVER: u8 = 3;

/// A node that has two entries of term 3 in hand, whose write was handed out in term 5, and not done.
fn writing() -> Host {
    let mut host = Host::new(Config { async_storage_writes: true, election_seed: Some(1), ..Config::new(id(1)) });
    take(&mut host, 2, 4, append((1, 3), vec![entry(2, 4), entry(3, 5)]));
    assert!(host.work(TAKE_READY));
    take(&mut host, 3, 5, append((1, 3), vec![]));
    assert!(host.work(TAKE_READY));
    host
}

#[test]
fn a_write_that_a_snapshot_made_void_is_not_taken_for_that_of_an_entry_of_the_same_identity() {
    let mut host = writing();
    take(&mut host, 3, 5, install(3, 4));
    take(&mut host, 3, 5, append((3, 4), vec![entry(3, 5)]));
    while host.work(WRITE) {
        look(&host);
        host.work(DELIVER);
    }
    assert_eq!((stored(&host), host.node.basic_status().last), (vec![(3, 5)], EntryId::new(Term(3), Index(5))));
}

#[test]
fn a_write_that_was_overwritten_is_not_taken_for_that_of_an_entry_of_the_same_identity() {
    let mut host = writing();
    take(&mut host, 3, 5, append((1, 3), vec![entry(3, 4)]));
    take(&mut host, 3, 5, append((3, 4), vec![entry(3, 5)]));
    // The two writes that are reported were of other entries.
    for _ in 0..2 {
        assert!(host.work(WRITE) && host.work(DELIVER));
    }
    assert_eq!(stored(&host), [(2, 4), (3, 5)]);
    let ready = host.node.clone().ready().expect("what took their place");
    assert_eq!(ready.entries, [entry(3, 4), entry(3, 5)]);
    host.settle();
    assert_eq!(stored(&host), [(3, 4), (3, 5)]);
}

#[test]
fn a_message_that_is_refused_is_noticed_where_it_changes_the_node() {
    // The check in `hear` compares what a node shows of itself: all that it holds.
    let host = writing();
    let mut other = host.node.clone();
    other.forget_leader();
    assert_ne!(format!("{other:?}"), format!("{:?}", host.node));
}
