//! What the world tells about reads.

use bytes::Bytes;
use raft::{Index, NodeId, ReadState};

use super::Checkers;
use crate::invariant::violation::{Check, Invariant};

impl Checkers {
    /// A client asked this node for a read; contexts are never used twice. A retry is a new request with a new context.
    pub fn read_requested(&mut self, at: NodeId, context: &Bytes) {
        if self.off {
            return;
        }
        self.reads.requested(at, context, self.state_machines.newest());
    }

    /// A node says that a read may be answered. `excused` says that the plan broke what lease reads rely on, so that
    /// this one may be stale.
    pub fn read_ready(&mut self, id: NodeId, read: &ReadState, excused: bool) -> Check {
        if self.off {
            return Ok(());
        }
        let excused = excused || self.answers_unconfirmed(id, read.index);
        self.when(Invariant::LinearizableRead, |all| {
            if !excused {
                all.reads.answered(&all.cluster, id, &read.context)?;
            }
            all.reads.ready(id, read, excused)
        })
    }

    /// Whether the node may answer a read with this index unconfirmed, as etcd's leaders of a single voter do.
    pub(super) fn answers_unconfirmed(&self, id: NodeId, index: Index) -> bool {
        let Some(node) = self.cluster.get(id) else { return false };
        let allowed = node.config.as_ref().is_some_and(|config| config.immediate_singleton_reads);
        let single = node.configuration.voters.len() == 1 && node.configuration.voters_outgoing.is_empty();
        let committed_in_term = self.state_machines.term(index) == Some(node.view.hard_state.term);
        allowed && single && !(node.configuration.voters.contains(&id) && committed_in_term)
    }
}
