//! The work that the host of a node does for it, each step one event.

use raft::Index;

use super::{Replica, Step, Surroundings};
use crate::world::outcome::Inapplicable;

impl Replica {
    pub(in crate::world) fn take_ready(&mut self, around: &mut Surroundings<'_>) -> Step {
        let Self { running, view, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        running.take_ready(view, around)?;
        Ok(None)
    }

    pub(in crate::world) fn write(&mut self, around: &mut Surroundings<'_>) -> Step {
        let Self { running, disk, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        match running.write(disk, around)? {
            Ok(()) => Ok(None),
            Err(error) => Ok(Some(self.stop(error, around))),
        }
    }

    pub(in crate::world) fn sync(&mut self, around: &mut Surroundings<'_>) -> Step {
        let Self { running, disk, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        match running.begin_sync(disk)? {
            Ok(()) => Ok(None),
            Err(error) => Ok(Some(self.stop(error, around))),
        }
    }

    pub(in crate::world) fn sync_done(&mut self, around: &mut Surroundings<'_>) -> Step {
        let Self { running, disk, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        match running.complete_sync(disk, around)? {
            Ok(()) => Ok(None),
            Err(error) => Ok(Some(self.stop(error, around))),
        }
    }

    pub(in crate::world) fn release(&mut self, around: &mut Surroundings<'_>) -> Step {
        self.up()?.release(around)?;
        Ok(None)
    }

    pub(in crate::world) fn send(&mut self, around: &mut Surroundings<'_>) -> Step {
        self.up()?.send(around)?;
        Ok(None)
    }

    pub(in crate::world) fn apply(&mut self, entries: u32, around: &mut Surroundings<'_>) -> Step {
        let Self { running, recorded, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        running.apply(entries, recorded, around)
    }

    pub(in crate::world) fn advance(&mut self) -> Step {
        self.up()?.advance()?;
        Ok(None)
    }

    pub(in crate::world) fn take_snapshot(&mut self, around: &mut Surroundings<'_>) -> Step {
        self.up()?.take_snapshot(around)?;
        Ok(None)
    }

    pub(in crate::world) fn compact(&mut self, through: Index) -> Step {
        self.up()?.compact(through)?;
        Ok(None)
    }
}
