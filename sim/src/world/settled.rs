//! Whether the cluster has come to rest as it must once faults are over.

use raft::{Index, NodeId, VoteResult};

use super::{Replica, World};
use crate::invariant::{Check, Invariant, Violation};

impl World {
    /// Why the nodes that are up have not come to rest: agreed on a leader, a log and what of it is applied. `None` where
    /// they have.
    pub fn unsettled(&self) -> Option<Unsettled> {
        let Some(leader) = self.leader() else {
            return Some(Unsettled { nodes: Vec::new(), reason: "nobody leads".to_owned() });
        };
        let members = leader.node().map(|node| node.configuration().clone()).unwrap_or_default();
        if members.is_joint() {
            return Some(Unsettled {
                nodes: vec![leader.id()],
                reason: format!("the configuration stays joint: {members}"),
            });
        }
        let behind = members
            .members()
            .filter_map(|id| self.replica(id))
            .find(|member| member.is_up() && !agrees(member, leader) && !is_out_of_earshot(member, leader));
        behind.map(|member| Unsettled {
            nodes: vec![member.id(), leader.id()],
            reason: format!("{} does not agree with the leader, {}", shown(member), shown(leader)),
        })
    }

    /// Checks that the cluster is at rest, that a write at `written` is committed and that so many reads were answered.
    pub(crate) fn check_settled(&self, written: Option<Index>, reads: u64) -> Check {
        let liveness = |nodes: &[NodeId], reason: String| Err(Violation::new(Invariant::Liveness, nodes, reason));
        if let Some(Unsettled { nodes, reason }) = self.unsettled() {
            return if self.nobody_can_win() { Ok(()) } else { liveness(&nodes, reason) };
        }
        let answered = self.statistics().reads;
        let committed = self.leader().map_or(Index::ZERO, |leader| leader.view().hard_state.commit);
        match written {
            None => liveness(&[], "no leader took a fresh write".to_owned()),
            Some(index) if committed < index => liveness(&[], format!("the fresh write at {index} is not committed")),
            Some(_) if answered < reads => liveness(&[], format!("{answered} reads were answered, {reads} should be")),
            Some(_) => Ok(()),
        }
    }

    /// Whether nobody leads and nobody who may campaign could win: each candidate lacks a quorum of its own configuration
    /// among the nodes that are up and do not know more than it does.
    ///
    /// The protocol gets there by design when a change takes effect on the nodes one by one: a leader that is demoted or
    /// removed may hold the longest log, while those who may campaign have not applied that change and still need its
    /// vote. An operator has to help. The thesis (section 4.2.2) lets a removed leader go on leading for this reason.
    pub fn nobody_can_win(&self) -> bool {
        let up: Vec<&Replica> = self.replicas().filter(|replica| replica.is_up()).collect();
        self.leader().is_none() && !up.iter().any(|one| can_win(one, &up))
    }
}

/// Why a cluster is not at rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsettled {
    /// The nodes that keep it from rest.
    pub nodes: Vec<NodeId>,
    /// In words, with the numbers.
    pub reason: String,
}

fn agrees(member: &Replica, leader: &Replica) -> bool {
    let (member, leader) = (member.view(), leader.view());
    member.hard_state.term == leader.hard_state.term
        && member.soft_state.leader == leader.soft_state.leader
        && member.last == leader.last
        && member.applied == leader.last.index
}

/// Whether a member ignores the leader, and by the design of the protocol neither can change it. Its term is beyond the
/// leader's, from a candidacy that failed, and without pre-vote and check-quorum it does not answer lower terms. And it
/// does not campaign, because as far as it knows it has no vote, or nobody listens: with check-quorum, on in some nodes
/// and not in others, those who hear from a leader ignore candidates. It hears of the next election.
fn is_out_of_earshot(member: &Replica, leader: &Replica) -> bool {
    let answers = member.options().pre_vote || member.options().check_quorum;
    let votes = member.node().is_some_and(|node| node.configuration().is_voter(member.id()));
    let is_heard = votes && !leader.options().check_quorum;
    member.view().hard_state.term > leader.view().hard_state.term && !answers && !is_heard
}

fn can_win(candidate: &Replica, up: &[&Replica]) -> bool {
    let Some(configuration) = candidate.node().map(|node| node.configuration()) else { return false };
    let last = |replica: &Replica| (replica.view().last.term, replica.view().last.index);
    let votes = |voter: NodeId| {
        let voter = up.iter().find(|replica| replica.id() == voter);
        Some(voter.is_some_and(|voter| last(candidate) >= last(voter)))
    };
    configuration.is_voter(candidate.id()) && configuration.voters().vote_result(votes) == VoteResult::Won
}

fn shown(replica: &Replica) -> String {
    let view = replica.view();
    format!(
        "node {} ({:?} in term {}, last entry {}, committed {}, applied {})",
        replica.id(),
        view.soft_state.role,
        view.hard_state.term,
        view.last,
        view.hard_state.commit,
        view.applied
    )
}
