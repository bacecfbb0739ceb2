//! Giving nodes other identities.

use std::collections::BTreeMap;
use std::sync::Arc;

use raft::{Message, NodeId};

use super::baseline::{Baseline, Candidate};
use super::step::Step;
use crate::world::{Envelope, LocalMessage};

/// The run with other identities.
pub(super) fn renumber(best: &Baseline, numbers: &BTreeMap<NodeId, NodeId>) -> Candidate {
    let name = |node| numbers.get(&node).copied().unwrap_or(node);
    let renamed = |step: &Arc<Step>| {
        let message = step.message.as_deref().map(|envelope| Arc::new(envelope_renamed(envelope, &name)));
        Arc::new(Step { event: step.event.renamed(&name), message })
    };
    Candidate { shared: 0, rest: best.steps.iter().map(renamed).collect() }
}

fn envelope_renamed(envelope: &Envelope, name: &dyn Fn(NodeId) -> NodeId) -> Envelope {
    let ends = |message: &Message| Message { from: name(message.from), to: name(message.to), ..message.clone() };
    match envelope {
        Envelope::Network(message) => Envelope::Network(ends(message)),
        Envelope::Local { node, message } => {
            let message = match message {
                LocalMessage::Own(message) => LocalMessage::Own(ends(message)),
                other @ (LocalMessage::Appended(_) | LocalMessage::Applied(_)) => other.clone(),
            };
            Envelope::Local { node: name(*node), message }
        }
    }
}
