//! A Ready.

use raft::{NodeId, Ready};

use super::{entries, hard_state, message, put, read_states, snapshot, soft_state, storage_append, storage_apply};

/// What a node wants done, each line ended; `<empty Ready>` where it wants nothing.
#[must_use]
pub fn ready(node: NodeId, ready: &Ready) -> String {
    let mut text = String::new();
    if let Some(state) = &ready.soft_state {
        put(&mut text, format_args!("{}\n", soft_state(state)));
    }
    if let Some(state) = &ready.hard_state {
        put(&mut text, format_args!("HardState {}\n", hard_state(state)));
    }
    if !ready.read_states.is_empty() {
        put(&mut text, format_args!("ReadStates {}\n", read_states(&ready.read_states)));
    }
    if !ready.entries.is_empty() {
        put(&mut text, format_args!("Entries:\n{}", entries(&ready.entries)));
    }
    if let Some(restored) = &ready.snapshot {
        put(&mut text, format_args!("Snapshot {}\n", snapshot(restored)));
    }
    if !ready.committed_entries.is_empty() {
        put(&mut text, format_args!("CommittedEntries:\n{}", entries(&ready.committed_entries)));
    }
    text.push_str(&messages(node, ready));
    if text.is_empty() { "<empty Ready>\n".to_owned() } else { format!("Ready MustSync={}:\n{text}", ready.must_sync) }
}

/// The messages, and behind them what etcd sends to the storage threads as messages.
fn messages(node: NodeId, ready: &Ready) -> String {
    let peers = ready.messages.iter().map(message);
    let append = ready.storage_append.iter().map(|append| storage_append(node, append, true));
    let apply = ready.storage_apply.iter().map(|apply| storage_apply(node, apply, true));
    let lines: String = peers.chain(append).chain(apply).map(|line| line + "\n").collect();
    if lines.is_empty() { lines } else { format!("Messages:\n{lines}") }
}
