//! Appends and their answers.

use raft::{Index, NodeId, Role, Term};

use super::heard::{Append, Stage, Tracked, tracked};
use super::{Happened, Scene};
use crate::situation::Situation;

impl Scene<'_> {
    /// A node took or rejected an append of its own term, or of a later one.
    pub(super) fn appended(&mut self, happened: &Happened<'_>, term: Term, append: &Append) {
        let Happened { id, before, now, node } = happened;
        let Append { previous, entries, commit } = *append;
        let committed = before.hard_state.commit;
        if previous.index < committed {
            return self.note(Situation::AppendBelowCommit);
        }
        if node.entry_term(previous.index) != Some(previous.term) {
            let gap = previous.index > before.last.index;
            return self.note(if gap { Situation::AppendBeyondLog } else { Situation::AppendConflict });
        }
        self.note_if(commit > now.hard_state.commit, Situation::CommitBeyondAppend);
        let Some((first_term, last)) = entries else {
            return self.note_if(now.hard_state.commit > committed, Situation::CommitByEmptyAppend);
        };
        self.note_if(first_term < term, Situation::EarlierTermSent);
        if now.last == before.last {
            return self.note_if(last.index <= before.last.index, Situation::DuplicateAppend);
        }
        if previous.index == before.last.index {
            return;
        }
        if node.entry_term(before.last.index) == Some(before.last.term) {
            return self.note(Situation::OverlappingAppend);
        }
        self.note(Situation::TailTruncated);
        let own = self.past(*id).led_in == before.last.term;
        self.note_if(own, Situation::OwnTailTruncated);
    }

    /// A leader, if the node is one, heard that an append was accepted.
    pub(super) fn accepted(&mut self, happened: &Happened<'_>, from: NodeId, index: Index, was: Option<Tracked>) {
        let Some(was) = was.filter(|_| happened.now.soft_state.role == Role::Leader) else { return };
        self.past(happened.id).rejected &= !bit(from);
        self.note_if(index < was.matched, Situation::LateAcknowledgement);
        if was.stage != Stage::Replicate {
            let replicates = tracked(happened.node, from).is_some_and(|now| now.stage == Stage::Replicate);
            let found = match was.stage {
                Stage::Snapshot => Situation::SnapshotEndedByAcknowledgement,
                Stage::Probe | Stage::Replicate => Situation::ProbeSucceeded,
            };
            self.note_if(replicates, found);
        }
        self.commit_by_acknowledgement(happened, index);
    }

    fn commit_by_acknowledgement(&mut self, happened: &Happened<'_>, index: Index) {
        let Happened { before, now, node, .. } = happened;
        let (term, committed) = (before.hard_state.term, before.hard_state.commit);
        if now.hard_state.commit > committed {
            let earlier = node.entry_term(committed.next()).is_some_and(|of_next| of_next < term);
            self.note_if(earlier, Situation::EarlierTermCommitted);
        } else if index > committed && node.entry_term(index).is_some_and(|of_entry| of_entry < term) {
            let matched = |voter| tracked(*node, voter).map(|tracked| tracked.matched.0);
            let held = node.configuration().voters().committed_index(matched);
            self.note_if(held > committed.0, Situation::EarlierTermNotCounted);
        }
    }

    /// A leader, if the node is one, heard that an append was rejected.
    pub(super) fn rejected(&mut self, happened: &Happened<'_>, from: NodeId, was: Option<Tracked>) {
        let Some(was) = was.filter(|_| happened.now.soft_state.role == Role::Leader) else { return };
        let Some(now) = tracked(happened.node, from) else { return };
        let lacks = happened.node.follower(from).is_some_and(|follower| follower.lacks_acknowledged);
        self.note_if(lacks, Situation::AcknowledgedLacking);
        let is_foreign = self.others(happened.id).any(|other| other.id() == from && other.is_foreign());
        self.note_if(is_foreign, Situation::ForeignLogRejected);
        if now == was {
            return self.note(Situation::StaleRejection);
        }
        let past = self.past(happened.id);
        let again = past.rejected & bit(from) != 0;
        past.rejected |= bit(from);
        self.note_if(again, Situation::RejectedTwice);
        self.note_if(was.stage == Stage::Replicate, Situation::RejectedInReplicate);
        self.note_if(was.stage == Stage::Probe && now.next.next() < was.next, Situation::RejectionSkippedEntries);
    }
}

const fn bit(of: NodeId) -> u64 {
    1 << (of.get() % 64)
}
