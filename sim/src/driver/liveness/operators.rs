//! What the protocol leaves to operators once faults are over.
//!
//! A node that nobody counts on is switched off, a member that lost what it acknowledged is removed, a joint
//! configuration that is to be left on request is left, and a snapshot whose fate is unknown is reported as lost. A
//! removed leader that may stay (`step_down_on_removal` is off) is switched off as well, because etcd's goes on leading
//! and drops proposals. And somebody writes and reads, to see whether that works, but only once the leader holds
//! nothing back that a write would release.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use raft::node::Arm;
use raft::{
    Body, ConfChange, ConfChangeV1, ConfChangeV2, Configuration, Index, NodeId, SnapshotStatus, Storage, Term,
    VoteResult,
};

use super::{expects_change, unapplied_changes};
use crate::disk::Keep;
use crate::history::Command;
use crate::world::consensus::Node;
use crate::world::{Envelope, Event, EventKind, Outcome, Replica, World};

/// The operators, and what they know of their attempts to write and to read. Times are in whatever unit their driver has.
#[derive(Clone, Debug)]
pub(crate) struct Operators {
    /// The name of their reads, which no other reads may have.
    reads_named: &'static str,
    /// A fresh write that a leader took, in which term, and when.
    written: Option<(Term, Index)>,
    written_at: u64,
    /// How many reads had been answered when the write was committed.
    reads_before: Option<u64>,
    reads_asked: u64,
    /// The nodes that they switched off because nobody counted on them. Such a node may become a member later, and be
    /// needed.
    switched_off: BTreeSet<NodeId>,
}

impl Operators {
    pub(crate) const fn new(reads_named: &'static str) -> Self {
        let switched_off = BTreeSet::new();
        Self { reads_named, written: None, written_at: 0, reads_before: None, reads_asked: 0, switched_off }
    }

    /// What operators do when faults end. A snapshot for which a leader waits may have been lost, or the answer to it,
    /// so it is reported as failed.
    pub(crate) fn begin(world: &World, at_once: &mut VecDeque<Event>) {
        for replica in world.replicas() {
            let followers = replica.node().into_iter().flat_map(|node| node.followers());
            let waiting = followers.filter(|(_, follower)| follower.pending_snapshot().is_some());
            let node = replica.id();
            at_once.extend(waiting.map(|(peer, _)| Event::ReportSnapshot {
                node,
                peer,
                status: SnapshotStatus::Failure,
            }));
        }
    }

    /// One look of the operators: which nodes have to go, and what has to be asked for. A write in vain is repeated
    /// after a tenth of `patience`.
    pub(crate) fn look(&mut self, world: &World, now: u64, patience: u64, at_once: &mut VecDeque<Event>) {
        let strangers = strangers(world);
        at_once.extend(strangers.iter().map(|node| Event::Crash { node: *node, keep: Keep::All }));
        self.switched_off.extend(strangers);
        let Some(leader) = world.leader() else { return };
        let node = leader.id();
        let Some(configuration) = leader.node().map(|node| node.configuration()) else { return };
        if configuration.is_joint() && !configuration.auto_leave() {
            at_once.push_back(Event::ProposeConfChange { node, change: ConfChangeV2::leave_joint().into() });
        }
        if let Some(lacking) = lacking(leader, world) {
            let change = ConfChangeV2::from(ConfChangeV1::remove(lacking)).into();
            at_once.push_back(Event::ProposeConfChange { node, change });
        }
        report_on_snapshots(leader, world, at_once);
        // A leader must finish by itself what it holds on to: a write, or another read, would help it along.
        if self.reads_before.is_some() || !holds_on(leader) {
            self.probe(leader, configuration, world.statistics().reads, now, patience, at_once);
        }
    }

    /// Writes until a write is committed, then reads at every member until as many reads are answered.
    fn probe(
        &mut self,
        leader: &Replica,
        configuration: &Configuration,
        reads: u64,
        now: u64,
        patience: u64,
        at_once: &mut VecDeque<Event>,
    ) {
        let view = leader.view();
        if let Some((_, index)) = self.written
            && self.reads_before.is_none()
            && view.hard_state.commit >= index
        {
            self.reads_before = Some(reads);
        }
        // Whoever has waited in vain for long writes again, and others write too, but not so often that no member
        // catches up. A leader that is demoted to a learner does not look whether what its followers hold is committed
        // by the voters that remain, until something new comes.
        let term = view.hard_state.term;
        let pause = if self.reads_before.is_some() { patience / 2 } else { patience / 10 };
        let waits = self.reads_before.is_some() || self.written.is_some_and(|(written, _)| written == term);
        if !waits || now >= self.written_at + pause {
            let (client, value) = (Command::CLIENTS - 1, Bytes::from_static(b"settled"));
            let command = Command { client, sequence: 1 + now, key: 0, expected: None, value };
            at_once.push_back(Event::Propose { node: leader.id(), data: command.encode() });
        }
        // If reads were asked for again before those that wait are answered, some read would always be under way on
        // slow links.
        if self.reads_before.is_some() && !holds_on(leader) {
            for member in configuration.members() {
                self.reads_asked += 1;
                let context = Bytes::from(format!("{}{}", self.reads_named, self.reads_asked));
                at_once.push_back(Event::ReadIndex { node: member, context });
            }
        }
    }

    /// Notes where a leader put a fresh write.
    pub(crate) fn note(&mut self, event: &Event, outcome: &Outcome, world: &World, now: u64) {
        let (Event::Propose { node, .. } | Event::Take { node, arm: Arm::Proposal }) = event else { return };
        let Some(replica) = world.replica(*node) else { return };
        let waits = replica.run_loop().is_some() && event.kind() == EventKind::Propose;
        if !waits && outcome.refused.is_none() && world.leader().map(Replica::id) == Some(*node) {
            self.written = Some((replica.view().hard_state.term, replica.view().last.index));
            self.written_at = now;
        }
    }

    /// Whether they switched this node off.
    pub(crate) fn have_switched_off(&self, node: NodeId) -> bool {
        self.switched_off.contains(&node)
    }

    /// Whether a fresh write has been committed.
    pub(crate) const fn have_written(&self) -> bool {
        self.reads_before.is_some()
    }

    /// Whether the cluster has converged, and works.
    pub(crate) fn are_content(&self, world: &World) -> bool {
        let (written, reads) = self.expected(world);
        self.reads_before.is_some() && world.stalled(written, reads).is_none()
    }

    /// The event that claims that the cluster has converged now, and works.
    pub(crate) fn expectation(&self, world: &World) -> Event {
        let (written, reads) = self.expected(world);
        Event::ExpectSettled { written, reads }
    }

    fn expected(&self, world: &World) -> (Option<Index>, u64) {
        let before = self.reads_before.unwrap_or(World::NOT_READ_YET);
        let up = world.native_replicas().filter(|replica| replica.is_up()).count() as u64;
        (self.written.map(|(_, index)| index), before + up)
    }
}

/// Members that are down and have to come back. Nobody counted on them until a change that was on its way arrived, or
/// until a node that needs their votes came back. A leader knows who is a member; where nobody leads, any node may be
/// right.
pub(crate) fn members_down(world: &World) -> BTreeSet<NodeId> {
    let knows = |replica: &&Replica| world.leader().is_none_or(|leader| leader.id() == replica.id());
    let nodes = world.native_replicas().filter(knows).filter_map(|replica| replica.node());
    let is_down = |id: &NodeId| world.replica(*id).is_some_and(|replica| !replica.is_up());
    nodes.flat_map(|node| node.configuration().members()).filter(is_down).collect()
}

/// The nodes that are up but no longer in anybody's configuration, nor in one that is on its way. None, if that would
/// be all of them.
fn strangers(world: &World) -> Vec<NodeId> {
    let up = || world.native_replicas().filter(|replica| replica.is_up());
    let counted = |id: NodeId| {
        let others = up().filter(|replica| replica.id() != id);
        others.filter_map(|replica| replica.node()).any(|node| node.configuration().contains(id) || may_join(node, id))
    };
    // The nodes that have applied most know the newest configuration. The others may not have heard of any.
    let newest = up().map(|replica| replica.view().applied).max();
    let joins = |replica: &Replica| replica.node().is_some_and(|node| may_join(node, replica.id()));
    let counts_itself =
        |replica: &Replica| newest == Some(replica.view().applied) && (is_member(replica) || joins(replica));
    let is_counted = |replica: &Replica| counted(replica.id()) || counts_itself(replica);
    let leader = world.leader().map(Replica::id);
    let leads = |id: NodeId| leader == Some(id);
    let is_alone = |id: NodeId| up().all(|replica| replica.id() == id);
    let is_replaced = |replica: &Replica| leads(replica.id()) && is_removed(replica) && is_followed(replica, world);
    let strangers: Vec<NodeId> = up()
        .filter(|replica| !is_counted(replica) || is_replaced(replica))
        .filter(|replica| !is_alone(replica.id()))
        .filter(|replica| !(leads(replica.id()) && replica.options().step_down_on_removal))
        .map(|replica| replica.id())
        .collect();
    if strangers.len() < up().count() { strangers } else { Vec::new() }
}

/// A member that has to be removed: it lost its disk, and with it what it had acknowledged to this leader, so the
/// leader sends it nothing that it can take. `None` while the membership is about to change.
fn lacking(leader: &Replica, world: &World) -> Option<NodeId> {
    let node = leader.node().filter(|node| !node.configuration().is_joint() && !expects_change(*node))?;
    let lacks = |peer: NodeId, matched: Index| {
        let member = world.replica(peer).filter(|member| member.is_up() && member.disk().replaced().is_some());
        member.is_some_and(|member| member.view().last.index < matched)
    };
    node.followers()
        .find(|(peer, follower)| *peer != leader.id() && lacks(*peer, follower.matched))
        .map(|(peer, _)| peer)
}

/// Whether a leader still has to answer reads, or to leave a joint configuration by itself.
fn holds_on(leader: &Replica) -> bool {
    leader.node().is_some_and(|node| node.waiting_reads() > 0 || node.configuration().auto_leave())
}

/// What the transport of the leader reports about snapshots.
///
/// A snapshot from before a member joined does not mention that member, which therefore ignores it: the host has to
/// make a newer one, and to report that the old one failed. And where the follower has the snapshot, but the leader has
/// compacted its log past it meanwhile, etcd's leader waits to be told before it sends the next.
fn report_on_snapshots(leader: &Replica, world: &World, at_once: &mut VecDeque<Event>) {
    let Some(node) = leader.node() else { return };
    let Ok(snapshot) = node.storage().snapshot() else { return };
    let (leader, first) = (leader.id(), node.storage().first_index());
    let mut takes = false;
    for (peer, follower) in node.followers() {
        // Whatever the leader waits for at this moment, the snapshot that it has will not do.
        takes |= follower.matched.next() < first && !snapshot.conf_state.contains(peer);
        let Some(pending) = follower.pending_snapshot() else { continue };
        if follower.matched < pending && !snapshot_in_flight(peer, world) {
            at_once.push_back(Event::ReportSnapshot { node: leader, peer, status: SnapshotStatus::Failure });
        } else if follower.matched >= pending && follower.matched.next() < first {
            at_once.push_back(Event::ReportSnapshot { node: leader, peer, status: SnapshotStatus::Finish });
        }
    }
    if takes {
        at_once.push_front(Event::TakeSnapshot { node: leader });
    }
}

fn snapshot_in_flight(to: NodeId, world: &World) -> bool {
    world.network().iter().any(|(_, envelope)| match envelope {
        Envelope::Network(message) => message.to == to && matches!(message.body, Body::InstallSnapshot { .. }),
        Envelope::Local { .. } => false,
    })
}

/// Whether a change that the node has not applied names node `id`, or may do so.
fn may_join(node: &dyn Node, id: NodeId) -> bool {
    let names = |change: ConfChange| change.into_v2().changes.iter().any(|change| change.node == Some(id));
    unapplied_changes(node).is_none_or(|mut changes| changes.any(names))
}

/// Whether a leader has been removed, and has nothing left to commit.
fn is_removed(leader: &Replica) -> bool {
    let view = leader.view();
    !is_member(leader) && view.hard_state.commit == view.last.index
}

/// Whether a quorum of the voters has applied what this leader has, so that they can do without it.
fn is_followed(leader: &Replica, world: &World) -> bool {
    let applied = leader.view().applied;
    let follows = |voter| world.replica(voter).is_some_and(|voter| voter.view().applied >= applied);
    let wins =
        |node: &dyn Node| node.configuration().voters().vote_result(|voter| Some(follows(voter))) == VoteResult::Won;
    leader.node().is_some_and(wins)
}

/// Whether a node is in its own configuration.
fn is_member(replica: &Replica) -> bool {
    replica.node().is_some_and(|node| node.configuration().contains(replica.id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;

    fn world(script: &str) -> World {
        let mut world = World::new();
        for event in script::record(script).expect("a scenario").events {
            crate::driver::apply(&mut world, &event).expect("it fits");
        }
        world
    }

    /// In seed 1007664 a node that had just come back, and had applied nothing yet, was switched off: the entry that makes it a
    /// voter was in nobody's log but its own, and it was needed.
    #[test]
    fn a_node_that_has_yet_to_apply_that_it_is_a_member_is_no_stranger() {
        let grown = "add-nodes 1 peers=(1)\nstabilize log-level=none\ncampaign 1\nstabilize log-level=none\nadd-nodes 1\npropose-conf-change 1\n  v2\n\
                     stabilize 1 log-level=none\n";
        assert_eq!(strangers(&world(grown)), []);
        assert_eq!(strangers(&world(&format!("{grown}crash 1\nrestart 1\n"))), []);
    }
}
