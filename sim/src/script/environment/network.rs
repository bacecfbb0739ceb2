//! Messages in flight and the links they travel on.

use raft::{Body, Message, NodeId, Storage};

use super::super::command::{Link, MessageKind, NetworkCommand, Selection};
use super::{Done, Environment, Reply};
use crate::world::{Envelope, Event, LocalMessage, MessageId, Refusal};

impl Environment {
    pub(super) fn network_command(&mut self, command: &NetworkCommand) -> Done {
        match command {
            NetworkCommand::Arrive(selection) => self.arrive(selection),
            NetworkCommand::Deliver { recipients, kind } => self.deliver_or_drop(recipients, *kind),
            NetworkCommand::SendSnapshot { from, to } => self.send_snapshot(*from, *to),
            NetworkCommand::Step(message) => self.step(message),
            NetworkCommand::Inject(message) => {
                self.apply(&Event::Inject { message: message.clone() })?;
                Ok(message.to_string().into())
            }
            NetworkCommand::Lose(selection) => self.for_each(selection, "lost", Self::lose),
            NetworkCommand::Delay(selection) => self.for_each(selection, "delayed", |environment, message| {
                environment.delayed.insert(message);
                Ok(())
            }),
            NetworkCommand::LetGo(selection) => self.let_go(selection),
            NetworkCommand::Duplicate(selection) => self.for_each(selection, "doubled", Self::duplicate),
            NetworkCommand::Reorder(selection) => self.reorder(selection),
            NetworkCommand::Partition(groups) => self.partition(groups),
            NetworkCommand::Cut(links) => self.cut(links),
            NetworkCommand::Heal(links) => self.heal(links),
        }
    }

    fn deliver_or_drop(&mut self, recipients: &[(bool, NodeId)], kind: Option<MessageKind>) -> Done {
        let mut text = String::new();
        for &(dropped, to) in recipients {
            text += &if dropped { self.drop_messages(to, kind)? } else { self.deliver(to, kind)? };
        }
        Ok(or_no_messages(text))
    }

    /// Delivers what is in flight to a node now, in order.
    pub(super) fn deliver(&mut self, to: NodeId, kind: Option<MessageKind>) -> Done<String> {
        let mut text = String::new();
        for (message, envelope) in self.in_flight_to(to, kind) {
            text += &self.deliver_one(message, &describe_envelope(&envelope))?;
        }
        Ok(text)
    }

    /// Delivers the messages of a selection, also those of a node to itself.
    fn arrive(&mut self, selection: &Selection) -> Done {
        let arriving = self.world.network().iter().filter(|(message, _)| !self.delayed.contains(message));
        let described = |(message, envelope)| (message, describe_envelope(envelope));
        let selected: Vec<_> = selection.choose(arriving).map(described).collect();
        let mut text = String::new();
        for (message, description) in selected {
            text += &self.deliver_one(message, &description)?;
        }
        Ok(or_no_messages(text))
    }

    fn deliver_one(&mut self, message: MessageId, description: &str) -> Done<String> {
        Ok(match self.apply(&Event::Deliver { message })?.refused {
            None => format!("{description}\n"),
            Some(Refusal::Lost) => format!("lost: {description}\n"),
            Some(refused) => format!("{description}\n{refused}\n"),
        })
    }

    /// Loses what is in flight to a node now. What a node says to itself is never lost.
    fn drop_messages(&mut self, to: NodeId, kind: Option<MessageKind>) -> Done<String> {
        let mut text = String::new();
        for (message, envelope) in self.in_flight_to(to, kind) {
            if !is_local(&envelope) {
                self.lose(message)?;
                text += &format!("dropped: {}\n", describe_envelope(&envelope));
            }
        }
        Ok(text)
    }

    fn in_flight_to(&self, to: NodeId, kind: Option<MessageKind>) -> Vec<(MessageId, Envelope)> {
        let matches = |envelope: &Envelope| envelope.to() == to && kind.is_none_or(|kind| kind.0 == envelope.kind());
        let arriving = self.world.network().iter().filter(|(message, _)| !self.delayed.contains(message));
        arriving
            .filter(|(_, envelope)| matches(envelope))
            .map(|(message, envelope)| (message, envelope.clone()))
            .collect()
    }

    fn selected(&self, selection: &Selection) -> Vec<(MessageId, String)> {
        let between = self.world.network().iter().filter(|(_, envelope)| matches!(envelope, Envelope::Network(_)));
        selection.choose(between).map(|(message, envelope)| (message, describe_envelope(envelope))).collect()
    }

    /// Does something to each message of a selection, and names the messages.
    fn for_each(&mut self, selection: &Selection, what: &str, happen: fn(&mut Self, MessageId) -> Done<()>) -> Done {
        let mut text = String::new();
        for (message, description) in self.selected(selection) {
            happen(self, message)?;
            text += &format!("{what}: {description}\n");
        }
        Ok(or_no_messages(text))
    }

    fn lose(&mut self, message: MessageId) -> Done<()> {
        self.apply(&Event::Drop { message }).map(drop)
    }

    fn duplicate(&mut self, message: MessageId) -> Done<()> {
        self.apply(&Event::Duplicate { message }).map(drop)
    }

    fn let_go(&mut self, selection: &Selection) -> Done {
        let mut text = String::new();
        for (message, description) in self.selected(selection) {
            if self.delayed.remove(&message) {
                text += &format!("goes on: {description}\n");
            }
        }
        Ok(or_no_messages(text))
    }

    /// Puts the messages behind all others, the last of them first.
    fn reorder(&mut self, selection: &Selection) -> Done {
        let mut text = String::new();
        for (message, description) in self.selected(selection).into_iter().rev() {
            self.duplicate(message)?;
            self.lose(message)?;
            text += &format!("now: {description}\n");
        }
        Ok(or_no_messages(text))
    }

    fn partition(&mut self, groups: &[Vec<NodeId>]) -> Done {
        let group_of = |node: NodeId| groups.iter().position(|group| group.contains(&node));
        let nodes = self.all_nodes();
        for &from in &nodes {
            for &to in nodes.iter().filter(|to| group_of(**to) != group_of(from)) {
                self.apply(&Event::Cut { from, to })?;
            }
        }
        Ok(Reply::default())
    }

    fn cut(&mut self, links: &[Link]) -> Done {
        for &Link { from, to } in links {
            self.apply(&Event::Cut { from, to })?;
        }
        Ok(Reply::default())
    }

    fn heal(&mut self, links: &[Link]) -> Done {
        let nodes = self.all_nodes();
        let all = || nodes.iter().flat_map(|&from| nodes.iter().map(move |&to| Link { from, to })).collect();
        let links: Vec<Link> = if links.is_empty() { all() } else { links.to_vec() };
        for Link { from, to } in links {
            if self.world.network().is_cut(from, to) {
                self.apply(&Event::HealLink { from, to })?;
            }
        }
        Ok(Reply::default())
    }

    fn send_snapshot(&mut self, from: NodeId, to: NodeId) -> Done {
        let node = self.raft_node(from)?;
        let term = Some(node.status().view.hard_state.term);
        let snapshot = match node.storage().snapshot() {
            Ok(snapshot) => Box::new(snapshot),
            Err(error) => return Ok(Reply { text: String::new(), error: Some(error.to_string()) }),
        };
        let message = Message { from, to, term, body: Body::InstallSnapshot { snapshot } };
        self.apply(&Event::Inject { message: message.clone() })?;
        Ok(message.to_string().into())
    }

    fn step(&mut self, message: &Message) -> Done {
        let injected = self.apply(&Event::Inject { message: message.clone() })?;
        let mut refusal = None;
        for message in injected.newly_in_flight() {
            refusal = self.apply(&Event::Deliver { message })?.refused;
        }
        Ok(Reply::refused(refusal))
    }

    /// Every message in flight.
    pub(super) fn describe_in_flight(&self) -> Reply {
        let describe = |(message, envelope): (MessageId, &Envelope)| {
            let delayed = if self.delayed.contains(&message) { "delayed: " } else { "" };
            format!("{delayed}{}\n", describe_envelope(envelope))
        };
        or_no_messages(self.world.network().iter().map(describe).collect())
    }

    /// The messages in flight from this number on.
    pub(super) fn describe_from(&self, first: u64) -> String {
        let new = self.world.network().iter().filter(|(message, _)| message.0 >= first);
        new.map(|(_, envelope)| describe_envelope(envelope) + "\n").collect()
    }
}

impl Selection {
    /// The messages that the selection means.
    pub(crate) fn choose<'a>(
        &self,
        messages: impl Iterator<Item = (MessageId, &'a Envelope)>,
    ) -> impl Iterator<Item = (MessageId, &'a Envelope)> {
        let (skipped, taken) = match self.nth {
            None => (0, self.first.unwrap_or(usize::MAX)),
            Some(nth) => (nth.get() - 1, 1),
        };
        messages.filter(|(_, envelope)| self.takes(envelope)).skip(skipped).take(taken)
    }

    /// Whether a message fits the selection, apart from how many are wanted.
    fn takes(&self, envelope: &Envelope) -> bool {
        let any_or = |nodes: &[NodeId], node| nodes.is_empty() || nodes.contains(&node);
        let (from, to) = (envelope.from(), envelope.to());
        let kind = envelope.kind();
        (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted.0 == kind))
            && (self.links.is_empty() || self.links.contains(&Link { from, to }))
            && any_or(&self.from, from)
            && any_or(&self.to, to)
    }
}

fn or_no_messages(text: String) -> Reply {
    if text.is_empty() { "no messages\n".to_owned() } else { text }.into()
}

/// Whether a message never leaves its node.
fn is_local(envelope: &Envelope) -> bool {
    match envelope {
        Envelope::Network(message) => message.from == message.to,
        Envelope::Local { .. } => true,
    }
}

fn describe_envelope(envelope: &Envelope) -> String {
    match envelope {
        Envelope::Network(message) | Envelope::Local { message: LocalMessage::Own(message), .. } => message.to_string(),
        Envelope::Local { node, message: LocalMessage::Appended(appended) } => appended.describe(*node).to_string(),
        Envelope::Local { node, message: LocalMessage::Applied(applied) } => applied.describe(*node).to_string(),
    }
}
