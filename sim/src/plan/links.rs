//! What goes wrong with links and messages in a fault burst, beyond what the network does to every message.

use raft::Body;
use serde::{Deserialize, Serialize};

use super::{TICK, Time};
use crate::random::{Concern, Stream};

/// What goes wrong with links and messages in a fault burst. A field that is `None`, empty or zero means never.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LinkPlan {
    /// The mean time between two clogs. What is sent on a clogged link arrives when the clog is over.
    pub clog: Option<Time>,
    /// The mean time between two times that the links between two nodes flap: cut, healed, cut, and so on.
    pub flap: Option<Time>,
    /// How long a clog lasts, and how long a link flaps, on average.
    pub length: Time,
    /// How many messages a link holds; what does not fit is lost.
    pub queue: Option<u64>,
    /// Kinds of messages that are lost more often than others.
    pub lossy_kinds: Vec<MessageKind>,
    /// How many of a thousand of those are lost.
    pub kind_loss: u64,
    /// How many of a thousand snapshots are lost.
    pub snapshot_loss: u64,
    /// How much longer a snapshot takes, at most.
    pub snapshot_crawl: Time,
}

/// What kind of message is lost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the bodies of that name")]
pub enum MessageKind {
    Proposal,
    Append,
    AppendAnswer,
    Heartbeat,
    HeartbeatAnswer,
    Vote,
    VoteAnswer,
    Read,
    Transfer,
    Snapshot,
}

impl MessageKind {
    /// The kinds that a plan draws from. Snapshots are left out: they have a loss of their own.
    const DRAWN: [Self; 9] = [
        Self::Proposal,
        Self::Append,
        Self::AppendAnswer,
        Self::Heartbeat,
        Self::HeartbeatAnswer,
        Self::Vote,
        Self::VoteAnswer,
        Self::Read,
        Self::Transfer,
    ];

    /// The kind of a message with this body. This is finer than [`Purpose`](raft::Purpose), since a network that loses
    /// all of a leader's messages shows less than one that loses heartbeats only.
    pub const fn of(body: &Body) -> Self {
        match body {
            Body::Propose { .. } => Self::Proposal,
            Body::Append { .. } => Self::Append,
            Body::AppendAccepted { .. } | Body::AppendRejected { .. } => Self::AppendAnswer,
            Body::Heartbeat { .. } => Self::Heartbeat,
            Body::HeartbeatResponse { .. } => Self::HeartbeatAnswer,
            Body::RequestPreVote { .. } | Body::RequestVote { .. } => Self::Vote,
            Body::PreVoteResponse { .. } | Body::VoteResponse { .. } => Self::VoteAnswer,
            Body::ReadIndex { .. } | Body::ReadIndexResponse { .. } => Self::Read,
            Body::TransferLeader | Body::TimeoutNow => Self::Transfer,
            Body::InstallSnapshot { .. } => Self::Snapshot,
        }
    }
}

impl LinkPlan {
    /// How many of a thousand messages of this kind are lost because they are of this kind.
    pub fn loss_of(&self, kind: MessageKind) -> u64 {
        match kind {
            MessageKind::Snapshot => self.snapshot_loss,
            kind if self.lossy_kinds.contains(&kind) => self.kind_loss,
            _ => 0,
        }
    }

    /// The plan of this seed.
    pub(super) fn draw(seed: u64) -> Self {
        let mut stream = Stream::new(seed, Concern::LinkPlan);
        let mut happens = |per_mille| stream.chance(per_mille);
        let [clogs, flaps, is_bounded, is_choosy, fails, crawls] =
            [happens(250), happens(200), happens(200), happens(250), happens(250), happens(250)];
        let [clog, flap] = [(); 2].map(|()| stream.magnitude(8 * TICK, 200 * TICK));
        let length = stream.magnitude(2 * TICK, 40 * TICK);
        let queue = *stream.pick(&[1, 2, 4, 16]);
        let count = if is_choosy { stream.between(1, 3) } else { 0 };
        let lossy_kinds = (0..count).map(|_| *stream.pick(&MessageKind::DRAWN)).collect();
        Self {
            clog: clogs.then_some(clog),
            flap: flaps.then_some(flap),
            length,
            queue: is_bounded.then_some(queue),
            lossy_kinds,
            kind_loss: if is_choosy { stream.between(100, 900) } else { 0 },
            snapshot_loss: if fails { stream.between(50, 700) } else { 0 },
            snapshot_crawl: if crawls { stream.magnitude(5 * TICK, 100 * TICK) } else { 0 },
        }
    }
}
