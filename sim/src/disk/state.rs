//! What a disk is: what its log reads as, now and after a crash.
//!
//! Bytes tell more than that: how often a hard state was written, and so where in a block the next record begins. Nobody but a
//! torn write and a flipped bit ever comes upon it. Whoever explores crashes that keep all or nothing of what is pending need
//! not tell disks apart by it.

use std::hash::{Hash, Hasher};

use super::{Disk, File, Keep, Sync};
use crate::wal::{Recovered, recover};

/// Equal for disks of which recovery reads the same, as they are and after a crash that keeps nothing of what is pending, at
/// this moment and after each sync under way. Of those that are damaged, failing or of limited room the bytes count as well.
impl Hash for Disk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { files, syncs, begun: _, capacity, next_sync_fails, failed, damaged, replaced, copy } = self;
        (syncs.len(), capacity, next_sync_fails, failed, damaged, replaced).hash(state);
        if *next_sync_fails || *failed || *damaged || capacity.is_some() {
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

/// What recovery reads; the bytes, where it refuses them.
fn content(disk: &Disk, state: &mut impl Hasher) {
    match recover(disk) {
        Ok(Recovered { hard_state, snapshot, base, entries, .. }) => {
            (0, hard_state, snapshot, base, entries).hash(state);
        }
        Err(_) => {
            1.hash(state);
            disk.files.iter().for_each(|(segment, File { bytes, durable })| (segment, bytes, durable).hash(state));
        }
    }
}
