//! The rules of the loop that runs a node in the concurrent front end, as its host sees them.
//!
//! ```text
//! an input is taken                      ⇒  none that came before it waits, save proposals while they are not accepted
//! a Ready is handed out                  ⇒  no input waits that came before it was asked for, save those
//! proposals are taken                    ⇒  a leader is known
//! a Ready is handed out                  ⇒  none is out                  (synchronous storage writes)
//! a queue grows                          ⇒  it stays within its limit    (storage responses aside)
//! a proposal is said to be taken         ⇒  the node leads and its log grew, or it follows a leader
//! a proposal is said to be dropped       ⇒  its log did not grow
//! a proposal is taken                    ⇒  it came after those that were taken before it
//! a change removes the node              ⇒  no proposals are taken, until another leader is known
//! ticks pending                          ≤  their limit
//! ticks pending + missed + taken         =  ticks of the clock
//! ```
//!
//! Source: the rules of [`raft::node::RunLoop`]. The first four are those of etcd's `node.run`, to which a call hands
//! its input before it returns. The others say that a slow consumer of Readys costs time, not memory, and that lost
//! ticks are counted.

use raft::node::{Arm, Ticket};
use raft::{NodeId, Role};

use super::arrivals::{Disorder, Took};
use super::input::{LoopView, View};
use super::violation::{Check, Invariant, Violation};
use super::words;

/// Judges what a loop did in one event, by its views before and after.
pub(super) fn follows(id: NodeId, taken: Option<Arm>, before: &LoopView, after: &LoopView) -> Check {
    let broken = |detail: String| Err(Violation::new(Invariant::RunLoop, &[id], format!("node {id} {detail}")));
    if taken == Some(Arm::Proposal) && before.leader.is_none() {
        return broken("took a proposal while it knew no leader; expected the proposal to wait for one".to_owned());
    }
    if after.accepts_proposals && after.leader.is_none() {
        return broken("accepts proposals while it knows no leader; expected them to wait for one".to_owned());
    }
    if taken == Some(Arm::Ready) && before.ready_out {
        return broken("handed out a Ready while another was out; expected one at a time".to_owned());
    }
    let LoopView { limits, proposals, messages, pending_ticks, missed_ticks, taken_ticks, clock, .. } = *after;
    if proposals > before.proposals && proposals > limits.proposals {
        return broken(format!("has {proposals} proposals in its queue; expected at most {}", limits.proposals));
    }
    let responded = after.responses > before.responses;
    if messages > before.messages && messages > limits.messages && !responded {
        return broken(format!("has {messages} messages in its queue; expected at most {}", limits.messages));
    }
    if pending_ticks > limits.ticks {
        return broken(format!("has {pending_ticks} ticks that wait; expected at most {}", limits.ticks));
    }
    if u64::from(pending_ticks) + missed_ticks + taken_ticks != clock {
        let counted = format!("{pending_ticks} that wait, {missed_ticks} missed and {taken_ticks} taken");
        return broken(format!("counts {counted} ticks; expected {clock} in all, as its clock does"));
    }
    Ok(())
}

/// A loop has taken a proposal, and says whether its node took it up.
pub(super) fn answers_proposal(id: NodeId, before: &View, after: &View, taken_up: bool) -> Check {
    let grew = after.last != before.last;
    let right = match before.soft_state.role {
        Role::Leader => taken_up == grew,
        Role::Follower => !grew && (!taken_up || before.soft_state.leader.is_some()),
        Role::PreCandidate | Role::Candidate => !grew && !taken_up,
    };
    if right {
        return Ok(());
    }
    let (answer, role) = (if taken_up { "taken" } else { "dropped" }, before.soft_state.role);
    let detail = format!(
        "node {id}, a {}, says that it has {answer} a proposal, and its log went from {} to {}; expected it to grow exactly \
         where a leader takes one, and nobody to take one without a leader",
        words::role(role),
        before.last,
        after.last
    );
    Err(Violation::new(Invariant::RunLoop, &[id], detail))
}

/// A loop has taken something from this arm, in its turn or not.
pub(super) fn waits_its_turn(id: NodeId, arm: Arm, turn: Result<(), Disorder>) -> Check {
    let Err(disorder) = turn else { return Ok(()) };
    let expected = "inputs to be taken in the order in which they came, save proposals that wait for a leader";
    let detail = format!("the loop of node {id} {}; expected {expected}", Took(arm, disorder));
    Err(Violation::new(Invariant::RunLoop, &[id], detail))
}

/// A loop has taken a proposal, after another one.
pub(super) fn keeps_order(id: NodeId, before: Option<Ticket>, taken: Ticket) -> Check {
    let Some(before) = before.filter(|before| *before >= taken) else { return Ok(()) };
    let detail = format!(
        "node {id} took the proposal that came as input {taken} after the one that came as input {before}; expected each once, \
         in the order in which they came"
    );
    Err(Violation::new(Invariant::RunLoop, &[id], detail))
}

/// A loop has applied a change of the membership. `was_member` and `is_member` say whether the node belonged to it
/// before and after.
pub(super) fn leaves(id: NodeId, was_member: bool, is_member: bool, accepts_proposals: bool) -> Check {
    if !was_member || is_member || !accepts_proposals {
        return Ok(());
    }
    let detail = format!(
        "node {id} accepts proposals; expected it to refuse them, since the change that it has applied removes it"
    );
    Err(Violation::new(Invariant::RunLoop, &[id], detail))
}

#[cfg(test)]
mod tests {
    use raft::node::Limits;
    use raft::{EntryId, Index, SoftState, Term};

    use super::super::testing::{breaks, node};
    use super::*;

    /// A loop with a leader that has nothing to do, and two of three ticks behind it.
    fn view() -> LoopView {
        LoopView {
            limits: Limits { proposals: 2, messages: 2, ticks: 2 },
            leader: Some(node(2)),
            accepts_proposals: true,
            pending_ticks: 1,
            taken_ticks: 1,
            missed_ticks: 1,
            clock: 3,
            proposals: 0,
            messages: 0,
            responses: 0,
            ready_out: false,
            available: 0,
        }
    }

    fn broken(taken: Option<Arm>, before: LoopView, after: LoopView) {
        breaks(Invariant::RunLoop, follows(node(1), taken, &before, &after));
    }

    #[test]
    fn a_loop_that_keeps_to_its_rules_is_fine() {
        let queued = LoopView { proposals: 2, messages: 2, ..view() };
        follows(node(1), None, &LoopView { proposals: 1, messages: 1, ..view() }, &queued).unwrap();
        follows(node(1), Some(Arm::Proposal), &queued, &LoopView { proposals: 1, ..queued }).unwrap();
        follows(node(1), Some(Arm::Ready), &view(), &LoopView { ready_out: true, ..view() }).unwrap();
        let ticked = LoopView { pending_ticks: 0, taken_ticks: 2, ..view() };
        follows(node(1), Some(Arm::Tick), &view(), &ticked).unwrap();
    }

    #[test]
    fn proposals_without_a_leader_are_found() {
        let leaderless = LoopView { leader: None, accepts_proposals: false, ..view() };
        broken(Some(Arm::Proposal), leaderless, view());
        broken(Some(Arm::Tick), view(), LoopView { leader: None, ..view() });
    }

    #[test]
    fn a_proposal_that_is_said_to_be_taken_and_is_not_is_found() {
        let shown = |role, leader: Option<u64>, last| View {
            soft_state: SoftState { role, leader: leader.map(node) },
            last: EntryId::new(Term(1), Index(last)),
            ..View::default()
        };
        let cases = [
            (Role::Leader, Some(1), true, 8, true),
            (Role::Leader, Some(1), true, 7, false),
            (Role::Leader, Some(1), false, 7, true),
            (Role::Leader, Some(1), false, 8, false),
            (Role::Follower, Some(2), true, 7, true),
            (Role::Follower, None, true, 7, false),
            (Role::Follower, None, false, 7, true),
            (Role::Candidate, None, true, 7, false),
            (Role::PreCandidate, None, false, 7, true),
        ];
        for (role, leader, taken_up, last, right) in cases {
            let check = answers_proposal(node(1), &shown(role, leader, 7), &shown(role, leader, last), taken_up);
            match right {
                true => check.unwrap(),
                false => breaks(Invariant::RunLoop, check),
            }
        }
    }

    #[test]
    fn a_proposal_that_is_taken_before_an_earlier_one_is_found() {
        let mut run_loop = raft::node::RunLoop::new(
            raft::RawNode::new(raft::Config::new(node(1)), raft::MemStorage::default()).unwrap(),
            Limits::default(),
        );
        let (first, second) = (run_loop.request_ready().unwrap(), run_loop.request_ready().unwrap());
        keeps_order(node(1), None, first).unwrap();
        keeps_order(node(1), Some(first), second).unwrap();
        breaks(Invariant::RunLoop, keeps_order(node(1), Some(second), first));
    }

    #[test]
    fn what_is_taken_before_its_turn_is_found_and_told_in_words() {
        waits_its_turn(node(1), Arm::Tick, Ok(())).unwrap();
        let violation = waits_its_turn(node(1), Arm::Tick, Err(Disorder::Overtakes(Arm::Message))).unwrap_err();
        assert_eq!(
            (violation.invariant, &*violation.detail),
            (
                Invariant::RunLoop,
                "the loop of node 1 took a tick before a message, request or report that came earlier and could be taken; \
                 expected inputs to be taken in the order in which they came, save proposals that wait for a leader"
            )
        );
        breaks(Invariant::RunLoop, waits_its_turn(node(1), Arm::Advance, Err(Disorder::NeverCame)));
    }

    #[test]
    fn a_removed_node_that_accepts_proposals_is_found() {
        leaves(node(1), true, false, false).unwrap();
        leaves(node(1), true, true, true).unwrap();
        leaves(node(1), false, false, true).unwrap();
        breaks(Invariant::RunLoop, leaves(node(1), true, false, true));
    }

    #[test]
    fn a_second_ready_is_found() {
        let out = LoopView { ready_out: true, ..view() };
        broken(Some(Arm::Ready), out, out);
    }

    #[test]
    fn a_queue_beyond_its_limit_is_found_unless_storage_has_responded() {
        let full = LoopView { proposals: 2, messages: 2, ..view() };
        broken(None, full, LoopView { proposals: 3, ..full });
        broken(None, full, LoopView { messages: 3, ..full });
        follows(node(1), None, &full, &LoopView { messages: 3, responses: 1, ..full }).unwrap();
    }

    #[test]
    fn ticks_beyond_their_limit_and_ticks_that_nobody_counts_are_found() {
        broken(None, view(), LoopView { pending_ticks: 3, clock: 5, ..view() });
        broken(None, view(), LoopView { clock: 4, ..view() });
    }
}
