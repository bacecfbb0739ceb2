//! Nodes that began with the log of another cluster, and that an operator made members of this one.
//!
//! Raft assumes that there are none: with them, two entries of one index and term may differ, and such a node
//! acknowledges what it does not have. So nothing is held against what it says of itself. What stays checked is all
//! that the nodes of the cluster do in its presence: who leads, what is committed, and how many messages it costs.

use raft::NodeId;

use super::{Clients, Replica, World};
use crate::invariant::Checkers;
use crate::shared::Shared;

/// Checks and clients that such nodes report to, in place of those of the cluster. They object to nothing.
#[derive(Clone, Hash, Debug)]
pub(super) struct Unchecked {
    pub(super) checkers: Checkers,
    pub(super) clients: Shared<Clients>,
}

impl Default for Unchecked {
    fn default() -> Self {
        Self { checkers: Checkers::off(), clients: Shared::new(Clients::unchecked()) }
    }
}

impl World {
    /// Whether a node began with the log of another cluster.
    pub(super) fn is_foreign(&self, node: NodeId) -> bool {
        self.replica(node).is_some_and(Replica::is_foreign)
    }

    /// The checks that are held against a node.
    pub(super) fn checkers_of(&mut self, node: NodeId) -> &mut Checkers {
        if self.is_foreign(node) { &mut self.unchecked.checkers } else { &mut self.checkers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::Invariant;
    use crate::world::{Event, Halt, MessageId, SeldomOn};

    /// Node 4 is added with the log of another cluster that happens to begin like that of this one, is brought up to date, and
    /// loses its disk for one with its own log again. Then everything that is sent arrives, without a tick.
    fn goes_on(waits_as_etcd: bool) -> Result<(), Halt> {
        let script = "add-nodes 3 voters=(1,2,3) index=3\ncampaign 1\nstabilize log-level=none\n\
                      add-nodes 1 first=4 voters=(1,2,3) learners=(4) index=3 foreign-term=1\n\
                      propose-conf-change 1\n  l4\nstabilize log-level=none\n\
                      crash 4\nlose-disk 4\nrestart 4\nwrite 1 k1=green\n";
        let mut world = World::new();
        for mut event in crate::script::record(script).unwrap().events {
            if let Event::Start { options, .. } = &mut event {
                options.waits_as_etcd = SeldomOn(waits_as_etcd);
            }
            world.apply(&event)?;
        }
        for _ in 0..100 {
            for node in (1..=4).filter_map(NodeId::new) {
                while let Some(event) = world.replica(node).and_then(|replica| replica.to_do().next_event(node, 9)) {
                    world.apply(&event)?;
                }
            }
            let in_flight: Vec<MessageId> = world.network().iter().map(|(message, _)| message).collect();
            for message in in_flight {
                world.apply(&Event::Deliver { message })?;
            }
        }
        assert_eq!(world.network().in_flight(), 0, "messages end");
        let lacks = world.leader().and_then(Replica::node).into_iter().flat_map(|leader| leader.followers());
        let lacks: Vec<u64> =
            lacks.filter(|(_, follower)| follower.lacks_acknowledged).map(|(peer, _)| peer.get()).collect();
        assert_eq!(lacks, [4]);
        Ok(())
    }

    #[test]
    fn a_leader_that_waits_as_etcds_repeats_what_a_foreign_log_rejects_and_that_is_found() {
        let Err(Halt::Violation(found)) = goes_on(true) else { panic!("nobody repeated anything") };
        assert_eq!(found.invariant, Invariant::MessageEconomy);
        assert_eq!(found.nodes, [1, 4].map(|node| NodeId::new(node).unwrap()));
    }

    #[test]
    fn a_leader_shows_that_a_foreign_log_lacks_what_its_node_acknowledged_and_sends_no_more() {
        goes_on(false).unwrap();
    }

    #[test]
    fn a_foreign_log_that_makes_no_sense_or_by_which_its_node_votes_is_refused() {
        let (node, members) = (NodeId::new(4).unwrap(), raft::ConfState::default());
        let start = |voters: &[u64], entries, commit| {
            let conf_state = raft::ConfState {
                voters: voters.iter().filter_map(|voter| NodeId::new(*voter)).collect(),
                ..members.clone()
            };
            let (index, term) = (raft::Index(2), raft::Term(3));
            let boot = crate::world::Boot::Foreign { index, conf_state, term, entries, commit: raft::Index(commit) };
            World::new().apply(&Event::Start { node, boot, options: Default::default(), seed: None }).map(drop)
        };
        start(&[1, 2], 5, 7).unwrap();
        for (voters, entries, commit) in [(&[1, 4][..], 5, 7), (&[1, 2], 5, 8), (&[1, 2], 5, 1), (&[1, 2], u64::MAX, 7)]
        {
            assert!(matches!(start(voters, entries, commit), Err(Halt::Inapplicable(_))));
        }
    }
}
