//! Between what raft-rs says and the plain types of the project's `raft` crate.
//!
//! Both come from etcd's raft, so nearly everything has a counterpart. What has none is named: by [`NoCounterpart`], or, in a
//! message, it [rides](sim::world::consensus::Rider) on the converted message to the next node of raft-rs.

mod entry;
mod message;

use std::collections::BTreeSet;

use raft::{ConfState, EntryId, HardState, Index, NodeId, Role, Snapshot, Term};
use raft_rs::StateRole;
use raft_rs::eraftpb;

pub use entry::{change_to_theirs, entry_to_ours, entry_to_theirs, v1_to_theirs, v2_to_theirs};
pub use message::{message_to_ours, message_to_theirs, ridden, with_rider};

/// What one of the two has no words for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoCounterpart {
    /// A kind of message that raft-rs keeps to itself, and no node sends.
    #[error("a message of the kind {0}, which no node of raft-rs sends")]
    Kind(String),
    /// A field without a counterpart, outside of messages.
    #[error("an entry with {0}, which the project's entries do not have")]
    Field(&'static str),
    /// A membership change that raft-rs does not have.
    #[error("a membership change that updates node {0}, which raft-rs does not have")]
    Update(u64),
    /// A membership change that cannot be decoded.
    #[error("a membership change that cannot be decoded: {0}")]
    Undecodable(String),
    /// Somebody without a name.
    #[error("a message without {0}")]
    Missing(&'static str),
}

/// A node, where zero is nobody.
pub fn node(id: u64) -> Option<NodeId> {
    NodeId::new(id)
}

/// A number, where nobody is zero.
pub fn number(node: Option<NodeId>) -> u64 {
    node.map_or(0, NodeId::get)
}

/// A role.
pub const fn role(state: StateRole) -> Role {
    match state {
        StateRole::Follower => Role::Follower,
        StateRole::PreCandidate => Role::PreCandidate,
        StateRole::Candidate => Role::Candidate,
        StateRole::Leader => Role::Leader,
    }
}

/// Term, vote and commit.
pub fn hard_state_to_ours(theirs: &eraftpb::HardState) -> HardState {
    HardState { term: Term(theirs.term), vote: node(theirs.vote), commit: Index(theirs.commit) }
}

/// Term, vote and commit, the other way.
pub fn hard_state_to_theirs(ours: HardState) -> eraftpb::HardState {
    let mut theirs = eraftpb::HardState::default();
    theirs.term = ours.term.0;
    theirs.vote = number(ours.vote);
    theirs.commit = ours.commit.0;
    theirs
}

/// A membership. raft-rs keeps its members in the order of a hash; here they are sorted.
pub fn conf_state_to_ours(theirs: &eraftpb::ConfState) -> ConfState {
    let set = |ids: &[u64]| ids.iter().copied().filter_map(node).collect::<BTreeSet<NodeId>>();
    ConfState {
        voters: set(&theirs.voters),
        voters_outgoing: set(&theirs.voters_outgoing),
        learners: set(&theirs.learners),
        learners_next: set(&theirs.learners_next),
        auto_leave: theirs.auto_leave,
    }
}

/// A membership, the other way.
pub fn conf_state_to_theirs(ours: &ConfState) -> eraftpb::ConfState {
    let list = |nodes: &BTreeSet<NodeId>| nodes.iter().map(|node| node.get()).collect::<Vec<u64>>();
    let mut theirs = eraftpb::ConfState::default();
    theirs.set_voters(list(&ours.voters));
    theirs.set_voters_outgoing(list(&ours.voters_outgoing));
    theirs.set_learners(list(&ours.learners));
    theirs.set_learners_next(list(&ours.learners_next));
    theirs.auto_leave = ours.auto_leave;
    theirs
}

/// A snapshot.
pub fn snapshot_to_ours(theirs: &eraftpb::Snapshot) -> Snapshot {
    let metadata = theirs.get_metadata();
    Snapshot {
        id: EntryId::new(Term(metadata.term), Index(metadata.index)),
        conf_state: conf_state_to_ours(metadata.get_conf_state()),
        data: theirs.data.clone(),
    }
}

/// A snapshot, the other way.
pub fn snapshot_to_theirs(ours: &Snapshot) -> eraftpb::Snapshot {
    let mut theirs = eraftpb::Snapshot::default();
    theirs.data = ours.data.clone();
    let metadata = theirs.mut_metadata();
    metadata.index = ours.id.index.0;
    metadata.term = ours.id.term.0;
    metadata.set_conf_state(conf_state_to_theirs(&ours.conf_state));
    theirs
}
