//! Whether the cluster has converged as it must once faults are over, and where the protocol excuses that it has not.

use raft::{Configuration, Index, NodeId, VoteResult};

use super::{Excuse, Replica, World};
use crate::invariant::{Invariant, Violation, words};
use crate::situation::Situation;

impl World {
    /// More reads than can ever be answered: the number expected while nobody has asked for any.
    pub(crate) const NOT_READ_YET: u64 = u64::MAX / 2;

    /// Why the nodes that are up have not converged. They have when they agree on a leader, on a log and on how much of
    /// it is applied, and when the leader holds on to no read and to no joint configuration; then this is `None`. Only
    /// members that the leader reaches, and that reach it, have to agree, and not those with the log of another
    /// cluster.
    pub fn unsettled(&self) -> Option<Unsettled> {
        let Some(leader) = self.leader() else {
            return Some(Unsettled { nodes: Vec::new(), reason: "nobody leads; expected a leader".to_owned() });
        };
        let members = leader.node().map(|node| node.configuration().clone()).unwrap_or_default();
        if members.is_joint() {
            return Some(Unsettled {
                nodes: vec![leader.id()],
                reason: format!(
                    "node {} leads with the joint members {}; expected them to be left",
                    leader.id(),
                    words::members(&members.conf_state())
                ),
            });
        }
        let waiting = leader.node().map_or(0, |node| node.waiting_reads());
        if waiting > 0 {
            let reason =
                format!("node {} leads with {waiting} unanswered reads; expected them to be answered", leader.id());
            return Some(Unsettled { nodes: vec![leader.id()], reason });
        }
        members
            .members()
            .filter_map(|id| self.replica(id))
            .filter(|member| !member.is_foreign())
            .filter(|member| member.is_up() && self.are_linked(member.id(), leader.id()))
            .filter(|member| !is_out_of_earshot(member, leader))
            .find_map(|member| disagreement(member, leader, self.hears_little(member)))
    }

    /// Why the cluster has not converged, or does not work. It works if a write at `written` is committed and at least
    /// `reads` reads were answered. `None` where all is well.
    pub fn stalled(&self, written: Option<Index>, reads: u64) -> Option<Unsettled> {
        if let Some(unsettled) = self.unsettled() {
            return Some(unsettled);
        }
        let committed = self.leader().map_or(Index::ZERO, |leader| leader.view().hard_state.commit);
        let answered = self.statistics().reads;
        let reason = match written {
            None => "no leader took a fresh write; expected one to".to_owned(),
            Some(index) if committed < index => {
                format!(
                    "the leader has committed up to {committed}; expected the fresh write at {index} to be committed"
                )
            }
            Some(index) if answered < reads && reads >= Self::NOT_READ_YET => {
                format!("nobody has read since the fresh write at {index}; expected reads that are answered")
            }
            Some(_) if answered < reads => format!("{answered} reads were answered; expected {reads}"),
            Some(_) => return None,
        };
        Some(Unsettled { nodes: Vec::new(), reason })
    }

    /// Checks that the cluster has converged and works, unless the protocol excuses it, and counts which it is.
    pub(super) fn check_settled(&mut self, written: Option<Index>, reads: u64) -> Result<(), Violation> {
        let Some(Unsettled { nodes, reason }) = self.stalled(written, reads) else {
            let (beside_faults, beside_cuts) = (self.has_lame_members(), self.has_cut_off_members());
            let statistics = &mut self.tally.counted().statistics;
            statistics.converged += 1;
            statistics.converged_beside_faults += u64::from(beside_faults);
            statistics.situations.note_if(beside_cuts, Situation::ConvergedBesideCuts);
            return Ok(());
        };
        if !self.checkers.check(Invariant::Liveness) {
            return Ok(());
        }
        let Some(excuse) = self.excuse() else { return Err(Violation::new(Invariant::Liveness, &nodes, reason)) };
        self.tally.counted().statistics.excused(excuse);
        Ok(())
    }

    /// Why the protocol, as etcd has it, need not converge in this state, if that is so. A node that is down excuses
    /// nothing: faults leave every membership a quorum, or else whoever chose them is to blame.
    pub fn excuse(&self) -> Option<Excuse> {
        let up: Vec<&Replica> = self.native_replicas().filter(|replica| replica.is_up()).collect();
        if !has_quorum(&up) {
            return None;
        }
        let wins = |if_heard| up.iter().any(|one| can_win(one, &up, if_heard));
        match self.leader() {
            None if !wins(&|_, _| true) => Some(Excuse::NobodyCanWin),
            None if !wins(&|voter, candidate| !is_out_of_reach(voter, candidate, &up)) => Some(Excuse::TermOutOfReach),
            Some(leader) if self.leads_without_quorum(leader, &up) => Some(Excuse::LeaderWithoutQuorum),
            None | Some(_) if self.is_disrupted(&up) => Some(Excuse::Disrupted),
            None | Some(_) => None,
        }
    }

    /// Whether some member of the leader's configuration is down, or cut off from another one in some direction.
    fn has_lame_members(&self) -> bool {
        let is_up = |id: NodeId| self.replica(id).is_some_and(Replica::is_up);
        self.has_cut_off_members() || self.members_by_leader().any(|id| !is_up(id))
    }

    /// Whether some member of the leader's configuration is cut off from another one in some direction.
    fn has_cut_off_members(&self) -> bool {
        let is_cut = |from, to| self.network().is_cut(from, to);
        self.members_by_leader().any(|from| self.members_by_leader().any(|to| is_cut(from, to)))
    }

    fn members_by_leader(&self) -> impl Iterator<Item = NodeId> {
        self.leader().and_then(configuration).into_iter().flat_map(Configuration::members)
    }

    /// Whether a leader without check-quorum has no quorum that it reaches, that reaches it, and that listens to it.
    fn leads_without_quorum(&self, leader: &Replica, up: &[&Replica]) -> bool {
        let Some(configuration) = configuration(leader) else { return false };
        let listens = |voter: NodeId| {
            let hears =
                |voter: &&Replica| self.are_linked(voter.id(), leader.id()) && !is_out_of_earshot(voter, leader);
            let voter = up.iter().find(|replica| replica.id() == voter);
            Some(voter.is_some_and(|voter| voter.id() == leader.id() || hears(voter)))
        };
        !leader.options().check_quorum && configuration.voters().vote_result(listens) != VoteResult::Won
    }

    /// Whether a node that does not hear everybody in time campaigns, and somebody listens to it. A node without
    /// check-quorum listens. So does a leader that the node hears at times, if the node has check-quorum and no
    /// pre-vote: then the node answers the leader with its own, higher term.
    fn is_disrupted(&self, up: &[&Replica]) -> bool {
        let others = |one: NodeId| up.iter().filter(move |other| other.id() != one);
        up.iter().filter(|one| asks(one, one.id())).any(|one| {
            let is_cut_off = others(one.id()).any(|other| self.network().is_cut(other.id(), one.id()));
            let hears_at_times = self.hears_little(one);
            let answers = hears_at_times && one.options().check_quorum && !one.options().pre_vote;
            let listens = |other: &&&Replica| answers || !other.options().check_quorum;
            let reaches = |other: &&Replica| !self.network().is_cut(one.id(), other.id());
            (is_cut_off || hears_at_times) && others(one.id()).filter(listens).any(reaches)
        })
    }

    fn are_linked(&self, one: NodeId, other: NodeId) -> bool {
        !self.network().is_cut(one, other) && !self.network().is_cut(other, one)
    }
}

/// Why a cluster has not converged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsettled {
    /// The nodes that keep it from converging.
    pub nodes: Vec<NodeId>,
    /// In words, with the numbers.
    pub reason: String,
}

/// How a member differs from the leader, or the leader from what it should be by itself, if one does. A member that
/// loses much to the network, or hears it late, gives its leader up at times, though nothing is wrong with what it
/// holds.
fn disagreement(member: &Replica, leader: &Replica, hears_little: bool) -> Option<Unsettled> {
    let (one, other) = (member.view(), leader.view());
    let (id, leads) = (member.id(), leader.id());
    let (term, end) = (other.hard_state.term, other.last);
    let is_leader = id == leads;
    let how = if one.hard_state.term != term {
        format!("is in term {}; expected term {term}, in which node {leads} leads", one.hard_state.term)
    } else if one.soft_state.leader != other.soft_state.leader && !hears_little {
        let followed = one.soft_state.leader.map_or("no leader".to_owned(), |other| format!("node {other} as leader"));
        format!("knows {followed}; expected node {leads}, which leads term {term}")
    } else if one.last != end {
        format!("has a log that ends at {}; expected {end}, where that of its leader, node {leads}, ends", one.last)
    } else if one.applied != end.index && is_leader {
        format!(
            "leads term {term} and has applied up to {}; expected up to {}, where its log ends",
            one.applied, end.index
        )
    } else if one.applied != end.index {
        format!(
            "has applied up to {}; expected up to {}, where the log of its leader, node {leads}, ends",
            one.applied, end.index
        )
    } else {
        return None;
    };
    let (nodes, states) = match is_leader {
        true => (vec![id], words::view(one)),
        false => (vec![id, leads], format!("{}, node {leads} is {}", words::view(one), words::view(other))),
    };
    Some(Unsettled { nodes, reason: format!("node {id} {how}; node {id} is {states}") })
}

/// Whether a member ignores the leader, and by the design of the protocol neither of them can change that. Its term is
/// beyond the leader's, from a candidacy that failed, and without pre-vote and check-quorum it does not answer lower
/// terms. And it does not campaign, because as far as it knows it has no vote, or nobody listens: with check-quorum, on
/// in some nodes and not in others, those who hear from a leader ignore candidates; and a member that does not know
/// that the leader is a member does not ask it. The member hears of the next election.
fn is_out_of_earshot(member: &Replica, leader: &Replica) -> bool {
    let answers = member.options().pre_vote || member.options().check_quorum;
    let is_heard = asks(member, leader.id()) && !leader.options().check_quorum;
    term(member) > term(leader) && !answers && !is_heard
}

/// Whether the candidate neither gets to the voter's term nor hears of it: see [`Excuse::TermOutOfReach`].
fn is_out_of_reach(voter: &Replica, candidate: &Replica, up: &[&Replica]) -> bool {
    let raises = |other: &&&Replica| {
        let asks_voter = other.id() == voter.id() || asks(other, voter.id());
        asks(other, other.id()) && asks_voter && !other.options().pre_vote && !asks(other, candidate.id())
    };
    let is_ahead = voter.id() != candidate.id() && term(voter) >= term(candidate);
    is_ahead && !candidate.options().pre_vote && up.iter().any(|other| raises(&other))
}

/// Whether a node campaigns, and asks this one for its vote.
fn asks(node: &Replica, voter: NodeId) -> bool {
    configuration(node).is_some_and(|members| members.is_voter(node.id()) && members.is_voter(voter))
}

/// Whether a quorum of the newest membership that is known is up.
fn has_quorum(up: &[&Replica]) -> bool {
    let newest = up.iter().max_by_key(|replica| replica.view().applied).and_then(|replica| configuration(replica));
    let is_up = |voter| Some(up.iter().any(|replica| replica.id() == voter));
    newest.is_some_and(|membership| {
        let voters = membership.voters();
        voters.ids().next().is_some() && voters.vote_result(is_up) == VoteResult::Won
    })
}

/// Whether a node may campaign and would win, as far as that is up to what the others know. Nobody who is down votes; but
/// where so many are down that the others are no quorum for the candidate, nobody's knowledge is to blame.
fn can_win(candidate: &Replica, up: &[&Replica], is_heard: &dyn Fn(&Replica, &Replica) -> bool) -> bool {
    let Some(configuration) = configuration(candidate) else { return false };
    let last = |replica: &Replica| (replica.view().last.term, replica.view().last.index);
    let grants = |voter: &Replica| last(candidate) >= last(voter) && is_heard(voter, candidate);
    let wins = |grants: &dyn Fn(&Replica) -> bool| {
        let votes = |voter| Some(up.iter().any(|replica| replica.id() == voter && grants(replica)));
        configuration.voters().vote_result(votes) == VoteResult::Won
    };
    configuration.is_voter(candidate.id()) && (wins(&grants) || !wins(&|_| true))
}

fn configuration(replica: &Replica) -> Option<&Configuration> {
    replica.node().map(|node| node.configuration())
}

fn term(replica: &Replica) -> raft::Term {
    replica.view().hard_state.term
}
