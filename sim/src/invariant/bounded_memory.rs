//! Bounded memory: windows and buffers stay within their limits, and what they count is what they hold.
//!
//! ```text
//! l replicates to m  ⇒  messages in flight ≤ max_inflight_messages
//!                     ∧ bytes in flight < max_inflight_bytes + one message
//!                     ∧ bytes in flight ≤ messages in flight · the largest message
//!                     ∧ the window is full only where one of the limits is reached
//!                     ∧ the window is empty only where nothing is sent and not acknowledged
//! l leads            ⇒  payload it has not applied ≤ what it had when elected + max_uncommitted_size, or one proposal
//!                     ∧  what it counts as uncommitted = the payload of its own term that it has not applied
//!                     ∧  what it sends a member next comes after what that has acknowledged
//! ```
//!
//! Source: thesis, section 10.2.1 (pipelining); `max_inflight_*` and `max_uncommitted_size` of [`raft::Config`]; etcd
//! issue 9073 and CockroachDB's memory exhaustion by uncommitted entries (etcd pull request 10167).
//!
//! The third and fourth line find a window whose bytes are not reset with it: such a leak would in the end stop
//! replication. The sixth line allows for what a leader inherits: a node never counts that, and yet discounts it when it
//! is applied. The seventh allows for the same.

use std::collections::VecDeque;

use raft::{Entry, EntryId, Index, NodeId, Term};

use super::cluster::Node;
use super::input::{ProgressState, ProgressView};
use super::violation::{Check, Invariant, Violation};
use crate::few::Few;
use crate::shared::Shared;

/// What a leader has in flight to a follower. `largest` is the largest payload of any entry.
pub(super) fn in_flight(id: NodeId, node: &Node, peer: NodeId, progress: &ProgressView, largest: u64) -> Check {
    let Some(config) = &node.config else { return Ok(()) };
    let ProgressView { inflight_messages: messages, inflight_bytes: bytes, .. } = *progress;
    // A message holds what the limit allows, or one entry.
    let message = config.max_size_per_message.max(largest);
    let exceeded = |what: String| {
        let detail = format!("node {id} has {messages} messages of {bytes} bytes in flight to node {peer}{what}");
        Err(Violation::new(Invariant::BoundedMemory, &[id, peer], detail))
    };
    if messages > config.max_inflight_messages {
        return exceeded(format!("; expected at most {} messages", config.max_inflight_messages));
    }
    if bytes > config.max_inflight_bytes.saturating_add(message).saturating_sub(1) {
        return exceeded(format!(
            "; expected fewer than {} bytes before the last message, and at most {message} bytes in each",
            config.max_inflight_bytes
        ));
    }
    if progress.inflights_full && messages < config.max_inflight_messages && bytes < config.max_inflight_bytes {
        return exceeded(format!(
            " and takes the window for full; expected so from {} messages or {} bytes on",
            config.max_inflight_messages, config.max_inflight_bytes
        ));
    }
    if progress.state == ProgressState::Replicate && messages == 0 && progress.next > progress.matched.next() {
        let (matched, next) = (progress.matched, progress.next);
        return exceeded(format!(
            ", which has acknowledged up to {matched} and is sent {next} next; expected messages in flight for what lies between"
        ));
    }
    if bytes > message.saturating_mul(messages as u64) {
        return exceeded(format!("; expected at most {message} bytes in each message"));
    }
    Ok(())
}

/// What a leader sends a member next comes after what that has acknowledged: it never sends the same again without a reason.
pub(super) fn comes_next(id: NodeId, peer: NodeId, progress: &ProgressView) -> Check {
    let ProgressView { matched, next, .. } = *progress;
    if matched < next {
        return Ok(());
    }
    let detail = format!(
        "node {id} sends node {peer} {next} next, which has acknowledged up to {matched}; expected it to send what comes after"
    );
    Err(Violation::new(Invariant::BoundedMemory, &[id, peer], detail))
}

/// The payload in a node's log that it has not applied.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Unapplied {
    sizes: VecDeque<(EntryId, u64)>,
    total: u64,
    /// The term in which the node was last elected, and how much of the total is of earlier ones.
    elected_in: Term,
    earlier: u64,
    /// How much of it the node had when it was last elected.
    inherited: u64,
    /// How much of it snapshots replaced. That part may have been handed out before, and be reported as applied later,
    /// even to a leader, which takes it for its own.
    overtaken: u64,
    /// How much the node took for applied when it was last elected, although the reports of it were still under way,
    /// since other reports had overtaken them.
    pub not_reported: u64,
}

impl Unapplied {
    /// A node became leader: what it has is not counted against its limit.
    pub fn elected(&mut self, node: &Node) {
        self.forget_applied(node.view.applied);
        (self.elected_in, self.earlier) = (node.view.hard_state.term, self.total);
        self.inherited = self.total + self.overtaken + self.not_reported;
    }

    /// A node starts.
    pub fn started(&mut self) {
        *self = Self::default();
    }

    /// A node received a snapshot that replaces its log.
    pub fn restored(&mut self) {
        *self = Self { overtaken: self.overtaken + self.total, ..Self::default() };
    }

    /// A node wrote entries.
    pub fn wrote(&mut self, id: NodeId, node: &Node, entries: &[Entry], largest: u64) -> Check {
        let Some(first) = entries.first() else { return Ok(()) };
        let inherits = |entry: &Entry| node.leads().is_some_and(|term| entry.term < term);
        while let Some((id, size)) = self.sizes.pop_back_if(|(id, _)| id.index >= first.index) {
            self.remove(id, size);
            if inherits(first) {
                self.inherited = self.inherited.saturating_sub(size);
            }
        }
        // What a node had received but not handed out when it was elected is inherited too.
        self.inherited += entries.iter().filter(|entry| inherits(entry)).map(Entry::payload_size).sum::<u64>();
        for entry in entries.iter().filter(|entry| entry.payload_size() > 0) {
            self.add(entry.id(), entry.payload_size());
        }
        self.forget_applied(node.view.applied);
        let (Some(term), Some(config)) = (node.leads(), &node.config) else { return Ok(()) };
        let (total, inherited, limit) = (self.total, self.inherited, config.max_uncommitted_size);
        if total <= inherited.saturating_add(limit.max(largest)) {
            return Ok(());
        }
        let detail = format!(
            "node {id} leads term {term} with {total} bytes of proposals that are not applied, and began with {inherited}; \
             expected at most {limit} bytes of its own, or a single proposal"
        );
        Err(Violation::new(Invariant::BoundedMemory, &[id], detail))
    }

    fn has_applied(&self, applied: Index) -> bool {
        self.sizes.front().is_some_and(|(id, _)| id.index <= applied)
    }

    fn forget_applied(&mut self, applied: Index) {
        while let Some((id, size)) = self.sizes.pop_front_if(|(id, _)| id.index <= applied) {
            self.remove(id, size);
        }
    }

    fn add(&mut self, id: EntryId, size: u64) {
        self.sizes.push_back((id, size));
        self.total += size;
        self.earlier += if id.term < self.elected_in { size } else { 0 };
    }

    fn remove(&mut self, id: EntryId, size: u64) {
        self.total -= size;
        self.earlier -= if id.term < self.elected_in { size } else { 0 };
    }

    /// What a leader counts as uncommitted, once all that it proposed was handed out.
    pub fn counts(
        all: &mut Shared<Few<NodeId, Self>>,
        id: NodeId,
        node: &Node,
        counted: u64,
        not_reported: impl FnOnce() -> u64,
    ) -> Check {
        match all.get(id) {
            Some(known) if !known.has_applied(node.view.applied) => known.agrees_with(id, node, counted, not_reported),
            Some(_) | None => {
                let known = all.get_or_default(id);
                known.forget_applied(node.view.applied);
                known.agrees_with(id, node, counted, not_reported)
            }
        }
    }

    fn agrees_with(&self, id: NodeId, node: &Node, counted: u64, not_reported: impl FnOnce() -> u64) -> Check {
        let Some(term) = node.leads() else { return Ok(()) };
        let (own, inherited) = (self.total - self.earlier, self.inherited);
        if own <= counted.saturating_add(inherited) && (counted <= own || counted - own <= not_reported()) {
            return Ok(());
        }
        let detail = format!(
            "node {id} leads term {term} and counts {counted} bytes as uncommitted; expected {own}, which is what it proposed \
             and has not applied, or up to {inherited} less, with which it began"
        );
        Err(Violation::new(Invariant::BoundedMemory, &[id], detail))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use raft::{Config, HardState, Role, SoftState};

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

    #[test]
    fn a_window_that_is_full_below_its_limits_is_found() {
        let full = |inflight_messages, inflight_bytes| {
            let progress =
                ProgressView { inflight_messages, inflight_bytes, inflights_full: true, ..ProgressView::default() };
            in_flight(node(1), &leader(), node(2), &progress, 40)
        };
        full(3, 10).unwrap();
        full(2, 100).unwrap();
        breaks(Invariant::BoundedMemory, full(2, 60));
    }

    #[test]
    fn a_window_that_forgets_what_is_not_acknowledged_is_found() {
        let sent_ahead = |next| {
            let progress = ProgressView {
                matched: Index(4),
                next: Index(next),
                state: ProgressState::Replicate,
                ..ProgressView::default()
            };
            in_flight(node(1), &leader(), node(2), &progress, 40)
        };
        sent_ahead(5).unwrap();
        breaks(Invariant::BoundedMemory, sent_ahead(6));
    }

    fn proposal(index: u64, size: usize) -> Entry {
        Entry { term: Term(1), index: Index(index), data: Bytes::from(vec![0; size]), ..Entry::default() }
    }

    #[test]
    fn payload_without_bound_is_found() {
        let (mut unapplied, leader) = (Unapplied::default(), leader());
        unapplied.wrote(node(1), &leader, &[proposal(1, 90)], 90).unwrap();
        breaks(Invariant::BoundedMemory, unapplied.wrote(node(1), &leader, &[proposal(2, 90)], 90));
    }

    #[test]
    fn one_proposal_of_any_size_is_fine() {
        Unapplied::default().wrote(node(1), &leader(), &[proposal(1, 900)], 900).unwrap();
    }

    #[test]
    fn payload_that_is_inherited_does_not_count() {
        let mut unapplied = Unapplied::default();
        let follower = Node { up: false, ..leader() };
        (1..=5).for_each(|index| unapplied.wrote(node(1), &follower, &[proposal(index, 90)], 90).unwrap());
        unapplied.elected(&leader());
        unapplied.wrote(node(1), &leader(), &[proposal(6, 90)], 90).unwrap();
        breaks(Invariant::BoundedMemory, unapplied.wrote(node(1), &leader(), &[proposal(7, 90)], 90));
    }

    #[test]
    fn payload_that_a_snapshot_replaced_may_be_discounted_once_more() {
        let mut unapplied = Unapplied::default();
        unapplied.wrote(node(1), &Node::default(), &[proposal(1, 90)], 90).unwrap();
        unapplied.restored();
        unapplied.elected(&leader());
        unapplied.wrote(node(1), &leader(), &[proposal(2, 90), proposal(3, 90)], 90).unwrap();
        breaks(Invariant::BoundedMemory, unapplied.wrote(node(1), &leader(), &[proposal(4, 90)], 90));
    }

    #[test]
    fn payload_that_is_received_before_an_election_and_written_after_it_does_not_count() {
        let mut unapplied = Unapplied::default();
        unapplied.elected(&leader());
        let received = Entry { term: Term::ZERO, ..proposal(1, 90) };
        unapplied.wrote(node(1), &leader(), &[received, proposal(2, 90)], 90).unwrap();
        breaks(Invariant::BoundedMemory, unapplied.wrote(node(1), &leader(), &[proposal(3, 90)], 90));
    }

    fn counts(unapplied: &Unapplied, leader: &Node, counted: u64, not_reported: u64) -> Check {
        let mut all = Shared::<Few<NodeId, Unapplied>>::default();
        all.insert(node(1), unapplied.clone());
        Unapplied::counts(&mut all, node(1), leader, counted, || not_reported)
    }

    #[test]
    fn a_count_of_uncommitted_data_that_is_not_what_it_counts_is_found() {
        let mut unapplied = Unapplied::default();
        let follower = Node { up: false, ..leader() };
        unapplied.wrote(node(1), &follower, &[Entry { term: Term::ZERO, ..proposal(1, 30) }], 90).unwrap();
        unapplied.elected(&leader());
        unapplied.wrote(node(1), &leader(), &[proposal(2, 40), proposal(3, 40)], 90).unwrap();
        for (counted, right) in [(80, true), (50, true), (49, false), (81, false)] {
            let check = counts(&unapplied, &leader(), counted, 0);
            match right {
                true => check.unwrap(),
                false => breaks(Invariant::BoundedMemory, check),
            }
        }
        let mut leader = leader();
        leader.view.applied = Index(2);
        counts(&unapplied, &leader, 40, 0).unwrap();
        // The report that the other one is applied may still be under way.
        counts(&unapplied, &leader, 80, 40).unwrap();
        breaks(Invariant::BoundedMemory, counts(&unapplied, &leader, 80, 39));
    }

    #[test]
    fn sending_again_what_is_acknowledged_is_found() {
        let progress =
            |matched, next| ProgressView { matched: Index(matched), next: Index(next), ..ProgressView::default() };
        comes_next(node(1), node(2), &progress(4, 5)).unwrap();
        breaks(Invariant::BoundedMemory, comes_next(node(1), node(2), &progress(4, 4)));
    }

    #[test]
    fn payload_that_is_applied_or_cut_off_no_longer_counts() {
        let (mut unapplied, mut leader) = (Unapplied::default(), leader());
        for index in 1..=50 {
            leader.view.applied = Index(index - 1);
            unapplied.wrote(node(1), &leader, &[proposal(index, 90)], 90).unwrap();
            unapplied.wrote(node(1), &leader, &[proposal(index, 80)], 90).unwrap();
        }
        assert_eq!((unapplied.sizes.len(), unapplied.total), (1, 80));
    }
}
