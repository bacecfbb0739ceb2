//! The messages in flight and the links they travel on.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use raft::{Entry, Index, Message, NodeId, StorageAppended, StorageApplied};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::consensus::Rider;
use super::event::{Event, MessageId};
use super::outcome::Inapplicable;
use crate::shared::Shared;
use crate::state_hasher::StateHasher;

/// What is on its way to a node.
#[derive(Clone, Hash, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// A message from another node.
    Network(Message),
    /// A message from the node's own storage threads.
    Local {
        /// The node.
        node: NodeId,
        /// What its storage threads say.
        message: LocalMessage,
    },
}

/// What a node's storage threads tell the node. It is never lost, unless the node crashes.
#[derive(Clone, Hash, Debug, PartialEq, Eq)]
pub enum LocalMessage {
    /// The node's own vote or acknowledgement, durable now.
    Own(Message),
    /// An append is done.
    Appended(StorageAppended),
    /// Committed entries are applied.
    Applied(StorageApplied),
}

impl LocalMessage {
    /// The last entry that it says is stable, if it says so of any.
    pub(super) fn stable(&self) -> Option<Index> {
        match self {
            Self::Appended(appended) => appended.last.map(|last| last.index),
            Self::Own(_) | Self::Applied(_) => None,
        }
    }
}

impl Envelope {
    /// The node from which it comes and the node to which it goes. There is no second one where it never leaves its
    /// node.
    pub const fn ends(&self) -> [Option<NodeId>; 2] {
        match self {
            Self::Network(message) => [Some(message.from), Some(message.to)],
            Self::Local { node, .. } => [Some(*node), None],
        }
    }

    /// The node to which it goes.
    pub const fn to(&self) -> NodeId {
        match self {
            Self::Network(message) => message.to,
            Self::Local { node, .. } => *node,
        }
    }

    /// The node from which it comes.
    pub const fn from(&self) -> NodeId {
        match self {
            Self::Network(message) => message.from,
            Self::Local { node, .. } => *node,
        }
    }

    /// The message that a node sent, to another or to itself, if it is one.
    pub(super) const fn message(&self) -> Option<&Message> {
        match self {
            Self::Network(message) | Self::Local { message: LocalMessage::Own(message), .. } => Some(message),
            Self::Local { .. } => None,
        }
    }

    /// Its kind, under etcd's name for it.
    ///
    /// ```
    /// use raft::{Body, Message, NodeId};
    /// use sim::world::Envelope;
    ///
    /// let node = NodeId::new(1).expect("not zero");
    /// let message = Message { from: node, to: node, term: None, body: Body::TimeoutNow };
    /// assert_eq!(Envelope::Network(message).kind(), "MsgTimeoutNow");
    /// ```
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Network(message) | Self::Local { message: LocalMessage::Own(message), .. } => message.body.name(),
            Self::Local { message: LocalMessage::Appended(_), .. } => "MsgStorageAppendResp",
            Self::Local { message: LocalMessage::Applied(_), .. } => "MsgStorageApplyResp",
        }
    }

    /// Whether it never leaves its node.
    pub const fn is_local(&self) -> bool {
        match self {
            Self::Network(_) => false,
            Self::Local { .. } => true,
        }
    }
}

/// Messages in flight, in the order in which they were sent, and which links are cut.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The message with number `first + i` is at position `i`, as long as it is in flight. The first slot is never
    /// empty, so that memory is used only for the messages since the oldest one in flight.
    slots: VecDeque<Option<Slot>>,
    first: u64,
    in_flight: usize,
    /// The ticks of all clocks so far: the time.
    now: u64,
    /// For each sender, a bit for each receiver to which its link is cut.
    cut: Shared<Cuts>,
}

/// For each sender, a bit for each receiver.
#[derive(Clone, Hash, Debug)]
struct Cuts([u64; Network::LINKS]);

impl Default for Cuts {
    fn default() -> Self {
        Self([0; Network::LINKS])
    }
}

/// A message in flight.
#[derive(Clone, Debug)]
struct Slot {
    envelope: Shared<Envelope>,
    rider: Option<Rider>,
    sent_at: u64,
}

impl Slot {
    /// What it is at this time: what is in flight, and for how long it has been.
    fn state_hash(&self, now: u64) -> u128 {
        let Self { envelope, rider, sent_at } = self;
        let message = match rider {
            None => envelope.state_hash(),
            Some(rider) => StateHasher::of(&(envelope, rider)),
        };
        xxh3_128_with_seed(&message.to_le_bytes(), now - sent_at)
    }
}

impl Network {
    /// Identities are bits of a word, and zero is not used.
    const LINKS: usize = u64::BITS as usize;

    /// The number that the next message will get.
    pub fn next_id(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// How many messages are in flight.
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The nodes that an event concerns: the one at which it happens, or the two ends of the link on which it does.
    pub fn concerned(&self, event: &Event) -> [Option<NodeId>; 2] {
        let message = event.message().and_then(|message| self.get(message));
        message.map_or(event.nodes(), Envelope::ends)
    }

    /// Feeds a hash with the messages in flight, whatever their numbers and their order, and with which links are cut. Every
    /// event names the message that it is about, so that the order decides nothing.
    pub(super) fn hash_state(&self, state: &mut impl Hasher) {
        let Self { slots, first: _, in_flight, now, cut } = self;
        // A sum does not depend on the order, and counts what is there twice.
        let all = slots.iter().flatten().map(|slot| slot.state_hash(*now)).fold(0, u128::wrapping_add);
        (in_flight, all, cut).hash(state);
    }

    /// The message with this number, if it is in flight.
    pub fn get(&self, id: MessageId) -> Option<&Envelope> {
        self.slot(id).map(|slot| &*slot.envelope)
    }

    /// How many ticks of all clocks together this message has been in flight; zero for one that is not.
    pub fn age(&self, id: MessageId) -> u64 {
        self.slot(id).map_or(0, |slot| self.now - slot.sent_at)
    }

    fn slot(&self, id: MessageId) -> Option<&Slot> {
        self.slots.get(self.position(id)?)?.as_ref()
    }

    /// The ticks of all clocks so far: the time.
    pub(super) const fn now(&self) -> u64 {
        self.now
    }

    /// A clock ticks.
    pub(super) const fn tick(&mut self) {
        self.now += 1;
    }

    /// Messages in flight, in the order in which they were sent.
    pub fn iter(&self) -> impl Iterator<Item = (MessageId, &Envelope)> {
        let numbered = (self.first..).zip(&self.slots);
        numbered.filter_map(|(number, slot)| slot.as_ref().map(|slot| (MessageId(number), &*slot.envelope)))
    }

    /// The payload bytes of entries up to this index that a node has applied, while the reports of it are in flight.
    pub(super) fn applied_and_not_reported(&self, node: NodeId, applied: Index) -> u64 {
        let reports = self.slots.iter().flatten().filter_map(|slot| match &*slot.envelope {
            Envelope::Local { node: of, message: LocalMessage::Applied(report) } if *of == node => Some(report),
            Envelope::Local { .. } | Envelope::Network(_) => None,
        });
        let entries = reports.flat_map(|report| &report.entries).filter(|entry| entry.index <= applied);
        entries.map(Entry::payload_size).sum()
    }

    /// Whether the link in this direction loses everything. Identities out of range have no link.
    pub fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        let receivers = usize::try_from(from.get()).ok().and_then(|from| self.cut.0.get(from));
        to.get() >= Self::LINKS as u64 || receivers.is_none_or(|receivers| receivers >> to.get() & 1 == 1)
    }

    pub(super) fn set_cut(&mut self, from: NodeId, to: NodeId, cut: bool) {
        let from = usize::try_from(from.get()).expect("the world checked that the identity is small");
        let bit = 1 << to.get();
        if cut {
            self.cut.0[from] |= bit;
        } else {
            self.cut.0[from] &= !bit;
        }
    }

    pub(super) fn put(&mut self, envelope: Envelope) {
        self.put_with(envelope, None);
    }

    /// Puts a message in flight, and what rides on it.
    pub(super) fn put_with(&mut self, envelope: Envelope, rider: Option<Rider>) {
        self.slots.push_back(Some(Slot { envelope: Shared::new(envelope), rider, sent_at: self.now }));
        self.in_flight += 1;
    }

    /// What rides on a message in flight.
    pub(super) fn rider(&self, id: MessageId) -> Option<Rider> {
        self.slot(id)?.rider.clone()
    }

    pub(super) fn take(&mut self, id: MessageId) -> Result<Envelope, Inapplicable> {
        let taken = self.position(id).and_then(|position| self.slots.get_mut(position)?.take());
        let Slot { envelope, .. } = taken.ok_or(Inapplicable::NoSuchMessage(id))?;
        self.in_flight -= 1;
        self.forget_empty();
        Ok(envelope.into_inner())
    }

    /// A message that crosses the network, and so may be lost or doubled.
    pub(super) fn remote(&self, id: MessageId) -> Result<&Message, Inapplicable> {
        match self.get(id) {
            None => Err(Inapplicable::NoSuchMessage(id)),
            Some(Envelope::Local { .. }) => Err(Inapplicable::LocalMessage(id)),
            Some(Envelope::Network(message)) => Ok(message),
        }
    }

    /// Forgets what a node that crashed said to itself.
    pub(super) fn drop_local(&mut self, of: NodeId) {
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(|slot| slot.envelope.is_local() && slot.envelope.to() == of) {
                *slot = None;
                self.in_flight -= 1;
            }
        }
        self.forget_empty();
    }

    fn position(&self, id: MessageId) -> Option<usize> {
        id.0.checked_sub(self.first).and_then(|position| usize::try_from(position).ok())
    }

    fn forget_empty(&mut self) {
        while let Some(None) = self.slots.front() {
            self.slots.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use raft::{Body, Term};

    use super::*;

    fn node(number: u64) -> NodeId {
        NodeId::new(number).unwrap()
    }

    fn message(from: u64, to: u64) -> Message {
        Message { from: node(from), to: node(to), term: Some(Term(1)), body: Body::TimeoutNow }
    }

    #[test]
    fn messages_keep_their_numbers_whatever_leaves_before_them() {
        let mut network = Network::default();
        for to in 2..6 {
            network.put(Envelope::Network(message(1, to)));
        }
        assert_eq!(network.take(MessageId(1)), Ok(Envelope::Network(message(1, 3))));
        assert_eq!(network.take(MessageId(0)), Ok(Envelope::Network(message(1, 2))));
        assert_eq!(network.take(MessageId(1)), Err(Inapplicable::NoSuchMessage(MessageId(1))));
        assert_eq!(network.take(MessageId(4)), Err(Inapplicable::NoSuchMessage(MessageId(4))));
        let left: Vec<u64> = network.iter().map(|(id, _)| id.0).collect();
        assert_eq!((left, network.in_flight(), network.slots.len()), (vec![2, 3], 2, 2));
        network.take(MessageId(3)).unwrap();
        network.take(MessageId(2)).unwrap();
        assert_eq!((network.slots.len(), network.next_id()), (0, 4));
    }

    #[test]
    fn a_crash_loses_local_messages_only_and_of_that_node_only() {
        let mut network = Network::default();
        let local = |number| Envelope::Local { node: node(number), message: LocalMessage::Own(message(1, 1)) };
        network.put(local(1));
        network.put(Envelope::Network(message(2, 1)));
        network.put(local(2));
        network.drop_local(node(1));
        assert_eq!(network.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_message_ages_with_every_tick_while_it_is_in_flight() {
        let mut network = Network::default();
        network.tick();
        network.put(Envelope::Network(message(1, 2)));
        network.tick();
        network.put(Envelope::Network(message(1, 3)));
        network.tick();
        assert_eq!((network.age(MessageId(0)), network.age(MessageId(1))), (2, 1));
        network.take(MessageId(0)).unwrap();
        assert_eq!((network.age(MessageId(0)), network.age(MessageId(1))), (0, 1));
    }

    #[test]
    fn a_cut_goes_one_way() {
        let mut network = Network::default();
        network.set_cut(node(1), node(3), true);
        assert!(network.is_cut(node(1), node(3)));
        assert!(!network.is_cut(node(3), node(1)));
        network.set_cut(node(1), node(3), false);
        assert!(!network.is_cut(node(1), node(3)));
        assert!(network.is_cut(node(1), node(64)), "there is no such link");
    }
}
