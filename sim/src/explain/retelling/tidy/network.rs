//! Work and messages that go their usual way need not be told one by one.

use std::collections::BTreeSet;

use raft::NodeId;

use super::super::phrase::Phrase;
use super::Draft;
use crate::script::command::{Command, HostCommand, NetworkCommand};

/// Says `stabilize` for all that hosts and the network do between two things that somebody asks for.
pub(super) fn stabilized(draft: &mut Draft) {
    let mut start = 0;
    while start < draft.phrases().len() {
        let end = draft.phrases()[start..].iter().position(|phrase| !is_usual(phrase));
        let end = end.map_or(draft.phrases().len(), |length| start + length);
        start = match (start + 2..=end).contains(&end) && shortened(draft, start, end) {
            true => start + 1,
            false => end + 1,
        };
    }
}

/// Replaces as much as possible of these phrases.
fn shortened(draft: &mut Draft, start: usize, end: usize) -> bool {
    let parts = (start + 2..=end).rev().map(|until| (start, until));
    let parts = parts.chain((start + 1..end.saturating_sub(1)).map(|from| (from, end)));
    for (from, until) in parts {
        let taken: Vec<usize> = (from..until).collect();
        let of_nodes: Vec<String> = nodes_of(&draft.phrases()[from..until]);
        let all = Phrase::new(["stabilize"]);
        let some = Phrase::new(std::iter::once("stabilize".to_owned()).chain(of_nodes));
        if draft.replace(&taken, from, all) || draft.replace(&taken, from, some) {
            return true;
        }
    }
    false
}

fn is_usual(phrase: &Phrase) -> bool {
    match phrase.command() {
        Command::Host(HostCommand::TakeSnapshot(_) | HostCommand::BeginCompaction(..)) => false,
        Command::Host(_) | Command::Network(NetworkCommand::Arrive(_)) => true,
        Command::Node(_)
        | Command::Disk(..)
        | Command::Input(..)
        | Command::Network(_)
        | Command::Client(_)
        | Command::Show(_)
        | Command::Expect(_)
        | Command::Liveness(_)
        | Command::Plant(_)
        | Command::ExploreFromHere => false,
    }
}

/// The nodes at which hosts work and at which messages arrive.
fn nodes_of(phrases: &[Phrase]) -> Vec<String> {
    let nodes: BTreeSet<NodeId> = phrases.iter().flat_map(happens_at).collect();
    nodes.into_iter().map(|node| node.get().to_string()).collect()
}

fn happens_at(phrase: &Phrase) -> Vec<NodeId> {
    if let Command::Network(NetworkCommand::Arrive(selection)) = phrase.command() {
        return selection.links.iter().map(|link| link.to).chain(selection.to.iter().copied()).collect();
    }
    let Command::Host(command) = phrase.command() else { return Vec::new() };
    match command {
        HostCommand::Step(node, _)
        | HostCommand::BeginFsync(node)
        | HostCommand::EndFsync(node)
        | HostCommand::HoldFsync(node)
        | HostCommand::CompleteFsync(node)
        | HostCommand::Take(node, _)
        | HostCommand::TakeSnapshot(node)
        | HostCommand::BeginCompaction(node, _) => vec![*node],
        HostCommand::ProcessReady(nodes)
        | HostCommand::ProcessAppendThread(nodes)
        | HostCommand::ProcessApplyThread(nodes)
        | HostCommand::Stabilize { nodes, .. } => nodes.clone(),
        HostCommand::Run { .. } => Vec::new(),
    }
}
