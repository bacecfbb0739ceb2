//! What a disk is: what its log reads as, now and after a crash.
//!
//! Bytes tell more than that: how often a hard state was written, and so where in a block the next record begins. Nobody but a
//! torn write and a flipped bit ever comes upon it. Whoever explores crashes that keep all or nothing of what is pending need
//! not tell disks apart by it.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};

use raft::planted::{Bug, planted};

use super::{Disk, Keep, Sync};
use crate::state_hasher::StateHasher;
use crate::wal::{Recovered, recover};

/// Equal for disks of which recovery reads the same, as they are and after a crash that keeps nothing of what is pending, at
/// this moment and after each sync under way. Of those that are damaged, failing or of limited room the bytes count as well.
impl Hash for Disk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { files, syncs, begun: _, capacity, next_sync, failed, damaged, replaced, copy } = self;
        (syncs.len(), capacity, next_sync, failed, damaged, replaced).hash(state);
        let is_sound = !self.fails_next_sync() && !failed && !damaged && capacity.is_none();
        if !is_sound || self.shows_what_it_forgot() {
            (files, syncs).hash(state);
        }
        copy.hash(state);
        content(self, state);
        if self.pending() > 0 {
            self.hash_durable(state);
        }
    }
}

impl Disk {
    /// What a crash leaves that keeps nothing, now and after each of the syncs.
    fn hash_durable(&self, state: &mut impl Hasher) {
        let mut disk = self.clone();
        disk.crash(Keep::Nothing);
        content(&disk, state);
        for count in 1..=self.syncs.len() {
            disk.clone_from(self);
            for Sync { id: _, file, length } in self.syncs.iter().take(count) {
                disk.make_durable(*file, *length);
            }
            disk.crash(Keep::Nothing);
            content(&disk, state);
        }
    }
}

/// Feeds what recovery reads.
fn content(disk: &Disk, state: &mut impl Hasher) {
    KNOWN.with_borrow_mut(|known| known.of(disk)).hash(state);
}

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known(Vec::new())) };
}

/// Files of which it is known what recovery reads of them. Whoever explores what can happen comes upon few different disks, each of
/// them thousands of times. It only saves time: what is forgotten is read once more.
struct Known(Vec<(u128, u128)>);

impl Known {
    const PLACES: usize = 1 << 12;

    /// A hash of what recovery reads.
    fn of(&mut self, disk: &Disk) -> u128 {
        // A bug that is on by now may read something else.
        let files = StateHasher::of(&(&disk.files, planted(Bug::WalResurrectsTail)));
        self.0.resize(Self::PLACES, (0, 0));
        let known = &mut self.0[files as usize % Self::PLACES];
        if known.0 != files {
            *known = (files, read(disk));
        }
        known.1
    }
}

/// A hash of what recovery reads; of the bytes, where it refuses them.
fn read(disk: &Disk) -> u128 {
    match recover(disk) {
        Ok(Recovered { hard_state, snapshot, base, entries, .. }) => {
            StateHasher::of(&(0, hard_state, snapshot, base, entries))
        }
        Err(_) => StateHasher::of(&(1, &disk.files)),
    }
}
