//! Nodes' data in exactly the forms in which etcd prints it.

mod envelope;
mod ready;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write;

use raft::{ChangeKind, ConfState, Entry, EntryKind, HardState, NodeId, ReadState, Role, Snapshot, SoftState};

use super::quote::quote;

pub use envelope::{kind, message, storage_append, storage_appended, storage_applied, storage_apply};
pub use ready::ready;

/// An entry: `1/4 EntryNormal "foo"`, `1/5 EntryConfChangeV2 v4 l5`.
#[must_use]
pub fn entry(entry: &Entry) -> String {
    let kind = match entry.kind {
        EntryKind::Normal | EntryKind::RefusedConfChange => "EntryNormal",
        EntryKind::ConfChange => "EntryConfChange",
        EntryKind::ConfChangeV2 => "EntryConfChangeV2",
    };
    let mut line = format!("{} {kind}", entry.id());
    match entry.conf_change() {
        Ok(None) => push(&mut line, &[" ", &quote(&entry.data)]),
        Ok(Some(change)) => {
            for change in change.as_v2().changes {
                let kind = match change.kind {
                    ChangeKind::AddVoter => " v",
                    ChangeKind::AddLearner => " l",
                    ChangeKind::Remove => " r",
                    ChangeKind::Update => " u",
                };
                push(&mut line, &[kind, &decimal(change.node)]);
            }
        }
        Err(error) => push(&mut line, &[" ", &error.to_string()]),
    }
    line
}

/// Entries, one a line, each line ended.
#[must_use]
pub fn entries(entries: &[Entry]) -> String {
    entries.iter().map(|one| entry(one) + "\n").collect()
}

/// A hard state: `Term:1 Vote:1 Commit:2`, without the vote where there is none.
#[must_use]
pub fn hard_state(state: &HardState) -> String {
    let vote = state.vote.map(|vote| format!(" Vote:{}", vote.get())).unwrap_or_default();
    format!("Term:{}{vote} Commit:{}", state.term, state.commit)
}

/// A soft state: `Lead:1 State:StateLeader`.
#[must_use]
pub fn soft_state(state: &SoftState) -> String {
    format!("Lead:{} State:{}", decimal(state.leader), role(state.role))
}

/// A role: `StateFollower`.
#[must_use]
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "StateFollower",
        Role::PreCandidate => "StatePreCandidate",
        Role::Candidate => "StateCandidate",
        Role::Leader => "StateLeader",
    }
}

/// A snapshot without its data: `Index:4 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] …`.
#[must_use]
pub fn snapshot(snapshot: &Snapshot) -> String {
    format!("Index:{} Term:{} ConfState:{}", snapshot.id.index, snapshot.id.term, conf_state(&snapshot.conf_state))
}

/// A membership: `Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false`.
#[must_use]
pub fn conf_state(state: &ConfState) -> String {
    format!(
        "Voters:{} VotersOutgoing:{} Learners:{} LearnersNext:{} AutoLeave:{}",
        node_list(&state.voters),
        node_list(&state.voters_outgoing),
        node_list(&state.learners),
        node_list(&state.learners_next),
        state.auto_leave
    )
}

/// Answers to read requests, contexts in decimal bytes: `[{12 [114 49]}]`.
#[must_use]
pub fn read_states(states: &[ReadState]) -> String {
    let describe = |state: &ReadState| format!("{{{} {}}}", state.index, list(state.context.iter()));
    format!("[{}]", states.iter().map(describe).collect::<Vec<_>>().join(" "))
}

fn node_list(nodes: &BTreeSet<NodeId>) -> String {
    list(nodes.iter().map(|node| node.get()))
}

fn list(numbers: impl Iterator<Item = impl ToString>) -> String {
    format!("[{}]", numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(" "))
}

/// A node where etcd prints a plain number, zero for none.
fn decimal(node: Option<NodeId>) -> String {
    node.map_or(0, NodeId::get).to_string()
}

fn push(line: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| line.push_str(part));
}

/// Writes into a string, which cannot fail.
fn put(line: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = line.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a string takes everything");
}
