//! Telling the states of loops apart, for whoever explores all that can happen to one.

use std::hash::{Hash, Hasher};

use super::RunLoop;
use crate::storage::Storage;

impl<S: Storage + Hash> RunLoop<S> {
    /// Feeds a hash with all that the loop and [its node](crate::RawNode::hash_state) go by from now on. Inputs keep their
    /// [tickets](super::super::Ticket) in it, since whoever waits knows his own.
    pub fn hash_state(&self, state: &mut impl Hasher) {
        let Self { node, limits, stopped, inputs, missed_ticks, awaited, awaited_reads, .. } = self;
        node.hash_state(state);
        (limits, stopped, inputs, missed_ticks, awaited, awaited_reads).hash(state);
        let Self { ready_requests, returned, outstanding, leader, accepts_proposals, .. } = self;
        (ready_requests, returned, outstanding.is_some(), leader, accepts_proposals).hash(state);
    }
}
