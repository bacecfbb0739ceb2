//! Events and messages in a few words, for people: one line each, however much they carry, so that a page can hold thousands.
//! A kind of message bears etcd's name, here as everywhere. What it says is cut short; `Display` of the raft crate gives all of
//! it, in etcd's form, and that is what scenarios print.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::Bytes;
use raft::node::{Arm, RunLoop};
use raft::{Body, ChangeKind, ConfChange, ConfState, Entry, EntryKind, HardState, Message, NodeId, Transition};

use crate::disk::{DiskFault, Keep};
use crate::wal::Write;
use crate::world::{Boot, Envelope, Event, LocalMessage, MessageId, Replica, World};

/// What an event says, in the world in which it is about to happen.
pub fn event(event: &Event, world: &World) -> String {
    match event {
        Event::Start { node, boot, .. } => format!("{node} starts, {}", self::boot(boot)),
        Event::Crash { node, keep } => format!("{node} crashes, {}", self::keep(*keep)),
        Event::Restart { node, .. } => format!("{node} restarts"),
        Event::DiskFault { node, fault } => format!("{node}'s disk: {}", self::disk_fault(*fault)),
        Event::Tick { node } => format!("{node} ticks"),
        Event::Campaign { node } => format!("{node} campaigns"),
        Event::Propose { node, data } => format!("{node} is asked for {}", self::data(data)),
        Event::ProposeConfChange { node, change } => format!("{node} is asked for {}", self::change(change)),
        Event::TransferLeadership { node, target } => format!("{node} shall hand over to {target}"),
        Event::ForgetLeader { node } => format!("{node} forgets its leader"),
        Event::ReadIndex { node, context } => format!("{node} is asked for read {}", self::data(context)),
        Event::Invoke { client, node, operation } => format!("client {client} asks {node}: {operation}"),
        Event::Retry { client, node } => format!("client {client} asks {node} again"),
        Event::BreakLeases => "leases need not hold from here on".to_owned(),
        Event::SearchHistories => "the answers to the clients are searched for an order".to_owned(),
        Event::ReportUnreachable { node, peer } => format!("{node} hears that {peer} is out of reach"),
        Event::ReportSnapshot { node, peer, status } => format!("{node} hears: snapshot to {peer} {status:?}"),
        Event::SetElectionTimeout { node, ticks } => format!("{node} waits {ticks} ticks for a leader"),
        Event::TakeReady { node } => format!("{node} takes a Ready"),
        Event::Write { node } => format!("{node} writes {}", writes(*node, world)),
        Event::Sync { node } => format!("{node} begins an fsync"),
        Event::SyncDone { node } => format!("{node} has synced"),
        Event::Release { node } => format!("{node} completes an append"),
        Event::Send { node } => format!("{node} sends"),
        Event::Apply { node, .. } => format!("{node} applies"),
        Event::Advance { node } => format!("{node} advances"),
        Event::TakeSnapshot { node } => format!("{node} takes a snapshot"),
        Event::Compact { node, index } => format!("{node} compacts up to {index}"),
        Event::Deliver { message } => in_flight(*message, world),
        Event::Drop { message } => format!("lost: {}", in_flight(*message, world)),
        Event::Duplicate { message } => format!("doubled: {}", in_flight(*message, world)),
        Event::Cut { from, to } => format!("{from}→{to} is cut"),
        Event::HealLink { from, to } => format!("{from}→{to} is healed"),
        Event::ExpectSettled { .. } => "the cluster has to have converged".to_owned(),
        Event::ExpectLiveness { core: None } => "faults end: the cluster has to converge".to_owned(),
        Event::ExpectLiveness { core: Some(core) } => format!("faults end for {}, who have to converge", nodes(core)),
        Event::Take { node, arm } => format!("{node}'s loop {}", takes(*node, *arm, world)),
        Event::Inject { message } => format!("forged: {}", self::message(message)),
    }
}

fn takes(node: NodeId, arm: Arm, world: &World) -> String {
    let what = match arm {
        Arm::Message => {
            let run_loop = world.replica(node).and_then(Replica::run_loop);
            let message = run_loop.and_then(RunLoop::next_message);
            return format!("takes {}", message.map_or_else(|| "a request".to_owned(), self::message));
        }
        Arm::Proposal => "takes a proposal",
        Arm::MembershipChange => "takes an applied change",
        Arm::Tick => "takes a tick",
        Arm::Ready => "hands out a Ready",
        Arm::Advance => "takes a Ready back",
        Arm::Status => "tells its status",
        Arm::Stop => "stops",
    };
    what.to_owned()
}

fn writes(node: NodeId, world: &World) -> String {
    match world.replica(node).and_then(Replica::next_write) {
        None => "nothing".to_owned(),
        Some(Write::Segment) => "the beginning of a segment".to_owned(),
        Some(Write::Snapshot { snapshot, base }) if snapshot.id == base => format!("the snapshot at {base}"),
        Some(Write::Snapshot { snapshot, base }) => format!("the snapshot at {}, for a log after {base}", snapshot.id),
        Some(Write::Entry(entry)) => self::entry(entry),
        Some(Write::HardState(HardState { term, vote: Some(vote), commit })) => {
            format!("term {term}, vote for {vote}, commit {commit}")
        }
        Some(Write::HardState(HardState { term, vote: None, commit })) => {
            format!("term {term}, no vote, commit {commit}")
        }
    }
}

fn disk_fault(fault: DiskFault) -> String {
    match fault {
        DiskFault::FailSync => "the next fsync fails".to_owned(),
        DiskFault::ForgetSync => "the next fsync fails, and what it forgets still reads".to_owned(),
        DiskFault::Fill { room } => format!("room for {room} more bytes"),
        DiskFault::Free => "there is room again".to_owned(),
        DiskFault::FlipBit { file, bit } => format!("bit {bit} of segment {file} flips"),
        DiskFault::MisplaceBlock { file, from, to } => format!("block {from} of segment {file} is written over {to}"),
        DiskFault::BackUp => "a copy is put aside".to_owned(),
        DiskFault::Lose => "it is lost, and an empty one takes its place".to_owned(),
        DiskFault::PutBack => "it is lost, and the copy takes its place".to_owned(),
    }
}

fn in_flight(id: MessageId, world: &World) -> String {
    world.network().get(id).map_or_else(|| format!("message {}, not in flight", id.0), envelope)
}

/// What is on its way, with its sender and its receiver.
pub fn envelope(envelope: &Envelope) -> String {
    match envelope {
        Envelope::Network(message) => self::message(message),
        Envelope::Local { node, message: LocalMessage::Own(message) } => format!("{node}→{node} {}", says(message)),
        Envelope::Local { node, message: LocalMessage::Appended(appended) } => match appended.last {
            Some(last) => format!("{node}→{node} stored up to {last}"),
            None => format!("{node}→{node} stored"),
        },
        Envelope::Local { node, message: LocalMessage::Applied(applied) } => match applied.entries.last() {
            Some(last) => format!("{node}→{node} applied up to {}", last.index),
            None => format!("{node}→{node} applied"),
        },
    }
}

/// A message, with its sender and its receiver.
pub fn message(message: &Message) -> String {
    format!("{}→{} {}", message.from, message.to, says(message))
}

/// Lists every body for its fields: a new one does not compile before it is said here what is shown of it.
fn says(message: &Message) -> String {
    let mut text = message.body.name().to_string();
    if let Some(term) = message.term {
        write!(text, " t{term}").expect("text grows");
    }
    let more = match &message.body {
        Body::Propose { entries } => self::entries(entries),
        Body::Append { previous, entries, commit } if entries.is_empty() => format!("after {previous} commit {commit}"),
        Body::Append { previous, entries, commit } => {
            format!("after {previous}: {} commit {commit}", self::entries(entries))
        }
        Body::AppendAccepted { index } => format!("up to {index}"),
        Body::AppendRejected { index, hint } => format!("rejected at {index}, hint {hint}"),
        Body::Heartbeat { commit, .. } => format!("commit {commit}"),
        Body::RequestPreVote { last } => format!("log to {last}"),
        Body::RequestVote { last, transfer } => {
            format!("log to {last}{}", if *transfer { ", handed over" } else { "" })
        }
        Body::PreVoteResponse { granted } | Body::VoteResponse { granted } => {
            if *granted { "granted" } else { "refused" }.to_string()
        }
        Body::InstallSnapshot { snapshot } => format!("at {}", snapshot.id),
        Body::ReadIndex { context } => data(context),
        Body::ReadIndexResponse { index, context } => format!("{} at {index}", data(context)),
        Body::HeartbeatResponse { .. } | Body::TransferLeader | Body::TimeoutNow => String::new(),
    };
    if !more.is_empty() {
        write!(text, " {more}").expect("text grows");
    }
    text
}

fn entries(entries: &[Entry]) -> String {
    match entries {
        [] => "nothing".to_string(),
        [one] => entry(one),
        [first, .., last] => format!("{} to {}", first.id(), last.id()),
    }
}

/// An entry: its identity and its data.
pub fn entry(entry: &Entry) -> String {
    match payload(entry) {
        payload if payload.is_empty() => entry.id().to_string(),
        payload => format!("{} {payload}", entry.id()),
    }
}

/// What an entry holds.
pub fn payload(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Normal if entry.data.is_empty() => String::new(),
        EntryKind::Normal => data(&entry.data),
        EntryKind::RefusedConfChange => "refused change".to_string(),
        EntryKind::ConfChange | EntryKind::ConfChangeV2 => match entry.conf_change() {
            Ok(Some(conf_change)) => change(&conf_change),
            Ok(None) | Err(_) => "a change of membership".to_string(),
        },
    }
}

fn data(data: &Bytes) -> String {
    const LONGEST: usize = 24;
    let text = String::from_utf8_lossy(data);
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_default).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

fn change(change: &ConfChange) -> String {
    let change = change.as_v2();
    let step = |step: &raft::Change| {
        let verb = match step.kind {
            ChangeKind::AddVoter => "voter",
            ChangeKind::Remove => "without",
            ChangeKind::Update => "update",
            ChangeKind::AddLearner => "learner",
        };
        step.node.map_or_else(|| format!("{verb} nobody"), |node| format!("{verb} {node}"))
    };
    let steps = change.changes.iter().map(step).collect::<Vec<_>>().join(", ");
    match (change.transition, steps.is_empty()) {
        (Transition::Auto, true) => "leaving joint".to_string(),
        (Transition::Auto, false) => steps,
        (Transition::Implicit, _) => format!("joint: {steps}"),
        (Transition::Explicit, _) => format!("joint until asked: {steps}"),
    }
}

fn boot(boot: &Boot) -> String {
    match boot {
        Boot::Empty => "knowing nobody".to_string(),
        Boot::Peers(peers) => format!("one of {}", peers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
        Boot::Snapshot { index, conf_state } => format!("at {index}, {}", members(conf_state)),
        Boot::Foreign { index, conf_state, term, entries, commit } => format!(
            "with the log of another cluster: at {index}, {}, then {entries} entries of term {term}, committed up to {commit}",
            members(conf_state)
        ),
    }
}

/// A membership.
pub fn members(state: &ConfState) -> String {
    let mut text = format!("voters {}", nodes(&state.voters));
    let others = [("outgoing", &state.voters_outgoing), ("learners", &state.learners), ("next", &state.learners_next)];
    for (name, members) in others.into_iter().filter(|(_, members)| !members.is_empty()) {
        write!(text, ", {name} {}", nodes(members)).expect("text grows");
    }
    text
}

fn nodes(nodes: &BTreeSet<NodeId>) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn keep(keep: Keep) -> String {
    match keep {
        Keep::All => "losing nothing written".to_string(),
        Keep::Nothing => "losing what is not synced".to_string(),
        Keep::Prefix { bytes } => format!("keeping {bytes} bytes that are not synced"),
        Keep::Subset { .. } => "keeping some blocks that are not synced".to_string(),
        Keep::Torn { block, bytes, .. } => format!("tearing block {block} after {bytes} bytes"),
    }
}
