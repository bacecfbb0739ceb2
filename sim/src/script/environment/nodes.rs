//! Nodes come and go.

use raft::NodeId;

use super::super::command::{AddNodes, NodeCommand};
use super::{Done, Environment, Reply};
use crate::disk::Keep;
use crate::world::{Event, Misfit};

impl Environment {
    pub(super) fn node_command(&mut self, command: &NodeCommand) -> Done {
        match command {
            NodeCommand::Add(nodes) => self.add_nodes(nodes),
            NodeCommand::Restart(node) => self.restart(*node),
        }
    }

    /// Identities count up in the order of creation.
    fn add_nodes(&mut self, nodes: &AddNodes) -> Done {
        for _ in 0..nodes.count {
            let next = self.world.replicas().map(|replica| replica.id().get()).max().unwrap_or_default() + 1;
            let node = NodeId::new(next).expect("one more than a number is not zero");
            let (boot, options) = (nodes.boot.clone(), nodes.options.clone());
            match self.world.apply(&Event::Start { node, boot, options, seed: None }) {
                Ok(_) => {}
                Err(crate::world::Halt::Misfit(Misfit::Config(_, error))) => {
                    return Ok(Reply { text: String::new(), error: Some(error.to_string()) });
                }
                Err(halt) => return Err(halt.into()),
            }
        }
        Ok(Reply::default())
    }

    /// Stops the node, if it is up, as when only its process dies, and starts it again.
    fn restart(&mut self, node: NodeId) -> Done {
        if self.replica(node)?.is_up() {
            self.apply(&Event::Crash { node, keep: Keep::All })?;
        }
        let outcome = self.apply(&Event::Restart { node, options: None, seed: None })?;
        Ok(Reply { text: String::new(), error: outcome.refused.map(|refused| refused.to_string()) })
    }
}
