//! Messages in flight and the links they travel on.

use raft::{Body, Message, NodeId, Storage};

use super::super::command::{MessageKind, NetworkCommand};
use super::super::describe;
use super::{Done, Environment, Reply};
use crate::world::{Envelope, Event, LocalMessage, MessageId, Refusal};

impl Environment {
    pub(super) fn network_command(&mut self, command: &NetworkCommand) -> Done {
        match command {
            NetworkCommand::Deliver { recipients, kind } => self.deliver_or_drop(recipients, *kind),
            NetworkCommand::SendSnapshot { from, to } => self.send_snapshot(*from, *to),
            NetworkCommand::Step(message) => self.step(message),
        }
    }

    fn deliver_or_drop(&mut self, recipients: &[(bool, NodeId)], kind: Option<MessageKind>) -> Done {
        let mut text = String::new();
        for &(dropped, to) in recipients {
            text += &if dropped { self.lose(to, kind)? } else { self.deliver(to, kind)? };
        }
        Ok(if text.is_empty() { "no messages\n".to_owned() } else { text }.into())
    }

    /// Delivers what is in flight to a node now, in order.
    pub(super) fn deliver(&mut self, to: NodeId, kind: Option<MessageKind>) -> Done<String> {
        let mut text = String::new();
        for (message, envelope) in self.in_flight(to, kind) {
            let outcome = self.apply(&Event::Deliver { message })?;
            let description = describe_envelope(&envelope);
            text += &match outcome.refused {
                None => format!("{description}\n"),
                Some(Refusal::Lost) => format!("lost: {description}\n"),
                Some(refused) => format!("{description}\n{refused}\n"),
            };
        }
        Ok(text)
    }

    /// Loses what is in flight to a node now. What a node says to itself is never lost.
    fn lose(&mut self, to: NodeId, kind: Option<MessageKind>) -> Done<String> {
        let mut text = String::new();
        for (message, envelope) in self.in_flight(to, kind).into_iter().filter(|(_, envelope)| !is_local(envelope)) {
            self.apply(&Event::Drop { message })?;
            text += &format!("dropped: {}\n", describe_envelope(&envelope));
        }
        Ok(text)
    }

    fn in_flight(&self, to: NodeId, kind: Option<MessageKind>) -> Vec<(MessageId, Envelope)> {
        let matches = |envelope: &Envelope| envelope.to() == to && kind.is_none_or(|kind| kind.0 == kind_of(envelope));
        let in_flight = self.world.network().iter().filter(|(_, envelope)| matches(envelope));
        in_flight.map(|(message, envelope)| (message, envelope.clone())).collect()
    }

    fn send_snapshot(&mut self, from: NodeId, to: NodeId) -> Done {
        let node = self.raft_node(from)?;
        let term = Some(node.basic_status().hard_state.term);
        let snapshot = match node.storage().snapshot() {
            Ok(snapshot) => Box::new(snapshot),
            Err(error) => return Ok(Reply { text: String::new(), error: Some(error.to_string()) }),
        };
        let message = Message { from, to, term, body: Body::InstallSnapshot { snapshot } };
        self.apply(&Event::Inject { message: message.clone() })?;
        Ok(describe::message(&message).into())
    }

    fn step(&mut self, message: &Message) -> Done {
        let injected = self.apply(&Event::Inject { message: message.clone() })?;
        let mut error = None;
        for message in injected.newly_in_flight() {
            error = self.apply(&Event::Deliver { message })?.refused.map(|refused| refused.to_string());
        }
        Ok(Reply { text: String::new(), error })
    }
}

/// Whether a message never leaves its node.
fn is_local(envelope: &Envelope) -> bool {
    match envelope {
        Envelope::Network(message) => message.from == message.to,
        Envelope::Local { .. } => true,
    }
}

fn kind_of(envelope: &Envelope) -> &'static str {
    match envelope {
        Envelope::Network(message) | Envelope::Local { message: LocalMessage::Own(message), .. } => {
            describe::kind(&message.body)
        }
        Envelope::Local { message: LocalMessage::Appended(_), .. } => "MsgStorageAppendResp",
        Envelope::Local { message: LocalMessage::Applied(_), .. } => "MsgStorageApplyResp",
    }
}

fn describe_envelope(envelope: &Envelope) -> String {
    match envelope {
        Envelope::Network(message) | Envelope::Local { message: LocalMessage::Own(message), .. } => {
            describe::message(message)
        }
        Envelope::Local { node, message: LocalMessage::Appended(appended) } => {
            describe::storage_appended(*node, appended)
        }
        Envelope::Local { node, message: LocalMessage::Applied(applied) } => describe::storage_applied(*node, applied),
    }
}
