//! Changes of role and term.

use raft::Role;

use super::heard::{Heard, Said};
use super::{Happened, Scene, What};
use crate::situation::Situation;

impl Scene<'_> {
    /// Looks at how a node's role and term changed, if they did.
    pub(super) fn role_changed(&mut self, happened: &Happened<'_>, what: &What) {
        let (before, now) = (&happened.before, &happened.now);
        let (old, new) = (before.soft_state.role, now.soft_state.role);
        let raised = now.hard_state.term > before.hard_state.term;
        if old == new && !raised {
            return;
        }
        let heard = if let What::Message(heard) = what { Some(heard) } else { None };
        self.note_if(heard.is_some() && now.hard_state.term > before.hard_state.term.next(), Situation::TermsSkipped);
        match old {
            Role::Leader => self.deposed(happened, what),
            Role::Candidate => self.ended_candidacy(happened, heard, raised),
            Role::PreCandidate => self.ended_pre_candidacy(happened, heard, raised),
            Role::Follower => {}
        }
        match new {
            Role::Follower => {}
            Role::PreCandidate => self.campaigns(happened),
            Role::Candidate => {
                self.campaigns(happened);
                self.became_candidate(happened);
            }
            Role::Leader => self.elected(happened),
        }
    }

    fn deposed(&mut self, happened: &Happened<'_>, what: &What) {
        let before = &happened.before;
        let own_tail = before.last.index > before.hard_state.commit && before.last.term == before.hard_state.term;
        self.note_if(own_tail, Situation::DeposedWithOwnTail);
        match what {
            What::Message(heard) if heard.is_from_leader() => self.note(Situation::LeaderMetSuccessor),
            What::Message(Heard { said: Said::RequestVote { .. }, .. }) => self.note(Situation::LeaderOverruled),
            What::Message(_) => self.note(Situation::LeaderToldOfNewerTerm),
            What::Tick => self.note(Situation::CheckQuorumDeposed),
            What::Other => self.note(Situation::RemovedLeaderSteppedDown),
            What::Stored
            | What::Request
            | What::Ready
            | What::Proposal
            | What::Read
            | What::Transfer(_)
            | What::Campaign
            | What::ForgetLeader
            | What::Unreachable(..)
            | What::SnapshotReport(..) => {}
        }
    }

    fn ended_candidacy(&mut self, happened: &Happened<'_>, heard: Option<&Heard>, raised: bool) {
        let term = happened.before.hard_state.term;
        match (happened.now.soft_state.role, heard) {
            (Role::Follower, Some(heard)) if heard.is_from_leader() && !raised => {
                self.note(Situation::CandidateMetLeader);
            }
            (Role::Follower, Some(_)) if raised => self.note(Situation::CandidateOvertaken),
            (Role::Follower, _) => self.note(Situation::CandidateRefused),
            (Role::PreCandidate | Role::Candidate, None) => {
                let rival = self.rival(happened, term);
                self.note(if rival { Situation::SplitVote } else { Situation::LoneCandidate });
            }
            (Role::PreCandidate | Role::Candidate, Some(_)) | (Role::Leader, _) => {}
        }
    }

    fn ended_pre_candidacy(&mut self, happened: &Happened<'_>, heard: Option<&Heard>, raised: bool) {
        match (happened.now.soft_state.role, heard) {
            (Role::Candidate, _) => self.note(Situation::PreVoteWon),
            (Role::Follower, Some(heard)) if heard.is_from_leader() => self.note(Situation::PreCandidateMetLeader),
            (Role::Follower, _) if raised => self.note(Situation::PreCandidateOvertaken),
            (Role::Follower, _) => self.note(Situation::PreCandidateRefused),
            (Role::PreCandidate | Role::Leader, _) => {}
        }
    }

    fn became_candidate(&mut self, happened: &Happened<'_>) {
        let term = happened.now.hard_state.term;
        let rival = self.rival(happened, term);
        self.note_if(rival, Situation::TwoCandidates);
        self.past(happened.id).candidate_in = term;
    }

    /// Whether another node was candidate in this term.
    fn rival(&self, happened: &Happened<'_>, term: raft::Term) -> bool {
        (1..).zip(&*self.past).any(|(number, past)| number != happened.id.get() && past.candidate_in == term)
    }

    fn campaigns(&mut self, happened: &Happened<'_>) {
        let Happened { id, now, .. } = happened;
        let newest = self.others(*id).filter_map(|replica| Some((replica.view().applied, replica.node()?)));
        let newest = newest.max_by_key(|(applied, _)| *applied);
        let removed =
            newest.is_some_and(|(applied, node)| applied > now.applied && !node.configuration().contains(*id));
        self.note_if(removed, Situation::RemovedNodeCampaigned);
    }

    fn elected(&mut self, happened: &Happened<'_>) {
        let Happened { id, before, node, now } = happened;
        let configuration = node.configuration();
        self.note_if(configuration.voters().is_singleton(), Situation::OnlyVoterElected);
        self.note_if(configuration.is_joint(), Situation::ElectedInJoint);
        let uncommitted = before.last.index > before.hard_state.commit;
        self.note_if(uncommitted, Situation::ElectedWithUncommittedTail);
        let another = self.others(*id).any(|replica| replica.view().soft_state.role == Role::Leader);
        self.note_if(another, Situation::TwoLeaders);
        let past = self.past(*id);
        (past.led_in, past.rejected) = (now.hard_state.term, 0);
    }
}
