//! Whether the loop behind handles takes its inputs in the order in which the handles handed them in.

use raft::node::{Arm, RunLoop, Ticket};
use raft::{MemStorage, Node};

/// What waits in the loop, in the order in which it was first seen there.
///
/// The driver takes many inputs at once, so only those that are left can be seen: each one that is gone must have come
/// before those that are left. Excepted are proposals, which may have waited for a leader meanwhile, and requests for a
/// Ready.
#[derive(Debug, Default)]
pub(super) struct Order {
    waiting: Vec<(Ticket, Arm)>,
    accepts_proposals: bool,
}

impl Order {
    /// A call may have handed something in, or taken it back.
    pub(super) fn look(&mut self, node: &Node<MemStorage>) {
        let (now, accepts_proposals) = node.inspect(seen);
        self.waiting.retain(|waiting| now.contains(waiting));
        let came: Vec<_> = now.into_iter().filter(|waiting| !self.waiting.contains(waiting)).collect();
        self.waiting.extend(came);
        self.accepts_proposals = accepts_proposals;
    }

    /// The driver may have taken something.
    pub(super) fn look_after_driver(&mut self, node: &Node<MemStorage>) {
        let (left, accepts_proposals) = node.inspect(seen);
        self.check(&left);
        self.waiting = left;
        self.accepts_proposals = accepts_proposals;
    }

    fn check(&self, left: &[(Ticket, Arm)]) {
        let mut passed: Option<Arm> = None;
        // The first input that is taken finds proposals accepted, or not, as they were before.
        let mut may_be_first = true;
        for (ticket, arm) in &self.waiting {
            let is_left = left.iter().any(|(other, _)| other == ticket);
            match (is_left, arm) {
                (true, Arm::Ready) => {}
                (true, Arm::Proposal) if !(may_be_first && self.accepts_proposals) => {}
                (true, arm) => passed = passed.or(Some(*arm)),
                (false, arm) => {
                    assert_eq!(passed, None, "the loop took from {arm:?}, and what came earlier from there waits");
                    may_be_first = may_be_first && *arm == Arm::Ready;
                }
            }
        }
        let known = left.iter().all(|waiting| self.waiting.contains(waiting));
        assert!(known, "inputs came while only the driver was polled");
    }
}

fn seen(run_loop: &RunLoop<MemStorage>) -> (Vec<(Ticket, Arm)>, bool) {
    (run_loop.waiting(), run_loop.accepts_proposals())
}

#[cfg(test)]
mod tests {
    use raft::node::Limits;
    use raft::{Config, NodeId, RawNode};

    use super::*;

    /// A proposal, a tick, a request for a Ready and a question for the status, in this order.
    fn order(accepts_proposals: bool) -> Order {
        let one = NodeId::new(1).expect("not zero");
        let node = RawNode::new(Config::new(one), MemStorage::new()).expect("a legal state");
        let mut run_loop = RunLoop::new(node, Limits::default());
        run_loop.propose("x".into()).expect("there is room");
        run_loop.tick().expect("it runs");
        run_loop.request_ready().expect("it runs");
        run_loop.request_status().expect("it runs");
        Order { waiting: run_loop.waiting(), accepts_proposals }
    }

    fn without(order: &Order, taken: &[Arm]) -> Vec<(Ticket, Arm)> {
        order.waiting.iter().filter(|(_, arm)| !taken.contains(arm)).copied().collect()
    }

    #[test]
    fn what_is_taken_from_the_front_or_while_a_proposal_waits_is_fine() {
        for taken in [&[][..], &[Arm::Proposal], &[Arm::Proposal, Arm::Tick], &Arm::ALL] {
            order(true).check(&without(&order(true), taken));
        }
        for taken in [&[Arm::Tick][..], &[Arm::Tick, Arm::Status], &[Arm::Tick, Arm::Ready]] {
            order(false).check(&without(&order(false), taken));
        }
    }

    #[test]
    #[should_panic(expected = "the loop took from Tick, and what came earlier from there waits")]
    fn a_proposal_that_is_passed_although_proposals_are_accepted_is_noticed() {
        order(true).check(&without(&order(true), &[Arm::Tick]));
    }

    #[test]
    #[should_panic(expected = "the loop took from Status, and what came earlier from there waits")]
    fn a_tick_that_is_passed_is_noticed() {
        order(false).check(&without(&order(false), &[Arm::Status]));
    }

    #[test]
    #[should_panic(expected = "the loop took from Ready, and what came earlier from there waits")]
    fn a_ready_from_before_what_came_before_it_was_asked_for_is_noticed() {
        order(false).check(&without(&order(false), &[Arm::Ready]));
    }

    #[test]
    #[should_panic(expected = "inputs came while only the driver was polled")]
    fn an_input_from_nowhere_is_noticed() {
        let order = order(true);
        Order { waiting: order.waiting[1..].to_vec(), ..Order::default() }.check(&order.waiting);
    }
}
