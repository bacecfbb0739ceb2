//! An event together with the message that it speaks of, so that it means the same when messages get other numbers.
//!
//! `Deliver`, `Drop` and `Duplicate` name a message by its number, the count of all messages sent before. In a candidate
//! that means another message or none. So each keeps the message as it was, and in a candidate's run it speaks of
//!
//! 1. the message of the same number, if that is the same message: so it is up to the first change;
//! 2. else the oldest message in flight that is the same in all its parts;
//! 3. else the oldest one from the same sender to the same receiver that says the same kind of thing: terms and indexes
//!    shift where an election or a proposal before it was taken out;
//! 4. else none: the event falls away.
//!
//! The choice need not be a good one: the candidate fails in the same way or it does not.

use std::mem::discriminant;
use std::sync::Arc;

use raft::{Body, Message, NodeId};

use crate::driver::{Stop, apply};
use crate::world::{Envelope, Event, LocalMessage, MessageId, Outcome, World};

/// An event, and the message of which it speaks.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) event: Event,
    pub(super) message: Option<Arc<Envelope>>,
}

impl Step {
    /// An event that speaks of no message in flight.
    pub(super) const fn new(event: Event) -> Self {
        Self { event, message: None }
    }
}

/// A run of steps.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    world: World,
    /// For each receiver the messages to it that may be in flight, oldest first.
    waiting: Vec<Vec<MessageId>>,
}

impl Runner {
    /// A run that begins with a copy of this world.
    pub(super) fn new(start: &World) -> Self {
        Self { world: start.clone(), waiting: Vec::new() }
    }

    /// Does what the step says, if it fits. Returns the event that happened.
    pub(super) fn apply(&mut self, step: &Step) -> Result<Option<Event>, Stop> {
        let event = match &step.message {
            None => step.event.clone(),
            Some(message) => match self.find(&step.event, message) {
                Some(id) => step.event.with_message(id),
                None => return Ok(None),
            },
        };
        match apply(&mut self.world, &event) {
            Ok(outcome) => {
                self.note(&outcome);
                Ok(Some(event))
            }
            Err(Stop::Inapplicable(_)) => Ok(None),
            Err(broken @ Stop::Broken(_)) => Err(broken),
        }
    }

    /// The event as it happens in this run, with the message of which it speaks.
    pub(super) fn bound(&self, step: &Step) -> Option<Step> {
        let Some(message) = &step.message else { return Some(step.clone()) };
        let id = self.find(&step.event, message)?;
        let now = self.world.network().get(id)?;
        let message = if now == &**message { Arc::clone(message) } else { Arc::new(now.clone()) };
        Some(Step { event: step.event.with_message(id), message: Some(message) })
    }

    /// The event of a recorded run, where it happens now.
    pub(super) fn bind(&self, event: &Event) -> Step {
        let message = event.message().and_then(|id| self.world.network().get(id));
        Step { event: event.clone(), message: message.map(|envelope| Arc::new(envelope.clone())) }
    }

    fn find(&self, event: &Event, wanted: &Envelope) -> Option<MessageId> {
        let network = self.world.network();
        let number = event.message()?;
        if network.get(number).is_some_and(|envelope| envelope == wanted) {
            return Some(number);
        }
        let waiting = self.waiting.get(position(wanted.to()))?;
        let mut similar = None;
        for id in waiting {
            match network.get(*id) {
                Some(envelope) if envelope == wanted => return Some(*id),
                Some(envelope) if similar.is_none() && is_similar(envelope, wanted) => similar = Some(*id),
                Some(_) | None => {}
            }
        }
        similar
    }

    fn note(&mut self, outcome: &Outcome) {
        for id in outcome.newly_in_flight() {
            let Some(envelope) = self.world.network().get(id) else { continue };
            let position = position(envelope.to());
            if position >= self.waiting.len() {
                self.waiting.resize_with(position + 1, Vec::new);
            }
            let network = self.world.network();
            let waiting = &mut self.waiting[position];
            // Forgetting those that have arrived whenever the list has doubled keeps both cheap.
            if waiting.len() == waiting.capacity() {
                waiting.retain(|id| network.get(*id).is_some());
            }
            waiting.push(id);
        }
    }
}

fn position(node: NodeId) -> usize {
    usize::try_from(node.get()).expect("nodes of the world are few")
}

/// Whether two messages between the same nodes say the same kind of thing.
fn is_similar(one: &Envelope, other: &Envelope) -> bool {
    match (one, other) {
        (Envelope::Network(one), Envelope::Network(other)) => is_similar_message(one, other),
        (Envelope::Local { node, message }, Envelope::Local { node: other_node, message: other }) => {
            node == other_node
                && match (message, other) {
                    (LocalMessage::Own(one), LocalMessage::Own(other)) => is_similar_message(one, other),
                    (LocalMessage::Appended(_), LocalMessage::Appended(_))
                    | (LocalMessage::Applied(_), LocalMessage::Applied(_)) => true,
                    (LocalMessage::Own(_) | LocalMessage::Appended(_) | LocalMessage::Applied(_), _) => false,
                }
        }
        (Envelope::Network(_) | Envelope::Local { .. }, _) => false,
    }
}

fn is_similar_message(one: &Message, other: &Message) -> bool {
    one.from == other.from
        && one.to == other.to
        && discriminant(&one.body) == discriminant(&other.body)
        && answer(&one.body) == answer(&other.body)
}

/// Which of two forms a message has, where that matters: whether a vote is granted, and whether an append is empty.
fn answer(body: &Body) -> Option<bool> {
    match body {
        Body::PreVoteResponse { granted } | Body::VoteResponse { granted } => Some(*granted),
        Body::Append { entries, .. } => Some(entries.is_empty()),
        Body::Propose { .. }
        | Body::AppendAccepted { .. }
        | Body::AppendRejected { .. }
        | Body::Heartbeat { .. }
        | Body::HeartbeatResponse { .. }
        | Body::RequestPreVote { .. }
        | Body::RequestVote { .. }
        | Body::InstallSnapshot { .. }
        | Body::TransferLeader
        | Body::TimeoutNow
        | Body::ReadIndex { .. }
        | Body::ReadIndexResponse { .. } => None,
    }
}
