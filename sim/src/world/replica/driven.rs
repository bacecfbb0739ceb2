//! How a node is run: its host calls it directly, or hands everything to the queues of a run loop, as the concurrent
//! front end does.

use std::hash::{Hash, Hasher};

use raft::node::Limits;
use raft::{Body, MemStorage, Message, RawNode};

use super::looped::Looped;
use crate::world::consensus::{Consensus, Node};
use crate::world::network::{Envelope, LocalMessage};

/// A raft node, and what runs it.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one for each running node, which is boxed")]
pub(super) enum Driven {
    /// The project's node, which does at once what it is told.
    Raw(RawNode<MemStorage>),
    /// The project's node in its run loop. What it is told waits in a queue until the loop takes it.
    Loop(Box<Looped>),
    /// A node of another engine.
    Other(Box<dyn Consensus>),
}

impl Driven {
    pub(super) fn new(node: RawNode<MemStorage>, limits: Option<Limits>) -> Self {
        match limits {
            None => Self::Raw(node),
            Some(limits) => Self::Loop(Box::new(Looped::new(node, limits))),
        }
    }

    /// How the node shows itself.
    pub(super) fn seen(&self) -> &dyn Node {
        match self {
            Self::Raw(node) => node,
            Self::Loop(looped) => looped.seen(),
            Self::Other(node) => node.seen(),
        }
    }

    /// What is told the node.
    pub(super) fn told(&mut self) -> &mut dyn Consensus {
        match self {
            Self::Raw(node) => node,
            Self::Loop(looped) => &mut **looped,
            Self::Other(node) => &mut **node,
        }
    }

    /// The project's own node, if it is one.
    pub(super) fn raw_node(&self) -> Option<&RawNode<MemStorage>> {
        match self {
            Self::Raw(node) => Some(node),
            Self::Loop(looped) => Some(looped.run_loop.node()),
            Self::Other(_) => None,
        }
    }

    pub(super) const fn looped(&self) -> Option<&Looped> {
        match self {
            Self::Raw(_) | Self::Other(_) => None,
            Self::Loop(looped) => Some(looped),
        }
    }

    /// Whether the loop has been told of a membership change and has not answered.
    pub(super) const fn is_changing(&self) -> bool {
        match self.looped() {
            None => false,
            Some(looped) => looped.changing.is_some(),
        }
    }

    /// Whether there is room for what is on its way here. A forwarded proposal never waits outside: without room it is
    /// turned away.
    pub(super) fn has_room_for(&self, envelope: &Envelope) -> bool {
        let Self::Loop(looped) = self else { return true };
        match envelope {
            Envelope::Network(Message { body: Body::Propose { .. }, .. })
            | Envelope::Local { message: LocalMessage::Appended(_) | LocalMessage::Applied(_), .. } => true,
            Envelope::Network(_) | Envelope::Local { message: LocalMessage::Own(_), .. } => {
                looped.run_loop.message_room() > 0
            }
        }
    }
}

impl Hash for Driven {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Raw(node) => node.hash_state(state),
            Self::Loop(looped) => looped.hash(state),
            Self::Other(node) => node.hash_state(state),
        }
    }
}
