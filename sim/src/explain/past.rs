//! The causal past of a failure: what can have influenced it, by messages, storage and restarts (Lamport, 1978). Everything else
//! happened as well, and made no difference.

use std::collections::{BTreeMap, BTreeSet};

use raft::NodeId;

use crate::driver::{Stop, apply};
use crate::trace::Ending;
use crate::world::{Event, MessageId, Outcome, Subject, World};

/// Whether an event can have influenced a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Influence {
    /// It is in the causal past.
    Possible,
    /// Nothing that it did ever reached the nodes of the failure.
    None,
}

/// Which of these events, that end so, can have influenced the end. Without a failure that is: the last event.
///
/// ```
/// use sim::explain::{Influence, causal_past};
/// let text = "add-nodes 2 voters=(1,2) index=2\ncampaign 1\nprocess-ready 1\n";
/// let trace = sim::script::record(text).unwrap();
/// let past = causal_past(&trace.events, &trace.ending);
/// // Node 2 starts, and nothing of it reaches node 1.
/// assert_eq!(past[..2], [Influence::Possible, Influence::None]);
/// ```
pub fn causal_past(events: &[Event], ending: &Ending) -> Vec<Influence> {
    causal_past_in(&World::new(), events, ending)
}

/// The same, from a copy of this world: with what a user brings.
pub fn causal_past_in(world: &World, events: &[Event], ending: &Ending) -> Vec<Influence> {
    let (mut causes, mut world) = (Causes::default(), world.clone());
    for event in events {
        causes.before(event, &world);
        match apply(&mut world, event) {
            Ok(outcome) => causes.after(&outcome),
            Err(Stop::Inapplicable(_) | Stop::Broken(_)) => {}
        }
    }
    causes.past(ending)
}

/// The direct causes of each event, as far as they have happened.
#[derive(Default)]
pub(super) struct Causes {
    /// For each event the positions of those that it directly depends on.
    direct: Vec<Vec<usize>>,
    /// The latest event at each node.
    latest: BTreeMap<NodeId, usize>,
    /// The latest event of each client.
    asked: BTreeMap<u64, usize>,
    /// The event that sent each message.
    sent: BTreeMap<MessageId, usize>,
}

impl Causes {
    /// An event is about to happen to this world.
    pub(super) fn before(&mut self, event: &Event, world: &World) {
        let position = self.direct.len();
        let mut causes = BTreeSet::new();
        causes.extend(event.message().and_then(|message| self.sent.get(&message)));
        let nodes = self.nodes(event, world);
        causes.extend(nodes.iter().filter_map(|node| self.latest.get(node)));
        if let Event::Invoke { client, .. } | Event::Retry { client, .. } = event {
            causes.extend(self.asked.insert(*client, position));
        }
        self.latest.extend(nodes.into_iter().map(|node| (node, position)));
        self.direct.push(causes.into_iter().collect());
    }

    /// That event happened, and this came of it.
    pub(super) fn after(&mut self, outcome: &Outcome) {
        let position = self.direct.len() - 1;
        self.sent.extend(outcome.newly_in_flight().map(|message| (message, position)));
    }

    /// Which of the events can have influenced this end.
    pub(super) fn past(&self, ending: &Ending) -> Vec<Influence> {
        let mut open = self.of_ending(ending);
        let mut past = vec![Influence::None; self.direct.len()];
        while let Some(position) = open.pop() {
            if past[position] == Influence::None {
                past[position] = Influence::Possible;
                open.extend(&self.direct[position]);
            }
        }
        past
    }

    /// The nodes whose state the event changes.
    fn nodes(&self, event: &Event, world: &World) -> Vec<NodeId> {
        match event.subject() {
            Subject::Node(node) | Subject::NodeAndPeer(node, _) => vec![*node],
            Subject::Message(message) if matches!(event, Event::Deliver { .. }) => {
                world.network().get(*message).map(|envelope| envelope.to()).into_iter().collect()
            }
            // A message that is lost, or a link, changes no node; that all is looked at depends on all.
            Subject::Message(_) | Subject::Link(..) => Vec::new(),
            Subject::Cluster => self.latest.keys().copied().collect(),
        }
    }

    /// The last events at the nodes whose states clash, and the last of all.
    fn of_ending(&self, ending: &Ending) -> Vec<usize> {
        let clashing = match ending {
            Ending::Violation(violation) if !violation.nodes.is_empty() => violation.nodes.clone(),
            Ending::Violation(_) => self.latest.keys().copied().collect(),
            Ending::Completed | Ending::Panic(_) | Ending::Hang(_) => Vec::new(),
        };
        let latest = clashing.iter().filter_map(|node| self.latest.get(node).copied());
        latest.chain(self.direct.len().checked_sub(1)).collect()
    }
}
