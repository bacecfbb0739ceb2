//! What the driver means to let happen: the words in which its parts plan.

use raft::NodeId;

use crate::plan::Time;
use crate::world::MessageId;

/// Something that the driver means to let happen. What event it becomes is decided when its time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Intent {
    /// The node's clock ticks.
    Tick(NodeId),
    /// The node's clock ticks, later than it should have: the node stood still.
    LateTick(NodeId),
    /// The node's host goes on.
    Host(NodeId, HostStep),
    /// The message arrives.
    Deliver(MessageId),
    /// The message is lost.
    Lose(MessageId),
    /// The message is doubled.
    Double(MessageId),
    /// The client asks for something.
    Client(u64),
    /// Somebody asks the node for so many entries, one after the other, that no client waits for.
    Flood(NodeId, u64),
    /// A fault of this kind is due.
    Fault(Fault),
    /// Something of this kind goes wrong with a disk.
    Disk(DiskTrouble),
    /// The node's disk becomes slow for this length of time.
    SlowDisk(NodeId, Time),
    /// The node's disk has room again.
    FreeDisk(NodeId),
    /// Something of this kind goes wrong with a clock.
    Clock(ClockTrouble),
    /// The node comes back.
    Restart(NodeId),
    /// The links that are cut work again.
    Heal,
    /// A fault burst ends: everything is healed.
    EndBurst,
    /// The next fault burst begins.
    BeginBurst,
    /// The membership changes.
    ChangeMembers,
    /// The node with the log of another cluster is added, or removed again.
    ChangeForeign,
    /// Links are clogged.
    Clog,
    /// The links between two nodes begin to flap.
    Flap,
    /// The links that flap change once.
    Toggle,
}

/// What a host does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum HostStep {
    TakeReady,
    Write,
    Sync,
    SyncDone,
    Release,
    Send,
    Apply,
    Advance,
    /// Takes a snapshot and forgets what it covers.
    Compact,
    /// Takes a snapshot only.
    Snapshot,
    Turn,
}

impl HostStep {
    /// Whether the disk decides how long it takes.
    pub(super) const fn is_on_disk(self) -> bool {
        match self {
            Self::Write | Self::SyncDone => true,
            Self::TakeReady
            | Self::Sync
            | Self::Release
            | Self::Send
            | Self::Apply
            | Self::Advance
            | Self::Compact
            | Self::Snapshot
            | Self::Turn => false,
        }
    }
}

/// What can go wrong, or be done out of turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    Crash,
    Partition,
    Transfer,
    Campaign,
    ForgetLeader,
    Report,
    NodeLoss,
}

impl Fault {
    pub(super) const ALL: [Self; 7] = [
        Self::Crash,
        Self::Partition,
        Self::Transfer,
        Self::Campaign,
        Self::ForgetLeader,
        Self::Report,
        Self::NodeLoss,
    ];
}

/// What can go wrong with a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DiskTrouble {
    FailSync,
    Fill,
    Slow,
    Damage,
    /// A disk is copied, or lost.
    Loss,
}

impl DiskTrouble {
    pub(super) const ALL: [Self; 5] = [Self::FailSync, Self::Fill, Self::Slow, Self::Damage, Self::Loss];
}

/// What can go wrong with a node's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ClockTrouble {
    /// The process stands still, as in a long collection, and then does at once what it has missed.
    Pause,
    /// The clock jumps ahead.
    Jump,
    /// The clock goes on at another rate.
    Drift,
}

impl ClockTrouble {
    pub(super) const ALL: [Self; 3] = [Self::Pause, Self::Jump, Self::Drift];
}
