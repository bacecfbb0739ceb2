//! What no correct node sends must not bring the world down.

use bytes::Bytes;
use raft::{Body, ConfState, DecodeError, Entry, EntryId, EntryKind, Index, Message, NodeId, Term};
use sim::world::{Boot, Event, MessageId, NodeOptions, Outcome, Refusal, World};

fn node(number: u64) -> NodeId {
    NodeId::new(number).expect("nodes are counted from 1")
}

/// Does all that the host of a node can do, in the order in which it can.
fn work_off(world: &mut World, node: NodeId) -> Vec<Refusal> {
    let mut refused = Vec::new();
    loop {
        let to_do = world.replica(node).expect("it started").to_do();
        let Some(event) = to_do.next_event(node, u32::MAX) else { return refused };
        let Outcome { refused: one, .. } = world.apply(&event).expect("nothing breaks");
        refused.extend(one);
    }
}

#[test]
fn a_committed_membership_change_that_does_not_decode_is_refused_and_skipped() {
    let mut world = World::new();
    let conf_state = ConfState { voters: [node(1)].into(), ..ConfState::default() };
    let boot = Boot::Snapshot { index: Index(1), conf_state: conf_state.clone() };
    // Else the node refuses what is forged.
    let options = NodeOptions { allow_missing_term: true, ..NodeOptions::default() };
    let start = Event::Start { node: node(1), boot, options, seed: None };
    world.apply(&start).expect("it starts");
    let entry = |index, kind, data| Entry { term: Term(1), index: Index(index), kind, data: Bytes::from_static(data) };
    let entries = vec![entry(2, EntryKind::ConfChangeV2, b"\xff"), entry(3, EntryKind::Normal, b"c1.1 k1=green")];
    let body = Body::Append { previous: EntryId::new(Term(1), Index(1)), entries, commit: Index(1) };
    let message = Message { from: node(2), to: node(1), term: Some(Term(1)), body };
    world.apply(&Event::Inject { message }).expect("anything can be put in flight");
    world.apply(&Event::Deliver { message: MessageId(0) }).expect("nothing breaks");
    assert_eq!(work_off(&mut world, node(1)), []);
    // As the only voter it commits whatever is in its log, once it leads.
    world.apply(&Event::Campaign { node: node(1) }).expect("nothing breaks");
    let mut refused = work_off(&mut world, node(1));
    loop {
        let next = world.network().iter().next().map(|(message, _)| message);
        let Some(message) = next else { break };
        world.apply(&Event::Deliver { message }).expect("nothing breaks");
        refused.extend(work_off(&mut world, node(1)));
    }
    assert_eq!(refused, [Refusal::Undecodable(DecodeError::Truncated)]);
    let application = world.replica(node(1)).and_then(|replica| replica.state_machine()).expect("it is up");
    assert_eq!(application.applied().index, Index(4), "what follows is applied");
    assert_eq!(application.value(1), Some(&Bytes::from_static(b"green")));
    assert_eq!(*application.conf_state(), conf_state, "the membership is what it was");
    assert_eq!(world.statistics().conf_changes_skipped, 1);
}
