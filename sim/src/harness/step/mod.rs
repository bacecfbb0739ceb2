//! A node in any legal state takes any messages, with ticks, requests, Readys and storage in between.
//!
//! It must never panic, overflow or run for ever; what it refuses leaves it as it was; each thing that it is given lets
//! it send a bounded number of messages; term and commit never go back, a term has one vote, and what is committed
//! never changes. [`Config::allow_missing_term`](raft::Config::allow_missing_term) stays off: it is for comparing with
//! etcd, which panics where this node refuses.

pub(super) mod door;
mod host;
mod rival;
mod seed;
mod sketch;
mod start;
mod watch;

use arbitrary::{Arbitrary, Unstructured};
use raft::{MemStorage, Message, RawNode, SnapshotStatus};

use door::Door;
use host::Host;
use rival::Rival;
pub(super) use seed::seed;
use sketch::{ChangeSketch, MessageSketch, Name};
pub use start::Start;
use watch::Watch;

/// How the node begins, and what happens to it.
#[derive(Clone, Debug)]
pub struct Input {
    start: Start,
    actions: Vec<Action>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Action {
    Tick,
    /// The next stage of handling a Ready; the number chooses between the threads of asynchronous writes.
    Work(u8),
    /// All work there is.
    Settle,
    /// A message in terms of the node's state.
    Message(Box<MessageSketch>),
    /// A message of a node that contradicts others, or itself.
    Rival(Rival),
    /// A message as it comes from the network.
    Wire(Vec<u8>),
    Campaign,
    Propose(u8),
    ProposeChange(Box<ChangeSketch>),
    ReadIndex(u8),
    Transfer(Name),
    ForgetLeader,
    ReportUnreachable(Name),
    ReportSnapshot(Name, bool),
    /// Takes a snapshot, and compacts the log up to this many entries before it.
    Compact(u8),
    Restart,
    SetElectionTimeout(u8),
}

impl<'a> Arbitrary<'a> for Input {
    /// Reads from the front only, one action after another, so that a prefix of an input is the beginning of the same
    /// run.
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Self::with_turns::<()>(u).map(|(input, _)| input)
    }
}

impl Input {
    /// As `arbitrary`, with something else to read after each action.
    pub(super) fn with_turns<'a, T: Arbitrary<'a>>(u: &mut Unstructured<'a>) -> arbitrary::Result<(Self, Vec<T>)> {
        let start = Start::arbitrary(u)?;
        let (mut actions, mut turns) = (Vec::new(), Vec::new());
        while !u.is_empty() {
            actions.push(Action::arbitrary(u)?);
            turns.push(T::arbitrary(u)?);
        }
        Ok((Self { start, actions }, turns))
    }
}

impl<'a> Arbitrary<'a> for Action {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let choice = u.arbitrary::<u8>()?;
        Ok(match choice % 32 {
            0 => Self::Wire(wire(u)?),
            1..=4 => Self::Tick,
            5..=8 => Self::Work(u.arbitrary()?),
            9..=12 => Self::Settle,
            13..=20 if choice >= 128 => Self::Rival(u.arbitrary()?),
            13..=20 => Self::Message(u.arbitrary()?),
            21 => Self::Campaign,
            22 => Self::Propose(u.arbitrary()?),
            23 => Self::ProposeChange(u.arbitrary()?),
            24 => Self::ReadIndex(u.arbitrary()?),
            25 => Self::Transfer(u.arbitrary()?),
            26 => Self::ForgetLeader,
            27 => Self::ReportUnreachable(u.arbitrary()?),
            28 => Self::ReportSnapshot(u.arbitrary()?, u.arbitrary()?),
            29 => Self::Compact(u.arbitrary()?),
            30 => Self::Restart,
            _ => Self::SetElectionTimeout(u.arbitrary()?),
        })
    }
}

/// A message's bytes, after their number.
fn wire(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let length = usize::from(u.arbitrary::<u16>()?).min(u.len());
    u.bytes(length).map(<[u8]>::to_vec)
}

/// Lets all of it happen.
///
/// # Panics
/// If something that must always hold does not.
pub fn run(input: &Input) {
    let mut run = Run::new(input, std::convert::identity);
    while run.next() {}
    run.settle();
}

/// How the node is in the end.
#[cfg(test)]
pub(super) fn reached(input: &Input) -> raft::BasicStatus {
    let mut run = Run::new(input, std::convert::identity);
    while run.next() {}
    run.settle();
    run.door.basic_status()
}

/// A run under way.
pub(super) struct Run<'a, D> {
    start: &'a Start,
    actions: std::slice::Iter<'a, Action>,
    pub(super) door: D,
    host: Host,
    watch: Watch,
}

impl<'a, D: Door> Run<'a, D> {
    /// More stages of work than any input gives reason for. A node that needs more makes work out of nothing.
    const MOST_WORK: u32 = 100_000;

    /// The beginning, with the node behind a door.
    pub(super) fn new(Input { start, actions }: &'a Input, door: impl FnOnce(RawNode<MemStorage>) -> D) -> Self {
        let node = start.node();
        let (host, watch) = (Host::new(&node), Watch::new(&node));
        Self { start, actions: actions.iter(), host, watch, door: door(node) }
    }

    /// Lets the next thing happen; false at the end.
    pub(super) fn next(&mut self) -> bool {
        let Some(action) = self.actions.next() else { return false };
        let Self { watch, door, .. } = self;
        door.look(|node| watch.given(node));
        self.act(action);
        self.look();
        true
    }

    /// Looks at the node.
    pub(super) fn look(&mut self) {
        let Self { watch, door, .. } = self;
        door.look(|node| watch.look(node));
    }

    fn act(&mut self, action: &Action) {
        let door = &mut self.door;
        match action {
            Action::Tick => door.tick(),
            Action::Work(which) => self.work(*which),
            Action::Settle => self.settle(),
            Action::Message(sketch) => {
                let message = door.look(|node| sketch.message(node));
                door.step(message);
            }
            Action::Rival(rival) => {
                let message = door.look(|node| rival.message(node));
                door.step(message);
            }
            Action::Wire(bytes) => {
                if let Ok(message) = Message::decode(bytes) {
                    door.step(message);
                }
            }
            Action::Campaign => door.campaign(),
            Action::Propose(length) => door.propose(vec![b'x'; usize::from(*length)].into()),
            Action::ProposeChange(change) => door.propose_conf_change(change.change()),
            Action::ReadIndex(context) => door.read_index(vec![*context].into()),
            Action::Transfer(target) => door.transfer_leadership(target.id()),
            Action::ForgetLeader => door.forget_leader(),
            Action::ReportUnreachable(peer) => door.report_unreachable(peer.id()),
            Action::ReportSnapshot(peer, true) => door.report_snapshot(peer.id(), SnapshotStatus::Finish),
            Action::ReportSnapshot(peer, false) => door.report_snapshot(peer.id(), SnapshotStatus::Failure),
            Action::Compact(kept) => self.host.compact(*kept, door),
            Action::Restart => {
                let Self { host, watch, start, .. } = self;
                let node = door.look(|node| host.restart(start.config(), node, watch));
                door.restart(node);
            }
            Action::SetElectionTimeout(ticks) => door.set_election_timeout(u32::from(*ticks)),
        }
    }

    fn work(&mut self, which: u8) {
        self.host.work(which, &mut self.door, &mut self.watch);
    }

    /// Does all work that there is, including what waits in queues.
    pub(super) fn settle(&mut self) {
        for turn in 0..Self::MOST_WORK {
            let worked = self.host.work((turn % 4) as u8, &mut self.door, &mut self.watch);
            if !self.door.pump() && !worked {
                return;
            }
            self.look();
        }
        panic!("work does not end: {:?}", self.door.look(RawNode::basic_status));
    }
}

#[cfg(test)]
mod tests;
