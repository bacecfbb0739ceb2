//! Giving nodes other identities.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use raft::{Change, ConfChange, ConfState, Message, NodeId};

use super::baseline::{Baseline, Candidate};
use super::step::Step;
use crate::world::{Boot, Envelope, Event, LocalMessage};

/// The run with other identities, if all that is said in it of nodes can be changed.
pub(super) fn renumber(best: &Baseline, numbers: &BTreeMap<NodeId, NodeId>) -> Option<Candidate> {
    let names = Names(numbers);
    let rest = best.steps.iter().map(|step| Some(Arc::new(names.step(step)?))).collect::<Option<Vec<_>>>()?;
    Some(Candidate { shared: 0, rest })
}

struct Names<'a>(&'a BTreeMap<NodeId, NodeId>);

impl Names<'_> {
    fn step(&self, step: &Step) -> Option<Step> {
        let message = match step.message.as_deref() {
            None => None,
            Some(Envelope::Network(message)) => Some(Arc::new(Envelope::Network(self.message(message)))),
            Some(Envelope::Local { node, message }) => {
                let message = match message {
                    LocalMessage::Own(message) => LocalMessage::Own(self.message(message)),
                    other @ (LocalMessage::Appended(_) | LocalMessage::Applied(_)) => other.clone(),
                };
                Some(Arc::new(Envelope::Local { node: self.renamed(*node), message }))
            }
        };
        Some(Step { event: self.event(&step.event), message })
    }

    fn renamed(&self, node: NodeId) -> NodeId {
        self.0.get(&node).copied().unwrap_or(node)
    }

    fn message(&self, message: &Message) -> Message {
        Message { from: self.renamed(message.from), to: self.renamed(message.to), ..message.clone() }
    }

    fn all(&self, nodes: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        nodes.iter().map(|node| self.renamed(*node)).collect()
    }

    fn conf_state(&self, state: &ConfState) -> ConfState {
        ConfState {
            voters: self.all(&state.voters),
            voters_outgoing: self.all(&state.voters_outgoing),
            learners: self.all(&state.learners),
            learners_next: self.all(&state.learners_next),
            auto_leave: state.auto_leave,
        }
    }

    fn change(&self, change: &mut ConfChange) {
        let rename = |change: &mut Change| change.node = change.node.map(|node| self.renamed(node));
        match change {
            ConfChange::V1(change) => rename(&mut change.change),
            ConfChange::V2(change) => change.changes.iter_mut().for_each(rename),
        }
    }

    fn event(&self, event: &Event) -> Event {
        let mut event = event.clone();
        match &mut event {
            Event::Start { node, boot, .. } => {
                *node = self.renamed(*node);
                match boot {
                    Boot::Empty => {}
                    Boot::Peers(peers) => peers.iter_mut().for_each(|peer| *peer = self.renamed(*peer)),
                    Boot::Snapshot { conf_state, .. } => *conf_state = self.conf_state(conf_state),
                }
            }
            Event::ProposeConfChange { node, change } => {
                *node = self.renamed(*node);
                self.change(change);
            }
            Event::TransferLeadership { node, target } => {
                (*node, *target) = (self.renamed(*node), self.renamed(*target))
            }
            Event::ReportUnreachable { node, peer } | Event::ReportSnapshot { node, peer, .. } => {
                (*node, *peer) = (self.renamed(*node), self.renamed(*peer));
            }
            Event::Cut { from, to } | Event::HealLink { from, to } => {
                (*from, *to) = (self.renamed(*from), self.renamed(*to))
            }
            Event::Inject { message } => *message = self.message(message),
            Event::Calm { core } => *core = core.as_ref().map(|core| self.all(core)),
            Event::Deliver { .. }
            | Event::Drop { .. }
            | Event::Duplicate { .. }
            | Event::BreakLeases
            | Event::SearchHistories
            | Event::ExpectSettled { .. } => {}
            Event::Crash { node, .. }
            | Event::DiskFault { node, .. }
            | Event::Restart { node, .. }
            | Event::Tick { node }
            | Event::Campaign { node }
            | Event::Propose { node, .. }
            | Event::ForgetLeader { node }
            | Event::ReadIndex { node, .. }
            | Event::Invoke { node, .. }
            | Event::Retry { node, .. }
            | Event::SetElectionTimeout { node, .. }
            | Event::TakeReady { node }
            | Event::Write { node }
            | Event::Sync { node }
            | Event::SyncDone { node }
            | Event::Release { node }
            | Event::Send { node }
            | Event::Apply { node, .. }
            | Event::Advance { node }
            | Event::TakeSnapshot { node }
            | Event::Compact { node, .. }
            | Event::Take { node, .. } => *node = self.renamed(*node),
        }
        event
    }
}
