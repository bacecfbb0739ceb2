//! Nodes come and go.

use raft::NodeId;

use super::super::command::{AddNodes, NodeCommand};
use super::{Done, Environment, Reply};
use crate::disk::Keep;
use crate::world::{ApplicationKind, Envelope, Event, Halt, MessageId, Misfit, NodeOptions};

impl Environment {
    pub(super) fn node_command(&mut self, command: &NodeCommand) -> Done {
        match command {
            NodeCommand::Add(nodes) => self.add_nodes(nodes),
            NodeCommand::Restart(node) => self.restart(*node),
            NodeCommand::Crash(node, keep) => self.crash(*node, *keep).map(|()| Reply::default()),
        }
    }

    /// Identities count up in the order of creation.
    fn add_nodes(&mut self, nodes: &AddNodes) -> Done {
        let usual = if self.imitates_etcd { ApplicationKind::Appender } else { ApplicationKind::KeyValue };
        let options = NodeOptions {
            application: nodes.application.unwrap_or(usual),
            allow_missing_term: self.imitates_etcd,
            immediate_singleton_reads: self.imitates_etcd,
            lead_before_own_vote: self.imitates_etcd,
            ..nodes.options.clone()
        };
        for _ in 0..nodes.count {
            let next = self.world.replicas().map(|replica| replica.id().get()).max().unwrap_or_default() + 1;
            let node = NodeId::new(next).expect("one more than a number is not zero");
            let seed = nodes.seed.map(|seed| seed.wrapping_add(next));
            let start = Event::Start { node, boot: nodes.boot.clone(), options: options.clone(), seed };
            match self.world.apply(&start) {
                Ok(_) => {}
                Err(Halt::Misfit(Misfit::Config(_, error))) => {
                    return Ok(Reply { text: String::new(), error: Some(error.to_string()) });
                }
                Err(halt) => return Err(halt.into()),
            }
        }
        Ok(Reply::default())
    }

    fn restart(&mut self, node: NodeId) -> Done {
        if self.replica(node)?.is_up() {
            self.crash(node, Keep::All)?;
        }
        let outcome = self.apply(&Event::Restart { node, options: None, seed: None })?;
        Ok(Reply::refused(outcome.refused))
    }

    fn crash(&mut self, node: NodeId, keep: Keep) -> Done<()> {
        self.held.remove(&node);
        self.apply(&Event::Crash { node, keep })?;
        // What a script had the node send to itself goes with its memory, like what it sent by its own will.
        let own = |envelope: &Envelope| match envelope {
            Envelope::Network(message) => message.from == node && message.to == node,
            Envelope::Local { .. } => false,
        };
        let lost: Vec<MessageId> =
            self.world.network().iter().filter(|(_, envelope)| own(envelope)).map(|(message, _)| message).collect();
        for message in lost {
            self.apply(&Event::Drop { message })?;
        }
        Ok(())
    }
}
