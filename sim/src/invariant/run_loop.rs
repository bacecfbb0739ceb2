//! The rules of the loop that runs a node in the concurrent front end, as its host sees them.
//!
//! ```text
//! proposals are taken                    ⇒  a leader is known
//! a Ready is handed out                  ⇒  none is out                  (synchronous storage writes)
//! a queue grows                          ⇒  it stays within its limit    (storage responses aside)
//! ticks pending                          ≤  their limit
//! ticks pending + missed + taken         =  ticks of the clock
//! ```
//!
//! Source: the rules of [`raft::node::RunLoop`]; the first and the second are those of etcd's `node.run`, the others say
//! that a consumer of Readys that is slow costs time and not memory, and that what it costs is told.

use raft::NodeId;
use raft::node::Arm;

use super::input::LoopView;
use super::violation::{Check, Invariant, Violation};

/// Judges what a loop did in one event, by how it showed itself before and after.
pub(super) fn follows(id: NodeId, taken: Option<Arm>, before: &LoopView, after: &LoopView) -> Check {
    let broken = |detail: String| Err(Violation::new(Invariant::RunLoop, &[id], format!("node {id} {detail}")));
    if taken == Some(Arm::Proposal) && before.leader.is_none() {
        return broken("took a proposal while it knew no leader".to_owned());
    }
    if after.accepts_proposals && after.leader.is_none() {
        return broken("accepts proposals while it knows no leader".to_owned());
    }
    if taken == Some(Arm::Ready) && before.ready_out {
        return broken("handed out a Ready while another was out".to_owned());
    }
    let LoopView { limits, proposals, messages, pending_ticks, missed_ticks, taken_ticks, clock, .. } = *after;
    if proposals > before.proposals && proposals > limits.proposals {
        return broken(format!("has {proposals} proposals in a queue for {}", limits.proposals));
    }
    let responded = after.responses > before.responses;
    if messages > before.messages && messages > limits.messages && !responded {
        return broken(format!("has {messages} messages in a queue for {}", limits.messages));
    }
    if pending_ticks > limits.ticks {
        return broken(format!("has {pending_ticks} ticks pending, {} at most", limits.ticks));
    }
    if u64::from(pending_ticks) + missed_ticks + taken_ticks != clock {
        let counted = format!("{pending_ticks} pending, {missed_ticks} missed, {taken_ticks} taken");
        return broken(format!("has lost count of {clock} ticks: {counted}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use raft::node::Limits;

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
