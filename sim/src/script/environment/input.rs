//! What a node is told by its clock, its application and its transport.

use raft::{Index, NodeId, Storage, StorageError};

use super::super::command::{InputCommand, Ticks};
use super::{Done, Environment, Reply};
use crate::world::Event;

impl Environment {
    pub(super) fn input_command(&mut self, node: NodeId, command: &InputCommand) -> Done {
        let event = match command {
            InputCommand::Tick(ticks) => return self.tick(node, *ticks),
            InputCommand::Compact(index) => return self.compact(node, *index),
            InputCommand::SetElectionTimeout(ticks) => Event::SetElectionTimeout { node, ticks: *ticks },
            InputCommand::Campaign => Event::Campaign { node },
            InputCommand::Propose(data) => Event::Propose { node, data: data.clone() },
            InputCommand::ProposeConfChange(change) => Event::ProposeConfChange { node, change: change.clone() },
            InputCommand::ReadIndex(context) => Event::ReadIndex { node, context: context.clone() },
            InputCommand::TransferLeadership(target) => Event::TransferLeadership { node, target: *target },
            InputCommand::ForgetLeader => Event::ForgetLeader { node },
            InputCommand::ReportUnreachable(peer) => Event::ReportUnreachable { node, peer: *peer },
            InputCommand::ReportSnapshot(peer, status) => Event::ReportSnapshot { node, peer: *peer, status: *status },
        };
        let outcome = self.apply(&event)?;
        Ok(Reply::refused(outcome.refused))
    }

    fn tick(&mut self, node: NodeId, ticks: Ticks) -> Done {
        let options = self.replica(node)?.options();
        let count = match ticks {
            Ticks::Election => options.election_tick,
            Ticks::Heartbeat => options.heartbeat_tick,
            Ticks::Count(count) => count,
        };
        for _ in 0..count {
            self.apply(&Event::Tick { node })?;
        }
        Ok(Reply::default())
    }

    fn compact(&mut self, node: NodeId, index: Index) -> Done {
        if index < self.raft_node(node)?.storage().first_index() {
            return Ok(Reply { text: String::new(), error: Some(StorageError::Compacted.to_string()) });
        }
        self.take_snapshot_for(node, index)?;
        self.apply(&Event::Compact { node, index })?;
        match self.finish_compaction(node)?.refusal() {
            None => self.raft_log(node).map(Reply::from),
            Some(refusal) => Ok(Reply::refused(Some(refusal))),
        }
    }

    /// The discarded part of the log has to be covered by a snapshot, which not every application takes by itself.
    fn take_snapshot_for(&mut self, node: NodeId, index: Index) -> Done<()> {
        let covered = self.raft_node(node)?.storage().snapshot().is_ok_and(|snapshot| snapshot.id.index >= index);
        if !covered {
            self.apply(&Event::TakeSnapshot { node })?;
        }
        Ok(())
    }
}
