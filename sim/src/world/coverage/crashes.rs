//! Crashes and restarts of nodes, and cuts of links.

use raft::{EntryId, NodeId, Role, VoteResult};

use super::{Past, Scene};
use crate::disk::Replaced;
use crate::invariant::View;
use crate::situation::Situation;
use crate::world::replica::Replica;

impl Scene<'_> {
    /// A node is about to lose its memory.
    pub(super) fn crashes(&mut self, id: NodeId) {
        let replicas = self.replicas;
        let replica = replicas.iter().flatten().find(|replica| replica.id() == id);
        let Some((replica, node)) = replica.and_then(|replica| Some((replica, replica.node()?))) else { return };
        let view = *replica.view();
        self.at_work(replica);
        match view.soft_state.role {
            Role::Leader => self.leader_dies(id, &view, node.configuration().is_joint()),
            Role::Candidate => self.note(Situation::CandidateCrashed),
            Role::Follower | Role::PreCandidate => {
                let voted = view.hard_state.vote.is_some_and(|candidate| candidate != id);
                self.note_if(voted && view.soft_state.leader.is_none(), Situation::VoterCrashed);
            }
        }
        let target = self.others(id).filter_map(Replica::node);
        let target = target.into_iter().any(|leader| leader.status().lead_transferee == Some(id));
        self.note_if(target, Situation::TransferTargetDied);
        let is_up = |of: NodeId| of != id && replicas.iter().flatten().any(|other| other.id() == of && other.is_up());
        let voters = node.configuration().voters();
        let had_quorum = voters.vote_result(|voter| Some(voter == id || is_up(voter))) == VoteResult::Won;
        let has_quorum = voters.vote_result(|voter| Some(is_up(voter))) == VoteResult::Won;
        self.note_if(had_quorum && !has_quorum, Situation::QuorumCrashed);
        let alone = !self.others(id).any(Replica::is_up);
        self.note_if(alone, Situation::AllCrashed);
        let Past { commit, last, installed, .. } = self.past(id);
        (*commit, *last) = (view.hard_state.commit, view.last);
        let nothing_followed = std::mem::take(installed) == view.last.index;
        self.note_if(nothing_followed && view.last != EntryId::ZERO, Situation::CrashAfterInstall);
    }

    fn at_work(&mut self, replica: &Replica) {
        let (to_do, at_work) = (replica.to_do(), replica.at_work());
        self.note_if(at_work.between_writes, Situation::CrashBetweenWrites);
        self.note_if(at_work.installing, Situation::CrashDuringInstall);
        self.note_if(at_work.compacting, Situation::CrashDuringCompaction);
        self.note_if(to_do.sync_done, Situation::CrashDuringSync);
        self.note_if(to_do.send && !to_do.write, Situation::CrashBeforeSend);
        self.note_if(to_do.apply, Situation::CrashBeforeApply);
    }

    fn leader_dies(&mut self, id: NodeId, view: &View, joint: bool) {
        self.note(Situation::LeaderCrashed);
        self.note_if(joint, Situation::LeaderCrashedInJoint);
        let commit = view.hard_state.commit;
        self.note_if(view.last.index > commit, Situation::LeaderDiedWithTail);
        let alone = self.others(id).next().is_none();
        let told = self.others(id).any(|other| other.view().hard_state.commit >= commit);
        self.note_if(!alone && !told, Situation::LeaderDiedWithCommit);
    }

    /// A node came back, or tried to.
    pub(super) fn restarted(&mut self, id: NodeId, other_options: bool) {
        let replica = self.replicas.iter().flatten().find(|replica| replica.id() == id);
        let Some((replica, node)) = replica.and_then(|replica| Some((replica, replica.node()?))) else { return };
        let (view, joint, past) = (*replica.view(), node.configuration().is_joint(), *self.past(id));
        self.note_if(joint, Situation::RestartedInJoint);
        self.note_if(replica.is_damaged() && replica.disk().replaced().is_none(), Situation::DamageHarmless);
        self.note_if(replica.disk().replaced() == Some(Replaced::Empty), Situation::EmptyDisk);
        self.note_if(replica.disk().replaced() == Some(Replaced::OldCopy), Situation::OldDisk);
        self.note_if(other_options, Situation::RestartedWithOtherOptions);
        self.note_if(view.last.index > view.hard_state.commit, Situation::RestartedWithTail);
        self.note_if(view.hard_state.commit < past.commit, Situation::RestartForgotCommit);
        self.note_if(view.last.index < past.last.index, Situation::RestartForgotEntries);
        let held = node.entry_term(past.last.index);
        self.note_if(held.is_some_and(|term| term < past.last.term), Situation::ReplacedTailCameBack);
    }

    /// A link was cut.
    pub(super) fn cut(&mut self, from: NodeId, to: NodeId) {
        let network = self.network;
        self.note_if(!network.is_cut(to, from), Situation::CutOneWay);
        for leader in [from, to] {
            let leads = |replica: &&Replica| replica.id() == leader && replica.view().soft_state.role == Role::Leader;
            let isolated = self.replicas.iter().flatten().any(|replica| leads(&&**replica))
                && self
                    .others(leader)
                    .all(|other| network.is_cut(leader, other.id()) && network.is_cut(other.id(), leader));
            self.note_if(isolated, Situation::LeaderIsolated);
        }
    }
}
