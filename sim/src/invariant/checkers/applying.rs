//! What nodes apply, and the snapshots that replace it.

use raft::{Entry, EntryId, Index, NodeId, Snapshot};

use super::super::state_machine_safety::StateMachineSafety;
use super::super::violation::{Check, Invariant};
use super::super::{durability, recovery, state_machine_safety};
use super::Checkers;

impl Checkers {
    /// A node's application applied an entry.
    pub fn applied(&mut self, id: NodeId, entry: &Entry) -> Check {
        if self.off {
            return Ok(());
        }
        self.when(Invariant::StateMachineSafety, |all| {
            all.state_machines.applies(id, all.cluster.look(id), &all.matching, entry)
        })?;
        self.when(Invariant::DurableBeforeSend, |all| durability::applies(id, all.cluster.look(id), entry.id()))?;
        self.cluster.node(id).applied = entry.index;
        Ok(())
    }

    /// A command that `client` numbered took effect (and was not filtered out as a duplicate) at `index`.
    pub fn executed(&mut self, id: NodeId, index: Index, client: u64, sequence: u64) -> Check {
        if self.off {
            return Ok(());
        }
        self.when(Invariant::ExactlyOnce, |all| all.commands.executed(id, index, client, sequence))
    }

    /// The hash of the application's state after `index`, the same on all nodes.
    pub fn state(&mut self, id: NodeId, index: Index, hash: u64) -> Check {
        if self.off {
            return Ok(());
        }
        self.when(Invariant::StateMachineSafety, |all| {
            StateMachineSafety::state(&mut all.state_machines, id, index, hash)
        })
    }

    /// The application's state was replaced by that of a received snapshot.
    pub fn snapshot_restored(&mut self, id: NodeId, snapshot: &Snapshot) -> Check {
        if self.off {
            return Ok(());
        }
        self.agreed(id, snapshot, "restored its application from a snapshot")?;
        self.cluster.node(id).applied = snapshot.id.index;
        Ok(())
    }

    /// The application took a snapshot of itself, not yet durable.
    pub fn snapshot_taken(&mut self, id: NodeId, snapshot: &Snapshot) -> Check {
        if self.off {
            return Ok(());
        }
        self.agreed(id, snapshot, "took a snapshot")
    }

    /// A snapshot that the node took itself is durable.
    pub fn snapshot_persisted(&mut self, id: NodeId, snapshot: EntryId) {
        if self.off {
            return;
        }
        let durable = &mut self.cluster.node(id).durable;
        if snapshot.index > durable.snapshot.index {
            durable.snapshot = snapshot;
        }
    }

    /// The node's log forgot its entries up to `through`.
    pub fn compacted(&mut self, id: NodeId, through: Index) -> Check {
        if self.off {
            return Ok(());
        }
        recovery::compacts(&self.cluster, id, through)?;
        self.cluster.compact(id, through);
        let floor = self.cluster.floor();
        self.matching.forget(floor);
        self.state_machines.forget(floor);
        Ok(())
    }

    pub(super) fn counts_as_applied(&mut self, id: NodeId) -> Check {
        self.when(Invariant::StateMachineSafety, |all| state_machine_safety::counts_as_applied(&all.cluster, id))
    }

    pub(super) fn agreed(&mut self, id: NodeId, snapshot: &Snapshot, how: &str) -> Check {
        self.when(Invariant::StateMachineSafety, |all| all.state_machines.snapshot(id, snapshot))?;
        self.when(Invariant::ConfigurationAgreement, |all| {
            all.configurations.agrees(id, snapshot.id.index, &snapshot.conf_state, how)
        })
    }
}
