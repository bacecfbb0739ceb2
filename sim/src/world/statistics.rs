//! What happened in a world, counted.

use std::collections::BTreeMap;

use raft::{Body, ConfState, Message, Role};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::event::{Event, EventKind};
use super::excuse::Excuse;
use crate::invariant::View;
use crate::situation::{Situation, Situations};

/// Counters. They never influence what happens.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Statistics {
    events: Events,
    /// Times that a node became leader.
    pub elections: u64,
    /// Times that a node became candidate, pre-candidates aside.
    pub candidacies: u64,
    /// Times that a node became pre-candidate.
    pub pre_candidacies: u64,
    /// The highest term of any node.
    pub highest_term: u64,
    /// The highest commit index of any node.
    pub committed: u64,
    /// Entries applied, on all nodes together.
    pub applied: u64,
    /// Client commands that took effect, on all nodes together.
    pub executed: u64,
    /// Client commands that were filtered out as repetitions, on all nodes together.
    pub repeated: u64,
    /// Membership changes applied, on all nodes together.
    pub conf_changes: u64,
    /// Of those, changes that entered a joint configuration.
    pub joint_entered: u64,
    /// Of those, changes that left a joint configuration.
    pub joint_left: u64,
    /// Membership changes that were committed and could not be applied.
    pub conf_changes_skipped: u64,
    /// Snapshots that applications took.
    pub snapshots_taken: u64,
    /// Snapshot messages sent.
    pub snapshots_sent: u64,
    /// Snapshots from which an application was restored.
    pub snapshots_installed: u64,
    /// Compactions that are durable.
    pub compactions: u64,
    /// Bytes that crashes lost.
    pub bytes_lost: u64,
    /// Bytes of torn records that recoveries cut.
    pub bytes_cut: u64,
    /// Crashes of a node that was working on a Ready or on storage work.
    pub crashes_at_work: u64,
    /// Crashes of a leader.
    pub leaders_crashed: u64,
    /// Crashes of a node that was in a joint configuration.
    pub crashes_in_joint: u64,
    /// Messages sent, local ones included.
    pub messages: u64,
    /// Messages that arrived.
    pub delivered: u64,
    /// Messages lost at a cut link or at a node that was down.
    pub lost: u64,
    /// Messages that the receiver did not accept.
    pub messages_refused: u64,
    /// Those of them that no correct node sends. Where every node finds again what it had made durable, there are none.
    pub messages_malformed: u64,
    /// Proposals that were dropped.
    pub proposals_dropped: u64,
    /// Inputs for which the queue of a loop had no room.
    pub turned_away: u64,
    /// Ticks that loops missed.
    pub ticks_missed: u64,
    /// Read requests that were answered.
    pub reads: u64,
    /// Operations of clients that were answered.
    pub answered: u64,
    /// Of those, reads that were stale, and excused.
    pub stale_reads: u64,
    /// Requests to campaign at once that a leader sent to hand leadership over.
    pub transfers: u64,
    /// fsyncs that completed.
    pub syncs: u64,
    /// Times that a node stopped because its disk failed or was full.
    pub disks_failed: u64,
    /// Times that a node could not come back, because of what its disk held or lacked.
    pub recoveries_refused: u64,
    /// Named situations.
    pub situations: Situations,
    /// Times that a cluster converged once faults were over.
    pub converged: u64,
    /// Of those, clusters with members that are cut off from another one, or down.
    pub converged_beside_faults: u64,
    /// Times that a cluster did not converge, for each excuse.
    excused: Excused,
}

/// A count for each excuse.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Excused([u64; Excuse::ALL.len()]);

/// A count for each kind of event.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Events([u64; EventKind::ALL.len()]);

impl Default for Events {
    fn default() -> Self {
        Self([0; EventKind::ALL.len()])
    }
}

impl Statistics {
    /// How many events of this kind happened.
    pub const fn events(&self, kind: EventKind) -> u64 {
        self.events.0[kind as usize]
    }

    /// How often a cluster did not converge once faults were over, and had this excuse.
    pub const fn stalls(&self, excuse: Excuse) -> u64 {
        self.excused.0[excuse as usize]
    }

    /// How many events happened.
    pub fn total(&self) -> u64 {
        self.events.0.iter().sum()
    }

    /// Adds what happened in another world: sums, and of the highest term and index the higher.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.events.0.iter_mut().zip(other.events.0) {
            *mine += theirs;
        }
        self.highest_term = self.highest_term.max(other.highest_term);
        self.committed = self.committed.max(other.committed);
        self.elections += other.elections;
        self.candidacies += other.candidacies;
        self.pre_candidacies += other.pre_candidacies;
        self.applied += other.applied;
        self.executed += other.executed;
        self.repeated += other.repeated;
        self.conf_changes += other.conf_changes;
        self.joint_entered += other.joint_entered;
        self.joint_left += other.joint_left;
        self.conf_changes_skipped += other.conf_changes_skipped;
        self.snapshots_taken += other.snapshots_taken;
        self.snapshots_sent += other.snapshots_sent;
        self.snapshots_installed += other.snapshots_installed;
        self.compactions += other.compactions;
        self.bytes_lost += other.bytes_lost;
        self.bytes_cut += other.bytes_cut;
        self.crashes_at_work += other.crashes_at_work;
        self.leaders_crashed += other.leaders_crashed;
        self.crashes_in_joint += other.crashes_in_joint;
        self.messages += other.messages;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.messages_refused += other.messages_refused;
        self.messages_malformed += other.messages_malformed;
        self.proposals_dropped += other.proposals_dropped;
        self.turned_away += other.turned_away;
        self.ticks_missed += other.ticks_missed;
        self.reads += other.reads;
        self.answered += other.answered;
        self.stale_reads += other.stale_reads;
        self.transfers += other.transfers;
        self.syncs += other.syncs;
        self.disks_failed += other.disks_failed;
        self.recoveries_refused += other.recoveries_refused;
        self.situations.add(&other.situations);
        self.converged += other.converged;
        self.converged_beside_faults += other.converged_beside_faults;
        for (mine, theirs) in self.excused.0.iter_mut().zip(other.excused.0) {
            *mine += theirs;
        }
    }

    pub(super) fn count(&mut self, event: &Event) {
        self.events.0[event.kind() as usize] += 1;
    }

    pub(super) fn excused(&mut self, excuse: Excuse) {
        self.excused.0[excuse as usize] += 1;
    }

    /// A node has another view than before.
    pub(super) fn observe(&mut self, before: &View, now: &View) {
        let role = now.soft_state.role;
        if role != before.soft_state.role || now.hard_state.term != before.hard_state.term {
            match role {
                Role::Follower => {}
                Role::PreCandidate => self.pre_candidacies += 1,
                Role::Candidate => self.candidacies += 1,
                Role::Leader => self.elections += 1,
            }
        }
        self.highest_term = self.highest_term.max(now.hard_state.term.0);
        self.committed = self.committed.max(now.hard_state.commit.0);
    }

    pub(super) fn sent(&mut self, message: &Message) {
        self.messages += 1;
        let snapshot = matches!(message.body, Body::InstallSnapshot { .. });
        self.snapshots_sent += u64::from(snapshot);
        self.situations.note_if(snapshot, Situation::SnapshotSent);
        self.transfers += u64::from(matches!(message.body, Body::TimeoutNow));
    }

    pub(super) fn conf_change(&mut self, before: &ConfState, now: &ConfState) {
        let (was_joint, is_joint) = (!before.voters_outgoing.is_empty(), !now.voters_outgoing.is_empty());
        self.conf_changes += 1;
        self.joint_entered += u64::from(!was_joint && is_joint);
        self.joint_left += u64::from(was_joint && !is_joint);
    }
}

/// In JSON counts are objects, by the names of what is counted. What was never counted is left out.
fn write<'a, S: Serializer>(counts: impl Iterator<Item = (&'a str, u64)>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.filter(|(_, count)| *count > 0))
}

impl Serialize for Events {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = EventKind::ALL.map(|kind| format!("{kind:?}"));
        write(names.iter().map(String::as_str).zip(self.0), serializer)
    }
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let counts = BTreeMap::<String, u64>::deserialize(deserializer)?;
        Ok(Self(EventKind::ALL.map(|kind| counts.get(&format!("{kind:?}")).copied().unwrap_or_default())))
    }
}

impl Serialize for Excused {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(Excuse::NAMES.into_iter().zip(self.0), serializer)
    }
}

impl<'de> Deserialize<'de> for Excused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let counts = BTreeMap::<String, u64>::deserialize(deserializer)?;
        Ok(Self(Excuse::NAMES.map(|name| counts.get(name).copied().unwrap_or_default())))
    }
}
