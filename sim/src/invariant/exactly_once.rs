//! Exactly once: a command that a client numbered takes effect at one place of the log, in the client's order.
//!
//! ```text
//! c's command s takes effect at i on n, and at j on m  ⇒  i = j
//! c's commands s < s' take effect at i and i'          ⇒  i < i'
//! ```
//!
//! Source: Raft paper, section 8, and thesis, section 6.3 (sessions that filter out retried commands). The filter is part
//! of the replicated state; a host that stores it apart from the state that it protects loses one of them in a crash.

use std::collections::BTreeMap;

use raft::{Index, NodeId};

use super::violation::{Check, Invariant, Violation};

/// The newest command of each client that took effect anywhere.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct ExactlyOnce {
    newest: BTreeMap<u64, (u64, Index)>,
}

impl ExactlyOnce {
    /// A command took effect on a node.
    pub fn executed(&mut self, id: NodeId, index: Index, client: u64, sequence: u64) -> Check {
        let newest = self.newest.entry(client).or_insert((sequence, index));
        let (known, at) = *newest;
        // A node that lags may still execute an older command. State-machine safety checks that it is the right one.
        if sequence.cmp(&known) == index.cmp(&at) {
            *newest = (sequence, index).max(*newest);
            return Ok(());
        }
        let detail = match sequence == known {
            true => format!(
                "command {sequence} of client {client} takes effect at {index} on node {id}, and took effect at {at} \
                     before; expected it to take effect once"
            ),
            false => format!(
                "command {sequence} of client {client} takes effect at {index} on node {id}, and its command {known} at \
                     {at}; expected them in the client's order"
            ),
        };
        Err(Violation::new(Invariant::ExactlyOnce, &[id], detail))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{breaks, node};
    use super::*;

    #[test]
    fn commands_that_take_effect_in_order_on_every_node_are_fine() {
        let mut once = ExactlyOnce::default();
        for (id, index, sequence) in [(1, 10, 1), (1, 12, 2), (2, 10, 1), (2, 12, 2), (1, 15, 4)] {
            once.executed(node(id), Index(index), 7, sequence).unwrap();
        }
    }

    #[test]
    fn a_command_that_takes_effect_twice_is_found() {
        let mut once = ExactlyOnce::default();
        once.executed(node(1), Index(10), 7, 1).unwrap();
        breaks(Invariant::ExactlyOnce, once.executed(node(1), Index(11), 7, 1));
    }

    #[test]
    fn a_command_that_takes_effect_after_its_successor_is_found() {
        let mut once = ExactlyOnce::default();
        once.executed(node(1), Index(10), 7, 2).unwrap();
        breaks(Invariant::ExactlyOnce, once.executed(node(1), Index(11), 7, 1));
        once.executed(node(1), Index(11), 8, 1).unwrap();
    }
}
