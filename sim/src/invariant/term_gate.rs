//! A message of a later term takes its receiver to that term, one of an earlier term changes nothing, and a leader is followed.
//!
//! ```text
//! n takes m, of a later term, and does not refuse it   ⇒  n is in that term, or a later one                       (1)
//! n takes m, of an earlier term                        ⇒  n's part, term, vote, commit index and log stay          (2)
//! l leads and takes m, of an earlier term              ⇒  what l knows of its members stays                        (3)
//! n takes an append, a heartbeat or a snapshot, of its own term or a later one
//!                                                      ⇒  n follows the sender, in that term                       (4)
//! ```
//!
//! Source: Raft paper, figure 2, "Rules for Servers" (1) and section 5.1 ("if a server receives a request with a stale
//! term number, it rejects the request"); `UpdateTerm` and `DropStaleResponse` in `raft.tla`; for (4) figure 2, "Rules for Servers:
//! Candidates", and section 5.2 ("if the leader's term is at least as large as the candidate's current term, then the candidate
//! recognizes the leader as legitimate and returns to follower state"). A part of [`Invariant::ElectionSafety`], which rests on
//! terms being a clock; (3) is one of [`Invariant::CommitQuorum`].
//!
//! (1) has exceptions, as in etcd: a pre-vote speaks of a term in which no node is yet, and so does its grant; and with
//! check-quorum a vote is withheld from any node that asks while there is a leader.

use std::collections::BTreeMap;

use raft::{Body, Message, NodeId, Purpose, Role, SoftState, Term};

use super::cluster::{Cluster, Node};
use super::input::View;
use super::violation::{Check, Invariant, Violation};
use super::words;

/// What the message that a node is taking has to lead to.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct TermGate {
    expected: BTreeMap<NodeId, (NodeId, Expected)>,
}

#[derive(Clone, Copy, Hash, Debug)]
enum Expected {
    /// The node reaches at least this term.
    Reaches(Term),
    /// The node's view stays the same.
    Stays(View),
    /// A follower of the sender, in this term.
    Follows(Term),
}

impl TermGate {
    /// A message arrives, and the receiver takes it next.
    pub fn received(&mut self, cluster: &Cluster, message: &Message) {
        let (Some(node), Some(term)) = (cluster.get(message.to), message.term) else { return };
        let own = node.view.hard_state.term;
        let expected = if term == Term::ZERO {
            return;
        } else if term < own {
            Expected::Stays(node.view)
        } else if message.body.purpose() == Purpose::Replication {
            Expected::Follows(term)
        } else if term > own && takes_up_term(node, &message.body) {
            Expected::Reaches(term)
        } else {
            return;
        };
        self.expected.insert(message.to, (message.from, expected));
    }

    /// The receiver refused the message, or crashed.
    pub fn refused(&mut self, id: NodeId) {
        self.expected.remove(&id);
    }

    /// The receiver's view afterwards.
    pub fn shows(&mut self, id: NodeId, view: &View) -> Check {
        if self.expected.is_empty() {
            return Ok(());
        }
        let Some((from, expected)) = self.expected.remove(&id) else { return Ok(()) };
        let detail = match expected {
            Expected::Reaches(term) if view.hard_state.term < term => {
                format!(
                    "node {id} is in term {} after a message from node {from}; expected it to be in term {term}, of which that \
                     speaks",
                    view.hard_state.term
                )
            }
            Expected::Stays(before) if *view != before => {
                format!(
                    "node {id} went from {} to {} by a message of an earlier term from node {from}; expected it to ignore that",
                    words::view(&before),
                    words::view(view)
                )
            }
            Expected::Follows(term) if !follows(view, from, term) => {
                format!(
                    "node {id} is {} after a message from node {from}, which leads term {term}; expected it to follow that node \
                     in that term",
                    words::view(view)
                )
            }
            Expected::Reaches(_) | Expected::Stays(_) | Expected::Follows(_) => return Ok(()),
        };
        Err(Violation::new(Invariant::ElectionSafety, &[id, from], detail))
    }
}

fn follows(view: &View, leader: NodeId, term: Term) -> bool {
    let SoftState { role, leader: known } = view.soft_state;
    view.hard_state.term == term && role == Role::Follower && known == Some(leader)
}

/// Whether a node of an earlier term that takes this has to be in the message's term afterwards.
fn takes_up_term(node: &Node, body: &Body) -> bool {
    let may_withhold = matches!(body, Body::RequestVote { transfer: false, .. })
        && node.config.as_ref().is_none_or(|config| config.check_quorum);
    !body.asks_about_term() && !may_withhold
}

/// A leader took a message of an earlier term, and what it knows of its members changed.
pub(super) fn counted(id: NodeId, from: NodeId) -> Check {
    let detail =
        format!("node {id} leads, and counts what node {from} sent it in an earlier term; expected it to ignore that");
    Err(Violation::new(Invariant::CommitQuorum, &[id, from], detail))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use raft::{HardState, Index};

    use super::super::testing::{Bench, breaks, entries, message, node};
    use super::*;

    fn accepts(term: u64) -> Message {
        message(2, 1, term, Body::AppendAccepted { index: Index(1) })
    }

    fn observed(bench: &mut Bench, change: impl FnOnce(&mut View)) -> Check {
        let view = bench.view(1, change);
        bench.checkers.observed(node(1), &view)
    }

    /// Node 1 leads term 3, and all is durable everywhere.
    fn led() -> Bench {
        let mut bench = Bench::new(3);
        bench.elect(1, 3, &[2]).unwrap();
        bench.append(2, &entries(3, 1..=1)).unwrap();
        bench
    }

    #[test]
    fn a_later_term_that_is_not_taken_up_is_found() {
        let mut bench = led();
        bench.checkers.received(&accepts(4));
        breaks(Invariant::ElectionSafety, observed(&mut bench, |_| ()));
        for refused in [true, false] {
            let mut bench = led();
            bench.checkers.received(&accepts(4));
            match refused {
                true => bench.checkers.refused(node(1)),
                false => {
                    let view = bench.view(1, |view| {
                        view.hard_state.term = Term(4);
                        view.hard_state.vote = None;
                        view.soft_state = Default::default();
                    });
                    bench.checkers.observed(node(1), &view).unwrap();
                }
            }
            observed(&mut bench, |_| ()).unwrap();
        }
    }

    #[test]
    fn a_pre_vote_of_a_later_term_need_not_be_taken_up() {
        let mut bench = led();
        bench.checkers.received(&message(2, 1, 4, Body::PreVoteResponse { granted: true }));
        observed(&mut bench, |_| ()).unwrap();
        bench.checkers.received(&message(2, 1, 4, Body::PreVoteResponse { granted: false }));
        breaks(Invariant::ElectionSafety, observed(&mut bench, |_| ()));
    }

    #[test]
    fn an_earlier_term_that_changes_something_is_found() {
        for (term, right) in [(3, true), (2, false)] {
            let mut bench = led();
            bench.checkers.received(&accepts(term));
            let check = observed(&mut bench, |view| view.hard_state.commit = Index(1));
            match right {
                true => check.unwrap(),
                false => breaks(Invariant::ElectionSafety, check),
            }
        }
    }

    #[test]
    fn who_hears_a_leader_and_does_not_follow_it_is_found() {
        let heartbeat = || Body::Heartbeat { commit: Index::ZERO, context: Bytes::new() };
        let follower = |leader| SoftState { role: Role::Follower, leader };
        let candidate = SoftState { role: Role::Candidate, leader: None };
        for (term, soft_state, right) in [
            (3, follower(Some(node(1))), true),
            (4, follower(Some(node(1))), true),
            (3, follower(None), false),
            (3, follower(Some(node(3))), false),
            (3, candidate, false),
        ] {
            let mut bench = led();
            // So that a campaign breaks nothing else.
            bench.checkers.campaign_requested(node(2));
            bench.checkers.received(&message(1, 2, term, heartbeat()));
            let view = bench.view(2, |view| {
                view.hard_state = HardState { term: Term(term), ..view.hard_state };
                if term == 4 {
                    view.hard_state.vote = None;
                }
                view.soft_state = soft_state;
            });
            let check = bench.checkers.observed(node(2), &view);
            match right {
                true => check.unwrap(),
                false => breaks(Invariant::ElectionSafety, check),
            }
        }
    }

    #[test]
    fn a_leader_that_counts_what_came_too_late_is_found() {
        breaks(Invariant::CommitQuorum, led().checkers.counted_late(node(1), node(2)));
    }
}
