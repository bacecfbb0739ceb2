//! Snapshots that arrive.

use raft::EntryId;

use super::heard::Snapshot;
use super::{Happened, Scene};
use crate::situation::Situation;

impl Scene<'_> {
    /// A snapshot of the node's own term arrived, or of a later one.
    pub(super) fn snapshot_arrived(&mut self, happened: &Happened<'_>, snapshot: &Snapshot) {
        let Happened { before, now, .. } = happened;
        let Snapshot { id: brought, joint, probed } = *snapshot;
        self.note_if(probed, Situation::SnapshotDuringProbe);
        if brought.index <= before.hard_state.commit {
            return self.note(Situation::OldSnapshot);
        }
        if now.hard_state.commit < brought.index {
            return self.note(Situation::SnapshotWithoutReceiver);
        }
        if now.last == before.last {
            return self.note(Situation::SnapshotOnlyCommitted);
        }
        self.note(Situation::SnapshotReplacedLog);
        self.past(happened.id).installed = brought.index;
        self.note_if(before.last == EntryId::ZERO, Situation::SnapshotForNewNode);
        self.note_if(before.last.index > brought.index, Situation::SnapshotThrewTailAway);
        self.note_if(before.applied < before.hard_state.commit, Situation::SnapshotDuringApply);
        self.note_if(joint, Situation::SnapshotOfJoint);
    }
}
