//! What the world tells about the membership.

use raft::{ConfChangeV2, ConfState, Configuration, Index, NodeId};

use super::Checkers;
use crate::invariant::configuration;
use crate::invariant::violation::{Check, Invariant};

impl Checkers {
    /// The entry at `index`, which holds `change`, is about to change the membership to `configuration`. Comes before
    /// [`configuration_applied`](Self::configuration_applied).
    pub fn change_applied(&self, id: NodeId, index: Index, change: &ConfChangeV2, configuration: &ConfState) -> Check {
        if !self.watched.contains(Invariant::ConfigurationAgreement) {
            return Ok(());
        }
        self.configurations.follows(id, index, change, configuration)
    }

    /// The entry at `index` changed the membership to `configuration`, as `apply_conf_change` returned it.
    pub fn configuration_applied(&mut self, id: NodeId, index: Index, configuration: &ConfState) -> Check {
        if self.off {
            return Ok(());
        }
        let configuration = self.configurations.applied(id, index, configuration)?;
        // The node already goes by the membership of a snapshot that covers this entry.
        if index <= self.cluster.look(id).log.base().index {
            return Ok(());
        }
        self.matched.forget(id);
        self.flow.forget(id);
        self.timeouts.leads_anew(id);
        self.heartbeats.configured(id);
        self.economy.configured(id);
        self.transfers.configured(id);
        self.reads.configured(id);
        let node = self.cluster.node(id);
        node.configuration = configuration;
        self.changes.decides_by(id, node);
        Ok(())
    }

    /// The configuration by which a node decides when it hands out a Ready.
    pub fn goes_by(&mut self, id: NodeId, configuration: &Configuration) -> Check {
        self.when(Invariant::ConfigurationAgreement, |all| {
            configuration::goes_by(id, all.cluster.look(id), configuration)
        })
    }
}
