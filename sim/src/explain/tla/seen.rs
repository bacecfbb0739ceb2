//! What a node shows of itself between two events.

use raft::{Body, Entry, Index, Message, NodeId, Role, Term};

use super::line::Shown;
use crate::world::{Replica, World};

/// A node that is up, as it is now.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) shown: Shown,
    pub(super) is_joint: bool,
    pub(super) applied: Index,
    /// What it has made and handed out nothing of, apart by what keeps its order: see [`class`].
    pending: [Vec<Message>; 3],
}

impl Seen {
    /// None for a node that is down, or never started.
    pub(super) fn of(node: NodeId, world: &World) -> Option<Self> {
        let replica = world.replica(node)?;
        let (seen, view) = (replica.node()?, replica.node()?.status().view);
        let mut pending = [const { Vec::new() }; 3];
        for message in seen.pending_messages() {
            pending[class(message)].push(message.clone());
        }
        let members = seen.configuration();
        let conf_state = members.conf_state();
        let shown = Shown {
            term: view.hard_state.term,
            vote: view.hard_state.vote,
            commit: view.hard_state.commit,
            role: view.soft_state.role,
            last: view.last.index,
            voters: conf_state.voters.into_iter().collect(),
            learners: conf_state.learners.into_iter().collect(),
        };
        Some(Self { shown, is_joint: members.is_joint(), applied: view.applied, pending })
    }

    pub(super) fn leads(&self) -> bool {
        self.shown.role == Role::Leader
    }

    /// What the node has made since `before`: to itself, answers, and all else, each in its order.
    pub(super) fn made_since(&self, before: &Self) -> Vec<Message> {
        let news = self.pending.iter().zip(&before.pending);
        news.flat_map(|(now, before)| now.iter().skip(before.len()).cloned()).collect()
    }

    /// What it has said to itself and no Ready has handed out.
    pub(super) fn own(&self) -> &[Message] {
        &self.pending[0]
    }

    /// An entry that it is about to send.
    pub(super) fn about_to_send(&self, index: Index, term: Term) -> Option<Entry> {
        let entries = self.pending[2].iter().filter_map(|message| match &message.body {
            Body::Append { entries, .. } => Some(entries),
            _ => None,
        });
        entries.flatten().find(|entry| (entry.index, entry.term) == (index, term)).cloned()
    }
}

/// Messages of one class wait in the order in which they were made: those of a node to itself, answers that wait until what they
/// promise is durable, and the rest.
fn class(message: &Message) -> usize {
    match message.body {
        _ if message.from == message.to => 0,
        Body::AppendAccepted { .. } | Body::AppendRejected { .. } | Body::VoteResponse { .. } => 1,
        _ => 2,
    }
}

/// The terms of a node's log, as far as it is there, with the index of the first.
pub(super) fn terms(replica: &Replica) -> (Index, Vec<Term>) {
    let Some(node) = replica.node() else { return (Index::ZERO, Vec::new()) };
    let status = node.status();
    let all = (status.first_index.0..=status.view.last.index.0).map(|index| node.entry_term(Index(index)));
    (status.first_index, all.map(|term| term.unwrap_or(Term::ZERO)).collect())
}
