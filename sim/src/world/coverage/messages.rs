//! What a message from the network led to at its receiver.

use raft::{EntryId, Role, StepError};

use super::heard::{Heard, Said};
use super::{Happened, Scene};
use crate::situation::Situation;
use crate::world::outcome::Refusal;

impl Scene<'_> {
    /// A message was taken, or refused.
    pub(super) fn heard(&mut self, happened: &Happened<'_>, heard: &Heard, refused: Option<&Refusal>) {
        if let Some(Refusal::Step(StepError::PeerNotFound(_))) = refused {
            return self.note(Situation::StrangerAnswered);
        }
        let own = happened.before.hard_state.term;
        let role = happened.before.soft_state.role;
        let stale = heard.term.is_some_and(|term| term < own);
        match &heard.said {
            Said::Propose => {
                self.note_if(refused.is_some(), Situation::ForwardedDropped);
                self.note_if(role != Role::Leader, Situation::ForwardedToFormerLeader);
            }
            Said::Append(_) | Said::Heartbeat if stale => self.heard_former_leader(happened, heard),
            Said::Append(append) => self.appended(happened, heard.term.unwrap_or(own), append),
            Said::Heartbeat => {
                let moved = happened.now.hard_state.commit > happened.before.hard_state.commit;
                self.note_if(moved, Situation::CommitByHeartbeat);
            }
            Said::Accepted { .. } | Said::Rejected { .. } if stale => self.note(Situation::StaleAcknowledgement),
            Said::Accepted { index, was } => self.accepted(happened, heard.from, *index, *was),
            Said::Rejected { was } => self.rejected(happened, heard.from, *was),
            Said::RequestPreVote => self.note_if(role == Role::Leader, Situation::PreVoteAtLeader),
            Said::PreVote => self.note_if(role != Role::PreCandidate, Situation::LatePreVote),
            Said::RequestVote { .. } if stale => self.note(Situation::StaleVoteRequest),
            Said::RequestVote { last, transfer } => self.asked_for_vote(happened, heard, *last, *transfer),
            Said::Vote { .. } if stale => self.note(Situation::StaleVote),
            Said::Vote { granted } => self.note_if(*granted && role == Role::Leader, Situation::LateVote),
            Said::Snapshot(_) if stale => self.note(Situation::StaleSnapshot),
            Said::Snapshot(snapshot) => self.snapshot_arrived(happened, snapshot),
            Said::TimeoutNow if stale => self.note(Situation::StaleTimeoutNow),
            Said::TimeoutNow => {
                let campaigns = happened.now.soft_state.role == Role::Candidate;
                self.note(if campaigns { Situation::TransferCampaign } else { Situation::TimeoutNowIgnored });
            }
            Said::ReadIndex if role == Role::Leader => self.read_at_leader(happened),
            Said::ReadIndex => self.note(Situation::ReadAtFormerLeader),
            Said::ReadAnswer => self.note_if(stale, Situation::LateReadAnswer),
            Said::HeartbeatResponse | Said::TransferLeader => {}
        }
    }

    fn heard_former_leader(&mut self, happened: &Happened<'_>, heard: &Heard) {
        self.note_if(matches!(heard.said, Said::Append(_)), Situation::StaleAppend);
        self.note_if(happened.before.soft_state.role == Role::Leader, Situation::PredecessorAppend);
        let config = happened.node.config();
        self.note_if(config.check_quorum || config.pre_vote, Situation::DeposedLeaderTold);
    }

    fn asked_for_vote(&mut self, happened: &Happened<'_>, heard: &Heard, last: EntryId, transfer: bool) {
        let Happened { id, before, now, node } = happened;
        let (own, asked) = (before.hard_state.term, heard.term.unwrap_or(before.hard_state.term));
        if asked > now.hard_state.term {
            return self.note(Situation::LeaseKeptVote);
        }
        if asked == own {
            match before.hard_state.vote {
                Some(candidate) if candidate == heard.from => self.note(Situation::VoteRepeated),
                Some(_) => self.note(Situation::VoteAlreadyGiven),
                None => {}
            }
            self.note_if(before.soft_state.role == Role::Candidate, Situation::CandidatesAskedEachOther);
        }
        let granted = now.hard_state.vote == Some(heard.from);
        let older = (last.term, last.index) < (before.last.term, before.last.index);
        self.note_if(!granted && older, Situation::ShortLogRefused);
        if granted && before.hard_state.vote.filter(|_| asked == own).is_none() {
            let configuration = node.configuration();
            self.note_if(configuration.is_learner(*id), Situation::LearnerVoted);
            self.note_if(!configuration.contains(*id), Situation::OutsiderVoted);
            let lease = node.config().check_quorum && before.soft_state.leader.is_some();
            self.note_if(transfer && lease, Situation::TransferOverrodeLease);
        }
    }
}
