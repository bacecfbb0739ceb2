//! Bounded memory: windows and buffers stay within their limits, and what they count is what they hold.
//!
//! ```text
//! l replicates to m  ⇒  messages in flight ≤ max_inflight_messages
//!                     ∧ bytes in flight < max_inflight_bytes + one message
//!                     ∧ bytes in flight ≤ messages in flight · the largest message
//! l leads            ⇒  payload that it proposed and not committed ≤ 2 · max_uncommitted_size + one proposal
//! ```
//!
//! Source: thesis, section 10.2.1 (pipelining); `max_inflight_*` and `max_uncommitted_size` of [`raft::Config`]; etcd
//! issue 9073 and CockroachDB's memory exhaustion by uncommitted entries (etcd pull request 10167).
//!
//! The third line finds a window whose bytes are not reset with it: such a leak would in the end stop replication.
//! Uncommitted payload is allowed twice its limit, because what a leader inherits was never counted, and is discounted
//! when it commits.

use raft::{Entry, Index, NodeId};

use super::cluster::Node;
use super::input::ProgressView;
use super::violation::{Check, Invariant, Violation};

/// What a leader has in flight to a follower. `largest` is the largest payload of any entry.
pub(super) fn in_flight(id: NodeId, node: &Node, peer: NodeId, progress: &ProgressView, largest: u64) -> Check {
    let Some(config) = &node.config else { return Ok(()) };
    let ProgressView { inflight_messages: messages, inflight_bytes: bytes, .. } = *progress;
    // A message holds what the limit allows, or one entry.
    let message = config.max_size_per_message.max(largest);
    let exceeded = |what: String| {
        let detail = format!("node {id} to node {peer}: {messages} messages of {bytes} bytes in flight, {what}");
        Err(Violation::new(Invariant::BoundedMemory, &[id, peer], detail))
    };
    if messages > config.max_inflight_messages {
        return exceeded(format!("{} messages allowed", config.max_inflight_messages));
    }
    if bytes > config.max_inflight_bytes.saturating_add(message).saturating_sub(1) {
        return exceeded(format!("{} bytes allowed and messages of {message} bytes", config.max_inflight_bytes));
    }
    if bytes > message.saturating_mul(messages as u64) {
        return exceeded(format!("though no message has more than {message} bytes"));
    }
    Ok(())
}

/// The payload that a leader proposed in its term and has not committed.
#[derive(Clone, Debug, Default)]
pub(super) struct Uncommitted {
    sizes: std::collections::VecDeque<(Index, u64)>,
    total: u64,
}

impl Uncommitted {
    /// A node wrote entries, and leads the term of those that count.
    pub fn wrote(&mut self, id: NodeId, node: &Node, entries: &[Entry]) -> Check {
        let Some(config) = &node.config else { return Ok(()) };
        let Some(term) = node.leads().filter(|_| config.max_uncommitted_size != raft::Config::NO_LIMIT) else {
            *self = Self::default();
            return Ok(());
        };
        let commit = node.view.hard_state.commit;
        while let Some(&(_, size)) = self.sizes.front().filter(|&&(index, _)| index <= commit) {
            self.sizes.pop_front();
            self.total -= size;
        }
        for entry in entries.iter().filter(|entry| entry.term == term && entry.payload_size() > 0) {
            self.sizes.push_back((entry.index, entry.payload_size()));
            self.total += entry.payload_size();
        }
        let largest = self.sizes.iter().map(|&(_, size)| size).max().unwrap_or_default();
        let limit = config.max_uncommitted_size;
        if self.total - largest <= limit.saturating_mul(2) {
            return Ok(());
        }
        let total = self.total;
        let detail = format!("node {id} leads term {term} with {total} uncommitted bytes, {limit} are allowed");
        Err(Violation::new(Invariant::BoundedMemory, &[id], detail))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use raft::{Config, HardState, Role, SoftState, Term};

    use super::super::input::View;
    use super::super::testing::{breaks, node};
    use super::*;

    fn leader() -> Node {
        let config = Config {
            max_inflight_messages: 3,
            max_inflight_bytes: 100,
            max_size_per_message: 50,
            max_uncommitted_size: 100,
            ..Config::new(node(1))
        };
        let view = View {
            hard_state: HardState { term: Term(1), ..HardState::default() },
            soft_state: SoftState { role: Role::Leader, leader: Some(node(1)) },
            ..View::default()
        };
        Node { config: Some(Arc::new(config)), up: true, view, ..Node::default() }
    }

    fn window(inflight_messages: usize, inflight_bytes: u64) -> Check {
        let progress = ProgressView { inflight_messages, inflight_bytes, ..ProgressView::default() };
        in_flight(node(1), &leader(), node(2), &progress, 40)
    }

    #[test]
    fn windows_within_their_limits_are_fine() {
        window(0, 0).unwrap();
        window(3, 140).unwrap();
    }

    #[test]
    fn too_many_messages_are_found() {
        breaks(Invariant::BoundedMemory, window(4, 10));
    }

    #[test]
    fn too_many_bytes_are_found() {
        breaks(Invariant::BoundedMemory, window(3, 150));
    }

    #[test]
    fn bytes_of_messages_that_are_no_longer_in_flight_are_found() {
        breaks(Invariant::BoundedMemory, window(0, 1));
        breaks(Invariant::BoundedMemory, window(1, 51));
    }

    fn proposal(index: u64, size: usize) -> Entry {
        Entry { term: Term(1), index: Index(index), data: Bytes::from(vec![0; size]), ..Entry::default() }
    }

    #[test]
    fn uncommitted_payload_without_bound_is_found() {
        let (mut uncommitted, leader) = (Uncommitted::default(), leader());
        for index in 1..=3 {
            uncommitted.wrote(node(1), &leader, &[proposal(index, 90)]).unwrap();
        }
        breaks(Invariant::BoundedMemory, uncommitted.wrote(node(1), &leader, &[proposal(4, 90)]));
    }

    #[test]
    fn payload_that_is_committed_no_longer_counts() {
        let (mut uncommitted, mut leader) = (Uncommitted::default(), leader());
        for index in 1..=50 {
            leader.view.hard_state.commit = Index(index - 1);
            uncommitted.wrote(node(1), &leader, &[proposal(index, 90)]).unwrap();
        }
        assert_eq!(uncommitted.sizes.len(), 1);
    }
}
