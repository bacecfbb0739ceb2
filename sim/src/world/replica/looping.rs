//! The turn of a node's loop, and what comes of it at the node's host.

use raft::node::{Arm, Taken, Ticket};
use raft::{ChangeError, ConfState, Entry};

use super::driven::Driven;
use super::running::Running;
use super::{Recorded, Step, Surroundings};
use crate::invariant::{Check, View};
use crate::situation::Situation;
use crate::world::consensus::Consensus;
use crate::world::event::Event;
use crate::world::outcome::{Inapplicable, Refusal};

impl Running {
    /// Lets the loop take its next input, or a Ready. `view` is the node's current view.
    pub(super) fn take(
        &mut self,
        arm: Arm,
        view: &mut View,
        recorded: &mut Option<Box<Recorded>>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        let (before, was_member) = (self.view(), self.is_member());
        let Driven::Loop(looped) = &mut self.driven else { return Err(self.not_now("has no loop").into()) };
        let taken = looped.take(arm);
        let (taken, turn) = taken.ok_or_else(|| self.not_its_turn(arm))?;
        around.checkers.taken_in_turn(self.id(), arm, turn)?;
        self.judge(&taken, &before, was_member, around)?;
        match taken {
            Taken::Proposal { result, .. } => Ok(result.err().map(Refusal::Propose)),
            Taken::UnattendedProposal { result, .. } | Taken::Message(result) => Ok(result.err().map(Refusal::Step)),
            Taken::MembershipChange { result, .. } => self.finish_change(result, recorded, around),
            Taken::Ready { ready, .. } => self.handle((*ready).into(), view, around).map(|()| None),
            Taken::Read { .. } | Taken::Tick | Taken::Advance | Taken::Status { .. } | Taken::Stop => Ok(None),
        }
    }

    /// Why nothing is taken from this arm.
    fn not_its_turn(&self, arm: Arm) -> Inapplicable {
        let waits =
            self.driven.looped().is_some_and(|looped| looped.run_loop.waiting().iter().any(|(_, of)| *of == arm));
        self.not_now(match waits {
            true => "has something there that its loop could take, and it is not its turn",
            false => "has nothing there that its loop could take",
        })
    }

    fn is_member(&self) -> bool {
        self.node().configuration().contains(self.id())
    }

    /// Shows the checkers what came of an input.
    fn judge(&mut self, taken: &Taken, before: &View, was_member: bool, around: &mut Surroundings<'_>) -> Check {
        let (id, after) = (self.id(), self.view());
        match taken {
            Taken::Proposal { ticket, result } => {
                self.judge_proposal(*ticket, around)?;
                around.checkers.proposed(id, before, &after, result.is_ok())
            }
            Taken::UnattendedProposal { ticket, result } => {
                self.judge_proposal(*ticket, around)?;
                around.checkers.proposed(id, before, &after, result.is_ok())
            }
            Taken::MembershipChange { .. } => {
                let accepts = self.driven.looped().is_some_and(|looped| looped.run_loop.accepts_proposals());
                around.checkers.change_taken(id, was_member, self.is_member(), accepts)
            }
            Taken::Message(_)
            | Taken::Read { .. }
            | Taken::Tick
            | Taken::Ready { .. }
            | Taken::Advance
            | Taken::Status { .. }
            | Taken::Stop => Ok(()),
        }
    }

    fn judge_proposal(&mut self, ticket: Ticket, around: &mut Surroundings<'_>) -> Check {
        let Driven::Loop(looped) = &mut self.driven else { return Ok(()) };
        let last = looped.last_proposal.replace(ticket);
        around.checkers.taken_in_order(self.id(), last, ticket)
    }

    /// Tells the loop of the membership change that an entry holds, if it holds one and there is a loop to tell. The
    /// entry is applied when it has answered.
    pub(super) fn ask_to_change(&mut self, entry: &Entry) -> bool {
        let Driven::Loop(looped) = &mut self.driven else { return false };
        let Ok(Some(change)) = entry.conf_change() else { return false };
        looped.apply_conf_change(entry, &change.into_v2()).is_none()
    }

    /// Applies the entry that waited for this answer, unless a snapshot has overtaken it meanwhile.
    fn finish_change(
        &mut self,
        result: Result<ConfState, ChangeError>,
        recorded: &mut Option<Box<Recorded>>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        let Driven::Loop(looped) = &mut self.driven else { return Ok(None) };
        let Some(entry) = looped.changing.take() else { return Ok(None) };
        let mut refused = None;
        if entry.index > self.state_machine.applied().index {
            let changed = match (result, entry.conf_change()) {
                (Err(ChangeError::Overtaken), Ok(Some(change))) => self.change_overtaken(&change.into_v2()),
                (result, _) => result,
            };
            refused = self.complete_entry(&entry, Some(changed.map_err(Refusal::Change)), around)?;
            self.record_snapshot(recorded);
        } else if result.is_ok() {
            around.checkers.change_came_late(self.id(), entry.index)?;
        }
        self.handling.count_applied();
        self.applied_some(around)?;
        Ok(refused)
    }

    /// Looks at the loop after an event: counts and checks.
    pub(super) fn observe_loop(&mut self, event: &Event, around: &mut Surroundings<'_>) -> Check {
        let id = self.id();
        let Driven::Loop(looped) = &mut self.driven else { return Ok(()) };
        let (before, after) = (looped.view, looped.show());
        looped.view = after;
        let statistics = &mut *around.statistics;
        statistics.ticks_missed += after.missed_ticks - before.missed_ticks;
        statistics.situations.note_if(after.missed_ticks > before.missed_ticks, Situation::TickMissed);
        let waits = after.proposals > before.proposals && !after.accepts_proposals;
        statistics.situations.note_if(waits, Situation::ProposalWaitedForLeader);
        let taken = if let Event::Take { arm, .. } = event { Some(*arm) } else { None };
        around.checkers.looped(id, taken, &before, &after)
    }
}
