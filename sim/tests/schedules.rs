//! Arbitrary orders of events: every property holds in all of them, and where one does not, what is left of the order
//! after shrinking is the story of the failure and nothing else.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use raft::{Body, Message, NodeId, Term};
use sim::invariant::{Invariant, Violation};
use sim::world::{Boot, Event, Halt, MessageId, NodeOptions, World};

const NODES: u64 = 3;

/// Something in a schedule. What does not fit when it comes is skipped, so that every part of a schedule is one.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "schedules are short")]
enum Item {
    Event(Event),
    /// The node does what its Readys and its disk ask for.
    Work(NodeId),
    /// The oldest message arrives.
    Arrive,
    /// A vote that nobody gave arrives.
    ForgedVote {
        from: NodeId,
        to: NodeId,
        term: Term,
    },
}

fn node() -> impl Strategy<Value = NodeId> {
    (1..=NODES).prop_map(|number| NodeId::new(number).expect("not zero"))
}

fn item() -> impl Strategy<Value = Item> {
    let event = prop_oneof![
        6 => node().prop_map(|node| Event::Tick { node }),
        2 => node().prop_map(|node| Event::Campaign { node }),
        1 => node().prop_map(|node| Event::Crash { node, keep: sim::disk::Keep::Nothing }),
        1 => node().prop_map(|node| Event::Restart { node, options: None, seed: Some(1) }),
        2 => node().prop_map(|node| Event::Propose { node, data: "x".into() }),
        1 => (0..40u64).prop_map(|number| Event::Drop { message: MessageId(number) }),
        1 => (0..40u64).prop_map(|number| Event::Duplicate { message: MessageId(number) }),
    ];
    prop_oneof![5 => event.prop_map(Item::Event), 6 => node().prop_map(Item::Work), 5 => Just(Item::Arrive)]
}

fn item_or_forgery() -> impl Strategy<Value = Item> {
    let forged = (node(), node(), 1..4u64);
    prop_oneof![
        9 => item(),
        1 => forged.prop_map(|(from, to, term)| Item::ForgedVote { from, to, term: Term(term) }),
    ]
}

/// Runs a schedule on three nodes.
fn run(schedule: &[Item]) -> Result<(), Violation> {
    let mut world = World::new();
    let peers: Vec<NodeId> = (1..=NODES).filter_map(NodeId::new).collect();
    for &node in &peers {
        let (boot, options) = (Boot::Peers(peers.clone()), NodeOptions::default());
        apply(&mut world, &Event::Start { node, boot, options, seed: Some(node.get()) })?;
        work(&mut world, node)?;
    }
    schedule.iter().try_for_each(|item| follow(&mut world, item))
}

fn follow(world: &mut World, item: &Item) -> Result<(), Violation> {
    match item {
        Item::Event(event) => apply(world, event),
        Item::Work(node) => work(world, *node),
        Item::Arrive => {
            let oldest = world.network().iter().next().map(|(message, _)| message);
            oldest.map_or(Ok(()), |message| apply(world, &Event::Deliver { message }))
        }
        Item::ForgedVote { from, to, term } => {
            let message = MessageId(world.network().next_id());
            let body = Body::VoteResponse { granted: true };
            apply(world, &Event::Inject { message: Message { from: *from, to: *to, term: Some(*term), body } })?;
            apply(world, &Event::Deliver { message })
        }
    }
}

fn work(world: &mut World, node: NodeId) -> Result<(), Violation> {
    loop {
        let to_do = world.replica(node).map(|replica| replica.to_do()).unwrap_or_default();
        let Some(event) = to_do.next_event(node, u32::MAX) else { return Ok(()) };
        apply(world, &event)?;
    }
}

fn apply(world: &mut World, event: &Event) -> Result<(), Violation> {
    match world.apply(event) {
        Ok(_) | Err(Halt::Inapplicable(_)) => Ok(()),
        Err(Halt::Violation(violation)) => Err(violation),
    }
}

proptest! {
    #[test]
    fn every_property_holds_in_any_schedule(schedule in prop::collection::vec(item(), 0..150)) {
        prop_assert_eq!(run(&schedule), Ok(()));
    }
}

#[test]
fn a_schedule_that_fails_shrinks_to_what_makes_it_fail() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let schedules = prop::collection::vec(item_or_forgery(), 0..150);
    let shrunk = runner
        .run(&schedules, |schedule| run(&schedule).map_err(|violation| TestCaseError::fail(violation.to_string())));
    let Err(TestError::Fail(_, shortest)) = shrunk else { panic!("a leader that nobody elected goes unnoticed") };

    let violation = run(&shortest).expect_err("it fails");
    assert_eq!(violation.invariant, Invariant::ElectionSafety, "{violation}");
    // It campaigns, hears of a vote that nobody gave, and leads. What is longer than this hides that.
    assert!(shortest.len() <= 5, "{shortest:?}");
    assert!(shortest.iter().any(|item| matches!(item, Item::ForgedVote { .. })), "{shortest:?}");
    for left_out in 0..shortest.len() {
        let mut rest = shortest.clone();
        rest.remove(left_out);
        assert_eq!(run(&rest), Ok(()), "{shortest:?} fails without number {left_out} too");
    }
}
