//! Whom an event concerns.

use raft::NodeId;

use super::{Envelope, Event, MessageId};

/// The number of the message in flight of which an event speaks.
pub(crate) const fn message_of(event: &Event) -> Option<MessageId> {
    match event {
        Event::Deliver { message } | Event::Drop { message } | Event::Duplicate { message } => Some(*message),
        Event::Start { .. }
        | Event::Crash { .. }
        | Event::DiskFault { .. }
        | Event::Restart { .. }
        | Event::Tick { .. }
        | Event::Campaign { .. }
        | Event::Propose { .. }
        | Event::ProposeConfChange { .. }
        | Event::TransferLeadership { .. }
        | Event::ForgetLeader { .. }
        | Event::ReadIndex { .. }
        | Event::Invoke { .. }
        | Event::Retry { .. }
        | Event::BreakLeases
        | Event::SearchHistories
        | Event::ReportUnreachable { .. }
        | Event::ReportSnapshot { .. }
        | Event::SetElectionTimeout { .. }
        | Event::TakeReady { .. }
        | Event::Write { .. }
        | Event::Sync { .. }
        | Event::SyncDone { .. }
        | Event::Release { .. }
        | Event::Send { .. }
        | Event::Apply { .. }
        | Event::Advance { .. }
        | Event::TakeSnapshot { .. }
        | Event::Compact { .. }
        | Event::Cut { .. }
        | Event::HealLink { .. }
        | Event::ExpectSettled { .. }
        | Event::Calm { .. }
        | Event::Inject { .. }
        | Event::Take { .. } => None,
    }
}

/// The nodes of which an event speaks: one at which it happens, or the two ends of a way. `message` is that in flight of
/// which it speaks.
pub(crate) fn nodes_of(event: &Event, message: Option<&Envelope>) -> [Option<NodeId>; 2] {
    match event {
        Event::Start { node, .. }
        | Event::Crash { node, .. }
        | Event::DiskFault { node, .. }
        | Event::Restart { node, .. }
        | Event::Tick { node }
        | Event::Campaign { node }
        | Event::Propose { node, .. }
        | Event::ProposeConfChange { node, .. }
        | Event::TransferLeadership { node, .. }
        | Event::ForgetLeader { node }
        | Event::ReadIndex { node, .. }
        | Event::Invoke { node, .. }
        | Event::Retry { node, .. }
        | Event::ReportUnreachable { node, .. }
        | Event::ReportSnapshot { node, .. }
        | Event::SetElectionTimeout { node, .. }
        | Event::TakeReady { node }
        | Event::Write { node }
        | Event::Sync { node }
        | Event::SyncDone { node }
        | Event::Release { node }
        | Event::Send { node }
        | Event::Apply { node, .. }
        | Event::Advance { node }
        | Event::TakeSnapshot { node }
        | Event::Compact { node, .. }
        | Event::Take { node, .. } => [Some(*node), None],
        Event::Cut { from, to } | Event::HealLink { from, to } => [Some(*from), Some(*to)],
        Event::BreakLeases | Event::SearchHistories | Event::ExpectSettled { .. } | Event::Calm { .. } => [None, None],
        Event::Inject { message } => [Some(message.from), Some(message.to)],
        Event::Deliver { .. } | Event::Drop { .. } | Event::Duplicate { .. } => match message {
            Some(Envelope::Network(message)) => [Some(message.from), Some(message.to)],
            Some(Envelope::Local { node, .. }) => [Some(*node), None],
            None => [None, None],
        },
    }
}
