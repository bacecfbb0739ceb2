//! What a host sees of its node, without changing anything.

use crate::config::Config;
use crate::membership::Configuration;
use crate::message::Message;
use crate::progress::Progress;
use crate::status::{BasicStatus, Status};
use crate::storage::{Storage, StorageFailure};
use crate::types::{Index, NodeId, SoftState, Term};

use super::RawNode;

impl<S: Storage> RawNode<S> {
    /// The node's identity.
    pub fn id(&self) -> NodeId {
        self.raft.id()
    }

    /// The options it runs with.
    pub fn config(&self) -> &Config {
        self.raft.config()
    }

    /// The storage it reads.
    pub fn storage(&self) -> &S {
        self.raft.log().storage()
    }

    /// Why the node takes part no more, if so: its storage could not be read. See [`Storage`](crate::Storage#failure).
    ///
    /// Calls that return an error return one from then on, and from the very call in which it happened; [`ready`](Self::ready)
    /// returns `None`. So a host that ticks and works off Readys looks here as well. The membership can still be
    /// [changed](Self::apply_conf_change), so that a Ready that is at work can be applied to its end.
    pub fn failure(&self) -> Option<&StorageFailure> {
        self.raft.log().failure()
    }

    /// The node's status with its membership and progress table, copied.
    pub fn status(&self) -> Status {
        Status {
            basic: self.basic_status(),
            configuration: self.raft.configuration().clone(),
            progress: self.progress().map(|(id, progress)| (id, progress.clone())).collect(),
        }
    }

    /// The leader that the node knows, and its role.
    pub fn soft_state(&self) -> SoftState {
        self.raft.soft_state()
    }

    pub(crate) fn term(&self) -> Term {
        self.raft.term()
    }

    /// Up to where the application has applied.
    pub(crate) fn applied(&self) -> Index {
        self.raft.log().applied()
    }

    /// The part of the status that costs nothing.
    pub fn basic_status(&self) -> BasicStatus {
        BasicStatus {
            id: self.id(),
            hard_state: self.raft.hard_state(),
            soft_state: self.raft.soft_state(),
            applied: self.raft.log().applied(),
            lead_transferee: self.raft.transferee(),
            first_index: self.raft.log().first_index(),
            last: self.raft.log().last_known_id(),
        }
    }

    /// What this node, as a leader, knows of each member, by identity; nothing in any other role.
    pub fn progress(&self) -> impl Iterator<Item = (NodeId, &Progress)> {
        self.raft.progress().into_iter().flat_map(|table| table.iter())
    }

    /// The messages that the next Ready will hand out, or that must wait there until what they promise is durable, in no
    /// particular order. Some are addressed to the node itself. For tests and simulators that have to know all that is
    /// under way.
    ///
    /// ```
    /// use raft::{Body, Config, ConfState, MemStorage, NodeId, RawNode};
    ///
    /// let [one, two] = [1, 2].map(|id| NodeId::new(id).unwrap());
    /// let storage = MemStorage::with_conf_state(ConfState { voters: [one, two].into(), ..ConfState::default() });
    /// let mut node = RawNode::new(Config::new(one), storage)?;
    /// node.campaign();
    /// assert!(node.pending_messages().any(|message| message.to == two && matches!(message.body, Body::RequestVote { .. })));
    /// # Ok::<(), raft::ConfigError>(())
    /// ```
    pub fn pending_messages(&self) -> impl Iterator<Item = &Message> {
        let outbox = self.failure().is_none().then(|| self.raft.outbox());
        outbox.into_iter().flat_map(|outbox| outbox.messages.iter().chain(&outbox.after_append))
    }

    /// The membership in force on this node.
    pub fn configuration(&self) -> &Configuration {
        self.raft.configuration()
    }

    /// The term of an entry of the log, stored or not yet; `None` where the log does not reach, or cannot be read.
    pub fn entry_term(&self, index: Index) -> Option<Term> {
        self.raft.log().term(index).ok()
    }

    /// The payload bytes that this node, as a leader, counts against `max_uncommitted_size`; zero in any other role.
    pub fn uncommitted_size(&self) -> u64 {
        self.raft.uncommitted_size()
    }

    /// How many reads this node, as a leader, holds on to: until it has committed in its term, or a quorum has confirmed that
    /// it leads. Zero in any other role.
    ///
    /// ```
    /// use raft::{ConfState, Config, MemStorage, NodeId, RawNode};
    /// let id = NodeId::new(1).unwrap();
    /// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
    /// let node = RawNode::new(Config::new(id), MemStorage::with_conf_state(alone)).unwrap();
    /// assert_eq!(node.waiting_reads(), 0);
    /// ```
    pub fn waiting_reads(&self) -> usize {
        self.raft.waiting_reads()
    }
}
