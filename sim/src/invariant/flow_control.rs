//! A leader feels its way before it sends much: one probe at a time, and nothing after a snapshot that is on its way.
//!
//! Between two Readys of l, in one term and one configuration:
//!
//! ```text
//! l probes m before and after                       ⇒  appends with entries to m ≤ answers of m, and one more for each
//!                                                      time that l began to probe m                               (1)
//! l replicates to m after, and did not before       ⇒  m accepted an append                                       (2)
//! l waited for m to take a snapshot, and no longer  ⇒  m accepted an append, or the host said how it ended        (3)
//! l replicated to m, and probes it after            ⇒  m rejected an append, or the host said that m or a
//!                                                      snapshot for it did not get through                        (4)
//! ```
//!
//! Source: thesis, section 10.2.1; the states of a progress in etcd's package `tracker`. A part of
//! [`Invariant::BoundedMemory`]: a leader that does otherwise sends the same entries, or snapshots, again and again to
//! followers that may be down.

use raft::{Body, Message, NodeId, Purpose, Term};

use super::cluster::Cluster;
use super::input::{ProgressState, ProgressView};
use super::violation::{Check, Invariant, Violation};
use super::words;
use crate::few::Few;
use crate::shared::Shared;

/// What each leader did with each follower since its last Ready, and what it heard.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct FlowControl {
    known: Few<(NodeId, NodeId), Known>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Known {
    term: Term,
    state: ProgressState,
    /// Whether a probe may go out, at the last Ready.
    may_probe: bool,
    probes: u32,
    answers: u32,
    accepted: bool,
    rejected: bool,
    /// Whether the host has told how a snapshot ended, or that it cannot reach the follower, and the leader has not been
    /// seen to act on it yet.
    reported: bool,
}

impl Known {
    const fn new(term: Term, state: ProgressState) -> Self {
        Self { term, state, may_probe: true, probes: 0, answers: 0, accepted: false, rejected: false, reported: false }
    }
}

impl FlowControl {
    /// A message arrives, and the receiver takes it next.
    pub fn received(all: &mut Shared<Self>, cluster: &Cluster, message: &Message) {
        let answers = message.body.purpose() == Purpose::ReplicationResponse;
        if !answers || cluster.get(message.to).is_none_or(|leader| leader.leads() != message.term) {
            return;
        }
        if let Some(known) = all.known.get_mut((message.to, message.from)) {
            known.answers += 1;
            known.accepted |= matches!(message.body, Body::AppendAccepted { .. });
            known.rejected |= matches!(message.body, Body::AppendRejected { .. });
        }
    }

    /// The host of a leader tells it how sending a snapshot ended, or that it cannot reach the follower.
    pub fn reported(all: &mut Shared<Self>, leader: NodeId, peer: NodeId) {
        if let Some(known) = all.known.get_mut((leader, peer)) {
            known.reported = true;
        }
    }

    /// A node hands out messages.
    pub fn hands_out(all: &mut Shared<Self>, leader: NodeId, messages: &[Message]) {
        for message in messages {
            if let Body::Append { entries, .. } = &message.body
                && !entries.is_empty()
                && let Some(known) = all.known.get_mut((leader, message.to))
            {
                known.probes += 1;
            }
        }
    }

    /// The configuration of a leader changed: a member that left and joined again starts over.
    pub fn forget(&mut self, leader: NodeId) {
        self.known.retain(|(id, _), _| id != leader);
    }

    /// What the leader of a term knows of a follower, after a Ready.
    pub fn shows(all: &mut Shared<Self>, leader: NodeId, term: Term, peer: NodeId, progress: &ProgressView) -> Check {
        if leader == peer {
            return Ok(());
        }
        let before = all.known.get((leader, peer)).copied();
        let mut known = Known::new(term, progress.state);
        let judged = before.map_or(Ok(()), |before| known.follows(&before, leader, peer));
        if before != Some(known) {
            all.known.insert((leader, peer), known);
        }
        judged
    }
}

impl Known {
    /// It comes after another one, of the same leader and peer: takes over what still counts, and judges the step.
    fn follows(&mut self, before: &Self, leader: NodeId, peer: NodeId) -> Check {
        let (term, now) = (self.term, self.state);
        if before.term != term {
            return Ok(());
        }
        self.reported = before.reported && now == before.state;
        if before.accepted {
            return Ok(());
        }
        let broken = |what: String| {
            let detail = format!("node {leader} leads term {term} and {what}");
            Err(Violation::new(Invariant::BoundedMemory, &[leader, peer], detail))
        };
        match (before.state, now) {
            (ProgressState::Probe, ProgressState::Probe) => {
                let allowed = u32::from(before.may_probe) + before.answers;
                self.may_probe = before.probes < allowed;
                if before.probes <= allowed {
                    return Ok(());
                }
                let probes = before.probes;
                broken(format!(
                    "has sent node {peer} {probes} probes; expected at most {allowed}, by what that answered"
                ))
            }
            (ProgressState::Probe | ProgressState::Snapshot, ProgressState::Replicate) => {
                let before = words::progress(before.state);
                broken(format!(
                    "now sends ahead to node {peer}; expected that it {before}, since nothing was accepted meanwhile"
                ))
            }
            (ProgressState::Snapshot, ProgressState::Probe) if !before.reported => broken(format!(
                "no longer waits for node {peer} to take a snapshot; expected it to wait until it is told how that ended"
            )),
            (ProgressState::Replicate, ProgressState::Probe) if !before.rejected && !before.reported => {
                broken(format!(
                    "no longer sends ahead to node {peer}; expected it to, since that rejected nothing and was not reported to be \
                 out of reach"
                ))
            }
            (ProgressState::Probe | ProgressState::Replicate | ProgressState::Snapshot, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use raft::{EntryId, Index};

    use super::super::testing::{Bench, breaks, entries, message, node};
    use super::*;

    /// Node 1 leads term 1, and has shown what it knows of node 2.
    fn shown(state: ProgressState) -> Bench {
        let mut bench = Bench::led();
        shows(&mut bench, state).unwrap();
        bench
    }

    fn shows(bench: &mut Bench, state: ProgressState) -> Check {
        bench.checkers.progress(
            node(1),
            node(2),
            &ProgressView { state, next: raft::Index(1), ..ProgressView::default() },
        )
    }

    fn sends(bench: &mut Bench, count: usize) {
        let (previous, entries) = (EntryId::ZERO, entries(1, 1..=1));
        let append = message(1, 2, 1, Body::Append { previous, entries, commit: Index::ZERO });
        bench.checkers.hands_out(node(1), &vec![append; count]);
    }

    fn answers(bench: &mut Bench) {
        bench.checkers.received(&message(2, 1, 1, Body::HeartbeatResponse { context: Bytes::new() }));
    }

    fn accepts(bench: &mut Bench) {
        bench.checkers.received(&message(2, 1, 1, Body::AppendAccepted { index: Index(1) }));
    }

    #[test]
    fn a_second_probe_without_an_answer_is_found() {
        let mut bench = shown(ProgressState::Probe);
        sends(&mut bench, 1);
        shows(&mut bench, ProgressState::Probe).unwrap();
        answers(&mut bench);
        sends(&mut bench, 1);
        shows(&mut bench, ProgressState::Probe).unwrap();
        sends(&mut bench, 1);
        breaks(Invariant::BoundedMemory, shows(&mut bench, ProgressState::Probe));
    }

    #[test]
    fn a_leader_whose_append_was_accepted_may_send_more() {
        let mut bench = shown(ProgressState::Probe);
        sends(&mut bench, 5);
        accepts(&mut bench);
        shows(&mut bench, ProgressState::Replicate).unwrap();
        sends(&mut bench, 5);
        shows(&mut bench, ProgressState::Replicate).unwrap();
    }

    #[test]
    fn sending_ahead_without_an_acceptance_is_found() {
        for before in [ProgressState::Probe, ProgressState::Snapshot] {
            let mut bench = shown(before);
            answers(&mut bench);
            breaks(Invariant::BoundedMemory, shows(&mut bench, ProgressState::Replicate));
        }
    }

    #[test]
    fn a_snapshot_that_is_no_longer_waited_for_is_found_unless_it_was_reported() {
        let mut bench = shown(ProgressState::Snapshot);
        answers(&mut bench);
        breaks(Invariant::BoundedMemory, shows(&mut bench, ProgressState::Probe));
        let mut bench = shown(ProgressState::Snapshot);
        bench.checkers.snapshot_reported(node(1), node(2));
        shows(&mut bench, ProgressState::Snapshot).unwrap();
        shows(&mut bench, ProgressState::Probe).unwrap();
    }

    #[test]
    fn a_leader_that_stops_sending_ahead_without_a_reason_is_found() {
        let after = |reason: fn(&mut Bench)| {
            let mut bench = shown(ProgressState::Replicate);
            reason(&mut bench);
            shows(&mut bench, ProgressState::Probe)
        };
        after(|bench| {
            let body = Body::AppendRejected { index: Index(3), hint: EntryId::ZERO };
            bench.checkers.received(&message(2, 1, 1, body));
        })
        .unwrap();
        after(|bench| bench.checkers.unreachable_reported(node(1), node(2))).unwrap();
        breaks(Invariant::BoundedMemory, after(answers));
    }

    #[test]
    fn another_configuration_begins_anew() {
        let mut bench = shown(ProgressState::Snapshot);
        let configuration = super::super::testing::configuration(&[1, 2, 3, 4]);
        bench.checkers.configuration_applied(node(1), Index(3), &configuration).unwrap();
        shows(&mut bench, ProgressState::Probe).unwrap();
    }
}
