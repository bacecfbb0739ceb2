//! From a recorded run to an input in which a node is given what it was given in the run.

use std::collections::BTreeSet;

use raft::{Message, NodeId};

use super::Start;
use crate::harness::seed::{Seed, name};
use crate::world::{Boot, Envelope, Event, World};

/// The choice bytes, as the reader of actions has them.
const WIRE: u8 = 0;
const TICK: u8 = 1;
const SETTLE: u8 = 9;
const CAMPAIGN: u8 = 21;
const PROPOSE: u8 = 22;

/// An input in which node 1 is given the messages and ticks that node `of` is given in these events, and does its work
/// when that one takes a Ready. `turn` comes after each. No longer than `at_most` bytes.
pub(in crate::harness) fn seed(events: &[Event], of: NodeId, turn: &[u8], at_most: usize) -> Seed {
    let mut seed = Seed { bytes: Start::bytes(base(events)), holds: BTreeSet::new() };
    let mut world = World::unchecked();
    for event in events {
        let action = action(event, of, &world);
        if let Some((what, action)) = action {
            if seed.bytes.len() + action.len() + turn.len() > at_most {
                break;
            }
            seed.bytes.extend(action.iter().chain(turn));
            seed.holds.insert(what);
        }
        if world.apply(event).is_err() {
            break;
        }
    }
    seed
}

/// The index from which the nodes' logs are their own.
fn base(events: &[Event]) -> u8 {
    let first = events.iter().find_map(|event| {
        let Event::Start { boot, .. } = event else { return None };
        match boot {
            // It is not the node that is told what others sent.
            Boot::Empty | Boot::Foreign { .. } => None,
            Boot::Peers(peers) => Some(peers.len() as u64),
            Boot::Snapshot { index, .. } => Some(index.0),
        }
    });
    first.unwrap_or(0).min(255) as u8
}

/// What node 1 is given for an event, and what that is called.
fn action(event: &Event, of: NodeId, world: &World) -> Option<(String, Vec<u8>)> {
    if let Event::Deliver { message } = event {
        return match world.network().get(*message) {
            Some(Envelope::Network(message)) if message.to == of => Some((name(&message.body), wire(message)?)),
            Some(Envelope::Network(_) | Envelope::Local { .. }) | None => None,
        };
    }
    let simple: [(Event, &[u8]); 3] = [
        (Event::Tick { node: of }, &[TICK]),
        (Event::TakeReady { node: of }, &[SETTLE]),
        (Event::Campaign { node: of }, &[CAMPAIGN]),
    ];
    let bytes = match event {
        Event::Propose { node, data } if *node == of => vec![PROPOSE, data.len().min(255) as u8],
        other => simple.iter().find(|(simple, _)| simple == other)?.1.to_vec(),
    };
    Some((format!("{:?}", event.kind()), bytes))
}

/// The message as node 1 gets it. Where node 1 sent it, it comes from the other.
fn wire(message: &Message) -> Option<Vec<u8>> {
    let one = NodeId::new(1).expect("not zero");
    let from = if message.from == one { message.to } else { message.from };
    let encoded = Message { to: one, from, ..message.clone() }.encode();
    let length = u16::try_from(encoded.len()).ok()?;
    Some([&[WIRE][..], &length.to_le_bytes(), &encoded].concat())
}
