//! The pieces that are taken out together: positions of steps that belong to one node, one message, one fault …

use std::collections::BTreeMap;
use std::sync::Arc;

use raft::NodeId;

use super::step::Step;
use crate::world::{Envelope, Event, EventKind};

/// How the steps are divided into pieces, each of which has ascending positions.
pub(super) type Grouping = fn(&[Arc<Step>]) -> Vec<Vec<usize>>;

/// For each node, all that happens at it, and all messages from and to it.
pub(super) fn nodes(steps: &[Arc<Step>]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (position, step) in steps.iter().enumerate() {
        for node in touched(step).into_iter().flatten() {
            let group = groups.entry(node).or_default();
            if group.last() != Some(&position) {
                group.push(position);
            }
        }
    }
    groups.into_values().collect()
}

/// Each fault and each thing that clients and operators ask for, alone.
pub(super) fn operations(steps: &[Arc<Step>]) -> Vec<Vec<usize>> {
    let positions = steps.iter().enumerate().filter(|(_, step)| is_operation(step.event.kind()));
    positions.map(|(position, _)| vec![position]).collect()
}

/// Each event alone, so that pieces are stretches of time.
pub(super) fn events(steps: &[Arc<Step>]) -> Vec<Vec<usize>> {
    (0..steps.len()).map(|position| vec![position]).collect()
}

/// For each message, all that happens to it.
pub(super) fn messages(steps: &[Arc<Step>]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (position, step) in steps.iter().enumerate() {
        if let Some(id) = step.event.message() {
            groups.entry(id.0).or_default().push(position);
        }
    }
    groups.into_values().collect()
}

/// For each node the events between two of its Readys.
pub(super) fn readys(steps: &[Arc<Step>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut current: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (position, step) in steps.iter().enumerate() {
        let [Some(node), None] = touched(step) else { continue };
        let kind = step.event.kind();
        if kind == EventKind::TakeReady || !current.contains_key(&node) {
            current.insert(node, groups.len());
            groups.push(Vec::new());
        }
        groups[current[&node]].push(position);
    }
    groups
}

/// For each node its ticks, alone, those of one node after those of another.
pub(super) fn ticks(steps: &[Arc<Step>]) -> Vec<Vec<usize>> {
    let mut of_nodes: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (position, step) in steps.iter().enumerate() {
        if let Event::Tick { node } = step.event {
            of_nodes.entry(node).or_default().push(position);
        }
    }
    of_nodes.into_values().flatten().map(|position| vec![position]).collect()
}

fn is_operation(kind: EventKind) -> bool {
    match kind {
        EventKind::Crash
        | EventKind::Restart
        | EventKind::DiskFault
        | EventKind::Campaign
        | EventKind::Propose
        | EventKind::ProposeConfChange
        | EventKind::TransferLeadership
        | EventKind::ForgetLeader
        | EventKind::ReadIndex
        | EventKind::Invoke
        | EventKind::Retry
        | EventKind::BreakLeases
        | EventKind::SearchHistories
        | EventKind::ReportUnreachable
        | EventKind::ReportSnapshot
        | EventKind::SetElectionTimeout
        | EventKind::TakeSnapshot
        | EventKind::Compact
        | EventKind::Drop
        | EventKind::Duplicate
        | EventKind::Cut
        | EventKind::HealLink
        | EventKind::Inject => true,
        EventKind::Start
        | EventKind::Tick
        | EventKind::TakeReady
        | EventKind::Write
        | EventKind::Sync
        | EventKind::SyncDone
        | EventKind::Release
        | EventKind::Send
        | EventKind::Apply
        | EventKind::Advance
        | EventKind::Deliver
        | EventKind::ExpectSettled
        | EventKind::ExpectLiveness
        | EventKind::Take => false,
    }
}

/// The nodes of which a step speaks.
pub(super) fn touched(step: &Step) -> [Option<NodeId>; 2] {
    step.message.as_deref().map_or(step.event.nodes(), Envelope::ends)
}
