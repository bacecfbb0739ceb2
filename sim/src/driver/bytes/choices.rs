//! Bytes as choices: what happens, where, and how.

use bytes::Bytes;
use raft::node::Arm;
use raft::{
    Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, Index, NodeId, SnapshotStatus, Storage, Transition,
};

use crate::disk::Keep;
use crate::history::{Command, Operation};
use crate::world::{Envelope, Event, EventKind, MessageId, World};

/// How many clients there are.
const CLIENTS: usize = 4;

/// The bytes, and the counters that keep commands, reads and values apart.
#[derive(Clone, Debug)]
pub(super) struct Choices<'a> {
    bytes: &'a [u8],
    /// The last number that each client gave to a command.
    sequences: [u64; CLIENTS],
    reads: u64,
    /// How many values known clients wrote.
    values: u64,
}

/// What was chosen.
#[allow(clippy::large_enum_variant, reason = "one at a time, and most are events")]
pub(super) enum Choice {
    Event(Event),
    /// A node does all its work.
    Work(NodeId),
    /// Everybody does, and all messages arrive.
    Round,
}

/// What a byte can choose: first the kinds of events, then the chores. Left out are the kinds that come first or last,
/// and the forged message, since no check holds against a node that lies.
pub(super) const KINDS: [EventKind; 29] = {
    use EventKind as Kind;
    [
        Kind::Tick,
        Kind::Deliver,
        Kind::Propose,
        Kind::Campaign,
        Kind::Crash,
        Kind::Restart,
        Kind::TakeReady,
        Kind::Write,
        Kind::Sync,
        Kind::SyncDone,
        Kind::Release,
        Kind::Send,
        Kind::Apply,
        Kind::Advance,
        Kind::Drop,
        Kind::Duplicate,
        Kind::Cut,
        Kind::HealLink,
        Kind::ProposeConfChange,
        Kind::TransferLeadership,
        Kind::ForgetLeader,
        Kind::ReadIndex,
        Kind::ReportUnreachable,
        Kind::ReportSnapshot,
        Kind::SetElectionTimeout,
        Kind::TakeSnapshot,
        Kind::Compact,
        Kind::Invoke,
        Kind::Retry,
    ]
};

/// The byte for the work of a node.
pub(super) const WORK: u8 = KINDS.len() as u8;
/// The byte for a round.
pub(crate) const ROUND: u8 = WORK + 1;
/// The byte for the turn of a node's loop.
pub(super) const TAKE: u8 = ROUND + 1;

/// The byte that chooses events of this kind, if one does.
pub(super) fn kind_byte(kind: EventKind) -> Option<u8> {
    if kind == EventKind::Take {
        return Some(TAKE);
    }
    let position = KINDS.iter().position(|other| *other == kind)?;
    Some(u8::try_from(position).expect("there are few kinds"))
}

/// What the node's loop could take now, if a loop runs it: its next input, or a Ready.
pub(super) fn arms(node: NodeId, world: &World) -> Vec<Arm> {
    let run_loop = world.replica(node).and_then(|replica| replica.run_loop());
    run_loop.map(|run_loop| run_loop.available().collect()).unwrap_or_default()
}

/// A client whose operations the world knows. Others, and other keys, are for commands that are proposed as data.
fn known_client(byte: u8) -> u64 {
    Command::CLIENTS / 2 + u64::from(byte & 3)
}

fn known_key(byte: u8) -> u64 {
    Command::KEYS / 2 + u64::from(byte & 3)
}

/// The node with this number, counting from zero.
pub(super) fn node_id(number: u64) -> NodeId {
    NodeId::new(number + 1).expect("one or more")
}

impl<'a> Choices<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, sequences: [0; CLIENTS], reads: 0, values: 0 }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next byte; zero when there is none.
    pub(super) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        first
    }

    fn node(&mut self, nodes: u64) -> NodeId {
        node_id(u64::from(self.byte()) % nodes)
    }

    /// The next choice; `None` where it makes no sense now.
    pub(super) fn next(&mut self, nodes: u64, world: &World) -> Option<Choice> {
        match self.byte() % (TAKE + 1) {
            WORK => Some(Choice::Work(self.node(nodes))),
            ROUND => Some(Choice::Round),
            TAKE => self.take(nodes, world).map(Choice::Event),
            kind => self.event(KINDS[usize::from(kind)], nodes, world).map(Choice::Event),
        }
    }

    fn event(&mut self, kind: EventKind, nodes: u64, world: &World) -> Option<Event> {
        let event = match kind {
            EventKind::Start
            | EventKind::Take
            | EventKind::DiskFault
            | EventKind::Inject
            | EventKind::BreakLeases
            | EventKind::SearchHistories
            | EventKind::ExpectSettled
            | EventKind::ExpectLiveness => return None,
            EventKind::Invoke => self.invoke(nodes, world)?,
            EventKind::Retry => Event::Retry { node: self.node(nodes), client: known_client(self.byte()) },
            EventKind::Tick => Event::Tick { node: self.node(nodes) },
            EventKind::Deliver => Event::Deliver { message: self.message(world)? },
            EventKind::Drop => Event::Drop { message: self.message(world)? },
            EventKind::Duplicate => Event::Duplicate { message: self.message(world)? },
            EventKind::Propose => Event::Propose { node: self.node(nodes), data: self.command() },
            EventKind::Campaign => Event::Campaign { node: self.node(nodes) },
            EventKind::Crash => Event::Crash { node: self.node(nodes), keep: self.keep() },
            EventKind::Restart => {
                Event::Restart { node: self.node(nodes), options: None, seed: Some(u64::from(self.byte())) }
            }
            EventKind::TakeReady => Event::TakeReady { node: self.node(nodes) },
            EventKind::Write => Event::Write { node: self.node(nodes) },
            EventKind::Sync => Event::Sync { node: self.node(nodes) },
            EventKind::SyncDone => Event::SyncDone { node: self.node(nodes) },
            EventKind::Release => Event::Release { node: self.node(nodes) },
            EventKind::Send => Event::Send { node: self.node(nodes) },
            EventKind::Apply => Event::Apply { node: self.node(nodes), entries: u32::from(self.byte()) },
            EventKind::Advance => Event::Advance { node: self.node(nodes) },
            EventKind::Cut => Event::Cut { from: self.node(nodes), to: self.node(nodes) },
            EventKind::HealLink => Event::HealLink { from: self.node(nodes), to: self.node(nodes) },
            EventKind::ProposeConfChange => {
                Event::ProposeConfChange { node: self.node(nodes), change: self.change(nodes) }
            }
            EventKind::TransferLeadership => {
                Event::TransferLeadership { node: self.node(nodes), target: self.node(nodes) }
            }
            EventKind::ForgetLeader => Event::ForgetLeader { node: self.node(nodes) },
            EventKind::ReadIndex => Event::ReadIndex { node: self.node(nodes), context: self.context() },
            EventKind::ReportUnreachable => Event::ReportUnreachable { node: self.node(nodes), peer: self.node(nodes) },
            EventKind::ReportSnapshot => {
                let (node, peer) = (self.node(nodes), self.node(nodes));
                let finished = self.byte() & 1 == 0;
                let status = if finished { SnapshotStatus::Finish } else { SnapshotStatus::Failure };
                Event::ReportSnapshot { node, peer, status }
            }
            EventKind::SetElectionTimeout => {
                Event::SetElectionTimeout { node: self.node(nodes), ticks: u32::from(self.byte()) }
            }
            EventKind::TakeSnapshot => Event::TakeSnapshot { node: self.node(nodes) },
            EventKind::Compact => {
                let node = self.node(nodes);
                let covered = world.replica(node)?.node()?.storage().snapshot().ok()?.id.index;
                Event::Compact { node, index: Index(covered.0.saturating_sub(u64::from(self.byte() % 8))) }
            }
        };
        Some(event)
    }

    fn take(&mut self, nodes: u64, world: &World) -> Option<Event> {
        let (node, choice) = (self.node(nodes), self.byte());
        let arms = arms(node, world);
        let arm = *arms.get(usize::from(choice) % arms.len().max(1))?;
        Some(Event::Take { node, arm })
    }

    /// One of the messages in flight. Messages from a node's own storage are chosen in order.
    fn message(&mut self, world: &World) -> Option<MessageId> {
        let position = usize::from(self.byte()) % world.network().in_flight().max(1);
        let (id, envelope) = world.network().iter().nth(position)?;
        match envelope {
            Envelope::Network(_) => Some(id),
            Envelope::Local { node, .. } => first_local(*node, world),
        }
    }

    fn command(&mut self) -> Bytes {
        let byte = self.byte();
        let client = usize::from(byte) % CLIENTS;
        self.sequences[client] += 1;
        let value = vec![b'x'; usize::from(byte) / CLIENTS].into();
        let (client, sequence) = (client as u64, self.sequences[client]);
        Command { client, sequence, key: client, expected: None, value }.encode()
    }

    /// The second byte: bits 0 and 1 the client, 2 and 3 what it does, 4 and 5 the key.
    fn invoke(&mut self, nodes: u64, world: &World) -> Option<Event> {
        let (node, what) = (self.node(nodes), self.byte());
        let key = known_key(what >> 4);
        self.values += 1;
        let value = self.values.to_string().into();
        let operation = match what >> 2 & 3 {
            0 => Operation::Write { key, value },
            1 => Operation::Read { key },
            _ => {
                let expected = world.replica(node)?.state_machine()?.value(key).cloned().unwrap_or_default();
                Operation::CompareAndSet { key, expected, value }
            }
        };
        Some(Event::Invoke { client: known_client(what), node, operation })
    }

    fn context(&mut self) -> Bytes {
        self.reads += 1;
        format!("r{}", self.reads).into()
    }

    fn keep(&mut self) -> Keep {
        let form = self.byte();
        let zeros = form >= 128;
        match form % 5 {
            0 => Keep::All,
            1 => Keep::Nothing,
            2 => Keep::Prefix { bytes: u64::from(self.byte()) * 8 },
            3 => Keep::Subset { blocks: u64::from(self.byte()) * 0x0101_0101_0101_0101, zeros },
            _ => Keep::Torn { block: u64::from(self.byte() % 4), bytes: u64::from(self.byte()) * 2, zeros },
        }
    }

    /// Two steps at most. The first byte: bit 0 for the old form of one step, bits 1 and 2 the transition, bits 3 and 4
    /// how many steps.
    fn change(&mut self, nodes: u64) -> ConfChange {
        let form = self.byte();
        if form & 1 == 1 {
            return ConfChange::V1(ConfChangeV1 { change: self.step(nodes), context: Bytes::new() });
        }
        let transition = match form >> 1 & 3 {
            0 | 3 => Transition::Auto,
            1 => Transition::Implicit,
            _ => Transition::Explicit,
        };
        let changes = (0..form >> 3 & 3).map(|_| self.step(nodes)).collect();
        ConfChange::V2(ConfChangeV2 { transition, changes, context: Bytes::new() })
    }

    fn step(&mut self, nodes: u64) -> Change {
        let kind = match self.byte() % 4 {
            0 => ChangeKind::AddVoter,
            1 => ChangeKind::Remove,
            2 => ChangeKind::AddLearner,
            _ => ChangeKind::Update,
        };
        Change::new(kind, self.node(nodes))
    }
}

/// Whether a choice of this message lets it arrive, not another one: messages from a node's own storage arrive in
/// order.
pub(super) fn is_in_turn(id: MessageId, world: &World) -> bool {
    match world.network().get(id) {
        Some(Envelope::Local { node, .. }) => first_local(*node, world) == Some(id),
        Some(Envelope::Network(_)) | None => true,
    }
}

fn first_local(of: NodeId, world: &World) -> Option<MessageId> {
    let is_its = |envelope: &Envelope| envelope.is_local() && envelope.to() == of;
    world.network().iter().find(|(_, envelope)| is_its(envelope)).map(|(id, _)| id)
}
