//! A node in any legal state takes any messages, with ticks, requests, Readys and storage in between.
//!
//! It must never panic, overflow or run for ever; what it refuses leaves it as it was; each thing that it is given lets
//! it send a bounded number of messages; term and commit never go back, a term has one vote, and what is committed
//! never changes. [`Config::allow_missing_term`](raft::Config::allow_missing_term) stays off: it is for comparing with
//! etcd, which panics where this node refuses.

mod host;
mod sketch;
mod start;
mod watch;

use arbitrary::{Arbitrary, Unstructured};
use raft::{MemStorage, Message, RawNode, SnapshotStatus, StepError};

use host::Host;
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
    /// Snapshot and compaction, so many entries behind.
    Compact(u8),
    Restart,
    SetElectionTimeout(u8),
}

impl<'a> Arbitrary<'a> for Input {
    /// Reads from the front only, an action after the other, so that a prefix of an input is the beginning of the same
    /// run.
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let start = Start::arbitrary(u)?;
        let mut actions = Vec::new();
        while !u.is_empty() {
            actions.push(Action::arbitrary(u)?);
        }
        Ok(Self { start, actions })
    }
}

impl<'a> Arbitrary<'a> for Action {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(match u.arbitrary::<u8>()? % 32 {
            0 => Self::Wire(wire(u)?),
            1..=4 => Self::Tick,
            5..=8 => Self::Work(u.arbitrary()?),
            9..=12 => Self::Settle,
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
/// Where something does not hold that always must.
pub fn run(input: &Input) {
    let mut run = Run::new(&input.start);
    for action in &input.actions {
        run.watch.given(&run.node);
        run.act(action);
        run.watch.look(&run.node);
    }
    run.settle();
}

struct Run<'a> {
    start: &'a Start,
    node: RawNode<MemStorage>,
    host: Host,
    watch: Watch,
}

impl<'a> Run<'a> {
    /// More stages of work than any input gives reason for: beyond, the node makes work out of nothing.
    const MOST_WORK: usize = 100_000;

    fn new(start: &'a Start) -> Self {
        let node = start.node();
        Self { start, host: Host::new(&node), watch: Watch::new(&node), node }
    }

    fn act(&mut self, action: &Action) {
        let node = &mut self.node;
        match action {
            Action::Tick => node.tick(),
            Action::Work(which) => self.work(*which),
            Action::Settle => self.settle(),
            Action::Message(sketch) => self.step(sketch.message(&self.node)),
            Action::Wire(bytes) => {
                if let Ok(message) = Message::decode(bytes) {
                    self.step(message);
                }
            }
            Action::Campaign => node.campaign(),
            // It was dropped where it was not taken, which a client has to live with.
            Action::Propose(length) => drop(node.propose(vec![b'x'; usize::from(*length)].into())),
            Action::ProposeChange(change) => drop(node.propose_conf_change(&change.change())),
            Action::ReadIndex(context) => node.read_index(vec![*context].into()),
            Action::Transfer(target) => node.transfer_leadership(target.id()),
            Action::ForgetLeader => node.forget_leader(),
            Action::ReportUnreachable(peer) => node.report_unreachable(peer.id()),
            Action::ReportSnapshot(peer, true) => node.report_snapshot(peer.id(), SnapshotStatus::Finish),
            Action::ReportSnapshot(peer, false) => node.report_snapshot(peer.id(), SnapshotStatus::Failure),
            Action::Compact(kept) => self.host.compact(*kept, node),
            Action::Restart => self.node = self.host.restart(self.start.config(), &self.node, &mut self.watch),
            Action::SetElectionTimeout(ticks) => node.set_randomized_election_timeout(u32::from(*ticks)),
        }
    }

    /// What the node refuses leaves it as it was.
    fn step(&mut self, message: Message) {
        let before = self.node.clone();
        match self.node.step(message.clone()) {
            Ok(()) => {}
            Err(StepError::Malformed(_) | StepError::PeerNotFound(_)) => {
                let (before, after) = (format!("{before:?}"), format!("{:?}", self.node));
                assert_eq!(before, after, "{message:?} was refused and changed the node");
            }
            // It may have brought news of a higher term; but nothing was appended or sent.
            Err(StepError::Propose(_)) => {
                let last = |node: &RawNode<MemStorage>| node.basic_status().last;
                assert_eq!(last(&before), last(&self.node), "{message:?} was dropped and changed the log");
            }
        }
    }

    fn work(&mut self, which: u8) {
        self.host.work(which, &mut self.node, &mut self.watch);
    }

    fn settle(&mut self) {
        for turn in 0..Self::MOST_WORK {
            if !self.host.work((turn % 4) as u8, &mut self.node, &mut self.watch) {
                return;
            }
            self.watch.look(&self.node);
        }
        panic!("work does not end: {:?}", self.node.basic_status());
    }
}

#[cfg(test)]
mod tests;
