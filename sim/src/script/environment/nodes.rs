//! Nodes come and go.

use raft::NodeId;

use super::super::command::{AddNodes, NodeCommand};
use super::{Done, Environment, Reply, Trouble};
use crate::disk::Keep;
use crate::world::{ApplicationKind, Envelope, Event, Halt, Inapplicable, MessageId, NodeOptions, SeldomOn};

impl Environment {
    pub(super) fn node_command(&mut self, command: &NodeCommand) -> Done {
        match command {
            NodeCommand::Add(nodes) => self.add_nodes(nodes),
            NodeCommand::Restart { node, options, seed } => self.restart(*node, options.as_ref(), *seed),
            NodeCommand::Crash(node, keep) => self.crash(*node, *keep).map(|()| Reply::default()),
        }
    }

    /// Identities count up in the order of creation, unless the command says otherwise.
    fn add_nodes(&mut self, nodes: &AddNodes) -> Done {
        let usual = if self.imitates_etcd { ApplicationKind::Appender } else { ApplicationKind::KeyValue };
        let options = self.completed(&nodes.options, nodes.application.unwrap_or(usual));
        let highest = self.world.replicas().map(|replica| replica.id().get()).max().unwrap_or_default();
        let first = nodes.first.map_or(highest + 1, NodeId::get);
        for next in (first..=u64::MAX).take(usize::try_from(nodes.count).unwrap_or(usize::MAX)) {
            let node = NodeId::new(next).expect("a number that counts up from one is not zero");
            let seed = nodes.seed.map(|seed| seed.wrapping_add(next));
            let start = Event::Start { node, boot: nodes.boot.clone(), options: options.clone(), seed };
            match self.apply(&start) {
                Ok(_) => {}
                Err(Trouble::Halt(Halt::Inapplicable(Inapplicable::Config(_, error)))) => {
                    return Ok(Reply { text: String::new(), error: Some(error.to_string()) });
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(Reply::default())
    }

    /// A node's options, completed by those that commands do not speak of.
    fn completed(&self, options: &NodeOptions, application: ApplicationKind) -> NodeOptions {
        NodeOptions {
            application,
            allow_missing_term: self.imitates_etcd,
            immediate_singleton_reads: self.imitates_etcd,
            lead_before_own_vote: self.imitates_etcd,
            waits_as_etcd: SeldomOn(self.imitates_etcd),
            ..options.clone()
        }
    }

    fn restart(&mut self, node: NodeId, options: Option<&NodeOptions>, seed: Option<u64>) -> Done {
        if self.replica(node)?.is_up() {
            self.crash(node, Keep::All)?;
        }
        let application = self.replica(node)?.options().application;
        let options = options.map(|options| self.completed(options, application));
        let outcome = self.apply(&Event::Restart { node, options, seed })?;
        Ok(Reply::refused(outcome.refused))
    }

    fn crash(&mut self, node: NodeId, keep: Keep) -> Done<()> {
        self.apply(&Event::Crash { node, keep })?;
        self.forget_plans_of(node)
    }

    /// A node has stopped. Messages that a script made it send to itself are lost with its memory, like those that it
    /// sent by itself.
    pub(super) fn forget_plans_of(&mut self, node: NodeId) -> Done<()> {
        self.held.remove(&node);
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
