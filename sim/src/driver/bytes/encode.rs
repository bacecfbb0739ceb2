//! The way back: bytes that lead a fuzzer to where a recorded run went.

use raft::{Change, ChangeKind, ConfChange, NodeId, SnapshotStatus, Transition};

use super::choices::{arms, kind_byte};
use super::setup::{front_bits, option_bits};
use crate::disk::Keep;
use crate::history::Operation;
use crate::world::{Boot, Event, MessageId, Subject, World};

/// Bytes for these events. What bytes cannot say is approximated: a cluster of more than seven nodes becomes one of
/// seven, the data of commands becomes other data of about the same length, and forged messages and later starts are
/// left out.
pub fn encode(events: &[Event]) -> Vec<u8> {
    let mut bytes = cluster(events);
    let mut world = World::new();
    for event in events {
        if let Some(byte) = kind_byte(event.kind()) {
            bytes.push(byte);
            arguments(event, &world, &mut bytes);
        }
        // A recorded violation is the end of the run.
        if world.apply(event).is_err() {
            break;
        }
    }
    bytes
}

fn cluster(events: &[Event]) -> Vec<u8> {
    let (mut members, mut joining, mut options, mut snapshot, mut front) = (0u8, 0u8, 0, 0, 0);
    for event in events {
        let Event::Start { boot, options: its_options, .. } = event else { continue };
        match boot {
            // Bytes have no word for a foreign log: it could be made a voter.
            Boot::Empty | Boot::Foreign { .. } => joining = joining.saturating_add(1),
            Boot::Peers(_) => members = members.saturating_add(1),
            Boot::Snapshot { .. } => (members, snapshot) = (members.saturating_add(1), 1),
        }
        options = option_bits(its_options);
        front = front_bits(its_options);
    }
    vec![members.clamp(1, 5) - 1, joining.min(2), options, 0, snapshot | front]
}

/// What the event speaks of, and then what else it says.
fn arguments(event: &Event, world: &World, out: &mut Vec<u8>) {
    match event.subject() {
        Subject::Node(node) => out.push(name(*node)),
        Subject::NodeAndPeer(one, other) | Subject::Link(one, other) => out.extend([name(*one), name(*other)]),
        Subject::Message(message) => out.push(position(*message, world)),
        Subject::Cluster => {}
    }
    match event {
        Event::Invoke { client, operation, .. } => {
            let what = match operation {
                Operation::Write { .. } => 0,
                Operation::Read { .. } => 1,
                Operation::CompareAndSet { .. } => 2,
                // The bytes have no words for what a user's application is asked.
                Operation::Request { .. } | Operation::Query { .. } => 1,
            };
            out.push((client & 3) as u8 | what << 2 | ((operation.key().unwrap_or_default() & 3) as u8) << 4);
        }
        Event::Retry { client, .. } => out.push((client & 3) as u8),
        Event::Propose { data, .. } => {
            let length = data.len().saturating_sub("c1.1 k1=".len()).min(63);
            out.push((length * 4) as u8);
        }
        Event::Crash { keep, .. } => keep_bytes(*keep, out),
        Event::Restart { seed, .. } => out.push(seed.unwrap_or(0) as u8),
        Event::Apply { entries, .. } => out.push((*entries).min(255) as u8),
        Event::ProposeConfChange { change, .. } => change_bytes(change, out),
        Event::ReportSnapshot { status, .. } => out.push(u8::from(*status == SnapshotStatus::Failure)),
        Event::SetElectionTimeout { ticks, .. } => out.push((*ticks).min(255) as u8),
        Event::Compact { .. } => out.push(0),
        Event::Take { node, arm } => {
            let position = arms(*node, world).iter().position(|other| other == arm);
            out.push(position.unwrap_or(0) as u8);
        }
        // Their kind and their subject say everything, or no byte can say them.
        _ => {}
    }
}

fn name(node: NodeId) -> u8 {
    ((node.get() - 1) % 256) as u8
}

fn position(message: MessageId, world: &World) -> u8 {
    let position = world.network().iter().position(|(id, _)| id == message);
    position.unwrap_or(0).min(255) as u8
}

fn keep_bytes(keep: Keep, out: &mut Vec<u8>) {
    // From 128 on, a form means the same, but with zeros; 130 is the smallest multiple of the five forms above that.
    let form = |form: u8, zeros: bool| if zeros { 130 + form } else { form };
    match keep {
        Keep::All => out.push(0),
        Keep::Nothing => out.push(1),
        Keep::Prefix { bytes } => out.extend([2, (bytes / 8).min(255) as u8]),
        Keep::Subset { blocks, zeros } => out.extend([form(3, zeros), (blocks % 256) as u8]),
        Keep::Torn { block, bytes, zeros } => {
            out.extend([form(4, zeros), (block % 4) as u8, (bytes / 2).min(255) as u8])
        }
    }
}

fn change_bytes(change: &ConfChange, out: &mut Vec<u8>) {
    let steps = match change {
        ConfChange::V1(change) => {
            out.push(1);
            std::slice::from_ref(&change.change)
        }
        ConfChange::V2(change) => {
            let steps = &change.changes[..change.changes.len().min(3)];
            let transition = match change.transition {
                Transition::Auto => 0,
                Transition::Implicit => 1,
                Transition::Explicit => 2,
            };
            out.push(transition << 1 | (steps.len() as u8) << 3);
            steps
        }
    };
    steps.iter().for_each(|step| step_bytes(step, out));
}

fn step_bytes(step: &Change, out: &mut Vec<u8>) {
    let kind = match step.kind {
        ChangeKind::AddVoter => 0,
        ChangeKind::Remove => 1,
        ChangeKind::AddLearner => 2,
        ChangeKind::Update => 3,
    };
    out.extend([kind, step.node.map_or(0, name)]);
}
