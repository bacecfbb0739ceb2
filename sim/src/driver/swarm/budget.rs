//! How much may be lost for good: never so much that a membership, the one in force or one that is on its way to be, is
//! left without a quorum. Whoever takes away a node, its disk or a member asks here first whether the membership is
//! known.

use std::collections::{BTreeMap, BTreeSet};

use raft::node::RunLoop;
use raft::{Body, Configuration, EntryId, Index, Message, NodeId, Role, Storage, Term, VoteResult};

use super::Swarm;
use crate::driver::liveness::expects_change;
use crate::world::{Envelope, Event, LogContents, Replica};

impl Swarm<'_> {
    /// The nodes whose data nobody may count on: lost for good, or on a disk that was damaged.
    pub(super) fn lost(&self) -> BTreeSet<NodeId> {
        self.faults.lost(&self.world)
    }

    /// The nodes that may be lost as well, or whose disks may be damaged: without them, every membership in force
    /// anywhere still has a quorum.
    pub(super) fn dispensable(&self) -> BTreeSet<NodeId> {
        let lost = self.lost();
        let up = self.world.native_replicas().filter_map(|replica| replica.node());
        let memberships: Vec<&Configuration> = up.map(|node| node.configuration()).filter(has_voters).collect();
        let spares = |node: NodeId| {
            let is_intact = |voter| voter != node && !lost.contains(&voter) && self.world.replica(voter).is_some();
            let is_left = |membership: &&Configuration| {
                membership.voters().vote_result(|voter| Some(is_intact(voter))) == VoteResult::Won
            };
            !memberships.is_empty() && memberships.iter().all(is_left)
        };
        let spared: BTreeSet<NodeId> =
            self.world.native_replicas().map(Replica::id).filter(|node| spares(*node)).collect();
        // This comes last, because it looks at everything that is not applied.
        if spared.is_empty() || self.knows_memberships() { spared } else { BTreeSet::new() }
    }

    /// Those of the dispensable nodes whose disks may be lost, since nobody relies on what they promised.
    ///
    /// The node comes back without its vote. Therefore nobody may be a candidate, no other node may become one in a
    /// term that this node has been in, and no request for a vote in such a term may still be on its way. It also comes
    /// back without its log. Therefore a quorum of others must durably have all that it had: then what was committed
    /// with its acknowledgement stays on every quorum. That has to hold in every membership of the past as well: the
    /// node goes through all of them again, and in an early one it may be a quorum without those who know more.
    pub(super) fn forgettable(&self) -> BTreeSet<NodeId> {
        let is_candidate = |replica: &Replica| replica.view().soft_state.role == Role::Candidate;
        let gone = self.faults.gone();
        if self
            .world
            .native_replicas()
            .any(|replica| is_candidate(replica) || (!replica.is_up() && !gone.contains(&replica.id())))
        {
            return BTreeSet::new();
        }
        let dispensable = self.dispensable();
        if dispensable.is_empty() {
            return dispensable;
        }
        let lost = self.lost();
        let kept: BTreeMap<NodeId, LogContents> = self
            .world
            .native_replicas()
            .filter(|replica| !gone.contains(&replica.id()))
            .filter_map(|replica| Some((replica.id(), replica.after_worst_crash()?)))
            .collect();
        let is_forgettable = |node: &NodeId| {
            let Some(replica) = self.world.replica(*node) else { return false };
            let (last, term) = (replica.view().last, replica.view().hard_state.term);
            let others = || kept.iter().filter(|(other, _)| *other != node);
            let is_kept = |voter: NodeId| {
                Some(!lost.contains(&voter) && others().any(|(other, kept)| *other == voter && holds(kept, last)))
            };
            let is_held_back = |past: Configuration| {
                let is_not_kept = |voter| is_kept(voter).map(|kept| !kept);
                !past.is_voter(*node) || past.voters().vote_result(is_not_kept) != VoteResult::Won
            };
            let mut memberships =
                self.world.native_replicas().filter_map(Replica::node).map(|node| node.configuration());
            !self.is_asked_for_vote(*node, term)
                && others().all(|(_, kept)| kept.hard_state.term >= term)
                && memberships.all(|membership| membership.voters().vote_result(is_kept) == VoteResult::Won)
                && others().flat_map(|(_, kept)| memberships_of(kept)).all(is_held_back)
                && self.snapshots_under_way().all(is_held_back)
        };
        dispensable.into_iter().filter(is_forgettable).collect()
    }

    /// Whether the memberships of the nodes that are up are all that there are, now and until the next change is asked for.
    /// A node that is down and comes back may bring one with it, or a change that it is elected to complete; and one that
    /// crashes may forget that a change is committed, and go back to the membership before it.
    fn knows_memberships(&self) -> bool {
        let lost = self.lost();
        let counts = |replica: &&Replica| !lost.contains(&replica.id());
        !self.expects_change() && self.world.native_replicas().filter(counts).all(remembers_membership)
    }

    /// Whether a change of the membership has been asked for and not been applied by everybody who is up.
    pub(super) fn expects_change(&self) -> bool {
        let is_asked_for = |event: &Event| matches!(event, Event::ProposeConfChange { .. });
        let mut up = self.world.native_replicas().filter_map(|replica| replica.node());
        up.any(expects_change)
            || self.at_once.iter().any(is_asked_for)
            || self.change_under_way()
            || self.world.native_replicas().filter_map(Replica::run_loop).any(RunLoop::awaits_conf_change)
    }

    /// Whether a message brings a change, in flight or about to leave; an append may outlive the leader that sent it.
    fn change_under_way(&self) -> bool {
        self.under_way().any(Message::brings_conf_change)
    }

    /// Whether somebody's request for this node's vote is on its way, in a term up to this one.
    fn is_asked_for_vote(&self, node: NodeId, term: Term) -> bool {
        self.under_way().any(|message| {
            message.to == node
                && message.term.is_some_and(|asked| asked <= term)
                && matches!(message.body, Body::RequestVote { .. })
        })
    }

    /// The memberships of snapshots that are on their way.
    fn snapshots_under_way(&self) -> impl Iterator<Item = Configuration> {
        self.under_way().filter_map(|message| match &message.body {
            Body::InstallSnapshot { snapshot } => Configuration::from_conf_state(&snapshot.conf_state).ok(),
            _ => None,
        })
    }

    /// The messages that are about to leave, in flight, or waiting for the loop of their receiver.
    fn under_way(&self) -> impl Iterator<Item = &Message> {
        let unsent = self.world.replicas().flat_map(Replica::unsent);
        let in_flight = self.world.network().iter().filter_map(|(_, envelope)| match envelope {
            Envelope::Network(message) => Some(message),
            Envelope::Local { .. } => None,
        });
        let arrived = self.world.replicas().filter_map(Replica::run_loop).flat_map(RunLoop::queued_messages);
        unsent.chain(in_flight).chain(arrived)
    }
}

/// Whether the node is up and would have the same membership after the worst of crashes, because it would still know
/// that each change that it has is committed.
pub(super) fn remembers_membership(replica: &Replica) -> bool {
    let Some((node, durable)) = replica.node().zip(replica.durable_commit()) else { return false };
    let storage = node.storage();
    let mut later = storage.stored().rev().take_while(|entry| entry.index > durable);
    storage.first_index() <= durable.next() && !later.any(|entry| matches!(entry.conf_change(), Ok(Some(_))))
}

/// Whether an entry would be read back from the disk, or was compacted there, and so is committed.
fn holds(kept: &LogContents, id: EntryId) -> bool {
    id.index < kept.base.index || id == kept.base || kept.entries.iter().any(|entry| entry.id() == id)
}

/// The memberships that a node goes through when it is brought this log from its beginning.
fn memberships_of(kept: &LogContents) -> Vec<Configuration> {
    let snapshot = kept.snapshot.as_ref().filter(|_| kept.base.index > Index::ZERO);
    let from = snapshot.map_or(Index::ZERO, |snapshot| snapshot.id.index);
    let first = snapshot.and_then(|snapshot| Configuration::from_conf_state(&snapshot.conf_state).ok());
    let changes =
        kept.entries.iter().filter(|entry| entry.index > from).filter_map(|entry| entry.conf_change().ok()?);
    let mut memberships = vec![first.unwrap_or_default()];
    for change in changes {
        let before = memberships.last().expect("there is a first");
        if let Ok(changed) = before.apply(&change.into_v2()) {
            memberships.push(changed.configuration);
        }
    }
    memberships
}

fn has_voters(membership: &&Configuration) -> bool {
    membership.voters().ids().next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Overrides, Plan};
    use crate::world::{Front, MessageId};

    /// Node 2 forwards a change to its leader. It is expected from the call on, wherever it is: in the node, in a Ready, in
    /// flight, in the leader's log. In seed 8295703 it was in a Ready when a quorum was chosen.
    #[test]
    fn a_change_of_the_membership_is_expected_wherever_it_is_on_its_way() {
        for asynchronous in [false, true] {
            let script = format!(
                "add-nodes 2 voters=(1,2) index=2 async-storage-writes={asynchronous}\ncampaign 1\nstabilize log-level=none\n\
                 propose-conf-change 2\n  l1\n"
            );
            let plan = Plan::draw(1, &Overrides::default());
            let mut swarm = Swarm::new(&plan);
            swarm.at_once.clear();
            let propose = crate::script::record(&script).unwrap().events;
            let (propose, before) = propose.split_last().unwrap();
            before.iter().for_each(|event| drop(swarm.world.apply(event).unwrap()));
            assert!(!swarm.expects_change());
            let node = NodeId::new(2).unwrap();
            swarm.world.apply(propose).unwrap();
            assert!(swarm.expects_change(), "the node holds it");
            swarm.world.apply(&Event::TakeReady { node }).unwrap();
            assert!(swarm.expects_change(), "its Ready holds it");
            swarm.world.apply(&Event::Send { node }).unwrap();
            assert!(swarm.expects_change(), "it is in flight");
            let message = MessageId(swarm.world.network().next_id() - 1);
            let mut lost = swarm.clone();
            lost.world.apply(&Event::Drop { message }).unwrap();
            assert!(!lost.expects_change(), "it is lost");
            swarm.world.apply(&Event::Deliver { message }).unwrap();
            assert!(swarm.expects_change(), "it is in the leader's log");
        }
    }

    #[test]
    fn a_message_is_under_way_until_the_loop_of_its_receiver_takes_it() {
        let has_loops =
            |plan: &Plan| plan.cluster.options.iter().all(|options| matches!(options.front, Front::Loop(_)));
        let mut plans = (0..).map(|seed| Plan::draw(seed, &Overrides::default()));
        let plan = plans.find(has_loops).expect("some plans have run loops");
        let mut swarm = Swarm::new(&plan);
        let mut seen = 0;
        while seen < 100 && swarm.go_on(&mut |_| {}).is_none() {
            for run_loop in swarm.world.replicas().filter_map(Replica::run_loop) {
                for message in run_loop.queued_messages() {
                    assert!(swarm.under_way().any(|under_way| std::ptr::eq(under_way, message)));
                    seen += 1;
                }
            }
        }
        assert_eq!(seen.min(100), 100, "some messages waited");
    }

    /// In seed 37004749 node 1 lost its disk, was brought the first entry of its log again, which adds node 1, and led a cluster
    /// of its own.
    #[test]
    fn a_disk_is_not_lost_where_its_node_would_be_a_quorum_of_an_earlier_membership() {
        let forgettable = |begins: &str| {
            let plan = Plan::draw(1, &Overrides::default());
            let mut swarm = Swarm::new(&plan);
            swarm.at_once.clear();
            let script =
                format!("{begins}\ncampaign 2\nstabilize log-level=none\npropose 2 more\nstabilize log-level=none\n");
            for event in crate::script::record(&script).unwrap().events {
                swarm.world.apply(&event).unwrap();
            }
            swarm.forgettable().into_iter().map(NodeId::get).collect::<Vec<u64>>()
        };
        assert_eq!(forgettable("add-nodes 3 voters=(1,2,3) index=2"), [1, 2, 3]);
        assert_eq!(forgettable("add-nodes 3 peers=(1,2,3)"), [2, 3]);
    }

    /// In seed 60039940 node 3 lost its disk with its vote, and was then asked for it by a candidate that had given up.
    #[test]
    fn a_disk_is_not_lost_while_a_request_for_a_vote_that_it_may_have_given_is_on_its_way() {
        let plan = Plan::draw(1, &Overrides::default());
        let mut swarm = Swarm::new(&plan);
        swarm.at_once.clear();
        let script = "add-nodes 3 voters=(1,2,3) index=2\ncampaign 2\nstabilize log-level=none\n";
        for event in crate::script::record(script).unwrap().events {
            swarm.world.apply(&event).unwrap();
        }
        let node = |number| NodeId::new(number).unwrap();
        let forgettable = |swarm: &Swarm<'_>| swarm.forgettable().contains(&node(3));
        assert!(forgettable(&swarm));
        let term = swarm.world.replica(node(3)).unwrap().view().hard_state.term;
        for (asked, expected) in [(term.next(), true), (term, false)] {
            let body = Body::RequestVote { last: EntryId::ZERO, transfer: false };
            let message = Message { from: node(1), to: node(3), term: Some(asked), body };
            swarm.world.apply(&Event::Inject { message }).unwrap();
            assert_eq!(forgettable(&swarm), expected, "asked in term {asked}, having been in {term}");
        }
    }

    /// In seed 463 a disk was damaged while the only node that knew of a second voter was down, in 577 and 739 while a
    /// change of the membership was under way, and in 1056 a node forgot in a crash that a change was committed. A node that
    /// comes back goes through the memberships since its snapshot once more, and does not campaign before it has.
    #[test]
    fn every_membership_is_left_a_quorum_of_nodes_that_can_be_counted_on() {
        let mut lost_some = 0;
        for seed in [463, 577, 739, 1056] {
            let plan = Plan::draw(seed, &Overrides { steps: Some(20_000), ..Overrides::default() });
            let mut swarm = Swarm::new(&plan);
            while swarm.go_on(&mut |_| {}).is_none() {
                let lost = swarm.lost();
                let nodes = swarm.world.replicas().filter_map(|replica| replica.node());
                for node in nodes.filter(|node| !expects_change(*node)) {
                    let result = node.configuration().voters().vote_result(|voter| Some(!lost.contains(&voter)));
                    let step = swarm.world.step();
                    assert_eq!(
                        result,
                        VoteResult::Won,
                        "seed {seed}, step {step}: {lost:?} of {}",
                        node.configuration()
                    );
                }
            }
            lost_some += u64::from(!swarm.lost().is_empty());
        }
        assert!(lost_some > 0, "nothing was damaged in any of them");
    }
}
