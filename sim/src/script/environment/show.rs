//! What is printed on demand.

use raft::{NodeId, Storage};

use super::super::command::ShowCommand;
use super::{Done, Environment, Reply};
use crate::world::Inapplicable;

impl Environment {
    pub(super) fn show_command(&mut self, command: ShowCommand) -> Done {
        match command {
            ShowCommand::RaftLog(node) => self.raft_log(node).map(Reply::from),
            ShowCommand::RaftState => self.raft_state().map(Reply::from),
            ShowCommand::Status(node) => self.status(node).map(Reply::from),
            ShowCommand::InFlight => Ok(self.describe_in_flight()),
            // Whatever happened was checked when it happened, and a violation would have ended the script.
            ShowCommand::Check => Ok("every property holds\n".to_owned().into()),
            ShowCommand::LogLevel(level) => {
                self.level = level;
                Ok(Reply::default())
            }
        }
    }

    /// The log in storage, which may be behind the log in memory.
    pub(super) fn raft_log(&self, node: NodeId) -> Done<String> {
        let storage = self.raft_node(node)?.storage();
        let (first, last) = (storage.first_index(), storage.last_index());
        if last < first {
            return Ok(format!("log is empty: first index={first}, last index={last}"));
        }
        Ok(storage.stored().map(|entry| format!("{entry}\n")).collect())
    }

    fn raft_state(&self) -> Done<String> {
        self.all_nodes().into_iter().map(|node| self.raft_state_of(node)).collect()
    }

    fn raft_state_of(&self, node: NodeId) -> Done<String> {
        let Some(raft) = self.replica(node)?.node() else { return Ok(format!("{}: down\n", node.get())) };
        let status = raft.status().view;
        let voter = if raft.configuration().is_voter(node) { "Voter" } else { "Non-Voter" };
        let role = status.soft_state.role;
        let leader = status.soft_state.leader.map_or(0, NodeId::get);
        Ok(format!("{}: {role} ({voter}) Term:{} Lead:{leader}\n", node.get(), status.hard_state.term))
    }

    fn status(&self, node: NodeId) -> Done<String> {
        let raft = self.replica(node)?.raw_node().ok_or(Inapplicable::NodeDown(node))?;
        let describe = |id: NodeId, progress: &raft::Progress| {
            format!("{}: {}\n", id.get(), progress.describe(raft.configuration().is_learner(id)))
        };
        Ok(raft.progress().map(|(id, progress)| describe(id, progress)).collect())
    }
}
