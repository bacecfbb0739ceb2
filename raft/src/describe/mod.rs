//! `Display` in exactly the forms in which etcd describes the same: of messages, entries, Readys, statuses and what they are
//! made of.
//!
//! One line each, without a newline at its end; several entries, a snapshot and the parts of a Ready take lines of
//! their own. Nodes print in hexadecimal where etcd prints them so, which is in messages and in a status. Upstream:
//! `DescribeMessage`, `DescribeEntry` and `DescribeReady`, and `Status.String`.

mod message;
mod quote;
mod ready;
mod status;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use crate::membership::{ChangeKind, ConfState};
use crate::snapshot::Snapshot;
use crate::types::{Entry, EntryKind, HardState, NodeId, ReadState, Role, SoftState};

use quote::Quoted;

/// `1/4 EntryNormal "foo"`, `1/5 EntryConfChangeV2 v4 l5`: data is quoted as Go's `%q` does, and of a membership change
/// stands for each step who becomes a voter, a learner, is removed or is updated.
impl Display for Entry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            EntryKind::Normal | EntryKind::RefusedConfChange => "EntryNormal",
            EntryKind::ConfChange => "EntryConfChange",
            EntryKind::ConfChangeV2 => "EntryConfChangeV2",
        };
        write!(f, "{} {kind}", self.id())?;
        match self.conf_change() {
            Ok(None) => write!(f, " {}", Quoted(&self.data)),
            Ok(Some(change)) => change.as_v2().changes.iter().try_for_each(|change| {
                let kind = match change.kind {
                    ChangeKind::AddVoter => "v",
                    ChangeKind::AddLearner => "l",
                    ChangeKind::Remove => "r",
                    ChangeKind::Update => "u",
                };
                write!(f, " {kind}{}", number(change.node))
            }),
            Err(error) => write!(f, " {error}"),
        }
    }
}

/// `Term:1 Vote:1 Commit:2`, without the vote where there is none.
impl Display for HardState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Term:{}", self.term)?;
        if let Some(vote) = self.vote {
            write!(f, " Vote:{}", vote.get())?;
        }
        write!(f, " Commit:{}", self.commit)
    }
}

/// `Lead:1 State:StateLeader`.
impl Display for SoftState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Lead:{} State:{}", number(self.leader), self.role)
    }
}

/// `StateFollower`.
impl Display for Role {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Follower => "StateFollower",
            Self::PreCandidate => "StatePreCandidate",
            Self::Candidate => "StateCandidate",
            Self::Leader => "StateLeader",
        })
    }
}

/// `Index:4 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] …`, without its data.
impl Display for Snapshot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Index:{} Term:{} ConfState:{}", self.id.index, self.id.term, self.conf_state)
    }
}

/// `Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false`.
impl Display for ConfState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let nodes = |nodes: &BTreeSet<NodeId>| list(nodes.iter().map(|node| node.get()));
        write!(f, "Voters:{} VotersOutgoing:{}", nodes(&self.voters), nodes(&self.voters_outgoing))?;
        write!(f, " Learners:{} LearnersNext:{}", nodes(&self.learners), nodes(&self.learners_next))?;
        write!(f, " AutoLeave:{}", self.auto_leave)
    }
}

/// `{12 [114 49]}`: the index, and the context's bytes in decimal.
impl Display for ReadState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{{{} {}}}", self.index, list(&self.context))
    }
}

/// Go's form of a slice.
fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    format!("[{}]", items.join(" "))
}

/// A node where etcd prints a plain number, zero for none.
fn number(node: Option<NodeId>) -> u64 {
    node.map_or(0, NodeId::get)
}
