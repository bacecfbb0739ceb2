//! Entries and membership changes. In raft-rs a learner is added by another number than in etcd, so that the data of such an
//! entry differs.

use bytes::Bytes;
use protobuf::Message as _;
use raft::{Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, Entry, EntryKind, Index, Term, Transition};
use raft_rs::eraftpb::{self, ConfChangeTransition, ConfChangeType, EntryType};

use super::{NoCounterpart, node, number};

/// An entry.
///
/// # Errors
/// It has a context, or a membership change that cannot be decoded.
pub fn entry_to_ours(theirs: &eraftpb::Entry) -> Result<Entry, NoCounterpart> {
    if !theirs.context.is_empty() {
        return Err(NoCounterpart::Field("a context"));
    }
    if theirs.sync_log {
        return Err(NoCounterpart::Field("the mark sync_log"));
    }
    let (kind, data) = match theirs.get_entry_type() {
        EntryType::EntryNormal => (EntryKind::Normal, theirs.data.clone()),
        // Without data it leaves a joint configuration.
        EntryType::EntryConfChangeV2 if theirs.data.is_empty() => (EntryKind::ConfChangeV2, Bytes::new()),
        EntryType::EntryConfChange => {
            let mut change = eraftpb::ConfChange::default();
            change.merge_from_bytes(&theirs.data).map_err(undecodable)?;
            ConfChange::V1(v1_to_ours(&change)).encode()
        }
        EntryType::EntryConfChangeV2 => {
            let mut change = eraftpb::ConfChangeV2::default();
            change.merge_from_bytes(&theirs.data).map_err(undecodable)?;
            ConfChange::V2(v2_to_ours(&change)).encode()
        }
    };
    Ok(Entry { term: Term(theirs.term), index: Index(theirs.index), kind, data })
}

/// An entry, the other way.
///
/// # Errors
/// It has a membership change that raft-rs does not have, or that cannot be decoded.
pub fn entry_to_theirs(ours: &Entry) -> Result<eraftpb::Entry, NoCounterpart> {
    let mut theirs = eraftpb::Entry::default();
    theirs.term = ours.term.0;
    theirs.index = ours.index.0;
    match ours.conf_change().map_err(|error| NoCounterpart::Undecodable(error.to_string()))? {
        // That a leader refused a change is a difference in etcd's encoding alone.
        None => theirs.data = ours.data.clone(),
        Some(_) if ours.data.is_empty() => theirs.set_entry_type(EntryType::EntryConfChangeV2),
        Some(change) => {
            let (kind, data) = change_to_theirs(&change)?;
            theirs.set_entry_type(kind);
            theirs.data = data;
        }
    }
    Ok(theirs)
}

/// A membership change of either version, encoded.
///
/// # Errors
/// raft-rs does not have it.
pub fn change_to_theirs(ours: &ConfChange) -> Result<(EntryType, Bytes), NoCounterpart> {
    let (kind, data) = match ours {
        ConfChange::V1(change) => (EntryType::EntryConfChange, v1_to_theirs(change)?.write_to_bytes()),
        ConfChange::V2(change) => (EntryType::EntryConfChangeV2, v2_to_theirs(change)?.write_to_bytes()),
    };
    Ok((kind, data.map_err(undecodable)?.into()))
}

/// A change of one node.
///
/// # Errors
/// raft-rs does not have it.
pub fn v1_to_theirs(ours: &ConfChangeV1) -> Result<eraftpb::ConfChange, NoCounterpart> {
    let mut theirs = eraftpb::ConfChange::default();
    theirs.set_change_type(kind_to_theirs(ours.change)?);
    theirs.node_id = number(ours.change.node);
    theirs.context = ours.context.clone();
    Ok(theirs)
}

/// A change of any number of nodes.
///
/// # Errors
/// raft-rs does not have it.
pub fn v2_to_theirs(ours: &ConfChangeV2) -> Result<eraftpb::ConfChangeV2, NoCounterpart> {
    let single = |change: &Change| {
        let mut theirs = eraftpb::ConfChangeSingle::default();
        theirs.set_change_type(kind_to_theirs(*change)?);
        theirs.node_id = number(change.node);
        Ok(theirs)
    };
    let changes = ours.changes.iter().map(single).collect::<Result<Vec<_>, NoCounterpart>>()?;
    let mut theirs = eraftpb::ConfChangeV2::default();
    theirs.set_transition(match ours.transition {
        Transition::Auto => ConfChangeTransition::Auto,
        Transition::Implicit => ConfChangeTransition::Implicit,
        Transition::Explicit => ConfChangeTransition::Explicit,
    });
    theirs.set_changes(changes.into());
    theirs.context = ours.context.clone();
    Ok(theirs)
}

fn v1_to_ours(theirs: &eraftpb::ConfChange) -> ConfChangeV1 {
    let change = Change { kind: kind_to_ours(theirs.get_change_type()), node: node(theirs.node_id) };
    ConfChangeV1 { change, context: theirs.context.clone() }
}

fn v2_to_ours(theirs: &eraftpb::ConfChangeV2) -> ConfChangeV2 {
    let single = |change: &eraftpb::ConfChangeSingle| Change {
        kind: kind_to_ours(change.get_change_type()),
        node: node(change.node_id),
    };
    let transition = match theirs.get_transition() {
        ConfChangeTransition::Auto => Transition::Auto,
        ConfChangeTransition::Implicit => Transition::Implicit,
        ConfChangeTransition::Explicit => Transition::Explicit,
    };
    ConfChangeV2 { transition, changes: theirs.changes.iter().map(single).collect(), context: theirs.context.clone() }
}

fn kind_to_theirs(change: Change) -> Result<ConfChangeType, NoCounterpart> {
    match change.kind {
        ChangeKind::AddVoter => Ok(ConfChangeType::AddNode),
        ChangeKind::Remove => Ok(ConfChangeType::RemoveNode),
        ChangeKind::AddLearner => Ok(ConfChangeType::AddLearnerNode),
        ChangeKind::Update => Err(NoCounterpart::Update(number(change.node))),
    }
}

const fn kind_to_ours(theirs: ConfChangeType) -> ChangeKind {
    match theirs {
        ConfChangeType::AddNode => ChangeKind::AddVoter,
        ConfChangeType::RemoveNode => ChangeKind::Remove,
        ConfChangeType::AddLearnerNode => ChangeKind::AddLearner,
    }
}

fn undecodable(error: protobuf::ProtobufError) -> NoCounterpart {
    NoCounterpart::Undecodable(error.to_string())
}
