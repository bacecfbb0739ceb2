//! Carries commands out on a world, and says what happened.

mod host;
mod input;
mod network;
mod nodes;
mod show;

use raft::{MemStorage, NodeId, RawNode};

use super::command::{Command, HostCommand, LogLevel};
use crate::world::{Event, Halt, Misfit, Outcome, Replica, World};

/// A world, and what commands change about how it is shown.
#[derive(Clone, Debug)]
pub struct Environment {
    world: World,
    level: LogLevel,
}

/// Why a script cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The command does not fit the state of the world, or led to a violation.
    #[error(transparent)]
    Halt(#[from] Halt),
}

impl From<Misfit> for Trouble {
    fn from(misfit: Misfit) -> Self {
        Self::Halt(misfit.into())
    }
}

/// What a command printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reply {
    text: String,
    /// What a node answered instead of doing it; printed at every log level.
    error: Option<String>,
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self { text, error: None }
    }
}

type Done<T = Reply> = Result<T, Trouble>;

impl Default for Environment {
    fn default() -> Self {
        Self::new()
    }
}

impl Environment {
    /// A world without nodes, all of whose output is printed.
    pub fn new() -> Self {
        Self { world: World::new(), level: LogLevel::All }
    }

    /// As [`new`](Self::new), with a world that checks nothing. etcd's tests restart nodes with a membership that is not
    /// the one in force, and make messages up.
    pub fn unchecked() -> Self {
        Self { world: World::unchecked(), ..Self::new() }
    }

    /// The world as it is now.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Carries a command out. What it prints; `ok` where it prints nothing.
    ///
    /// # Errors
    /// The command cannot be carried out, or a property of the world does not hold.
    pub fn run(&mut self, command: &Command) -> Result<String, Trouble> {
        let reply = self.carry_out(command)?;
        let level = match command {
            Command::Host(HostCommand::Stabilize { level: Some(level), nodes: _ }) => *level,
            Command::Node(_) | Command::Input(..) | Command::Host(_) | Command::Network(_) | Command::Show(_) => {
                self.level
            }
        };
        let error = reply.error.unwrap_or_default();
        let text = match level {
            LogLevel::All => reply.text + &error,
            LogLevel::None => error,
        };
        Ok(if text.is_empty() { "ok".to_owned() } else { text })
    }

    fn carry_out(&mut self, command: &Command) -> Done {
        match command {
            Command::Node(command) => self.node_command(command),
            Command::Input(node, command) => self.input_command(*node, command),
            Command::Host(command) => self.host_command(command),
            Command::Network(command) => self.network_command(command),
            Command::Show(command) => self.show_command(*command),
        }
    }

    fn apply(&mut self, event: &Event) -> Done<Outcome> {
        Ok(self.world.apply(event)?)
    }

    fn replica(&self, node: NodeId) -> Done<&Replica> {
        Ok(self.world.replica(node).ok_or(Misfit::NoSuchNode(node))?)
    }

    fn raft_node(&self, node: NodeId) -> Done<&RawNode<MemStorage>> {
        Ok(self.replica(node)?.node().ok_or(Misfit::NodeDown(node))?)
    }

    /// All nodes there are, by identity.
    fn all_nodes(&self) -> Vec<NodeId> {
        self.world.replicas().map(Replica::id).collect()
    }
}

/// A heading with what belongs to it, indented by two.
fn headed(node: NodeId, what: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("  {line}\n")).collect();
    format!("> {} {what}\n{lines}", node.get())
}
