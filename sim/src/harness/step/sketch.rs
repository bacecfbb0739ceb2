//! Messages as a fuzzer describes them: mostly in terms of the node's own state, since numbers that mean nothing to it
//! are all alike, and sometimes anything at all.

use arbitrary::Arbitrary;
use bytes::Bytes;
use raft::{
    Body, Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Entry, EntryId, EntryKind, Index,
    MemStorage, Message, NodeId, RawNode, Snapshot, Term, Transition,
};

/// A number, near some number of the node's.
#[derive(Clone, Copy, Debug, Arbitrary)]
enum Number {
    Near(i8),
    /// Around the largest that a node accepts, 2^63 - 1.
    Limit(i8),
    Any(u64),
}

impl Number {
    fn of(self, near: u64) -> u64 {
        match self {
            Self::Near(offset) => near.saturating_add_signed(i64::from(offset) / 16),
            Self::Limit(offset) => Term::MAX.0.saturating_add_signed(i64::from(offset)),
            Self::Any(number) => number,
        }
    }
}

/// A position in the node's log.
#[derive(Clone, Copy, Debug, Arbitrary)]
enum Position {
    First(Number),
    Applied(Number),
    Committed(Number),
    Last(Number),
}

impl Position {
    fn of(self, node: &RawNode<MemStorage>) -> Index {
        let status = node.basic_status();
        Index(match self {
            Self::First(number) => number.of(status.first_index.0),
            Self::Applied(number) => number.of(status.applied.0),
            Self::Committed(number) => number.of(status.hard_state.commit.0),
            Self::Last(number) => number.of(status.last.index.0),
        })
    }
}

/// An entry's identity: with the term that it has in the node's log, or another.
#[derive(Clone, Copy, Debug, Arbitrary)]
struct Identity {
    position: Position,
    other_term: Option<Number>,
}

impl Identity {
    fn of(self, node: &RawNode<MemStorage>) -> EntryId {
        let index = self.position.of(node);
        let own = node.entry_term(index).unwrap_or(node.basic_status().hard_state.term);
        EntryId::new(self.other_term.map_or(own, |term| Term(term.of(own.0))), index)
    }
}

/// A node, small numbers mostly.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) struct Name(u8);

impl Name {
    pub(super) fn id(self) -> NodeId {
        let number = match self.0 {
            small @ 0..250 => u64::from(small % 8) + 1,
            large => u64::MAX - u64::from(255 - large),
        };
        NodeId::new(number).expect("one or more")
    }
}

/// A membership change.
#[derive(Clone, Debug, Arbitrary)]
pub(super) struct ChangeSketch {
    first: bool,
    transition: u8,
    steps: [Option<(u8, Name)>; 3],
}

impl ChangeSketch {
    pub(super) fn change(&self) -> ConfChange {
        let kind = |kind: u8| match kind % 4 {
            0 => ChangeKind::AddVoter,
            1 => ChangeKind::Remove,
            2 => ChangeKind::Update,
            _ => ChangeKind::AddLearner,
        };
        let mut changes = self.steps.iter().flatten().map(|(step, name)| Change::new(kind(*step), name.id()));
        if self.first {
            let change = changes.next().unwrap_or(Change { kind: ChangeKind::AddVoter, node: None });
            return ConfChange::V1(ConfChangeV1 { change, context: Bytes::new() });
        }
        let transition = match self.transition % 3 {
            0 => Transition::Auto,
            1 => Transition::Implicit,
            _ => Transition::Explicit,
        };
        ConfChange::V2(ConfChangeV2 { transition, changes: changes.collect(), context: Bytes::new() })
    }
}

#[derive(Clone, Debug, Arbitrary)]
enum Payload {
    Data(u8),
    Change(ChangeSketch),
    /// A membership change whose bytes do not decode.
    BrokenChange(u8),
    Refused,
}

impl Payload {
    fn kind_and_data(&self) -> (EntryKind, Bytes) {
        match self {
            Self::Data(length) => (EntryKind::Normal, vec![b'x'; usize::from(*length)].into()),
            Self::Change(change) => change.change().encode(),
            Self::BrokenChange(byte) => (EntryKind::ConfChangeV2, vec![*byte; 3].into()),
            Self::Refused => (EntryKind::RefusedConfChange, Bytes::new()),
        }
    }
}

/// Entries that follow another one. A step, if given, puts an index off by that much.
#[derive(Clone, Debug, Arbitrary)]
struct Entries {
    count: u8,
    payload: Payload,
    term: Number,
    second_term: Option<Number>,
    step: Option<i8>,
}

impl Entries {
    fn after(&self, previous: EntryId, term: Term) -> Vec<Entry> {
        let (kind, data) = self.payload.kind_and_data();
        let entry = |offset: u64| {
            let wrong = if offset == 1 { self.step.unwrap_or(0) } else { 0 };
            let index = previous.index.0.saturating_add(offset + 1).saturating_add_signed(i64::from(wrong));
            let term = if offset == 0 { self.term } else { self.second_term.unwrap_or(self.term) }.of(term.0);
            let (kind, data) = if offset == 0 { (kind, data.clone()) } else { (EntryKind::Normal, Bytes::new()) };
            Entry { term: Term(term), index: Index(index), kind, data }
        };
        (0..u64::from(self.count % 5)).map(entry).collect()
    }
}

/// A membership: what each of the nodes 1 to 8 is.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) struct Membership {
    voters: u8,
    outgoing: u8,
    learners: u8,
    learners_next: u8,
    auto_leave: bool,
}

impl Membership {
    pub(super) fn conf_state(self) -> ConfState {
        let set = |bits: u8| (0..8).filter(|bit| bits >> bit & 1 == 1).filter_map(|bit| NodeId::new(bit + 1)).collect();
        ConfState {
            voters: set(self.voters),
            voters_outgoing: set(self.outgoing),
            learners: set(self.learners),
            learners_next: set(self.learners_next),
            auto_leave: self.auto_leave,
        }
    }

    /// The nearest membership that makes sense and has voters: nodes 1 to 3 if nothing is said.
    pub(super) fn legal(self) -> ConfState {
        let voters = if self.voters == 0 { 0b111 } else { self.voters };
        let learners = self.learners & !voters & !self.outgoing;
        let learners_next = self.learners_next & self.outgoing & !voters;
        let auto_leave = self.auto_leave && self.outgoing != 0;
        Self { voters, learners, learners_next, auto_leave, ..self }.conf_state()
    }
}

#[derive(Clone, Debug, Arbitrary)]
enum Context {
    Empty,
    ReadPosition(Number),
    Broken(u8),
}

impl Context {
    fn bytes(&self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::ReadPosition(number) => number.of(1).to_le_bytes().to_vec().into(),
            Self::Broken(length) => vec![1; usize::from(*length)].into(),
        }
    }
}

/// A body, with a sketch of each of its fields. It lists all bodies because each has other fields; a new body is missing
/// here, and no fuzzer describes it, until it is added.
#[derive(Clone, Debug, Arbitrary)]
enum BodySketch {
    Propose(Entries),
    Append { previous: Identity, entries: Entries, commit: Position },
    AppendAccepted(Position),
    AppendRejected(Position, Identity),
    Heartbeat(Position, Context),
    HeartbeatResponse(Context),
    RequestPreVote(Identity),
    PreVoteResponse(bool),
    RequestVote(Identity, bool),
    VoteResponse(bool),
    InstallSnapshot(Identity, Membership),
    TransferLeader,
    TimeoutNow,
    ReadIndex(u8),
    ReadIndexResponse(Position, u8),
}

/// A message, well-formed or not.
#[derive(Clone, Debug, Arbitrary)]
pub(super) struct MessageSketch {
    from: Name,
    misdirected: Option<Name>,
    term: Option<Number>,
    body: BodySketch,
}

impl MessageSketch {
    pub(super) fn message(&self, node: &RawNode<MemStorage>) -> Message {
        let own = node.basic_status().hard_state.term;
        let term = self.term.map(|term| Term(term.of(own.0)));
        let to = self.misdirected.map_or(node.id(), Name::id);
        Message { from: self.from.id(), to, term, body: self.body.body(node, term.unwrap_or(own)) }
    }
}

impl BodySketch {
    fn body(&self, node: &RawNode<MemStorage>, term: Term) -> Body {
        match self {
            Self::Propose(entries) => Body::Propose { entries: entries.after(EntryId::ZERO, Term::ZERO) },
            Self::Append { previous, entries, commit } => {
                let previous = previous.of(node);
                Body::Append { previous, entries: entries.after(previous, term), commit: commit.of(node) }
            }
            Self::AppendAccepted(index) => Body::AppendAccepted { index: index.of(node) },
            Self::AppendRejected(index, hint) => Body::AppendRejected { index: index.of(node), hint: hint.of(node) },
            Self::Heartbeat(commit, context) => Body::Heartbeat { commit: commit.of(node), context: context.bytes() },
            Self::HeartbeatResponse(context) => Body::HeartbeatResponse { context: context.bytes() },
            Self::RequestPreVote(last) => Body::RequestPreVote { last: last.of(node) },
            Self::PreVoteResponse(granted) => Body::PreVoteResponse { granted: *granted },
            Self::RequestVote(last, transfer) => Body::RequestVote { last: last.of(node), transfer: *transfer },
            Self::VoteResponse(granted) => Body::VoteResponse { granted: *granted },
            Self::InstallSnapshot(id, membership) => {
                let snapshot = Snapshot { id: id.of(node), conf_state: membership.conf_state(), data: Bytes::new() };
                Body::InstallSnapshot { snapshot: Box::new(snapshot) }
            }
            Self::TransferLeader => Body::TransferLeader,
            Self::TimeoutNow => Body::TimeoutNow,
            Self::ReadIndex(context) => Body::ReadIndex { context: vec![*context].into() },
            Self::ReadIndexResponse(index, context) => {
                Body::ReadIndexResponse { index: index.of(node), context: vec![*context].into() }
            }
        }
    }
}
