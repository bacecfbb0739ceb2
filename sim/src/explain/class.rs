//! Classes of events, by which tables and pages leave some out.

use crate::world::EventKind;

/// What kinds of events are about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// A clock ticks.
    Ticks,
    /// Somebody asks a node for something: a client, or an application without one.
    Requests,
    /// A client asks again.
    Retries,
    /// The host of a node does what a Ready asks for, or its loop takes an input.
    HostSteps,
    /// A message arrives.
    Messages,
    /// Something goes wrong, or stops going wrong.
    Faults,
    /// What operators and transports say, and what is expected of the cluster.
    Others,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 7] =
        [Self::Ticks, Self::Requests, Self::Retries, Self::HostSteps, Self::Messages, Self::Faults, Self::Others];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ticks => "ticks",
            Self::Requests => "requests",
            Self::Retries => "retries",
            Self::HostSteps => "host-steps",
            Self::Messages => "messages",
            Self::Faults => "faults",
            Self::Others => "others",
        }
    }

    /// The class of events of this kind.
    ///
    /// ```
    /// use sim::explain::Class;
    /// use sim::world::EventKind;
    /// assert_eq!(Class::of(EventKind::Crash), Class::Faults);
    /// ```
    pub const fn of(kind: EventKind) -> Self {
        match kind {
            EventKind::Tick => Self::Ticks,
            EventKind::Invoke | EventKind::Propose | EventKind::ReadIndex => Self::Requests,
            EventKind::Retry => Self::Retries,
            EventKind::TakeReady
            | EventKind::Write
            | EventKind::Sync
            | EventKind::SyncDone
            | EventKind::Release
            | EventKind::Send
            | EventKind::Apply
            | EventKind::Advance
            | EventKind::TakeSnapshot
            | EventKind::Compact
            | EventKind::Take => Self::HostSteps,
            EventKind::Deliver => Self::Messages,
            EventKind::Crash
            | EventKind::Restart
            | EventKind::Drop
            | EventKind::Duplicate
            | EventKind::Cut
            | EventKind::HealLink
            | EventKind::DiskFault
            | EventKind::BreakLeases
            | EventKind::Inject => Self::Faults,
            EventKind::Start
            | EventKind::Campaign
            | EventKind::ProposeConfChange
            | EventKind::TransferLeadership
            | EventKind::ForgetLeader
            | EventKind::SetElectionTimeout
            | EventKind::ReportUnreachable
            | EventKind::ReportSnapshot
            | EventKind::SearchHistories
            | EventKind::ExpectSettled
            | EventKind::ExpectLiveness => Self::Others,
        }
    }
}
