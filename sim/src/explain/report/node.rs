//! What the page shows of a node, and how that differs from the step before.

use raft::{Entry, Role, Storage};
use serde_json::{Map, Value, json};

use crate::explain::describe;
use crate::world::Replica;
use crate::world::consensus::FollowerState;

/// A node as the page last heard of it.
#[derive(Default)]
pub(super) struct Known {
    fields: Map<String, Value>,
    /// For each entry in the log, its identity and the text that shows it.
    log: Vec<(u64, u64, String)>,
    progress: Vec<Value>,
}

impl Known {
    /// What changed: new values of fields, and `log` as how many entries are kept and what follows them.
    pub(super) fn update(&mut self, replica: &Replica) -> Option<Value> {
        let mut changes = Map::new();
        for (name, value) in fields(replica) {
            if self.fields.get(name) != Some(&value) {
                changes.insert(name.to_string(), value.clone());
                self.fields.insert(name.to_string(), value);
            }
        }
        if let Some(log) = self.update_log(replica) {
            changes.insert("log".to_string(), log);
        }
        let progress = progress(replica);
        if progress != self.progress {
            changes.insert("progress".to_string(), Value::Array(progress.clone()));
            self.progress = progress;
        }
        (!changes.is_empty()).then_some(Value::Object(changes))
    }

    fn update_log(&mut self, replica: &Replica) -> Option<Value> {
        let last = replica.view().last;
        let entries = match replica.node() {
            // A node that is down keeps what it had, as far as anybody can see.
            None => return None,
            Some(node) => {
                let first = node.storage().first_index();
                let known_first = self.log.first().map(|(_, index, _)| *index);
                let known_last = self.log.last().map(|(term, index, _)| (*term, *index));
                let is_empty = last.index < first;
                if (is_empty && self.log.is_empty())
                    || (known_last == Some((last.term.0, last.index.0)) && known_first == Some(first.0))
                {
                    return None;
                }
                let stored = node.storage().entries(first, node.storage().last_index().next(), u64::MAX);
                let mut entries = stored.unwrap_or_default();
                let unstable = replica.ready().map(|ready| ready.entries.as_slice()).unwrap_or_default();
                extend(&mut entries, unstable);
                entries
            }
        };
        let now: Vec<(u64, u64, String)> =
            entries.iter().map(|entry| (entry.term.0, entry.index.0, describe::payload(entry))).collect();
        let dropped = match (self.log.first(), now.first()) {
            (Some((_, known, _)), Some((_, first, _))) => self.log.len().min(first.saturating_sub(*known) as usize),
            (Some(_), None) => self.log.len(),
            (None, _) => 0,
        };
        self.log.drain(..dropped);
        let kept = self.log.iter().zip(&now).take_while(|(known, now)| known == now).count();
        if kept == now.len() && kept == self.log.len() && dropped == 0 {
            return None;
        }
        let new: Vec<Value> = now[kept..].iter().map(|(term, index, text)| json!([term, index, text])).collect();
        self.log = now;
        Some(json!([dropped, kept, new]))
    }
}

/// Appends entries to a log, and replaces those from the first of them on.
fn extend(log: &mut Vec<Entry>, entries: &[Entry]) {
    if let Some(first) = entries.first() {
        log.retain(|entry| entry.index < first.index);
        log.extend_from_slice(entries);
    }
}

fn fields(replica: &Replica) -> [(&'static str, Value); 8] {
    let view = replica.view();
    let role = match view.soft_state.role {
        _ if !replica.is_up() => "down",
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    };
    let members = replica.node().map(|node| describe::members(&node.configuration().conf_state()));
    let number = |node: Option<raft::NodeId>| node.map(raft::NodeId::get);
    [
        ("role", json!(role)),
        ("term", json!(view.hard_state.term.0)),
        ("vote", json!(number(view.hard_state.vote))),
        ("leader", json!(number(view.soft_state.leader))),
        ("commit", json!(view.hard_state.commit.0)),
        ("applied", json!(view.applied.0)),
        ("last", json!(view.last.to_string())),
        ("members", json!(members)),
    ]
}

/// What a leader knows of each member.
fn progress(replica: &Replica) -> Vec<Value> {
    let Some(node) = replica.node() else { return Vec::new() };
    let rows = node.followers().map(|(peer, follower)| {
        let state = match follower.state {
            FollowerState::Probe { paused: false } => "probe".to_string(),
            FollowerState::Probe { paused: true } => "probe, paused".to_string(),
            FollowerState::Replicate { messages, .. } => format!("replicate, {messages} in flight"),
            FollowerState::Snapshot { pending } => format!("snapshot to {pending}"),
        };
        json!([peer.get(), follower.matched.0, follower.next.0, state, follower.recent_active])
    });
    rows.collect()
}
