//! What the application, the operators, the transport and the clock ask of a node.

use raft::{NodeId, ReadOnlyOption, Role, SnapshotStatus};

use super::heard::{Stage, Tracked, tracked};
use super::{Happened, Scene};
use crate::situation::Situation;
use crate::world::consensus::FollowerState;
use crate::world::outcome::Refusal;
use crate::world::replica::Replica;

impl Scene<'_> {
    /// A Ready was taken.
    pub(super) fn took_ready(&mut self, happened: &Happened<'_>, replica: &Replica) {
        let Happened { now, node, .. } = happened;
        let config = node.config();
        node.each_follower(&mut |_, follower| {
            if let FollowerState::Replicate { messages, is_full: true, .. } = follower.state {
                let by_messages = messages >= config.max_inflight_messages;
                self.note(if by_messages { Situation::WindowFull } else { Situation::WindowFullOfBytes });
            }
        });
        let Some(ready) = replica.ready() else { return };
        let several = ready.committed_entries.last().is_some_and(|last| last.index < now.hard_state.commit);
        self.note_if(several, Situation::CommittedInPages);
        let lease = config.read_only_option == ReadOnlyOption::LeaseBased && now.soft_state.role == Role::Leader;
        self.note_if(lease && !ready.read_states.is_empty(), Situation::LeaseRead);
    }

    /// The clock ticked.
    pub(super) fn ticked(&mut self, happened: &Happened<'_>, transferee: Option<NodeId>) {
        if transferee.is_some() && happened.now.soft_state.role == Role::Leader {
            let given_up = happened.node.status().lead_transferee.is_none();
            self.note_if(given_up, Situation::TransferGivenUp);
        }
    }

    /// Data or a membership change was proposed.
    pub(super) fn proposed(&mut self, happened: &Happened<'_>, transferee: Option<NodeId>, refused: Option<&Refusal>) {
        let Some(Refusal::Propose(_)) = refused else { return };
        let Happened { id, before, node, .. } = happened;
        match before.soft_state.role {
            Role::Leader if !node.configuration().contains(*id) => self.note(Situation::DroppedByRemovedLeader),
            Role::Leader if transferee.is_some() => self.note(Situation::DroppedDuringTransfer),
            Role::Leader => self.note(Situation::UncommittedLimit),
            Role::Follower if before.soft_state.leader.is_some() => self.note(Situation::DroppedWithoutForwarding),
            Role::Follower | Role::PreCandidate | Role::Candidate => self.note(Situation::DroppedWithoutLeader),
        }
    }

    /// A read was asked for.
    pub(super) fn read(&mut self, happened: &Happened<'_>) {
        let state = happened.before.soft_state;
        match (state.role, state.leader) {
            (Role::Leader, _) => self.read_at_leader(happened),
            (Role::Follower, Some(_)) => self.note(Situation::ReadForwarded),
            (Role::Follower, None) | (Role::PreCandidate | Role::Candidate, _) => self.note(Situation::ReadDropped),
        }
    }

    /// A leader was asked for a read.
    pub(super) fn read_at_leader(&mut self, happened: &Happened<'_>) {
        let own = happened.now.hard_state;
        let waits = happened.node.entry_term(own.commit) != Some(own.term);
        self.note_if(waits, Situation::ReadBeforeFirstCommit);
    }

    /// Somebody asked for another leader.
    pub(super) fn transfer(&mut self, happened: &Happened<'_>, before: Option<NodeId>, target: NodeId) {
        let Happened { now, node, .. } = happened;
        if now.soft_state.role != Role::Leader {
            return self.note_if(now.soft_state.leader.is_some(), Situation::TransferForwarded);
        }
        if node.status().lead_transferee != Some(target) || before == Some(target) {
            return;
        }
        self.note_if(before.is_some(), Situation::TransferReplaced);
        let behind = tracked(*node, target).is_some_and(|tracked| tracked.matched < now.last.index);
        self.note_if(behind, Situation::TransferToLaggard);
    }

    /// A node was told to campaign.
    pub(super) fn told_to_campaign(&mut self, happened: &Happened<'_>) {
        let Happened { id, before, now, node } = happened;
        let able = before.soft_state.role == Role::Follower && node.configuration().is_voter(*id);
        self.note_if(able && before == now, Situation::CampaignHeldBack);
    }

    /// A node was told to forget its leader.
    pub(super) fn forgot_leader(&mut self, happened: &Happened<'_>) {
        let [before, now] = [happened.before, happened.now].map(|view| view.soft_state.leader);
        self.note_if(before.is_some() && now.is_none(), Situation::LeaderForgotten);
    }

    /// A node was told that it cannot reach a peer.
    pub(super) fn unreachable(&mut self, happened: &Happened<'_>, was: Option<Tracked>, peer: NodeId) {
        let stage = |tracked: Option<Tracked>| tracked.map(|tracked| tracked.stage);
        let probes = stage(tracked(happened.node, peer)) == Some(Stage::Probe);
        self.note_if(probes && stage(was) == Some(Stage::Replicate), Situation::UnreachableInReplicate);
    }

    /// A node was told how a snapshot ended.
    pub(super) fn snapshot_reported(&mut self, was: Option<Tracked>, status: SnapshotStatus) {
        let Some(was) = was else { return };
        if was.stage != Stage::Snapshot {
            return self.note(Situation::SnapshotReportUnexpected);
        }
        self.note_if(status == SnapshotStatus::Failure, Situation::SnapshotFailed);
    }
}
