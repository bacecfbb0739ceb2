//! A leader lets each of its members hear from it in every heartbeat interval.
//!
//! ```text
//! n led t, with m as a member, when it handed out two Readys, and its clock ticked `heartbeat_tick` times between them
//!   ⇒  the later one, or one between them, holds a heartbeat of t to m
//! ```
//!
//! Source: Raft paper, section 5.2. Members that hear nothing campaign, and depose a leader that works. A part of
//! [`Invariant::ElectionTimeout`]; it holds while leadership is handed over too.
//!
//! Time is counted in the ticks that reached the leader.

use std::hash::{Hash, Hasher};

use raft::{Body, Message, NodeId, Term};

use super::cluster::Node;
use super::violation::{Check, Invariant, Violation};
use crate::few::Few;
use crate::shared::Shared;

/// The heartbeats that every leader sent to its members.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Heartbeats {
    leaders: Few<NodeId, Leader>,
}

#[derive(Clone, Debug)]
struct Leader {
    term: Term,
    ticks: u64,
    /// The tick at which a heartbeat to a member was last handed out, or the member first seen.
    heard: Few<NodeId, u64>,
}

/// How long ago each member heard of it counts, not when.
impl Hash for Leader {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { term, ticks, heard } = self;
        (term, heard.len()).hash(state);
        heard.iter().for_each(|(member, at)| (member, ticks - at).hash(state));
    }
}

impl Heartbeats {
    fn leader(&mut self, id: NodeId, term: Term) -> &mut Leader {
        let blank = || Leader { term, ticks: 0, heard: Few::default() };
        let leader = self.leaders.get_or(id, blank);
        if leader.term != term {
            *leader = blank();
        }
        leader
    }

    /// For how many ticks a leader has sent this member no heartbeat, if it is known since when it is a member.
    fn silence(&self, id: NodeId, term: Term, member: NodeId) -> Option<u64> {
        let leader = self.leaders.get(id).filter(|leader| leader.term == term)?;
        Some(leader.ticks - leader.heard.get(member)?)
    }

    /// The clock of a node ticked.
    pub fn ticked(all: &mut Shared<Self>, id: NodeId, node: &Node) {
        if let Some(term) = node.leads() {
            all.leader(id, term).ticks += 1;
        }
    }

    /// The configuration of a leader changed: a member that was away for a while may have missed a heartbeat.
    pub fn configured(&mut self, id: NodeId) {
        self.leaders.remove(id);
    }

    /// A node hands out messages.
    pub fn hands_out(all: &mut Shared<Self>, id: NodeId, messages: &[Message]) {
        for message in messages.iter().filter(|message| matches!(message.body, Body::Heartbeat { .. })) {
            if let Some(leader) = all.leaders.get_mut(id).filter(|leader| message.term == Some(leader.term)) {
                leader.heard.insert(message.to, leader.ticks);
            }
        }
    }

    /// A leader has handed out a Ready, and all of its messages are known.
    pub fn judge(all: &mut Shared<Self>, id: NodeId, node: &Node) -> Check {
        let (Some(term), Some(config)) = (node.leads(), &node.config) else { return Ok(()) };
        let interval = u64::from(config.heartbeat_tick);
        let configuration = &*node.configuration;
        let members = configuration.voters.iter().chain(&configuration.voters_outgoing).chain(&configuration.learners);
        for &member in members.filter(|member| **member != id) {
            let silent = match all.silence(id, term, member) {
                Some(ticks) => ticks,
                None => {
                    let leader = all.leader(id, term);
                    leader.heard.insert(member, leader.ticks);
                    0
                }
            };
            if silent >= interval {
                let detail = format!(
                    "node {id} leads term {term} and has sent node {member} no heartbeat for {silent} ticks; expected one each \
                     {interval} ticks"
                );
                return Err(Violation::new(Invariant::ElectionTimeout, &[id, member], detail));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use raft::{Config, Index};

    use super::super::testing::{Bench, breaks, configuration, message, node};
    use super::*;

    /// Node 1 leads, its clock ticks for an interval, and it hands out a Ready with heartbeats to these nodes.
    fn goes_on(bench: &mut Bench, ticks: u32, to: &[u64]) -> Check {
        for _ in 0..ticks {
            bench.checkers.ticked(node(1), None).unwrap();
        }
        let heartbeat = |&to: &u64| message(1, to, 1, Body::Heartbeat { commit: Index(0), context: Vec::new().into() });
        bench.checkers.hands_out(node(1), &to.iter().map(heartbeat).collect::<Vec<_>>());
        bench.tracked(1, &[1, 2, 3])
    }

    fn interval() -> u32 {
        Config::new(node(1)).heartbeat_tick
    }

    #[test]
    fn a_leader_that_keeps_silent_is_found() {
        let mut bench = Bench::led();
        goes_on(&mut bench, 0, &[]).unwrap();
        goes_on(&mut bench, interval(), &[2, 3]).unwrap();
        breaks(Invariant::ElectionTimeout, goes_on(&mut bench, interval(), &[]));
    }

    #[test]
    fn a_member_that_is_left_out_is_found() {
        let mut bench = Bench::led();
        goes_on(&mut bench, 0, &[]).unwrap();
        goes_on(&mut bench, interval() - 1, &[]).unwrap();
        breaks(Invariant::ElectionTimeout, goes_on(&mut bench, 1, &[2]));
    }

    #[test]
    fn a_leader_of_a_later_term_and_of_another_configuration_starts_anew() {
        let mut bench = Bench::led();
        goes_on(&mut bench, 0, &[]).unwrap();
        bench.checkers.configuration_applied(node(1), Index(2), &configuration(&[1, 2, 3])).unwrap();
        goes_on(&mut bench, interval(), &[]).unwrap();
        bench.elect(1, 2, &[2]).unwrap();
        goes_on(&mut bench, interval() - 1, &[]).unwrap();
    }
}
