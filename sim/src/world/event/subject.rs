//! What an event speaks of, in one list of all events. From it follow the nodes that each event concerns, and the event
//! itself with other names for nodes and messages.

use std::collections::BTreeSet;

use raft::{Change, ConfChange, ConfState, Message, NodeId};

use super::super::options::Boot;
use super::{Event, MessageId};

/// What an event speaks of: nodes, as `N`, or a message in flight, as `M`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject<N, M> {
    /// It happens at a node.
    Node(N),
    /// It happens at a node, and names another.
    NodeAndPeer(N, N),
    /// It happens on the way from one node to another.
    Link(N, N),
    /// Something happens to a message in flight.
    Message(M),
    /// It concerns all nodes, or none in particular.
    Cluster,
}

/// The list, as a macro: it serves both an event that is only looked at and one that is changed.
macro_rules! subject_of {
    ($event:expr) => {
        match $event {
            Event::Start { node, .. }
            | Event::Crash { node, .. }
            | Event::DiskFault { node, .. }
            | Event::Restart { node, .. }
            | Event::Tick { node }
            | Event::Campaign { node }
            | Event::Propose { node, .. }
            | Event::ProposeConfChange { node, .. }
            | Event::ForgetLeader { node }
            | Event::ReadIndex { node, .. }
            | Event::Invoke { node, .. }
            | Event::Retry { node, .. }
            | Event::SetElectionTimeout { node, .. }
            | Event::TakeReady { node }
            | Event::Write { node }
            | Event::Sync { node }
            | Event::SyncDone { node }
            | Event::Release { node }
            | Event::Send { node }
            | Event::Apply { node, .. }
            | Event::Advance { node }
            | Event::TakeSnapshot { node }
            | Event::Compact { node, .. }
            | Event::Take { node, .. } => Subject::Node(node),
            Event::TransferLeadership { node, target: peer }
            | Event::ReportUnreachable { node, peer }
            | Event::ReportSnapshot { node, peer, .. } => Subject::NodeAndPeer(node, peer),
            Event::Cut { from, to }
            | Event::HealLink { from, to }
            | Event::Inject { message: Message { from, to, .. } } => Subject::Link(from, to),
            Event::Deliver { message } | Event::Drop { message } | Event::Duplicate { message } => {
                Subject::Message(message)
            }
            Event::BreakLeases
            | Event::SearchHistories
            | Event::ExpectSettled { .. }
            | Event::ExpectLiveness { .. } => Subject::Cluster,
        }
    };
}

impl Event {
    /// What it speaks of.
    ///
    /// ```
    /// use raft::NodeId;
    /// use sim::world::{Event, Subject};
    /// let [from, to] = [1, 2].map(|number| NodeId::new(number).unwrap());
    /// assert_eq!(Event::Cut { from, to }.subject(), Subject::Link(&from, &to));
    /// ```
    pub const fn subject(&self) -> Subject<&NodeId, &MessageId> {
        subject_of!(self)
    }

    const fn subject_mut(&mut self) -> Subject<&mut NodeId, &mut MessageId> {
        subject_of!(self)
    }

    /// The message in flight of which it speaks.
    pub const fn message(&self) -> Option<MessageId> {
        match self.subject() {
            Subject::Message(message) => Some(*message),
            Subject::Node(_) | Subject::NodeAndPeer(..) | Subject::Link(..) | Subject::Cluster => None,
        }
    }

    /// The node at which it happens, or the two ends of the link on which it does. A message in flight has ends of its
    /// [own](super::super::Envelope::ends).
    pub const fn nodes(&self) -> [Option<NodeId>; 2] {
        match self.subject() {
            Subject::Node(node) | Subject::NodeAndPeer(node, _) => [Some(*node), None],
            Subject::Link(from, to) => [Some(*from), Some(*to)],
            Subject::Message(_) | Subject::Cluster => [None, None],
        }
    }

    /// The same event for another message in flight, if it speaks of one.
    #[must_use]
    pub fn with_message(&self, other: MessageId) -> Self {
        let mut event = self.clone();
        if let Subject::Message(message) = event.subject_mut() {
            *message = other;
        }
        event
    }

    /// The same event with other names for all the nodes that it names, the members of a configuration included.
    #[must_use]
    pub fn renamed(&self, name: &dyn Fn(NodeId) -> NodeId) -> Self {
        let mut event = self.clone();
        match event.subject_mut() {
            Subject::Node(node) => *node = name(*node),
            Subject::NodeAndPeer(one, other) | Subject::Link(one, other) => (*one, *other) = (name(*one), name(*other)),
            Subject::Message(_) | Subject::Cluster => {}
        }
        match &mut event {
            Event::Start { boot: Boot::Peers(peers), .. } => peers.iter_mut().for_each(|peer| *peer = name(*peer)),
            Event::Start { boot: Boot::Snapshot { conf_state, .. } | Boot::Foreign { conf_state, .. }, .. } => {
                *conf_state = members_renamed(conf_state, name)
            }
            Event::ProposeConfChange { change, .. } => rename_change(change, name),
            Event::ExpectLiveness { core: Some(core) } => *core = all_renamed(core, name),
            _ => {}
        }
        event
    }
}

fn all_renamed(nodes: &BTreeSet<NodeId>, name: &dyn Fn(NodeId) -> NodeId) -> BTreeSet<NodeId> {
    nodes.iter().map(|node| name(*node)).collect()
}

fn members_renamed(members: &ConfState, name: &dyn Fn(NodeId) -> NodeId) -> ConfState {
    ConfState {
        voters: all_renamed(&members.voters, name),
        voters_outgoing: all_renamed(&members.voters_outgoing, name),
        learners: all_renamed(&members.learners, name),
        learners_next: all_renamed(&members.learners_next, name),
        auto_leave: members.auto_leave,
    }
}

fn rename_change(change: &mut ConfChange, name: &dyn Fn(NodeId) -> NodeId) {
    let rename = |change: &mut Change| change.node = change.node.map(name);
    match change {
        ConfChange::V1(change) => rename(&mut change.change),
        ConfChange::V2(change) => change.changes.iter_mut().for_each(rename),
    }
}
