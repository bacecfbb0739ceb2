//! A configuration as it is stored and shown.

use std::collections::BTreeSet;

use crate::types::NodeId;

/// The membership at some point of the log, as a snapshot keeps it and the application sees it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfState {
    /// Who votes; in a joint configuration, the incoming half.
    pub voters: BTreeSet<NodeId>,
    /// The outgoing half of a joint configuration; empty otherwise.
    pub voters_outgoing: BTreeSet<NodeId>,
    /// Who receives the log and does not vote.
    pub learners: BTreeSet<NodeId>,
    /// Voters of the outgoing half who become learners when the joint configuration is left.
    pub learners_next: BTreeSet<NodeId>,
    /// Whether the joint configuration is left as soon as it is applied, without being asked.
    pub auto_leave: bool,
}

impl ConfState {
    /// Whether this node receives the log. Those in `learners_next` are voters of the outgoing half.
    pub fn contains(&self, id: NodeId) -> bool {
        [&self.voters, &self.voters_outgoing, &self.learners].iter().any(|ids| ids.contains(&id))
    }
}
