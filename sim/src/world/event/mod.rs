//! Everything that can happen to a [`World`](super::World), as plain data: what a trace records, a driver chooses and
//! the shrinker removes.

mod kind;
mod subject;

use std::collections::BTreeSet;

use bytes::Bytes;
use raft::node::Arm;
use raft::{ConfChange, Index, Message, NodeId, SnapshotStatus};
use serde::{Deserialize, Serialize};

pub use self::kind::EventKind;
pub use self::subject::Subject;
use super::options::{Boot, NodeOptions};
use crate::disk::{DiskFault, Keep};
use crate::history::Operation;

/// The number of a message in flight, counted from 0 in the order in which messages were sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(#[serde(with = "crate::number")] pub u64);

/// One thing that happens, at one node or in the network.
///
/// Handling a Ready is several events, so that anything can fall between any two of them. With synchronous storage
/// writes they are, for one Ready: [`TakeReady`](Self::TakeReady), a [`Write`](Self::Write) for each record,
/// [`Sync`](Self::Sync) and [`SyncDone`](Self::SyncDone) where the Ready asks for it, then
/// [`Send`](Self::Send) and [`Apply`](Self::Apply) in either order, then [`Advance`](Self::Advance). With asynchronous
/// ones `TakeReady` and `Send` are free, the append thread does `Write`, `Sync`, `SyncDone`,
/// [`Release`](Self::Release), and the apply thread does `Apply`.
///
/// A node that a [loop](super::Front::Loop) runs only queues what it is told, a `TakeReady` included, which then asks
/// for a Ready. It acts on an input at the [`Take`](Self::Take) that takes it out of the queue.
///
/// As JSON, an event is one object with the kind as its only key:
/// ```
/// use sim::world::{Event, MessageId};
/// let event = Event::Deliver { message: MessageId(17) };
/// assert_eq!(serde_json::to_string(&event)?, r#"{"Deliver":{"message":17}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A node that did not exist starts for the first time.
    Start {
        /// Its identity, at most [`World::MAX_NODES`](super::World::MAX_NODES).
        node: NodeId,
        /// What it starts from.
        boot: Boot,
        /// Its options.
        options: NodeOptions,
        /// Seeds its election timeouts; `None` fixes them at the election tick.
        #[serde(default, with = "crate::number::perhaps")]
        seed: Option<u64>,
    },
    /// A node stops and loses its memory, its storage queues and the local messages on their way to it.
    Crash {
        /// The node.
        node: NodeId,
        /// What survives of the bytes that were written and not synced.
        keep: Keep,
    },
    /// A node that is down recovers from its disk.
    Restart {
        /// The node.
        node: NodeId,
        /// Its options from now on; `None` keeps those that it had.
        options: Option<NodeOptions>,
        /// As in [`Start`](Self::Start).
        #[serde(default, with = "crate::number::perhaps")]
        seed: Option<u64>,
    },
    /// A tick of the node's clock.
    Tick {
        /// The node.
        node: NodeId,
    },
    /// The node campaigns at once.
    Campaign {
        /// The node.
        node: NodeId,
    },
    /// The application proposes data.
    Propose {
        /// The node.
        node: NodeId,
        /// The data.
        #[serde(with = "crate::text")]
        data: Bytes,
    },
    /// The application proposes a membership change.
    ProposeConfChange {
        /// The node.
        node: NodeId,
        /// The change.
        change: ConfChange,
    },
    /// The application asks for leadership to be handed over.
    TransferLeadership {
        /// The node that is asked.
        node: NodeId,
        /// The node that is to lead.
        target: NodeId,
    },
    /// The node forgets who leads.
    ForgetLeader {
        /// The node.
        node: NodeId,
    },
    /// The application asks for a linearizable read.
    ReadIndex {
        /// The node.
        node: NodeId,
        /// Comes back with the answer; never used twice.
        #[serde(with = "crate::text")]
        context: Bytes,
    },
    /// A client begins an operation at a node. It gives up the operation for which it has waited until now, whose
    /// outcome stays unknown.
    Invoke {
        /// Which client, below [`Command::CLIENTS`](crate::history::Command::CLIENTS). Commands of the same client must not be
        /// [proposed](Self::Propose) as data too, since those have numbers of their own.
        #[serde(with = "crate::number")]
        client: u64,
        /// The node.
        node: NodeId,
        /// What it asks.
        operation: Operation,
    },
    /// A client sends what it waits for again, as the same operation: it takes effect once.
    Retry {
        /// The client.
        #[serde(with = "crate::number")]
        client: u64,
        /// The node.
        node: NodeId,
    },
    /// From now on something happens on purpose that breaks leases, so that reads served by a lease may be stale:
    /// clocks run at different rates, or a leader is deposed while its lease lasts.
    BreakLeases,
    /// Searches, for each key, for an order of the clients' newest operations that explains their answers. The world
    /// does so now and then by itself; this event is for the end of a run. See [`history`](crate::history).
    SearchHistories,
    /// The transport tells a node that it could not reach a peer.
    ReportUnreachable {
        /// The node that is told.
        node: NodeId,
        /// The peer that was not reached.
        peer: NodeId,
    },
    /// The transport tells a node how a snapshot that it sent ended.
    ReportSnapshot {
        /// The node that is told.
        node: NodeId,
        /// The peer to which the snapshot went.
        peer: NodeId,
        /// How it ended.
        status: SnapshotStatus,
    },
    /// Sets the current randomized election timeout, until the next change of role or term.
    SetElectionTimeout {
        /// The node.
        node: NodeId,
        /// In ticks.
        ticks: u32,
    },
    /// The host takes a Ready. With asynchronous storage writes, its storage work joins the queues of the two threads.
    TakeReady {
        /// The node.
        node: NodeId,
    },
    /// The next record that is to be persisted is written to the log's file. It can still be lost.
    Write {
        /// The node.
        node: NodeId,
    },
    /// An fsync begins, which covers what was written before.
    Sync {
        /// Of which node's log.
        node: NodeId,
    },
    /// The oldest fsync that is under way completes.
    SyncDone {
        /// Of which node's log.
        node: NodeId,
    },
    /// The append thread completes the oldest append, which is as durable as it asked to be, and sends its responses.
    Release {
        /// The node.
        node: NodeId,
    },
    /// The messages of the Readys taken so far go out.
    Send {
        /// The node.
        node: NodeId,
    },
    /// The application is restored from a snapshot, or applies the next committed entries.
    Apply {
        /// The node.
        node: NodeId,
        /// The most entries to apply; at least one is applied.
        entries: u32,
    },
    /// The Ready that was handled is handed back; only with synchronous storage writes.
    Advance {
        /// The node.
        node: NodeId,
    },
    /// The application takes a snapshot of its state, which the storage hands out from then on. It is in memory, until
    /// a [`Compact`](Self::Compact) puts it on disk.
    TakeSnapshot {
        /// The node whose application it is.
        node: NodeId,
    },
    /// The log is compacted: the newest snapshot and what follows `index` go to a new file, with
    /// [`Write`](Self::Write)s and a [`Sync`](Self::Sync) as ever. Once that is durable, the log forgets the rest.
    Compact {
        /// The node whose log it is.
        node: NodeId,
        /// The last index to forget, covered by the newest snapshot.
        index: Index,
    },
    /// A message in flight arrives. Where the link is cut or the receiver is down, it is lost.
    Deliver {
        /// The message.
        message: MessageId,
    },
    /// A message in flight is lost. Local ones cannot be.
    Drop {
        /// The message.
        message: MessageId,
    },
    /// A message in flight is doubled; the copy is in flight too. Local ones cannot be.
    Duplicate {
        /// The message.
        message: MessageId,
    },
    /// The link in this direction loses everything from now on.
    Cut {
        /// The sending end.
        from: NodeId,
        /// The receiving end.
        to: NodeId,
    },
    /// The link in this direction works again.
    HealLink {
        /// The sending end.
        from: NodeId,
        /// The receiving end.
        to: NodeId,
    },
    /// Faults are over for long enough: the nodes that are up must have converged. Changes nothing.
    ExpectSettled {
        /// The index of a write that a leader took after the faults, which must be committed; none if no leader took
        /// one, which is a violation.
        written: Option<Index>,
        /// How many reads must have been answered since the world began.
        #[serde(with = "crate::number")]
        reads: u64,
    },
    /// A message that no node sent is put in flight. No check asks whether its sender was entitled to it.
    Inject {
        /// The message.
        message: Message,
    },
    /// The [loop](super::Front::Loop) of a node takes its next input, or hands out a Ready. It does not fit where
    /// another input comes first.
    Take {
        /// The node.
        node: NodeId,
        /// What the loop takes.
        arm: Arm,
    },
    /// Something goes wrong with a node's disk, or stops going wrong. A node that notices stops, and does not try
    /// again: only a recovery tells what is on the disk.
    DiskFault {
        /// The node.
        node: NodeId,
        /// The fault.
        fault: DiskFault,
    },
    /// Faults are over from here on, and the cluster must converge: links work, nodes come back, operators look after
    /// it, hosts work, messages arrive in order, clocks tick, until it has converged and works, or has stalled for many
    /// election timeouts, which is a violation. What happens on the way is decided by the state alone, and happens to a
    /// copy. It does not fit where no quorum is left.
    ///
    /// The world takes note of it and stays as it is. It takes a driver to find out whether the cluster converges, so
    /// whoever plays events [asks that driver first](crate::driver::apply). See [`liveness`](crate::driver::liveness).
    #[serde(alias = "Calm")]
    ExpectLiveness {
        /// The nodes for which faults are over, if not all: a quorum, of a membership that is not changing. The others
        /// stay as they are.
        core: Option<BTreeSet<NodeId>>,
    },
}

impl Event {
    /// Whether the host gets a Ready with this event.
    pub const fn hands_out_ready(&self, is_loop: bool) -> bool {
        match self {
            Self::TakeReady { .. } => !is_loop,
            other => matches!(other, Self::Take { arm: Arm::Ready, .. }),
        }
    }
}
