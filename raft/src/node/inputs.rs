//! What waits to be taken by a run loop, in the order in which it came.

use std::collections::VecDeque;

use super::arm::Arm;
use super::input::{Input, Notice, Proposal, Ticket};
use crate::planted::{Bug, planted};

/// The inputs that have not been taken, each with the number under which it came.
///
/// Proposals may have to wait, and then other inputs pass them. So proposals have a queue of their own, and of the
/// first inputs of the two queues the one with the lower number comes next.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Inputs {
    numbered: u64,
    proposals: VecDeque<(Ticket, Proposal)>,
    others: VecDeque<(Ticket, Input)>,
    /// How many of the others are notices.
    notices: usize,
    /// How many of them are ticks.
    ticks: u32,
}

impl Inputs {
    /// The next number, for an input that joins a queue elsewhere.
    pub(super) const fn number(&mut self) -> Ticket {
        self.numbered += 1;
        Ticket(self.numbered)
    }

    pub(super) fn propose(&mut self, proposal: Proposal) -> Ticket {
        let ticket = self.number();
        self.proposals.push_back((ticket, proposal));
        ticket
    }

    pub(super) fn push(&mut self, input: Input) -> Ticket {
        match input {
            Input::Notice(_) => self.notices += 1,
            Input::Tick => self.ticks += 1,
            Input::MembershipChange(_) | Input::Advance(_) | Input::Status => {}
        }
        let ticket = self.number();
        self.others.push_back((ticket, input));
        ticket
    }

    /// The first of the inputs that can be taken: its number, and its arm.
    pub(super) fn next(&self, accepts_proposals: bool) -> Option<(Ticket, Arm)> {
        let proposal = self.proposals.front().filter(|_| accepts_proposals);
        let proposal = proposal.map(|(ticket, _)| (*ticket, Arm::Proposal));
        let other = self.others.front().map(|(ticket, input)| (*ticket, input.arm()));
        if planted(Bug::LoopPassesProposals) {
            return other.or(proposal);
        }
        [proposal, other].into_iter().flatten().min()
    }

    /// The oldest proposal.
    pub(super) fn take_proposal(&mut self) -> Option<(Ticket, Proposal)> {
        self.proposals.pop_front()
    }

    /// The oldest of the others.
    pub(super) fn take_other(&mut self) -> Option<(Ticket, Input)> {
        let (ticket, input) = self.others.pop_front()?;
        self.count_out(&input);
        Some((ticket, input))
    }

    const fn count_out(&mut self, input: &Input) {
        match input {
            Input::Notice(_) => self.notices -= 1,
            Input::Tick => self.ticks -= 1,
            Input::MembershipChange(_) | Input::Advance(_) | Input::Status => {}
        }
    }

    /// Takes back what somebody waits for the answer to: a proposal, a read, a membership change or a question for the
    /// status.
    pub(super) fn cancel(&mut self, ticket: Ticket) {
        if let Ok(position) = self.proposals.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
            self.proposals.remove(position);
        } else if let Ok(position) = self.others.binary_search_by_key(&ticket, |(ticket, _)| *ticket)
            && let Some((_, input)) = self.others.remove(position)
        {
            self.count_out(&input);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self { numbered: self.numbered, ..Self::default() };
    }

    pub(super) fn proposals(&self) -> impl ExactSizeIterator<Item = &Proposal> {
        self.proposals.iter().map(|(_, proposal)| proposal)
    }

    pub(super) fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.others.iter().filter_map(|(_, input)| input.notice())
    }

    /// The oldest of the others, if that is a notice.
    pub(super) fn first_notice(&self) -> Option<&Notice> {
        self.others.front().and_then(|(_, input)| input.notice())
    }

    pub(super) const fn notice_count(&self) -> usize {
        self.notices
    }

    pub(super) const fn tick_count(&self) -> u32 {
        self.ticks
    }

    /// All of them, by queue.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (Ticket, Arm)> {
        let proposals = self.proposals.iter().map(|(ticket, _)| (*ticket, Arm::Proposal));
        proposals.chain(self.others.iter().map(|(ticket, input)| (*ticket, input.arm())))
    }
}
