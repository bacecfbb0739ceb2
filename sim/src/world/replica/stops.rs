//! How a node ends: it crashes, or stops because its disk failed. And what happens to disks.

use raft::Role;

use super::{Replica, Step, Surroundings};
use crate::disk::{DiskFault, Keep};
use crate::invariant::View;
use crate::situation::Situation;
use crate::wal::DiskError;
use crate::world::options::Boot;
use crate::world::outcome::{Inapplicable, Refusal};

impl Replica {
    pub(in crate::world) fn crash(&mut self, keep: Keep, around: &mut Surroundings<'_>) -> Step {
        let running = self.running.take().ok_or(Inapplicable::NodeDown(self.id))?;
        let statistics = &mut *around.statistics;
        statistics.leaders_crashed += u64::from(self.view.soft_state.role == Role::Leader);
        statistics.crashes_in_joint += u64::from(running.node().configuration().is_joint());
        statistics.crashes_at_work += u64::from(running.is_at_work());
        statistics.bytes_lost += self.disk.crash(keep);
        self.forget_memory(around);
        Ok(None)
    }

    pub(in crate::world) fn disk_fault(&mut self, fault: DiskFault, around: &mut Surroundings<'_>) -> Step {
        if fault.replaces() && self.is_up() {
            return Err(Inapplicable::NodeUp(self.id).into());
        }
        if !fault.strike(&mut self.disk) {
            return Err(Inapplicable::NotNow(self.id, "has a disk to which this does nothing").into());
        }
        match fault {
            DiskFault::BackUp => around.checkers.disk_copied(self.id),
            DiskFault::Lose => {
                // It is not given its first members again: it waits for a leader that knows it.
                *self.boot = Boot::Empty;
                self.recorded = self.recorded.is_some().then(Box::default);
                around.checkers.disk_lost(self.id);
            }
            DiskFault::PutBack => around.checkers.disk_put_back(self.id),
            DiskFault::FailSync
            | DiskFault::ForgetSync
            | DiskFault::Fill { .. }
            | DiskFault::Free
            | DiskFault::FlipBit { .. }
            | DiskFault::MisplaceBlock { .. } => {}
        }
        let damaged = fault.is_damage() && !fault.replaces();
        around.statistics.situations.note_if(damaged, Situation::DiskDamaged);
        Ok(None)
    }

    /// The node stops because its disk failed. What was not durable is lost, as after the crash that is the worst; or all of it is
    /// still shown, where that is worse.
    pub(super) fn stop(&mut self, error: DiskError, around: &mut Surroundings<'_>) -> Refusal {
        self.running = None;
        let leads = self.view.soft_state.role == Role::Leader;
        let situations = &mut around.statistics.situations;
        situations.note_if(leads, Situation::LeaderDiskFailed);
        situations.note(match error {
            DiskError::Full => Situation::DiskFull,
            _ => Situation::SyncFailed,
        });
        let keep = if self.disk.shows_what_it_forgot() { Keep::All } else { Keep::Nothing };
        around.statistics.bytes_lost += self.disk.crash(keep);
        self.forget_memory(around);
        Refusal::Disk(error)
    }

    fn forget_memory(&mut self, around: &mut Surroundings<'_>) {
        around.network.drop_local(self.id);
        around.checkers.crashed(self.id);
        around.clients.crashed(self.id);
        self.view = View::default();
    }
}
