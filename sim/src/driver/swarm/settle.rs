//! The second phase of a run: faults end, operators tidy up, and the cluster has to come to rest in bounded time, with a
//! leader, with fresh writes and reads that succeed, and with all members that can be reached in agreement.
//!
//! What the protocol leaves to operators is done here: a node that nobody counts on is switched off, a joint configuration
//! that is to be left on request is left, and a snapshot whose fate is unknown is reported as lost. A removed leader that
//! may stay (`step_down_on_removal` is off) is switched off as well, because etcd's goes on leading and drops proposals.
//!
//! Some stalls are excused, since the protocol has them by design: see [`Excuse`].

use std::collections::BTreeSet;

use bytes::Bytes;
use raft::node::Arm;
use raft::{
    Body, ConfChangeV2, Configuration, Index, MemStorage, NodeId, ProgressState, RawNode, SnapshotStatus, Storage, Term,
};

use super::agenda::Intent;
use super::{Swarm, leader};
use crate::plan::{Plan, TICK, Time};
use crate::trace::Ending;
#[cfg(doc)]
use crate::world::Excuse;
use crate::world::{Command, Envelope, Event, EventKind, Outcome, Replica};

/// How often operators look.
const ROUND: Time = 5 * TICK;

/// What the second phase has achieved.
#[derive(Clone, Debug, Default)]
pub(super) struct Settling {
    /// Who is healed, if not everybody.
    pub(super) core: Option<BTreeSet<NodeId>>,
    began: Time,
    next_round: Time,
    /// A fresh write that a leader took, in which term, and when.
    written: Option<(Term, Index)>,
    written_at: Time,
    /// How many reads had been answered when the write was committed.
    reads_before: Option<u64>,
    reads_asked: u64,
    /// How much followers have received and all nodes have applied, together, and when that last grew.
    applied: u64,
    moved: Time,
}

impl Swarm<'_> {
    /// Lets one event of the second phase happen; the last one is the expectation that the cluster has come to rest.
    pub(super) fn settle(&mut self, record: &mut impl FnMut(&Event)) -> Ending {
        if self.settling.is_none() {
            self.begin_to_settle();
        }
        let looks = self.agenda.now() >= self.settling_round();
        if !self.has_patience() || (looks && self.is_settled()) {
            self.at_once.push_front(self.expectation());
            self.judged = true;
        } else if looks {
            self.operate();
        }
        self.step(record)
    }

    /// A cluster that still brings to its members what they missed may take longer than one in which nothing moves.
    fn has_patience(&mut self) -> bool {
        let (now, patience) = (self.agenda.now(), patience(self.plan));
        let leader = leader(&self.world);
        let followers = self.world.replicas().filter(|replica| leader != Some(replica.id()));
        let received: u64 = followers.map(|replica| replica.view().last.index.0).sum();
        let applied = received + self.world.replicas().map(|replica| replica.view().applied.0).sum::<u64>();
        let Some(settling) = &mut self.settling else { return false };
        // It falls when a node restarts, or when a follower is elected.
        if applied > settling.applied {
            settling.moved = now;
        }
        settling.applied = applied;
        let anybody = self.world.replicas().any(|replica| replica.is_up());
        // Who was down when the faults ended comes back a moment later.
        (anybody || now < settling.began + ROUND)
            && now < settling.moved + patience
            && now < settling.began + 20 * patience
    }

    fn begin_to_settle(&mut self) {
        let now = self.agenda.now();
        let core = self.choose_core();
        match &core {
            Some(core) => self.heal_core(core),
            None => {
                self.traffic.set_calm(true, &mut self.at_once);
                self.faults.heal(&mut self.at_once);
            }
        }
        self.disks.calm_down(&self.world, &mut self.at_once);
        self.clocks.calm_down();
        self.settling = Some(Settling { core, began: now, moved: now, ..Settling::default() });
        for replica in self.world.replicas().filter(|replica| !replica.is_up()) {
            self.agenda.after(1, Intent::Restart(replica.id()));
        }
        self.report_snapshots();
    }

    /// A leader waits for news of a snapshot, which may have been lost with the answer to it.
    fn report_snapshots(&mut self) {
        for replica in self.world.replicas() {
            let progress = replica.node().into_iter().flat_map(|node| node.progress());
            let waiting = progress.filter(|(_, progress)| matches!(progress.state(), ProgressState::Snapshot { .. }));
            let node = replica.id();
            self.at_once.extend(waiting.map(|(peer, _)| Event::ReportSnapshot {
                node,
                peer,
                status: SnapshotStatus::Failure,
            }));
        }
    }

    fn settling_round(&self) -> Time {
        self.settling.as_ref().map_or(0, |settling| settling.next_round)
    }

    /// One look of the operators: who has to go, what has to be asked for.
    fn operate(&mut self) {
        let now = self.agenda.now();
        let Some(settling) = &mut self.settling else { return };
        settling.next_round = now + ROUND;
        // Who was down needs some time to come back before anybody is judged.
        if now < settling.began + 2 * ROUND {
            return;
        }
        self.switch_off_strangers();
        self.switch_on_members();
        let Some(node) = leader(&self.world) else { return };
        let Some(configuration) =
            self.world.replica(node).and_then(|replica| replica.node()).map(|node| node.configuration().clone())
        else {
            return;
        };
        if configuration.is_joint() && configuration.auto_leave() {
            // etcd's leader tries to leave by itself with each entry that it applies, and not again until there is one.
            self.at_once.push_back(Event::Propose { node, data: Bytes::from_static(b"go on") });
        } else if configuration.is_joint() {
            self.at_once.push_back(Event::ProposeConfChange { node, change: ConfChangeV2::leave_joint().into() });
        }
        self.report_on_snapshots(node);
        self.probe(node, &configuration);
    }

    /// What the transport of the leader reports about snapshots.
    ///
    /// One from before a member joined does not mention that member, who therefore ignores it: the host has to make a newer
    /// one, and to say that the old one led to nothing. And where the follower has the snapshot, but the leader compacted
    /// its log past it meanwhile, etcd's leader waits to be told before it sends the next.
    fn report_on_snapshots(&mut self, leader: NodeId) {
        let Some(node) = self.world.replica(leader).and_then(|replica| replica.node()) else { return };
        let Ok(snapshot) = node.storage().snapshot() else { return };
        let first = node.storage().first_index();
        let mut takes = false;
        for (peer, progress) in node.progress() {
            let ProgressState::Snapshot { pending } = *progress.state() else { continue };
            if progress.matched() < pending && !self.snapshot_in_flight(peer) {
                takes |= !snapshot.conf_state.contains(peer);
                self.at_once.push_back(Event::ReportSnapshot { node: leader, peer, status: SnapshotStatus::Failure });
            } else if progress.matched() >= pending && progress.matched().next() < first {
                self.at_once.push_back(Event::ReportSnapshot { node: leader, peer, status: SnapshotStatus::Finish });
            }
        }
        if takes {
            self.at_once.push_front(Event::TakeSnapshot { node: leader });
        }
    }

    fn snapshot_in_flight(&self, to: NodeId) -> bool {
        self.world.network().iter().any(|(_, envelope)| match envelope {
            Envelope::Network(message) => message.to == to && matches!(message.body, Body::InstallSnapshot { .. }),
            Envelope::Local { .. } => false,
        })
    }

    /// Switches off who is in nobody's configuration any more, and in none that is on its way.
    fn switch_off_strangers(&mut self) {
        let up = || self.world.replicas().filter(|replica| replica.is_up());
        let counted = |id: NodeId| {
            let others = up().filter(|replica| replica.id() != id);
            others
                .filter_map(|replica| replica.node())
                .any(|node| node.configuration().contains(id) || may_join(node, id))
        };
        let leader = leader(&self.world);
        let leads = |id: NodeId| leader == Some(id);
        let is_alone = |id: NodeId| up().all(|replica| replica.id() == id);
        let strangers: Vec<NodeId> = up()
            .filter(|replica| !counted(replica.id()) || (leads(replica.id()) && is_removed(replica)))
            .filter(|replica| !is_alone(replica.id()) && !is_only_voter(replica))
            .filter(|replica| !(leads(replica.id()) && replica.options().step_down_on_removal))
            .map(|replica| replica.id())
            .collect();
        if strangers.len() < up().count() {
            let keep = crate::disk::Keep::All;
            self.at_once.extend(strangers.into_iter().map(|node| Event::Crash { node, keep }));
        }
    }

    /// Switches on who was a stranger until a change arrived that was on its way.
    fn switch_on_members(&mut self) {
        let leader = self.world.leader().and_then(|replica| replica.node());
        let members = leader.into_iter().flat_map(|node| node.configuration().members());
        let down = |id: &NodeId| self.world.replica(*id).is_some_and(|replica| !replica.is_up());
        for node in members.filter(down) {
            self.agenda.after(1, Intent::Restart(node));
        }
    }

    /// Writes until a write is committed, then reads at every member until as many reads are answered.
    fn probe(&mut self, node: NodeId, configuration: &Configuration) {
        let (reads, now, patience) = (self.world.statistics().reads, self.agenda.now(), patience(self.plan));
        let Some(view) = self.world.replica(node).map(|replica| *replica.view()) else { return };
        let Some(settling) = &mut self.settling else { return };
        if let Some((_, index)) = settling.written
            && settling.reads_before.is_none()
            && view.hard_state.commit >= index
        {
            settling.reads_before = Some(reads);
        }
        // Who waits in vain for long writes again, and others write too. A leader that is demoted to a learner does not
        // look whether what its followers hold is committed by the voters that remain, until something new comes.
        let term = view.hard_state.term;
        let waits = settling.reads_before.is_some() || settling.written.is_some_and(|(written, _)| written == term);
        if !waits || now >= settling.written_at + patience / 10 {
            let (client, value) = (Command::CLIENTS - 1, Bytes::from_static(b"settled"));
            let command = Command { client, sequence: 1 + now, key: 0, expected: None, value };
            self.at_once.push_back(Event::Propose { node, data: command.encode() });
        }
        if settling.reads_before.is_some() {
            for member in configuration.members() {
                settling.reads_asked += 1;
                let context = Bytes::from(format!("settled{}", settling.reads_asked));
                self.at_once.push_back(Event::ReadIndex { node: member, context });
            }
        }
    }

    /// Notes where a leader put a fresh write.
    pub(super) fn note_probe(&mut self, event: &Event, outcome: &Outcome) {
        let Some(settling) = &mut self.settling else { return };
        let (Event::Propose { node, .. } | Event::Take { node, arm: Arm::Proposal }) = event else { return };
        let Some(replica) = self.world.replica(*node) else { return };
        let waits = replica.run_loop().is_some() && event.kind() == EventKind::Propose;
        if !waits && outcome.refused.is_none() && leader(&self.world) == Some(*node) {
            settling.written = Some((replica.view().hard_state.term, replica.view().last.index));
            settling.written_at = self.agenda.now();
        }
    }

    fn is_settled(&self) -> bool {
        let Event::ExpectSettled { written, reads } = self.expectation() else { return false };
        self.settling.as_ref().is_some_and(|settling| settling.reads_before.is_some())
            && self.world.stalled(written, reads).is_none()
    }

    fn expectation(&self) -> Event {
        let settling = self.settling.clone().unwrap_or_default();
        let before = settling.reads_before.unwrap_or(u64::MAX / 2);
        let up = self.world.replicas().filter(|replica| replica.is_up()).count() as u64;
        Event::ExpectSettled { written: settling.written.map(|(_, index)| index), reads: before + up }
    }
}

/// Whether a change that the node has not applied names another, or may do so, since part of the log is not stored yet.
fn may_join(node: &RawNode<MemStorage>, id: NodeId) -> bool {
    if node.storage().last_index() != node.basic_status().last.index {
        return true;
    }
    let unapplied = node.storage().stored().rev().take_while(|entry| entry.index > node.basic_status().applied);
    let changes = unapplied.filter_map(|entry| entry.conf_change().ok().flatten());
    changes.flat_map(|change| change.into_v2().changes).any(|change| change.node == Some(id))
}

/// Whether a leader has been removed, and has nothing left to commit.
fn is_removed(replica: &Replica) -> bool {
    let view = replica.view();
    let is_member = replica.node().is_some_and(|node| node.configuration().contains(replica.id()));
    !is_member && view.hard_state.commit == view.last.index
}

/// Whether nobody else votes, so that nobody else can know better.
fn is_only_voter(replica: &Replica) -> bool {
    replica.node().is_some_and(|node| {
        let voters = node.configuration().voters();
        voters.is_singleton() && voters.contains(replica.id())
    })
}

/// How long the cluster may take: many election timeouts and many rounds of everything that is slow in this plan.
fn patience(plan: &Plan) -> Time {
    let election = plan.cluster.options.iter().map(|options| options.election_tick).max().unwrap_or(1);
    let hosts = &plan.hosts;
    let round = plan.network.latency + plan.network.jitter + hosts.step + hosts.write + hosts.sync + hosts.apply;
    TICK * Time::from(election) * 60 + plan.network.lateness + round * 1500 + hosts.answer * 100
}
